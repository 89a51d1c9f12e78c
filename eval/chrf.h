/* chrF (Popovic 2015) and chrF++ (2017) as sacrebleu computes them: character order 6, beta 2, white space left out, no
 * smoothing; chrF++ with words and pairs of words. */
#ifndef AS_EVAL_CHRF_H
#define AS_EVAL_CHRF_H

#include "base/text_unicode.h"

enum { AS_CHRF_CHARACTER_ORDER = 6, AS_CHRF_WORD_ORDER = 2, AS_CHRF_ORDERS = 8 };

/* What a segment adds to its corpus; zeroed is the empty corpus. The orders are those of characters, then of words. */
typedef struct as_chrf_counts {
  int64_t hypothesis[AS_CHRF_ORDERS]; /* n-grams, 0 where the reference has none of that order */
  int64_t reference[AS_CHRF_ORDERS];
  int64_t matches[AS_CHRF_ORDERS];
} as_chrf_counts;

/* Adds the counts of the reference that scores best, the first of equals; `words` says whether by chrF++ or by chrF.
 * `references` is not empty. On failure *counts is unchanged. */
AS_MUST_CHECK as_status as_chrf_add(as_context *ctx, as_chrf_counts *counts, as_string_view hypothesis,
                                    const as_string_view *references /* [reference_count] */, size_t reference_count,
                                    bool words);

/* 0 .. 100. `words` as the counts were made. */
double as_chrf_score(const as_chrf_counts *counts, bool words);

#endif
