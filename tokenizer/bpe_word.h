/* One word on its way through the merge rules: a list of symbols, and a queue of the pairs that a rule joins.
 *
 * The rule of the lowest rank is applied first, the leftmost pair among equals (Sennrich et al. 2016, as the reference
 * does it). A word of n symbols has at most 3 n pairs in all, each of which passes the queue once: n log n steps,
 * whatever the word.
 * Invariant: the queue holds every pair that a rule joins, and maybe pairs that are no more. */
#ifndef AS_TOKENIZER_BPE_WORD_H
#define AS_TOKENIZER_BPE_WORD_H

#include "tokenizer/merge_table.h"

typedef struct as_bpe_symbol {
  int32_t id;
  uint32_t length;         /* bytes of the word; 0: it was joined to the one before it */
  uint32_t previous, next; /* AS_NO_SYMBOL at the ends */
  int32_t joined;          /* what it and the next one become; -1: no rule joins them */
} as_bpe_symbol;
#define AS_NO_SYMBOL UINT32_MAX

typedef struct as_bpe_pair {
  uint64_t key; /* rank << 32 | index of the left symbol: the smallest comes first */
  int32_t joined;
} as_bpe_pair;

/* A zeroed one is empty; it grows and is used again. */
typedef struct as_bpe_word {
  as_bpe_symbol *symbols; /* [count]; the first is never joined to another */
  size_t count, capacity;
  as_bpe_pair *queue; /* a heap */
  size_t queued, queue_capacity;
  uint64_t steps; /* work done so far, in moves within the queue */
} as_bpe_word;

void as_bpe_word_free(as_bpe_word *word, as_context *ctx);

/* Appends a symbol; the fields but id and length are filled in by as_bpe_word_merge. */
AS_MUST_CHECK as_status as_bpe_word_put(as_bpe_word *word, as_context *ctx, int32_t id, size_t length);

/* Applies the rules. What is left are the symbols with a length above 0, in order. */
AS_MUST_CHECK as_status as_bpe_word_merge(as_bpe_word *word, const as_merge_table *rules, as_context *ctx);

#endif
