/* A set of byte strings, each with a number, walked byte by byte: "which keys are prefixes of this text" costs one hash
 * probe a byte, whatever the number of keys.
 *
 * All edges of all nodes lie in one open-addressing table, keyed by (node, byte). Node 0 is the root.
 * Invariant: at most half of the slots are taken, so a probe ends. */
#ifndef AS_TOKENIZER_TRIE_H
#define AS_TOKENIZER_TRIE_H

#include "base/context.h"

enum { AS_TRIE_MAX_NODES = 1 << 24 };

typedef struct as_trie {
  as_context *ctx;
  uint64_t *slots; /* [1 << bits]: key << 32 | child << 1 | whether a key ends at the child; 0 is an empty slot */
  int32_t *values; /* [nodes]: the number of the key that ends at this node, -1 if none does */
  size_t values_capacity;
  uint32_t nodes;
  int bits;
} as_trie;

void as_trie_init(as_trie *trie, as_context *ctx);
void as_trie_free(as_trie *trie); /* leaves an empty, usable trie */

/* Gives the key `value` (0 or more); *old (may be NULL) becomes the one that it had, -1 if it is new. AS_E_NOMEM;
 * AS_E_LIMIT above AS_TRIE_MAX_NODES. */
AS_MUST_CHECK as_status as_trie_put(as_trie *trie, const char *key, size_t length, int32_t value, int32_t *old);

/* The edge from `node` by `byte`: child << 1 | whether a key ends there; 0 if there is none. */
static inline uint32_t as_trie_edge(const as_trie *trie, uint32_t node, unsigned char byte) {
  uint32_t key = node << 8 | byte, mask = (1u << trie->bits) - 1;
  if (!trie->slots) return 0;
  for (uint32_t at = key * 0x9E3779B1u >> (32 - trie->bits);; at = (at + 1) & mask) {
    uint64_t slot = trie->slots[at];
    if (slot >> 32 == key || !slot) return (uint32_t)slot;
  }
}

/* The node reached from `node` by all of `key`, -1 if there is none. */
int64_t as_trie_walk(const as_trie *trie, uint32_t node, const char *key, size_t length);
/* The same from the root. */
int64_t as_trie_node(const as_trie *trie, const char *key, size_t length);
/* The number of the key, -1 if it is not in the set. */
int32_t as_trie_get(const as_trie *trie, const char *key, size_t length);

/* The longest key that starts at text[0] and is reached from `node`: sets *end to its length and returns its number, -1
 * if there is none. A key that ends at `node` itself does not count. */
int32_t as_trie_longest(const as_trie *trie, uint32_t node, const char *text, size_t length, size_t *end);

#endif
