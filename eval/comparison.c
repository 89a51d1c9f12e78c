/* See comparison.h. */
#include "eval/comparison.h"

#include <math.h>

#include "base/memory.h"
#include "eval/resampling.h"

as_row_change as_row_change_of(int32_t truth, int32_t first, int32_t second) {
  if (first == second) return AS_ROW_ALIKE;
  return first == truth ? AS_ROW_BROKEN : second == truth ? AS_ROW_FIXED : AS_ROW_BOTH_WRONG;
}

/* ---- each class ------------------------------------------------------------------------------------------------- */

static void count_discordant(const as_comparison_input *in, as_comparison *out) {
  for (int64_t row = 0; row < in->rows; row++) {
    const int32_t truth = in->truth[row], first = in->predicted[0][row], second = in->predicted[1][row];
    if (first == second) continue;
    out->both_wrong += as_row_change_of(truth, first, second) == AS_ROW_BOTH_WRONG;
    /* Of all classes just these two are told differently: `first` is said by the first only, `second` by the second. */
    if (truth == first)
      out->each[first].b++;
    else
      out->each[first].c++;
    if (truth == second)
      out->each[second].c++;
    else
      out->each[second].b++;
  }
}

static as_status adjust(as_context *ctx, as_comparison *out) {
  double *p = as_alloc(ctx, (size_t)out->seen, sizeof *p);
  int64_t at = 0;
  if (!p) return AS_E_NOMEM;
  for (int64_t k = 0; k < out->classes; k++)
    if (out->each[k].seen) p[at++] = out->each[k].exact_p;
  as_status status = as_holm_adjust(ctx, p, at);
  at = 0;
  for (int64_t k = 0; status == AS_OK && k < out->classes; k++)
    if (out->each[k].seen) out->each[k].holm_p = p[at++];
  as_free(ctx, p);
  return status;
}

static as_status compare_classes(as_context *ctx, const as_comparison_input *in, as_comparison *out) {
  out->each = as_alloc_zero(ctx, (size_t)in->classes, sizeof *out->each);
  if (!out->each) return AS_E_NOMEM;
  count_discordant(in, out);
  for (int64_t k = 0; k < in->classes; k++) {
    as_compared_class *class = &out->each[k];
    const as_classification *s[2] = {&out->evaluations[0].scores, &out->evaluations[1].scores};
    class->support = s[0]->support[k];
    class->seen = s[0]->support[k] + s[0]->predicted[k] + s[1]->predicted[k] > 0;
    out->seen += class->seen;
    for (int model = 0; model < 2; model++) class->f1[model] = s[model]->f1.per_class[k];
    class->difference = class->f1[1] - class->f1[0];
    class->exact_p = as_mcnemar_test(class->b, class->c).exact_p;
    class->holm_p = 1;
  }
  return adjust(ctx, out);
}

/* ---- figures ---------------------------------------------------------------------------------------------------- */

static double macro_f1_of(const as_comparison *c, int model) {
  double sum = 0;
  for (int64_t k = 0; k < c->classes; k++)
    if (c->each[k].seen) sum += c->each[k].f1[model];
  return sum / (double)c->seen;
}

/* The seen classes' new numbers, so that a resample's mean is over these. [classes] */
static as_status number_seen(as_context *ctx, const as_comparison *c, int32_t **out) {
  int32_t *numbers = *out = as_alloc(ctx, (size_t)c->classes, sizeof *numbers), next = 0;
  for (int64_t k = 0; numbers && k < c->classes; k++) numbers[k] = c->each[k].seen ? next++ : -1;
  return numbers ? AS_OK : AS_E_NOMEM;
}

static as_status resample_labels(as_context *ctx, const as_comparison_input *in, as_comparison *out) {
  const size_t rows = (size_t)in->rows;
  int32_t *numbers = NULL, *labels = as_alloc(ctx, 3 * rows, sizeof *labels); /* truth, first, second */
  as_paired_bootstrap paired = {0};
  as_status status = labels ? number_seen(ctx, out, &numbers) : AS_E_NOMEM;
  for (size_t row = 0; status == AS_OK && row < rows; row++) {
    labels[row] = numbers[in->truth[row]];
    labels[rows + row] = numbers[in->predicted[0][row]];
    labels[2 * rows + row] = numbers[in->predicted[1][row]];
  }
  if (status == AS_OK)
    status = as_paired_bootstrap_measure(ctx, in->rows, out->seen, labels, labels + rows, labels + 2 * rows,
                                         in->resamples, NULL, in->seed, &paired);
  if (status == AS_OK) {
    const as_evaluation *e = out->evaluations;
    out->figures[AS_COMPARED_ACCURACY].score = (as_paired_score){
        e[0].scores.accuracy, e[1].scores.accuracy, e[0].ci95.accuracy, e[1].ci95.accuracy, paired.accuracy};
    out->figures[AS_COMPARED_MACRO_F1].score = (as_paired_score){
        macro_f1_of(out, 0), macro_f1_of(out, 1), e[0].ci95.macro_f1_seen, e[1].ci95.macro_f1_seen, paired.macro_f1};
    out->figures[AS_COMPARED_ACCURACY].score.delta.deltas = out->figures[AS_COMPARED_MACRO_F1].score.delta.deltas =
        NULL;
  }
  as_paired_bootstrap_free(ctx, &paired);
  as_free(ctx, labels);
  as_free(ctx, numbers);
  return status;
}

enum { LOG_LOSS, BRIER, LOSSES };

static void mean_losses(const double *sums, int64_t rows, double *scores) {
  for (int i = 0; i < LOSSES; i++) scores[i] = sums[i] / (double)rows;
}

static as_status resample_losses(as_context *ctx, const as_comparison_input *in, as_comparison *out) {
  const size_t rows = (size_t)in->rows;
  double *losses = as_alloc(ctx, 2 * rows * LOSSES, sizeof *losses); /* [2, rows, LOSSES] */
  if (!losses) return AS_E_NOMEM;
  for (size_t i = 0; i < 2 * rows; i++) {
    const size_t row = i % rows;
    const double *p = in->probabilities[i / rows] + row * (size_t)in->classes;
    losses[i * LOSSES + LOG_LOSS] = as_row_log_loss(p, in->truth[row]);
    losses[i * LOSSES + BRIER] = as_row_brier(p, in->classes, in->truth[row]);
  }
  const as_paired_sums sums = {in->rows, LOSSES, LOSSES, losses, losses + rows * LOSSES, mean_losses};
  as_paired_score scores[LOSSES];
  as_status status = as_paired_sums_measure(ctx, &sums, in->resamples, NULL, in->seed, scores);
  if (status == AS_OK) {
    out->figures[AS_COMPARED_LOG_LOSS].score = scores[LOG_LOSS];
    out->figures[AS_COMPARED_BRIER].score = scores[BRIER];
    out->figures[AS_COMPARED_LOG_LOSS].score.delta.deltas = out->figures[AS_COMPARED_BRIER].score.delta.deltas = NULL;
    as_paired_scores_free(ctx, scores, LOSSES);
  }
  as_free(ctx, losses);
  return status;
}

static void name_figures(as_comparison *out) {
  static const struct {
    const char *key, *name;
  } names[AS_COMPARED_FIGURES] = {[AS_COMPARED_ACCURACY] = {"accuracy", "accuracy"},
                                  [AS_COMPARED_MACRO_F1] = {"macro_f1", "macro F1"},
                                  [AS_COMPARED_LOG_LOSS] = {"log_loss", "log loss"},
                                  [AS_COMPARED_BRIER] = {"brier", "Brier score"},
                                  [AS_COMPARED_ECE] = {"ece15", "calibration (ECE)"}};
  for (int i = 0; i < AS_COMPARED_FIGURES; i++)
    out->figures[i] = as_compared_figure_plain(names[i].key, names[i].name, 4, NAN, NAN);
  out->figures[AS_COMPARED_ACCURACY].with_ends = out->figures[AS_COMPARED_MACRO_F1].with_ends = true;
}

static as_status measure(as_context *ctx, const as_comparison_input *in, as_comparison *out) {
  as_status status = AS_OK;
  for (int model = 0; status == AS_OK && model < 2; model++) {
    const as_evaluation_input one = {.rows = in->rows,
                                     .classes = in->classes,
                                     .labels = in->labels,
                                     .truth = in->truth,
                                     .predicted = in->predicted[model],
                                     .probabilities = in->probabilities[model],
                                     .resamples = in->resamples,
                                     .seed = in->seed};
    status = as_evaluation_measure(ctx, &one, &out->evaluations[model]);
  }
  if (status == AS_OK) status = compare_classes(ctx, in, out);
  if (status != AS_OK || in->rows == 0) return status;
  as_discordant_pairs(in->rows, in->truth, in->predicted[0], in->predicted[1], &out->b, &out->c);
  out->mcnemar = as_mcnemar_test(out->b, out->c);
  status = resample_labels(ctx, in, out);
  if (status == AS_OK) status = resample_losses(ctx, in, out);
  out->figures[AS_COMPARED_ECE] =
      as_compared_figure_plain("ece15", "calibration (ECE)", 4, out->evaluations[0].scores.reliability.ece,
                               out->evaluations[1].scores.reliability.ece);
  return status;
}

as_status as_comparison_measure(as_context *ctx, const as_comparison_input *in, as_comparison *out) {
  *out = (as_comparison){.rows = in->rows,
                         .classes = in->classes,
                         .labels = in->labels,
                         .resamples = in->resamples,
                         .seed = in->seed,
                         .mcnemar = as_mcnemar_test(0, 0)};
  name_figures(out);
  const as_status status = measure(ctx, in, out);
  if (status != AS_OK) as_comparison_free(ctx, out);
  return status;
}

void as_comparison_free(as_context *ctx, as_comparison *comparison) {
  for (int model = 0; model < 2; model++) as_evaluation_free(ctx, &comparison->evaluations[model]);
  as_free(ctx, comparison->each);
  *comparison = (as_comparison){0};
}
