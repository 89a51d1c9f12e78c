/* The message table: what becomes of rows, labels and texts, and what is reported. */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "data/messages.h"
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

static const as_column_request intent_column[] = {{.name = "intent"}};
static const as_message_options intent_options = {.columns = intent_column, .column_count = 1};

static const char *put_bytes(const void *bytes, size_t length) {
  static char path[4200];
  snprintf(path, sizeof path, "%s/in.csv", folder);
  FILE *stream = fopen(path, "wb");
  ck_assert_ptr_nonnull(stream);
  ck_assert_uint_eq(fwrite(bytes, 1, length, stream), length);
  ck_assert_int_eq(fclose(stream), 0);
  return path;
}

static const char *put(const char *text) {
  return put_bytes(text, strlen(text));
}

static as_messages *read_text(const char *text, as_on_error on_error, as_data_report *report) {
  as_message_options options = intent_options;
  options.on_error = on_error;
  as_messages *messages;
  ck_assert_ok(ctx, as_messages_read(ctx, put(text), &options, report, &messages));
  return messages;
}

static void refused(const char *text, as_on_error on_error, const char *fragment) {
  as_message_options options = intent_options;
  options.on_error = on_error;
  as_messages *messages;
  const char *path = put(text);
  ck_assert_refused(ctx, as_messages_read(ctx, path, &options, NULL, &messages), AS_E_DATA, fragment);
  ck_assert_ptr_null(messages);
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "in.csv"));
}

START_TEST(rows_keep_their_order_and_labels_are_ordered_by_bytes) {
  as_data_report report;
  as_messages *m =
      read_text("id,content,intent\n1,hello,z\n2,\"two\nlines\",\xC3\xA9\n4, keep spaces , a b \n5,x,Z\n6,y,z\n",
                AS_ON_ERROR_DEFAULT, &report);
  ck_assert_int_eq(as_messages_count(m), 5);
  size_t length;
  ck_assert_str_eq(as_messages_text(m, 1, &length), "two\nlines");
  ck_assert_uint_eq(length, 9);
  ck_assert_str_eq(as_messages_text(m, 2, NULL), " keep spaces ");
  ck_assert_uint_eq(as_messages_line(m, 2), 5);
  static const char *names[] = {"Z", "a b", "z", "\xC3\xA9"};
  static const int32_t labels[] = {2, 3, 1, 0, 2};
  ck_assert_int_eq(as_messages_label_count(m, 0), 4);
  for (int i = 0; i < 4; i++) {
    ck_assert_str_eq(as_messages_label_name(m, 0, i), names[i]);
    ck_assert_int_eq(as_messages_label_find(m, 0, names[i]), i);
  }
  ck_assert_int_eq(as_messages_label_find(m, 0, "b"), -1);
  for (int i = 0; i < 5; i++) {
    ck_assert_int_eq(as_messages_label(m, 0, i), labels[i]);
    ck_assert_str_eq(as_messages_value(m, 0, i), names[labels[i]]);
    ck_assert_int_eq(as_messages_first(m, i), i);
  }
  ck_assert_str_eq(as_messages_column_name(m, 0), "intent");
  ck_assert_int_eq(report.rows, 5);
  ck_assert_int_eq(report.kept, 5);
  unsigned char digest[32];
  ck_assert_ok(ctx, as_sha256_file(ctx, as_messages_path(m), AS_E_DATA, digest));
  ck_assert_int_eq(memcmp(digest, as_messages_digest(m), 32), 0);
  as_messages_free(m);
}
END_TEST

START_TEST(empty_rows_are_left_out_counted_and_named_by_line) {
  as_data_report report;
  as_messages *m =
      read_text("content,intent\n,x\na,x\n \xC2\xA0\t,x\nb,\nc,  \n,\n\nd,y\n", AS_ON_ERROR_DEFAULT, &report);
  ck_assert_int_eq(as_messages_count(m), 2);
  ck_assert_int_eq(report.rows, 7);
  ck_assert_int_eq(report.kept, 2);
  ck_assert_int_eq(report.blank_lines, 1);
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_data_report_print(&report, &out);
  ck_assert_str_eq(as_buffer_string(&out), "1 row with nothing in it, left out (line 7)\n"
                                           "2 rows with an empty text, left out (lines 2, 4)\n"
                                           "2 rows with an empty label, left out (lines 5, 6)\n");
  as_buffer_free(&out);
  as_data_report_warn(ctx, &report, "in.csv");
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "in.csv: 2 rows with an empty text, left out (lines 2, 4)\n"));
  as_messages_free(m);
  refused("content,intent\na,x\n,x\n", AS_ON_ERROR_FAIL, "line 3: the text is empty (--on-error skip");
  refused("content,intent\na,x\nb,\n", AS_ON_ERROR_FAIL, "line 3: nothing in column 'intent' (--on-error skip");
  refused("content,intent\na,x\n,\n", AS_ON_ERROR_FAIL, "line 3: rows with nothing in them");
}
END_TEST

START_TEST(broken_rows_fail_unless_they_may_be_skipped) {
  static const struct {
    const char *row, *fragment;
    as_data_problem problem;
  } cases[] = {
      {"only\n", "line 3: 1 field,", AS_PROBLEM_SHORT_ROW},
      {"a,b,c\n", "line 3: 3 fields,", AS_PROBLEM_LONG_ROW},
      {"5\" x,b\n", "line 3: a stray quote", AS_PROBLEM_STRAY_QUOTE},
      {"\xFF,b\n", "line 3: invalid UTF-8", AS_PROBLEM_INVALID_UTF8},
      {"x,\"b\n\n", "line 3: the quote that opens here", AS_PROBLEM_UNTERMINATED_QUOTE},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[200];
    snprintf(text, sizeof text, "content,intent\nfirst,x\n%s", cases[i].row);
    refused(text, AS_ON_ERROR_DEFAULT, cases[i].fragment);
    refused(text, AS_ON_ERROR_FAIL, cases[i].fragment);
    ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "--on-error skip"));
    as_data_report report;
    as_messages *m = read_text(text, AS_ON_ERROR_SKIP, &report);
    ck_assert_int_eq(as_messages_count(m), 1);
    ck_assert_int_eq(report.findings[cases[i].problem].count, 1);
    ck_assert_uint_eq(report.findings[cases[i].problem].lines[0], 3);
    as_messages_free(m);
  }
}
END_TEST

START_TEST(duplicates_and_contradictions_are_kept_and_reported) {
  as_data_report report;
  as_messages *m = read_text("content,intent\na,x\nb,x\na,x\na,y\nb,x\nA,x\n", AS_ON_ERROR_FAIL, &report);
  ck_assert_int_eq(as_messages_count(m), 6);
  static const int64_t first[] = {0, 1, 0, 0, 1, 5};
  for (int i = 0; i < 6; i++) ck_assert_int_eq(as_messages_first(m, i), first[i]);
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_data_report_print(&report, &out);
  ck_assert_str_eq(as_buffer_string(&out), "2 duplicate rows (lines 4 like 2, 6 like 3)\n"
                                           "1 contradicting row (same text, another label) (line 5 like 2)\n");
  as_buffer_clear(&out);
  as_json_writer writer = as_json_writer_start(&out, 0);
  as_json_open_object(&writer, NULL);
  as_data_report_json(&report, &writer);
  as_json_close_object(&writer);
  ck_assert_ptr_nonnull(strstr(out.data, "\"rows\":6,\"kept\":6,\"blank_lines\":0,\"problems\":{"));
  ck_assert_ptr_nonnull(
      strstr(out.data, "\"duplicates\":{\"count\":2,\"action\":\"kept\",\"lines\":[4,6],\"earlier\":[2,3]}"));
  ck_assert_ptr_nonnull(strstr(out.data, "\"short_rows\":{\"count\":0,\"action\":\"left out\",\"lines\":[]}"));
  as_buffer_free(&out);
  as_messages_free(m);
}
END_TEST

START_TEST(only_the_first_lines_of_a_kind_are_named) {
  as_data_report report = {0};
  for (uint64_t line = 1; line <= 20; line++) as_data_report_add(&report, AS_PROBLEM_SHORT_ROW, line, 0);
  as_data_report_add(&report, AS_PROBLEM_UNTERMINATED_QUOTE, 21, 23);
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_data_report_print(&report, &out);
  ck_assert_str_eq(as_buffer_string(&out),
                   "1 quote that is never closed, left out (line 21, opened on line 23)\n"
                   "20 rows with fewer fields than columns, left out (lines 1, 2, 3, 4, 5, 6, 7, 8, ...)\n");
  as_buffer_free(&out);
}
END_TEST

START_TEST(several_columns_may_be_empty_or_absent) {
  static const as_column_request columns[] = {
      {.name = "response", .kind = AS_COLUMN_TEXT},
      {.name = "intent", .may_be_empty = true},
      {.name = "sentiment", .may_be_absent = true},
  };
  as_message_options options = {.columns = columns, .column_count = 3};
  as_messages *m;
  ck_assert_ok(
      ctx, as_messages_read(ctx, put("intent,content,response\nx,a,\"yes,\nwe do\"\n,b,  no \n"), &options, NULL, &m));
  ck_assert_str_eq(as_messages_value(m, 0, 0), "yes,\nwe do");
  ck_assert_str_eq(as_messages_value(m, 0, 1), "  no ");
  ck_assert_int_eq(as_messages_label_count(m, 0), 0);
  ck_assert_int_eq(as_messages_label(m, 0, 0), -1);
  ck_assert_str_eq(as_messages_value(m, 1, 0), "x");
  ck_assert_str_eq(as_messages_value(m, 1, 1), "");
  ck_assert_int_eq(as_messages_label(m, 1, 1), -1);
  ck_assert(as_messages_column_present(m, 1) && !as_messages_column_present(m, 2));
  ck_assert_int_eq(as_messages_label_count(m, 2), 0);
  ck_assert_str_eq(as_messages_value(m, 2, 0), "");
  ck_assert_uint_eq(as_messages_column_count(m), 3);
  as_messages_free(m);
  as_data_report report;
  ck_assert_ok(ctx, as_messages_read(ctx, put("intent,content,response\nx,a,\ny,b,c\n"), &options, &report, &m));
  ck_assert_int_eq(report.findings[AS_PROBLEM_EMPTY_LABEL].count, 1);
  as_messages_free(m);
}
END_TEST

START_TEST(files_without_the_columns_or_without_rows_are_refused) {
  as_messages *m;
  refused("text,label\na,b\n", AS_ON_ERROR_SKIP, "line 1: there is no column 'content'");
  refused("content,label\na,b\n", AS_ON_ERROR_SKIP, "there is no column 'intent'");
  refused("content,intent\n", AS_ON_ERROR_DEFAULT, "line 1: there are no rows below the header");
  refused("content,intent\n,\n,x\n", AS_ON_ERROR_DEFAULT,
          "line 2: none of the 2 rows can be used; the first is one of the rows with nothing in");
  refused("", AS_ON_ERROR_SKIP, "line 1: the file is empty");
  ck_assert_refused(ctx, as_messages_read(ctx, "/no/such.csv", &intent_options, NULL, &m), AS_E_DATA, "/no/such.csv");
  as_on_error on_error;
  ck_assert_refused(ctx, as_on_error_by_name(ctx, "ignore", &on_error), AS_E_INVALID, "'ignore'");
  ck_assert_ok(ctx, as_on_error_by_name(ctx, "skip", &on_error));
  ck_assert_int_eq(on_error, AS_ON_ERROR_SKIP);
}
END_TEST

START_TEST(large_tables_are_read_in_time_and_space_that_grow_with_them) {
  enum { ROWS = 300000 };
  as_buffer big;
  as_buffer_init(&big, ctx);
  as_buffer_text(&big, "content,intent\n");
  for (int i = 0; i < ROWS; i++) as_buffer_printf(&big, "message number %d of many,label%d\n", i % 250000, i % 300);
  const char *path = put_bytes(big.data, big.length);
  size_t bytes = big.length;
  as_buffer_free(&big);
  as_context *counted = as_test_context(1);
  as_messages *m;
  as_data_report report;
  ck_assert_ok(counted, as_messages_read(counted, path, &intent_options, &report, &m));
  ck_assert_int_eq(as_messages_count(m), ROWS);
  ck_assert_int_eq(as_messages_label_count(m, 0), 300);
  ck_assert_int_eq(report.findings[AS_PROBLEM_DUPLICATE].count + report.findings[AS_PROBLEM_CONTRADICTION].count,
                   50000);
  ck_assert_int_eq(as_messages_first(m, 250001), 1);
  ck_assert_uint_lt(as_memory_peak(counted), 4 * bytes + (size_t)ROWS * 120);
  as_messages_free(m);
  as_test_context_free(counted);
}
END_TEST

START_TEST(every_failing_allocation_is_an_error_without_a_leak) {
  char text[6000] = "content,intent,response\n";
  for (int i = 0; i < 90; i++)
    snprintf(text + strlen(text), sizeof text - strlen(text), "message %d,label %d,\"answer %d\"\n", i % 80, i % 40, i);
  strcat(text, "short\n");
  const char *path = put(text);
  static const as_column_request columns[] = {{.name = "intent"}, {.name = "response", .kind = AS_COLUMN_TEXT}};
  for (int skip = 0; skip < 2; skip++) {
    as_message_options options = {.columns = columns, .column_count = 2};
    options.on_error = skip ? AS_ON_ERROR_SKIP : AS_ON_ERROR_DEFAULT;
    for (uint64_t n = 1;; n++) {
      as_messages *m;
      as_test_fail_at(ctx, n);
      as_status status = as_messages_read(ctx, path, &options, NULL, &m);
      bool failed = as_test_failed_one(ctx);
      as_test_fail_at(ctx, 0);
      as_messages_free(m);
      ck_assert_uint_eq(as_memory_used(ctx), 0);
      if (!failed) {
        ck_assert_int_eq(status, skip ? AS_OK : AS_E_DATA);
        ck_assert_uint_gt(n, 30);
        break;
      }
      ck_assert_int_eq(status, AS_E_NOMEM);
    }
  }
}
END_TEST

START_TEST(mutated_files_give_sound_tables_or_errors) {
  static const char seed_text[] = "content,intent\n\"a \"\"b\"\"\nc\",x\nd,\"e,f\"\n\xC3\xA9,y\n\n,\nd,x\nlast,z";
  as_random random = as_random_start(5, 1);
  int read = 0;
  for (int round = 0; round < 1500; round++) {
    char bytes[sizeof seed_text];
    memcpy(bytes, seed_text, sizeof bytes);
    for (uint64_t change = 1 + as_random_below(&random, 4); change > 0; change--) {
      size_t at = 15 * (size_t)as_random_below(&random, 8) / 8 + (size_t)as_random_below(&random, sizeof bytes - 16);
      bytes[at] =
          as_random_below(&random, 2) ? "\",\n\xFF"[as_random_below(&random, 4)] : (char)as_random_below(&random, 256);
    }
    as_message_options options = intent_options;
    options.on_error = (as_on_error)(round % 3);
    as_data_report report;
    as_messages *m;
    as_status status = as_messages_read(ctx, put_bytes(bytes, sizeof bytes - 1), &options, &report, &m);
    ck_assert(status == AS_OK || status == AS_E_DATA);
    if (status != AS_OK) continue;
    read++;
    ck_assert_int_eq(as_messages_count(m), report.kept);
    for (int64_t row = 0; row < as_messages_count(m); row++) {
      size_t length;
      const char *text = as_messages_text(m, row, &length);
      ck_assert(as_utf8_valid(text, length) && !as_text_is_blank(text, length) && strlen(text) == length);
      int32_t label = as_messages_label(m, 0, row);
      ck_assert(label >= 0 && label < as_messages_label_count(m, 0));
      ck_assert_str_eq(as_messages_text(m, as_messages_first(m, row), NULL), text);
    }
    as_messages_free(m);
  }
  ck_assert_int_gt(read, 200);
}
END_TEST

/* ---- a text a line ---------------------------------------------------------------------------------------------- */
static const as_message_options lines_options = {.lines = true};

START_TEST(a_file_of_lines_gives_a_text_each) {
  as_data_report report;
  as_messages *messages;
  const char *path = put("\xef\xbb\xbf"
                         "first, \"with\" commas\r\n\n  \nsecond\nfirst, \"with\" commas\nlast without an end");
  ck_assert_ok(ctx, as_messages_read(ctx, path, &lines_options, &report, &messages));
  static const char *const texts[] = {"first, \"with\" commas", "second", "first, \"with\" commas",
                                      "last without an end"};
  static const uint64_t lines[] = {1, 4, 5, 6};
  static const int64_t first[] = {0, 1, 0, 3};
  ck_assert_int_eq(as_messages_count(messages), 4);
  for (int i = 0; i < 4; i++) {
    size_t length;
    ck_assert_str_eq(as_messages_text(messages, i, &length), texts[i]);
    ck_assert_uint_eq(length, strlen(texts[i]));
    ck_assert_uint_eq(as_messages_line(messages, i), lines[i]);
    ck_assert_int_eq(as_messages_first(messages, i), first[i]);
  }
  ck_assert_int_eq(report.rows, 4);
  ck_assert_int_eq(report.kept, 4);
  ck_assert_int_eq(report.blank_lines, 2);
  ck_assert_int_eq(report.findings[AS_PROBLEM_DUPLICATE].count, 1);
  unsigned char digest[32];
  ck_assert_ok(ctx, as_sha256_file(ctx, path, AS_E_DATA, digest));
  ck_assert_mem_eq(digest, as_messages_digest(messages), sizeof digest);
  as_messages_free(messages);
}
END_TEST

static void lines_refused(const void *bytes, size_t length, const char *fragment) {
  as_messages *messages;
  as_message_options options = lines_options;
  options.csv.encoding = AS_ENCODING_UTF_8;
  const char *path = put_bytes(bytes, length);
  ck_assert_refused(ctx, as_messages_read(ctx, path, &options, NULL, &messages), AS_E_DATA, fragment);
  ck_assert_ptr_null(messages);
}

START_TEST(broken_lines_are_refused_or_left_out) {
  static const char bytes[] = "one\ntwo \xff\nthree\nfo\0ur\nfive\n";
  lines_refused(bytes, sizeof bytes - 1, "in.csv: line 2: there are bytes that are not UTF-8");
  lines_refused(bytes + 10, sizeof bytes - 11, "in.csv: line 2: there is a NUL byte");
  lines_refused("\n \n", 3, "in.csv: line 1: there is no text");
  lines_refused("", 0, "in.csv: line 1: there is no text");
  as_message_options options = lines_options;
  options.csv.encoding = AS_ENCODING_UTF_8;
  options.on_error = AS_ON_ERROR_SKIP;
  as_data_report report;
  as_messages *messages;
  ck_assert_ok(ctx, as_messages_read(ctx, put_bytes(bytes, sizeof bytes - 1), &options, &report, &messages));
  ck_assert_int_eq(as_messages_count(messages), 3);
  ck_assert_int_eq(report.rows, 5);
  ck_assert_int_eq(report.findings[AS_PROBLEM_INVALID_UTF8].count, 1);
  ck_assert_uint_eq(report.findings[AS_PROBLEM_INVALID_UTF8].lines[0], 2);
  ck_assert_int_eq(report.findings[AS_PROBLEM_NUL_BYTE].count, 1);
  as_messages_free(messages);
}
END_TEST

START_TEST(a_line_may_have_a_mebibyte_and_no_more) {
  enum { LIMIT = 1 << 20 };
  as_messages *messages;
  char *bytes = malloc(LIMIT + 8);
  memcpy(bytes, "a\n", 2);
  memset(bytes + 2, 'x', LIMIT + 1);
  bytes[2 + LIMIT] = '\n';
  ck_assert_ok(ctx, as_messages_read(ctx, put_bytes(bytes, LIMIT + 3), &lines_options, NULL, &messages));
  ck_assert_int_eq(as_messages_count(messages), 2);
  as_messages_free(messages);
  bytes[2 + LIMIT] = 'x';
  lines_refused(bytes, LIMIT + 3, "in.csv: line 2: longer than 1 MiB");
  free(bytes);
}
END_TEST

START_TEST(lines_may_be_in_another_encoding_when_asked_for) {
  as_messages *messages;
  as_message_options options = lines_options;
  const char *path = put("caf\xe9 cr\xe8me\nth\xe9\nd\xe9j\xe0 vu\n\xe9t\xe9 pass\xe9\n");
  ck_assert_refused(ctx, as_messages_read(ctx, path, &options, NULL, &messages), AS_E_DATA, "--encoding windows-1252");
  options.csv.encoding = AS_ENCODING_LATIN_1;
  ck_assert_ok(ctx, as_messages_read(ctx, path, &options, NULL, &messages));
  ck_assert_str_eq(as_messages_text(messages, 1, NULL), "th\xc3\xa9");
  as_messages_free(messages);
}
END_TEST

START_TEST(failing_allocations_while_reading_lines_are_reported) {
  static const char text[] = "one\ntwo\nthree\n";
  for (uint64_t n = 1;; n++) {
    as_messages *messages = NULL;
    const char *path = put(text);
    as_test_fail_at(ctx, n);
    as_status status = as_messages_read(ctx, path, &lines_options, NULL, &messages);
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    as_messages_free(messages);
    ck_assert_uint_eq(as_memory_used(ctx), 0);
    if (!failed) break;
    ck_assert_uint_lt(n, 200);
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("messages");
  TCase *tests = tcase_create("messages");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, rows_keep_their_order_and_labels_are_ordered_by_bytes);
  tcase_add_test(tests, empty_rows_are_left_out_counted_and_named_by_line);
  tcase_add_test(tests, broken_rows_fail_unless_they_may_be_skipped);
  tcase_add_test(tests, duplicates_and_contradictions_are_kept_and_reported);
  tcase_add_test(tests, only_the_first_lines_of_a_kind_are_named);
  tcase_add_test(tests, several_columns_may_be_empty_or_absent);
  tcase_add_test(tests, files_without_the_columns_or_without_rows_are_refused);
  tcase_add_test(tests, large_tables_are_read_in_time_and_space_that_grow_with_them);
  tcase_add_test(tests, every_failing_allocation_is_an_error_without_a_leak);
  tcase_add_test(tests, mutated_files_give_sound_tables_or_errors);
  tcase_add_test(tests, a_file_of_lines_gives_a_text_each);
  tcase_add_test(tests, broken_lines_are_refused_or_left_out);
  tcase_add_test(tests, a_line_may_have_a_mebibyte_and_no_more);
  tcase_add_test(tests, lines_may_be_in_another_encoding_when_asked_for);
  tcase_add_test(tests, failing_allocations_while_reading_lines_are_reported);
  suite_add_tcase(suite, tests);
  return suite;
}
