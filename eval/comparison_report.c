/* A comparison of classifiers as JSON, as a table and as Markdown. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "eval/comparison.h"
#include "eval/metrics_json.h"

const char *as_row_change_name(as_row_change change) {
  static const char *const names[] = {"alike", "broken", "fixed", "both wrong"};
  return names[change];
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static void write_class(as_json_writer *w, const char *label, const as_compared_class *class) {
  as_json_open_object(w, NULL);
  as_json_string(w, "label", label);
  as_json_int(w, "support", class->support);
  as_json_double(w, "f1_first", class->f1[0]);
  as_json_double(w, "f1_second", class->f1[1]);
  as_json_double(w, "difference", class->difference);
  as_json_int(w, "b", class->b);
  as_json_int(w, "c", class->c);
  as_json_double(w, "exact_p", class->exact_p);
  as_json_double(w, "holm_p", class->holm_p);
  as_json_close_object(w);
}

void as_comparison_json(as_json_writer *w, const as_comparison *c) {
  as_json_int(w, "n", c->rows);
  as_json_open_array(w, "labels");
  for (int64_t k = 0; k < c->classes; k++) as_json_string(w, NULL, c->labels[k]);
  as_json_close_array(w);
  as_compared_figures_json(w, c->figures, AS_COMPARED_FIGURES);
  as_json_int(w, "resamples", c->resamples);
  as_json_int(w, "seed", (int64_t)c->seed);
  as_json_open_object(w, "mcnemar");
  as_json_int(w, "b", c->b);
  as_json_int(w, "c", c->c);
  as_mcnemar_json(w, &c->mcnemar);
  as_json_close_object(w);
  as_json_open_object(w, "changes");
  as_json_int(w, "fixed", c->c);
  as_json_int(w, "broken", c->b);
  as_json_int(w, "both_wrong", c->both_wrong);
  as_json_close_object(w);
  as_json_open_array(w, "classes");
  for (int64_t k = 0; k < c->classes; k++)
    if (c->each[k].seen) write_class(w, c->labels[k], &c->each[k]);
  as_json_close_array(w);
}

/* ---- for people ------------------------------------------------------------------------------------------------- */

static void put_test(as_report *r, const as_comparison *c) {
  as_report_paragraph(r,
                      "Only the first is right in %" PRId64 " rows, only the second in %" PRId64
                      ": McNemar's exact p %.3g, mid-p %.3g.",
                      c->b, c->c, c->mcnemar.exact_p, c->mcnemar.midp);
  as_report_paragraph(r,
                      "Changed answers: %" PRId64 " rows fixed, %" PRId64 " broken, %" PRId64
                      " wrong with both and otherwise; %" PRId64 " rows are answered alike.",
                      c->c, c->b, c->both_wrong, c->rows - c->b - c->c - c->both_wrong);
}

typedef struct changed_class {
  double change;
  int64_t number;
} changed_class;

static int most_first(const void *a, const void *b) {
  const changed_class *x = a, *y = b;
  if (x->change < y->change || x->change > y->change) return x->change > y->change ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

static void put_class(as_report *r, const char *label, const as_compared_class *class) {
  as_report_cell(r, "%s", label);
  as_report_cell(r, "%" PRId64, class->support);
  as_report_number(r, class->f1[0], 4, false);
  as_report_number(r, class->f1[1], 4, false);
  as_report_number(r, class->difference, 4, true);
  as_report_cell(r, "%" PRId64, class->b);
  as_report_cell(r, "%" PRId64, class->c);
  as_report_p(r, class->holm_p);
}

as_status as_comparison_report(as_context *ctx, as_report *r, const as_comparison *c) {
  enum { SHOWN = 30 };
  static const as_report_column columns[] = {{"class", 22},  {"rows", -7}, {"F1 first", -10}, {"second", -9},
                                             {"change", -9}, {"b", -5},    {"c", -5},         {"p", -7}};
  as_compared_figures_table(r, c->figures, AS_COMPARED_FIGURES);
  put_test(r, c);
  changed_class *changed = as_alloc(ctx, (size_t)c->classes, sizeof *changed);
  int64_t count = 0;
  if (!changed) return AS_E_NOMEM;
  for (int64_t k = 0; k < c->classes; k++)
    if (c->each[k].b + c->each[k].c > 0) changed[count++] = (changed_class){fabs(c->each[k].difference), k};
  if (count > 1) qsort(changed, (size_t)count, sizeof *changed, most_first);
  if (count > 0) as_report_table(r, columns, sizeof columns / sizeof columns[0]);
  for (int64_t i = 0; i < count && i < SHOWN; i++)
    put_class(r, c->labels[changed[i].number], &c->each[changed[i].number]);
  as_free(ctx, changed);
  if (count > 0)
    as_report_paragraph(r,
                        "%" PRId64 " of %" PRId64
                        " classes changed%s. b, c: rows of which only the first, only the second tells rightly whether "
                        "they are of the class; p: McNemar's exact one, by Holm for %" PRId64 " classes at once.",
                        count, c->seen, count > SHOWN ? "; the 30 that changed most are shown" : "", c->seen);
  return as_buffer_status(r->out);
}
