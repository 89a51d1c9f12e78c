/* Two recommenders on what customers did afterwards: which ranks it better, by how much, how sure is that.
 *
 * Both are asked for the same: rows count of which both have the product, and a product that the customer met in either
 * training is nobody's candidate; so both have the same customers with the same relevant products. Each ranks its own
 * catalogue. Resamples draw customers. */
#ifndef AS_RECOMMEND_COMPARE_H
#define AS_RECOMMEND_COMPARE_H

#include "eval/compared_figures.h"
#include "recommend/evaluate.h"

/* The rows of a test, once by the numbers of each catalogue, customers in the same order. */
typedef struct as_common_test {
  as_interactions *tests[2];
  int64_t left_out; /* rows whose product only one of them has */
} as_common_test;

/* Of `test`, whose products are those of the first. Caller frees, after a failure too. */
AS_MUST_CHECK as_status as_common_test_make(const as_recommender *const recommenders[2], const as_interactions *test,
                                            as_common_test *out);
void as_common_test_free(as_common_test *test);

typedef struct as_recommend_question {
  const as_recommender *recommenders[2];
  const as_common_test *test;
  const bool *positive; /* [AS_MOST_INTERACTION_TYPES] types that make a product relevant */
  bool with_seen;       /* products met in training are candidates too */
  int64_t k, resamples;
  uint64_t seed;
} as_recommend_question;

/* Means over customers, then what lists have in common, which is not resampled. */
typedef struct as_recommend_figures {
  int64_t customers;
  as_compared_figure list[AS_RECOMMEND_MEASURES];
  size_t count; /* AS_RECOMMEND_CUSTOMER_MEASURES of a group, all of them of all customers */
} as_recommend_figures;

typedef struct as_recommend_comparison {
  int64_t k, resamples;
  uint64_t seed;
  char names[AS_RECOMMEND_MEASURES][40];
  as_recommend_evaluation evaluations[2];  /* each for itself, on the same */
  as_recommend_figures all, known, others; /* customers that both knew from training, and those that one did not */
} as_recommend_comparison;

/* The names in figures are borrowed from *out, which must stay where it is. Without customers that have anything
 * relevant every figure is NaN. AS_E_INVALID: k or resamples out of range. */
AS_MUST_CHECK as_status as_recommend_compare(as_context *ctx, const as_recommend_question *question,
                                             as_recommend_comparison *out);

/* Writes customers, the members of as_compared_figures_json, resamples, seed, and known_to_both and others {customers,
 * figures}, null where nobody is in, into the open object. */
void as_recommend_comparison_json(as_json_writer *writer, const as_recommend_comparison *comparison);
void as_recommend_comparison_report(as_report *report, const as_recommend_comparison *comparison);

#endif
