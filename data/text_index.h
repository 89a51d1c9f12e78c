/* A hash table from texts to numbers 0, 1, 2 ... in the order of their first appearance; the texts themselves lie in a
 * text_block. */
#ifndef AS_DATA_TEXT_INDEX_H
#define AS_DATA_TEXT_INDEX_H

#include "base/context.h"

/* Texts one after another, each ended by a NUL; text i begins at starts[i]. */
typedef struct as_text_block {
  char *bytes;
  size_t length, bytes_size;
  uint64_t *starts; /* [count] */
  size_t count, starts_size;
} as_text_block;

/* False on failure, with the error recorded. `text` must not lie in the block. */
bool as_text_block_add(as_context *ctx, as_text_block *block, const char *text, size_t length);
const char *as_text_block_get(const as_text_block *block, size_t index, size_t *length); /* `length` may be NULL */
void as_text_block_free(as_context *ctx, as_text_block *block);

/* Open addressing, at most half full. A slot holds the text's number + 1, or 0; hashes spare most comparisons. */
typedef struct as_text_index {
  uint64_t *hashes; /* [size] */
  uint64_t *slots;  /* [size], a power of two */
  size_t size, used;
} as_text_index;

/* Looks for `text` among the block's texts that were put in; *number is its number, or UINT64_MAX when it is new and
 * now stands for text `fresh`, which the caller adds to the block. False on failure, with the error recorded. */
bool as_text_index_put(as_context *ctx, as_text_index *index, const as_text_block *block, const char *text,
                       size_t length, uint64_t fresh, uint64_t *number);
/* The number of `text`, UINT64_MAX when it was never put in. */
uint64_t as_text_index_find(const as_text_index *index, const as_text_block *block, const char *text, size_t length);
void as_text_index_free(as_context *ctx, as_text_index *index);

/* 64 bits that depend on every byte and on the length; the same on every machine. */
uint64_t as_text_hash(const char *text, size_t length);

#endif
