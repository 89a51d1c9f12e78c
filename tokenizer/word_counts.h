/* How often each word occurs: a hash table from byte strings to counts, in the order in which they were first met. */
#ifndef AS_TOKENIZER_WORD_COUNTS_H
#define AS_TOKENIZER_WORD_COUNTS_H

#include "tokenizer/trainer.h"

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

/* Counts the words of all texts, as the normalizer and the pre-tokenizer of a tokenizer make them, for which
 * `is_counted` holds. AS_E_DATA if there is none. */
AS_MUST_CHECK as_status as_word_counts_read(as_word_counts *counts, const as_tokenizer *tokenizer, as_text_source next,
                                            void *user, bool (*is_counted)(const char *word, size_t length));

#endif
