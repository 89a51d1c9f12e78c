/* Gradient checks: backward against central differences, in double precision.
 *
 * The function under test records on a double graph; its result (any shape) is made a scalar by a fixed random
 * weighting, so that every element of the gradient is exercised. */
#ifndef AS_TENSOR_GRADCHECK_H
#define AS_TENSOR_GRADCHECK_H

#include "tensor/graph.h"

#define AS_GRADCHECK_MAX_INPUTS 8

/* Records the computation on `g` from the leaves given and returns its result. `user` is passed through. */
typedef as_tensor *(*as_gradcheck_function)(as_graph *g, as_tensor *const *leaves, void *user);

/* One leaf: its shape, and the interval from which its values are drawn. */
typedef struct as_gradcheck_input {
  int ndim;
  int64_t shape[AS_MAX_DIMS];
  double low, high;
} as_gradcheck_input;

typedef struct as_gradcheck_options {
  double step;      /* 0: 1e-5 */
  double tolerance; /* 0: 1e-6; on |analytic - numeric| / max(1, |numeric|) */
  uint64_t seed;    /* of values, weighting and dropout */
} as_gradcheck_options;

/* AS_OK when every gradient agrees in all three recompute modes; otherwise AS_E_INVALID with a text that names leaf,
 * element and both values. *worst (may be NULL) gets the largest error seen. options may be NULL. */
AS_MUST_CHECK as_status as_gradcheck(as_context *ctx, as_gradcheck_function function, void *user, int count,
                                     const as_gradcheck_input *inputs, const as_gradcheck_options *options,
                                     double *worst);

#endif
