/* See compared_figures.h. */
#include "eval/compared_figures.h"

#include <math.h>

#include "eval/metrics_json.h"
#include "eval/resampling.h"

as_compared_figure as_compared_figure_plain(const char *key, const char *name, int decimals, double first,
                                            double second) {
  const as_interval none = {NAN, NAN};
  as_compared_figure figure = {key, name, decimals, false, {first, second, none, none, as_undefined_delta()}};
  figure.score.delta.observed = second - first;
  return figure;
}

void as_compared_figures_json(as_json_writer *w, const as_compared_figure *figures, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const as_paired_score *s = &figures[i].score;
    as_json_open_object(w, figures[i].key);
    as_json_double(w, "first", s->first);
    as_json_double(w, "second", s->second);
    as_json_double(w, "difference", s->delta.observed);
    if (!isnan(s->delta.mean)) {
      as_interval_json(w, "ci95_first", s->first_ci95);
      as_interval_json(w, "ci95_second", s->second_ci95);
      as_bootstrap_delta_json(w, &s->delta);
    }
    as_json_close_object(w);
  }
}

void as_report_p(as_report *r, double p) {
  if (isnan(p))
    as_report_cell(r, "%s", "");
  else
    as_report_cell(r, p < 0.0005 ? "<0.001" : "%.3f", p);
}

static void put_figure(as_report *r, const as_compared_figure *figure) {
  const as_paired_score *s = &figure->score;
  const int decimals = figure->decimals;
  as_report_cell(r, "%s", figure->name);
  as_report_number(r, s->first, decimals, false);
  as_report_number(r, s->second, decimals, false);
  as_report_number(r, s->delta.observed, decimals, true);
  as_report_interval(r, s->delta.ci95.low, s->delta.ci95.high, decimals, true);
  as_report_p(r, s->delta.p_two_sided);
}

/* The intervals of both stand in the columns of their figures, one end below the other. */
static void put_ends(as_report *r, const as_compared_figure *figure) {
  const as_paired_score *s = &figure->score;
  const double ends[2][2] = {{s->first_ci95.low, s->second_ci95.low}, {s->first_ci95.high, s->second_ci95.high}};
  static const char *const names[2] = {"  from", "  to"};
  if (!figure->with_ends || isnan(s->first_ci95.low) || isnan(s->second_ci95.low)) return;
  for (int end = 0; end < 2; end++) {
    as_report_cell(r, "%s", names[end]);
    for (int model = 0; model < 2; model++) as_report_number(r, ends[end][model], figure->decimals, false);
    for (int column = 3; column < 6; column++) as_report_cell(r, "%s", "");
  }
}

void as_compared_figures_table(as_report *r, const as_compared_figure *figures, size_t count) {
  static const as_report_column columns[] = {
      {"", 19}, {"first", -10}, {"second", -10}, {"difference", -12}, {"95 % interval", -20}, {"p", -7}};
  as_report_table(r, columns, sizeof columns / sizeof columns[0]);
  for (size_t i = 0; i < count; i++) {
    put_figure(r, &figures[i]);
    put_ends(r, &figures[i]);
  }
}
