/* Unigram tokenizers against every case of the golden files: tokenizer.json as `tokenizers` runs it, spiece.model as
 * SentencePiece does, what was saved from each, the grapheme clusters that the Precompiled normalizer sees, and how
 * good a trained vocabulary is. */
#include <string.h>

#include "base/utf8.h"
#include "tests/tokenizer_golden.h"
#include "tokenizer/grapheme.h"
#include "tokenizer/unigram_trainer.h"

#define LEGAL_T5 "../data/tokenizers/legal-t5"

static void open_json(void) {
  open_golden("legal-t5", as_golden(LEGAL_T5));
}

static void open_piece_file(void) {
  open_golden("legal-t5-spiece", as_golden(LEGAL_T5 "/spiece.model"));
}

static void open_albert(void) {
  open_golden("albert-unigram", as_golden("../data/tokenizers/albert-unigram"));
}

/* The same vocabulary and rules in the stages that the published T5 files have. */
static void open_canonical(void) {
  const char *folder = as_test_folder();
  as_context *writing = as_test_context(1);
  json_t *json;
  ck_assert_ok(writing, as_json_read(writing, as_golden(LEGAL_T5 "/tokenizer.json"), 0, AS_E_DATA, &json));
  json_t *rules = json_array_get(json_object_get(json_object_get(json, "normalizer"), "normalizers"), 0);
  json_object_set(json, "normalizer", rules);
  json_object_set_new(json, "pre_tokenizer",
                      json_pack("{s:s, s:[{s:s}, O]}", "type", "Sequence", "pretokenizers", "type", "WhitespaceSplit",
                                json_object_get(json, "pre_tokenizer")));
  char *text = json_dumps(json, JSON_REAL_PRECISION(17)), path[512];
  snprintf(path, sizeof path, "%s/tokenizer.json", folder);
  ck_assert_ok(writing, as_file_write(writing, path, text, strlen(text)));
  free(text);
  json_decref(json);
  as_test_context_free(writing);
  open_golden("legal-t5-canonical", folder);
  as_test_folder_remove(folder);
}

/* Opens what the tokenizer saves: its folder, or `file` of it. */
static void open_saved(void (*open)(void), const char *name, const char *file) {
  char path[512];
  const char *folder = as_test_folder();
  open();
  ck_assert_ok(ctx, as_tokenizer_save(tokenizer, folder, 512));
  close_golden();
  snprintf(path, sizeof path, "%s/%s", folder, file);
  open_golden(name, path);
  ck_assert_uint_eq(as_tokenizer_model_max_length(tokenizer), 512);
  as_test_folder_remove(folder);
}

static void open_saved_json(void) {
  open_saved(open_json, "legal-t5", "");
}
static void open_saved_canonical(void) {
  open_saved(open_canonical, "legal-t5-canonical", "");
}
static void open_piece_file_of_json(void) {
  open_saved(open_json, "legal-t5-spiece", "spiece.model");
}
static void open_saved_albert(void) {
  open_saved(open_albert, "albert-unigram", "");
}

/* ---- graphemes ------------------------------------------------------------------------------------------------ */

static void expect_joined(const json_t *ranges, uint32_t low, uint32_t high) {
  size_t index = 0, count = json_array_size(ranges);
  ck_assert_uint_gt(count, 0);
  for (uint32_t c = low; c < high; c++) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    while (index < count && json_integer_value(json_array_get(json_array_get(ranges, index), 1)) < c) index++;
    bool expected = index < count && json_integer_value(json_array_get(json_array_get(ranges, index), 0)) <= c;
    char text[8] = "\xC2\xB2";
    size_t length = 2 + (size_t)as_utf8_encode(c, text + 2);
    bool joined = as_grapheme_length(text, length) == length;
    if (joined != expected) ck_abort_msg("U+%04X %s a cluster", c, joined ? "joins" : "does not join");
  }
}

START_TEST(graphemes) {
  json_t *json = read_json("tokenizers/precompiled_graphemes.json");
  expect_joined(json_object_get(json, "joins_two_byte"), 0x80, 0x800);
  expect_joined(json_object_get(json, "joins_three_byte"), 0x800, 0x10000);
  json_decref(json);
}
END_TEST

/* ---- what differs --------------------------------------------------------------------------------------------- */

static void check_difference(const json_t *row) {
  const json_t *ids = json_object_get(row, as_model_of(tokenizer)->raw ? "spiece_model" : "tokenizer_json");
  encode_row(row, &(as_encode_options){0});
  ck_assert_uint_eq(encoding.length, json_array_size(ids));
  for (size_t i = 0; i < encoding.length; i++)
    ck_assert_int_eq(encoding.ids[i], json_integer_value(json_array_get(ids, i)));
}

START_TEST(differences) {
  ck_assert_uint_gt(each_row("tokenizers/legal-t5.differences.jsonl", check_difference), 100);
}
END_TEST

/* ---- training ------------------------------------------------------------------------------------------------- */

static as_status train(as_text_source next, void *user, as_tokenizer **out) {
  return as_unigram_train(ctx, &(as_unigram_training){.vocab_size = 1000, .character_coverage = 1}, next, user, out);
}

static void train_1000(void) {
  train_on("tokenizer_training/unigram_corpus.txt", train);
}

/* How a file's texts are cut: tokens and the sum of their scores, each for a word between white space, and unknowns. */
typedef struct quality {
  double tokens, likelihood;
  size_t unknown;
} quality;

static quality measure(const char *file) {
  as_lines_source source = {0};
  quality sum = {0};
  const char *text = NULL;
  size_t length, words = 0;
  ck_assert_ok(ctx, as_file_read(ctx, as_golden(file), 0, AS_E_DATA, &source.text, &source.length));
  source.at = source.text;
  while (as_next_line(&source, &text, &length) == AS_OK && text) {
    ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, text, length, NULL, 0,
                                          &(as_encode_options){.no_special_tokens = true}, &encoding));
    for (size_t i = 0; i < encoding.length; i++) {
      sum.unknown += encoding.ids[i] == 2;
      sum.likelihood += tokenizer->vocabulary.scores[encoding.ids[i]];
    }
    sum.tokens += (double)encoding.length;
    for (size_t i = 0; i < length; i++) words += text[i] != ' ' && (i == 0 || text[i - 1] == ' ');
    text = NULL;
  }
  as_free(ctx, source.text);
  sum.tokens /= (double)words;
  sum.likelihood /= (double)words;
  return sum;
}

/* SentencePiece's figures for the same texts, and how far a trainer may fall behind them. */
START_TEST(trained_quality) {
  json_t *json = read_json("tokenizer_training/unigram1000.json");
  double tokens = json_real_value(json_object_get(json_object_get(json, "dev"), "tokens_per_word"));
  double likelihood = json_real_value(json_object_get(json, "log_likelihood_per_word_dev_viterbi"));
  json_decref(json);
  quality dev = measure("tokenizer_training/unigram_dev.txt");
  ck_assert_uint_eq(as_tokenizer_vocab_size(tokenizer), 1000);
  ck_assert_uint_eq(measure("tokenizer_training/unigram_corpus.txt").unknown, 0);
  ck_assert_double_gt(tokens, 1);
  ck_assert_double_le(dev.tokens, 1.05 * tokens);
  ck_assert_double_ge(dev.likelihood, 1.03 * likelihood);
}
END_TEST

/* ---- the suite ------------------------------------------------------------------------------------------------ */

Suite *as_suite(void) {
  as_golden_or_skip();
  Suite *suite = suite_create("golden_unigram");
  add_golden_texts(suite, "tokenizer.json", open_json);
  add_golden_texts(suite, "tokenizer.json, saved", open_saved_json);
  add_golden_parts(suite, "canonical", open_canonical, 0);
  add_golden_parts(suite, "canonical, saved", open_saved_canonical, 0);
  add_golden_parts(suite, "spiece.model", open_piece_file, GOLDEN_DECODING);
  add_golden_parts(suite, "spiece.model of tokenizer.json", open_piece_file_of_json, GOLDEN_DECODING);
  add_golden_parts(suite, "ALBERT", open_albert, GOLDEN_DECODING);
  add_golden_parts(suite, "ALBERT, saved", open_saved_albert, GOLDEN_DECODING);
  TCase *json = golden_case("differences of tokenizer.json", open_json);
  tcase_add_test(json, differences);
  tcase_add_test(json, graphemes);
  suite_add_tcase(suite, json);
  TCase *pieces = golden_case("differences of spiece.model", open_piece_file);
  tcase_add_test(pieces, differences);
  suite_add_tcase(suite, pieces);
  TCase *training = golden_case("training", train_1000);
  tcase_add_test(training, trained_quality);
  suite_add_tcase(suite, training);
  return suite;
}
