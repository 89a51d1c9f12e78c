/* Drift of a distribution. */
#include "eval/drift.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "eval/statistics.h"

static const double least_share = 1e-4;

static double total(const int64_t *counts, int64_t bins) {
  double sum = 0;
  for (int64_t i = 0; i < bins; i++) sum += (double)counts[i];
  return sum;
}

double as_psi(const int64_t *reference, const int64_t *current, int64_t bins) {
  const double all_reference = total(reference, bins), all_current = total(current, bins);
  if (all_reference <= 0 || all_current <= 0) return NAN;
  double psi = 0;
  for (int64_t i = 0; i < bins; i++) {
    const double e = fmax((double)reference[i] / all_reference, least_share);
    const double a = fmax((double)current[i] / all_current, least_share);
    psi += (a - e) * log(a / e);
  }
  return psi;
}

static void set_edges(as_histogram *out, const double *sorted, int64_t count) {
  *out = (as_histogram){.edges_count = 0};
  for (int i = 1; i < AS_DRIFT_BINS && count > 0; i++) {
    const double edge = as_percentile(sorted, count, (double)i / AS_DRIFT_BINS);
    if (out->edges_count == 0 || edge > out->edges[out->edges_count - 1]) out->edges[out->edges_count++] = edge;
  }
}

void as_histogram_add(as_histogram *h, double value) {
  int bin = 0;
  while (bin < h->edges_count && value > h->edges[bin]) bin++;
  h->counts[bin]++;
}

void as_histogram_fit(double *values, int64_t count, as_histogram *out) {
  as_sort_doubles(values, count);
  set_edges(out, values, count);
  for (int64_t i = 0; i < count; i++) as_histogram_add(out, values[i]);
}

/* Walks both sorted lists; the distance is looked at only after all equal values were passed. */
static double ks_statistic(const double *a, int64_t a_count, const double *b, int64_t b_count) {
  if (a_count == 0 || b_count == 0) return NAN;
  double largest = 0;
  for (int64_t i = 0, j = 0; i < a_count && j < b_count;) {
    const double value = fmin(a[i], b[j]);
    while (i < a_count && a[i] <= value) i++;
    while (j < b_count && b[j] <= value) j++;
    largest = fmax(largest, fabs((double)i / (double)a_count - (double)j / (double)b_count));
  }
  return largest;
}

/* A sorted copy, or NULL. Caller frees. */
static as_status sorted_copy(as_context *ctx, const char *side, const double *values, int64_t count, double **out) {
  for (int64_t i = 0; i < count; i++) {
    if (!isfinite(values[i])) return as_fail(ctx, AS_E_INVALID, "%s value %" PRId64 " is not finite", side, i);
  }
  *out = as_alloc(ctx, (size_t)count, sizeof **out);
  if (!*out) return AS_E_NOMEM;
  if (count > 0) memcpy(*out, values, (size_t)count * sizeof **out);
  as_sort_doubles(*out, count);
  return AS_OK;
}

as_status as_drift_measure(as_context *ctx, const double *reference, int64_t reference_count, const double *current,
                           int64_t current_count, as_drift *out) {
  double *before = NULL, *now = NULL;
  *out = (as_drift){0};
  as_status status = sorted_copy(ctx, "reference", reference, reference_count, &before);
  if (status == AS_OK) status = sorted_copy(ctx, "current", current, current_count, &now);
  if (status == AS_OK) {
    as_histogram bins;
    as_histogram_fit(before, reference_count, &bins);
    out->edges_count = bins.edges_count;
    memcpy(out->edges, bins.edges, sizeof out->edges);
    memcpy(out->reference, bins.counts, sizeof out->reference);
    memset(bins.counts, 0, sizeof bins.counts);
    for (int64_t i = 0; i < current_count; i++) as_histogram_add(&bins, now[i]);
    memcpy(out->current, bins.counts, sizeof out->current);
    out->psi = as_psi(out->reference, out->current, out->edges_count + 1);
    out->ks_statistic = ks_statistic(before, reference_count, now, current_count);
  }
  as_free(ctx, before);
  as_free(ctx, now);
  return status;
}
