/* What training a recommender will take, measured on this machine by beginning it; nothing is written to disk. */
#ifndef AS_RECOMMEND_ESTIMATE_H
#define AS_RECOMMEND_ESTIMATE_H

#include "recommend/train.h"

typedef struct as_recommend_estimate {
  int64_t rows, customers, products, epochs;
  size_t bytes; /* that training needs beside what was read */
  double
      seconds; /* of both runs, the one for the calibration and that on all rows; exact when it ended while measured */
} as_recommend_estimate;

/* Trains as as_recommender_train does, for a second at most, and counts from the rows done to all rows of all epochs.
 * Later epochs of a pairwise loss draw more for a negative, so a long training may take somewhat longer. Takes
 * `products` and `interactions` over, also on failure. AS_E_INTERRUPTED when `interrupted`, which may be NULL, says so.
 */
AS_MUST_CHECK as_status as_recommender_estimate(as_context *ctx, as_products *products, as_interactions *interactions,
                                                const as_interaction_types *types,
                                                const as_recommend_settings *settings, as_holdout holdout,
                                                bool (*interrupted)(void *user), void *user,
                                                as_recommend_estimate *out);

#endif
