/* One optimizer step: forward and backward over its micro-batches, clipping, update.
 *
 * The loss is normalised over all items of the step, so accumulating over micro-batches gives what one large batch
 * would. */
#ifndef AS_TRAIN_STEP_H
#define AS_TRAIN_STEP_H

#include "models/encoder.h"
#include "models/t5.h"
#include "train/adamw.h"

typedef struct as_step_options {
  const float *class_weights; /* [classes], or NULL */
  double label_smoothing;
  double max_grad_norm; /* 0: no clipping */
  uint64_t seed;        /* of dropout */
  int recompute;
  size_t memory_limit; /* of the graph; 0: none */
} as_step_options;

typedef struct as_step_result {
  double loss;      /* mean over the step's items */
  double grad_norm; /* before clipping */
} as_step_result;

/* What a step trains: how the loss of micro-batch number `batch` is recorded, divided by `denominator`, which is the
 * same for all of the step. */
typedef struct as_step_task {
  void *user;
  as_tensor *(*record_loss)(as_graph *g, void *user, int64_t batch, double denominator);
  double denominator;
} as_step_task;

/* Computes the gradients of `count` micro-batches, and updates with learning rate lr. `step` numbers the step from 0
 * and decides the dropout bits. AS_E_DIVERGED when loss or norm is not finite: then nothing was updated, and *result
 * tells. */
AS_MUST_CHECK as_status as_step(as_graph *g, const as_step_task *task, const as_optimizer *optimizer, int64_t count,
                                const as_step_options *options, int64_t step, double lr, as_step_result *result);

/* The same for an encoder classifier with AdamW, and for T5. */
AS_MUST_CHECK as_status as_encoder_step(as_graph *g, as_encoder *encoder, as_adamw *adamw, as_encoder_batch *batches,
                                        int64_t count, const as_step_options *options, int64_t step, double lr,
                                        as_step_result *result);
AS_MUST_CHECK as_status as_t5_step(as_graph *g, as_t5 *t5, const as_optimizer *optimizer, const as_t5_batch *batches,
                                   int64_t count, const as_step_options *options, int64_t step, double lr,
                                   as_step_result *result);

/* The denominator of the loss of these batches: the sum of the weights of their labels. */
double as_step_denominator(const as_encoder_batch *batches, int64_t count, const float *class_weights);

/* Records logits and loss of one batch; not planned. */
as_tensor *as_encoder_record_loss(as_graph *g, as_encoder *encoder, as_encoder_batch *batch,
                                  const as_step_options *options, double denominator);

#endif
