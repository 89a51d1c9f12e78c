/* Figures of two models beside each other: a line each in a table, a member each in JSON. */
#ifndef AS_EVAL_COMPARED_FIGURES_H
#define AS_EVAL_COMPARED_FIGURES_H

#include "base/json.h"
#include "base/report.h"
#include "eval/paired_sums.h"

typedef struct as_compared_figure {
  const char *key;  /* in JSON: "macro_f1" */
  const char *name; /* for people: "macro F1" */
  int decimals;
  bool with_ends;        /* the table has the intervals of both, too */
  as_paired_score score; /* what was not resampled is NaN in it; a `deltas` is not looked at */
} as_compared_figure;

/* A figure without resampling. */
as_compared_figure as_compared_figure_plain(const char *key, const char *name, int decimals, double first,
                                            double second);

/* Writes a member for each into the open object: first, second, difference, and of what was resampled ci95_first,
 * ci95_second, observed (the difference), mean, std_ddof1, ci95, p_one_sided_b_better and p_two_sided, as `metrics
 * bootstrap` has them. */
void as_compared_figures_json(as_json_writer *writer, const as_compared_figure *figures, size_t count);
/* The table: first, second, difference with interval and p; with_ends: below them the intervals of both. */
void as_compared_figures_table(as_report *report, const as_compared_figure *figures, size_t count);
/* A cell with a p value: "0.012", "<0.001"; empty for NaN. */
void as_report_p(as_report *report, double p);

#endif
