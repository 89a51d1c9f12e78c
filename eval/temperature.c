/* Temperature scaling. The loss is convex in 1/T, so its slope there has at most one zero: Newton's method, kept inside
 * a shrinking bracket, finds it to the last digits. */
#include "eval/calibration.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "eval/range_check.h"

typedef struct fit {
  int64_t rows, classes;
  const double *logits; /* [rows, classes] */
  const int32_t *truth; /* [rows] */
  double *probability;  /* [classes], scratch */
} fit;

static double largest(const double *values, int64_t count) {
  double most = values[0];
  for (int64_t i = 1; i < count; i++) most = fmax(most, values[i]);
  return most;
}

void as_softmax_row(const double *logits, int64_t classes, double temperature, double *out) {
  const double most = largest(logits, classes) / temperature;
  double sum = 0;
  for (int64_t k = 0; k < classes; k++) {
    out[k] = exp(logits[k] / temperature - most);
    sum += out[k];
  }
  for (int64_t k = 0; k < classes; k++) out[k] /= sum;
}

static double mean_nll(const fit *f, double temperature) {
  double total = 0;
  for (int64_t row = 0; row < f->rows; row++) {
    const double *z = f->logits + row * f->classes;
    const double most = largest(z, f->classes) / temperature;
    double sum = 0;
    for (int64_t k = 0; k < f->classes; k++) sum += exp(z[k] / temperature - most);
    total += most + log(sum) - z[f->truth[row]] / temperature;
  }
  return total / (double)f->rows;
}

/* The derivative of the mean loss by 1/T, mean(E[z] - z[true]), and the second one, mean(Var[z]), both under the
 * softmax. */
static double slope(const fit *f, double temperature, double *curvature) {
  double slopes = 0, variances = 0;
  for (int64_t row = 0; row < f->rows; row++) {
    const double *z = f->logits + row * f->classes;
    as_softmax_row(z, f->classes, temperature, f->probability);
    double mean = 0, variance = 0;
    for (int64_t k = 0; k < f->classes; k++) mean += f->probability[k] * z[k];
    for (int64_t k = 0; k < f->classes; k++) variance += f->probability[k] * (z[k] - mean) * (z[k] - mean);
    slopes += mean - z[f->truth[row]];
    variances += variance;
  }
  *curvature = variances / (double)f->rows;
  return slopes / (double)f->rows;
}

/* The zero of the slope between the inverse temperatures `below` (slope < 0) and `above` (slope > 0). */
static double find_optimum(const fit *f, double below, double above) {
  double beta = sqrt(below * above);
  for (int step = 0; step < 200; step++) {
    double curvature;
    const double gradient = slope(f, 1 / beta, &curvature);
    if (gradient < 0) {
      below = beta;
    } else {
      above = beta;
    }
    double next = curvature > 0 ? beta - gradient / curvature : 0;
    if (!(next > below && next < above)) next = (below + above) / 2;
    const double moved = fabs(next - beta);
    beta = next;
    if (moved <= 2 * DBL_EPSILON * beta) break;
  }
  return 1 / beta;
}

static void fit_temperature(const fit *f, double low, double high, as_temperature *out) {
  double unused;
  const double at_low = slope(f, low, &unused), at_high = slope(f, high, &unused);
  if (at_low * at_high < 0) {
    out->temperature = find_optimum(f, 1 / high, 1 / low);
    out->at_bound = AS_TEMPERATURE_INSIDE;
  } else {
    out->at_bound = mean_nll(f, low) < mean_nll(f, high) ? AS_TEMPERATURE_LOW : AS_TEMPERATURE_HIGH;
    out->temperature = out->at_bound == AS_TEMPERATURE_LOW ? low : high;
  }
  out->nll_before = mean_nll(f, 1);
  out->nll_after = mean_nll(f, out->temperature);
}

static double calibration_error(const fit *f, double temperature, double *probabilities) {
  as_reliability reliability;
  for (int64_t row = 0; row < f->rows; row++) {
    as_softmax_row(f->logits + row * f->classes, f->classes, temperature, probabilities + row * f->classes);
  }
  as_reliability_measure(f->rows, f->classes, f->truth, probabilities, &reliability);
  return reliability.ece;
}

static as_status check_fit(as_context *ctx, const fit *f, double low, double high) {
  if (f->rows < 0 || f->rows > INT32_MAX || f->classes < 1 || f->classes > INT32_MAX) {
    return as_fail(ctx, AS_E_INVALID, "cannot calibrate %" PRId64 " rows of %" PRId64 " classes", f->rows, f->classes);
  }
  if (!(low >= 1e-6 && high > low && high <= 1e6)) {
    return as_fail(ctx, AS_E_INVALID, "the temperature's interval %g to %g is not an interval within 1e-6 to 1e6", low,
                   high);
  }
  for (int64_t i = 0; i < f->rows * f->classes; i++) {
    if (fabs(f->logits[i]) <= FLT_MAX) continue;
    return as_fail(ctx, AS_E_INVALID, "logit %g of row %" PRId64 ", class %" PRId64 " is not a finite float",
                   f->logits[i], i / f->classes, i % f->classes);
  }
  return as_check_range(ctx, "true label", f->truth, f->rows, f->classes);
}

as_status as_temperature_fit(as_context *ctx, int64_t rows, int64_t classes, const double *logits, const int32_t *truth,
                             double low, double high, as_temperature *out) {
  fit f = {rows, classes, logits, truth, NULL};
  *out = (as_temperature){NAN, AS_TEMPERATURE_INSIDE, NAN, NAN, NAN, NAN};
  const as_status status = check_fit(ctx, &f, low, high);
  if (status != AS_OK || rows == 0) return status;
  double *probabilities = as_alloc(ctx, (size_t)(rows * classes), sizeof *probabilities);
  if (!probabilities) return AS_E_NOMEM;
  f.probability = probabilities; /* its first row is scratch until the table is filled */
  fit_temperature(&f, low, high, out);
  out->ece_before = calibration_error(&f, 1, probabilities);
  out->ece_after = calibration_error(&f, out->temperature, probabilities);
  as_free(ctx, probabilities);
  return AS_OK;
}
