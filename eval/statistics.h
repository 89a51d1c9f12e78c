/* Statistics of comparisons: McNemar's test for two classifiers on the same rows, intervals and a test for two
 * proportions, percentiles, and the tails of the distributions that they need (right to 1e-10 relative). */
#ifndef AS_EVAL_STATISTICS_H
#define AS_EVAL_STATISTICS_H

#include "base/context.h"

typedef struct as_interval {
  double low;
  double high;
} as_interval;

/* The standard normal distribution's 97.5 % quantile: half the width of a 95 % interval in standard errors. */
#define AS_NORMAL_975 1.959963984540054

/* P(|Z| >= |z|) for a standard normal Z. */
double as_normal_two_sided(double z);
/* P(X >= x) for a chi-squared X with one degree of freedom. */
double as_chi2_tail(double x);
/* P(X = k) and P(X <= k) for X ~ Bin(n, 1/2); 0 <= k <= n. */
double as_binomial_half_mass(int64_t n, int64_t k);
double as_binomial_half_cdf(int64_t n, int64_t k);

/* The order statistic at h = (count-1) q with linear interpolation (numpy's default, type 7 of Hyndman and Fan 1996).
 * NaN when count = 0. */
double as_percentile(const double *sorted /* [count], ascending */, int64_t count, double q);
void as_sort_doubles(double *values /* [count], no NaN */, int64_t count);

/* McNemar's test on the rows where exactly one of two classifiers is right: `b` rows where only the first is, `c` where
 * only the second is. With b + c = 0 there is no evidence: every p is 1, every statistic 0. */
typedef struct as_mcnemar {
  double exact_p;   /* two-sided binomial: min(1, 2 P(X <= min(b, c))), X ~ Bin(b + c, 1/2) */
  double midp;      /* min(1, 2 P(X <= k) - P(X = k)); Fagerland, Lydersen, Laake 2013 */
  double chi2_cc;   /* (|b - c| - 1)^2 / (b + c), the continuity correction not clipped at 0 (as statsmodels) */
  double chi2_cc_p; /* one degree of freedom */
  double chi2;      /* (b - c)^2 / (b + c) */
  double chi2_p;
} as_mcnemar;
as_mcnemar as_mcnemar_test(int64_t b, int64_t c);
/* Counts b and c. */
void as_discordant_pairs(int64_t rows, const int32_t *truth /* [rows] */, const int32_t *first /* [rows] */,
                         const int32_t *second /* [rows] */, int64_t *b, int64_t *c);

/* Holm's adjustment (1979) for several tests at once: each p becomes the least level at which it is significant when the
 * chance of any false alarm among all of them is to stay below that level. In place. */
AS_MUST_CHECK as_status as_holm_adjust(as_context *ctx, double *p /* [count], no NaN */, int64_t count);

/* x1 of n1 against x2 of n2, difference = x1/n1 - x2/n2. NaN where a group is empty. */
typedef struct as_proportions {
  double difference;
  as_interval wald95;     /* unpooled */
  as_interval newcombe95; /* from the two Wilson intervals (Newcombe 1998, method 10); the one to use */
  as_interval wilson95[2];
  double z_pooled;    /* 0 when both groups have only successes or only failures */
  double p_two_sided; /* 1 then */
} as_proportions;
as_proportions as_proportions_compare(int64_t x1, int64_t n1, int64_t x2, int64_t n2);
/* Wilson's score interval (1927) of x of n. */
as_interval as_wilson95(int64_t x, int64_t n);

#endif
