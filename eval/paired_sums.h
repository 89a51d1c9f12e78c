/* The paired bootstrap of scores that follow from sums over rows: BLEU of a corpus from its n-gram counts (Koehn 2004),
 * means, a customer's metrics.
 *
 * What a row adds is computed once; a resample adds up the rows that it draws, for both systems the same ones. Resample
 * r draws what it draws in as_paired_bootstrap_measure with the same seed, whatever the number of threads. */
#ifndef AS_EVAL_PAIRED_SUMS_H
#define AS_EVAL_PAIRED_SUMS_H

#include "eval/bootstrap.h"

typedef struct as_paired_sums {
  int64_t rows;
  size_t width;         /* sums that a row adds to */
  size_t scores;        /* that follow from them */
  const double *first;  /* [rows, width] */
  const double *second; /* [rows, width] */
  /* From the sums over `rows` rows to the scores; NaN where one is not defined. */
  void (*score)(const double *sums /* [width] */, int64_t rows, double *scores /* [scores] */);
} as_paired_sums;

/* One score of both systems. */
typedef struct as_paired_score {
  double first, second;                /* over all rows */
  as_interval first_ci95, second_ci95; /* percentiles of the resamples */
  as_bootstrap_delta delta;            /* second - first; resamples where one of them is NaN are left out */
} as_paired_score;

/* Scores and differences; without rows they are NaN. `indices` are the rows of each resample, or NULL to draw them from
 * `seed`. AS_E_INVALID: an index out of range, a negative count. out[scores] is empty on failure; on success the deltas
 * belong to the caller (as_paired_scores_free). */
AS_MUST_CHECK as_status as_paired_sums_measure(as_context *ctx, const as_paired_sums *sums, int64_t resamples,
                                               const int32_t *indices /* [resamples, rows] or NULL */, uint64_t seed,
                                               as_paired_score *out /* [scores] */);
void as_paired_scores_free(as_context *ctx, as_paired_score *scores /* [count] */, size_t count);

#endif
