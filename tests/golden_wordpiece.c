/* BERT's WordPiece against every case of the golden files: ids, tokens, offsets, pairs, truncation, windows, padding,
 * decoding, invalid UTF-8, every Unicode scalar value, and trained vocabularies. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "tests/harness.h"
#include "tokenizer/stages.h"
#include "tokenizer/wordpiece_trainer.h"
#include "tokenizer/unicode.h"

static as_context *ctx;
static as_tokenizer *tokenizer;
static as_encoding encoding;

static void open_from(const char *file) {
  ctx = as_test_context(1);
  ck_assert_ok(ctx, as_tokenizer_open(ctx, as_golden(file), &tokenizer));
  as_encoding_init(&encoding, ctx);
}

static void open_json(void) {
  open_from("../data/tokenizers/bert-base-uncased");
}
static void open_vocab(void) {
  open_from("../data/tokenizers/bert-base-uncased/vocab.txt");
}

static void close_all(void) {
  as_encoding_free(&encoding);
  as_tokenizer_free(tokenizer);
  as_test_context_free(ctx);
}

/* ---- reading rows --------------------------------------------------------------------------------------------- */

/* Calls `check` for each line of a golden file; returns how many there were. */
static size_t each_row(const char *file, void (*check)(const json_t *row)) {
  char *text;
  size_t length, rows = 0;
  ck_assert_ok(ctx, as_file_read(ctx, as_golden(file), 0, AS_E_DATA, &text, &length));
  for (char *line = text, *end; line < text + length; line = end + 1, rows++) {
    json_t *row;
    end = strchr(line, '\n');
    ck_assert_ok(ctx, as_json_parse(ctx, line, (size_t)(end - line), file, AS_E_DATA, &row));
    check(row);
    json_decref(row);
  }
  as_free(ctx, text);
  return rows;
}

static const char *string_at(const json_t *row, const char *key, size_t *length) {
  const json_t *value = json_object_get(row, key);
  *length = json_string_length(value);
  return json_string_value(value);
}

static const char *id_of(const json_t *row) {
  return json_string_value(json_object_get(row, "id"));
}

#define EXPECT_LIST(row, what, list, count, expression)                                                                \
  do {                                                                                                                 \
    const json_t *expected_ = (list);                                                                                  \
    if (json_array_size(expected_) != (count))                                                                         \
      ck_abort_msg("%s: %s: %zu values, expected %zu", id_of(row), what, (size_t)(count), json_array_size(expected_)); \
    for (size_t i = 0; i < (count); i++)                                                                               \
      if ((long long)(expression) != json_integer_value(json_array_get(expected_, i)))                                 \
        ck_abort_msg("%s: %s[%zu] is %lld, expected %lld", id_of(row), what, i, (long long)(expression),               \
                     (long long)json_integer_value(json_array_get(expected_, i)));                                     \
  } while (0)

static void encode_row(const json_t *row, const as_encode_options *options) {
  size_t length, pair_length;
  const char *text = string_at(row, "text", &length), *pair = string_at(row, "text_pair", &pair_length);
  ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, text, length, pair, pair_length, options, &encoding));
}

/* ---- texts and pairs ------------------------------------------------------------------------------------------ */

static void check_tokens(const json_t *row) {
  const json_t *tokens = json_object_get(row, "tokens");
  for (size_t i = 0; i < encoding.length; i++) {
    size_t length = 0;
    const json_t *expected = json_array_get(tokens, i);
    const char *token = as_encoding_token(tokenizer, &encoding, i, &length);
    if (!token || length != json_string_length(expected) || memcmp(token, json_string_value(expected), length) != 0)
      ck_abort_msg("%s: token %zu is \"%s\", expected \"%s\"", id_of(row), i, token ? token : "(none)",
                   json_string_value(expected));
  }
}

static void check_text(const json_t *row) {
  encode_row(row, &(as_encode_options){.offsets = true});
  EXPECT_LIST(row, "ids", json_object_get(row, "ids"), encoding.length, encoding.ids[i]);
  EXPECT_LIST(row, "byte_offsets", json_object_get(row, "byte_offsets"), 2 * encoding.length, encoding.byte_offsets[i]);
  EXPECT_LIST(row, "char_offsets", json_object_get(row, "char_offsets"), 2 * encoding.length, encoding.char_offsets[i]);
  check_tokens(row);
  for (size_t i = 0; i < encoding.length; i++) ck_assert_int_eq(encoding.attention[i], 1);
  if (json_object_get(row, "type_ids")) {
    EXPECT_LIST(row, "type_ids", json_object_get(row, "type_ids"), encoding.length, encoding.type_ids[i]);
    EXPECT_LIST(row, "sequence", json_object_get(row, "sequence"), encoding.length, encoding.sequence[i]);
  }
  const json_t *short_row = json_object_get(row, "t16");
  size_t full = encoding.length;
  encode_row(row, &(as_encode_options){.max_length = 16, .pad_to = 16});
  EXPECT_LIST(row, "t16.ids", json_object_get(short_row, "ids"), encoding.length, encoding.ids[i]);
  EXPECT_LIST(row, "t16.attention", json_object_get(short_row, "attention"), encoding.length, encoding.attention[i]);
  ck_assert_uint_eq(encoding.cut, full > 16 ? full - 16 : 0);
  if (json_object_get(short_row, "type_ids"))
    EXPECT_LIST(row, "t16.type_ids", json_object_get(short_row, "type_ids"), encoding.length, encoding.type_ids[i]);
}

START_TEST(texts) {
  ck_assert_uint_eq(each_row("tokenizers/bert-base-uncased.jsonl", check_text), 937);
}
END_TEST

START_TEST(pairs) {
  ck_assert_uint_eq(each_row("tokenizers/bert-base-uncased.pairs.jsonl", check_text), 56);
}
END_TEST

/* ---- truncation, windows, padding ----------------------------------------------------------------------------- */

static size_t number(const json_t *object, const char *key) {
  return (size_t)json_integer_value(json_object_get(object, key));
}

static bool is(const json_t *object, const char *key, const char *value) {
  const char *text = json_string_value(json_object_get(object, key));
  return text && strcmp(text, value) == 0;
}

static void check_part(const json_t *row, const json_t *part, size_t start, size_t end) {
  size_t count = end - start;
  EXPECT_LIST(row, "ids", json_object_get(part, "ids"), count, encoding.ids[start + i]);
  EXPECT_LIST(row, "attention", json_object_get(part, "attention"), count, encoding.attention[start + i]);
  EXPECT_LIST(row, "special", json_object_get(part, "special"), count, encoding.special[start + i]);
  EXPECT_LIST(row, "type_ids", json_object_get(part, "type_ids"), count, encoding.type_ids[start + i]);
  EXPECT_LIST(row, "char_offsets", json_object_get(part, "char_offsets"), 2 * count,
              encoding.char_offsets[2 * start + i]);
}

static size_t truncation_rows, truncation_parts;

static void check_truncation(const json_t *row) {
  if (!is(row, "tokenizer", "bert-base-uncased")) return;
  const json_t *truncation = json_object_get(row, "truncation"), *padding = json_object_get(row, "padding");
  as_encode_options options = {.offsets = true, .windows = true};
  options.max_length = number(truncation, "max_length");
  options.stride = number(truncation, "stride");
  options.truncation_side = is(truncation, "direction", "left") ? AS_SIDE_LEFT : AS_SIDE_RIGHT;
  if (is(truncation, "strategy", "only_first")) options.truncation = AS_ONLY_FIRST;
  if (is(truncation, "strategy", "only_second")) options.truncation = AS_ONLY_SECOND;
  options.pad_to = number(padding, "length");
  options.pad_to_multiple = number(padding, "pad_to_multiple_of");
  options.padding_side = is(padding, "direction", "left") ? AS_SIDE_LEFT : AS_SIDE_RIGHT;
  truncation_rows++;
  const json_t *parts = json_object_get(row, "parts"), *part;
  size_t length, pair_length, index;
  const char *text = string_at(row, "text", &length), *pair = string_at(row, "text_pair", &pair_length);
  as_status status = as_tokenizer_encode(tokenizer, text, length, pair, pair_length, &options, &encoding);
  if (json_object_get(row, "error")) {
    ck_assert_int_eq(status, AS_E_INVALID);
    return;
  }
  if (status != AS_OK) ck_abort_msg("%s: %s", id_of(row), as_error_text(ctx));
  if (encoding.parts != json_array_size(parts))
    ck_abort_msg("%s: %zu parts, expected %zu", id_of(row), encoding.parts, json_array_size(parts));
  json_array_foreach(parts, index, part) {
    check_part(row, part, encoding.part_start[index], encoding.part_start[index + 1]);
    truncation_parts++;
  }
  size_t windowed = encoding.length;
  options.windows = false;
  ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, text, length, pair, pair_length, &options, &encoding));
  ck_assert_uint_eq(encoding.parts, 1);
  ck_assert_uint_eq(encoding.length, windowed);
  check_part(row, json_array_get(parts, 0), 0, encoding.length);
}

START_TEST(truncation) {
  each_row("tokenizers/truncation.jsonl", check_truncation);
  ck_assert_uint_eq(truncation_rows, 33);
  ck_assert_uint_gt(truncation_parts, 33);
}
END_TEST

/* ---- decoding ------------------------------------------------------------------------------------------------- */

static void check_decoding(const json_t *row) {
  const json_t *list = json_object_get(row, "ids");
  size_t count = json_array_size(list);
  int64_t *ids = as_alloc(ctx, count, sizeof *ids);
  for (size_t i = 0; i < count; i++) ids[i] = json_integer_value(json_array_get(list, i));
  for (int skip = 0; skip < 2; skip++) {
    as_buffer text;
    as_buffer_init(&text, ctx);
    size_t length;
    const char *expected = string_at(row, skip ? "text_skip_special" : "text", &length);
    ck_assert_ok(ctx, as_tokenizer_decode(tokenizer, ids, count, skip, &text));
    if (text.length != length || memcmp(as_buffer_string(&text), expected, length) != 0)
      ck_abort_msg("%s: decoded \"%s\", expected \"%s\"", id_of(row), as_buffer_string(&text), expected);
    as_buffer_free(&text);
  }
  as_free(ctx, ids);
}

START_TEST(decoding) {
  ck_assert_uint_eq(each_row("tokenizers/decode.bert-base-uncased.jsonl", check_decoding), 208);
}
END_TEST

/* ---- invalid UTF-8 -------------------------------------------------------------------------------------------- */

static void check_invalid(const json_t *row) {
  char bytes[1024];
  size_t hex_length, length;
  const char *hex = string_at(row, "hex", &hex_length), *repaired = string_at(row, "text", &length);
  for (size_t i = 0; i < hex_length / 2; i++)
    bytes[i] = (char)strtol((char[]){hex[2 * i], hex[2 * i + 1], 0}, NULL, 16);
  ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, bytes, hex_length / 2, NULL, 0, NULL, &encoding));
  EXPECT_LIST(row, "ids", json_object_get(row, "bert-base-uncased"), encoding.length, encoding.ids[i]);
  size_t replaced = 0;
  for (size_t i = 0; i + 3 <= length; i++) replaced += memcmp(repaired + i, "\xEF\xBF\xBD", 3) == 0;
  for (size_t i = 0; i + 3 <= hex_length / 2; i++) replaced -= memcmp(bytes + i, "\xEF\xBF\xBD", 3) == 0;
  ck_assert_uint_eq(encoding.repaired, replaced);
}

START_TEST(invalid_utf8) {
  ck_assert_uint_eq(each_row("tokenizers/invalid_utf8.jsonl", check_invalid), 106);
}
END_TEST

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

static json_t *read_json(const char *file) {
  json_t *json;
  ck_assert_ok(ctx, as_json_read(ctx, as_golden(file), 0, AS_E_DATA, &json));
  return json;
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

typedef struct lines {
  char *text, *at;
  size_t length;
} lines;

static as_status next_line(void *user, const char **text, size_t *length) {
  lines *source = user;
  if (source->at >= source->text + source->length) return AS_OK;
  char *end = strchr(source->at, '\n');
  *text = source->at;
  *length = (size_t)(end - source->at);
  source->at = end + 1;
  return AS_OK;
}

static void train_800(void) {
  ctx = as_test_context(1);
  lines source = {0};
  ck_assert_ok(
      ctx, as_file_read(ctx, as_golden("tokenizer_training/corpus.txt"), 0, AS_E_DATA, &source.text, &source.length));
  source.at = source.text;
  ck_assert_ok(ctx,
               as_wordpiece_train(ctx, &(as_wordpiece_training){.vocab_size = 800}, next_line, &source, &tokenizer));
  as_free(ctx, source.text);
  as_encoding_init(&encoding, ctx);
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

/* These encodings have no special tokens. */
static void check_trained(const json_t *row) {
  encode_row(row, &(as_encode_options){.no_special_tokens = true});
  const json_t *ids = json_object_get(row, "ids");
  ck_assert_uint_eq(encoding.length, json_array_size(ids));
  for (size_t i = 0; i < encoding.length; i++)
    ck_assert_int_eq(encoding.ids[i], json_integer_value(json_array_get(ids, i)));
}

START_TEST(trained_encodings) {
  ck_assert_uint_eq(each_row("tokenizer_training/wordpiece800_encodings.jsonl", check_trained), 33);
}
END_TEST

/* ---- the suite ------------------------------------------------------------------------------------------------ */

Suite *as_suite(void) {
  as_golden_or_skip();
  Suite *suite = suite_create("golden_wordpiece");
  void (*const setups[2])(void) = {open_json, open_vocab};
  for (int i = 0; i < 2; i++) {
    TCase *tests = tcase_create(i ? "vocab.txt" : "tokenizer.json");
    tcase_add_checked_fixture(tests, setups[i], close_all);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, texts);
    tcase_add_test(tests, pairs);
    tcase_add_test(tests, truncation);
    tcase_add_test(tests, decoding);
    tcase_add_test(tests, invalid_utf8);
    suite_add_tcase(suite, tests);
  }
  TCase *unicode = tcase_create("unicode");
  tcase_add_checked_fixture(unicode, open_json, close_all);
  tcase_set_timeout(unicode, 120);
  tcase_add_test(unicode, every_code_point);
  tcase_add_test(unicode, letters_and_numbers);
  suite_add_tcase(suite, unicode);
  TCase *training = tcase_create("training");
  tcase_add_checked_fixture(training, train_800, close_all);
  tcase_set_timeout(training, 120);
  tcase_add_test(training, trained_vocabulary);
  tcase_add_test(training, trained_encodings);
  suite_add_tcase(suite, training);
  return suite;
}
