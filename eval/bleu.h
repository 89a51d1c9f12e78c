/* BLEU (Papineni et al. 2002) as sacrebleu computes it: 13a tokens, order 4, exponential smoothing, case kept. */
#ifndef AS_EVAL_BLEU_H
#define AS_EVAL_BLEU_H

#include "base/text_unicode.h"

enum { AS_BLEU_ORDER = 4 };

/* What a segment adds to its corpus; zeroed is the empty corpus. */
typedef struct as_bleu_counts {
  int64_t matches[AS_BLEU_ORDER]; /* n-grams of the hypothesis found in a reference, each at most as often as in one */
  int64_t totals[AS_BLEU_ORDER];  /* n-grams of the hypothesis */
  int64_t hypothesis_length;      /* tokens */
  int64_t reference_length;       /* of the reference nearest in length, the shorter of two as near */
} as_bleu_counts;

typedef struct as_bleu {
  double score;                     /* 0 .. 100; a perfect one may end a rounding above */
  double precisions[AS_BLEU_ORDER]; /* percent, smoothed */
  double brevity_penalty;
} as_bleu;

/* Adds a segment's counts. `references` is not empty. With `lower`, texts are lower-cased first. On failure *counts is
 * unchanged. */
AS_MUST_CHECK as_status as_bleu_add(as_context *ctx, as_bleu_counts *counts, as_string_view hypothesis,
                                    const as_string_view *references /* [reference_count] */, size_t reference_count,
                                    bool lower);

/* The score of the counts. An order without any n-gram makes it 0, unless `effective_order` (meant for single segments)
 * leaves such orders out. */
as_bleu as_bleu_score(const as_bleu_counts *counts, bool effective_order);

#endif
