/* A context and a folder, made anew for each test, and tokenizer files in it. */
#ifndef AS_TESTS_TOKENIZER_FOLDER_H
#define AS_TESTS_TOKENIZER_FOLDER_H

#include "tests/tokenizer_files.h"

static as_context *ctx;
static const char *folder;

static inline void setup(void) {
  ctx = as_test_context(1);
  folder = as_test_folder();
}

static inline void teardown(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

static inline void put_file(const char *name, const char *text, size_t length) {
  write_small_file(ctx, folder, name, text, length);
}

static inline void put_text(const char *name, const char *text) {
  put_file(name, text, strlen(text));
}

/* folder/name, until the next call. */
static inline const char *path_of(const char *name) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

/* The ids of a text. */
static inline void expect_ids(const as_tokenizer *tokenizer, const char *text, const int32_t *ids, size_t count) {
  as_encoding encoding;
  as_encoding_init(&encoding, ctx);
  ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, text, strlen(text), NULL, 0, NULL, &encoding));
  ck_assert_uint_eq(encoding.length, count);
  for (size_t i = 0; i < count; i++) ck_assert_int_eq(encoding.ids[i], ids[i]);
  as_encoding_free(&encoding);
}

#endif
