/* See classifier_calibration.h. */
#include "eval/classifier_calibration.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static const as_calibration_scores no_scores = {.reliability = {.ece = NAN, .mce = NAN}, .log_loss = NAN, .brier = NAN};

/* ---- scores ----------------------------------------------------------------------------------------------------- */

/* `predicted` is room for [rows]. */
static as_status score(as_context *ctx, int64_t rows, int64_t classes, const int32_t *truth,
                       const double *probabilities, int32_t *predicted, as_calibration_scores *out) {
  as_classification scores;
  for (int64_t row = 0; row < rows; row++) predicted[row] = as_argmax(probabilities + row * classes, classes);
  as_status status = as_classification_measure(ctx, rows, classes, truth, predicted, probabilities, &scores);
  if (status != AS_OK) return status;
  *out = (as_calibration_scores){scores.reliability, scores.log_loss, scores.brier};
  as_classification_free(ctx, &scores);
  return AS_OK;
}

as_status as_classifier_calibration_measure(as_context *ctx, int64_t rows, int64_t classes, const int32_t *truth,
                                            const double *before, const double *after, double temperature,
                                            as_classifier_calibration *out) {
  *out = (as_classifier_calibration){.temperature = temperature, .rows = rows, .before = no_scores, .after = no_scores};
  int32_t *predicted = as_alloc(ctx, (size_t)rows, sizeof *predicted);
  as_status status = predicted ? score(ctx, rows, classes, truth, before, predicted, &out->before) : AS_E_NOMEM;
  if (status == AS_OK) status = score(ctx, rows, classes, truth, after, predicted, &out->after);
  as_free(ctx, predicted);
  return status;
}

/* ---- fitting ---------------------------------------------------------------------------------------------------- */

typedef struct fitting {
  as_context *ctx;
  int64_t rows, classes;
  const double *logits;  /* [rows, classes] */
  const int32_t *truth;  /* [rows] */
  double *probabilities; /* [rows, classes] */
  double *others;        /* [rows, classes]: the logits of all parts but one */
  int32_t *labels;       /* [rows]: theirs; between fits, what is predicted */
} fitting;

static void soften(const fitting *f, int64_t row, double temperature) {
  as_softmax_row(f->logits + row * f->classes, f->classes, temperature, f->probabilities + row * f->classes);
}

/* The probabilities of one part with the temperature of the other ones. */
static as_status fit_part(const fitting *f, int64_t part) {
  as_temperature fitted;
  int64_t count = 0;
  for (int64_t row = 0; row < f->rows; row++) {
    if (row % AS_CALIBRATION_FOLDS == part) continue;
    memcpy(f->others + count * f->classes, f->logits + row * f->classes, (size_t)f->classes * sizeof *f->others);
    f->labels[count++] = f->truth[row];
  }
  as_status status = as_temperature_fit(f->ctx, count, f->classes, f->others, f->labels, AS_TEMPERATURE_LEAST,
                                        AS_TEMPERATURE_MOST, &fitted);
  for (int64_t row = part; status == AS_OK && row < f->rows; row += AS_CALIBRATION_FOLDS)
    soften(f, row, fitted.temperature);
  return status;
}

static as_status cross_fit(const fitting *f, as_calibration_scores *out) {
  as_status status = AS_OK;
  for (int64_t part = 0; status == AS_OK && part < AS_CALIBRATION_FOLDS; part++) status = fit_part(f, part);
  if (status == AS_OK) status = score(f->ctx, f->rows, f->classes, f->truth, f->probabilities, f->labels, out);
  return status;
}

static bool all_finite(const double *x, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (!isfinite(x[i])) return false;
  return true;
}

static as_status fit(const fitting *f, as_classifier_calibration *out) {
  as_temperature fitted;
  if (!all_finite(f->logits, f->rows * f->classes)) {
    out->reason = "a logit of a validation row is not finite";
    return AS_OK;
  }
  for (int64_t row = 0; row < f->rows; row++) soften(f, row, 1);
  as_status status = score(f->ctx, f->rows, f->classes, f->truth, f->probabilities, f->labels, &out->before);
  if (f->rows < AS_CALIBRATION_ROWS) out->reason = "there are fewer than 50 validation rows";
  if (status != AS_OK || out->reason) return status;
  status = as_temperature_fit(f->ctx, f->rows, f->classes, f->logits, f->truth, AS_TEMPERATURE_LEAST,
                              AS_TEMPERATURE_MOST, &fitted);
  if (status == AS_OK && fitted.at_bound != AS_TEMPERATURE_INSIDE)
    out->reason = fitted.at_bound == AS_TEMPERATURE_LOW
                      ? "the loss falls down to the lowest temperature, as it does when every row is answered right"
                      : "the loss falls up to the highest temperature: the logits say nothing of the labels";
  if (status != AS_OK || out->reason) return status;
  status = cross_fit(f, &out->after);
  out->folds = AS_CALIBRATION_FOLDS;
  if (!(out->after.log_loss < out->before.log_loss))
    out->reason = "on rows that it was not fitted on, it doesn't lower the log loss";
  else
    out->temperature = fitted.temperature;
  return status;
}

as_status as_classifier_calibration_fit(as_context *ctx, int64_t rows, int64_t classes, const double *logits,
                                        const int32_t *truth, as_classifier_calibration *out) {
  *out = (as_classifier_calibration){.temperature = NAN, .rows = rows, .before = no_scores, .after = no_scores};
  fitting f = {.ctx = ctx, .rows = rows, .classes = classes, .logits = logits, .truth = truth};
  if (rows < 0 || rows > INT32_MAX || classes < 1 || classes > INT32_MAX)
    return as_fail(ctx, AS_E_INVALID, "cannot calibrate %lld rows of %lld classes", (long long)rows,
                   (long long)classes);
  f.probabilities = as_alloc(ctx, (size_t)(rows * classes), sizeof *f.probabilities);
  f.others = as_alloc(ctx, (size_t)(rows * classes), sizeof *f.others);
  f.labels = as_alloc(ctx, (size_t)rows, sizeof *f.labels);
  as_status status = f.probabilities && f.others && f.labels ? fit(&f, out) : AS_E_NOMEM;
  as_free(ctx, f.probabilities);
  as_free(ctx, f.others);
  as_free(ctx, f.labels);
  return status;
}

/* ---- applying --------------------------------------------------------------------------------------------------- */

int32_t as_calibrate_row(const float *logits, int64_t classes, double temperature, float *probabilities) {
  const int32_t label = as_argmax_float(probabilities, classes);
  const double most = (double)logits[label];
  double sum = 0;
  for (int64_t k = 0; k < classes; k++) sum += exp(fmin((double)logits[k] - most, 0) / temperature);
  for (int64_t k = 0; k < classes; k++)
    probabilities[k] = (float)(exp(fmin((double)logits[k] - most, 0) / temperature) / sum);
  return label;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static void write_scores(as_json_writer *w, const char *key, const as_calibration_scores *s) {
  as_json_open_object(w, key);
  as_json_double(w, "ece15", s->reliability.ece);
  as_json_double(w, "log_loss", s->log_loss);
  as_json_double(w, "brier", s->brier);
  as_json_close_object(w);
}

void as_classifier_calibration_json(as_json_writer *w, const char *key, const as_classifier_calibration *c) {
  if (!c) {
    as_json_null(w, key);
    return;
  }
  as_json_open_object(w, key);
  as_json_double(w, "temperature", c->temperature);
  if (c->reason) as_json_string(w, "reason", c->reason);
  as_json_int(w, "rows", c->rows);
  if (c->folds) as_json_int(w, "folds", c->folds);
  write_scores(w, "before", &c->before);
  if (isnan(c->after.log_loss))
    as_json_null(w, "after");
  else
    write_scores(w, "after", &c->after);
  as_json_close_object(w);
}
