/* Metrics that compare: two classifiers on the same rows, two proportions, two distributions, and a classifier with its
 * own confidence. */
#include "eval/metrics_tasks.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "eval/bootstrap.h"
#include "eval/calibration.h"
#include "eval/drift.h"
#include "eval/json_fields.h"
#include "eval/metrics_json.h"
#include "eval/statistics.h"

/* ---- two classifiers ------------------------------------------------------------------------------------------- */

typedef struct pair_line {
  int64_t rows;
  int32_t *truth;  /* [rows] */
  int32_t *first;  /* [rows] */
  int32_t *second; /* [rows] */
} pair_line;

static void free_pair(as_context *ctx, pair_line *pair) {
  as_free(ctx, pair->truth);
  as_free(ctx, pair->first);
  as_free(ctx, pair->second);
}

static as_status read_prediction(as_context *ctx, const json_t *line, const char *name, int64_t below, int64_t rows,
                                 int32_t **out) {
  int64_t count = 0;
  const as_status status = as_line_labels(ctx, line, name, below, out, &count);
  if (status != AS_OK || count == rows) return status;
  return as_fail(ctx, AS_E_DATA, "%s has %" PRId64 " values, y_true has %" PRId64, name, count, rows);
}

static as_status read_pair(as_context *ctx, const json_t *line, int64_t below, pair_line *pair) {
  as_status status = as_line_labels(ctx, line, "y_true", below, &pair->truth, &pair->rows);
  if (status == AS_OK) status = read_prediction(ctx, line, "pred_a", below, pair->rows, &pair->first);
  if (status == AS_OK) status = read_prediction(ctx, line, "pred_b", below, pair->rows, &pair->second);
  return status;
}

/* From b and c, or, without them, from the labels. */
static as_status read_discordant(as_context *ctx, const json_t *line, int64_t *b, int64_t *c) {
  const int64_t most = INT64_C(1) << 40;
  if (as_line_present(line, "b") || as_line_present(line, "c")) {
    const as_status status = as_line_int(ctx, line, "b", 0, most, b);
    return status == AS_OK ? as_line_int(ctx, line, "c", 0, most, c) : status;
  }
  pair_line pair = {0};
  const as_status status = read_pair(ctx, line, INT32_MAX, &pair);
  if (status == AS_OK) as_discordant_pairs(pair.rows, pair.truth, pair.first, pair.second, b, c);
  free_pair(ctx, &pair);
  return status;
}

as_status as_metrics_mcnemar(as_context *ctx, const json_t *line, as_json_writer *w) {
  int64_t b = 0, c = 0;
  const as_status status = read_discordant(ctx, line, &b, &c);
  if (status != AS_OK) return status;
  const as_mcnemar test = as_mcnemar_test(b, c);
  as_mcnemar_json(w, &test);
  return AS_OK;
}

static void write_delta(as_json_writer *w, const char *key, const as_bootstrap_delta *delta, int64_t resamples) {
  as_json_open_object(w, key);
  as_bootstrap_delta_json(w, delta);
  as_json_open_array(w, "first10");
  for (int64_t r = 0; r < resamples && r < 10 && delta->deltas; r++) as_json_double(w, NULL, delta->deltas[r]);
  as_json_close_array(w);
  as_json_close_object(w);
}

/* The rows of each resample, [count, rows]. */
static as_status read_resamples(as_context *ctx, const json_t *line, int64_t rows, int64_t *count, int32_t **out) {
  const json_t *lists;
  as_status status = as_line_array(ctx, line, "resamples", &lists);
  if (status != AS_OK) return status;
  *count = (int64_t)json_array_size(lists);
  for (int64_t r = 0; r < *count; r++) {
    if ((int64_t)json_array_size(json_array_get(lists, (size_t)r)) == rows) continue;
    return as_fail(ctx, AS_E_DATA, "resamples[%" PRId64 "] is not an array of %" PRId64 " row numbers", r, rows);
  }
  *out = as_alloc(ctx, (size_t)(*count * rows), sizeof **out);
  if (!*out) return AS_E_NOMEM;
  for (int64_t r = 0; r < *count && status == AS_OK; r++) {
    int64_t *values, size;
    status = as_array_integers(ctx, json_array_get(lists, (size_t)r), "resample", 0, rows, &values, &size);
    if (status != AS_OK) return as_fail_prefix(ctx, status, "resamples[%" PRId64 "]", r);
    for (int64_t i = 0; i < size; i++) (*out)[r * rows + i] = (int32_t)values[i];
    as_free(ctx, values);
  }
  return status;
}

/* `resamples` are given, or `n_resamples` of them are drawn from `seed` (0 without it). */
static as_status measure_bootstrap(as_context *ctx, const json_t *line, const pair_line *pair, int64_t classes,
                                   as_paired_bootstrap *out) {
  int64_t resamples = 0, seed = 0;
  int32_t *indices = NULL;
  as_status status = AS_OK;
  if (as_line_present(line, "resamples")) {
    status = read_resamples(ctx, line, pair->rows, &resamples, &indices);
  } else {
    status = as_line_int(ctx, line, "n_resamples", 1, 1000000, &resamples);
    if (status == AS_OK && as_line_present(line, "seed")) status = as_line_int(ctx, line, "seed", 0, INT64_MAX, &seed);
  }
  if (status == AS_OK) {
    status = as_paired_bootstrap_measure(ctx, pair->rows, classes, pair->truth, pair->first, pair->second, resamples,
                                         indices, (uint64_t)seed, out);
  }
  as_free(ctx, indices);
  return status;
}

as_status as_metrics_bootstrap(as_context *ctx, const json_t *line, as_json_writer *w) {
  int64_t classes = 0;
  pair_line pair = {0};
  as_paired_bootstrap out = {0};
  as_status status = as_line_int(ctx, line, "n_classes", 1, AS_METRICS_MAX_CLASSES, &classes);
  if (status == AS_OK) status = read_pair(ctx, line, classes, &pair);
  if (status == AS_OK) status = measure_bootstrap(ctx, line, &pair, classes, &out);
  if (status == AS_OK) {
    write_delta(w, "accuracy", &out.accuracy, out.resamples);
    write_delta(w, "macro_f1", &out.macro_f1, out.resamples);
  }
  as_paired_bootstrap_free(ctx, &out);
  free_pair(ctx, &pair);
  return status;
}

/* ---- calibration ----------------------------------------------------------------------------------------------- */

static as_status read_interval(as_context *ctx, const json_t *line, double *low, double *high) {
  *low = AS_TEMPERATURE_LEAST;
  *high = AS_TEMPERATURE_MOST;
  if (!as_line_present(line, "search_interval")) return AS_OK;
  double *ends;
  int64_t count = 0;
  const as_status status = as_line_numbers(ctx, line, "search_interval", &ends, &count);
  if (status != AS_OK) return status;
  if (count == 2) {
    *low = ends[0];
    *high = ends[1];
  }
  as_free(ctx, ends);
  return count == 2 ? AS_OK : as_fail(ctx, AS_E_DATA, "search_interval has %" PRId64 " values, not 2", count);
}

static void write_temperature(as_json_writer *w, const as_temperature *fit) {
  static const char *const bounds[] = {NULL, "low", "high"};
  as_json_double(w, "temperature", fit->temperature);
  if (fit->at_bound == AS_TEMPERATURE_INSIDE) {
    as_json_null(w, "at_bound");
  } else {
    as_json_string(w, "at_bound", bounds[fit->at_bound]);
  }
  as_json_double(w, "nll_before", fit->nll_before);
  as_json_double(w, "nll_after", fit->nll_after);
  as_json_double(w, "ece15_before", fit->ece_before);
  as_json_double(w, "ece15_after", fit->ece_after);
}

as_status as_metrics_temperature(as_context *ctx, const json_t *line, as_json_writer *w) {
  double *logits = NULL, low = 0, high = 0;
  int32_t *truth = NULL;
  int64_t rows = 0, classes = 0, labels = 0;
  as_temperature fit;
  as_status status = read_interval(ctx, line, &low, &high);
  if (status == AS_OK) status = as_line_matrix(ctx, line, "logits", &logits, &rows, &classes);
  if (status == AS_OK) status = as_line_labels(ctx, line, "y_true", rows > 0 ? classes : 1, &truth, &labels);
  if (status == AS_OK && labels != rows) {
    status = as_fail(ctx, AS_E_DATA, "logits has %" PRId64 " rows, y_true has %" PRId64, rows, labels);
  }
  if (status == AS_OK) {
    status = as_temperature_fit(ctx, rows, rows > 0 ? classes : 1, logits, truth, low, high, &fit);
  }
  if (status == AS_OK) write_temperature(w, &fit);
  as_free(ctx, logits);
  as_free(ctx, truth);
  return status;
}

/* ---- drift ----------------------------------------------------------------------------------------------------- */

static as_status read_counts(as_context *ctx, const json_t *line, const char *name, int64_t **out, int64_t *count) {
  const json_t *array;
  const as_status status = as_line_array(ctx, line, name, &array);
  return status == AS_OK ? as_array_integers(ctx, array, name, 0, INT64_C(1) << 53, out, count) : status;
}

static as_status measure_counts(as_context *ctx, const json_t *line, as_json_writer *w) {
  int64_t *reference = NULL, *current = NULL, bins = 0, others = 0;
  as_status status = read_counts(ctx, line, "ref", &reference, &bins);
  if (status == AS_OK) status = read_counts(ctx, line, "cur", &current, &others);
  if (status == AS_OK && bins != others) {
    status = as_fail(ctx, AS_E_DATA, "ref has %" PRId64 " bins, cur has %" PRId64, bins, others);
  }
  if (status == AS_OK) as_json_double(w, "psi", as_psi(reference, current, bins));
  as_free(ctx, reference);
  as_free(ctx, current);
  return status;
}

static void write_drift(as_json_writer *w, const as_drift *drift) {
  as_json_open_array(w, "edges");
  for (int i = 0; i < drift->edges_count; i++) as_json_double(w, NULL, drift->edges[i]);
  as_json_close_array(w);
  as_json_open_array(w, "ref_counts");
  for (int i = 0; i <= drift->edges_count; i++) as_json_int(w, NULL, drift->reference[i]);
  as_json_close_array(w);
  as_json_open_array(w, "cur_counts");
  for (int i = 0; i <= drift->edges_count; i++) as_json_int(w, NULL, drift->current[i]);
  as_json_close_array(w);
  as_json_double(w, "psi", drift->psi);
  as_json_double(w, "ks_statistic", drift->ks_statistic);
}

static as_status measure_numeric(as_context *ctx, const json_t *line, as_json_writer *w) {
  double *reference = NULL, *current = NULL;
  int64_t reference_count = 0, current_count = 0;
  as_drift drift;
  as_status status = as_line_numbers(ctx, line, "ref", &reference, &reference_count);
  if (status == AS_OK) status = as_line_numbers(ctx, line, "cur", &current, &current_count);
  if (status == AS_OK) status = as_drift_measure(ctx, reference, reference_count, current, current_count, &drift);
  if (status == AS_OK) write_drift(w, &drift);
  as_free(ctx, reference);
  as_free(ctx, current);
  return status;
}

as_status as_metrics_psi(as_context *ctx, const json_t *line, as_json_writer *w) {
  const char *kind = NULL;
  size_t length = 0;
  const as_status status = as_line_string(ctx, line, "kind", &kind, &length);
  if (status != AS_OK) return status;
  if (strcmp(kind, "counts") == 0) return measure_counts(ctx, line, w);
  if (strcmp(kind, "numeric") == 0) return measure_numeric(ctx, line, w);
  return as_fail(ctx, AS_E_DATA, "field \"kind\" is neither \"counts\" nor \"numeric\"");
}

/* ---- proportions ----------------------------------------------------------------------------------------------- */

as_status as_metrics_proportions(as_context *ctx, const json_t *line, as_json_writer *w) {
  const int64_t most = INT64_C(1) << 53;
  int64_t x1 = 0, n1 = 0, x2 = 0, n2 = 0;
  as_status status = as_line_int(ctx, line, "n1", 0, most, &n1);
  if (status == AS_OK) status = as_line_int(ctx, line, "n2", 0, most, &n2);
  if (status == AS_OK) status = as_line_int(ctx, line, "x1", 0, n1, &x1);
  if (status == AS_OK) status = as_line_int(ctx, line, "x2", 0, n2, &x2);
  if (status != AS_OK) return status;
  const as_proportions p = as_proportions_compare(x1, n1, x2, n2);
  as_json_double(w, "difference", p.difference);
  as_interval_json(w, "wald95", p.wald95);
  as_interval_json(w, "wilson95_1", p.wilson95[0]);
  as_interval_json(w, "wilson95_2", p.wilson95[1]);
  as_interval_json(w, "newcombe95", p.newcombe95);
  as_json_double(w, "z_pooled", p.z_pooled);
  as_json_double(w, "p_two_sided", p.p_two_sided);
  return AS_OK;
}
