/* The summary of a data file: counts, percentiles, warnings, for people and as JSON. */
#include <stdlib.h>
#include <string.h>

#include "data/check.h"
#include "tests/harness.h"

static as_context *ctx;
static const char *folder;

static void setup(void) {
  ctx = as_test_context(1);
  folder = as_test_folder();
}

static void teardown(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

typedef struct checked {
  as_messages *messages;
  as_data_report report;
  as_data_summary *summary;
} checked;

/* Filled in place, since the summary points to the report. */
static void check_text(checked *c, const char *text) {
  static const as_column_request columns[] = {{.name = "intent", .may_be_absent = true, .may_be_empty = true},
                                              {.name = "sentiment", .may_be_absent = true}};
  as_message_options options = {.columns = columns, .column_count = 2, .on_error = AS_ON_ERROR_SKIP};
  char path[4200];
  snprintf(path, sizeof path, "%s/in.csv", folder);
  ck_assert_ok(ctx, as_file_write(ctx, path, text, strlen(text)));
  ck_assert_ok(ctx, as_messages_read(ctx, path, &options, &c->report, &c->messages));
  ck_assert_ok(ctx, as_data_check(ctx, c->messages, &c->report, &c->summary));
}

static void done(checked *c) {
  as_data_summary_free(c->summary);
  as_messages_free(c->messages);
}

START_TEST(lengths_are_nearest_rank_percentiles) {
  as_buffer text;
  as_buffer_init(&text, ctx);
  as_buffer_text(&text, "content\n");
  for (int i = 1; i <= 200; i++) { /* i characters of two bytes, in words of one */
    for (int k = 0; k < i; k++) as_buffer_text(&text, k % 2 ? " " : "\xC3\xA9");
    as_buffer_text(&text, "x\n");
  }
  checked c;
  check_text(&c, as_buffer_string(&text));
  as_buffer_free(&text);
  const as_length_summary *characters = as_data_summary_characters(c.summary),
                          *words = as_data_summary_words(c.summary);
  ck_assert_int_eq(characters->minimum, 2);
  ck_assert_int_eq(characters->p50, 101);
  ck_assert_int_eq(characters->p90, 181);
  ck_assert_int_eq(characters->p95, 191);
  ck_assert_int_eq(characters->p99, 199);
  ck_assert_int_eq(characters->maximum, 201);
  ck_assert_double_eq(characters->mean, 101.5);
  ck_assert_int_eq(words->minimum, 1); /* "\xC3\xA9x" */
  ck_assert_int_eq(words->maximum, 101);
  ck_assert_uint_eq(as_data_summary_columns(c.summary), 0);
  done(&c);
}
END_TEST

START_TEST(classes_are_counted_and_ranked) {
  checked c;
  check_text(&c, "content,intent,sentiment\na,x,p\nb,y,p\nc,y,q\nd,z,p\ne,z,p\nf,,p\n");
  ck_assert_uint_eq(as_data_summary_columns(c.summary), 2);
  const as_class_summary *intent = as_data_summary_classes(c.summary, 0);
  ck_assert_int_eq(intent->labels, 3);
  ck_assert_int_eq(intent->labelled, 5);
  ck_assert_int_eq(intent->counts[0], 1);
  ck_assert_int_eq(intent->by_count[0], 1);
  ck_assert_int_eq(intent->by_count[1], 2);
  ck_assert_int_eq(intent->by_count[2], 0);
  ck_assert_int_eq(intent->small, 3);
  ck_assert_double_eq(intent->imbalance, 2);
  ck_assert_double_eq(intent->majority_share, 0.4);
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_class_summary_print(intent, &out);
  ck_assert_str_eq(out.data, "intent: 3 classes, 1 rows without one\n"
                             "  y        2   40.0 %\n  z        2   40.0 %\n  x        1   20.0 %\n");
  as_buffer_clear(&out);
  as_class_summary_warnings(intent, &out);
  ck_assert_str_eq(out.data, "intent: 3 of 3 classes have fewer than 500 rows; the smallest, 'x', has 1\n");
  as_buffer_free(&out);
  done(&c);
}
END_TEST

/* 500 rows are enough, 499 are not; ten times as many are too many. */
START_TEST(warnings_begin_where_they_should) {
  static const struct {
    int a, b;
    const char *expected;
  } cases[] = {
      {500, 500, ""},
      {500, 499, "intent: 1 of 2 classes has fewer than 500 rows; the smallest, 'b', has 499\n"},
      {5000, 500,
       "intent: the largest class, 'a', has 10.0 times the rows of the smallest, 'b'; --class-weights balanced "
       "evens that out\n"},
      {4999, 500, ""},
      {600, 0, "intent: there is a single class; nothing can be learned from that\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    as_buffer text;
    as_buffer_init(&text, ctx);
    as_buffer_text(&text, "content,intent\n");
    for (int k = 0; k < cases[i].a; k++) as_buffer_printf(&text, "m%d,a\n", k);
    for (int k = 0; k < cases[i].b; k++) as_buffer_printf(&text, "n%d,b\n", k);
    checked c;
    check_text(&c, as_buffer_string(&text));
    as_buffer_clear(&text);
    as_class_summary_warnings(as_data_summary_classes(c.summary, 0), &text);
    ck_assert_str_eq(as_buffer_string(&text), cases[i].expected);
    as_buffer_free(&text);
    done(&c);
  }
}
END_TEST

START_TEST(the_summary_names_what_is_wrong) {
  checked c;
  check_text(&c, "content,intent\na,x\na,x\na,\"y\x1b[31m\"\nshort\n,x\n");
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_data_summary_print(c.summary, &out);
  ck_assert_ptr_nonnull(strstr(out.data, "in.csv: 5 rows, 3 of them usable\n"));
  ck_assert_ptr_nonnull(strstr(out.data, "1 row with fewer fields than columns, left out (line 5)\n"));
  ck_assert_ptr_nonnull(strstr(out.data, "1 row with an empty text, left out (line 6)\n"));
  ck_assert_ptr_nonnull(strstr(out.data, "1 duplicate row (line 3 like 2)\n"));
  ck_assert_ptr_nonnull(strstr(out.data, "1 contradicting row (same text, another label) (line 4 like 2)\n"));
  ck_assert_ptr_nonnull(strstr(out.data, "y?[31m")); /* not a terminal's colors */
  ck_assert_ptr_null(strchr(out.data, 0x1b));
  uint64_t line;
  ck_assert_int_eq(as_data_report_broken(&c.report, &line), 1);
  ck_assert_uint_eq(line, 5);
  as_buffer_free(&out);
  done(&c);
}
END_TEST

START_TEST(json_says_the_same) {
  checked c;
  check_text(&c, "content,intent\na,x\na,x\nb,y\nshort\n");
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_json_writer writer = as_json_writer_start(&out, 0);
  as_data_summary_json(c.summary, &writer);
  json_t *json;
  ck_assert_ok(ctx, as_json_parse(ctx, out.data, out.length, "summary", AS_E_DATA, &json));
  ck_assert_int_eq(json_integer_value(json_object_get(json, "rows")), 4);
  ck_assert_int_eq(json_integer_value(json_object_get(json, "kept")), 3);
  ck_assert_uint_eq(strlen(json_string_value(json_object_get(json, "sha256"))), 64);
  json_t *intent = json_object_get(json_object_get(json, "columns"), "intent");
  ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(intent, "counts"), "x")), 2);
  ck_assert_int_eq(json_integer_value(json_object_get(intent, "small_classes")), 2);
  ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(json, "characters"), "p99")), 1);
  ck_assert_uint_eq(json_array_size(json_object_get(json, "warnings")), 3);
  json_t *problem = json_object_get(json_object_get(json, "problems"), "short_rows");
  ck_assert_int_eq(json_integer_value(json_array_get(json_object_get(problem, "lines"), 0)), 5);
  json_decref(json);
  as_buffer_free(&out);
  done(&c);
}
END_TEST

START_TEST(every_failing_allocation_is_an_error_without_a_leak) {
  checked c;
  check_text(&c, "content,intent,sentiment\na,x,p\nb,y,p\n");
  size_t used = as_memory_used(ctx);
  for (uint64_t n = 1;; n++) {
    as_data_summary *summary;
    as_buffer out;
    as_buffer_init(&out, ctx);
    as_test_fail_at(ctx, n);
    as_status status = as_data_check(ctx, c.messages, &c.report, &summary);
    if (status == AS_OK) {
      as_json_writer writer = as_json_writer_start(&out, 0);
      as_data_summary_json(summary, &writer);
      as_data_summary_print(summary, &out);
      status = as_buffer_status(&out);
    }
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    as_data_summary_free(summary);
    as_buffer_free(&out);
    ck_assert_uint_eq(as_memory_used(ctx), used);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    if (!failed) break;
  }
  done(&c);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("check");
  TCase *tests = tcase_create("check");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, lengths_are_nearest_rank_percentiles);
  tcase_add_test(tests, classes_are_counted_and_ranked);
  tcase_add_test(tests, warnings_begin_where_they_should);
  tcase_add_test(tests, the_summary_names_what_is_wrong);
  tcase_add_test(tests, json_says_the_same);
  tcase_add_test(tests, every_failing_allocation_is_an_error_without_a_leak);
  suite_add_tcase(suite, tests);
  return suite;
}
