/* The stratified split: shares, duplicates, determinism, and the files it writes. */
#include <stdlib.h>
#include <string.h>

#include "data/hold_out.h"
#include "data/split.h"
#include "tests/folder_fixture.h"

static as_messages *read_file(const char *path) {
  static const as_column_request columns[] = {{.name = "intent"}};
  as_message_options options = {.columns = columns, .column_count = 1};
  as_messages *messages;
  ck_assert_ok(ctx, as_messages_read(ctx, path, &options, NULL, &messages));
  return messages;
}

static as_messages *read_text(const char *text) {
  ck_assert_ok(ctx, as_file_write(ctx, below("in.csv"), text, strlen(text)));
  return read_file(below("in.csv"));
}

/* Three classes of 600, 300 and 30 rows; every fifth row repeats the text before it. */
static as_messages *read_sample(bool backwards) {
  as_buffer text;
  as_buffer_init(&text, ctx);
  as_buffer_text(&text, "id,content,intent\n");
  for (int i = 0; i < 930; i++) {
    int k = backwards ? 929 - i : i;
    as_buffer_printf(&text, "%d,\"message, %d\",%s\n", k, k % 5 == 4 ? k - 1 : k, k < 600 ? "a" : k < 900 ? "b" : "c");
  }
  as_messages *messages = read_text(as_buffer_string(&text));
  as_buffer_free(&text);
  return messages;
}

static void count(const as_messages *m, const as_part *parts, int64_t counts[3][3]) {
  memset(counts, 0, 9 * sizeof(int64_t));
  for (int64_t row = 0; row < as_messages_count(m); row++) counts[as_messages_label(m, 0, row)][parts[row]]++;
}

START_TEST(each_label_gives_its_share_and_duplicates_stay_together) {
  as_messages *m = read_sample(false);
  as_part parts[930];
  as_split_options options = {.valid = 0.1, .test = 0.2, .seed = 42};
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, parts));
  int64_t counts[3][3];
  count(m, parts, counts);
  static const int64_t sizes[3] = {600, 300, 30};
  for (int label = 0; label < 3; label++) {
    ck_assert_int_eq(counts[label][AS_PART_VALID], sizes[label] / 10);
    ck_assert_int_eq(counts[label][AS_PART_TEST], sizes[label] / 5);
  }
  for (int64_t row = 0; row < 930; row++) ck_assert_int_eq(parts[row], parts[as_messages_first(m, row)]);
  as_messages_free(m);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_parts_whatever_the_order_of_rows) {
  as_messages *m = read_sample(false);
  as_part parts[930], again[930], other[930];
  as_split_options options = {.valid = 0.1, .seed = 42};
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, parts));
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, again));
  ck_assert_int_eq(memcmp(parts, again, sizeof parts), 0);
  options.seed = 43;
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, other));
  ck_assert_int_ne(memcmp(parts, other, sizeof parts), 0);
  as_messages_free(m);
  m = read_sample(true);
  options.seed = 42;
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, again));
  for (int row = 0; row < 930; row++) ck_assert_int_eq(parts[row], again[929 - row]);
  as_messages_free(m);
}
END_TEST

START_TEST(small_labels_keep_a_text_for_training) {
  as_messages *m = read_text("content,intent\none,a\ntwo,b\nthree,b\nfour,c\nfive,c\nsix,c\nsame,d\nsame,d\nsame,d\n");
  as_part parts[9];
  as_split_options options = {.valid = 0.1, .test = 0.1, .seed = 1};
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, parts));
  int counts[4][3] = {{0}};
  for (int row = 0; row < 9; row++) counts[as_messages_label(m, 0, row)][parts[row]]++;
  static const int expected[4][3] = {{1, 0, 0}, {1, 0, 1}, {1, 1, 1}, {3, 0, 0}};
  for (int label = 0; label < 4; label++)
    for (int part = 0; part < 3; part++)
      ck_assert_msg(counts[label][part] == expected[label][part], "label %d, part %d: %d rows, expected %d", label,
                    part, counts[label][part], expected[label][part]);
  as_messages_free(m);
}
END_TEST

START_TEST(a_text_with_many_rows_does_not_overfill_a_part) {
  as_buffer text;
  as_buffer_init(&text, ctx);
  as_buffer_text(&text, "content,intent\n");
  for (int i = 0; i < 100; i++) as_buffer_printf(&text, "%s%d,a\n", i < 50 ? "often" : "once", i < 50 ? 0 : i);
  as_messages *m = read_text(as_buffer_string(&text));
  as_buffer_free(&text);
  as_part parts[100];
  for (uint64_t seed = 0; seed < 20; seed++) {
    as_split_options options = {.valid = 0.2, .seed = seed};
    ck_assert_ok(ctx, as_split_messages(ctx, m, &options, parts));
    int held = 0;
    for (int row = 0; row < 100; row++) held += parts[row] == AS_PART_VALID;
    ck_assert_int_eq(held, 20);
    ck_assert_int_eq(parts[0], AS_PART_TRAIN);
  }
  as_messages_free(m);
}
END_TEST

START_TEST(bad_shares_and_columns_are_refused) {
  as_messages *m = read_text("content,intent\none,a\ntwo,b\n");
  as_part parts[2];
  static const as_split_options bad[] = {
      {.valid = 1}, {.valid = -0.1}, {.valid = 0.5, .test = 0.5}, {.test = 0.0 / 1, .valid = 1e300}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ck_assert_refused(ctx, as_split_messages(ctx, m, &bad[i], parts), AS_E_INVALID, "shares");
  as_split_options options = {.valid = 0.1, .label_column = 1};
  ck_assert_refused(ctx, as_split_messages(ctx, m, &options, parts), AS_E_INVALID, "column 1");
  options.label_column = -1;
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, parts));
  ck_assert_int_eq((parts[0] == AS_PART_VALID) + (parts[1] == AS_PART_VALID), 1);
  as_messages_free(m);
}
END_TEST

START_TEST(written_files_hold_every_row_once_with_all_columns) {
  as_messages *m = read_sample(false);
  as_part parts[930];
  as_split_options options = {.valid = 0.1, .test = 0.1, .seed = 3};
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, parts));
  int64_t counts[3];
  ck_assert_ok(ctx, as_split_write(ctx, m, NULL, parts, &options, below("out/deep"), false, counts));
  int64_t next[3] = {0};
  static const char *names[3] = {"out/deep/train.csv", "out/deep/valid.csv", "out/deep/test.csv"};
  as_messages *written[3];
  for (int part = 0; part < 3; part++) {
    written[part] = read_file(below(names[part]));
    ck_assert_int_eq(as_messages_count(written[part]), counts[part]);
  }
  for (int64_t row = 0; row < 930; row++) {
    as_part part = parts[row];
    ck_assert_str_eq(as_messages_text(written[part], next[part]++, NULL), as_messages_text(m, row, NULL));
  }
  char *data;
  size_t length;
  ck_assert_ok(ctx, as_file_read(ctx, below(names[0]), 0, AS_E_DATA, &data, &length));
  ck_assert_int_eq(strncmp(data, "id,content,intent\n", 18), 0);
  as_free(ctx, data);
  for (int part = 0; part < 3; part++) as_messages_free(written[part]);
  as_messages_free(m);
}
END_TEST

START_TEST(a_file_that_changed_is_not_split) {
  as_messages *m = read_text("content,intent\none,a\ntwo,b\nthree,a\n");
  as_part parts[3];
  as_split_options options = {.valid = 0.5};
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, parts));
  static const char other[] = "content,intent\none,a\ntwo,c\nthree,a\n";
  ck_assert_ok(ctx, as_file_write(ctx, below("in.csv"), other, sizeof other - 1));
  int64_t counts[3];
  ck_assert_refused(ctx, as_split_write(ctx, m, NULL, parts, &options, below("out"), false, counts), AS_E_DATA,
                    "changed");
  ck_assert(!as_path_exists(below("out"))); /* it was not there before */
  ck_assert_ok(ctx, as_make_folders(ctx, below("out")));
  ck_assert_refused(ctx, as_split_write(ctx, m, NULL, parts, &options, below("out"), false, counts), AS_E_DATA,
                    "changed");
  ck_assert(as_path_exists(below("out")));
  ck_assert(!as_path_exists(below("out/train.csv")) && !as_path_exists(below("out/valid.csv")));
  as_messages_free(m);
}
END_TEST

START_TEST(the_file_that_is_split_is_not_written_over) {
  static const char text[] = "content,intent\none,a\ntwo,b\nthree,a\n";
  ck_assert_ok(ctx, as_file_write(ctx, below("train.csv"), text, sizeof text - 1));
  as_messages *m = read_file(below("train.csv"));
  as_part parts[3];
  as_split_options options = {.valid = 0.5};
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, parts));
  int64_t counts[3];
  ck_assert_refused(ctx, as_split_write(ctx, m, NULL, parts, &options, below("."), false, counts), AS_E_INVALID,
                    "train.csv is the file that is split");
  ck_assert(!as_path_exists(below("valid.csv")));
  as_messages_free(m);
}
END_TEST

START_TEST(every_failing_allocation_is_an_error_without_a_leak) {
  as_messages *m = read_sample(false);
  as_part parts[930];
  as_split_options options = {.valid = 0.1, .seed = 3};
  size_t used = as_memory_used(ctx);
  bool failed = true;
  for (uint64_t n = 1; failed; n++) {
    int64_t counts[3];
    as_test_fail_at(ctx, n);
    as_status status = as_split_messages(ctx, m, &options, parts);
    if (status == AS_OK) status = as_split_write(ctx, m, NULL, parts, &options, below("out"), false, counts);
    failed = as_test_failed_cleanly(ctx, status, used);
  }
  as_messages_free(m);
}
END_TEST

/* ---- the other rules -------------------------------------------------------------------------------------------- */

/* Rows with a time and a customer; the same text comes twice. */
static as_messages *read_rows(const char *text, as_column_kind kind) {
  const as_column_request columns[] = {{.name = "intent"}, {.name = "by", .kind = kind, .may_be_empty = true}};
  as_message_options options = {.columns = columns, .column_count = 2};
  as_messages *messages;
  ck_assert_ok(ctx, as_file_write(ctx, below("rows.csv"), text, strlen(text)));
  ck_assert_ok(ctx, as_messages_read(ctx, below("rows.csv"), &options, NULL, &messages));
  return messages;
}

static void expect_parts(const as_part *parts, const char *expected) {
  for (size_t row = 0; expected[row]; row++)
    ck_assert_msg("rvt"[parts[row]] == expected[row], "row %zu is in part %d, not '%c'", row, (int)parts[row],
                  expected[row]);
}

START_TEST(by_time_the_newest_rows_are_for_tests) {
  as_part parts[8];
  as_messages *m = read_rows("content,intent,by\na,x,2025-01-05\nb,x,2025-01-01\nc,x,2025-01-04\nd,x,2025-01-02\n"
                             "e,x,2025-01-05\nf,x,1735862400\na,x,2025-01-01\nh,x,2025-01-01\n", /* f: 2025-01-03 */
                             AS_COLUMN_TEXT);
  as_split_options options = {.rule = AS_RULE_TIME, .column = 1, .test = 0.125, .valid = 0.25};
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, parts));
  expect_parts(parts, "trvrtvrr"); /* two rows share the newest time, so both are for tests */
  options = (as_split_options){.rule = AS_RULE_TIME, .column = 1, .valid = 0.5};
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, parts));
  expect_parts(parts, "vrvrvvrr"); /* no test part */
  options = (as_split_options){.rule = AS_RULE_TIME, .column = 1, .test = 0.6, .valid = 0.39};
  ck_assert_refused(ctx, as_split_messages(ctx, m, &options, parts), AS_E_DATA, "leaves the training part empty");
  options.column = 2;
  ck_assert_refused(ctx, as_split_messages(ctx, m, &options, parts), AS_E_INVALID, "column 2");
  as_messages_free(m);
  m = read_rows("content,intent,by\na,x,2025-01-05\nb,x,soon\n", AS_COLUMN_TEXT);
  options.column = 1;
  ck_assert_refused(ctx, as_split_messages(ctx, m, &options, parts), AS_E_DATA, "line 3: column 'by': \"soon\"");
  as_messages_free(m);
  m = read_rows("content,intent,by\na,x,2025-01-05\nb,x,2025-01-05\n", AS_COLUMN_TEXT);
  ck_assert_refused(ctx, as_split_messages(ctx, m, &options, parts), AS_E_DATA, "empty");
  as_messages_free(m);
}
END_TEST

START_TEST(by_group_all_rows_of_a_group_are_on_one_side) {
  as_buffer text;
  as_part parts[600], again[600];
  as_buffer_init(&text, ctx);
  as_buffer_text(&text, "content,intent,by\n");
  for (int i = 0; i < 600; i++) {
    char group[8];
    snprintf(group, sizeof group, "%d", i * i % 41);
    as_buffer_printf(&text, "text %d,x,%s\n", i, i % 50 ? group : "");
  }
  as_messages *m = read_rows(as_buffer_string(&text), AS_COLUMN_LABEL);
  as_buffer_free(&text);
  as_split_options options = {.rule = AS_RULE_GROUP, .column = 1, .test = 0.2, .valid = 0.1, .seed = 42};
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, parts));
  int64_t counts[3] = {0};
  for (int i = 0; i < 600; i++) {
    counts[parts[i]]++;
    if (as_messages_label(m, 1, i) < 0) ck_assert_int_eq(parts[i], AS_PART_TRAIN); /* of no group */
    for (int k = 0; k < i; k++)
      if (as_messages_label(m, 1, i) >= 0 && as_messages_label(m, 1, i) == as_messages_label(m, 1, k))
        ck_assert_int_eq(parts[i], parts[k]);
  }
  ck_assert_int_gt(counts[AS_PART_TEST], 90);
  ck_assert_int_le(counts[AS_PART_TEST], 120);
  ck_assert_int_gt(counts[AS_PART_VALID], 30);
  ck_assert_int_le(counts[AS_PART_VALID], 60);
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, again));
  ck_assert_mem_eq(parts, again, sizeof parts);
  options.seed = 43;
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, again));
  ck_assert_mem_ne(parts, again, sizeof parts);
  as_messages_free(m);
  m = read_rows("content,intent,by\na,x,one\nb,x,one\n", AS_COLUMN_LABEL);
  ck_assert_refused(ctx, as_split_messages(ctx, m, &options, parts), AS_E_DATA, "validation part empty");
  as_messages_free(m);
}
END_TEST

START_TEST(by_hash_a_row_is_where_it_is_held_out) {
  as_buffer text;
  as_part parts[400], smaller[400];
  as_buffer_init(&text, ctx);
  as_buffer_text(&text, "content,intent,by\n");
  for (int i = 0; i < 400; i++) as_buffer_printf(&text, "text %d,x,%d\n", i % 300, i % 7);
  as_messages *m = read_rows(as_buffer_string(&text), AS_COLUMN_TEXT);
  as_buffer_free(&text);
  as_split_options options = {.rule = AS_RULE_HASH, .test = 0.2, .valid = 0.1};
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, parts));
  for (int64_t i = 0; i < 400; i++) {
    size_t length;
    const char *content = as_messages_text(m, i, &length);
    ck_assert_int_eq(parts[i] == AS_PART_TEST, as_is_held_out(content, length, 0.2));
    ck_assert_int_eq(parts[i] != AS_PART_TRAIN, as_is_held_out(content, length, 0.2 + 0.1));
  }
  options.test = 0.1; /* what was for tests stays so, or goes to validation */
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, smaller));
  for (int i = 0; i < 400; i++) ck_assert(smaller[i] <= parts[i]);
  options = (as_split_options){.rule = AS_RULE_HASH, .test = 0.3, .paired = true, .column = 1};
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, parts));
  for (int64_t i = 0; i < 400; i++) {
    size_t length;
    const char *content = as_messages_text(m, i, &length), *with = as_messages_value(m, 1, i);
    ck_assert_int_eq(parts[i] == AS_PART_TEST, as_is_pair_held_out(content, length, with, strlen(with), 0.3));
  }
  as_messages_free(m);
}
END_TEST

START_TEST(rules_have_names) {
  static const char *const names[] = {"class", "time", "group", "hash"};
  for (int i = 0; i < 4; i++) ck_assert_int_eq((int)as_split_rule_by_name(names[i]), i);
}
END_TEST

START_TEST(rules_without_memory) {
  as_part parts[4];
  for (as_split_rule rule = AS_RULE_TIME; rule <= AS_RULE_GROUP; rule++) {
    as_messages *m = read_rows("content,intent,by\na,x,1\nb,x,2\nc,x,3\nd,x,4\n",
                               rule == AS_RULE_TIME ? AS_COLUMN_TEXT : AS_COLUMN_LABEL);
    const as_split_options options = {.rule = rule, .column = 1, .test = 0.25};
    for (uint64_t n = 1, failed = 1; failed; n++) {
      as_test_fail_at(ctx, n);
      as_status status = as_split_messages(ctx, m, &options, parts);
      failed = as_test_failed_one(ctx);
      ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    }
    as_test_fail_at(ctx, 0);
    as_messages_free(m);
  }
}
END_TEST

START_TEST(no_file_is_replaced_unasked) {
  as_messages *m = read_text("content,intent\none,a\ntwo,b\nthree,a\n");
  as_part parts[3];
  as_split_options options = {.valid = 0.5};
  int64_t counts[3];
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, parts));
  ck_assert_ok(ctx, as_make_folders(ctx, below("out")));
  ck_assert_ok(ctx, as_file_write(ctx, below("out/valid.csv"), "mine", 4));
  ck_assert_refused(ctx, as_split_write(ctx, m, NULL, parts, &options, below("out"), false, counts), AS_E_INVALID,
                    "valid.csv is there already");
  ck_assert(!as_path_exists(below("out/train.csv")));
  ck_assert_ok(ctx, as_split_write(ctx, m, NULL, parts, &options, below("out"), true, counts));
  ck_assert(as_path_exists(below("out/train.csv")));
  as_messages_free(m);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("split");
  TCase *tests = tcase_create("split");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, each_label_gives_its_share_and_duplicates_stay_together);
  tcase_add_test(tests, the_same_seed_gives_the_same_parts_whatever_the_order_of_rows);
  tcase_add_test(tests, small_labels_keep_a_text_for_training);
  tcase_add_test(tests, a_text_with_many_rows_does_not_overfill_a_part);
  tcase_add_test(tests, bad_shares_and_columns_are_refused);
  tcase_add_test(tests, written_files_hold_every_row_once_with_all_columns);
  tcase_add_test(tests, a_file_that_changed_is_not_split);
  tcase_add_test(tests, the_file_that_is_split_is_not_written_over);
  tcase_add_test(tests, every_failing_allocation_is_an_error_without_a_leak);
  tcase_add_test(tests, by_time_the_newest_rows_are_for_tests);
  tcase_add_test(tests, by_group_all_rows_of_a_group_are_on_one_side);
  tcase_add_test(tests, by_hash_a_row_is_where_it_is_held_out);
  tcase_add_test(tests, rules_have_names);
  tcase_add_test(tests, rules_without_memory);
  tcase_add_test(tests, no_file_is_replaced_unasked);
  suite_add_tcase(suite, tests);
  return suite;
}
