/* Small tokenizers for tests: a vocabulary that fits a page, written to a folder. */
#ifndef AS_TESTS_TOKENIZER_FILES_H
#define AS_TESTS_TOKENIZER_FILES_H

#include <stdio.h>
#include <string.h>

#include "tests/harness.h"
#include "tokenizer/tokenizer.h"

/* Ids 0 to 4 are the special tokens. */
static const char SMALL_VOCAB[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"                         /* 0 */
                                  "a\nb\nc\nwhere\nis\nmy\norder\nun\n##a\n##able\n##aff\n##s\n" /* 5 */
                                  "cafe\n##e\n.\n,\n?\n!\n'\nt\ni\n"                             /* 17 */
                                  "\xE4\xB8\xAD\n\xE6\x96\x87\ndo\nnot\nn\n"                   /* 26: two ideographs */
                                  "i\xCC\x87\n\xCF\x83\ncaf\n##\xC3\xA9\n##ted\n[\n]\nmask\n"; /* 31 */

static inline void write_small_file(as_context *ctx, const char *folder, const char *name, const char *text,
                                    size_t length) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  ck_assert_ok(ctx, as_file_write(ctx, path, text, length));
}

/* Opens the vocabulary with the given tokenizer_config.json (NULL: none) from a fresh folder that is then removed. */
static inline as_tokenizer *open_small_vocab(as_context *ctx, const char *config) {
  as_tokenizer *tokenizer = NULL;
  const char *folder = as_test_folder();
  write_small_file(ctx, folder, "vocab.txt", SMALL_VOCAB, strlen(SMALL_VOCAB));
  if (config) write_small_file(ctx, folder, "tokenizer_config.json", config, strlen(config));
  ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &tokenizer));
  as_test_folder_remove(folder);
  return tokenizer;
}

/* A tokenizer.json over that vocabulary; `added` are more members of added_tokens, each with a leading comma. NULL
 * parts are the usual. The text is the caller's, with as_free. */
static inline char *small_json(as_context *ctx, const char *added, const char *normalizer, const char *post_processor) {
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_buffer_printf(
      &out,
      "{\"version\":\"1.0\",\"truncation\":{\"max_length\":4},\"padding\":null,\"added_tokens\":["
      "{\"id\":2,\"content\":\"[CLS]\",\"special\":true},{\"id\":3,\"content\":\"[SEP]\",\"special\":true},"
      "{\"id\":4,\"content\":\"[MASK]\",\"special\":true},{\"id\":0,\"content\":\"[PAD]\",\"special\":true}%s],"
      "\"normalizer\":%s,\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"post_processor\":%s,"
      "\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true},\"model\":{\"type\":\"WordPiece\","
      "\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,\"vocab\":{",
      added ? added : "",
      normalizer ? normalizer
                 : "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,"
                   "\"strip_accents\":null,\"lowercase\":true}",
      post_processor ? post_processor : "{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",3],\"cls\":[\"[CLS]\",2]}");
  int id = 0;
  for (const char *line = SMALL_VOCAB, *end; *line; line = end + 1, id++) {
    end = strchr(line, '\n');
    as_buffer_printf(&out, "%s\"%.*s\":%d", id ? "," : "", (int)(end - line), line, id);
  }
  as_buffer_text(&out, "}}}");
  return as_buffer_take(&out);
}

static inline as_tokenizer *open_small_json(as_context *ctx, const char *text) {
  as_tokenizer *tokenizer = NULL;
  const char *folder = as_test_folder();
  write_small_file(ctx, folder, "tokenizer.json", text, strlen(text));
  ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &tokenizer));
  as_test_folder_remove(folder);
  return tokenizer;
}

#endif
