/* What a recommender must beat: recommendations that need no training to speak of, from the same interactions. */
#ifndef AS_RECOMMEND_BASELINES_H
#define AS_RECOMMEND_BASELINES_H

#include "recommend/recommender.h"

typedef enum as_baseline_kind {
  AS_BASELINE_RANDOM,  /* each customer's products in an order of chance */
  AS_BASELINE_POPULAR, /* the products with the most customers */
  AS_BASELINE_RECENT,  /* the same, a customer counting half as much with every week (Ji et al. 2020) */
  AS_BASELINE_KNN,     /* products like those that the customer met: cosine over customers with 10 added to its
                          denominator, the 50 nearest of each product (Deshpande and Karypis 2004) */
  AS_BASELINES
} as_baseline_kind;
const char *as_baseline_name(as_baseline_kind kind); /* "random", "popular", "recently_popular", "item_knn" */

typedef struct as_baseline {
  as_context *ctx;
  const as_recommender *recommender;
  as_baseline_kind kind;
  const struct as_pair_kernels *kernels;
  uint64_t seed;
  float *shared;     /* [products] scores that all customers share; those of POPULAR for KNN */
  int64_t *starts;   /* KNN: [products + 1] into the next two */
  int32_t *likes;    /* products that have this one among their nearest */
  float *closeness;
} as_baseline;

/* Prepares a baseline from the recommender's interactions; popularity counts those of the types in `positive` [types],
 * or all when there are none of these. The recommender is borrowed. Caller frees. */
AS_MUST_CHECK as_status as_baseline_make(const as_recommender *recommender, as_baseline_kind kind, const bool *positive,
                                         uint64_t seed, as_baseline *out);
void as_baseline_free(as_baseline *baseline); /* a zeroed one is allowed */
/* Scores of all products for a customer number of the recommender, -1: unknown to it. `draw` tells RANDOM's customers
 * apart. `scores` [products + 3], of which the last ones are scratch. Safe from several threads. */
void as_baseline_score(const as_baseline *baseline, int64_t customer, int64_t draw, float *scores);

#endif
