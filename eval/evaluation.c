/* The evaluation's numbers and their JSON. */
#include "eval/evaluation.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "eval/metrics_json.h"

/* Of n rows, m are of the majority class: its recall is 1, its precision m/n, so its F1 is 2m / (m + n). */
static void score_majority(as_evaluation *e) {
  const as_classification *s = &e->scores;
  int64_t best = 0, present = 0;
  for (int64_t k = 0; k < s->classes; k++) {
    present += s->support[k] > 0;
    if (s->support[k] > s->support[best]) best = k;
  }
  e->majority_class = s->rows > 0 ? (int32_t)best : -1;
  const double most = (double)s->support[best], n = (double)s->rows, f1 = 2 * most / (most + n);
  e->majority_accuracy = s->rows > 0 ? most / n : NAN;
  e->majority_macro_f1 = s->rows > 0 ? f1 / (double)s->classes : NAN;
  e->majority_macro_f1_seen = s->rows > 0 ? f1 / (double)present : NAN;
}

as_status as_evaluation_measure(as_context *ctx, const as_evaluation_input *input, as_evaluation *out) {
  *out = (as_evaluation){.labels = input->labels, .calibration = input->calibration, .resamples = input->resamples};
  as_status status = as_classification_measure(ctx, input->rows, input->classes, input->truth, input->predicted,
                                               input->probabilities, &out->scores);
  if (status == AS_OK) {
    status = as_bootstrap_intervals(ctx, input->rows, input->classes, input->truth, input->predicted, input->resamples,
                                    input->seed, &out->ci95);
  }
  if (status == AS_OK) {
    score_majority(out);
  } else {
    as_evaluation_free(ctx, out);
  }
  return status;
}

void as_evaluation_free(as_context *ctx, as_evaluation *evaluation) {
  as_classification_free(ctx, &evaluation->scores);
  *evaluation = (as_evaluation){0};
}

void as_evaluation_json(as_json_writer *w, const as_evaluation *e) {
  as_classification_json(w, &e->scores);
  as_classifier_calibration_json(w, "calibration", e->calibration);
  as_json_open_array(w, "labels");
  for (int64_t k = 0; k < e->scores.classes; k++) as_json_string(w, NULL, e->labels[k]);
  as_json_close_array(w);
  as_json_open_object(w, "ci95");
  as_interval_json(w, "accuracy", e->ci95.accuracy);
  as_interval_json(w, "macro_f1", e->ci95.macro_f1);
  as_interval_json(w, "macro_f1_seen", e->ci95.macro_f1_seen);
  as_json_int(w, "resamples", e->resamples);
  as_json_close_object(w);
  as_json_open_object(w, "baselines");
  as_json_open_object(w, "majority");
  if (e->majority_class >= 0) {
    as_json_string(w, "label", e->labels[e->majority_class]);
  } else {
    as_json_null(w, "label");
  }
  as_json_double(w, "accuracy", e->majority_accuracy);
  as_json_double(w, "macro_f1", e->majority_macro_f1);
  as_json_double(w, "macro_f1_seen", e->majority_macro_f1_seen);
  as_json_close_object(w);
  as_json_close_object(w);
}

/* ---- wrong rows ------------------------------------------------------------------------------------------------ */

typedef struct wrong_row {
  double confidence;
  int64_t row;
} wrong_row;

static int surest_first(const void *a, const void *b) {
  const wrong_row *x = a, *y = b;
  if (x->confidence > y->confidence || x->confidence < y->confidence) return x->confidence > y->confidence ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

as_status as_wrong_rows(as_context *ctx, int64_t rows, const int32_t *truth, const int32_t *predicted,
                        const double *confidence, int64_t **order, int64_t *count) {
  *order = NULL;
  *count = 0;
  for (int64_t row = 0; row < rows; row++) *count += truth[row] != predicted[row];
  wrong_row *wrong = as_alloc(ctx, (size_t)*count, sizeof *wrong);
  if (!wrong) return AS_E_NOMEM;
  int64_t at = 0;
  for (int64_t row = 0; row < rows; row++) {
    if (truth[row] != predicted[row]) wrong[at++] = (wrong_row){confidence ? confidence[row] : 0, row};
  }
  qsort(wrong, (size_t)*count, sizeof *wrong, surest_first);
  *order = as_alloc(ctx, (size_t)*count, sizeof **order);
  for (int64_t i = 0; *order && i < *count; i++) (*order)[i] = wrong[i].row;
  as_free(ctx, wrong);
  return *order ? AS_OK : AS_E_NOMEM;
}
