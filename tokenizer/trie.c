/* The trie's table. A slot that was found by its key may be 0 only if it is empty: no edge leads to the root, so the
 * low half of a taken slot is never 0. */
#include "tokenizer/trie.h"

#include <string.h>

#include "base/memory.h"

enum { FIRST_BITS = 6 };

void as_trie_init(as_trie *trie, as_context *ctx) {
  *trie = (as_trie){.ctx = ctx, .nodes = 1};
}

void as_trie_free(as_trie *trie) {
  as_free(trie->ctx, trie->slots);
  as_free(trie->ctx, trie->values);
  as_trie_init(trie, trie->ctx);
}

static void place(uint64_t *slots, int bits, uint64_t slot) {
  uint32_t key = (uint32_t)(slot >> 32), mask = (1u << bits) - 1, at = key * 0x9E3779B1u >> (32 - bits);
  while (slots[at]) at = (at + 1) & mask;
  slots[at] = slot;
}

/* Room for one more edge and its node. */
static as_status make_room(as_trie *trie) {
  if (trie->nodes >= AS_TRIE_MAX_NODES)
    return as_fail(trie->ctx, AS_E_LIMIT, "the tokens together are longer than %d bytes", AS_TRIE_MAX_NODES);
  size_t old_capacity = trie->values_capacity;
  int32_t *values = as_grow(trie->ctx, trie->values, &trie->values_capacity, trie->nodes + 1, sizeof *values);
  if (!values) return AS_E_NOMEM;
  trie->values = values;
  if (old_capacity == 0) values[0] = -1;
  if (trie->slots && 2 * (uint64_t)trie->nodes < 1ull << trie->bits) return AS_OK;
  int bits = trie->slots ? trie->bits + 1 : FIRST_BITS;
  uint64_t *slots = as_alloc_zero(trie->ctx, (size_t)1 << bits, sizeof *slots);
  if (!slots) return AS_E_NOMEM;
  for (uint64_t i = 0; trie->slots && i < 1ull << trie->bits; i++)
    if (trie->slots[i]) place(slots, bits, trie->slots[i]);
  as_free(trie->ctx, trie->slots);
  trie->slots = slots;
  trie->bits = bits;
  return AS_OK;
}

/* Marks the edge from `node` by `byte` as one at whose child a key ends. */
static void mark_end(as_trie *trie, uint32_t node, unsigned char byte) {
  uint32_t key = node << 8 | byte, mask = (1u << trie->bits) - 1, at = key * 0x9E3779B1u >> (32 - trie->bits);
  while (trie->slots[at] >> 32 != key || !trie->slots[at]) at = (at + 1) & mask;
  trie->slots[at] |= 1;
}

as_status as_trie_put(as_trie *trie, const char *key, size_t length, int32_t value) {
  uint32_t node = 0, parent = 0;
  as_status status = make_room(trie);
  for (size_t i = 0; status == AS_OK && i < length; i++) {
    unsigned char byte = (unsigned char)key[i];
    uint32_t edge = as_trie_edge(trie, node, byte);
    parent = node;
    if (edge) {
      node = edge >> 1;
      continue;
    }
    status = make_room(trie);
    if (status != AS_OK) break;
    uint32_t child = trie->nodes++;
    trie->values[child] = -1;
    place(trie->slots, trie->bits, (uint64_t)(node << 8 | byte) << 32 | child << 1);
    node = child;
  }
  if (status != AS_OK) return status;
  trie->values[node] = value;
  if (length) mark_end(trie, parent, (unsigned char)key[length - 1]);
  return AS_OK;
}

int64_t as_trie_node(const as_trie *trie, const char *key, size_t length) {
  uint32_t node = 0;
  for (size_t i = 0; i < length; i++) {
    uint32_t edge = as_trie_edge(trie, node, (unsigned char)key[i]);
    if (!edge) return -1;
    node = edge >> 1;
  }
  return node;
}

int32_t as_trie_get(const as_trie *trie, const char *key, size_t length) {
  int64_t node = as_trie_node(trie, key, length);
  return node < 0 || !trie->values ? -1 : trie->values[node];
}

int32_t as_trie_longest(const as_trie *trie, uint32_t node, const char *text, size_t length, size_t *end) {
  uint32_t last = 0;
  for (size_t i = 0; i < length; i++) {
    uint32_t edge = as_trie_edge(trie, node, (unsigned char)text[i]);
    if (!edge) break;
    node = edge >> 1;
    if (edge & 1) {
      last = node;
      *end = i + 1;
    }
  }
  return last ? trie->values[last] : -1;
}
