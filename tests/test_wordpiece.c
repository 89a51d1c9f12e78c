/* What WordPiece makes of words: tokens, normal forms, offsets, added tokens, decoding; on a vocabulary of a page. */
#include "tests/tokenizer_fixture.h"
#include "tokenizer/unicode.h"

static void expect(const char *text, const char *tokens) {
  encode(text, NULL, (as_encode_options){.no_special_tokens = true});
  ck_assert_str_eq(shown(0), tokens);
}

static void expect_offsets(const char *text, const uint32_t *bytes, const uint32_t *characters) {
  encode(text, NULL, (as_encode_options){.no_special_tokens = true, .offsets = true});
  for (size_t i = 0; i < 2 * encoding.length; i++) {
    ck_assert_uint_eq(encoding.byte_offsets[i], bytes[i]);
    ck_assert_uint_eq(encoding.char_offsets[i], characters[i]);
  }
}

/* ---- words ---------------------------------------------------------------------------------------------------- */

START_TEST(words_take_the_longest_token_first) {
  expect("where is my order", "where is my order");
  expect("unaffable", "un ##aff ##able");
  expect("unas", "un ##a ##s");
  expect("aa", "a ##a");
  expect("", "");
  expect(" \t\n ", "");
}
END_TEST

START_TEST(a_word_with_an_unmatched_part_is_unknown) {
  expect("unzable", "[UNK]");
  expect("zun", "[UNK]");
  expect("a zun b", "a [UNK] b");
  expect("able", "[UNK]"); /* only as a continuation in the vocabulary */
  expect("##able", "[UNK] [UNK] [UNK]");
}
END_TEST

START_TEST(long_words_are_unknown) {
  char word[500];
  memset(word, 'a', sizeof word);
  word[100] = 0;
  encode(word, NULL, (as_encode_options){.no_special_tokens = true});
  ck_assert_uint_eq(encoding.length, 100);
  word[100] = 'a';
  word[101] = 0;
  expect(word, "[UNK]");
  for (int i = 0; i < 100; i++)
    memcpy(word + 2 * i, "\xD1\x84", 2); /* 100 code points, 200 bytes: looked up, and not found */
  word[200] = 0;
  expect_offsets(word, (const uint32_t[]){0, 200}, (const uint32_t[]){0, 100});
}
END_TEST

START_TEST(punctuation_is_isolated) {
  expect("where,is.my?order!", "where , is . my ? order !");
  expect("a'b", "a ' b");
  expect("a\xC2\xA1"
         "b",
         "a [UNK] b"); /* inverted exclamation mark is punctuation */
  expect("a\xE2\x82\xAC"
         "b",
         "[UNK]");            /* the euro sign is not */
  expect("a$b", "a [UNK] b"); /* but ASCII's dollar is */
}
END_TEST

/* ---- normal form ---------------------------------------------------------------------------------------------- */

START_TEST(case_and_accents_fall) {
  expect("WHERE Is mY", "where is my");
  expect("Caf\xC3\xA9", "cafe");
  expect("Cafe\xCC\x81", "cafe");
  expect("\xC4\xB0", "i");             /* I with dot above */
  expect("\xCE\xA3\xCF\x82", "[UNK]"); /* final sigma stays a final one */
  expect("\xCE\xA3", "\xCF\x83");
}
END_TEST

START_TEST(controls_vanish_and_spaces_part) {
  expect("wh\x01"
         "ere\xC2\xAD",
         "where");
  expect("wh\xE2\x80\x8B"
         "ere",
         "where");
  expect("a\tb\nc\xC2\xA0"
         "a\xE3\x80\x80"
         "b",
         "a b c a b");
  expect("a\x0B"
         "b",
         "[UNK]"); /* a vertical tab is dropped, not a space */
  encode("", NULL, (as_encode_options){0});
  ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, "wh\0ere", 6, NULL, 0,
                                        &(as_encode_options){.no_special_tokens = true}, &encoding));
  ck_assert_str_eq(shown(0), "where");
}
END_TEST

START_TEST(ideographs_stand_alone) {
  expect("a\xE4\xB8\xAD\xE6\x96\x87"
         "b",
         "a \xE4\xB8\xAD \xE6\x96\x87 b");
  expect_offsets("a\xE4\xB8\xAD\xE6\x96\x87"
                 "b",
                 (const uint32_t[]){0, 1, 1, 4, 4, 7, 7, 8}, (const uint32_t[]){0, 1, 1, 2, 2, 3, 3, 4});
}
END_TEST

START_TEST(every_switch_works) {
  use_config("{\"do_lower_case\": false}");
  expect("WHERE where", "[UNK] where");
  expect("caf\xC3\xA9", "caf ##\xC3\xA9"); /* accents stay with the case */
  use_config("{\"do_lower_case\": false, \"strip_accents\": true}");
  expect("caf\xC3\xA9 Caf", "cafe [UNK]");
  use_config("{\"strip_accents\": false}");
  expect("CAF\xC3\x89", "caf ##\xC3\xA9");
  expect("\xC4\xB0", "i\xCC\x87"); /* one code point becomes two */
  use_config("{\"tokenize_chinese_chars\": false}");
  expect("\xE4\xB8\xAD", "\xE4\xB8\xAD");
  expect("\xE4\xB8\xAD\xE6\x96\x87", "[UNK]");
  use_json(NULL, "{\"type\":\"BertNormalizer\",\"clean_text\":false}", NULL);
  expect("wh\x01"
         "ere",
         "[UNK]");
  expect("a\xC2\xA0"
         "b",
         "a b"); /* still white space to the pre-tokenizer */
  use_json(NULL, "null", NULL);
  expect("a B", "a [UNK]");
}
END_TEST

/* What later versions of Unicode changed must not change here, nor depend on the installed utf8proc. */
START_TEST(each_stage_has_its_version_of_unicode) {
  static const struct {
    uint32_t code_point;
    unsigned flags, others; /* set, not set */
  } classes[] = {
      {0x0301, AS_UC_MARK | AS_UC_NON_STARTER | AS_UC_WORD, AS_UC_LETTER},
      {0x08D4, AS_UC_WORD, AS_UC_MARK | AS_UC_REMOVED},     /* a mark since Unicode 9 */
      {0x1DFB, AS_UC_NON_STARTER | AS_UC_WORD, AS_UC_MARK}, /* the same */
      {0x166D, AS_UC_PUNCTUATION, AS_UC_LETTER},            /* a symbol since Unicode 12 */
      {0x2E43, 0, AS_UC_PUNCTUATION},                       /* punctuation since Unicode 9 */
      {0x11938, AS_UC_WORD, AS_UC_DECOMPOSES},            /* decomposes since Unicode 13 */
      {0x10D50, AS_UC_LETTER | AS_UC_CASED, 0},             /* a letter since Unicode 16 */
      {0x3000, AS_UC_SPACE, AS_UC_WORD},
      {0x180E, AS_UC_REMOVED, AS_UC_SPACE},
      {0xFFFD, AS_UC_REMOVED, 0},
      {0x0378, 0, AS_UC_REMOVED}, /* unassigned */
      {0x2B820, 0, AS_UC_CJK},    /* the reference begins at U+2B920 */
      {0x2B920, AS_UC_CJK, 0},
      {0x10FFFF, 0, AS_UC_WORD},
      {0x110000, 0, UINT32_MAX},
  };
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
    unsigned flags = as_unicode_flags(classes[i].code_point);
    if ((flags & classes[i].flags) != classes[i].flags || flags & classes[i].others)
      ck_abort_msg("U+%04X has flags %#x, expected %#x and none of %#x", classes[i].code_point, flags, classes[i].flags,
                   classes[i].others);
  }
  static const uint32_t lower[][2] = {{0x1C90, 0x10D0}, {0xA7CB, 0x264}, {0x10D50, 0x10D70}, {0x16EA0, 0x16EBB},
                                      {0x3A3, 0x3C3},   {0x1E9E, 0xDF},  {0xDF, 0xDF},       {0x101, 0x101},
                                      {'A', 'a'},       {'[', '['}};
  for (size_t i = 0; i < sizeof lower / sizeof *lower; i++) {
    uint32_t out[2];
    ck_assert_int_eq(as_unicode_lower(lower[i][0], as_unicode_flags(lower[i][0]), out), 1);
    ck_assert_uint_eq(out[0], lower[i][1]);
  }
}
END_TEST

START_TEST(marks_are_ordered_and_keep_their_places) {
  /* U+0F39 (Mn) falls; U+302E (Mc, class 224) and U+1D165 (Mc, class 216) stay and change places, but offsets go by
   * place. */
  use_json(",{\"id\":39,\"content\":\"\xF0\x9D\x85\xA5\",\"normalized\":true}", NULL, NULL);
  const char *text = "a\xE3\x80\xAE\xF0\x9D\x85\xA5";
  encode(text, NULL, (as_encode_options){.no_special_tokens = true, .offsets = true});
  ck_assert_uint_eq(encoding.length, 3);
  ck_assert_int_eq(encoding.ids[1], 39);
  ck_assert_uint_eq(encoding.byte_offsets[2], 1);
  ck_assert_uint_eq(encoding.byte_offsets[3], 4);
  ck_assert_uint_eq(encoding.char_offsets[2], 1);
  ck_assert_uint_eq(encoding.char_offsets[3], 2);
}
END_TEST

START_TEST(offsets_point_into_the_text) {
  expect_offsets("Caf\xC3\xA9, UNaffable", (const uint32_t[]){0, 5, 5, 6, 7, 9, 9, 12, 12, 16},
                 (const uint32_t[]){0, 4, 4, 5, 6, 8, 8, 11, 11, 15});
  encode("a", "caf\xC3\xA9 b", (as_encode_options){.offsets = true});
  ck_assert_str_eq(shown(0), "[CLS] a [SEP] cafe b [SEP]");
  ck_assert_uint_eq(encoding.byte_offsets[2 * 4], 6); /* in its own text */
  ck_assert_uint_eq(encoding.char_offsets[2 * 4], 5);
  ck_assert_uint_eq(encoding.byte_offsets[2 * 5 + 1], 0);
}
END_TEST

START_TEST(invalid_utf8_is_repaired_and_counted) {
  ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, "a\xFF b\xE2\x82", 6, "c\x80", 2,
                                        &(as_encode_options){.offsets = true}, &encoding));
  ck_assert_str_eq(shown(0), "[CLS] a b [SEP] c [SEP]");
  ck_assert_uint_eq(encoding.repaired, 3);
  ck_assert_uint_eq(encoding.byte_offsets[2 * 2], 5); /* a, U+FFFD in three bytes, a space */
  ck_assert_uint_eq(encoding.char_offsets[2 * 2], 3);
  encode("a", NULL, (as_encode_options){0});
  ck_assert_uint_eq(encoding.repaired, 0);
}
END_TEST

/* ---- added tokens --------------------------------------------------------------------------------------------- */

START_TEST(special_tokens_are_found_in_text) {
  expect("a[MASK]b", "a [MASK] b");
  expect("un[MASK]able", "un [MASK] [UNK]");
  expect("[mask]", "[ mask ]"); /* another case is ordinary text */
  expect("[MASK", "[ mask");
  expect("[CLS][SEP] [PAD]", "[CLS] [SEP] [PAD]");
}
END_TEST

START_TEST(added_tokens_obey_their_flags) {
  use_json(",{\"id\":39,\"content\":\"xy\",\"single_word\":true,\"normalized\":false},"
           "{\"id\":40,\"content\":\"<l>\",\"lstrip\":true,\"normalized\":false},"
           "{\"id\":41,\"content\":\"<r>\",\"rstrip\":true,\"normalized\":false},"
           "{\"id\":42,\"content\":\"My Order\",\"normalized\":true},"
           "{\"id\":43,\"content\":\"<l>x\",\"normalized\":false},"
           "{\"id\":44,\"content\":\" -\",\"normalized\":false}",
           NULL, NULL);
  expect("xy a", "xy a");
  expect("axy b", "[UNK] b");
  expect("xy\xCC\x81", "[UNK]"); /* a mark is a word character */
  expect("a,xy.", "a , xy .");
  expect("a \t <l> b", "a  \t <l> b");
  encode("a \t <l> b", NULL, (as_encode_options){.no_special_tokens = true});
  ck_assert_uint_eq(encoding.byte_offsets[2], 1);
  ck_assert_uint_eq(encoding.byte_offsets[3], 7);
  expect("a <r>\xC2\xA0\n b", "a <r>\xC2\xA0\n  b");
  expect("<l> <l>", "<l>  <l>");
  expect("<r> <l>", "<r>  <l>"); /* the space is the first one's */
  expect("a <l>xb", "a <l>x b"); /* the longest wins */
  expect("<r> -a", "<r>   - a"); /* a token that begins in what the one before swallowed overlaps it */
  expect("where MY ORDER is", "where my order is");
  ck_assert_int_eq(encoding.ids[1], 42);
  ck_assert_str_eq(as_tokenizer_token(tokenizer, 42, NULL), "my order"); /* decoding shows the normal form */
  ck_assert_int_eq(as_tokenizer_id(tokenizer, "My Order", 8), 42);
  ck_assert_uint_eq(as_tokenizer_vocab_size(tokenizer), 45);
}
END_TEST

/* ---- decoding ------------------------------------------------------------------------------------------------- */

static void expect_decoded(const int64_t *ids, size_t count, bool skip, const char *expected) {
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_ok(ctx, as_tokenizer_decode(tokenizer, ids, count, skip, &out));
  ck_assert_str_eq(as_buffer_string(&out), expected);
  as_buffer_free(&out);
}
#define DECODED(skip, expected, ...)                                                                                   \
  expect_decoded((const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / 8, skip, expected)

START_TEST(decoding_joins_and_cleans_up) {
  DECODED(false, "[CLS] where is my order? [SEP]", 2, 8, 9, 10, 11, 21, 3);
  DECODED(true, "where is my order?", 2, 8, 9, 10, 11, 21, 3);
  DECODED(true, "unaffable, a!", 12, 15, 14, 20, 5, 22);
  DECODED(true, "##a", 13);        /* the first token as it is */
  DECODED(true, "do not", 28, 29); /* token by token: the rule for " do not" never sees both */
  DECODED(true, "a b", 5, 99, -1, 1ll << 40, 6);
  expect_decoded(NULL, 0, true, "");
  ck_assert(as_tokenizer_is_special(tokenizer, 4));
  ck_assert(!as_tokenizer_is_special(tokenizer, 5));
  ck_assert(!as_tokenizer_is_special(tokenizer, -5));
}
END_TEST

Suite *as_suite(void) {
  const TTest *const tests[] = {words_take_the_longest_token_first,
                                a_word_with_an_unmatched_part_is_unknown,
                                long_words_are_unknown,
                                punctuation_is_isolated,
                                case_and_accents_fall,
                                controls_vanish_and_spaces_part,
                                ideographs_stand_alone,
                                every_switch_works,
                                each_stage_has_its_version_of_unicode,
                                marks_are_ordered_and_keep_their_places,
                                offsets_point_into_the_text,
                                invalid_utf8_is_repaired_and_counted,
                                special_tokens_are_found_in_text,
                                added_tokens_obey_their_flags,
                                decoding_joins_and_cleans_up};
  Suite *suite = suite_create("wordpiece");
  TCase *tcase = tcase_create("wordpiece");
  tcase_add_checked_fixture(tcase, setup, teardown);
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(tcase, tests[i]);
  suite_add_tcase(suite, tcase);
  return suite;
}
