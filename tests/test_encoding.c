/* Encodings as a whole: pairs, truncation, windows, padding, cost, threads, JSON lines. */
#include <stdlib.h>

#include "tests/tokenizer_fixture.h"
#include "tests/tokenizer_threads.h"
#include "tokenizer/tokenize_json.h"

/* ---- pairs, truncation, padding ------------------------------------------------------------------------------- */

START_TEST(pairs_have_types_and_sequences) {
  encode("a b", "c", (as_encode_options){0});
  ck_assert_str_eq(shown(0), "[CLS] a b [SEP] c [SEP]");
  const int type_ids[] = {0, 0, 0, 0, 1, 1}, sequence[] = {-1, 0, 0, -1, 1, -1}, special[] = {1, 0, 0, 1, 0, 1};
  for (size_t i = 0; i < 6; i++) {
    ck_assert_int_eq(encoding.type_ids[i], type_ids[i]);
    ck_assert_int_eq(encoding.sequence[i], sequence[i]);
    ck_assert_int_eq(encoding.special[i], special[i]);
    ck_assert_int_eq(encoding.attention[i], 1);
  }
  encode("", "", (as_encode_options){0});
  ck_assert_str_eq(shown(0), "[CLS] [SEP] [SEP]");
  ck_assert_uint_eq(as_tokenizer_added(tokenizer, false), 2);
  ck_assert_uint_eq(as_tokenizer_added(tokenizer, true), 3);
  use_json(NULL, NULL, "null");
  encode("a b", "c", (as_encode_options){0});
  ck_assert_str_eq(shown(0), "a b c");
  ck_assert_int_eq(encoding.type_ids[2], 1);
  ck_assert_uint_eq(as_tokenizer_added(tokenizer, true), 0);
}
END_TEST

START_TEST(no_token_has_no_offsets) {
  use_json(NULL, NULL, "null");
  encode("", NULL, (as_encode_options){.offsets = true}); /* the first use of the encoding: nothing is allocated yet */
  ck_assert_uint_eq(encoding.part_start[encoding.parts], 0);
  encode("a b", NULL, (as_encode_options){.offsets = true});
  ck_assert_uint_eq(encoding.char_offsets[3], 3);
}
END_TEST

START_TEST(truncation_keeps_what_is_said) {
  encode("a b c a b", NULL, (as_encode_options){.max_length = 4});
  ck_assert_str_eq(shown(0), "[CLS] a b [SEP]");
  ck_assert_uint_eq(encoding.cut, 3);
  encode("a b c a b", NULL, (as_encode_options){.max_length = 4, .truncation_side = AS_SIDE_LEFT});
  ck_assert_str_eq(shown(0), "[CLS] a b [SEP]");
  encode("c b a", NULL, (as_encode_options){.max_length = 4, .truncation_side = AS_SIDE_LEFT});
  ck_assert_str_eq(shown(0), "[CLS] b a [SEP]");
  encode("a b c", NULL, (as_encode_options){.max_length = 2});
  ck_assert_str_eq(shown(0), "[CLS] [SEP]");
  encode("a b c", NULL, (as_encode_options){.max_length = 1}); /* not even the special tokens: no truncation at all */
  ck_assert_str_eq(shown(0), "[CLS] a b c [SEP]");
  ck_assert_uint_eq(encoding.cut, 0);
  encode("a b c a", "b c", (as_encode_options){.max_length = 7});
  ck_assert_str_eq(shown(0), "[CLS] a b [SEP] b c [SEP]");
  encode("a b c a", "b c a b", (as_encode_options){.max_length = 8}); /* 2 and 3: halves, the second has the odd one */
  ck_assert_str_eq(shown(0), "[CLS] a b [SEP] b c a [SEP]");
  encode("a", "b c a b", (as_encode_options){.max_length = 5, .truncation = AS_ONLY_SECOND});
  ck_assert_str_eq(shown(0), "[CLS] a [SEP] b [SEP]");
  encode("a b c", "b", (as_encode_options){.max_length = 5, .truncation = AS_ONLY_FIRST});
  ck_assert_str_eq(shown(0), "[CLS] a [SEP] b [SEP]");
}
END_TEST

START_TEST(windows_show_all_of_the_text) {
  encode("a b c a b", NULL, (as_encode_options){.max_length = 4, .windows = true});
  ck_assert_uint_eq(encoding.parts, 3);
  ck_assert_str_eq(shown(1), "[CLS] c a [SEP]");
  ck_assert_str_eq(shown(2), "[CLS] b [SEP]");
  encode("a b c a", NULL, (as_encode_options){.max_length = 4, .windows = true, .stride = 1});
  ck_assert_uint_eq(encoding.parts, 3);
  ck_assert_str_eq(shown(1), "[CLS] b c [SEP]");
  ck_assert_str_eq(shown(2), "[CLS] c a [SEP]");
  encode("a b c", NULL, (as_encode_options){.max_length = 4, .windows = true, .truncation_side = AS_SIDE_LEFT});
  ck_assert_str_eq(shown(0), "[CLS] b c [SEP]");
  ck_assert_str_eq(shown(1), "[CLS] a [SEP]");
  encode("a b", "c a", (as_encode_options){.max_length = 5, .windows = true}); /* one token of each: 2 by 2 windows */
  ck_assert_uint_eq(encoding.parts, 4);
  ck_assert_str_eq(shown(0), "[CLS] a [SEP] c [SEP]");
  ck_assert_str_eq(shown(1), "[CLS] b [SEP] c [SEP]");
  ck_assert_str_eq(shown(2), "[CLS] b [SEP] a [SEP]");
  ck_assert_str_eq(shown(3), "[CLS] a [SEP] a [SEP]");
  encode("a b", NULL, (as_encode_options){.max_length = 2, .windows = true});
  ck_assert_str_eq(shown(1), "[CLS] a b [SEP]"); /* as the reference: the whole text, longer than max_length */
}
END_TEST

START_TEST(padding_fills_either_side) {
  encode("a", NULL, (as_encode_options){.pad_to = 5});
  ck_assert_str_eq(shown(0), "[CLS] a [SEP] [PAD] [PAD]");
  ck_assert_int_eq(encoding.attention[2], 1);
  ck_assert_int_eq(encoding.attention[3], 0);
  ck_assert_int_eq(encoding.special[4], 1);
  ck_assert_uint_eq(encoding.length, 5);
  encode("a", NULL, (as_encode_options){.pad_to = 5, .pad_to_multiple = 4, .padding_side = AS_SIDE_LEFT});
  ck_assert_str_eq(shown(0), "[PAD] [PAD] [PAD] [PAD] [PAD] [CLS] a [SEP]");
  encode("a b c", NULL, (as_encode_options){.pad_to_multiple = 4, .max_length = 4, .windows = true});
  ck_assert_str_eq(shown(1), "[CLS] c [SEP] [PAD]");
  encode("a b c", NULL, (as_encode_options){.pad_to = 3});
  ck_assert_uint_eq(encoding.length, 5);
}
END_TEST

START_TEST(impossible_wishes_are_refused) {
  as_encode_options options = {.max_length = 5, .truncation = AS_ONLY_FIRST};
  ck_assert_refused(ctx, as_tokenizer_encode(tokenizer, "a", 1, "b c a", 5, &options, &encoding), AS_E_INVALID,
                    "too few");
  options.truncation = AS_ONLY_SECOND;
  ck_assert_refused(ctx, as_tokenizer_encode(tokenizer, "a b c a", 7, NULL, 0, &options, &encoding), AS_E_INVALID,
                    "second text");
  options = (as_encode_options){.max_length = 4, .windows = true, .stride = 2};
  ck_assert_refused(ctx, as_tokenizer_encode(tokenizer, "a b c a", 7, NULL, 0, &options, &encoding), AS_E_INVALID,
                    "stride");
  options = (as_encode_options){.pad_to = (size_t)1 << 40};
  ck_assert_refused(ctx, as_tokenizer_encode(tokenizer, "a", 1, NULL, 0, &options, &encoding), AS_E_LIMIT, "tokens");
  ck_assert_refused(ctx, as_tokenizer_encode(tokenizer, "a", (size_t)1 << 29, NULL, 0, NULL, &encoding), AS_E_LIMIT,
                    "longer than");
  use_config("{\"pad_token\": \"[NONE]\"}");
  options = (as_encode_options){.pad_to = 4};
  ck_assert_refused(ctx, as_tokenizer_encode(tokenizer, "a", 1, NULL, 0, &options, &encoding), AS_E_INVALID,
                    "padding token");
  ck_assert_int_eq(as_tokenizer_special(tokenizer, AS_TOKEN_PAD), -1);
  encode("a", NULL, (as_encode_options){0}); /* and the encoding can be used again */
  ck_assert_str_eq(shown(0), "[CLS] a [SEP]");
}
END_TEST

/* ---- cost ----------------------------------------------------------------------------------------------------- */

START_TEST(encoding_again_allocates_nothing) {
  const char *text = "Caf\xC3\xA9 [MASK] unaffable\xFF\xE4\xB8\xAD z\xCC\x81\xCC\xA3";
  as_encode_options options = {.offsets = true, .max_length = 8, .windows = true, .stride = 1, .pad_to = 8};
  encode(text, "a b c", options);
  uint64_t before = as_allocation_count(ctx);
  for (int i = 0; i < 3; i++) encode(text, "a b c", options);
  encode("a", NULL, options);
  ck_assert_uint_eq(as_allocation_count(ctx), before);
}
END_TEST

/* Each would take hours if the cost grew with the square. */
static const struct {
  const char *unit;
  size_t tokens; /* of a mebibyte of it, with special tokens; 0: not looked at */
} hostile[] = {
    {"a", 3},
    {"a ", (1u << 19) + 2},
    {" ", 0},
    {"\xCC\x81\xCC\xA3", 2},
    {"e\xCC\xA3\xCC\x81\xE3\x80\xAE\xF0\x9D\x85\xA5", 3},
    {"[MASK", 0},
    {"[MASK] ", 0},
    {"<l>", 0},
    {" <l>", 0},
    {"<l><r> ", 0},
    {"\xE4\xB8\xAD", 0},
    {"\xFF", 2},
    {"un##", 0},
    {"!", (1u << 20) + 2},
    {"\xF0\x9D\x85\xA5\xE3\x80\xAE", 3},
    {"\xEA\xB0\x81", 3},
    {" <s> ", 0},
};

START_TEST(a_mebibyte_takes_linear_time) {
  use_json(",{\"id\":39,\"content\":\"<l>\",\"lstrip\":true},{\"id\":40,\"content\":\"<r>\",\"rstrip\":true},"
           "{\"id\":41,\"content\":\"<s>\",\"single_word\":true,\"lstrip\":true,\"rstrip\":true},"
           "{\"id\":42,\"content\":\"   \",\"rstrip\":true,\"normalized\":false}",
           NULL, NULL);
  size_t size = 1 << 20;
  char *text = as_alloc(ctx, size, 1);
  size_t length = strlen(hostile[_i].unit);
  for (size_t i = 0; i < size; i++) text[i] = hostile[_i].unit[i % length];
  as_encode_options options = {.offsets = true};
  ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, text, size, NULL, 0, &options, &encoding));
  if (hostile[_i].tokens) ck_assert_uint_eq(encoding.length, hostile[_i].tokens);
  ck_assert_uint_eq(encoding.part_start[1], encoding.length);
  as_free(ctx, text);
}
END_TEST

START_TEST(too_many_windows_are_refused) {
  size_t size = 1 << 16;
  char *text = as_alloc(ctx, size, 1);
  for (size_t i = 0; i < size; i++) text[i] = i % 2 ? ' ' : 'a';
  as_encode_options options = {.windows = true, .max_length = 5};
  ck_assert_refused(ctx, as_tokenizer_encode(tokenizer, text, size, text, size, &options, &encoding), AS_E_LIMIT,
                    "windows");
  as_free(ctx, text);
}
END_TEST

/* ---- threads -------------------------------------------------------------------------------------------------- */

START_TEST(threads_share_a_tokenizer) {
  teardown();
  ctx = as_test_context(4);
  tokenizer = open_small_vocab(ctx, NULL);
  as_encoding_init(&encoding, ctx);
  as_assert_threads_share(ctx, tokenizer, "Caf\xC3\xA9 unaffable [MASK]! ", 6);
}
END_TEST

/* ---- JSON lines ----------------------------------------------------------------------------------------------- */

static const struct {
  const char *line, *answer;
  as_tokenize_json_options options;
} lines[] = {
    {"{\"text\": \"a \\u00e9\"}",
     "{\"ids\":[2,5,1,3],\"tokens\":[\"[CLS]\",\"a\",\"[UNK]\",\"[SEP]\"],\"char_offsets\":[0,0,0,1,2,3,0,0],"
     "\"byte_offsets\":[0,0,0,1,2,4,0,0],\"type_ids\":[0,0,0,0]}\n",
     {0}},
    {"{\"text\": \"a b\", \"text_pair\": \"c\"}",
     "{\"ids\":[2,5,3,7,3],\"tokens\":[\"[CLS]\",\"a\",\"[SEP]\",\"c\",\"[SEP]\"],"
     "\"char_offsets\":[0,0,0,1,0,0,0,1,0,0],\"byte_offsets\":[0,0,0,1,0,0,0,1,0,0],\"type_ids\":[0,0,0,1,1]}\n",
     {.max_length = 5}},
    {"{\"text\": \"\", \"text_pair\": null}",
     "{\"ids\":[2,3],\"tokens\":[\"[CLS]\",\"[SEP]\"],\"char_offsets\":[0,0,0,0],"
     "\"byte_offsets\":[0,0,0,0],\"type_ids\":[0,0]}\n",
     {0}},
    {"{\"ids\": [2, 5, 3]}", "{\"text\":\"[CLS] a [SEP]\",\"text_skip_special\":\"a\"}\n", {0}},
    {"{\"text\": \"x\", \"ids\": []}", "{\"text\":\"\",\"text_skip_special\":\"\"}\n", {.decode = true}},
};

START_TEST(json_lines_are_answered) {
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_ok(ctx, as_tokenize_json_line(tokenizer, lines[_i].line, strlen(lines[_i].line), &lines[_i].options,
                                          &encoding, &out));
  ck_assert_str_eq(as_buffer_string(&out), lines[_i].answer);
  as_buffer_free(&out);
}
END_TEST

static const struct {
  const char *line, *fragment;
  bool decode;
} bad_lines[] = {
    {"{\"text\": 1}", "\"text\" must be", false},
    {"{}", "\"text\" must be", false},
    {"[]", "must be an object", false},
    {"{\"text\": \"a\", \"text_pair\": 2}", "text_pair", false},
    {"{\"text\": \"a\"", "not valid JSON", false},
    {"", "not valid JSON", false},
    {"{\"ids\": 5}", "must be a list", false},
    {"{\"ids\": [1, \"a\"]}", "[1]", false},
    {"{\"text\": \"a\"}", "\"ids\" must be", true},
    {"{\"ids\": [1.5]}", "not an integer", false},
    {"{\"text\": \"\\ud800\"}", "not valid JSON", false},
};

START_TEST(bad_json_lines_are_refused) {
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_buffer_text(&out, "before");
  as_tokenize_json_options options = {.decode = bad_lines[_i].decode};
  ck_assert_refused(
      ctx, as_tokenize_json_line(tokenizer, bad_lines[_i].line, strlen(bad_lines[_i].line), &options, &encoding, &out),
      AS_E_DATA, bad_lines[_i].fragment);
  ck_assert_str_eq(as_buffer_string(&out), "before");
  as_buffer_free(&out);
}
END_TEST

Suite *as_suite(void) {
  const TTest *const tests[] = {
      pairs_have_types_and_sequences,   no_token_has_no_offsets,      truncation_keeps_what_is_said,
      windows_show_all_of_the_text,     padding_fills_either_side,    impossible_wishes_are_refused,
      encoding_again_allocates_nothing, too_many_windows_are_refused, threads_share_a_tokenizer};
  Suite *suite = suite_create("encoding");
  TCase *tcase = tcase_create("encoding");
  tcase_add_checked_fixture(tcase, setup, teardown);
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(tcase, tests[i]);
  tcase_add_loop_test(tcase, a_mebibyte_takes_linear_time, 0, sizeof hostile / sizeof *hostile);
  tcase_add_loop_test(tcase, json_lines_are_answered, 0, sizeof lines / sizeof *lines);
  tcase_add_loop_test(tcase, bad_json_lines_are_refused, 0, sizeof bad_lines / sizeof *bad_lines);
  suite_add_tcase(suite, tcase);
  return suite;
}
