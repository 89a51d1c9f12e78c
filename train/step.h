/* One optimizer step of an encoder classifier: forward and backward over its micro-batches, clipping, AdamW.
 *
 * The loss is normalised over all items of the step, so accumulating over micro-batches gives what one large batch
 * would. */
#ifndef AS_TRAIN_STEP_H
#define AS_TRAIN_STEP_H

#include "models/encoder.h"
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

/* Computes the gradients of `count` micro-batches, and updates with learning rate lr. `step` numbers the step from 0
 * and decides the dropout bits. AS_E_DIVERGED when loss or norm is not finite: then nothing was updated, and *result
 * tells. */
AS_MUST_CHECK as_status as_encoder_step(as_graph *g, as_encoder *encoder, as_adamw *optimizer,
                                        as_encoder_batch *batches, int64_t count, const as_step_options *options,
                                        int64_t step, double lr, as_step_result *result);

/* The denominator of the loss of these batches: the sum of the weights of their labels. */
double as_step_denominator(const as_encoder_batch *batches, int64_t count, const float *class_weights);

/* Records logits and loss of one batch; not planned. */
as_tensor *as_encoder_record_loss(as_graph *g, as_encoder *encoder, as_encoder_batch *batch,
                                  const as_step_options *options, double denominator);

#endif
