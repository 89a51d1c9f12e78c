/* An evaluation as JSON for machines and as a table for people. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "eval/metrics_json.h"
#include "recommend/evaluate.h"

void as_recommend_measure_name(as_recommend_measure measure, int64_t k, char text[40]) {
  static const char *const names[AS_RECOMMEND_MEASURES] = {"precision", "recall", "ndcg",     "map",  "mrr",
                                                           "hit",       "auc",    "coverage", "gini", "novelty"};
  const bool cut = measure <= AS_RECOMMEND_HIT && measure != AS_RECOMMEND_MRR;
  if (cut)
    snprintf(text, 40, "%s@%" PRId64, names[measure], k);
  else
    snprintf(text, 40, "%s", names[measure]);
}

const char *as_evaluation_group_name(as_evaluation_group group) {
  static const char *const names[AS_EVALUATION_GROUPS] = {"customers_warm", "customers_cold", "products_warm",
                                                          "products_cold"};
  return names[group];
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static void write_values(as_json_writer *w, const as_recommend_scores *s, int64_t k) {
  char name[40];
  for (int m = 0; m < AS_RECOMMEND_MEASURES; m++) {
    as_recommend_measure_name((as_recommend_measure)m, k, name);
    as_json_double(w, name, s->values[m]);
  }
  as_json_int(w, "customers", s->customers);
}

static void write_intervals(as_json_writer *w, const as_recommend_scores *s, int64_t k, int64_t resamples) {
  char name[40];
  as_json_open_object(w, "ci95");
  for (int m = 0; m < AS_RECOMMEND_CUSTOMER_MEASURES; m++) {
    as_recommend_measure_name((as_recommend_measure)m, k, name);
    as_interval_json(w, name, s->ci95[m]);
  }
  as_json_int(w, "resamples", resamples);
  as_json_close_object(w);
}

static void write_scores(as_json_writer *w, const char *key, const as_recommend_scores *s, int64_t k,
                         int64_t resamples) {
  if (s->customers == 0) {
    as_json_null(w, key);
    return;
  }
  as_json_open_object(w, key);
  write_values(w, s, k);
  write_intervals(w, s, k, resamples);
  as_json_close_object(w);
}

void as_recommend_evaluation_json(as_json_writer *w, const as_recommend_evaluation *e) {
  write_values(w, &e->model, e->k);
  write_intervals(w, &e->model, e->k, e->resamples);
  for (int g = 0; g < AS_EVALUATION_GROUPS; g++)
    write_scores(w, as_evaluation_group_name((as_evaluation_group)g), &e->groups[g], e->k, e->resamples);
  if (!e->has_baselines) return;
  as_json_open_object(w, "baselines");
  for (int b = 0; b < AS_BASELINES; b++)
    if (e->baselines[b].customers > 0)
      write_scores(w, as_baseline_name((as_baseline_kind)b), &e->baselines[b], e->k, e->resamples);
  as_json_close_object(w);
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static void append_value(as_buffer *out, double value, int width) {
  if (isnan(value))
    as_buffer_printf(out, " %*s", width, "-");
  else
    as_buffer_printf(out, " %*.4f", width, value);
}

static void append_model(const as_recommend_evaluation *e, as_buffer *out) {
  char name[40];
  for (int m = 0; m < AS_RECOMMEND_MEASURES; m++) {
    as_recommend_measure_name((as_recommend_measure)m, e->k, name);
    as_buffer_printf(out, "  %-16s", name);
    append_value(out, e->model.values[m], 8);
    if (m < AS_RECOMMEND_CUSTOMER_MEASURES && !isnan(e->model.ci95[m].low))
      as_buffer_printf(out, "   95 %% interval %.4f to %.4f", e->model.ci95[m].low, e->model.ci95[m].high);
    as_buffer_char(out, '\n');
  }
}

/* One way of recommending to one group, in a line. */
static void append_row(const char *name, const as_recommend_scores *s, as_buffer *out) {
  static const as_recommend_measure shown[] = {AS_RECOMMEND_PRECISION, AS_RECOMMEND_RECALL, AS_RECOMMEND_NDCG,
                                               AS_RECOMMEND_MRR,       AS_RECOMMEND_AUC,    AS_RECOMMEND_COVERAGE};
  if (s->customers == 0) return;
  as_buffer_printf(out, "  %-17s %9" PRId64, name, s->customers);
  for (size_t m = 0; m < sizeof shown / sizeof *shown; m++) append_value(out, s->values[shown[m]], 7);
  as_buffer_char(out, '\n');
}

void as_recommend_evaluation_table(const as_recommend_evaluation *e, as_buffer *out) {
  char names[3][40];
  for (int m = 0; m < 3; m++) snprintf(names[m], sizeof names[m], "%c@%" PRId64, "prn"[m], e->k);
  as_buffer_printf(out, "%" PRId64 " customers, lists of %" PRId64 "\n\n", e->model.customers, e->k);
  append_model(e, out);
  as_buffer_printf(out, "\n  %-17s %9s %7s %7s %7s %7s %7s %7s\n", "", "customers", names[0], names[1], names[2], "mrr",
                   "auc", "cover");
  append_row("model", &e->model, out);
  for (int b = 0; e->has_baselines && b < AS_BASELINES; b++)
    append_row(as_baseline_name((as_baseline_kind)b), &e->baselines[b], out);
  for (int g = 0; g < AS_EVALUATION_GROUPS; g++)
    append_row(as_evaluation_group_name((as_evaluation_group)g), &e->groups[g], out);
}
