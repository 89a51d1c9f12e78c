/* Whether threads may share a tokenizer. */
#ifndef AS_TESTS_TOKENIZER_THREADS_H
#define AS_TESTS_TOKENIZER_THREADS_H

#include <string.h>

#include "base/threads.h"
#include "tests/harness.h"
#include "tokenizer/tokenizer.h"

enum { AS_SHARING_CHUNKS = 64, AS_SHARING_TIMES = 50, AS_SHARING_MOST = 8 };

typedef struct as_sharing {
  as_context *ctx;
  const as_tokenizer *tokenizer;
  const char *text; /* repeated 1 to AS_SHARING_MOST times */
  size_t lengths[AS_SHARING_CHUNKS];
} as_sharing;

static inline void as_share_chunk(void *argument, int64_t chunk, int lane) {
  as_sharing *sharing = argument;
  as_encoding mine;
  (void)lane;
  as_encoding_init(&mine, sharing->ctx);
  char text[256] = "";
  for (int64_t i = 0; i <= chunk % AS_SHARING_MOST; i++) strcat(text, sharing->text);
  for (int i = 0; i < AS_SHARING_TIMES; i++)
    if (as_tokenizer_encode(sharing->tokenizer, text, strlen(text), NULL, 0, NULL, &mine) == AS_OK)
      sharing->lengths[chunk] += mine.length;
  as_encoding_free(&mine);
}

/* Encodes in all threads of the context at once: 2 special tokens, and `tokens` for each time that the text stands
 * there. */
static inline void as_assert_threads_share(as_context *with, const as_tokenizer *shared, const char *text,
                                           size_t tokens) {
  as_sharing sharing = {.ctx = with, .tokenizer = shared, .text = text};
  as_parallel_for(with, AS_SHARING_CHUNKS, as_share_chunk, &sharing);
  for (size_t i = 0; i < AS_SHARING_CHUNKS; i++)
    ck_assert_uint_eq(sharing.lengths[i], AS_SHARING_TIMES * (2 + tokens * (i % AS_SHARING_MOST + 1)));
}

#endif
