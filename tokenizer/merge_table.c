/* The merge rules' open-addressing table. */
#include "tokenizer/merge_table.h"

#include "base/memory.h"

enum { FIRST_BITS = 8 };

void as_merge_table_init(as_merge_table *table, as_context *ctx) {
  *table = (as_merge_table){.ctx = ctx};
}

void as_merge_table_free(as_merge_table *table) {
  as_free(table->ctx, table->rules);
  as_free(table->ctx, table->slots);
  as_merge_table_init(table, table->ctx);
}

/* The slot of a pair, or the empty one where it belongs. */
static as_merge_slot *slot_of(as_merge_table *table, int32_t left, int32_t right) {
  size_t mask = ((size_t)1 << table->bits) - 1, at = as_merge_slot_of(table, left, right);
  while (table->slots[at].joined >= 0 && (table->slots[at].left != left || table->slots[at].right != right))
    at = (at + 1) & mask;
  return &table->slots[at];
}

/* Makes room for one more pair. */
static as_status grow_slots(as_merge_table *table) {
  if (table->slots && 2 * (table->count + 1) <= (size_t)1 << table->bits) return AS_OK;
  as_merge_table old = *table;
  int bits = old.slots ? old.bits + 1 : FIRST_BITS;
  as_merge_slot *slots = as_alloc(table->ctx, (size_t)1 << bits, sizeof *slots);
  if (!slots) return AS_E_NOMEM;
  for (size_t i = 0; i < (size_t)1 << bits; i++) slots[i].joined = -1;
  table->slots = slots;
  table->bits = bits;
  for (size_t i = 0; old.slots && i < (size_t)1 << old.bits; i++)
    if (old.slots[i].joined >= 0) *slot_of(table, old.slots[i].left, old.slots[i].right) = old.slots[i];
  as_free(table->ctx, old.slots);
  return AS_OK;
}

as_status as_merge_table_add(as_merge_table *table, int32_t left, int32_t right, int32_t joined) {
  if (table->count >= INT32_MAX) return as_fail(table->ctx, AS_E_LIMIT, "more than %d merges", INT32_MAX);
  as_status status = grow_slots(table);
  if (status != AS_OK) return status;
  as_merge_rule *rules = as_grow(table->ctx, table->rules, &table->capacity, table->count + 1, sizeof *rules);
  if (!rules) return AS_E_NOMEM;
  table->rules = rules;
  *slot_of(table, left, right) =
      (as_merge_slot){.left = left, .right = right, .rank = (int32_t)table->count, .joined = joined};
  rules[table->count++] = (as_merge_rule){.left = left, .right = right};
  return AS_OK;
}
