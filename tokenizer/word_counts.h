/* How often each word occurs: a hash table from byte strings to counts, in the order in which they were first met. */
#ifndef AS_TOKENIZER_WORD_COUNTS_H
#define AS_TOKENIZER_WORD_COUNTS_H

#include "base/buffer.h"

typedef struct as_word_count {
  size_t start, length; /* bytes in the pool */
  int64_t count;
  uint64_t hash;
} as_word_count;

typedef struct as_word_counts {
  as_context *ctx;
  as_buffer pool;
  as_word_count *words; /* [count] */
  size_t count, capacity;
  size_t *slots; /* [1 << bits]: index of a word + 1; 0 is empty. At most half are taken */
  int bits;
} as_word_counts;

void as_word_counts_init(as_word_counts *counts, as_context *ctx);
void as_word_counts_free(as_word_counts *counts);
AS_MUST_CHECK as_status as_word_counts_add(as_word_counts *counts, const char *word, size_t length);

#endif
