/* A small byte-level BPE tokenizer for tests: five special tokens, the 256 byte characters, eleven merges. */
#ifndef AS_TESTS_BPE_FILES_H
#define AS_TESTS_BPE_FILES_H

#include "base/json.h"
#include "base/utf8.h"
#include "tests/tokenizer_files.h"
#include "tokenizer/byte_level.h"

#define G "\xC4\xA0" /* the byte map's space */

static const char *const SMALL_MERGES[][2] = {{"h", "e"},      {"l", "l"},    {"o", "r"}, {G, "w"},
                                              {"he", "ll"},    {G "w", "or"}, {"l", "d"}, {"hell", "o"},
                                              {G "wor", "ld"}, {G, G},        {"a", "a"}};
enum { SMALL_BPE_MERGES = 11, SMALL_BPE_TOKENS = 5 + 256 + SMALL_BPE_MERGES };

/* The vocabulary as an object: {"<s>":0, ...}. */
static inline void put_small_bpe_vocab(as_json_writer *writer, const char *key) {
  static const char *const specials[] = {"<s>", "<pad>", "</s>", "<unk>", "<mask>"};
  int64_t id = 0;
  char token[16];
  as_json_open_object(writer, key);
  for (; id < 5; id++) as_json_int(writer, specials[id], id);
  for (uint32_t c = 0; c < AS_BYTE_CHARACTERS; c++) {
    if (as_character_byte(c) < 0) continue;
    token[as_utf8_encode(c, token)] = 0;
    as_json_int(writer, token, id++);
  }
  for (int i = 0; i < SMALL_BPE_MERGES; i++) {
    snprintf(token, sizeof token, "%s%s", SMALL_MERGES[i][0], SMALL_MERGES[i][1]);
    as_json_int(writer, token, id++);
  }
  as_json_close_object(writer);
}

static inline void write_small_buffer(as_context *ctx, const char *folder, const char *name, as_buffer *text) {
  write_small_file(ctx, folder, name, text->data, text->length);
  as_buffer_free(text);
}

/* Writes vocab.json and merges.txt. */
static inline void write_small_bpe(as_context *ctx, const char *folder) {
  as_buffer text;
  as_buffer_init(&text, ctx);
  as_json_writer writer = as_json_writer_start(&text, 0);
  put_small_bpe_vocab(&writer, NULL);
  write_small_buffer(ctx, folder, "vocab.json", &text);
  as_buffer_text(&text, "#version: 0.2\n");
  for (int i = 0; i < SMALL_BPE_MERGES; i++) as_buffer_printf(&text, "%s %s\n", SMALL_MERGES[i][0], SMALL_MERGES[i][1]);
  write_small_buffer(ctx, folder, "merges.txt", &text);
}

/* Opens them with the given tokenizer_config.json (NULL: none) from a fresh folder that is then removed. */
static inline as_tokenizer *open_small_bpe(as_context *ctx, const char *config) {
  as_tokenizer *tokenizer = NULL;
  const char *folder = as_test_folder();
  write_small_bpe(ctx, folder);
  if (config) write_small_file(ctx, folder, "tokenizer_config.json", config, strlen(config));
  ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &tokenizer));
  as_test_folder_remove(folder);
  return tokenizer;
}

/* A tokenizer.json over that vocabulary; NULL parts are the usual, `members` are further ones of the model, each with a
 * comma behind it. The text is the caller's, with as_free. */
static inline char *small_bpe_json(as_context *ctx, const char *members, const char *pre_tokenizer,
                                   const char *post_processor) {
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_buffer_printf(&out,
                   "{\"version\":\"1.0\",\"added_tokens\":[{\"id\":0,\"content\":\"<s>\",\"special\":true},"
                   "{\"id\":4,\"content\":\"<mask>\",\"special\":true,\"lstrip\":true}],\"normalizer\":null,"
                   "\"pre_tokenizer\":%s,\"post_processor\":%s,\"decoder\":{\"type\":\"ByteLevel\"},"
                   "\"model\":{\"type\":\"BPE\",%s",
                   pre_tokenizer ? pre_tokenizer : "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}",
                   post_processor ? post_processor
                                  : "{\"type\":\"RobertaProcessing\",\"sep\":[\"</s>\",2],\"cls\":[\"<s>\",0],"
                                    "\"add_prefix_space\":false}",
                   members ? members : "");
  as_json_writer writer = as_json_writer_start(&out, 0);
  writer.depth = 1;
  writer.fresh = true;
  put_small_bpe_vocab(&writer, "vocab");
  as_json_open_array(&writer, "merges");
  for (int i = 0; i < SMALL_BPE_MERGES; i++) {
    char rule[32];
    snprintf(rule, sizeof rule, "%s %s", SMALL_MERGES[i][0], SMALL_MERGES[i][1]);
    as_json_string(&writer, NULL, rule);
  }
  as_json_close_array(&writer);
  as_buffer_text(&out, "}}");
  return as_buffer_take(&out);
}

#endif
