/* A context, the small tokenizer and an encoding, made anew for each test, and the tokens as one line of text. */
#ifndef AS_TESTS_TOKENIZER_FIXTURE_H
#define AS_TESTS_TOKENIZER_FIXTURE_H

#include "tests/tokenizer_files.h"

static as_context *ctx;
static as_tokenizer *tokenizer;
static as_encoding encoding;

static inline void setup(void) {
  ctx = as_test_context(1);
  tokenizer = open_small_vocab(ctx, NULL);
  as_encoding_init(&encoding, ctx);
}

static inline void teardown(void) {
  as_encoding_free(&encoding);
  as_tokenizer_free(tokenizer);
  as_test_context_free(ctx);
}

/* Replaces the tokenizer by one from another file. */
static inline void use_json(const char *added, const char *normalizer, const char *post_processor) {
  char *text = small_json(ctx, added, normalizer, post_processor);
  as_tokenizer_free(tokenizer);
  tokenizer = open_small_json(ctx, text);
  as_free(ctx, text);
}

static inline void use_config(const char *config) {
  as_tokenizer_free(tokenizer);
  tokenizer = open_small_vocab(ctx, config);
}

/* The tokens of the encoding's part, separated by blanks. */
static inline const char *shown(size_t part) {
  static char text[4096];
  size_t used = 0;
  for (size_t i = encoding.part_start[part]; i < encoding.part_start[part + 1]; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > encoding.part_start[part] ? " " : "",
                             as_encoding_token(tokenizer, &encoding, i, NULL));
  text[used] = 0;
  return text;
}

static inline void encode(const char *text, const char *pair, as_encode_options options) {
  ck_assert_ok(ctx,
               as_tokenizer_encode(tokenizer, text, strlen(text), pair, pair ? strlen(pair) : 0, &options, &encoding));
}

#endif
