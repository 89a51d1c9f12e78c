/* Tests, intervals and tails. */
#include "eval/statistics.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

/* ---- tails ----------------------------------------------------------------------------------------------------- */

double as_normal_two_sided(double z) {
  return erfc(fabs(z) / sqrt(2));
}

double as_chi2_tail(double x) {
  return erfc(sqrt(x / 2));
}

/* ln(n!) - ln(sqrt(2 pi n) (n/e)^n), the error of Stirling's formula: by its series where five terms reach 1e-16, from
 * the factorial itself below. */
static double stirling_error(double n) {
  if (n < 16) return log(tgamma(n + 1)) - (n + 0.5) * log(n) + n - 0.5 * log(2 * M_PI);
  const double n2 = n * n;
  return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - 1.0 / 1188 / n2) / n2) / n2) / n2) / n;
}

/* The saddle-point form (Loader, "Fast and accurate computation of binomial probabilities", 2000): no difference of
 * large logarithms of factorials, so it keeps its digits for large n. */
double as_binomial_half_mass(int64_t n, int64_t k) {
  const double trials = (double)n, x = (double)k, y = (double)(n - k);
  if (k == 0 || k == n) return exp2(-trials);
  const double d = (y - x) / trials;
  const double deviance = trials / 2 * ((1 - d) * log1p(-d) + (1 + d) * log1p(d));
  const double stirling = stirling_error(trials) - stirling_error(x) - stirling_error(y);
  return exp(stirling - deviance) * sqrt(trials / (2 * M_PI * x * y));
}

/* The terms from min(k, n-k) down to 0 fall faster and faster, so the sum may stop where they no longer count. */
double as_binomial_half_cdf(int64_t n, int64_t k) {
  if (k >= n) return 1;
  if (k > n - 1 - k) return 1 - as_binomial_half_cdf(n, n - 1 - k);
  double term = as_binomial_half_mass(n, k), sum = 0;
  for (int64_t j = k; j >= 0 && term > sum * 1e-18; j--) {
    sum += term;
    term *= (double)j / (double)(n - j + 1);
  }
  return sum;
}

/* ---- percentiles ----------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

void as_sort_doubles(double *values, int64_t count) {
  if (count > 1) qsort(values, (size_t)count, sizeof *values, ascending);
}

double as_percentile(const double *sorted, int64_t count, double q) {
  if (count == 0) return NAN;
  const double h = (double)(count - 1) * q;
  const int64_t i = (int64_t)floor(h);
  const int64_t j = i + 1 < count ? i + 1 : count - 1;
  return sorted[i] + (h - (double)i) * (sorted[j] - sorted[i]);
}

/* ---- McNemar --------------------------------------------------------------------------------------------------- */

as_mcnemar as_mcnemar_test(int64_t b, int64_t c) {
  if (b + c == 0) return (as_mcnemar){.exact_p = 1, .midp = 1, .chi2_cc_p = 1, .chi2_p = 1};
  const int64_t n = b + c, k = b < c ? b : c;
  const double below = 2 * as_binomial_half_cdf(n, k), gap = fabs((double)(b - c));
  as_mcnemar test = {.chi2_cc = (gap - 1) * (gap - 1) / (double)n, .chi2 = gap * gap / (double)n};
  test.exact_p = fmin(1, below);
  test.midp = fmin(1, below - as_binomial_half_mass(n, k));
  test.chi2_cc_p = as_chi2_tail(test.chi2_cc);
  test.chi2_p = as_chi2_tail(test.chi2);
  return test;
}

void as_discordant_pairs(int64_t rows, const int32_t *truth, const int32_t *first, const int32_t *second, int64_t *b,
                         int64_t *c) {
  *b = *c = 0;
  for (int64_t row = 0; row < rows; row++) {
    const bool one = first[row] == truth[row], two = second[row] == truth[row];
    *b += one && !two;
    *c += two && !one;
  }
}

/* ---- several tests --------------------------------------------------------------------------------------------- */

typedef struct ranked_p {
  double p;
  int64_t place;
} ranked_p;

static int by_p(const void *a, const void *b) {
  const ranked_p *x = a, *y = b;
  if (x->p < y->p || x->p > y->p) return x->p < y->p ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

as_status as_holm_adjust(as_context *ctx, double *p, int64_t count) {
  ranked_p *ranked = as_alloc(ctx, (size_t)count, sizeof *ranked);
  if (!ranked) return AS_E_NOMEM;
  for (int64_t i = 0; i < count; i++) ranked[i] = (ranked_p){p[i], i};
  if (count > 1) qsort(ranked, (size_t)count, sizeof *ranked, by_p);
  double least = 0; /* never below that of a smaller p */
  for (int64_t i = 0; i < count; i++) {
    least = fmax(least, fmin(1, (double)(count - i) * ranked[i].p));
    p[ranked[i].place] = least;
  }
  as_free(ctx, ranked);
  return AS_OK;
}

/* ---- proportions ----------------------------------------------------------------------------------------------- */

as_interval as_wilson95(int64_t x, int64_t n) {
  if (n == 0) return (as_interval){NAN, NAN};
  const double size = (double)n, p = (double)x / size, z2 = AS_NORMAL_975 * AS_NORMAL_975;
  const double centre = (p + z2 / (2 * size)) / (1 + z2 / size);
  const double half = AS_NORMAL_975 * sqrt((p * (1 - p) + z2 / (4 * size)) / size) / (1 + z2 / size);
  return (as_interval){x == 0 ? 0 : centre - half, x == n ? 1 : centre + half};
}

as_proportions as_proportions_compare(int64_t x1, int64_t n1, int64_t x2, int64_t n2) {
  const as_interval none = {NAN, NAN}, w1 = as_wilson95(x1, n1), w2 = as_wilson95(x2, n2);
  as_proportions out = {NAN, none, none, {w1, w2}, NAN, NAN};
  if (n1 == 0 || n2 == 0) return out;
  const double a = (double)n1, b = (double)n2, p1 = (double)x1 / a, p2 = (double)x2 / b;
  const double half = AS_NORMAL_975 * sqrt(p1 * (1 - p1) / a + p2 * (1 - p2) / b);
  const double below = hypot(p1 - w1.low, w2.high - p2), above = hypot(w1.high - p1, p2 - w2.low);
  out.difference = p1 - p2;
  out.wald95 = (as_interval){p1 - p2 - half, p1 - p2 + half};
  out.newcombe95 = (as_interval){p1 - p2 - below, p1 - p2 + above};
  const int64_t successes = x1 + x2;
  const double pooled = (double)successes / (a + b);
  const bool certain = successes == 0 || successes == n1 + n2;
  out.z_pooled = certain ? 0 : (p1 - p2) / sqrt(pooled * (1 - pooled) * (1 / a + 1 / b));
  out.p_two_sided = as_normal_two_sided(out.z_pooled);
  return out;
}
