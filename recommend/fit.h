/* Training LightFM's embeddings with WARP, k-OS WARP, BPR or logistic loss.
 *
 * Invariant: the result has the same bytes for any number of threads (but with `hogwild`). The rows of an epoch stand
 * in a pseudo-random order and are cut into blocks. For a block, negatives are first chosen by parameters that stand
 * still, each row drawing from its own place in the stream of random numbers; then the updates are applied in the order
 * of the rows, each thread moving components of its own. What changes against one row at a time is that the choice, not
 * the update, sees parameters up to a block old.
 *
 * Against LightFM 1.17 (recommend/lightfm_exact.h keeps its ways): L2 shrinks the parameters that an update touches, by
 * rate * alpha, instead of scaling everything the wrong way; WARP's loss is a share of its largest value, so that no
 * gradient is above 1 and adagrad's sums, which start at 1, are not settled by the first few of them; a weight
 * multiplies it without a cap, so that it does not saturate; negatives come from products that somebody has met, so
 * that products without interactions are not pushed down; a draw that hits a seen product does not count as one; a
 * pairwise loss leaves the customer's bias alone, which cancels in it; logistic draws a negative for each positive. */
#ifndef AS_RECOMMEND_FIT_H
#define AS_RECOMMEND_FIT_H

#include "recommend/lightfm_exact.h"

/* The positive interactions, one row each. */
typedef struct as_fit_rows {
  int64_t count;
  const int32_t *users, *items; /* [count] */
  const float *weights;         /* [count], or NULL: 1 */
  as_seen seen;                 /* of each user: every item that is never a negative, its rows' items among them */
} as_fit_rows;

typedef struct as_fit_progress {
  int64_t epoch, epochs; /* epochs done */
  int64_t rows, of_rows; /* rows of the present epoch done */
  double updates;        /* share of the last epoch's rows that led to an update; NaN before the first has ended */
} as_fit_progress;

typedef struct as_fit_options {
  as_lightfm_loss loss;          /* not ALS */
  double learning_rate;          /* adagrad */
  double rho, epsilon;           /* adadelta */
  int32_t max_sampled;           /* draws for a negative, 1 .. 1024 */
  int32_t k, n;                  /* k-OS: the k-th best of n positives; n up to 1024 */
  double item_alpha, user_alpha; /* L2 */
  int64_t first_epoch, epochs;   /* epochs first_epoch .. epochs - 1 are run */
  int64_t first_row;             /* rows of the first epoch that are done, as progress told; 0 but when going on */
  uint64_t seed;
  bool hogwild; /* threads update without waiting for each other: faster, and different each time */
  /* Called after every block; false stops the training with AS_E_INTERRUPTED. May be NULL. */
  bool (*progress)(void *user, const as_fit_progress *progress);
  void *progress_user;
} as_fit_options;

/* LightFM's defaults: warp, adagrad, learning rate 0.05, rho 0.95, epsilon 1e-6, 10 draws, k 5 of n 10, no L2. */
as_fit_options as_fit_options_usual(void);

/* Trains `model`, whose sides have the features of the matrices. An interruption comes between two blocks: the model
 * then holds what was learned so far, and training that goes on with it from the epoch and row of the last progress
 * ends with the same bytes as one that was not interrupted. *epochs_done (may be NULL) says how many epochs are whole.
 * AS_E_INVALID: options out of range, rows that name no user or item, matrices that don't fit the model. AS_E_DIVERGED:
 * a parameter is not finite. After AS_E_NOMEM the model can only be freed. */
AS_MUST_CHECK as_status as_lightfm_fit(as_lightfm *model, const as_feature_matrix *users,
                                       const as_feature_matrix *items, const as_fit_rows *rows,
                                       const as_fit_options *options, int64_t *epochs_done);

/* The same with LightFM 1.17's updates, draw for draw, from a stream of its own; one thread. An interruption comes at
 * the end of an epoch, for until then its parameters wait to be scaled. */
AS_MUST_CHECK as_status as_lightfm_fit_exact(as_lightfm *model, const as_feature_matrix *users,
                                             const as_feature_matrix *items, const as_fit_rows *rows,
                                             const as_fit_options *options, int64_t *epochs_done);

#endif
