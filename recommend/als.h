/* Weighted alternating least squares for implicit feedback (Hu, Koren and Volinsky 2008, eq. 3 to 5): every pair of a
 * user and an item counts, met ones as 1 with confidence 1 + confidence * weight, all others as 0 with confidence 1. */
#ifndef AS_RECOMMEND_ALS_H
#define AS_RECOMMEND_ALS_H

#include "recommend/fit.h"

typedef struct as_als_options {
  double confidence; /* alpha of the paper, per unit of weight */
  double item_alpha, user_alpha; /* lambda: L2 */
  int64_t first_epoch, epochs;   /* an epoch solves all users, then all items, exactly (Cholesky) */
  bool (*progress)(void *user, const as_fit_progress *progress); /* as as_fit_options has it, after each epoch */
  void *progress_user;
} as_als_options;

/* Trains `model`, whose features are the users and the items themselves; biases become 0. The rows stand by user: those
 * of user u are seen.starts[u] .. seen.starts[u + 1]. The bytes do not depend on the number of threads. AS_E_INVALID:
 * options or sizes that don't fit. AS_E_DIVERGED: a result is not finite. */
AS_MUST_CHECK as_status as_lightfm_als(as_lightfm *model, const as_fit_rows *rows, const as_als_options *options,
                                       int64_t *epochs_done);

#endif
