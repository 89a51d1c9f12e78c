/* Private: n-grams of several sequences as small whole numbers, so that counting them is counting numbers.
 *
 * Invariant: at order n, two positions (of whatever sequences) have the same id exactly if the n units that start there
 * are the same; ids are 0 .. distinct-1. */
#ifndef AS_EVAL_NGRAMS_H
#define AS_EVAL_NGRAMS_H

#include "eval/tokens.h"

typedef struct as_ngram_key {
  uint64_t key;
  uint32_t position;
} as_ngram_key;

typedef struct as_ngrams {
  as_context *ctx;
  const size_t *starts; /* [sequences + 1] where each sequence begins, and the end; borrowed */
  size_t sequences;
  size_t order;
  size_t distinct;    /* different n-grams of all sequences together */
  uint32_t *units;    /* [length] ids at order 1 */
  uint32_t *ids;      /* [length] at the present order; only where the sequence has n units left */
  uint32_t *counts;   /* [2, length] zero between calls */
  as_ngram_key *keys; /* [length] scratch */
} as_ngrams;

/* Starts at order 1, over tokens or over code points. On failure the table is empty. AS_E_LIMIT: more than 2^31 units.
 */
AS_MUST_CHECK as_status as_ngrams_of_tokens(as_context *ctx, const as_tokens *tokens, const size_t *starts,
                                            size_t sequences, as_ngrams *out);
AS_MUST_CHECK as_status as_ngrams_of_code_points(as_context *ctx, const uint32_t *code_points, const size_t *starts,
                                                 size_t sequences, as_ngrams *out);
void as_ngrams_free(as_ngrams *ngrams); /* a zeroed one is allowed */

/* Goes on to the next order. */
void as_ngrams_next(as_ngrams *ngrams);

/* How many n-grams a sequence has. */
int64_t as_ngrams_total(const as_ngrams *ngrams, size_t sequence);

/* How many n-grams of the sequence `hypothesis` are matched, each at most as often as it occurs in that one of the
 * `references` sequences from `first` on which has it most often. */
int64_t as_ngrams_matches(as_ngrams *ngrams, size_t hypothesis, size_t first, size_t references);

#endif
