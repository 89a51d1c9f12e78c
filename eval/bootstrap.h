/* The bootstrap over rows (Efron 1979): how far would a score move on other rows of the same kind?
 *
 * A resample draws as many rows as there are, with replacement. Resample r draws from its own random stream, so that
 * the result depends on the seed and not on the number of threads. */
#ifndef AS_EVAL_BOOTSTRAP_H
#define AS_EVAL_BOOTSTRAP_H

#include "base/context.h"
#include "eval/statistics.h"

/* Percentile intervals at 95 % of one classifier's scores; NaN when there are no rows or no resamples. */
typedef struct as_score_intervals {
  as_interval accuracy;
  as_interval macro_f1;      /* over all classes */
  as_interval macro_f1_seen; /* over the classes seen in each resample's truth or prediction */
} as_score_intervals;

/* AS_E_INVALID: a label outside [0, classes), a negative count. */
AS_MUST_CHECK as_status as_bootstrap_intervals(as_context *ctx, int64_t rows, int64_t classes,
                                               const int32_t *truth,     /* [rows] */
                                               const int32_t *predicted, /* [rows] */
                                               int64_t resamples, uint64_t seed, as_score_intervals *out);

/* Percentile intervals at 95 % of the means of columns over rows, the rows being drawn: a user's metrics, say. A value
 * that is NaN is left out of its column's mean; a column is NaN when it has no values or when resamples = 0. */
AS_MUST_CHECK as_status as_bootstrap_means(as_context *ctx, int64_t rows, size_t columns,
                                           const double *values /* [rows, columns] */, int64_t resamples, uint64_t seed,
                                           as_interval *out /* [columns] */);

/* The difference score(second) - score(first) over resamples that both share. */
typedef struct as_bootstrap_delta {
  double observed;    /* on the rows themselves */
  double mean;        /* over resamples */
  double std;         /* with resamples - 1 in the denominator; NaN below 2 resamples */
  as_interval ci95;   /* percentiles 2.5 and 97.5 */
  double p_one_sided; /* that the second is not better: (1 + #{delta <= 0}) / (resamples + 1) */
  double p_two_sided; /* min(1, 2 min(that, the same with >=)) */
  double *deltas;     /* [resamples], in the order of the resamples */
} as_bootstrap_delta;

typedef struct as_paired_bootstrap {
  int64_t resamples;
  as_bootstrap_delta accuracy;
  as_bootstrap_delta macro_f1; /* over all classes */
} as_paired_bootstrap;

/* Compares two classifiers. `indices` are the rows of each resample, or NULL to draw them from `seed`. On success the
 * deltas belong to the caller (as_paired_bootstrap_free). AS_E_INVALID: a label or an index out of range, a negative
 * count. */
AS_MUST_CHECK as_status as_paired_bootstrap_measure(as_context *ctx, int64_t rows, int64_t classes,
                                                    const int32_t *truth,  /* [rows] */
                                                    const int32_t *first,  /* [rows] */
                                                    const int32_t *second, /* [rows] */
                                                    int64_t resamples,
                                                    const int32_t *indices, /* [resamples, rows] or NULL */
                                                    uint64_t seed, as_paired_bootstrap *out);
void as_paired_bootstrap_free(as_context *ctx, as_paired_bootstrap *out); /* a zeroed one is allowed */

#endif
