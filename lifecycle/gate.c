/* See gate.h. */
#include "lifecycle/gate.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define SIGNIFICANT 0.05

/* A limit that is met exactly is met, whatever the last bits of a difference say. */
static bool reaches(double figure, double limit) {
  return figure >= limit - 1e-12;
}

as_gate_limits as_gate_no_limits(void) {
  return (as_gate_limits){1, NAN, NAN, NAN, NAN, NAN, 1, NAN, NAN};
}

AS_PRINTF(6, 7)
static void add(as_gate *gate, const char *name, double figure, double limit, bool passed, const char *format, ...) {
  as_gate_criterion *criterion = &gate->criteria[gate->count++];
  va_list arguments;
  *criterion = (as_gate_criterion){.name = name, .figure = figure, .limit = limit, .passed = passed};
  va_start(arguments, format);
  vsnprintf(criterion->text, sizeof criterion->text, format, arguments);
  va_end(arguments);
  gate->passed = gate->passed && passed;
}

static void judge_rows(const as_gate_limits *l, const as_gate_figures *f, as_gate *out) {
  const int64_t least = l->min_rows > 1 ? l->min_rows : 1;
  add(out, "rows", (double)f->rows, (double)least, f->rows >= least, "%" PRId64 " %s, at least %" PRId64 " wanted",
      f->rows, f->unit, least);
}

static void judge_loss(const as_gate_limits *l, const as_gate_figures *f, as_gate *out) {
  const bool proved = reaches(f->ci95.low, -l->max_loss), worse = f->ci95.high < 0;
  const bool near = reaches(f->difference, -l->max_loss);
  add(out, "loss", f->difference, -l->max_loss, proved || (near && !worse),
      "%s changes by %+.*f (%+.*f to %+.*f), at least %+.*f wanted: %s", f->name, f->decimals, f->difference,
      f->decimals, f->ci95.low, f->decimals, f->ci95.high, f->decimals, -l->max_loss,
      proved  ? "shown to be no worse"
      : worse ? "significantly worse"
      : near  ? "not shown to be worse"
              : "too much is lost");
}

static void judge_gain(const as_gate_limits *l, const as_gate_figures *f, as_gate *out) {
  add(out, "gain", f->ci95.low, l->min_gain, reaches(f->ci95.low, l->min_gain),
      "%s gains at least %+.*f (lower end of the interval), %+.*f wanted", f->name, f->decimals, f->ci95.low,
      f->decimals, l->min_gain);
}

static void judge_drop(const as_gate_limits *l, const as_gate_figures *f, as_gate *out) {
  if (isnan(f->before)) {
    add(out, "drop", NAN, l->max_drop, true, "no earlier %s of the first is recorded, so none is held against it",
        f->name);
    return;
  }
  const double drop = f->before - f->second;
  add(out, "drop", drop, l->max_drop, reaches(l->max_drop, drop),
      "%s of the second %.*f, of the first when last measured %.*f: may be %.*f lower", f->name, f->decimals, f->second,
      f->decimals, f->before, f->decimals, l->max_drop);
}

static void judge_classes(const as_gate_limits *l, const as_gate_figures *f, as_gate *out) {
  const as_gate_class *worst = NULL;
  int64_t judged = 0;
  for (size_t i = 0; i < f->class_count; i++) {
    const as_gate_class *class = &f->classes[i];
    if (class->rows < l->min_class_rows) continue;
    judged++;
    if (class->p < SIGNIFICANT && (!worst || class->difference < worst->difference)) worst = class;
  }
  if (!worst || worst->difference >= 0) {
    add(out, "class_loss", 0, l->max_class_loss, true,
        "none of %" PRId64 " classes with %" PRId64 " rows or more is significantly worse", judged, l->min_class_rows);
    return;
  }
  add(out, "class_loss", -worst->difference, l->max_class_loss, reaches(l->max_class_loss, -worst->difference),
      "F1 of %.60s changes by %+.4f (p %.2g, adjusted), may be %.4f lower", worst->label, worst->difference, worst->p,
      l->max_class_loss);
}

void as_gate_judge(const as_gate_limits *l, const as_gate_figures *f, as_gate *out) {
  *out = (as_gate){.passed = true};
  judge_rows(l, f, out);
  if (f->rows == 0) return;
  if (!isnan(l->max_loss)) judge_loss(l, f, out);
  if (!isnan(l->min_gain)) judge_gain(l, f, out);
  if (!isnan(l->min_score))
    add(out, "score", f->second, l->min_score, reaches(f->second, l->min_score),
        "%s of the second %.*f, at least %.*f wanted", f->name, f->decimals, f->second, f->decimals, l->min_score);
  if (!isnan(l->max_drop)) judge_drop(l, f, out);
  if (!isnan(l->max_class_loss)) judge_classes(l, f, out);
  if (!isnan(l->max_calibration_loss))
    add(out, "calibration", f->calibration_loss, l->max_calibration_loss,
        reaches(l->max_calibration_loss, f->calibration_loss),
        "calibration error (ECE) changes by %+.4f, at most %+.4f wanted", f->calibration_loss, l->max_calibration_loss);
  if (!isnan(l->max_slowdown))
    add(out, "slowdown", f->slowdown, l->max_slowdown, reaches(l->max_slowdown, f->slowdown),
        "an answer takes %.2f times as long, at most %.2f times wanted", f->slowdown, l->max_slowdown);
}

void as_gate_json(as_json_writer *w, const as_gate *gate) {
  as_json_open_object(w, "gate");
  as_json_bool(w, "passed", gate->passed);
  as_json_open_array(w, "criteria");
  for (size_t i = 0; i < gate->count; i++) {
    const as_gate_criterion *c = &gate->criteria[i];
    as_json_open_object(w, NULL);
    as_json_string(w, "name", c->name);
    as_json_double(w, "figure", c->figure);
    as_json_double(w, "limit", c->limit);
    as_json_bool(w, "passed", c->passed);
    as_json_string(w, "text", c->text);
    as_json_close_object(w);
  }
  as_json_close_array(w);
  as_json_close_object(w);
}

void as_gate_report(as_report *r, const as_gate *gate) {
  as_report_paragraph(r, "The gate is %s.", gate->passed ? "passed" : "not passed");
  for (size_t i = 0; i < gate->count; i++)
    as_report_item(r, gate->criteria[i].passed ? "passed" : "failed", "%s", gate->criteria[i].text);
}
