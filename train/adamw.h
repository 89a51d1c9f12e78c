/* AdamW over the flat block of parameters: one pass that reads weights, gradients and moments once.
 *
 * Weight decay acts by a parameter's role, not its name. Work is cut by size, and the sum of squares for clipping is
 * taken over fixed pieces in order, so the result has the same bits for any number of threads. */
#ifndef AS_TRAIN_ADAMW_H
#define AS_TRAIN_ADAMW_H

#include "nn/parameters.h"
#include "tensor/kernels/kernels.h"
#include "train/optimizer.h"

typedef struct as_adamw_options {
  double beta1, beta2, eps, weight_decay; /* 0.9, 0.999, 1e-8 */
} as_adamw_options;

typedef struct as_adamw {
  as_context *ctx;
  as_parameters *parameters;
  const as_kernels_f32 *kernels;
  as_adamw_options options;
  float *m, *v;                  /* [parameters->elements]: first and second moments */
  int64_t steps;                 /* updates done */
  struct as_adamw_piece *pieces; /* what is updated, cut by size; frozen parameters are left out */
  size_t pieces_count;
  double *partial; /* [pieces_count] sums of squares */
} as_adamw;

AS_MUST_CHECK as_status as_adamw_init(as_adamw *optimizer, as_context *ctx, as_parameters *parameters,
                                      const as_adamw_options *options);
void as_adamw_free(as_adamw *optimizer);

/* After moments were read back: finds the rows of embeddings that have had a gradient. */
void as_adamw_find_touched(as_adamw *optimizer);

/* The Euclidean norm of all gradients that are not frozen. */
double as_adamw_gradient_norm(as_adamw *optimizer);
/* One update with the gradients times `gradient_scale`. */
void as_adamw_update(as_adamw *optimizer, double lr, double gradient_scale);
as_optimizer as_adamw_optimizer(as_adamw *adamw);

#endif
