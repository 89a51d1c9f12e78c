/* A trained recommender: the model, the catalogue, and every interaction it learned from. What is trained
 * (recommend/train.h), kept in a folder (recommend/folder.c) and asked (here).
 *
 * Invariant: interactions, features and parameters have the same products and customers. A recommender does not change
 * by being asked, and may be asked from several threads at once. */
#ifndef AS_RECOMMEND_RECOMMENDER_H
#define AS_RECOMMEND_RECOMMENDER_H

#include "data/interactions.h"
#include "eval/platt.h"
#include "recommend/als.h"
#include "recommend/features.h"
#include "recommend/topn.h"

/* How it was, or is to be, trained. */
typedef struct as_recommend_settings {
  int loss;     /* as_lightfm_loss */
  int schedule; /* as_lightfm_schedule */
  int64_t dim, epochs, max_sampled, k, n, seed;
  double learning_rate, rho, epsilon;
  double item_alpha, user_alpha; /* L2 */
  double confidence;             /* ALS */
  double half_life;              /* days; 0: none. A row's weight halves with each */
  bool compat;                   /* LightFM 1.17's updates */
  bool hogwild;                  /* of the present run only */
  int64_t features;              /* AS_FEATURES_* */
} as_recommend_settings;

typedef enum as_recommend_phase {
  AS_RECOMMEND_TRAINED,
  AS_RECOMMEND_CALIBRATING, /* the run on the rows that are not held back; it begins again when training goes on */
  AS_RECOMMEND_LEARNING     /* the run on all rows */
} as_recommend_phase;

/* Where training is. */
typedef struct as_recommend_run {
  int64_t phase;        /* as_recommend_phase; only a trained recommender is to be asked */
  int64_t epochs, seed; /* of this run, which may be an update */
  int64_t holdout;      /* as_holdout */
  int64_t epoch, row;   /* LEARNING: epochs done, rows of the next one done */
  bool hogwild;
} as_recommend_run;

typedef struct as_recommender {
  as_context *ctx;
  as_recommend_settings settings;
  as_recommend_run run;
  as_interaction_types types;
  int purchase;   /* the type "purchase", -1 if there is none */
  as_platt platt; /* from raw score to probability of purchase */
  bool calibrated;
  as_lightfm *model;
  as_products *products;
  as_interactions *interactions;
  as_product_features features;
  as_feature_matrix customers; /* the identity */
  char *metrics;               /* text of metrics.json (recommend/validate.h); NULL: nothing was measured */
  /* made from these by as_recommender_prepare */
  as_vectors item_vectors, user_vectors;
  int64_t *seen_starts; /* [customers + 1] */
  int32_t *seen;        /* ascending within a customer: every product of its interactions */
  int64_t *buyers;      /* [products] customers who bought it */
  int64_t buying_customers;
  bool *met; /* [products] whether anybody had anything to do with it */
} as_recommender;

/* Opens a folder. AS_E_MODEL: absent or wrong, or its training was interrupted; the text names the file and the field
 * or tensor. Caller frees. */
AS_MUST_CHECK as_status as_recommender_open(as_context *ctx, const char *folder, as_recommender **out);
/* The same for one whose training was interrupted, to be trained further (as_recommender_resume) and nothing else. */
AS_MUST_CHECK as_status as_recommender_open_unfinished(as_context *ctx, const char *folder, as_recommender **out);
/* Writes the folder: whole under another name, then in one step in place of what is there. */
AS_MUST_CHECK as_status as_recommender_save(const as_recommender *recommender, const char *folder);
void as_recommender_free(as_recommender *recommender); /* NULL is allowed */
/* Makes what is derived; called by training and opening. */
AS_MUST_CHECK as_status as_recommender_prepare(as_recommender *recommender);
/* Frees it; what was not made is passed over. */
void as_recommender_unprepare(as_recommender *recommender);
/* Sorts and drops repetitions; returns how many are left. */
int64_t as_distinct_products(int32_t *products, int64_t count);
/* The distinct products of each customer, ascending: starts [customers + 1] and products; caller frees both. */
AS_MUST_CHECK as_status as_seen_products(const as_interactions *interactions, int64_t **starts, int32_t **products);

/* ---- asking ----------------------------------------------------------------------------------------------------- */

typedef enum as_recommend_kind {
  AS_RECOMMEND_PERSONALIZED, /* by the customer's score */
  AS_RECOMMEND_PURCHASE,     /* the same in the category that was asked for, or that fits the message */
  AS_RECOMMEND_CROSS_SELL,   /* bought together with the product, from other categories */
  AS_RECOMMEND_UPSELL,       /* the product's category at up to twice its price */
  AS_RECOMMEND_TRENDING,     /* bought more of late than in the long run */
  AS_RECOMMEND_KINDS
} as_recommend_kind;
const char *as_recommend_kind_name(as_recommend_kind kind); /* "personalized", "cross-sell", ... */

typedef struct as_recommend_request {
  as_recommend_kind kind;
  const char *customer;   /* id, or NULL */
  const int32_t *session; /* [session_count] products of a customer that is not known yet; instead of `customer` */
  int64_t session_count;
  int64_t n;            /* how many at most */
  int32_t product;      /* CROSS_SELL, UPSELL; -1: none */
  const char *category; /* products of this category only; NULL: all. Upper and lower case are alike (ASCII) */
  const char *message;  /* PURCHASE: words that tell what is wanted; NULL: none */
  bool keep_seen;       /* bought products too */
} as_recommend_request;

enum { AS_REASON_LENGTH = 200 };

typedef struct as_recommendation {
  int32_t product;
  double score; /* in [0, 1]: probability of purchase; CROSS_SELL: share of the product's buyers who bought both;
                   TRENDING: P(Z < z) of a standard normal Z */
  double raw;   /* what the order goes by: the model's score, shrunk lift, z */
  char reason[AS_REASON_LENGTH];
} as_recommendation;

/* Answers into out[n]; *count may be less than n, also 0. An unknown customer gets what is trending, and the reasons
 * say so. AS_E_INVALID: no product where the kind needs one, an unknown category, n < 1. */
AS_MUST_CHECK as_status as_recommend(const as_recommender *recommender, const as_recommend_request *request,
                                     as_recommendation *out, int64_t *count);
/* The products whose embeddings point the same way (cosine, in `raw`; `score` is it clipped to [0, 1]). */
AS_MUST_CHECK as_status as_similar_products(const as_recommender *recommender, int32_t product, int64_t n,
                                            as_recommendation *out, int64_t *count);

/* ---- the parts, for evaluation and tests ------------------------------------------------------------------------- */

/* Scores of all products for a customer number; `scores` [products]. */
void as_recommender_scores(const as_recommender *recommender, int64_t customer, float *scores);
/* Folds in a customer who had to do with these products: out [width] is a user's vector, found with the
 * products standing still: ALS by its own equations, all others by WARP's steps (ranking the products above others is what
 * a list is for, whatever loss the products were learned by). */
AS_MUST_CHECK as_status as_recommender_fold_in(const as_recommender *recommender, const int32_t *products,
                                               int64_t count, float *out);

typedef struct as_joint_purchase {
  int32_t product;
  int64_t both; /* customers with purchases of both within 30 days */
  double lift;  /* both / (buyers * buyers / customers who buy) */
  double score; /* lift * (both / (both + 10)) */
} as_joint_purchase;
/* Products of other categories bought with `product`: score descending, then `both`, then id ascending. *out is freed
 * by the caller with as_free. */
AS_MUST_CHECK as_status as_cross_sell(const as_recommender *recommender, int32_t product, as_joint_purchase **out,
                                      int64_t *count);

typedef struct as_trend {
  int32_t product;
  int64_t purchases;
  double decayed;  /* sum of 2^(-age / 7 days) over its purchases */
  double expected; /* what that would be at the product's own long-run rate */
  double z;        /* (decayed - expected) / sqrt(expected + 1) */
} as_trend;
/* All products: z descending, then decayed, then id ascending. *out [products] is freed by the caller with as_free. */
AS_MUST_CHECK as_status as_trending(const as_recommender *recommender, as_trend **out);

/* The products of the same category that cost more and at most twice as much: scores[products] descending, then smaller
 * price gap, then id ascending. *out is freed by the caller with as_free. */
AS_MUST_CHECK as_status as_upsell(const as_recommender *recommender, int32_t product, const float *scores,
                                  int32_t **out, int64_t *count);

#endif
