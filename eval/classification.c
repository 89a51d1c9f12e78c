/* Scores of a classifier. Everything that labels alone can say comes from the confusion matrix, whose entries are exact
 * counts; products of two counts fit int64_t because there are fewer than 2^31 rows. */
#include "eval/classification.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "eval/auc.h"
#include "eval/range_check.h"

enum { SCORE_PRECISION, SCORE_RECALL, SCORE_F1, SCORE_KINDS };

int32_t as_argmax(const double *probabilities, int64_t classes) {
  int64_t best = 0;
  for (int64_t k = 1; k < classes; k++) {
    if (probabilities[k] > probabilities[best]) best = k;
  }
  return (int32_t)best;
}

int32_t as_argmax_float(const float *probabilities, int64_t classes) {
  int32_t best = 0;
  for (int32_t k = 1; k < classes; k++) best = probabilities[k] > probabilities[best] ? k : best;
  return best;
}

static double ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : (double)part / (double)whole;
}

double as_macro_f1(int64_t classes, const int64_t *hits, const int64_t *support, const int64_t *predicted,
                   bool seen_only) {
  double sum = 0;
  int64_t seen = 0;
  for (int64_t k = 0; k < classes; k++) {
    sum += ratio(2 * hits[k], support[k] + predicted[k]);
    seen += support[k] + predicted[k] > 0;
  }
  const int64_t divisor = seen_only ? seen : classes;
  return divisor > 0 && seen > 0 ? sum / (double)divisor : NAN;
}

/* ---- checks ---------------------------------------------------------------------------------------------------- */

static as_status check_probabilities(as_context *ctx, int64_t rows, int64_t classes, const double *probabilities) {
  /* A softmax in single precision may end a rounding above 1. */
  const double most = 1 + 1e-6;
  for (int64_t i = 0; i < rows * classes; i++) {
    if (!(probabilities[i] >= 0 && probabilities[i] <= most)) {
      return as_fail(ctx, AS_E_INVALID, "probability %g of row %" PRId64 ", class %" PRId64 " is not in 0..1",
                     probabilities[i], i / classes, i % classes);
    }
  }
  return AS_OK;
}

static as_status check_arguments(as_context *ctx, int64_t rows, int64_t classes, const int32_t *truth,
                                 const int32_t *predicted, const double *probabilities) {
  if (rows < 0 || rows > INT32_MAX || classes < 1 || classes > INT32_MAX) {
    return as_fail(ctx, AS_E_INVALID, "cannot measure %" PRId64 " rows of %" PRId64 " classes", rows, classes);
  }
  as_status status = as_check_range(ctx, "true label", truth, rows, classes);
  if (status == AS_OK) status = as_check_range(ctx, "predicted label", predicted, rows, classes);
  if (status == AS_OK && probabilities) status = check_probabilities(ctx, rows, classes, probabilities);
  return status;
}

/* ---- scores from labels ------------------------------------------------------------------------------------------ */

static void count_rows(as_classification *s, const int32_t *truth, const int32_t *predicted) {
  for (int64_t row = 0; row < s->rows; row++) {
    s->confusion[truth[row] * s->classes + predicted[row]]++;
    s->support[truth[row]]++;
    s->predicted[predicted[row]]++;
  }
}

static int64_t count_right(const as_classification *s) {
  int64_t right = 0;
  for (int64_t k = 0; k < s->classes; k++) right += s->confusion[k * s->classes + k];
  return right;
}

/* Fills the averages from per_class. */
static void average(const as_classification *s, as_class_scores *scores, double micro) {
  double sum = 0, weighted = 0;
  int64_t seen = 0;
  for (int64_t k = 0; k < s->classes; k++) {
    sum += scores->per_class[k];
    weighted += scores->per_class[k] * (double)s->support[k];
    seen += s->support[k] + s->predicted[k] > 0;
  }
  scores->macro = sum / (double)s->classes;
  scores->macro_seen = sum / (double)seen; /* a class that never occurs adds 0 to the sum */
  scores->micro = micro;
  scores->weighted = weighted / (double)s->rows;
}

static void score_classes(as_classification *s) {
  double present = 0, recalls = 0;
  for (int64_t k = 0; k < s->classes; k++) {
    const int64_t hits = s->confusion[k * s->classes + k];
    s->precision.per_class[k] = ratio(hits, s->predicted[k]);
    s->recall.per_class[k] = ratio(hits, s->support[k]);
    s->f1.per_class[k] = ratio(2 * hits, s->support[k] + s->predicted[k]);
    present += s->support[k] > 0;
    recalls += s->recall.per_class[k];
  }
  average(s, &s->precision, s->accuracy);
  average(s, &s->recall, s->accuracy);
  average(s, &s->f1, s->accuracy);
  s->balanced_accuracy = recalls / present;
}

/* Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient" (2004), and Cohen (1960):
 * both from the margins of the confusion matrix. */
static void score_agreement(as_classification *s, int64_t right) {
  const int64_t n = s->rows;
  int64_t margins = 0, truth_squares = 0, predicted_squares = 0;
  for (int64_t k = 0; k < s->classes; k++) {
    margins += s->support[k] * s->predicted[k];
    truth_squares += s->support[k] * s->support[k];
    predicted_squares += s->predicted[k] * s->predicted[k];
  }
  const double covariance = (double)(right * n - margins);
  const double spread = (double)(n * n - truth_squares) * (double)(n * n - predicted_squares);
  s->mcc = spread > 0 ? covariance / sqrt(spread) : 0;
  s->kappa = n * n > margins ? covariance / (double)(n * n - margins) : NAN;
}

static void leave_undefined(as_classification *s) {
  as_class_scores *all[] = {&s->precision, &s->recall, &s->f1};
  for (int i = 0; i < SCORE_KINDS; i++) {
    all[i]->macro = all[i]->macro_seen = all[i]->micro = all[i]->weighted = NAN;
    for (int64_t k = 0; k < s->classes; k++) all[i]->per_class[k] = NAN;
  }
  s->accuracy = s->balanced_accuracy = s->mcc = s->kappa = NAN;
}

/* ---- scores from probabilities ----------------------------------------------------------------------------------- */

double as_row_log_loss(const double *probabilities, int32_t truth) {
  return -log(fmin(fmax(probabilities[truth], DBL_EPSILON), 1 - DBL_EPSILON));
}

double as_row_brier(const double *probabilities, int64_t classes, int32_t truth) {
  double squares = 0;
  for (int64_t k = 0; k < classes; k++) {
    const double error = probabilities[k] - (k == truth);
    squares += error * error;
  }
  return squares;
}

static void score_rows(as_classification *s, const int32_t *truth, const double *probabilities) {
  double log_loss = 0, brier = 0;
  int64_t in_two = 0;
  for (int64_t row = 0; row < s->rows; row++) {
    const double *p = probabilities + row * s->classes;
    const int32_t right = truth[row];
    int64_t better = 0; /* classes that rank before the right one */
    for (int64_t k = 0; k < s->classes; k++) better += p[k] > p[right] || (k < right && p[k] >= p[right]);
    brier += as_row_brier(p, s->classes, right);
    log_loss += as_row_log_loss(p, right);
    in_two += better < 2;
  }
  const double n = (double)s->rows;
  s->log_loss = s->rows > 0 ? log_loss / n : NAN;
  s->brier = s->rows > 0 ? brier / n : NAN;
  s->top2_accuracy = s->rows > 0 && s->classes > 2 ? (double)in_two / n : NAN;
}

static as_status score_auc(as_context *ctx, as_classification *s, const int32_t *truth, const double *probabilities) {
  as_scored *column = as_alloc(ctx, (size_t)s->rows, sizeof *column);
  if (!column) return AS_E_NOMEM;
  double sum = 0, defined = 0, weighted = 0, weights = 0;
  for (int64_t k = 0; k < s->classes; k++) {
    for (int64_t row = 0; row < s->rows; row++) {
      column[row] = (as_scored){.score = probabilities[row * s->classes + k], .positive = truth[row] == k};
    }
    s->auc[k] = as_auc(column, s->rows);
    if (isnan(s->auc[k])) continue;
    sum += s->auc[k];
    defined++;
    weighted += s->auc[k] * (double)s->support[k];
    weights += (double)s->support[k];
  }
  s->auc_macro = defined > 0 ? sum / defined : NAN;
  s->auc_weighted = defined > 0 ? weighted / weights : NAN;
  as_free(ctx, column);
  return AS_OK;
}

static as_status score_probabilities(as_context *ctx, as_classification *s, const int32_t *truth,
                                     const double *probabilities) {
  score_rows(s, truth, probabilities);
  as_reliability_measure(s->rows, s->classes, truth, probabilities, &s->reliability);
  return score_auc(ctx, s, truth, probabilities);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static as_status make_room(as_context *ctx, as_classification *s) {
  const size_t classes = (size_t)s->classes;
  s->confusion = as_alloc_zero(ctx, classes * classes + 2 * classes, sizeof *s->confusion);
  if (!s->confusion) return AS_E_NOMEM;
  s->support = s->confusion + classes * classes;
  s->predicted = s->support + classes;
  s->precision.per_class = as_alloc(ctx, SCORE_KINDS * classes, sizeof(double));
  if (!s->precision.per_class) return AS_E_NOMEM;
  s->recall.per_class = s->precision.per_class + SCORE_RECALL * classes;
  s->f1.per_class = s->precision.per_class + SCORE_F1 * classes;
  if (s->has_probabilities) s->auc = as_alloc(ctx, classes, sizeof *s->auc);
  return s->has_probabilities && !s->auc ? AS_E_NOMEM : AS_OK;
}

static void score_labels(as_classification *s) {
  if (s->rows == 0) {
    leave_undefined(s);
    return;
  }
  const int64_t right = count_right(s);
  s->accuracy = ratio(right, s->rows);
  score_classes(s);
  score_agreement(s, right);
}

as_status as_classification_measure(as_context *ctx, int64_t rows, int64_t classes, const int32_t *truth,
                                    const int32_t *predicted, const double *probabilities, as_classification *out) {
  *out = (as_classification){.rows = rows, .classes = classes, .has_probabilities = probabilities != NULL};
  as_status status = check_arguments(ctx, rows, classes, truth, predicted, probabilities);
  if (status == AS_OK) status = make_room(ctx, out);
  if (status == AS_OK) {
    count_rows(out, truth, predicted);
    score_labels(out);
    if (probabilities) status = score_probabilities(ctx, out, truth, probabilities);
  }
  if (status != AS_OK) as_classification_free(ctx, out);
  return status;
}

void as_classification_free(as_context *ctx, as_classification *scores) {
  as_free(ctx, scores->confusion);
  as_free(ctx, scores->precision.per_class);
  as_free(ctx, scores->auc);
  *scores = (as_classification){0};
}
