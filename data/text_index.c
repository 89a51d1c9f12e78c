/* Texts in one block and a table to find them again. Invariant: block->bytes[starts[i + 1] - 1] is the NUL of text i.
 */
#include "data/text_index.h"

#include <string.h>

#include "base/memory.h"

bool as_text_block_add(as_context *ctx, as_text_block *block, const char *text, size_t length) {
  uint64_t *starts = as_grow(ctx, block->starts, &block->starts_size, block->count + 1, sizeof *starts);
  if (!starts) return false;
  block->starts = starts;
  if (length >= SIZE_MAX - block->length) {
    as_fail(ctx, AS_E_NOMEM, "out of memory: texts of more than %zu bytes", block->length);
    return false;
  }
  char *bytes = as_grow(ctx, block->bytes, &block->bytes_size, block->length + length + 1, 1);
  if (!bytes) return false;
  block->bytes = bytes;
  starts[block->count++] = block->length;
  if (length > 0) memcpy(bytes + block->length, text, length);
  bytes[block->length + length] = '\0';
  block->length += length + 1;
  return true;
}

const char *as_text_block_get(const as_text_block *block, size_t index, size_t *length) {
  uint64_t end = index + 1 < block->count ? block->starts[index + 1] : block->length;
  if (length) *length = (size_t)(end - block->starts[index] - 1);
  return block->bytes + block->starts[index];
}

void as_text_block_free(as_context *ctx, as_text_block *block) {
  as_free(ctx, block->bytes);
  as_free(ctx, block->starts);
  memset(block, 0, sizeof *block);
}

/* FNV-1a over bytes, then the finaliser of SplitMix64, which spreads the last bytes over all bits. */
uint64_t as_text_hash(const char *text, size_t length) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ length;
  for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
  hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
  return hash ^ (hash >> 31);
}

static bool rebuild(as_context *ctx, as_text_index *index, size_t size) {
  uint64_t *hashes = as_alloc(ctx, size, sizeof *hashes);
  uint64_t *slots = as_alloc_zero(ctx, size, sizeof *slots);
  if (!hashes || !slots) {
    as_free(ctx, hashes);
    as_free(ctx, slots);
    return false;
  }
  for (size_t i = 0; i < index->size; i++) {
    if (index->slots[i] == 0) continue;
    size_t at = (size_t)index->hashes[i] & (size - 1);
    while (slots[at] != 0) at = (at + 1) & (size - 1);
    hashes[at] = index->hashes[i];
    slots[at] = index->slots[i];
  }
  as_free(ctx, index->hashes);
  as_free(ctx, index->slots);
  index->hashes = hashes;
  index->slots = slots;
  index->size = size;
  return true;
}

/* The slot that holds `text`, or the free one where it would go. The table is never full. */
static size_t slot_of(const as_text_index *index, const as_text_block *block, const char *text, size_t length,
                      uint64_t hash) {
  size_t at = (size_t)hash & (index->size - 1);
  for (; index->slots[at] != 0; at = (at + 1) & (index->size - 1)) {
    if (index->hashes[at] != hash) continue;
    size_t other_length;
    const char *other = as_text_block_get(block, (size_t)(index->slots[at] - 1), &other_length);
    if (other_length == length && memcmp(other, text, length) == 0) break;
  }
  return at;
}

bool as_text_index_put(as_context *ctx, as_text_index *index, const as_text_block *block, const char *text,
                       size_t length, uint64_t fresh, uint64_t *number) {
  if (index->used >= index->size / 2 && !rebuild(ctx, index, index->size ? index->size * 2 : 64)) return false;
  const uint64_t hash = as_text_hash(text, length);
  const size_t at = slot_of(index, block, text, length, hash);
  *number = index->slots[at] ? index->slots[at] - 1 : UINT64_MAX;
  if (index->slots[at]) return true;
  index->hashes[at] = hash;
  index->slots[at] = fresh + 1;
  index->used++;
  return true;
}

uint64_t as_text_index_find(const as_text_index *index, const as_text_block *block, const char *text, size_t length) {
  if (index->size == 0) return UINT64_MAX;
  const size_t at = slot_of(index, block, text, length, as_text_hash(text, length));
  return index->slots[at] ? index->slots[at] - 1 : UINT64_MAX;
}

void as_text_index_free(as_context *ctx, as_text_index *index) {
  as_free(ctx, index->hashes);
  as_free(ctx, index->slots);
  memset(index, 0, sizeof *index);
}
