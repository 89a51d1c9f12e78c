/* Metrics over JSON lines: one object in, one object out, with the names that the project's documentation of metrics
 * uses. This is what `assistify metrics` does with each line, so that anybody can hold our numbers against another
 * library's. */
#ifndef AS_EVAL_METRICS_JSON_H
#define AS_EVAL_METRICS_JSON_H

#include "base/json.h"
#include "eval/bootstrap.h"
#include "eval/classification.h"

/* One kind of metrics. `measure` reads the fields of `line` and writes the fields of the answer into the object that is
 * open in `writer`; it may leave the object unfinished when it fails. */
typedef struct as_metrics_task {
  const char *name;   /* as on the command line */
  const char *reads;  /* the fields of a line, for help texts */
  const char *writes; /* the fields of the answer */
  as_status (*measure)(as_context *ctx, const json_t *line, as_json_writer *writer);
} as_metrics_task;

/* All tasks, in the order of the help text. */
const as_metrics_task *as_metrics_tasks(size_t *count);
/* NULL when there is none of this name. */
const as_metrics_task *as_metrics_task_find(const char *name);

/* Measures one line and appends the answer, one line of JSON with '\n', to `out`. On failure nothing is appended, and
 * the text says "line N" and the field. AS_E_DATA: not JSON, not an object, a field missing or wrong. */
AS_MUST_CHECK as_status as_metrics_line(as_context *ctx, const as_metrics_task *task, const char *line, size_t length,
                                        int64_t line_number, as_buffer *out);

/* Writes the scores as fields of the object that is open in `writer`: n, accuracy, confusion, support, precision,
 * recall, f1, balanced_accuracy, mcc, kappa and, with probabilities, log_loss, brier, ece15, mce15, reliability15,
 * auc_ovr and (from three classes on) top2_accuracy. */
void as_classification_json(as_json_writer *writer, const as_classification *scores);

/* Write fields: exact_p, midp, chi2_cc, chi2_cc_p, chi2, chi2_p; observed, mean, std_ddof1, ci95, p_one_sided_b_better,
 * p_two_sided. */
void as_mcnemar_json(as_json_writer *writer, const as_mcnemar *test);
void as_bootstrap_delta_json(as_json_writer *writer, const as_bootstrap_delta *delta);

/* Writes [low, high]. */
void as_interval_json(as_json_writer *writer, const char *key, as_interval interval);

#endif
