/* How fast an encoder trains and answers, on sequences of given lengths.
 *
 * The model has fresh weights and the vocabulary and positions of the released one (distilbert-base-uncased,
 * roberta-base), the ids are random: speed does not depend on their values. What is timed is what the trainer and the
 * classifier call (train/step.h, models/encoder_predict.h); tokenizing and reading files is not. Unlike times of
 * kernels, these are of whole runs, so their median counts, with the extremes beside it. */
#ifndef AS_BENCH_ENCODER_H
#define AS_BENCH_ENCODER_H

#include "bench/spread.h"
#include "bench/workload.h"
#include "models/encoder.h"

#define AS_BENCH_POSITIONS 512 /* tokens that either reads */

typedef struct as_bench_model {
  const char *architecture; /* of as_encoder_architectures */
  const char *size;         /* of its presets */
  const char *folder;       /* of T5 for generation: opened instead of a fresh one; NULL: none */
  uint64_t seed;            /* of weights, ids and dropout */
} as_bench_model;

/* A fresh model with dropout 0.1; with room for gradients if wanted. On failure *out is NULL. */
AS_MUST_CHECK as_status as_bench_encoder_new(as_context *ctx, const as_bench_model *model, bool gradients,
                                             as_encoder **out);

/* ---- training ---------------------------------------------------------------------------------------------------- */
typedef struct as_bench_training {
  int64_t parameters, steps;
  as_spread rows_per_second; /* of a pass through the workload */
  as_spread step_seconds;    /* of a batch: forward, backward, clipping to norm 1, AdamW */
  double loss;               /* of the last step */
  size_t planned_bytes;      /* parameters, gradients, two moments, and the largest arena of the graph */
} as_bench_training;

/* Passes through the workload `passes` times after two steps that are not counted. */
AS_MUST_CHECK as_status as_bench_train(as_context *ctx, const as_bench_model *model, const as_workload *workload,
                                       int64_t passes, as_bench_training *out);

/* ---- inference --------------------------------------------------------------------------------------------------- */
/* Seconds from ids to probabilities for one row of `tokens` tokens, `requests` times, on an encoder whose matrices were
 * packed as those of a model that serves are. */
AS_MUST_CHECK as_status as_bench_latency(as_context *ctx, const as_encoder *encoder, uint64_t seed, int64_t tokens,
                                         int64_t requests, as_spread *seconds);
/* Rows a second in `passes` passes over all rows of the workload, in batches packed by tokens. */
AS_MUST_CHECK as_status as_bench_throughput(as_context *ctx, const as_encoder *encoder, uint64_t seed,
                                            const as_workload *workload, int64_t passes, as_spread *rows_per_second);

#endif
