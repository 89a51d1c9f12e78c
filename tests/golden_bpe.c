/* RoBERTa's byte-level BPE against every case of the golden files, and trained vocabularies and rules. */
#include <string.h>

#include "base/utf8.h"
#include "tests/tokenizer_golden.h"
#include "tokenizer/bpe.h"
#include "tokenizer/byte_bpe_trainer.h"

static void open_files(void) {
  open_golden("roberta-base", as_golden("../data/tokenizers/roberta-base"));
}

/* What was written reads the same. */
static void open_saved(void) {
  const char *folder = as_test_folder();
  open_files();
  ck_assert_ok(ctx, as_tokenizer_save(tokenizer, folder, 512));
  close_golden();
  open_golden("roberta-base", folder);
  as_test_folder_remove(folder);
}

/* ---- training ------------------------------------------------------------------------------------------------- */

static as_status train(as_text_source next, void *user, as_tokenizer **out) {
  return as_byte_bpe_train(ctx, &(as_byte_bpe_training){.vocab_size = 800}, next, user, out);
}

static void train_800(void) {
  train_on_corpus(train);
}

/* That the tokenizer has the merges of a list of pairs of tokens. */
static void expect_merges(const json_t *expected) {
  const as_bpe *bpe = tokenizer->stages[AS_STAGE_MODEL].state;
  const json_t *rule;
  size_t index;
  ck_assert_uint_eq(bpe->merges.count, json_array_size(expected));
  json_array_foreach(expected, index, rule) {
    for (size_t side = 0; side < 2; side++) {
      int32_t id = side ? bpe->merges.rules[index].right : bpe->merges.rules[index].left;
      ck_assert_str_eq(as_vocabulary_token(&tokenizer->vocabulary, id, NULL),
                       json_string_value(json_array_get(rule, side)));
    }
  }
}

static void expect_token(size_t id, const json_t *expected) {
  const char *token = as_vocabulary_token(&tokenizer->vocabulary, (int64_t)id, NULL);
  if (!token || strcmp(token, json_string_value(expected)) != 0)
    ck_abort_msg("token %zu is \"%s\", expected \"%s\"", id, token ? token : "(none)", json_string_value(expected));
}

START_TEST(trained_vocabulary) {
  json_t *json = read_json("tokenizer_training/bpe800.json");
  const json_t *expected = json_object_get(json, "vocab"), *token;
  size_t index;
  ck_assert_uint_eq(as_tokenizer_vocab_size(tokenizer), json_array_size(expected));
  json_array_foreach(expected, index, token) expect_token(index, token);
  expect_merges(json_object_get(json, "merges"));
  json_decref(json);
}
END_TEST

START_TEST(trained_encodings) {
  ck_assert_uint_eq(each_row("tokenizer_training/bpe800_encodings.jsonl", check_trained), 33);
}
END_TEST

static as_status next_item(void *user, const char **text, size_t *length) {
  json_t *lines = user, *line = json_array_get(lines, 0);
  if (!line) return AS_OK;
  static char held[65536];
  *length = json_string_length(line);
  *text = memcpy(held, json_string_value(line), *length);
  return json_array_remove(lines, 0) == 0 ? AS_OK : AS_E_INVALID;
}

static bool is_character(const json_t *token) {
  return as_utf8_count(json_string_value(token), json_string_length(token)) == 1;
}

/* The small cases have one special token and only the characters that occur. Ours have five, and all 256 characters in
 * the same order: so many tokens more, and then the same. */
static void check_tiny(const json_t *row) {
  enum { SPECIALS = 5, BYTES = 256, FOREIGN_SPECIALS = 1 };
  const json_t *expected = json_object_get(row, "vocab");
  size_t size = (size_t)json_integer_value(json_object_get(row, "vocab_size")), first = FOREIGN_SPECIALS;
  while (first < json_array_size(expected) && is_character(json_array_get(expected, first)))
    first++; /* the first token that was joined */
  as_byte_bpe_training options = {.vocab_size = size + SPECIALS + BYTES - first,
                                  .min_frequency = (uint64_t)json_integer_value(json_object_get(row, "min_frequency"))};
  json_t *lines = json_deep_copy(json_object_get(row, "lines"));
  ck_assert_ok(ctx, as_byte_bpe_train(ctx, &options, next_item, lines, &tokenizer));
  ck_assert_uint_eq(as_tokenizer_vocab_size(tokenizer), json_array_size(expected) + SPECIALS + BYTES - first);
  for (size_t i = first; i < json_array_size(expected); i++)
    expect_token(i + SPECIALS + BYTES - first, json_array_get(expected, i));
  expect_merges(json_object_get(row, "merges"));
  as_tokenizer_free(tokenizer);
  tokenizer = NULL;
  json_decref(lines);
}

static void nothing_yet(void) {
  ctx = as_test_context(1);
  as_encoding_init(&encoding, ctx);
}

START_TEST(small_corpora) {
  ck_assert_uint_eq(each_row("tokenizer_training/bpe_tiny.jsonl", check_tiny), 42);
}
END_TEST

Suite *as_suite(void) {
  as_golden_or_skip();
  Suite *suite = suite_create("golden_bpe");
  add_golden_texts(suite, "vocab.json and merges.txt", open_files);
  add_golden_texts(suite, "tokenizer.json", open_saved);
  TCase *training = golden_case("training", train_800);
  tcase_add_test(training, trained_vocabulary);
  tcase_add_test(training, trained_encodings);
  suite_add_tcase(suite, training);
  TCase *small = golden_case("small corpora", nothing_yet);
  tcase_add_test(small, small_corpora);
  suite_add_tcase(suite, small);
  return suite;
}
