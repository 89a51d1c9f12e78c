/* The replies of two models to the same messages, each held against the reply that was expected: which are better, by
 * how much, and how sure is that (Koehn 2004, "Statistical significance tests for machine translation evaluation": the
 * paired bootstrap over rows, the corpus scores computed anew for each resample). */
#ifndef AS_EVAL_REPLIES_COMPARISON_H
#define AS_EVAL_REPLIES_COMPARISON_H

#include "eval/compared_figures.h"
#include "eval/replies.h"

/* Everything is borrowed. */
typedef struct as_reply_comparison_input {
  int64_t rows;
  const as_string_view *references; /* [rows] */
  const as_string_view *replies[2]; /* [rows] of the first and of the second */
  int64_t resamples;
  const int32_t *indices; /* [resamples, rows], or NULL: drawn from `seed` */
  uint64_t seed;
} as_reply_comparison_input;

typedef struct as_reply_comparison {
  int64_t rows, resamples;
  uint64_t seed;
  as_reply_scores scores[2]; /* of each for itself; empty without rows */
  as_compared_figure figures[AS_REPLY_FIGURES];
  double *row_bleu[2];          /* [rows] of single rows (as_reply_row_bleu) */
  int64_t alike, better, worse; /* rows with the same reply; with a higher, with a lower BLEU of the row */
} as_reply_comparison;

/* Caller frees with as_reply_comparison_free. No rows are allowed. AS_E_LIMIT: a text too long for ROUGE. */
AS_MUST_CHECK as_status as_reply_comparison_measure(as_context *ctx, const as_reply_comparison_input *input,
                                                    as_reply_comparison *out);
void as_reply_comparison_free(as_context *ctx, as_reply_comparison *comparison); /* a zeroed one is allowed */

/* Writes n, the members of as_compared_figures_json, resamples, seed and changes {alike, better, worse} into the open
 * object. */
void as_reply_comparison_json(as_json_writer *writer, const as_reply_comparison *comparison);
void as_reply_comparison_report(as_report *report, const as_reply_comparison *comparison);

#endif
