/* Real data files as others wrote them: rows and classes as they are known to be. */
#include <stdlib.h>
#include <string.h>

#include "data/messages.h"
#include "data/nearest_reply.h"
#include "data/split.h"
#include "eval/bleu.h"
#include "tests/harness.h"

static as_context *ctx;

static void setup(void) {
  ctx = as_test_context(1);
}
static void teardown(void) {
  as_test_context_free(ctx);
}

static const struct {
  const char *path, *text, *label;
  int64_t rows;
  int32_t labels;
  const char *largest; /* label with the most rows */
  int64_t largest_rows;
} files[] = {
    {"../data/intent/banking77/train.csv", "text", "category", 10003, 77, "card_payment_fee_charged", 187},
    {"../data/intent/banking77/test.csv", "text", "category", 3080, 77, "Refund_not_showing_up", 40},
    {"../data/intent/intent6_bitext_train.csv", "content", "intent", 25353, 6, "support", 12484},
    {"../data/intent/intent6_bitext_dev.csv", "content", "intent", 3150, 6, "support", 1522},
    {"../data/intent/intent6_bitext_test.csv", "content", "intent", 3144, 6, "support", 1550},
    {"../data/sentiment/sentiment3_train.csv", "content", "sentiment", 61092, 3, "neutral", 22062},
};

static as_messages *read_file(size_t i, as_data_report *report) {
  as_column_request column = {.name = files[i].label};
  as_message_options options = {.text_column = files[i].text, .columns = &column, .column_count = 1};
  as_messages *messages;
  ck_assert_ok(ctx, as_messages_read(ctx, as_golden(files[i].path), &options, report, &messages));
  return messages;
}

START_TEST(rows_and_classes_are_as_known) {
  as_data_report report;
  as_messages *m = read_file((size_t)_i, &report);
  ck_assert_int_eq(report.rows, files[_i].rows);
  ck_assert_int_eq(as_messages_count(m), files[_i].rows);
  ck_assert_int_eq(as_messages_label_count(m, 0), files[_i].labels);
  int64_t *counts = calloc((size_t)files[_i].labels, sizeof *counts);
  ck_assert_ptr_nonnull(counts);
  for (int64_t row = 0; row < as_messages_count(m); row++) counts[as_messages_label(m, 0, row)]++;
  int32_t largest = 0;
  for (int32_t label = 1; label < files[_i].labels; label++)
    if (counts[label] > counts[largest]) largest = label;
  ck_assert_str_eq(as_messages_label_name(m, 0, largest), files[_i].largest);
  ck_assert_int_eq(counts[largest], files[_i].largest_rows);
  free(counts);
  as_messages_free(m);
}
END_TEST

START_TEST(a_hold_out_of_a_tenth_has_a_tenth_of_every_class) {
  as_messages *m = read_file(0, NULL);
  int64_t rows = as_messages_count(m);
  as_part *parts = calloc((size_t)rows, sizeof *parts);
  ck_assert_ptr_nonnull(parts);
  as_split_options options = {.valid = 0.1, .seed = 42};
  ck_assert_ok(ctx, as_split_messages(ctx, m, &options, parts));
  double held[77] = {0}, all[77] = {0};
  for (int64_t row = 0; row < rows; row++) {
    int32_t label = as_messages_label(m, 0, row);
    all[label]++;
    held[label] += parts[row] == AS_PART_VALID;
  }
  for (int label = 0; label < 77; label++)
    ck_assert_msg(held[label] >= 0.1 * all[label] - 0.51 && held[label] <= 0.1 * all[label] + 0.51,
                  "label %s: %g of %g", as_messages_label_name(m, 0, label), held[label], all[label]);
  free(parts);
  as_messages_free(m);
}
END_TEST

START_TEST(responses_keep_their_line_breaks) {
  static const as_column_request columns[] = {{.name = "response", .kind = AS_COLUMN_TEXT},
                                              {.name = "intent", .may_be_empty = true}};
  as_message_options options = {.columns = columns, .column_count = 2};
  as_messages *m;
  as_data_report report;
  ck_assert_ok(ctx, as_messages_read(ctx, as_golden("../data/response/responses_train.csv"), &options, &report, &m));
  ck_assert_int_eq(report.rows, 31869);
  ck_assert_ptr_nonnull(strstr(as_messages_value(m, 0, 0), "\n\n1. Firstly"));
  ck_assert_str_eq(as_messages_value(m, 1, 0), "return");
  ck_assert_int_eq(as_messages_label_count(m, 1), 6);
  as_messages_free(m);
}
END_TEST

/* The reference's baseline: of its first 8,000 training rows the reply to the message nearest to every 19th of the
 * development rows (quality/responses_baseline.json). */
START_TEST(nearest_replies_score_as_the_reference_does) {
  static const as_column_request columns[] = {{.name = "response", .kind = AS_COLUMN_TEXT}};
  const as_message_options options = {.columns = columns, .column_count = 1};
  enum { TRAIN_ROWS = 8000, QUESTIONS = 200 };
  static int64_t rows[TRAIN_ROWS];
  as_messages *train, *dev;
  as_nearest_reply *replies;
  as_bleu_counts counts = {0};
  ck_assert_ok(ctx, as_messages_read(ctx, as_golden("../data/response/responses_train.csv"), &options, NULL, &train));
  ck_assert_ok(ctx, as_messages_read(ctx, as_golden("../data/response/responses_dev.csv"), &options, NULL, &dev));
  for (int64_t i = 0; i < TRAIN_ROWS; i++) rows[i] = i;
  ck_assert_ok(ctx, as_nearest_reply_build(ctx, train, 0, -1, rows, TRAIN_ROWS, &replies));
  for (int64_t i = 0; i < QUESTIONS; i++) {
    const int64_t row = i * (as_messages_count(dev) / QUESTIONS);
    as_nearest_answer answer;
    size_t length;
    const char *text = as_messages_text(dev, row, &length);
    const as_string_view reference = as_string_view_of(as_messages_value(dev, 0, row));
    ck_assert_ok(ctx, as_nearest_reply_find(replies, text, length, NULL, &answer));
    ck_assert_ok(ctx, as_bleu_add(ctx, &counts, as_string_view_of(answer.reply), &reference, 1, false));
  }
  ck_assert_double_eq_tol(as_bleu_score(&counts, false).score, 14.072, 0.0005);
  as_nearest_reply_free(replies);
  as_messages_free(train);
  as_messages_free(dev);
}
END_TEST

Suite *as_suite(void) {
  as_golden_or_skip();
  Suite *suite = suite_create("golden_data");
  TCase *tests = tcase_create("data");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_loop_test(tests, rows_and_classes_are_as_known, 0, (int)(sizeof files / sizeof *files));
  tcase_add_test(tests, a_hold_out_of_a_tenth_has_a_tenth_of_every_class);
  tcase_add_test(tests, responses_keep_their_line_breaks);
  tcase_add_test(tests, nearest_replies_score_as_the_reference_does);
  suite_add_tcase(suite, tests);
  return suite;
}
