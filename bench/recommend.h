/* Measuring the recommender: training, the best products of many customers, and metrics over all pairs. */
#ifndef AS_BENCH_RECOMMEND_H
#define AS_BENCH_RECOMMEND_H

#include "bench/spread.h"
#include "recommend/als.h"
#include "recommend/topn.h"

/* Pairs of a customer and a product it met, each once, by customer. */
typedef struct as_bench_pairs {
  as_context *ctx;
  int64_t customers, products, count;
  int64_t *starts;             /* [customers + 1] */
  int32_t *users, *items;      /* [count]; items ascend within a customer */
  as_feature_matrix features; /* of the products */
} as_bench_pairs;
void as_bench_pairs_free(as_bench_pairs *pairs); /* a zeroed one is allowed */

/* Reads a catalogue and interactions (types of as_interaction_types_usual, all alike); `kinds`: the products' features,
 * AS_FEATURES_*. Caller frees. */
AS_MUST_CHECK as_status as_bench_pairs_read(as_context *ctx, const char *interactions, const char *products, int kinds,
                                            as_bench_pairs *out);
/* Makes `count` pairs up, at most half of all possible ones. Customers are active and products popular by power laws
 * (exponents 0.6 and 0.9 of their place in an order of chance); each customer has one of 32 tastes, each product one of
 * 32 topics, and a product off the customer's taste is drawn once more. The same seed gives the same pairs everywhere.
 * AS_E_INVALID: sizes out of range. Caller frees. */
AS_MUST_CHECK as_status as_bench_pairs_make(as_context *ctx, int64_t customers, int64_t products, int64_t count,
                                            uint64_t seed, as_bench_pairs *out);

/* Writes them as CSV, customer_id and product_id, for another program to measure with. */
AS_MUST_CHECK as_status as_bench_pairs_write(const as_bench_pairs *pairs, const char *path);

typedef struct as_bench_recommend_options {
  bool als; /* weighted ALS with the usual settings, instead of WARP */
  int32_t dim;
  int64_t epochs; /* of a training */
  int64_t repeats;
  int64_t asked; /* customers that are answered, drawn by their number; at most all */
  int64_t n;     /* products of an answer; 0: training only */
  bool hogwild;
  uint64_t seed;
} as_bench_recommend_options;

typedef struct as_bench_recommending {
  as_spread rows_per_second; /* pairs times epochs, over the whole call of a training */
  double updates;            /* share of the last epoch's rows that moved something */
  uint64_t trained_peak; /* bytes that the process held at most, the pairs included, when training had ended */
  int64_t asked;
  as_spread top_seconds;     /* the best n of all asked, met ones left out */
  int64_t ranks;
  as_spread rank_seconds; /* scores, ranks, precision and AUC of all pairs of an asked customer and an unmet product */
  double precision, auc;  /* 1 and undefined, if ranks are right: everything is wanted */
} as_bench_recommending;

AS_MUST_CHECK as_status as_bench_recommend(const as_bench_pairs *pairs, const as_bench_recommend_options *options,
                                           as_bench_recommending *out);

#endif
