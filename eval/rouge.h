/* ROUGE (Lin 2004) as the rouge_score package computes it. */
#ifndef AS_EVAL_ROUGE_H
#define AS_EVAL_ROUGE_H

#include "base/text_unicode.h"

typedef enum as_rouge_measure { AS_ROUGE_1, AS_ROUGE_2, AS_ROUGE_L, AS_ROUGE_LSUM, AS_ROUGE_MEASURES } as_rouge_measure;

typedef struct as_rouge_score {
  double precision;
  double recall;
  double f; /* their harmonic mean; 0 when both are 0 */
} as_rouge_score;

/* "rouge1", "rouge2", "rougeL", "rougeLsum". */
const char *as_rouge_name(as_rouge_measure measure);

/* ROUGE-1 and -2 (n-grams), -L (longest common subsequence) and -Lsum (the same by lines, as union over the
 * hypothesis's lines), with or without Porter's stemmer. AS_E_LIMIT: the product of the texts' words is above 2^31. */
AS_MUST_CHECK as_status as_rouge_measure_text(as_context *ctx, as_string_view hypothesis, as_string_view reference,
                                              bool stemmer, as_rouge_score scores[AS_ROUGE_MEASURES]);

/* Of several references, per measure the one with the highest F, the first of equals. `references` is not empty. */
AS_MUST_CHECK as_status as_rouge_measure_best(as_context *ctx, as_string_view hypothesis,
                                              const as_string_view *references /* [reference_count] */,
                                              size_t reference_count, bool stemmer,
                                              as_rouge_score scores[AS_ROUGE_MEASURES]);

#endif
