/* The merge rules of a BPE model: which two tokens become one, and which rule comes first.
 *
 * Invariant: the rules are kept in the order of their file, ranks being positions in it; of a pair that stands there
 * twice the later rank counts, as in the reference. */
#ifndef AS_TOKENIZER_MERGE_TABLE_H
#define AS_TOKENIZER_MERGE_TABLE_H

#include "tokenizer/vocabulary.h"

typedef struct as_merge_rule {
  int32_t left, right; /* ids */
} as_merge_rule;

typedef struct as_merge_slot {
  int32_t left, right;
  int32_t rank;
  int32_t joined; /* the id that the two become; -1: the slot is empty */
} as_merge_slot;

typedef struct as_merge_table {
  as_context *ctx;
  as_merge_rule *rules; /* [count] by rank */
  size_t count, capacity;
  as_merge_slot *slots; /* [1 << bits]; at most half are taken */
  int bits;
} as_merge_table;

void as_merge_table_init(as_merge_table *table, as_context *ctx);
void as_merge_table_free(as_merge_table *table);

/* Appends the rule with the next rank. AS_E_NOMEM, AS_E_LIMIT. */
AS_MUST_CHECK as_status as_merge_table_add(as_merge_table *table, int32_t left, int32_t right, int32_t joined);

static inline size_t as_merge_slot_of(const as_merge_table *table, int32_t left, int32_t right) {
  uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
  return (size_t)(key * 0x9E3779B97F4A7C15u >> (64 - table->bits));
}

/* The rule that joins the two; NULL if there is none. */
static inline const as_merge_slot *as_merge_find(const as_merge_table *table, int32_t left, int32_t right) {
  if (!table->slots) return NULL;
  size_t mask = ((size_t)1 << table->bits) - 1;
  for (size_t at = as_merge_slot_of(table, left, right);; at = (at + 1) & mask) {
    const as_merge_slot *slot = &table->slots[at];
    if (slot->joined < 0) return NULL;
    if (slot->left == left && slot->right == right) return slot;
  }
}

#endif
