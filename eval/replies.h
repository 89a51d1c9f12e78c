/* How good replies are, each held against the one that was expected: agreement of words and characters, variety,
 * lengths, and whether placeholders such as {{Order Number}} survive. One reference a reply. */
#ifndef AS_EVAL_REPLIES_H
#define AS_EVAL_REPLIES_H

#include "base/json.h"
#include "base/text_unicode.h"

/* Of the lengths of texts, in words between white space. */
typedef struct as_length_statistics {
  int64_t shortest, median, longest;
  double mean;
} as_length_statistics;

typedef struct as_reply_scores {
  int64_t rows;
  double bleu;                                /* of the corpus, 0 .. 100, as sacrebleu (eval/bleu.h) */
  double chrf;                                /* likewise (eval/chrf.h) */
  double rouge1, rouge2, rouge_l;             /* mean F without stemmer, 0 .. 1 (eval/rouge.h) */
  double exact_match, exact_match_normalized; /* shares of the rows (eval/text_match.h) */
  double distinct1, distinct2;
  as_length_statistics length, reference_length;
  /* Placeholders "{{...}}" of the references, each kind once a row: how many, and how many the row's reply has too. */
  int64_t placeholders, placeholders_kept;
} as_reply_scores;

/* AS_E_INVALID without rows; AS_E_LIMIT: a text too long for ROUGE. */
AS_MUST_CHECK as_status as_reply_scores_measure(as_context *ctx, const as_string_view *replies /* [rows] */,
                                                const as_string_view *references /* [rows] */, int64_t rows,
                                                as_reply_scores *out);

/* ---- what a row adds --------------------------------------------------------------------------------------------
 *
 * All scores but variety and the spread of lengths follow from sums over the rows, so that they can be computed again
 * for any choice of rows without looking at a text (eval/paired_sums.h). */

typedef enum as_reply_figure {
  AS_REPLY_BLEU,
  AS_REPLY_CHRF,
  AS_REPLY_ROUGE1,
  AS_REPLY_ROUGE2,
  AS_REPLY_ROUGE_L,
  AS_REPLY_EXACT,
  AS_REPLY_EXACT_NORMALIZED,
  AS_REPLY_WORDS, /* mean */
  AS_REPLY_KEPT,  /* share of the placeholders; NaN without any */
  AS_REPLY_FIGURES
} as_reply_figure;

/* Counts of BLEU, counts of chrF, and a sum each for the other figures, two for the placeholders. */
enum { AS_REPLY_SUMS = 10 + 18 + 8 };

/* AS_E_LIMIT: a text too long for ROUGE. */
AS_MUST_CHECK as_status as_reply_row_sums(as_context *ctx, as_string_view reply, as_string_view reference,
                                          double sums[AS_REPLY_SUMS]);
/* The figures of rows whose sums were added up. */
void as_reply_figures_of(const double *sums /* [AS_REPLY_SUMS] */, int64_t rows,
                         double *figures /* [AS_REPLY_FIGURES] */);
/* BLEU of one row for itself: orders that it has no n-gram of are left out. */
double as_reply_row_bleu(const double sums[AS_REPLY_SUMS]);

/* Writes bleu, chrf, rouge1, rouge2, rougeL, exact_match, exact_match_normalized, distinct1, distinct2, length and
 * reference_length {min, median, mean, max}, placeholders and placeholders_kept into the object that is open. */
void as_reply_scores_json(as_json_writer *writer, const as_reply_scores *scores);

/* ---- the evaluation of a response model ---------------------------------------------------------------------------
 */

/* A model beside two answers that need none. */
typedef struct as_reply_evaluation {
  as_reply_scores model, frequent, nearest;
  bool has_baselines;      /* otherwise frequent and nearest are empty */
  double loss, perplexity; /* of the expected replies' tokens, natural logarithm */
  int64_t tokens;          /* how many of them */
  int64_t cut;             /* rows whose message or expected reply lost tokens to a limit */
  int64_t unfinished;      /* replies that ended at the limit of their length */
} as_reply_evaluation;

/* What to say of a model that a baseline beats by BLEU: one or two sentences, or none. */
void as_reply_verdict(double model, double nearest, double frequent, as_buffer *out);

/* Writes n, loss, perplexity, tokens, truncated, unfinished, the fields of as_reply_scores_json, and baselines
 * {most_frequent, nearest} with those fields too, null where there are none; and verdict, null where the model wins. */
void as_reply_evaluation_json(as_json_writer *writer, const as_reply_evaluation *evaluation);
/* Appends the table for people, at most 80 columns wide. */
void as_reply_evaluation_table(const as_reply_evaluation *evaluation, as_buffer *out);

#endif
