/* BERT's WordPiece against every case of the golden files, and every Unicode scalar value. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/tokenizer_golden.h"
#include "tokenizer/unicode.h"
#include "tokenizer/wordpiece_trainer.h"

static void open_json(void) {
  open_golden("bert-base-uncased", as_golden("../data/tokenizers/bert-base-uncased"));
}
static void open_vocab(void) {
  open_golden("bert-base-uncased", as_golden("../data/tokenizers/bert-base-uncased/vocab.txt"));
}

/* ---- every code point ----------------------------------------------------------------------------------------- */

enum { CODE_POINTS = 0x110000 };

/* Sets `flag` of every code point in a list of inclusive ranges. */
static void mark(unsigned char *flags, const json_t *ranges, unsigned char flag) {
  const json_t *range;
  size_t index;
  ck_assert_uint_gt(json_array_size(ranges), 0);
  json_array_foreach(ranges, index, range) for (json_int_t c = json_integer_value(json_array_get(range, 0));
                                                c <= json_integer_value(json_array_get(range, 1)); c++) flags[c] |=
      flag;
}

enum { REMOVED = 1, TO_SPACE = 2, SPACED = 4, SPACE = 8, PUNCTUATION = 16 };

/* What the reference's normalizer makes of one code point. */
static void expect_normal(const json_t *normalizer, unsigned flags, uint32_t c, char *out) {
  char key[8], bytes[5] = {0};
  bytes[as_utf8_encode(c, bytes)] = 0;
  snprintf(key, sizeof key, "%04X", c);
  const char *mapped = json_string_value(json_object_get(json_object_get(normalizer, "mapped"), key));
  *out = 0;
  if (flags & REMOVED) return;
  if (mapped) {
    strcpy(out, mapped);
  } else if (flags & TO_SPACE) {
    strcpy(out, " ");
  } else if (flags & SPACED) {
    sprintf(out, " %s ", bytes);
  } else if (c >= 0xAC00 && c <= 0xD7A3) { /* Hangul syllables become jamo (Unicode 3.12) */
    uint32_t index = c - 0xAC00, jamo[3] = {0x1100 + index / 588, 0x1161 + index % 588 / 28, 0x11A7 + index % 28};
    for (int i = 0; i < (jamo[2] > 0x11A7 ? 3 : 2); i++) out += as_utf8_encode(jamo[i], out);
    *out = 0;
  } else {
    strcpy(out, bytes);
  }
}

/* Every code point between x and y, through the normalizer and, as it is, through the pre-tokenizer. */
START_TEST(every_code_point) {
  json_t *json = read_json("tokenizers/bert_unicode.json");
  const json_t *normalizer = json_object_get(json, "normalizer"),
               *split = json_object_get(json, "pre_tokenizer_on_normalized_text");
  unsigned char *flags = calloc(CODE_POINTS, 1);
  mark(flags, json_object_get(normalizer, "removed"), REMOVED);
  mark(flags, json_object_get(normalizer, "to_one_space_U+0020"), TO_SPACE);
  mark(flags, json_object_get(normalizer, "put_between_spaces_unchanged"), SPACED);
  mark(flags, json_object_get(split, "space_dropped"), SPACE);
  mark(flags, json_object_get(split, "punctuation_isolated"), PUNCTUATION);
  as_work *work = as_work_new(ctx);
  for (uint32_t c = 0; c < CODE_POINTS; c++) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    char text[8] = "x", expected[64] = "x";
    uint32_t length = 1 + (uint32_t)as_utf8_encode(c, text + 1);
    text[length++] = 'y';
    expect_normal(normalizer, flags[c], c, expected + 1);
    size_t size = c ? strlen(expected) : 1;
    expected[size++] = 'y';
    work->text.length = 0;
    as_text_view view = {.bytes = text, .length = length};
    ck_assert_ok(ctx, as_normalizer_of(tokenizer)->normalize(tokenizer->stages[AS_STAGE_NORMALIZER].state, work, view,
                                                             &work->text));
    if (work->text.length != size || memcmp(work->text.bytes, expected, size) != 0)
      ck_abort_msg("U+%04X becomes \"%.*s\", expected \"%s\"", c, (int)work->text.length, work->text.bytes, expected);
    work->text.length = work->splits.length = 0;
    ck_assert_ok(ctx, as_aligned_reserve(work, &work->text, length));
    as_aligned_put(&work->text, text, length, (as_span){0, length});
    ck_assert_ok(ctx, as_split_put(work, &work->splits, 0, length, -1));
    ck_assert_ok(ctx, as_pre_tokenizer_of(tokenizer)->split(NULL, work));
    if (work->splits.length != (flags[c] & SPACE ? 2 : flags[c] & PUNCTUATION ? 3 : 1))
      ck_abort_msg("U+%04X: %zu words", c, work->splits.length);
  }
  as_work_free(work);
  free(flags);
  json_decref(json);
}
END_TEST

START_TEST(letters_and_numbers) {
  json_t *json = read_json("tokenizers/bytelevel_unicode.json");
  unsigned char *flags = calloc(CODE_POINTS, 1);
  mark(flags, json_object_get(json, "letter_pL"), 1);
  mark(flags, json_object_get(json, "number_pN"), 2);
  mark(flags, json_object_get(json, "whitespace_s"), 4);
  for (uint32_t c = 0; c < CODE_POINTS; c++) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    unsigned mine = as_unicode_flags(c);
    int classes = (mine & AS_UC_LETTER ? 1 : 0) | (mine & AS_UC_NUMBER ? 2 : 0) | (mine & AS_UC_SPACE ? 4 : 0);
    if (classes != flags[c]) ck_abort_msg("U+%04X: classes %d, expected %d", c, classes, flags[c]);
  }
  free(flags);
  json_decref(json);
}
END_TEST

/* ---- training ------------------------------------------------------------------------------------------------- */

static as_status train(as_text_source next, void *user, as_tokenizer **out) {
  return as_wordpiece_train(ctx, &(as_wordpiece_training){.vocab_size = 800}, next, user, out);
}

static void train_800(void) {
  train_on_corpus(train);
}

START_TEST(trained_vocabulary) {
  json_t *json = read_json("tokenizer_training/wordpiece800.json");
  const json_t *expected = json_object_get(json, "deterministic"), *token;
  size_t index;
  ck_assert_uint_eq(as_tokenizer_vocab_size(tokenizer), json_array_size(expected));
  json_array_foreach(expected, index, token) {
    const char *mine = as_tokenizer_token(tokenizer, (int64_t)index, NULL);
    if (strcmp(mine, json_string_value(token)) != 0)
      ck_abort_msg("token %zu is \"%s\", expected \"%s\"", index, mine, json_string_value(token));
  }
  json_decref(json);
}
END_TEST

START_TEST(trained_encodings) {
  ck_assert_uint_eq(each_row("tokenizer_training/wordpiece800_encodings.jsonl", check_trained), 33);
}
END_TEST

/* ---- the suite ------------------------------------------------------------------------------------------------ */

Suite *as_suite(void) {
  as_golden_or_skip();
  Suite *suite = suite_create("golden_wordpiece");
  add_golden_texts(suite, "tokenizer.json", open_json);
  add_golden_texts(suite, "vocab.txt", open_vocab);
  TCase *unicode = golden_case("unicode", open_json);
  tcase_add_test(unicode, every_code_point);
  tcase_add_test(unicode, letters_and_numbers);
  suite_add_tcase(suite, unicode);
  TCase *training = golden_case("training", train_800);
  tcase_add_test(training, trained_vocabulary);
  tcase_add_test(training, trained_encodings);
  suite_add_tcase(suite, training);
  return suite;
}
