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
