/* Placement: gives every piece of memory an offset so that pieces alive at the same time do not overlap.
 *
 * Greedy by size: the largest piece first, each at the lowest offset where it meets no placed piece that lives when it
 * does (as in Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020, section 5.2). */
#include "tensor/node.h"

#define RED_ZONE 64 /* in debug graphs each block is followed by that many bytes that belong to nobody */

static bool goes_before(const as_block *x, const as_block *y) {
  if (x->bytes != y->bytes) return x->bytes > y->bytes;
  return x->first < y->first;
}

/* Insertion sort: a few hundred blocks, and unlike qsort it never allocates. */
static void sort_by_size(as_block **blocks, size_t count) {
  for (size_t i = 1; i < count; i++) {
    as_block *block = blocks[i];
    size_t j = i;
    for (; j > 0 && goes_before(block, blocks[j - 1]); j--) blocks[j] = blocks[j - 1];
    blocks[j] = block;
  }
}

/* Puts `block` at the lowest free offset among the placed ones, which are in order of offset; returns its place
 * there. */
static size_t place(as_block *block, as_block *const *placed, size_t count, size_t zone) {
  size_t candidate = 0;
  for (size_t i = 0; i < count; i++) {
    const as_block *other = placed[i];
    if (other->last < block->first || other->first > block->last) continue;
    if (other->offset >= candidate + block->bytes + zone) break;
    size_t end = other->offset + other->bytes + zone;
    if (end > candidate) candidate = end;
  }
  block->offset = candidate;
  size_t position = count;
  while (position > 0 && placed[position - 1]->offset > candidate) position--;
  return position;
}

void as_arena_place(as_graph *g) {
  size_t zone = g->debug ? RED_ZONE : 0;
  as_block **placed = g->blocks + g->blocks_count;
  sort_by_size(g->blocks, g->blocks_count);
  g->arena_bytes = 0;
  for (size_t i = 0; i < g->blocks_count; i++) {
    as_block *block = g->blocks[i];
    size_t position = place(block, placed, i, zone);
    for (size_t j = i; j > position; j--) placed[j] = placed[j - 1];
    placed[position] = block;
    if (block->offset + block->bytes + zone > g->arena_bytes) g->arena_bytes = block->offset + block->bytes + zone;
  }
}
