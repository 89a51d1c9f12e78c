/* Repair of invalid UTF-8 against the reference's rows. */
#include "tests/harness.h"

#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

static size_t unhex(const char *hex, char *bytes, size_t capacity) {
  size_t length = strlen(hex) / 2;
  ck_assert_uint_le(length, capacity);
  for (size_t i = 0; i < length; i++) {
    unsigned byte;
    ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
    bytes[i] = (char)byte;
  }
  return length;
}

static void check_row(as_context *ctx, const json_t *row) {
  char bytes[4096];
  size_t length = unhex(json_string_value(json_object_get(row, "hex")), bytes, sizeof bytes);
  const json_t *text = json_object_get(row, "text");
  const char *id = json_string_value(json_object_get(row, "id"));
  bool valid = json_is_true(json_object_get(row, "valid"));
  as_buffer out;
  as_buffer_init(&out, ctx);
  size_t replaced = as_utf8_repair(&out, bytes, length);
  ck_assert_msg(out.length == json_string_length(text) &&
                    memcmp(as_buffer_string(&out), json_string_value(text), out.length) == 0,
                "%s: repaired to \"%s\", expected \"%s\"", id, as_buffer_string(&out), json_string_value(text));
  ck_assert_msg((replaced == 0) == valid && as_utf8_valid(bytes, length) == valid, "%s: %zu replaced", id, replaced);
  as_buffer_free(&out);
}

START_TEST(all_rows_are_repaired_as_in_the_reference) {
  as_context *ctx = as_test_context(1);
  char *data, *rest = NULL;
  size_t length, rows = 0;
  ck_assert_ok(ctx, as_file_read(ctx, as_golden("tokenizers/invalid_utf8.jsonl"), 0, AS_E_DATA, &data, &length));
  for (char *line = strtok_r(data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), rows++) {
    json_t *row;
    ck_assert_ok(ctx, as_json_parse(ctx, line, strlen(line), "invalid_utf8.jsonl", AS_E_DATA, &row));
    check_row(ctx, row);
    json_decref(row);
  }
  ck_assert_uint_ge(rows, 100);
  as_free(ctx, data);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  as_golden_or_skip();
  Suite *suite = suite_create("golden_utf8");
  TCase *tcase = tcase_create("utf8");
  tcase_add_test(tcase, all_rows_are_repaired_as_in_the_reference);
  suite_add_tcase(suite, tcase);
  return suite;
}
