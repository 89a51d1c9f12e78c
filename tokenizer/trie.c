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

/* The slot of an edge, or the empty one where it belongs. */
static uint64_t *slot_of(uint64_t *slots, int bits, uint32_t key) {
  uint32_t mask = (1u << bits) - 1, at = key * 0x9E3779B1u >> (32 - bits);
  while (slots[at] && slots[at] >> 32 != key) at = (at + 1) & mask;
  return &slots[at];
}

/* Room for `extra` more nodes, each with its edge. */
static as_status make_room(as_trie *trie, size_t extra) {
  size_t needed = trie->nodes + extra, old_capacity = trie->values_capacity;
  if (extra > AS_TRIE_MAX_NODES || needed > AS_TRIE_MAX_NODES)
    return as_fail(trie->ctx, AS_E_LIMIT, "the tokens together are longer than %d bytes", AS_TRIE_MAX_NODES);
  int32_t *values = as_grow(trie->ctx, trie->values, &trie->values_capacity, needed, sizeof *values);
  if (!values) return AS_E_NOMEM;
  trie->values = values;
  if (old_capacity == 0) values[0] = -1;
  int bits = trie->slots ? trie->bits : FIRST_BITS;
  while (2 * needed > (size_t)1 << bits) bits++;
  if (trie->slots && bits == trie->bits) return AS_OK;
  uint64_t *slots = as_alloc_zero(trie->ctx, (size_t)1 << bits, sizeof *slots);
  if (!slots) return AS_E_NOMEM;
  for (uint64_t i = 0; trie->slots && i < 1ull << trie->bits; i++)
    if (trie->slots[i]) *slot_of(slots, bits, (uint32_t)(trie->slots[i] >> 32)) = trie->slots[i];
  as_free(trie->ctx, trie->slots);
  trie->slots = slots;
  trie->bits = bits;
  return AS_OK;
}

as_status as_trie_put(as_trie *trie, const char *key, size_t length, int32_t value, int32_t *old) {
  as_status status = make_room(trie, length);
  if (status != AS_OK) return status;
  uint32_t node = 0;
  uint64_t *slot = NULL;
  for (size_t i = 0; i < length; i++) {
    uint32_t edge = node << 8 | (unsigned char)key[i];
    slot = slot_of(trie->slots, trie->bits, edge);
    if (!*slot) {
      trie->values[trie->nodes] = -1;
      *slot = (uint64_t)edge << 32 | trie->nodes++ << 1;
    }
    node = (uint32_t)*slot >> 1;
  }
  if (slot) *slot |= 1;
  if (old) *old = trie->values[node];
  trie->values[node] = value;
  return AS_OK;
}

int64_t as_trie_walk(const as_trie *trie, uint32_t node, const char *key, size_t length) {
  for (size_t i = 0; i < length; i++) {
    uint32_t edge = as_trie_edge(trie, node, (unsigned char)key[i]);
    if (!edge) return -1;
    node = edge >> 1;
  }
  return node;
}

int64_t as_trie_node(const as_trie *trie, const char *key, size_t length) {
  return as_trie_walk(trie, 0, key, length);
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
