/* Has what comes in changed? The population stability index and the Kolmogorov-Smirnov distance between a reference and
 * the current values. */
#ifndef AS_EVAL_DRIFT_H
#define AS_EVAL_DRIFT_H

#include "base/context.h"

/* sum over bins of (a - e) ln(a / e) over the shares e of the reference and a of the current, each share at least 1e-4
 * (without renormalising). NaN when a side is empty. Counts are not negative. */
double as_psi(const int64_t *reference /* [bins] */, const int64_t *current /* [bins] */, int64_t bins);

enum { AS_DRIFT_BINS = 10 };

/* How often values fell into each of some intervals. */
typedef struct as_histogram {
  int edges_count;                 /* at most AS_DRIFT_BINS - 1 */
  double edges[AS_DRIFT_BINS - 1]; /* ascending */
  int64_t counts[AS_DRIFT_BINS];   /* [edges_count + 1] values in each (lo, hi]; the outer ones are open */
} as_histogram;
/* Sorts the values, none of them NaN, in place and counts them between their deciles, equal ones taken once. */
void as_histogram_fit(double *values /* [count] */, int64_t count, as_histogram *out);
void as_histogram_add(as_histogram *histogram, double value);

typedef struct as_drift {
  int edges_count;                  /* at most AS_DRIFT_BINS - 1 */
  double edges[AS_DRIFT_BINS - 1];  /* deciles of the reference, ascending, equal ones once */
  int64_t reference[AS_DRIFT_BINS]; /* [edges_count + 1] values in each bin (lo, hi]; the outer ones are open */
  int64_t current[AS_DRIFT_BINS];
  double psi;          /* NaN when a side is empty */
  double ks_statistic; /* largest distance of the two empirical distribution functions; NaN when a side is empty */
} as_drift;

/* AS_E_INVALID: a value that is not finite. */
AS_MUST_CHECK as_status as_drift_measure(as_context *ctx, const double *reference, int64_t reference_count,
                                         const double *current, int64_t current_count, as_drift *out);

#endif
