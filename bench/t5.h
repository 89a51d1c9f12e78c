/* How fast T5 generates: see bench/encoder.h, which also has the training of both. */
#ifndef AS_BENCH_T5_H
#define AS_BENCH_T5_H

#include "bench/encoder.h"
#include "models/t5.h"

/* The T5 in model->folder, or a fresh T5 v1.0 with the vocabulary of the released ones and dropout 0.1; with room for
 * gradients if wanted, else with packed weights. On failure *out is NULL. */
AS_MUST_CHECK as_status as_bench_t5_new(as_context *ctx, const as_bench_model *model, bool gradients, as_t5 **out);

typedef struct as_bench_generation {
  int64_t batch;                     /* sources at a time */
  int64_t prompt_tokens, new_tokens; /* of each; exactly so many new ones are generated */
  int64_t beams;                     /* 1: greedy search */
  as_spread seconds;                 /* of an answer to the whole batch */
  as_spread first_token_seconds;     /* until the first token of all is there, the encoder included */
} as_bench_generation;

/* Answers `repeats` times after one that is not counted, and as often for the first token. The first four fields of *out
 * say what. */
AS_MUST_CHECK as_status as_bench_generate(as_context *ctx, const as_t5 *t5, uint64_t seed, int64_t repeats,
                                          as_bench_generation *out);

#endif
