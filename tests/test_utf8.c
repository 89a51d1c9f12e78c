/* UTF-8: every code point both ways, and repair by maximal subparts. */
#include "tests/harness.h"

#include <string.h>

#include "base/utf8.h"

START_TEST(every_code_point_goes_both_ways) {
  for (uint32_t code_point = 0; code_point <= 0x10FFFF; code_point++) {
    char bytes[4];
    uint32_t read;
    int size = as_utf8_encode(code_point, bytes);
    bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    ck_assert_int_eq(as_utf8_decode(bytes, (size_t)size, &read), size);
    if (read != (surrogate ? 0xFFFD : code_point)) ck_abort_msg("U+%04X is read as U+%04X", code_point, read);
    for (int part = 1; part < size; part++) ck_assert_int_eq(as_utf8_decode(bytes, (size_t)part, &read), -part);
  }
  char bytes[4];
  ck_assert_int_eq(as_utf8_encode(0x110000, bytes), 3);
  ck_assert_mem_eq(bytes, "\xEF\xBF\xBD", 3);
}
END_TEST

START_TEST(invalid_text_is_repaired_by_maximal_subparts) {
  static const struct {
    const char *text, *expected;
    size_t replaced;
  } cases[] = {
      {"", "", 0},
      {"plain \xC3\xA9", "plain \xC3\xA9", 0},
      {"\x80", "\xEF\xBF\xBD", 1},
      {"a\xE2\x82", "a\xEF\xBF\xBD", 1},
      {"\xE2\x82z", "\xEF\xBF\xBDz", 1},
      {"\xF0\x9F\x98\xE2\x82\xAC", "\xEF\xBF\xBD\xE2\x82\xAC", 1},
      {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD", 2},
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", 3},
      {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", 4},
      /* The example of Unicode 15, section 3.9, table 3-11. */
      {"\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64",
       "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
       "b\xEF\xBF\xBD"
       "c\xEF\xBF\xBD\xEF\xBF\xBD"
       "d",
       6},
  };
  as_context *ctx = as_test_context(1);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    as_buffer out;
    size_t length = strlen(cases[i].text);
    as_buffer_init(&out, ctx);
    ck_assert_uint_eq(as_utf8_repair(&out, cases[i].text, length), cases[i].replaced);
    ck_assert_str_eq(as_buffer_string(&out), cases[i].expected);
    ck_assert_int_eq(as_utf8_valid(cases[i].text, length), cases[i].replaced == 0);
    ck_assert(as_utf8_valid(out.data ? out.data : "", out.length));
    ck_assert_uint_eq(as_utf8_count(cases[i].text, length), as_utf8_count(as_buffer_string(&out), out.length));
    as_buffer_free(&out);
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(nul_is_a_character_and_length_is_kept_to) {
  as_context *ctx = as_test_context(1);
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_uint_eq(as_utf8_repair(&out, "a\0b\xFF tail", 4), 1);
  ck_assert_uint_eq(out.length, 6);
  ck_assert_mem_eq(out.data, "a\0b\xEF\xBF\xBD", 7);
  ck_assert_uint_eq(as_utf8_count("a\0b\xC3\xA9", 5), 4);
  as_buffer_free(&out);
  as_test_fail_at(ctx, 1);
  as_utf8_repair(&out, "abc", 3);
  ck_assert_int_eq(as_buffer_status(&out), AS_E_NOMEM);
  as_buffer_free(&out);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("utf8");
  TCase *tcase = tcase_create("utf8");
  tcase_add_test(tcase, every_code_point_goes_both_ways);
  tcase_add_test(tcase, invalid_text_is_repaired_by_maximal_subparts);
  tcase_add_test(tcase, nul_is_a_character_and_length_is_kept_to);
  suite_add_tcase(suite, tcase);
  return suite;
}
