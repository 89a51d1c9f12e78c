/* The stratified split: shares, duplicates, determinism, and the files it writes. */
#include <stdlib.h>
#include <string.h>

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
  ck_assert_ok(ctx, as_split_write(ctx, m, NULL, parts, &options, below("out/deep"), counts));
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
  ck_assert_refused(ctx, as_split_write(ctx, m, NULL, parts, &options, below("out"), counts), AS_E_DATA, "changed");
  ck_assert(!as_path_exists(below("out"))); /* it was not there before */
  ck_assert_ok(ctx, as_make_folders(ctx, below("out")));
  ck_assert_refused(ctx, as_split_write(ctx, m, NULL, parts, &options, below("out"), counts), AS_E_DATA, "changed");
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
  ck_assert_refused(ctx, as_split_write(ctx, m, NULL, parts, &options, below("."), counts), AS_E_INVALID,
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
    if (status == AS_OK) status = as_split_write(ctx, m, NULL, parts, &options, below("out"), counts);
    failed = as_test_failed_cleanly(ctx, status, used);
  }
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
  suite_add_tcase(suite, tests);
  return suite;
}
