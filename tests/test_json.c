/* JSON: what is refused, and that what is written reads back as it was. */
#include "tests/harness.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/random.h"

static as_context *ctx;
static as_buffer out;

static void setup(void) {
  ctx = as_test_context(1);
  as_buffer_init(&out, ctx);
}

static void teardown(void) {
  as_buffer_free(&out);
  as_test_context_free(ctx);
}

static as_status parse(const char *text, size_t length, json_t **value) {
  return as_json_parse(ctx, text, length, "test.json", AS_E_MODEL, value);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

START_TEST(good_json_is_read) {
  json_t *value;
  const char text[] = "{\"a\": [1, -2.5, \"x\\u0000y\\ud83d\\ude00\"], \"b\": null}\n";
  ck_assert_ok(ctx, parse(text, sizeof text - 1, &value));
  const json_t *string = json_array_get(json_object_get(value, "a"), 2);
  ck_assert_uint_eq(json_string_length(string), 7);
  ck_assert_mem_eq(json_string_value(string), "x\0y\xF0\x9F\x98\x80", 7);
  json_decref(value);
}
END_TEST

START_TEST(bad_json_is_refused_with_its_place) {
  static const struct {
    const char *text, *fragment;
  } cases[] = {
      {"", "line 1"},
      {"{\"a\": 1,\n \"a\": 2}", "line 2"},
      {"{\"a\": 1} x", "line 1"},
      {"{\"a\": 1", "test.json: line 1"},
      {"[\"\xFF\"]", "decode byte 0xff"},
      {"[\"\xED\xA0\x80\"]", "decode byte 0xed"},
      {"[\"\\ud800\"]", "not valid JSON"},
      {"[1e999]", "overflow"},
      {"[99999999999999999999, 1e999]", "overflow"},
      {"[99999999999999999999, 1,, 2]", "not valid JSON"},
      {"[NaN]", "not valid JSON"},
      {"[01]", "not valid JSON"},
      {"{\"a\\u0000b\": 1}", "NUL"},
      {"[\"\n\"]", "not valid JSON"},
      /* The keys that lead to the place; the parser itself quotes short words only. */
      {"{\"encoder.layer.0.bias\": 1, \"encoder.layer.0.bias\": 2}", ", in \"encoder.layer.0.bias\": "},
      {"{\"a\": [{\"b}{:,\\\"\": 1}, {\"c\": 1, \"d\": 2, \"c\": 3}]}", ", in \"a\" > \"c\": "},
      {"{\"a\": {\"x\": 1}, \"b\": {\"y\": [0, 1e999]}}", ", in \"b\" > \"y\": "},
      {"{\"a\": 1, 2}", "column 10: "},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    json_t *value = NULL;
    ck_assert_refused(ctx, parse(cases[i].text, strlen(cases[i].text), &value), AS_E_MODEL, cases[i].fragment);
    ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "test.json"));
    ck_assert_ptr_null(value);
  }
}
END_TEST

/* As Python writes them. What 64 bits hold stays an integer, and nothing else changes. */
START_TEST(integers_beyond_64_bits_become_real_numbers) {
  static const char text[] = "{\"model_max_length\": 1000000000000000019884624838656, \"a\": 9223372036854775807,\n"
                             "\"b\": -9223372036854775808, \"c\": [-9223372036854775809, 18446744073709551616],\n"
                             "\"99999999999999999999\": \"\\\"99999999999999999999\","
                             "\"d\": 12345678901234567890.5e-1}";
  static const double expected[] = {-9223372036854775809.0, 18446744073709551616.0};
  json_t *value;
  ck_assert_ok(ctx, parse(text, sizeof text - 1, &value));
  ck_assert(json_real_value(json_object_get(value, "model_max_length")) == 1e30);
  ck_assert_int_eq(json_integer_value(json_object_get(value, "a")), INT64_MAX);
  ck_assert_int_eq(json_integer_value(json_object_get(value, "b")), INT64_MIN);
  for (size_t i = 0; i < 2; i++)
    ck_assert(json_real_value(json_array_get(json_object_get(value, "c"), i)) == expected[i]);
  ck_assert_str_eq(json_string_value(json_object_get(value, "99999999999999999999")), "\"99999999999999999999");
  ck_assert(json_real_value(json_object_get(value, "d")) == 1234567890123456789.05);
  json_decref(value);
}
END_TEST

START_TEST(deep_nesting_is_refused) {
  json_t *value;
  for (int depth = 511; depth <= 513; depth++) {
    as_buffer_clear(&out);
    for (int i = 0; i < depth; i++) as_buffer_text(&out, i % 2 ? "{\"[[\\\"\":" : "[\n");
    as_buffer_char(&out, '1');
    for (int i = depth - 1; i >= 0; i--) as_buffer_char(&out, i % 2 ? '}' : ']');
    if (depth <= 512) {
      ck_assert_ok(ctx, parse(out.data, out.length, &value));
      json_decref(value);
    } else {
      ck_assert_refused(ctx, parse(out.data, out.length, &value), AS_E_MODEL, "line 257: nested deeper than 512");
    }
  }
  as_buffer_clear(&out);
  for (int i = 0; i < 10000000; i++) as_buffer_char(&out, '[');
  ck_assert_refused(ctx, parse(out.data, out.length, &value), AS_E_MODEL, "nested");
}
END_TEST

START_TEST(json_files_are_read) {
  json_t *value;
  const char *folder = as_test_folder();
  char *path = as_path_join(ctx, folder, "config.json");
  ck_assert_ok(ctx, as_file_write(ctx, path, "{\"dim\": 3}", 10));
  ck_assert_ok(ctx, as_json_read(ctx, path, 10, AS_E_MODEL, &value));
  ck_assert_int_eq(json_integer_value(json_object_get(value, "dim")), 3);
  json_decref(value);
  ck_assert_refused(ctx, as_json_read(ctx, path, 9, AS_E_MODEL, &value), AS_E_MODEL, "config.json");
  as_test_fail_at(ctx, 1);
  ck_assert_refused(ctx, as_json_read(ctx, path, 10, AS_E_MODEL, &value), AS_E_NOMEM, "out of memory");
  ck_assert_ok(ctx, as_file_write(ctx, path, "{\"dim\": }", 9));
  ck_assert_refused(ctx, as_json_read(ctx, path, 10, AS_E_DATA, &value), AS_E_DATA, "config.json: line 1, column 9");
  ck_assert_refused(ctx, as_json_read(ctx, folder, 10, AS_E_DATA, &value), AS_E_DATA, "folder");
  as_free(ctx, path);
  as_test_folder_remove(folder);
}
END_TEST

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void write_sample(as_json_writer *writer) {
  as_json_open_object(writer, NULL);
  as_json_string(writer, "text", "a\"b\\c\n\t\x01\x7F/\xE2\x82\xAC");
  as_json_open_array(writer, "list");
  as_json_int(writer, NULL, INT64_MIN);
  as_json_bool(writer, NULL, true);
  as_json_null(writer, NULL);
  as_json_open_object(writer, NULL);
  as_json_close_object(writer);
  as_json_close_array(writer);
  as_json_open_array(writer, "empty");
  as_json_close_array(writer);
  as_json_bool(writer, "no", false);
  as_json_close_object(writer);
}

START_TEST(objects_are_written_on_one_line) {
  as_json_writer writer = as_json_writer_start(&out, 0);
  write_sample(&writer);
  ck_assert_str_eq(
      as_buffer_string(&out),
      "{\"text\":\"a\\\"b\\\\c\\n\\t\\u0001\x7F/\xE2\x82\xAC\",\"list\":[-9223372036854775808,true,null,{}],"
      "\"empty\":[],\"no\":false}");
}
END_TEST

START_TEST(objects_are_written_indented) {
  as_json_writer writer = as_json_writer_start(&out, 2);
  as_json_open_object(&writer, NULL);
  as_json_int(&writer, "a", 1);
  as_json_open_array(&writer, "b");
  as_json_int(&writer, NULL, 2);
  as_json_int(&writer, NULL, 3);
  as_json_close_array(&writer);
  as_json_open_object(&writer, "c");
  as_json_close_object(&writer);
  as_json_close_object(&writer);
  ck_assert_str_eq(as_buffer_string(&out), "{\n  \"a\": 1,\n  \"b\": [\n    2,\n    3\n  ],\n  \"c\": {}\n}");
}
END_TEST

START_TEST(what_is_not_utf8_is_repaired) {
  as_json_writer writer = as_json_writer_start(&out, 0);
  as_json_open_object(&writer, NULL);
  as_json_string_n(&writer, "k\xFF", "a\0\xE2\x82", 4);
  as_json_close_object(&writer);
  ck_assert_str_eq(as_buffer_string(&out), "{\"k\xEF\xBF\xBD\":\"a\\u0000\xEF\xBF\xBD\"}");
}
END_TEST

/* Some readers of JSON lines end a line at U+0085, U+2028 and U+2029. */
START_TEST(line_separators_are_escaped) {
  as_json_writer writer = as_json_writer_start(&out, 0);
  as_json_string(&writer, NULL, "a\xC2\x85\xE2\x80\xA8z\xE2\x80\xA9\xE2\x80\xA7\xC2\x86");
  ck_assert_str_eq(as_buffer_string(&out), "\"a\\u0085\\u2028z\\u2029\xE2\x80\xA7\xC2\x86\"");
}
END_TEST

static const char *printed_double(double value) {
  as_buffer_clear(&out);
  as_json_writer writer = as_json_writer_start(&out, 0);
  as_json_double(&writer, NULL, value);
  return as_buffer_string(&out);
}

static const char *printed_float(float value) {
  as_buffer_clear(&out);
  as_json_writer writer = as_json_writer_start(&out, 0);
  as_json_float(&writer, NULL, value);
  return as_buffer_string(&out);
}

START_TEST(numbers_are_short) {
  ck_assert_str_eq(printed_double(0.1), "0.1");
  ck_assert_str_eq(printed_double(3), "3.0");
  ck_assert_str_eq(printed_double(-0.0), "-0.0");
  ck_assert_str_eq(printed_double(1e22), "1e+22");
  ck_assert_str_eq(printed_double(123456789012345678.0), "1.2345678901234568e+17");
  ck_assert_str_eq(printed_double(0.1 + 0.2), "0.30000000000000004");
  ck_assert_str_eq(printed_float(0.1f), "0.1");
  ck_assert_str_eq(printed_float(-0.0f), "-0.0");
  ck_assert_str_eq(printed_float(16777217.0f), "16777216.0");
  ck_assert_str_eq(printed_float(0.3f + 1e-8f), "0.3");
  ck_assert_str_eq(printed_float(INFINITY), "null");
  ck_assert_str_eq(printed_double(-INFINITY), "null");
  ck_assert_str_eq(printed_double(NAN), "null");
  ck_assert_str_eq(printed_float(NAN), "null");
}
END_TEST

/* Reads a number back with jansson, through the same limits as a file. */
static double read_back(const char *printed) {
  json_t *value;
  char text[128];
  int length = snprintf(text, sizeof text, "[%s]", printed);
  ck_assert_ok(ctx, parse(text, (size_t)length, &value));
  ck_assert_msg(json_is_real(json_array_get(value, 0)), "%s is not read as a real", printed);
  double read = json_real_value(json_array_get(value, 0));
  json_decref(value);
  return read;
}

static void assert_round_trip(uint64_t bits) {
  double value, read;
  uint32_t half = (uint32_t)bits;
  float single;
  memcpy(&value, &bits, sizeof value);
  memcpy(&single, &half, sizeof single);
  if (isfinite(value)) {
    read = read_back(printed_double(value));
    ck_assert_msg(memcmp(&read, &value, sizeof value) == 0, "%.17g is read back as %.17g", value, read);
  }
  if (isfinite(single)) {
    float read_single = (float)read_back(printed_float(single));
    ck_assert_msg(memcmp(&read_single, &single, sizeof single) == 0, "%.9g is read back as %.9g", (double)single,
                  (double)read_single);
    ck_assert_uint_le(strlen(as_buffer_string(&out)), 15); /* sign, 9 digits, point, exponent */
  }
}

START_TEST(numbers_read_back_bit_for_bit) {
  as_random random = as_random_start(1, 0);
  const uint64_t edges[] = {0,
                            1,
                            UINT64_C(0x8000000000000001),
                            UINT64_C(0x000FFFFFFFFFFFFF),
                            UINT64_C(0x0010000000000000),
                            UINT64_C(0x7FEFFFFFFFFFFFFF),
                            UINT64_C(0x7F7FFFFF),
                            UINT64_C(0x00800000),
                            UINT64_C(0x007FFFFF),
                            UINT64_C(0x4340000000000001),
                            UINT64_C(0x433FFFFFFFFFFFFF),
                            UINT64_C(0x4B800001)};
  for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) assert_round_trip(edges[i]);
  for (int i = 0; i < 100000; i++) assert_round_trip(as_random_u64(&random));
}
END_TEST

START_TEST(numbers_do_not_depend_on_the_locale) {
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8",  "de_DE",
                                      "fr_FR.UTF-8", "ps_AF.UTF-8", "nl_NL.UTF-8"};
  const char *found = NULL;
  for (size_t i = 0; i < sizeof names / sizeof names[0] && !found; i++) {
    found = setlocale(LC_NUMERIC, names[i]);
    if (found && strcmp(localeconv()->decimal_point, ".") == 0) found = NULL;
  }
  /* Without such a locale on the machine this holds what it says for the C locale only. */
  ck_assert_str_eq(printed_double(1.5), "1.5");
  ck_assert_str_eq(printed_float(-1.25e-30f), "-1.25e-30");
  ck_assert_double_eq(read_back("1.5"), 1.5);
  setlocale(LC_NUMERIC, "C");
}
END_TEST

START_TEST(values_are_written_whole) {
  const char text[] = "{\"b\":[1,2.5,\"x\\u0000\\n\",true,false,null,{}],\"a\":{\"c\":[],\"d\":-0.0}}";
  json_t *value;
  ck_assert_ok(ctx, parse(text, sizeof text - 1, &value));
  as_json_writer writer = as_json_writer_start(&out, 0);
  as_json_value(&writer, NULL, value);
  ck_assert_str_eq(as_buffer_string(&out), text);
  json_decref(value);
}
END_TEST

START_TEST(writing_survives_failing_allocations) {
  int n = 1;
  for (;; n++) {
    as_test_fail_at(ctx, (uint64_t)n);
    as_json_writer writer = as_json_writer_start(&out, 4);
    write_sample(&writer);
    as_status status = as_buffer_status(&out);
    as_buffer_free(&out);
    if (!as_test_failed_one(ctx)) break;
    ck_assert_int_eq(status, AS_E_NOMEM);
  }
  ck_assert_int_gt(n, 2);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("json");
  TCase *read = tcase_create("read"), *write = tcase_create("write");
  tcase_add_checked_fixture(read, setup, teardown);
  tcase_add_checked_fixture(write, setup, teardown);
  tcase_add_test(read, good_json_is_read);
  tcase_add_test(read, bad_json_is_refused_with_its_place);
  tcase_add_test(read, integers_beyond_64_bits_become_real_numbers);
  tcase_add_test(read, deep_nesting_is_refused);
  tcase_add_test(read, json_files_are_read);
  tcase_add_test(write, objects_are_written_on_one_line);
  tcase_add_test(write, objects_are_written_indented);
  tcase_add_test(write, what_is_not_utf8_is_repaired);
  tcase_add_test(write, line_separators_are_escaped);
  tcase_add_test(write, numbers_are_short);
  tcase_add_test(write, numbers_read_back_bit_for_bit);
  tcase_add_test(write, numbers_do_not_depend_on_the_locale);
  tcase_add_test(write, values_are_written_whole);
  tcase_add_test(write, writing_survives_failing_allocations);
  suite_add_tcase(suite, read);
  suite_add_tcase(suite, write);
  return suite;
}
