/* Metrics over labels: the JSON side of classification. */
#include "eval/metrics_tasks.h"

#include <inttypes.h>

#include "base/memory.h"
#include "eval/classification.h"
#include "eval/json_fields.h"
#include "eval/metrics_json.h"

static void write_doubles(as_json_writer *w, const char *key, const double *values, int64_t count) {
  as_json_open_array(w, key);
  for (int64_t i = 0; i < count; i++) as_json_double(w, NULL, values[i]);
  as_json_close_array(w);
}

static void write_counts(as_json_writer *w, const char *key, const int64_t *values, int64_t count) {
  as_json_open_array(w, key);
  for (int64_t i = 0; i < count; i++) as_json_int(w, NULL, values[i]);
  as_json_close_array(w);
}

static void write_class_scores(as_json_writer *w, const char *key, const as_class_scores *scores, int64_t classes) {
  as_json_open_object(w, key);
  write_doubles(w, "per_class", scores->per_class, classes);
  as_json_double(w, "macro", scores->macro);
  as_json_double(w, "micro", scores->micro);
  as_json_double(w, "weighted", scores->weighted);
  as_json_double(w, "macro_seen", scores->macro_seen);
  as_json_close_object(w);
}

static void write_reliability(as_json_writer *w, const as_reliability *reliability) {
  as_json_double(w, "ece15", reliability->ece);
  as_json_double(w, "mce15", reliability->mce);
  as_json_open_array(w, "reliability15");
  for (int bin = 0; bin < AS_RELIABILITY_BINS; bin++) {
    as_json_open_array(w, NULL);
    as_json_int(w, NULL, reliability->count[bin]);
    as_json_double(w, NULL, reliability->accuracy[bin]);
    as_json_double(w, NULL, reliability->confidence[bin]);
    as_json_close_array(w);
  }
  as_json_close_array(w);
}

void as_classification_json(as_json_writer *w, const as_classification *s) {
  as_json_int(w, "n", s->rows);
  as_json_double(w, "accuracy", s->accuracy);
  as_json_open_array(w, "confusion");
  for (int64_t k = 0; k < s->classes; k++) write_counts(w, NULL, s->confusion + k * s->classes, s->classes);
  as_json_close_array(w);
  write_counts(w, "support", s->support, s->classes);
  write_class_scores(w, "precision", &s->precision, s->classes);
  write_class_scores(w, "recall", &s->recall, s->classes);
  write_class_scores(w, "f1", &s->f1, s->classes);
  as_json_double(w, "balanced_accuracy", s->balanced_accuracy);
  as_json_double(w, "mcc", s->mcc);
  as_json_double(w, "kappa", s->kappa);
  if (!s->has_probabilities) return;
  as_json_double(w, "log_loss", s->log_loss);
  as_json_double(w, "brier", s->brier);
  write_reliability(w, &s->reliability);
  as_json_open_object(w, "auc_ovr");
  write_doubles(w, "per_class", s->auc, s->classes);
  as_json_double(w, "macro", s->auc_macro);
  as_json_double(w, "weighted", s->auc_weighted);
  as_json_close_object(w);
  if (s->classes > 2) as_json_double(w, "top2_accuracy", s->top2_accuracy);
}

/* What a line of classification holds. */
typedef struct labels_line {
  int64_t classes;
  int64_t rows;
  int32_t *truth;        /* [rows] */
  int32_t *predicted;    /* [rows] */
  double *probabilities; /* [rows, classes] or NULL */
} labels_line;

static void free_line(as_context *ctx, labels_line *in) {
  as_free(ctx, in->truth);
  as_free(ctx, in->predicted);
  as_free(ctx, in->probabilities);
}

static as_status read_probabilities(as_context *ctx, const json_t *line, labels_line *in) {
  int64_t rows = 0, columns = 0;
  const as_status status = as_line_matrix(ctx, line, "proba", &in->probabilities, &rows, &columns);
  if (status != AS_OK) return status;
  if (rows == in->rows && (rows == 0 || columns == in->classes)) return AS_OK;
  return as_fail(ctx, AS_E_DATA,
                 "proba is [%" PRId64 ", %" PRId64 "], y_true and n_classes say [%" PRId64 ", %" PRId64 "]", rows,
                 columns, in->rows, in->classes);
}

/* y_pred, or the likeliest class when the line has probabilities only. */
static as_status read_predictions(as_context *ctx, const json_t *line, labels_line *in) {
  if (!as_line_present(line, "y_pred") && in->probabilities) {
    in->predicted = as_alloc(ctx, (size_t)in->rows, sizeof *in->predicted);
    if (!in->predicted) return AS_E_NOMEM;
    for (int64_t row = 0; row < in->rows; row++) {
      in->predicted[row] = as_argmax(in->probabilities + row * in->classes, in->classes);
    }
    return AS_OK;
  }
  int64_t rows = 0;
  const as_status status = as_line_labels(ctx, line, "y_pred", in->classes, &in->predicted, &rows);
  if (status != AS_OK || rows == in->rows) return status;
  return as_fail(ctx, AS_E_DATA, "y_pred has %" PRId64 " values, y_true has %" PRId64, rows, in->rows);
}

as_status as_metrics_classification(as_context *ctx, const json_t *line, as_json_writer *writer) {
  labels_line in = {0};
  as_classification scores = {0};
  as_status status = as_line_int(ctx, line, "n_classes", 1, AS_METRICS_MAX_CLASSES, &in.classes);
  if (status == AS_OK) status = as_line_labels(ctx, line, "y_true", in.classes, &in.truth, &in.rows);
  if (status == AS_OK && as_line_present(line, "proba")) status = read_probabilities(ctx, line, &in);
  if (status == AS_OK) status = read_predictions(ctx, line, &in);
  if (status == AS_OK) {
    status = as_classification_measure(ctx, in.rows, in.classes, in.truth, in.predicted, in.probabilities, &scores);
  }
  if (status == AS_OK) as_classification_json(writer, &scores);
  as_classification_free(ctx, &scores);
  free_line(ctx, &in);
  return status;
}
