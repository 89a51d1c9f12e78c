/* The evaluation report: the table to the letter, its width with awkward labels, JSON, wrong rows, the picture. */
#include "tests/harness.h"

#include <math.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "eval/evaluation.h"
#include "tests/small_xml.h"

static const char *const three[] = {"buy", "cancel", "wo ist\nmein Paket?"};
static const int32_t truth[] = {0, 0, 0, 1, 1, 2}, predicted[] = {0, 0, 1, 1, 0, 2};
static const double probabilities[] = {0.5,  0.25, 0.25, 0.75, 0.125, 0.125, 0.25, 0.5,   0.25,
                                       0.25, 0.5,  0.25, 0.75, 0.125, 0.125, 0.0,  0.125, 0.875};

static as_evaluation evaluate(as_context *ctx, int64_t resamples) {
  const as_evaluation_input input = {6, 3, three, truth, predicted, probabilities, resamples, 1, NULL};
  as_evaluation out;
  ck_assert_ok(ctx, as_evaluation_measure(ctx, &input, &out));
  return out;
}

START_TEST(the_table_of_a_small_evaluation) {
  static const char expected[] = "6 rows, 3 classes\n"
                                 "\n"
                                 "  accuracy                  0.6667\n"
                                 "  macro F1                  0.7222\n"
                                 "  weighted F1               0.6667\n"
                                 "  balanced accuracy         0.7222\n"
                                 "  Matthews correlation      0.4545\n"
                                 "  Cohen's kappa             0.4545\n"
                                 "  top-2 accuracy            1.0000\n"
                                 "  log loss                  0.8789\n"
                                 "  Brier score               0.5156\n"
                                 "  calibration error (ECE)   0.1875\n"
                                 "  majority, accuracy        0.5000\n"
                                 "  majority, macro F1        0.2222\n"
                                 "\n"
                                 "  class              precision    recall        F1     AUC  support\n"
                                 "  buy                   0.6667    0.6667    0.6667  0.6667        3\n"
                                 "  cancel                0.5000    0.5000    0.5000  0.5625        2\n"
                                 "  wo ist?mein Paket?    1.0000    1.0000    1.0000  1.0000        1\n"
                                 "\n"
                                 "  macro                 0.7222    0.7222    0.7222  0.7431        6\n"
                                 "  micro                 0.6667    0.6667    0.6667       -        6\n"
                                 "  weighted              0.6667    0.6667    0.6667  0.6875        6\n"
                                 "\n"
                                 "  Confusion: a row is a true class, a column the class that was predicted.\n"
                                 "\n"
                                 "                         1 2 3\n"
                                 "   1  buy                2 1 .\n"
                                 "   2  cancel             1 1 .\n"
                                 "   3  wo ist?mein Paket? . . 1\n";
  as_context *ctx = as_test_context(1);
  as_evaluation e = evaluate(ctx, 0);
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_ok(ctx, as_evaluation_table(&e, &out));
  ck_assert_str_eq(as_buffer_string(&out), expected);
  as_buffer_free(&out);
  as_evaluation_free(ctx, &e);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(the_table_shows_what_calibration_did) {
  as_context *ctx = as_test_context(1);
  as_classifier_calibration calibration;
  const double own[18] = {1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1};
  ck_assert_ok(ctx, as_classifier_calibration_measure(ctx, 6, 3, truth, own, probabilities, 2.5, &calibration));
  const as_evaluation_input input = {6, 3, three, truth, predicted, probabilities, 0, 1, &calibration};
  as_evaluation e;
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_ok(ctx, as_evaluation_measure(ctx, &input, &e));
  ck_assert_ok(ctx, as_evaluation_table(&e, &out));
  ck_assert_ptr_nonnull(strstr(as_buffer_string(&out),
                               "  log loss                  0.8789   before calibration 12.0146\n"
                               "  Brier score               0.5156   before calibration 0.6667\n"
                               "  calibration error (ECE)   0.1875   before calibration 0.3333\n"
                               "  temperature               2.5000\n"));
  as_buffer_clear(&out);
  as_json_writer w = as_json_writer_start(&out, 0);
  as_json_open_object(&w, NULL);
  as_evaluation_json(&w, &e);
  as_json_close_object(&w);
  ck_assert_ptr_nonnull(
      strstr(as_buffer_string(&out), "\"calibration\":{\"temperature\":2.5,\"rows\":6,\"before\":{\"ece15\":0.333"));
  ck_assert_ptr_nonnull(strstr(as_buffer_string(&out), "\"after\":{\"ece15\":0.187"));
  as_buffer_free(&out);
  as_evaluation_free(ctx, &e);
  as_test_context_free(ctx);
}
END_TEST

static void check_width(const char *text) {
  int columns = 0;
  uint32_t code_point;
  for (size_t left = strlen(text); left > 0;) {
    const int bytes = as_utf8_decode(text, left, &code_point);
    ck_assert_msg(bytes > 0, "the table is not UTF-8");
    columns = code_point == '\n' ? 0 : columns + utf8proc_charwidth((utf8proc_int32_t)code_point);
    ck_assert_msg(columns <= 80, "a line is wider than 80 columns: ...%.60s", text);
    text += bytes;
    left -= (size_t)bytes;
  }
}

/* Every class count up to 40, with labels that are long, wide, combining, broken. */
START_TEST(no_line_is_wider_than_80_columns) {
  enum { MOST = 40, ROWS = 4000 };
  static const char *const shapes[] = {"a_label_that_goes_on_and_on_and_never_seems_to_come_to_its_end_at_all",
                                       "注文はいつ届きますか注文はいつ届きますか注文",
                                       "e\xcc\x81"
                                       "e\xcc\x81"
                                       "e\xcc\x81",
                                       "\xff\xfe broken",
                                       "\x1b[31mred",
                                       ""};
  const char *labels[MOST];
  int32_t answers[2][ROWS];
  for (int i = 0; i < MOST; i++) labels[i] = shapes[i % 6];
  as_context *ctx = as_test_context(1);
  for (int classes = 1; classes <= MOST; classes++) {
    for (int i = 0; i < ROWS; i++) {
      answers[0][i] = i * i % classes;
      answers[1][i] = (i * i + i % 5 / 3) % classes;
    }
    const as_evaluation_input input = {ROWS, classes, labels, answers[0], answers[1], NULL, 20, 1, NULL};
    as_evaluation e;
    as_buffer out;
    as_buffer_init(&out, ctx);
    ck_assert_ok(ctx, as_evaluation_measure(ctx, &input, &e));
    ck_assert_ok(ctx, as_evaluation_table(&e, &out));
    check_width(as_buffer_string(&out));
    ck_assert_ptr_null(strchr(as_buffer_string(&out), '\x1b'));
    const bool matrix = strstr(as_buffer_string(&out), "Confusion:") != NULL;
    const bool list = strstr(as_buffer_string(&out), "Commonest") != NULL;
    ck_assert_msg(classes <= 12 ? matrix : list && !matrix, "%d classes: %s", classes, as_buffer_string(&out));
    as_buffer_free(&out);
    as_evaluation_free(ctx, &e);
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(the_commonest_confusions_come_first) {
  enum { CLASSES = 20 };
  const char *labels[CLASSES];
  char names[CLASSES][16];
  int32_t answers[2][400];
  int64_t rows = 0;
  for (int k = 0; k < CLASSES; k++) {
    snprintf(names[k], sizeof names[k], "c%02d", k);
    labels[k] = names[k];
    for (int i = 0; i <= k; i++, rows++) { /* k + 1 rows of class k, all wrong but the first of each class */
      answers[0][rows] = k;
      answers[1][rows] = i == 0 ? k : (k + 1) % CLASSES;
    }
  }
  as_context *ctx = as_test_context(1);
  const as_evaluation_input input = {rows, CLASSES, labels, answers[0], answers[1], NULL, 0, 1, NULL};
  as_evaluation e;
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_ok(ctx, as_evaluation_measure(ctx, &input, &e));
  ck_assert_ok(ctx, as_evaluation_table(&e, &out));
  const char *list = strstr(as_buffer_string(&out), "Commonest");
  ck_assert_ptr_nonnull(list);
  ck_assert_ptr_nonnull(
      strstr(list, "\n      19  95.0 %  c19       as  c00     \n      18  94.7 %  c18       as  c19"));
  ck_assert_ptr_nonnull(strstr(list, "c05       as  c06"));
  ck_assert_ptr_null(strstr(list, "c04       as  c05")); /* the sixteenth */
  as_buffer_free(&out);
  as_evaluation_free(ctx, &e);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(json_has_labels_intervals_and_baselines) {
  as_context *ctx = as_test_context(1);
  as_evaluation e = evaluate(ctx, 200);
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_json_writer w = as_json_writer_start(&out, 0);
  as_json_open_object(&w, NULL);
  as_evaluation_json(&w, &e);
  as_json_close_object(&w);
  json_t *root = json_loads(as_buffer_string(&out), 0, NULL);
  ck_assert_ptr_nonnull(root);
  ck_assert_str_eq(json_string_value(json_array_get(json_object_get(root, "labels"), 1)), "cancel");
  ck_assert_double_eq(json_number_value(json_object_get(root, "accuracy")), 4.0 / 6);
  const json_t *ci = json_object_get(json_object_get(root, "ci95"), "accuracy");
  ck_assert_double_lt(json_number_value(json_array_get(ci, 0)), 4.0 / 6);
  ck_assert_double_gt(json_number_value(json_array_get(ci, 1)), 4.0 / 6);
  const json_t *majority = json_object_get(json_object_get(root, "baselines"), "majority");
  ck_assert_str_eq(json_string_value(json_object_get(majority, "label")), "buy");
  ck_assert_double_eq(json_number_value(json_object_get(majority, "accuracy")), 0.5);
  ck_assert_double_eq_tol(json_number_value(json_object_get(majority, "macro_f1")), 2.0 / 3 / 3, 1e-15);
  json_decref(root);
  as_buffer_free(&out);
  as_evaluation_free(ctx, &e);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(an_evaluation_of_no_rows_has_no_scores) {
  as_context *ctx = as_test_context(1);
  const as_evaluation_input input = {0, 3, three, truth, predicted, probabilities, 10, 1, NULL};
  as_evaluation e;
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_ok(ctx, as_evaluation_measure(ctx, &input, &e));
  ck_assert_ok(ctx, as_evaluation_table(&e, &out));
  ck_assert_ptr_nonnull(strstr(as_buffer_string(&out), "  accuracy                       -\n"));
  as_buffer_clear(&out);
  as_json_writer w = as_json_writer_start(&out, 0);
  as_json_open_object(&w, NULL);
  as_evaluation_json(&w, &e);
  as_json_close_object(&w);
  ck_assert_ptr_nonnull(strstr(as_buffer_string(&out), "\"majority\":{\"label\":null,\"accuracy\":null"));
  as_buffer_free(&out);
  as_evaluation_free(ctx, &e);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(wrong_rows_by_confidence) {
  const double confidence[] = {0.9, 0.9, 0.5, 0.9, 0.75, 0.9};
  as_context *ctx = as_test_context(1);
  int64_t *order, count;
  ck_assert_ok(ctx, as_wrong_rows(ctx, 6, truth, predicted, confidence, &order, &count));
  ck_assert_int_eq(count, 2);
  ck_assert_int_eq(order[0], 4);
  ck_assert_int_eq(order[1], 2);
  as_free(ctx, order);
  ck_assert_ok(ctx, as_wrong_rows(ctx, 6, truth, predicted, NULL, &order, &count));
  ck_assert_int_eq(order[0], 2);
  as_free(ctx, order);
  ck_assert_ok(ctx, as_wrong_rows(ctx, 6, truth, truth, NULL, &order, &count));
  ck_assert_int_eq(count, 0);
  as_free(ctx, order);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(the_picture_escapes_its_title) {
  as_context *ctx = as_test_context(1);
  as_evaluation e = evaluate(ctx, 0);
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_ok(ctx, as_evaluation_svg(&e, "a<b & \x01 \xff", &out));
  as_assert_xml(as_buffer_string(&out));
  ck_assert_ptr_nonnull(strstr(as_buffer_string(&out), "<title id=\"title\">a&lt;b &amp;   \xef\xbf\xbd</title>"));
  ck_assert_ptr_nonnull(strstr(as_buffer_string(&out), "2 rows, accuracy 0.5000, mean confidence 0.7500"));
  ck_assert_ptr_nonnull(strstr(as_buffer_string(&out), "(ECE) 0.1875, largest gap"));
  ck_assert_ptr_null(strstr(as_buffer_string(&out), "before calibration"));
  as_buffer_free(&out);
  as_evaluation_free(ctx, &e);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(the_picture_shows_before_and_after) {
  as_context *ctx = as_test_context(1);
  as_classifier_calibration calibration;
  const double own[18] = {1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1};
  ck_assert_ok(ctx, as_classifier_calibration_measure(ctx, 6, 3, truth, own, probabilities, 2.5, &calibration));
  const as_evaluation_input input = {6, 3, three, truth, predicted, probabilities, 0, 1, &calibration};
  as_evaluation e;
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_ok(ctx, as_evaluation_measure(ctx, &input, &e));
  ck_assert_ok(ctx, as_evaluation_svg(&e, "all that there is to say about a title which is longer than the picture", &out));
  as_assert_xml(as_buffer_string(&out));
  const char *before = strstr(as_buffer_string(&out), ">before calibration</text>");
  const char *after = strstr(as_buffer_string(&out), ">with temperature 2.5</text>");
  ck_assert(before && after && before < after);
  before = strstr(before, "6 rows, accuracy 0.6667, mean confidence 1.0000");
  ck_assert(before && before < after);
  ck_assert_ptr_nonnull(strstr(after, "2 rows, accuracy 0.5000, mean confidence 0.7500"));
  ck_assert_ptr_nonnull(strstr(as_buffer_string(&out), "before calibration they were 0.3333 and 0.3333.</desc>"));
  as_buffer_free(&out);
  as_evaluation_free(ctx, &e);
  const as_evaluation_input none = {0, 3, three, truth, predicted, probabilities, 0, 1, NULL};
  ck_assert_ok(ctx, as_evaluation_measure(ctx, &none, &e));
  ck_assert_ok(ctx, as_evaluation_svg(&e, "nothing", &out));
  as_assert_xml(as_buffer_string(&out));
  as_buffer_free(&out);
  as_evaluation_free(ctx, &e);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(failing_allocations_are_reported) {
  bool failed = true;
  for (uint64_t n = 1; failed; n++) {
    as_context *ctx = as_test_context(2);
    as_test_fail_at(ctx, n);
    const as_evaluation_input input = {6, 3, three, truth, predicted, probabilities, 10, 1, NULL};
    as_evaluation e;
    as_buffer out;
    int64_t *order = NULL, count;
    as_buffer_init(&out, ctx);
    as_status status = as_evaluation_measure(ctx, &input, &e);
    if (status == AS_OK) status = as_evaluation_table(&e, &out);
    if (status == AS_OK) status = as_evaluation_svg(&e, "title", &out);
    if (status == AS_OK) status = as_wrong_rows(ctx, 6, truth, predicted, NULL, &order, &count);
    failed = as_test_failed_one(ctx);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    as_free(ctx, order);
    as_buffer_free(&out);
    as_evaluation_free(ctx, &e);
    as_test_context_free(ctx);
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("evaluation");
  TCase *tests = tcase_create("report");
  tcase_add_test(tests, the_table_of_a_small_evaluation);
  tcase_add_test(tests, the_table_shows_what_calibration_did);
  tcase_add_test(tests, no_line_is_wider_than_80_columns);
  tcase_add_test(tests, the_commonest_confusions_come_first);
  tcase_add_test(tests, json_has_labels_intervals_and_baselines);
  tcase_add_test(tests, an_evaluation_of_no_rows_has_no_scores);
  tcase_add_test(tests, wrong_rows_by_confidence);
  tcase_add_test(tests, the_picture_escapes_its_title);
  tcase_add_test(tests, the_picture_shows_before_and_after);
  tcase_add_test(tests, failing_allocations_are_reported);
  suite_add_tcase(suite, tests);
  return suite;
}
