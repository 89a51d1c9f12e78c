/* See replies_comparison.h. */
#include "eval/replies_comparison.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "eval/text_match.h"

static const struct {
  const char *key, *name;
  int decimals;
} figure_names[AS_REPLY_FIGURES] = {[AS_REPLY_BLEU] = {"bleu", "BLEU", 2},
                                    [AS_REPLY_CHRF] = {"chrf", "chrF", 2},
                                    [AS_REPLY_ROUGE1] = {"rouge1", "ROUGE-1 F", 4},
                                    [AS_REPLY_ROUGE2] = {"rouge2", "ROUGE-2 F", 4},
                                    [AS_REPLY_ROUGE_L] = {"rougeL", "ROUGE-L F", 4},
                                    [AS_REPLY_EXACT] = {"exact_match", "exact match", 4},
                                    [AS_REPLY_EXACT_NORMALIZED] = {"exact_match_normalized", "  normalized", 4},
                                    [AS_REPLY_WORDS] = {"words", "words, mean", 1},
                                    [AS_REPLY_KEPT] = {"placeholders_kept", "placeholders kept", 4}};

/* What every row adds, [2, rows, AS_REPLY_SUMS]. */
static as_status add_rows(as_context *ctx, const as_reply_comparison_input *in, double *sums,
                          as_reply_comparison *out) {
  as_status status = AS_OK;
  for (int model = 0; status == AS_OK && model < 2; model++)
    for (int64_t row = 0; status == AS_OK && row < in->rows; row++) {
      double *at = sums + (model * in->rows + row) * AS_REPLY_SUMS;
      status = as_reply_row_sums(ctx, in->replies[model][row], in->references[row], at);
      if (status == AS_OK) out->row_bleu[model][row] = as_reply_row_bleu(at);
    }
  for (int64_t row = 0; status == AS_OK && row < in->rows; row++) {
    out->alike += as_exact_match(in->replies[0][row], in->replies[1][row]);
    out->better += out->row_bleu[1][row] > out->row_bleu[0][row];
    out->worse += out->row_bleu[1][row] < out->row_bleu[0][row];
  }
  return status;
}

static as_status resample(as_context *ctx, const as_reply_comparison_input *in, as_reply_comparison *out) {
  const size_t rows = (size_t)in->rows;
  as_paired_score scores[AS_REPLY_FIGURES];
  double *sums = as_alloc(ctx, 2 * rows * AS_REPLY_SUMS, sizeof *sums);
  as_status status = sums ? add_rows(ctx, in, sums, out) : AS_E_NOMEM;
  const as_paired_sums job = {
      in->rows, AS_REPLY_SUMS, AS_REPLY_FIGURES, sums, sums ? sums + rows * AS_REPLY_SUMS : NULL, as_reply_figures_of};
  if (status == AS_OK) status = as_paired_sums_measure(ctx, &job, in->resamples, in->indices, in->seed, scores);
  if (status == AS_OK) {
    for (int i = 0; i < AS_REPLY_FIGURES; i++) {
      out->figures[i].score = scores[i];
      out->figures[i].score.delta.deltas = NULL;
    }
    as_paired_scores_free(ctx, scores, AS_REPLY_FIGURES);
  }
  as_free(ctx, sums);
  return status;
}

static as_status measure(as_context *ctx, const as_reply_comparison_input *in, as_reply_comparison *out) {
  as_status status = AS_OK;
  for (int model = 0; model < 2; model++) {
    out->row_bleu[model] = as_alloc(ctx, (size_t)in->rows, sizeof(double));
    if (!out->row_bleu[model]) return AS_E_NOMEM;
  }
  if (in->rows == 0) return AS_OK;
  for (int model = 0; status == AS_OK && model < 2; model++)
    status = as_reply_scores_measure(ctx, in->replies[model], in->references, in->rows, &out->scores[model]);
  return status == AS_OK ? resample(ctx, in, out) : status;
}

as_status as_reply_comparison_measure(as_context *ctx, const as_reply_comparison_input *in, as_reply_comparison *out) {
  *out = (as_reply_comparison){.rows = in->rows, .resamples = in->resamples, .seed = in->seed};
  for (int i = 0; i < AS_REPLY_FIGURES; i++)
    out->figures[i] =
        as_compared_figure_plain(figure_names[i].key, figure_names[i].name, figure_names[i].decimals, NAN, NAN);
  out->figures[AS_REPLY_BLEU].with_ends = true;
  const as_status status = measure(ctx, in, out);
  if (status != AS_OK) as_reply_comparison_free(ctx, out);
  return status;
}

void as_reply_comparison_free(as_context *ctx, as_reply_comparison *comparison) {
  for (int model = 0; model < 2; model++) as_free(ctx, comparison->row_bleu[model]);
  *comparison = (as_reply_comparison){0};
}

void as_reply_comparison_json(as_json_writer *w, const as_reply_comparison *c) {
  as_json_int(w, "n", c->rows);
  as_compared_figures_json(w, c->figures, AS_REPLY_FIGURES);
  as_json_int(w, "resamples", c->resamples);
  as_json_int(w, "seed", (int64_t)c->seed);
  as_json_open_object(w, "changes");
  as_json_int(w, "alike", c->alike);
  as_json_int(w, "better", c->better);
  as_json_int(w, "worse", c->worse);
  as_json_close_object(w);
}

void as_reply_comparison_report(as_report *r, const as_reply_comparison *c) {
  as_compared_figures_table(r, c->figures, AS_REPLY_FIGURES);
  as_report_paragraph(r,
                      "%" PRId64 " replies are the same; %" PRId64 " of the second are better and %" PRId64
                      " worse by the BLEU of the row.",
                      c->alike, c->better, c->worse);
}
