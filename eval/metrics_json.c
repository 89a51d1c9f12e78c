/* The table of metrics, and the way of a line through it. */
#include "eval/metrics_json.h"

#include <inttypes.h>
#include <string.h>

#include "eval/metrics_tasks.h"

static const as_metrics_task tasks[] = {
    {"classification", "n_classes, y_true, y_pred, proba", "accuracy, precision, recall, f1, mcc, log_loss, ...",
     as_metrics_classification},
    {"mcnemar", "b, c | y_true, pred_a, pred_b", "exact_p, midp, chi2_cc, chi2_cc_p, chi2, chi2_p", as_metrics_mcnemar},
    {"bootstrap", "n_classes, y_true, pred_a, pred_b, resamples | n_resamples, seed",
     "accuracy, macro_f1: observed, mean, ci95, p values", as_metrics_bootstrap},
    {"temperature", "logits, y_true, search_interval", "temperature, at_bound, nll and ece15 before and after",
     as_metrics_temperature},
    {"text", "hyp, refs", "bleu, bleu_no_effective_order, chrf, chrf_pp, rouge, exact_match, exact_match_normalized",
     as_metrics_text},
    {"tokens", "text", "bleu_13a, rouge, rouge_stemmed", as_metrics_tokens},
    {"ranking", "ks, scores, relevant, seen, grades", "users_counted, mean, per_user, top", as_metrics_ranking},
    {"psi", "kind (counts | numeric), ref, cur", "psi; numeric: edges, ref_counts, cur_counts, ks_statistic",
     as_metrics_psi},
    {"proportions", "x1, n1, x2, n2", "difference, wald95, newcombe95, wilson95_1, wilson95_2, z_pooled, p_two_sided",
     as_metrics_proportions},
};

const as_metrics_task *as_metrics_tasks(size_t *count) {
  *count = sizeof tasks / sizeof *tasks;
  return tasks;
}

const as_metrics_task *as_metrics_task_find(const char *name) {
  for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
    if (strcmp(tasks[i].name, name) == 0) return &tasks[i];
  }
  return NULL;
}

static as_status measure_object(as_context *ctx, const as_metrics_task *task, const json_t *line, as_buffer *out) {
  if (!json_is_object(line)) return as_fail(ctx, AS_E_DATA, "not a JSON object");
  as_json_writer writer = as_json_writer_start(out, 0);
  as_json_open_object(&writer, NULL);
  const as_status status = task->measure(ctx, line, &writer);
  if (status != AS_OK) return status;
  as_json_close_object(&writer);
  as_buffer_char(out, '\n');
  return as_buffer_status(out);
}

as_status as_metrics_line(as_context *ctx, const as_metrics_task *task, const char *line, size_t length,
                          int64_t line_number, as_buffer *out) {
  char where[40];
  snprintf(where, sizeof where, "line %" PRId64, line_number);
  json_t *object = NULL;
  as_status status = as_json_parse(ctx, line, length, where, AS_E_DATA, &object);
  if (status != AS_OK) return status;
  as_buffer answer;
  as_buffer_init(&answer, ctx);
  status = measure_object(ctx, task, object, &answer);
  if (status == AS_OK) {
    as_buffer_append(out, answer.data, answer.length);
    status = as_buffer_status(out);
  }
  /* A value that a metric refuses came from the line, so it is the data that is wrong. */
  if (status == AS_E_INVALID) status = AS_E_DATA;
  if (status == AS_E_DATA) status = as_fail_prefix(ctx, status, "%s", where);
  as_buffer_free(&answer);
  json_decref(object);
  return status;
}

void as_interval_json(as_json_writer *writer, const char *key, as_interval interval) {
  as_json_open_array(writer, key);
  as_json_double(writer, NULL, interval.low);
  as_json_double(writer, NULL, interval.high);
  as_json_close_array(writer);
}

void as_mcnemar_json(as_json_writer *w, const as_mcnemar *test) {
  as_json_double(w, "exact_p", test->exact_p);
  as_json_double(w, "midp", test->midp);
  as_json_double(w, "chi2_cc", test->chi2_cc);
  as_json_double(w, "chi2_cc_p", test->chi2_cc_p);
  as_json_double(w, "chi2", test->chi2);
  as_json_double(w, "chi2_p", test->chi2_p);
}

void as_bootstrap_delta_json(as_json_writer *w, const as_bootstrap_delta *delta) {
  as_json_double(w, "observed", delta->observed);
  as_json_double(w, "mean", delta->mean);
  as_json_double(w, "std_ddof1", delta->std);
  as_interval_json(w, "ci95", delta->ci95);
  as_json_double(w, "p_one_sided_b_better", delta->p_one_sided);
  as_json_double(w, "p_two_sided", delta->p_two_sided);
}
