/* See drift_chance.h. */
#include "eval/drift_chance.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "eval/drift.h"
#include "eval/statistics.h"

#define STREAM 0x7073695f6368616e /* of the random numbers: "psi_chan" */

/* How many of n independent trials succeed. By inversion where few do; where many do (np > 30 and n(1 - p) > 30), by
 * the normal distribution, whose error is then far below what a simulation can tell. */
static int64_t draw_binomial(as_random *random, int64_t n, double p) {
  enum { MANY = 30 };
  if (n <= 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - draw_binomial(random, n, 1 - p); /* once: 1 - p is below 0.5 */
  const double mean = (double)n * p;
  if (mean > MANY) {
    const double drawn = floor(mean + sqrt(mean * (1 - p)) * as_random_normal(random) + 0.5);
    return drawn < 0 ? 0 : drawn > (double)n ? n : (int64_t)drawn;
  }
  double left = as_random_uniform(random), mass = exp((double)n * log1p(-p));
  int64_t k = 0;
  for (; k < n && left >= mass; k++) {
    left -= mass;
    mass *= (double)(n - k) / (double)(k + 1) * (p / (1 - p));
    if (mass <= 0) break; /* beyond what a double can tell */
  }
  return k;
}

static void draw_sample(as_random *random, int64_t size, const double *shares, int64_t bins, int64_t *counts) {
  double rest = 1;
  for (int64_t i = 0; i < bins; i++) {
    const double p = rest > 0 ? fmin(1, shares[i] / rest) : 0;
    counts[i] = i + 1 == bins ? size : draw_binomial(random, size, p);
    size -= counts[i];
    rest -= shares[i];
  }
}

static int64_t total(const int64_t *counts, int64_t bins) {
  int64_t sum = 0;
  for (int64_t i = 0; i < bins; i++) sum += counts[i];
  return sum;
}

/* The shares of both together in the bins that have any; returns how many bins those are. */
static int64_t pool(const int64_t *reference, const int64_t *current, int64_t bins, double all, double *shares) {
  int64_t used = 0;
  for (int64_t i = 0; i < bins; i++)
    if (reference[i] + current[i] > 0) shares[used++] = (double)(reference[i] + current[i]) / all;
  return used;
}

as_status as_psi_by_chance(as_context *ctx, const int64_t *reference, const int64_t *current, int64_t bins,
                           double probability, as_psi_chance *out) {
  const int64_t m = total(reference, bins), n = total(current, bins);
  *out = (as_psi_chance){NAN, NAN};
  if (m <= 0 || n <= 0) return AS_OK;
  double *shares = as_alloc(ctx, (size_t)bins, sizeof *shares);
  int64_t *drawn = as_alloc(ctx, 2 * (size_t)bins, sizeof *drawn);
  double *psi = as_alloc(ctx, AS_PSI_SIMULATIONS, sizeof *psi);
  if (shares && drawn && psi) {
    const int64_t used = pool(reference, current, bins, (double)m + (double)n, shares);
    as_random random = as_random_start(0, STREAM);
    for (int i = 0; i < AS_PSI_SIMULATIONS; i++) {
      draw_sample(&random, m, shares, used, drawn);
      draw_sample(&random, n, shares, used, drawn + used);
      psi[i] = as_psi(drawn, drawn + used, used);
    }
    as_sort_doubles(psi, AS_PSI_SIMULATIONS);
    /* Of N + 1 values that are alike, the one at hand is among the k largest with probability k / (N + 1). */
    const int rank = (int)fmax(1, floor(probability * (AS_PSI_SIMULATIONS + 1)));
    out->quantile = psi[AS_PSI_SIMULATIONS - rank];
    out->expected = (double)(used - 1) * (1 / (double)m + 1 / (double)n);
  }
  as_free(ctx, shares);
  as_free(ctx, drawn);
  as_free(ctx, psi);
  return isnan(out->expected) ? AS_E_NOMEM : AS_OK;
}
