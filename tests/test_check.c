/* The summary of a data file: counts, percentiles, warnings, for people and as JSON. */
#include <stdlib.h>
#include <string.h>

#include "data/check.h"
#include "data/shop_check.h"
#include "data/text_faults.h"
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

START_TEST(suspicious_texts_are_found) {
  static const struct {
    const char *text;
    as_data_problem fault;
  } cases[] = {
      {"Where is my order?", AS_PROBLEM_NONE},
      {"Stra\xc3\x9f"
       "e, \xc3\xa9t\xc3\xa9, \xe2\x80\x99, \xf0\x9f\x98\x80, \xc3\x83O", /* sharp s, e acute, quote, smiley, A tilde */
       AS_PROBLEM_NONE},
      {"tab\tline\nend\r\n", AS_PROBLEM_NONE},
      {"gr\xc3\x83\xc2\xbc\xc3\x83\xc5\xb8"
       "e",
       AS_PROBLEM_MOJIBAKE}, /* gruesse, its umlaut and sharp s as two characters each */
      {"it\xc3\xa2\xe2\x82\xac\xe2\x84\xa2s", AS_PROBLEM_MOJIBAKE}, /* a quotation mark as three */
      {"\xc3\x83\xc2\xa4", AS_PROBLEM_MOJIBAKE},
      {"lost \xef\xbf\xbd here", AS_PROBLEM_REPLACEMENT},
      {"bell \x07", AS_PROBLEM_CONTROL},
      {"\x7f", AS_PROBLEM_CONTROL},
      {"c1 \xc2\x9b", AS_PROBLEM_CONTROL},
      {"turned \xe2\x80\xae round", AS_PROBLEM_CONTROL},
      {"mark \xef\xbb\xbf", AS_PROBLEM_CONTROL},
      {"\x07 and \xef\xbf\xbd", AS_PROBLEM_REPLACEMENT},
      {"", AS_PROBLEM_NONE},
      {"\xc3\x83", AS_PROBLEM_NONE},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    ck_assert_msg(as_text_fault(cases[i].text, strlen(cases[i].text)) == cases[i].fault, "\"%s\" is %s, not %s",
                  cases[i].text, as_data_problem_key(as_text_fault(cases[i].text, strlen(cases[i].text))),
                  as_data_problem_key(cases[i].fault));
  checked c;
  check_text(&c, "content,intent\nfine,x\n\xc3\x83\xc2\xa4,x\nb\x01,y\n");
  ck_assert_int_eq(c.report.findings[AS_PROBLEM_MOJIBAKE].count, 1);
  ck_assert_uint_eq(c.report.findings[AS_PROBLEM_MOJIBAKE].lines[0], 3);
  ck_assert_int_eq(c.report.findings[AS_PROBLEM_CONTROL].count, 1);
  ck_assert_int_eq(c.report.kept, 3);
  done(&c);
}
END_TEST

START_TEST(tokens_are_summed_up_and_cut) {
  checked c;
  check_text(&c, "content,intent\na,x\nb,x\nc,x\nd,x\n");
  int64_t lengths[] = {9, 3, 1, 8};
  ck_assert_ptr_null(as_data_summary_tokens(c.summary));
  as_data_summary_add_tokens(c.summary, lengths, 8);
  const as_length_summary *tokens = as_data_summary_tokens(c.summary);
  ck_assert_int_eq(tokens->minimum, 1);
  ck_assert_int_eq(tokens->maximum, 9);
  ck_assert_int_eq(as_data_summary_truncated(c.summary), 1);
  static const int64_t bins[] = {1, 0, 1, 1, 1, 0}; /* 1; 2; 3 to 4; 5 to 8; 9 to 16 */
  for (int i = 0; i < 6; i++) ck_assert_int_eq(tokens->bins[i], bins[i]);
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_data_summary_print(c.summary, &out);
  ck_assert_ptr_nonnull(strstr(out.data, "\n  3 to 4                   1  ########################################\n"));
  ck_assert_ptr_nonnull(strstr(out.data, "\n  2                        0\n"));
  ck_assert_ptr_nonnull(strstr(out.data, "\n1 row of more than 8 tokens (25 %); what is beyond is cut off\n"));
  as_buffer_free(&out);
  done(&c);
}
END_TEST

/* Case and white space make no difference; the label of the other file's first row counts. */
START_TEST(rows_of_two_files_are_found) {
  checked train, test;
  check_text(&train, "content,intent\nWhere is it?,x\nBuy  now,y\nother,x\n");
  check_text(&test, "content,intent\n where IS\tit? ,x\nbuy now,x\nnew,x\nBuy  now,y\n");
  as_data_leaks leaks;
  ck_assert_ok(ctx, as_data_find_leaks(ctx, test.messages, train.messages, &leaks));
  ck_assert_int_eq(leaks.rows, 3);
  ck_assert_int_eq(leaks.other_labels, 1);
  ck_assert_uint_eq(leaks.examples.lines[1], 3);
  ck_assert_uint_eq(leaks.examples.earlier[1], 3);
  as_data_summary_add_leaks(test.summary, &leaks);
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_data_summary_print(test.summary, &out);
  ck_assert_ptr_nonnull(
      strstr(out.data, "in.csv has 3 of the 4 rows too, 1 with another label (lines 2 like 2, 3 like 3, 5 like 3)\n"));
  as_buffer_free(&out);
  for (uint64_t n = 1, failed = 1; failed; n++) {
    as_test_fail_at(ctx, n);
    as_status status = as_data_find_leaks(ctx, test.messages, train.messages, &leaks);
    failed = as_test_failed_one(ctx);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
  }
  as_test_fail_at(ctx, 0);
  done(&train);
  done(&test);
}
END_TEST

/* ---- a shop's files --------------------------------------------------------------------------------------------- */

static const char products_text[] =
    "product_id,name,category,price\n1,lamp,home,9.50\n2,,home,\n,x,y,1\n1,again,home,2\n"
    "3,rug,,cheap\n4,cup,home,1,1\n";
static const char interactions_text[] = "customer_id,product_id,interaction_type,timestamp\n7,1,view,2025-01-02\n"
                                        "7,1,view,2025-01-01\n7,9,view,2025-01-03\n7,1,stare,2025-01-03\n"
                                        "7,1,view,soon\n ,1,view,2025-01-03\n8,1,purchase,2025-03-01\n"
                                        "7,1,view,2025-01-02\n7,1,view\n";

static as_status check_shop(const char *products, const char *interactions, as_shop_summary *out) {
  static char paths[2][4200];
  const as_interaction_types types = as_interaction_types_usual();
  const as_shop_check_options options = {.types = &types, .now = 1738326600}; /* 2025-01-31 */
  snprintf(paths[0], sizeof paths[0], "%s/products.csv", folder);
  snprintf(paths[1], sizeof paths[1], "%s/interactions.csv", folder);
  ck_assert_ok(ctx, as_file_write(ctx, paths[0], products, strlen(products)));
  if (interactions) ck_assert_ok(ctx, as_file_write(ctx, paths[1], interactions, strlen(interactions)));
  return as_shop_check(ctx, paths[0], interactions ? paths[1] : NULL, &options, out);
}

static void expect_finding(const as_data_report *report, as_data_problem problem, int64_t count, uint64_t line) {
  ck_assert_msg(report->findings[problem].count == count && report->findings[problem].lines[0] == line,
                "%s: %lld, the first in line %llu", as_data_problem_key(problem),
                (long long)report->findings[problem].count, (unsigned long long)report->findings[problem].lines[0]);
}

START_TEST(faults_of_a_shop_have_their_lines) {
  as_shop_summary s;
  ck_assert_ok(ctx, check_shop(products_text, interactions_text, &s));
  ck_assert_int_eq(s.products_report.rows, 6);
  ck_assert_int_eq(s.products_report.kept, 2);
  expect_finding(&s.products_report, AS_PROBLEM_EMPTY_ID, 1, 4);
  expect_finding(&s.products_report, AS_PROBLEM_DUPLICATE_ID, 1, 5);
  expect_finding(&s.products_report, AS_PROBLEM_BAD_PRICE, 1, 6);
  expect_finding(&s.products_report, AS_PROBLEM_LONG_ROW, 1, 7);
  ck_assert_int_eq(s.nameless, 1);
  ck_assert_int_eq(s.unpriced, 1);
  ck_assert_int_eq(s.interactions_report.rows, 9);
  ck_assert_int_eq(s.interactions_report.kept, 4);
  expect_finding(&s.interactions_report, AS_PROBLEM_UNKNOWN_PRODUCT, 1, 4);
  expect_finding(&s.interactions_report, AS_PROBLEM_UNKNOWN_TYPE, 1, 5);
  expect_finding(&s.interactions_report, AS_PROBLEM_BAD_TIME, 1, 6);
  expect_finding(&s.interactions_report, AS_PROBLEM_EMPTY_ID, 1, 7);
  expect_finding(&s.interactions_report, AS_PROBLEM_FUTURE, 1, 8);
  expect_finding(&s.interactions_report, AS_PROBLEM_DUPLICATE, 1, 9);
  expect_finding(&s.interactions_report, AS_PROBLEM_SHORT_ROW, 1, 10);
  ck_assert_uint_eq(s.interactions_report.findings[AS_PROBLEM_DUPLICATE].earlier[0], 2);
  ck_assert_int_eq(s.unordered, 2);
  ck_assert_int_eq(s.untouched, 1);
  ck_assert_int_eq(s.single, 1);
  ck_assert_int_eq(s.by_type[0], 3);
  const char *path;
  uint64_t line;
  ck_assert_int_eq(as_shop_summary_faults(&s, &path, &line), 10);
  ck_assert_uint_eq(line, 4);
  ck_assert_ptr_nonnull(strstr(path, "products.csv"));
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_shop_summary_print(&s, &out);
  ck_assert_ptr_nonnull(strstr(out.data, "1 row with a product that is not in the catalogue, left out (line 4)\n"));
  ck_assert_ptr_nonnull(strstr(out.data, "1 row with a time that has not come yet (line 8)\n"));
  as_buffer_clear(&out);
  as_json_writer writer = as_json_writer_start(&out, 0);
  as_shop_summary_json(&s, &writer);
  json_t *json;
  ck_assert_ok(ctx, as_json_parse(ctx, out.data, out.length, "summary", AS_E_DATA, &json));
  json_t *problems = json_object_get(json_object_get(json, "interactions"), "problems");
  ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(problems, "future_times"), "count")), 1);
  ck_assert_ptr_null(json_object_get(problems, "contradictions")); /* of messages */
  json_decref(json);
  as_buffer_free(&out);
  as_shop_summary_free(&s);
}
END_TEST

START_TEST(a_sound_shop_has_no_faults) {
  as_shop_summary s;
  const char *path;
  uint64_t line;
  ck_assert_ok(ctx,
               check_shop("product_id\n1\n", "customer_id,product_id,interaction_type,timestamp\n7,1,view,1\n", &s));
  ck_assert_int_eq(as_shop_summary_faults(&s, &path, &line), 0);
  as_shop_summary_free(&s);
  ck_assert_ok(ctx, check_shop("product_id\n1\n", NULL, &s));
  ck_assert_int_eq(as_shop_summary_faults(&s, &path, &line), 0);
  as_shop_summary_free(&s);
  ck_assert_refused(ctx, check_shop("product_id\n1\n", "customer_id\n7\n", &s), AS_E_DATA, "product_id");
  as_shop_summary_free(&s);
  ck_assert_refused(ctx, check_shop("product_id,price\n1,x\n", NULL, &s), AS_E_DATA, "no product");
  as_shop_summary_free(&s);
}
END_TEST

START_TEST(a_shop_without_memory) {
  for (uint64_t n = 1, failed = 1; failed; n++) {
    as_shop_summary s;
    as_test_fail_at(ctx, n);
    const as_interaction_types types = as_interaction_types_usual();
    const as_shop_check_options options = {.types = &types, .now = 1738326600};
    char products[4200], interactions[4200];
    snprintf(products, sizeof products, "%s/products.csv", folder);
    snprintf(interactions, sizeof interactions, "%s/interactions.csv", folder);
    if (n == 1) {
      as_test_fail_at(ctx, 0);
      ck_assert_ok(ctx, check_shop(products_text, interactions_text, &s));
      as_shop_summary_free(&s);
      as_test_fail_at(ctx, n);
    }
    as_status status = as_shop_check(ctx, products, interactions, &options, &s);
    failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    as_shop_summary_free(&s);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
  }
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
  tcase_add_test(tests, suspicious_texts_are_found);
  tcase_add_test(tests, tokens_are_summed_up_and_cut);
  tcase_add_test(tests, rows_of_two_files_are_found);
  tcase_add_test(tests, faults_of_a_shop_have_their_lines);
  tcase_add_test(tests, a_sound_shop_has_no_faults);
  tcase_add_test(tests, a_shop_without_memory);
  tcase_add_test(tests, every_failing_allocation_is_an_error_without_a_leak);
  suite_add_tcase(suite, tests);
  return suite;
}
