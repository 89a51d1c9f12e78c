/* How good a recommender is: what it ranks first, held against what customers did afterwards.
 *
 * For each customer of the test rows, candidates are the products that it had nothing to do with in training; relevant are
 * those of them that the test rows have, by a type that counts. Definitions are eval/ranking.h's. A customer that the
 * recommender does not know is ranked for as it would be answered: by what is trending.
 *
 * Invariant: the same numbers for any number of threads. Ranks come from blocks of a matrix product by counting; no
 * customer's list is put in order. */
#ifndef AS_RECOMMEND_EVALUATE_H
#define AS_RECOMMEND_EVALUATE_H

#include "base/json.h"
#include "eval/statistics.h"
#include "recommend/baselines.h"

typedef enum as_recommend_measure {
  AS_RECOMMEND_PRECISION, /* of the first k, as all up to the hit rate; means over customers, to the AUC */
  AS_RECOMMEND_RECALL,
  AS_RECOMMEND_NDCG,
  AS_RECOMMEND_MAP,
  AS_RECOMMEND_MRR, /* over the whole list */
  AS_RECOMMEND_HIT,
  AS_RECOMMEND_AUC,
  AS_RECOMMEND_CUSTOMER_MEASURES,
  AS_RECOMMEND_COVERAGE = AS_RECOMMEND_CUSTOMER_MEASURES, /* products in anybody's first k / all */
  AS_RECOMMEND_GINI,                                      /* as_gini of how many lists a product is in */
  AS_RECOMMEND_NOVELTY,                                   /* as_novelty, known to whom it met in training */
  AS_RECOMMEND_MEASURES
} as_recommend_measure;
/* "precision@10", "mrr", ... into text. */
void as_recommend_measure_name(as_recommend_measure measure, int64_t k, char text[40]);

/* Of one way of recommending to a group. What is undefined is NaN. */
typedef struct as_recommend_scores {
  int64_t customers; /* with something relevant: the means are over these */
  double values[AS_RECOMMEND_MEASURES];
  as_interval ci95[AS_RECOMMEND_CUSTOMER_MEASURES]; /* bootstrap over these customers */
} as_recommend_scores;

typedef enum as_evaluation_group {
  AS_EVALUATION_CUSTOMERS_WARM, /* customers that training knew */
  AS_EVALUATION_CUSTOMERS_COLD, /* the others */
  AS_EVALUATION_PRODUCTS_WARM,  /* as if the catalogue were the products that anybody met in training */
  AS_EVALUATION_PRODUCTS_COLD,  /* as if it were the others */
  AS_EVALUATION_GROUPS
} as_evaluation_group;
const char *as_evaluation_group_name(as_evaluation_group group); /* "customers_warm", ... */

typedef struct as_evaluation_question {
  const as_interactions *test; /* products of the recommender's catalogue, types of its table or `types` */
  const bool *positive;        /* [AS_MOST_INTERACTION_TYPES] types that make a product relevant */
  bool with_seen;              /* products met in training are candidates too */
  bool baselines;
  bool popular_only; /* of the baselines AS_BASELINE_POPULAR alone, the others having no customers */
  int64_t k;         /* length of the lists, at least 1 */
  int64_t resamples; /* of the bootstrap; 0: no intervals */
  uint64_t seed;
  /* Another recommender: what it met in training is no candidate either, so that both can be asked for the same. NULL:
   * none. */
  const as_recommender *beside;
  /* [customers of the test, AS_RECOMMEND_CUSTOMER_MEASURES] of the model, NaN where undefined; NULL: not wanted. */
  double *customer_values;
} as_evaluation_question;

typedef struct as_recommend_evaluation {
  int64_t k, resamples;
  as_recommend_scores model;
  as_recommend_scores groups[AS_EVALUATION_GROUPS];
  bool has_baselines;
  as_recommend_scores baselines[AS_BASELINES];
} as_recommend_evaluation;

/* AS_E_INVALID: k or resamples out of range. AS_E_DATA: no customer has anything relevant. */
AS_MUST_CHECK as_status as_recommender_evaluate(const as_recommender *recommender, const as_evaluation_question *question,
                                                as_recommend_evaluation *out);

/* Writes fields into the object that is open in `writer`: the measures and "customers" of the model, "ci95",
 * "customers_warm" and the other groups (null where nobody is in), "baselines". */
void as_recommend_evaluation_json(as_json_writer *writer, const as_recommend_evaluation *evaluation);
/* Appends the table for people, at most 80 columns wide. */
void as_recommend_evaluation_table(const as_recommend_evaluation *evaluation, as_buffer *out);

#endif
