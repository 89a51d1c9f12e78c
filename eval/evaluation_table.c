/* The evaluation as a table of at most 80 columns. Labels are made to fit: cut to a width, padded by what they take on
 * a terminal, and without control characters. */
#include "eval/evaluation.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/columns.h"

enum {
  PAGE_WIDTH = 80,
  MATRIX_CLASSES = 12, /* more than these do not fit side by side */
  SHOWN_CONFUSIONS = 15,
  LEAST_LABEL_WIDTH = 8,
  SCORE_COLUMNS = 47 /* what precision, recall, F1, AUC and support take */
};

static int widest_label(const as_evaluation *e, int most) {
  int width = LEAST_LABEL_WIDTH;
  for (int64_t k = 0; k < e->scores.classes; k++) {
    const int columns = as_text_columns(e->labels[k]);
    if (columns > width) width = columns;
  }
  return width < most ? width : most;
}

static void append_score(as_buffer *out, double value, int width) {
  if (isnan(value)) {
    as_buffer_printf(out, "%*s", width, "-");
  } else {
    as_buffer_printf(out, "%*.4f", width, value);
  }
}

/* ---- parts ----------------------------------------------------------------------------------------------------- */

static void append_line(as_buffer *out, const char *name, double value) {
  as_buffer_printf(out, "  %-24s", name);
  append_score(out, value, 8);
  as_buffer_char(out, '\n');
}

static void append_with_interval(as_buffer *out, const char *name, double value, as_interval interval) {
  as_buffer_printf(out, "  %-24s", name);
  append_score(out, value, 8);
  if (!isnan(interval.low)) as_buffer_printf(out, "   95 %% interval %.4f to %.4f", interval.low, interval.high);
  as_buffer_char(out, '\n');
}

/* A score that calibration changes, with what it was before. */
static void append_calibrated(as_buffer *out, const char *name, double value, const double *before) {
  as_buffer_printf(out, "  %-24s", name);
  append_score(out, value, 8);
  if (before) as_buffer_printf(out, "   before calibration %.4f", *before);
  as_buffer_char(out, '\n');
}

static void append_confidence(const as_evaluation *e, as_buffer *out) {
  const as_classification *s = &e->scores;
  const as_calibration_scores *before =
      e->calibration && !isnan(e->calibration->temperature) ? &e->calibration->before : NULL;
  append_calibrated(out, "log loss", s->log_loss, before ? &before->log_loss : NULL);
  append_calibrated(out, "Brier score", s->brier, before ? &before->brier : NULL);
  append_calibrated(out, "calibration error (ECE)", s->reliability.ece, before ? &before->reliability.ece : NULL);
  if (before) append_line(out, "temperature", e->calibration->temperature);
}

static void append_summary(const as_evaluation *e, as_buffer *out) {
  const as_classification *s = &e->scores;
  as_buffer_printf(out, "%" PRId64 " rows, %" PRId64 " classes\n\n", s->rows, s->classes);
  append_with_interval(out, "accuracy", s->accuracy, e->ci95.accuracy);
  append_with_interval(out, "macro F1", s->f1.macro_seen, e->ci95.macro_f1_seen);
  if (s->f1.macro < s->f1.macro_seen) {
    append_with_interval(out, "  with absent classes", s->f1.macro, e->ci95.macro_f1);
  }
  append_line(out, "weighted F1", s->f1.weighted);
  append_line(out, "balanced accuracy", s->balanced_accuracy);
  append_line(out, "Matthews correlation", s->mcc);
  append_line(out, "Cohen's kappa", s->kappa);
  if (s->has_probabilities) {
    if (s->classes > 2) append_line(out, "top-2 accuracy", s->top2_accuracy);
    append_confidence(e, out);
  }
  append_line(out, "majority, accuracy", e->majority_accuracy);
  append_line(out, "majority, macro F1", e->majority_macro_f1_seen);
}

static void append_averages(const as_classification *s, int width, as_buffer *out) {
  const double rows[3][3] = {{s->precision.macro_seen, s->recall.macro_seen, s->f1.macro_seen},
                             {s->precision.micro, s->recall.micro, s->f1.micro},
                             {s->precision.weighted, s->recall.weighted, s->f1.weighted}};
  const double auc[3] = {s->auc_macro, NAN, s->auc_weighted};
  static const char *const names[3] = {"macro", "micro", "weighted"};
  for (int i = 0; i < 3; i++) {
    as_buffer_text(out, "  ");
    as_buffer_columns(out, names[i], width);
    for (int k = 0; k < 3; k++) append_score(out, rows[i][k], 10);
    if (s->has_probabilities) append_score(out, auc[i], 8);
    as_buffer_printf(out, "%9" PRId64 "\n", s->rows);
  }
}

static void append_classes(const as_evaluation *e, as_buffer *out) {
  const as_classification *s = &e->scores;
  const int width = widest_label(e, PAGE_WIDTH - 2 - SCORE_COLUMNS);
  as_buffer_text(out, "\n  ");
  as_buffer_columns(out, "class", width);
  as_buffer_printf(out, " precision    recall        F1%s  support\n", s->has_probabilities ? "     AUC" : "");
  for (int64_t k = 0; k < s->classes; k++) {
    as_buffer_text(out, "  ");
    as_buffer_columns(out, e->labels[k], width);
    append_score(out, s->precision.per_class[k], 10);
    append_score(out, s->recall.per_class[k], 10);
    append_score(out, s->f1.per_class[k], 10);
    if (s->has_probabilities) append_score(out, s->auc[k], 8);
    as_buffer_printf(out, "%9" PRId64 "\n", s->support[k]);
  }
  as_buffer_char(out, '\n');
  append_averages(s, width, out);
}

static int digits(int64_t count) {
  int length = 1;
  for (; count > 9; count /= 10) length++;
  return length;
}

/* Columns of a cell of the matrix: its widest number (or a column's number) and a space. */
static int cell_width(const as_classification *s) {
  int64_t most = s->classes;
  for (int64_t i = 0; i < s->classes * s->classes; i++) most = s->confusion[i] > most ? s->confusion[i] : most;
  return digits(most) + 1;
}

static void append_matrix(const as_evaluation *e, int cell, int width, as_buffer *out) {
  const as_classification *s = &e->scores;
  as_buffer_printf(out, "\n  Confusion: a row is a true class, a column the class that was predicted.\n\n  %*s",
                   width + 4, "");
  for (int64_t k = 1; k <= s->classes; k++) as_buffer_printf(out, "%*" PRId64, cell, k);
  as_buffer_char(out, '\n');
  for (int64_t truth = 0; truth < s->classes; truth++) {
    as_buffer_printf(out, "  %2" PRId64 "  ", truth + 1);
    as_buffer_columns(out, e->labels[truth], width);
    for (int64_t k = 0; k < s->classes; k++) {
      const int64_t count = s->confusion[truth * s->classes + k];
      if (count > 0) {
        as_buffer_printf(out, "%*" PRId64, cell, count);
      } else {
        as_buffer_printf(out, "%*s", cell, ".");
      }
    }
    as_buffer_char(out, '\n');
  }
}

typedef struct confusion {
  int64_t count, truth, predicted;
} confusion;

/* Keeps `top` ([SHOWN_CONFUSIONS], `held` of them) the commonest, earlier classes first among equals. */
static int keep_commonest(confusion *top, int held, confusion new) {
  int at = held;
  while (at > 0 && top[at - 1].count < new.count) at--;
  if (at == SHOWN_CONFUSIONS) return held;
  if (held < SHOWN_CONFUSIONS) held++;
  memmove(top + at + 1, top + at, (size_t)(held - at - 1) * sizeof *top);
  top[at] = new;
  return held;
}

static void append_commonest(const as_evaluation *e, as_buffer *out) {
  const as_classification *s = &e->scores;
  confusion top[SHOWN_CONFUSIONS];
  int held = 0;
  for (int64_t i = 0; i < s->classes * s->classes; i++) {
    const confusion cell = {s->confusion[i], i / s->classes, i % s->classes};
    if (cell.count > 0 && cell.truth != cell.predicted) held = keep_commonest(top, held, cell);
  }
  if (held == 0) return;
  const int width = widest_label(e, (PAGE_WIDTH - 26) / 2);
  as_buffer_text(out, "\n  Commonest confusions, with their share of the true class:\n\n");
  for (int i = 0; i < held; i++) {
    as_buffer_printf(out, "  %6" PRId64 " %5.1f %%  ", top[i].count,
                     100 * (double)top[i].count / (double)s->support[top[i].truth]);
    as_buffer_columns(out, e->labels[top[i].truth], width);
    as_buffer_text(out, "  as  ");
    as_buffer_columns(out, e->labels[top[i].predicted], width);
    as_buffer_char(out, '\n');
  }
}

as_status as_evaluation_table(const as_evaluation *evaluation, as_buffer *out) {
  const as_classification *s = &evaluation->scores;
  append_summary(evaluation, out);
  append_classes(evaluation, out);
  const int cell = s->classes <= MATRIX_CLASSES ? cell_width(s) : PAGE_WIDTH;
  const int64_t left = PAGE_WIDTH - 6 - cell * s->classes;
  if (left >= LEAST_LABEL_WIDTH) {
    append_matrix(evaluation, cell, widest_label(evaluation, (int)left), out);
  } else {
    append_commonest(evaluation, out);
  }
  return as_buffer_status(out);
}
