/* What the golden files say of one tokenizer: ids, tokens, offsets, pairs, truncation, windows, padding, decoding,
 * invalid UTF-8, and what a trained vocabulary encodes to. */
#include "tests/tokenizer_golden.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tokenizer/decode_stream.h"

as_context *ctx;
as_tokenizer *tokenizer;
as_encoding encoding;
static const char *model;

void open_golden(const char *name, const char *path) {
  ctx = as_test_context(1);
  model = name;
  ck_assert_ok(ctx, as_tokenizer_open(ctx, path, &tokenizer));
  as_encoding_init(&encoding, ctx);
}

void close_golden(void) {
  as_encoding_free(&encoding);
  as_tokenizer_free(tokenizer);
  as_test_context_free(ctx);
}

/* "tokenizers/<kind><model><ending>" */
static const char *golden_file(const char *kind, const char *ending) {
  static char name[128];
  snprintf(name, sizeof name, "tokenizers/%s%s%s", kind, model, ending);
  return name;
}

json_t *read_json(const char *file) {
  json_t *json;
  ck_assert_ok(ctx, as_json_read(ctx, as_golden(file), 0, AS_E_DATA, &json));
  return json;
}

/* ---- reading rows --------------------------------------------------------------------------------------------- */

/* Calls `check` for each line of a golden file; returns how many there were. */
size_t each_row(const char *file, void (*check)(const json_t *row)) {
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

void encode_row(const json_t *row, const as_encode_options *options) {
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

/* The files of SentencePiece's own tokenizers give the ids without special tokens. */
static bool is_raw(void) {
  return as_model_of(tokenizer)->raw;
}

static void check_text(const json_t *row) {
  encode_row(row, &(as_encode_options){.offsets = true, .no_special_tokens = is_raw()});
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
  if (is_raw()) {
    encode_row(row, &(as_encode_options){0});
    EXPECT_LIST(row, "ids_special", json_object_get(row, "ids_special"), encoding.length, encoding.ids[i]);
  }
  size_t full = encoding.length;
  encode_row(row, &(as_encode_options){.max_length = 16, .pad_to = 16});
  EXPECT_LIST(row, "t16.ids", json_object_get(short_row, "ids"), encoding.length, encoding.ids[i]);
  EXPECT_LIST(row, "t16.attention", json_object_get(short_row, "attention"), encoding.length, encoding.attention[i]);
  ck_assert_uint_eq(encoding.cut, full > 16 ? full - 16 : 0);
  if (json_object_get(short_row, "type_ids"))
    EXPECT_LIST(row, "t16.type_ids", json_object_get(short_row, "type_ids"), encoding.length, encoding.type_ids[i]);
}

START_TEST(texts) {
  ck_assert_uint_eq(each_row(golden_file("", ".jsonl"), check_text), 937);
}
END_TEST

START_TEST(pairs) {
  ck_assert_uint_eq(each_row(golden_file("", ".pairs.jsonl"), check_text), 56);
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
  if (!is(row, "tokenizer", model)) return;
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

/* Token by token gives the same text, in whole characters. */
static void check_stream(const json_t *row, const int64_t *ids, size_t count, bool skip, const char *expected,
                         size_t length) {
  as_decode_stream stream;
  as_buffer text;
  size_t before = 0;
  as_decode_stream_init(&stream, tokenizer, ctx, skip);
  as_buffer_init(&text, ctx);
  for (size_t i = 0; i <= count; i++) {
    ck_assert_ok(ctx, i < count ? as_decode_stream_put(&stream, ids[i], &text) : as_decode_stream_end(&stream, &text));
    if (!as_utf8_valid(as_buffer_string(&text) + before, text.length - before))
      ck_abort_msg("%s: token %zu gives a part of a character", id_of(row), i);
    before = text.length;
  }
  if (text.length != length || memcmp(as_buffer_string(&text), expected, length) != 0)
    ck_abort_msg("%s: streamed \"%s\", expected \"%s\"", id_of(row), as_buffer_string(&text), expected);
  as_buffer_free(&text);
  as_decode_stream_free(&stream);
}

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
    if (!expected) continue; /* SentencePiece always leaves them out */
    ck_assert_ok(ctx, as_tokenizer_decode(tokenizer, ids, count, skip, &text));
    if (text.length != length || memcmp(as_buffer_string(&text), expected, length) != 0)
      ck_abort_msg("%s: decoded \"%s\", expected \"%s\"", id_of(row), as_buffer_string(&text), expected);
    as_buffer_free(&text);
    check_stream(row, ids, count, skip, expected, length);
  }
  as_free(ctx, ids);
}

START_TEST(decoding) {
  ck_assert_uint_gt(each_row(golden_file("decode.", ".jsonl"), check_decoding), 200);
}
END_TEST

/* ---- invalid UTF-8 -------------------------------------------------------------------------------------------- */

static void check_invalid(const json_t *row) {
  char bytes[1024];
  size_t hex_length, length;
  const char *hex = string_at(row, "hex", &hex_length), *repaired = string_at(row, "text", &length);
  for (size_t i = 0; i < hex_length / 2; i++)
    bytes[i] = (char)strtol((char[]){hex[2 * i], hex[2 * i + 1], 0}, NULL, 16);
  ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, bytes, hex_length / 2, NULL, 0,
                                        &(as_encode_options){.no_special_tokens = is_raw()}, &encoding));
  EXPECT_LIST(row, "ids", json_object_get(row, model), encoding.length, encoding.ids[i]);
  size_t replaced = 0;
  for (size_t i = 0; i + 3 <= length; i++) replaced += memcmp(repaired + i, "\xEF\xBF\xBD", 3) == 0;
  for (size_t i = 0; i + 3 <= hex_length / 2; i++) replaced -= memcmp(bytes + i, "\xEF\xBF\xBD", 3) == 0;
  ck_assert_uint_eq(encoding.repaired, replaced);
}

START_TEST(invalid_utf8) {
  ck_assert_uint_eq(each_row("tokenizers/invalid_utf8.jsonl", check_invalid), 106);
}
END_TEST

/* ---- trained vocabularies ------------------------------------------------------------------------------------- */

as_status as_next_line(void *user, const char **text, size_t *length) {
  as_lines_source *source = user;
  if (source->at >= source->text + source->length) return AS_OK;
  char *end = strchr(source->at, '\n');
  *text = source->at;
  *length = (size_t)(end - source->at);
  source->at = end + 1;
  return AS_OK;
}

void train_on(const char *file, as_status (*train)(as_text_source next, void *user, as_tokenizer **out)) {
  ctx = as_test_context(1);
  as_lines_source source = {0};
  ck_assert_ok(ctx, as_file_read(ctx, as_golden(file), 0, AS_E_DATA, &source.text, &source.length));
  source.at = source.text;
  ck_assert_ok(ctx, train(as_next_line, &source, &tokenizer));
  as_free(ctx, source.text);
  as_encoding_init(&encoding, ctx);
}

void train_on_corpus(as_status (*train)(as_text_source next, void *user, as_tokenizer **out)) {
  train_on("tokenizer_training/corpus.txt", train);
}

/* These encodings have no special tokens. */
void check_trained(const json_t *row) {
  encode_row(row, &(as_encode_options){.no_special_tokens = true});
  const json_t *ids = json_object_get(row, "ids");
  ck_assert_uint_eq(encoding.length, json_array_size(ids));
  for (size_t i = 0; i < encoding.length; i++)
    ck_assert_int_eq(encoding.ids[i], json_integer_value(json_array_get(ids, i)));
}

/* ---- the cases ------------------------------------------------------------------------------------------------ */

TCase *golden_case(const char *name, void (*setup)(void)) {
  TCase *tests = tcase_create(name);
  tcase_add_checked_fixture(tests, setup, close_golden);
  return tests;
}

void add_golden_parts(Suite *suite, const char *name, void (*setup)(void), unsigned parts) {
  TCase *tests = golden_case(name, setup);
  tcase_add_test(tests, texts);
  if (parts & GOLDEN_PAIRS) tcase_add_test(tests, pairs);
  if (parts & GOLDEN_TRUNCATION) tcase_add_test(tests, truncation);
  if (parts & GOLDEN_DECODING) tcase_add_test(tests, decoding);
  tcase_add_test(tests, invalid_utf8);
  suite_add_tcase(suite, tests);
}

void add_golden_texts(Suite *suite, const char *name, void (*setup)(void)) {
  add_golden_parts(suite, name, setup, GOLDEN_PAIRS | GOLDEN_TRUNCATION | GOLDEN_DECODING);
}
