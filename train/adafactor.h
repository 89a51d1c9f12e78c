/* Adafactor (Shazeer and Stern 2018) as transformers.optimization.Adafactor computes it, without a first moment: for a
 * matrix the second moments are the outer product of a row and a column of means, for a vector one number each.
 *   u = g / sqrt(v);  u /= max(1, rms(u) / clip_threshold);  w -= lr' (u + weight_decay w)
 *
 * Sums run over fixed pieces in order, so the result has the same bits for any number of threads. */
#ifndef AS_TRAIN_ADAFACTOR_H
#define AS_TRAIN_ADAFACTOR_H

#include "nn/parameters.h"
#include "tensor/kernels/kernels.h"
#include "train/optimizer.h"

typedef struct as_adafactor_options {
  double eps1, eps2;     /* added to the squared gradient, 1e-30; least rms of a parameter for its scale, 1e-3 */
  double clip_threshold; /* of the update's root mean square: 1 */
  double decay_rate;     /* step t keeps 1 - t^decay_rate of the moments: -0.8 */
  double weight_decay;   /* times lr', on parameters that decay */
  bool scale_parameter;  /* lr' = lr times the rms of the parameter */
  bool relative_step;    /* lr = min(1e-2, 1 / sqrt(t)) instead of the one given */
  bool warmup_init;      /* min(1e-6 t, ...) instead */
} as_adafactor_options;

typedef struct as_adafactor {
  as_context *ctx;
  as_parameters *parameters;
  const as_kernels_f32 *kernels;
  as_adafactor_options options;
  float *
      moments; /* [elements]: of each parameter in order, a matrix' row means and column means, or a vector's moments */
  size_t elements;
  int64_t steps;   /* updates done */
  float *columns;  /* sums over the columns of pieces, one after another */
  double *partial; /* sums of squares of pieces */
} as_adafactor;

/* The defaults of transformers with scale_parameter and relative_step off. */
as_adafactor_options as_adafactor_default(void);
AS_MUST_CHECK as_status as_adafactor_init(as_adafactor *optimizer, as_context *ctx, as_parameters *parameters,
                                          const as_adafactor_options *options);
void as_adafactor_free(as_adafactor *optimizer);

/* One update with the gradients times `gradient_scale`. With relative_step lr is not looked at. */
void as_adafactor_update(as_adafactor *optimizer, double lr, double gradient_scale);
as_optimizer as_adafactor_optimizer(as_adafactor *adafactor);

#endif
