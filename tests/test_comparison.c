/* Comparing: paired bootstrap of sums, Holm's adjustment, two classifiers, reports and the gate: by hand, with wrong
 * input, threads and failing allocations. */
#include "tests/harness.h"

#include <math.h>
#include <string.h>

#include "eval/comparison.h"
#include "lifecycle/gate.h"

#define ck_assert_near(actual, expected)                                                                               \
  do {                                                                                                                 \
    const double a_ = (actual), e_ = (expected);                                                                       \
    ck_assert_msg(fabs(a_ - e_) <= 1e-12, "%s is %.17g, expected %.17g", #actual, a_, e_);                             \
  } while (0)

/* ---- sums ------------------------------------------------------------------------------------------------------- */

/* A ratio of two sums, and the mean of the second over the rows; NaN where there is nothing to divide by. */
static void score_ratio(const double *sums, int64_t rows, double *scores) {
  scores[0] = sums[1] > 0 ? sums[0] / sums[1] : NAN;
  scores[1] = sums[1] / (double)rows;
}

static const double first_rows[] = {1, 2, 0, 4, 3, 4}, second_rows[] = {2, 2, 3, 4, 1, 4}; /* [3, 2] */

START_TEST(paired_sums_by_hand) {
  /* Row 0 three times; each row once; row 2 and twice row 1. */
  const int32_t indices[] = {0, 0, 0, 0, 1, 2, 1, 2, 1};
  const as_paired_sums sums = {3, 2, 2, first_rows, second_rows, score_ratio};
  as_context *ctx = as_test_context(2);
  as_paired_score out[2];
  ck_assert_ok(ctx, as_paired_sums_measure(ctx, &sums, 3, indices, 0, out));
  ck_assert_near(out[0].first, 4 / 10.0);
  ck_assert_near(out[0].second, 6 / 10.0);
  ck_assert_near(out[0].delta.observed, 2 / 10.0);
  ck_assert_near(out[0].delta.deltas[0], 6 / 6.0 - 3 / 6.0);
  ck_assert_near(out[0].delta.deltas[1], 6 / 10.0 - 4 / 10.0);
  ck_assert_near(out[0].delta.deltas[2], 7 / 12.0 - 3 / 12.0);
  ck_assert_near(out[0].delta.p_one_sided, 1 / 4.0);
  ck_assert_near(out[0].first_ci95.high, 0.4 + 0.1 * 0.95); /* percentiles of 0.25, 0.4 and 0.5 */
  ck_assert_near(out[1].delta.observed, 0);
  ck_assert_near(out[1].delta.p_two_sided, 1);
  as_paired_scores_free(ctx, out, 2);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_resample_without_a_score_is_left_out) {
  const double nothing[] = {0, 0, 1, 1};
  const int32_t indices[] = {0, 0, 1, 0};
  const as_paired_sums sums = {2, 2, 2, nothing, nothing, score_ratio}, none = {0, 2, 2, NULL, NULL, score_ratio};
  as_context *ctx = as_test_context(1);
  as_paired_score out[2];
  ck_assert_ok(ctx, as_paired_sums_measure(ctx, &sums, 2, indices, 0, out));
  ck_assert(isnan(out[0].delta.deltas[0]));
  ck_assert_near(out[0].delta.mean, 0);
  ck_assert_near(out[0].first_ci95.low, 1);
  as_paired_scores_free(ctx, out, 2);
  ck_assert_ok(ctx, as_paired_sums_measure(ctx, &none, 5, NULL, 0, out));
  ck_assert(isnan(out[0].first) && isnan(out[1].delta.p_two_sided) && !out[0].delta.deltas);
  ck_assert_refused(ctx, as_paired_sums_measure(ctx, &sums, 1, (const int32_t[]){0, 2}, 0, out), AS_E_INVALID,
                    "row number 2");
  ck_assert_refused(ctx, as_paired_sums_measure(ctx, &sums, -1, NULL, 0, out), AS_E_INVALID, "-1");
  as_test_context_free(ctx);
}
END_TEST

START_TEST(holm_by_hand) {
  /* 5 tests: 0.005 * 5, 0.01 * 4, 0.03 * 3, then max(0.09, 0.04 * 2), 0.9. */
  double p[] = {0.9, 0.01, 0.04, 0.005, 0.03};
  const double expected[] = {0.9, 0.04, 0.09, 0.025, 0.09};
  as_context *ctx = as_test_context(1);
  ck_assert_ok(ctx, as_holm_adjust(ctx, p, 5));
  for (int i = 0; i < 5; i++) ck_assert_near(p[i], expected[i]);
  p[0] = 0.7;
  p[1] = 0.6;
  ck_assert_ok(ctx, as_holm_adjust(ctx, p, 2));
  ck_assert_near(p[0], 1); /* never above 1, nor below that of the smaller one */
  ck_assert_near(p[1], 1);
  ck_assert_ok(ctx, as_holm_adjust(ctx, p, 0));
  as_test_context_free(ctx);
}
END_TEST

/* ---- two classifiers -------------------------------------------------------------------------------------------- */

enum { ROWS = 120, CLASSES = 4 }; /* the last class never occurs */

typedef struct answers {
  int32_t truth[ROWS], predicted[2][ROWS];
  double probabilities[2][ROWS * CLASSES];
} answers;

static void make_answers(answers *a) {
  for (int i = 0; i < ROWS; i++) {
    a->truth[i] = i % 3;
    a->predicted[0][i] = i % 4 == 0 ? (i + 1) % 3 : i % 3;
    a->predicted[1][i] = i % 5 == 0 ? (i + 2) % 3 : i % 3;
    for (int model = 0; model < 2; model++)
      for (int k = 0; k < CLASSES; k++)
        a->probabilities[model][i * CLASSES + k] = k == 3                        ? 0
                                                   : k == a->predicted[model][i] ? 0.6 + 0.1 * model
                                                                                 : 0.2 - 0.05 * model;
  }
}

static const char *const labels[CLASSES] = {"complaint", "order", "refund", "never"};

static as_comparison_input input_of(const answers *a) {
  return (as_comparison_input){.rows = ROWS,
                               .classes = CLASSES,
                               .labels = labels,
                               .truth = a->truth,
                               .predicted = {a->predicted[0], a->predicted[1]},
                               .probabilities = {a->probabilities[0], a->probabilities[1]},
                               .resamples = 200,
                               .seed = 3};
}

START_TEST(a_comparison_agrees_with_its_parts) {
  answers a;
  make_answers(&a);
  const as_comparison_input input = input_of(&a);
  as_context *ctx = as_test_context(2);
  as_comparison c;
  as_paired_bootstrap paired;
  ck_assert_ok(ctx, as_comparison_measure(ctx, &input, &c));
  ck_assert_int_eq(c.seen, 3);
  /* Rows that are multiples of 20 are wrong with both, differently. */
  ck_assert_int_eq(c.b, 24 - 6);
  ck_assert_int_eq(c.c, 30 - 6);
  ck_assert_int_eq(c.both_wrong, 6);
  ck_assert_near(c.figures[AS_COMPARED_ACCURACY].score.second, 0.8);
  ck_assert_near(c.figures[AS_COMPARED_MACRO_F1].score.first, c.evaluations[0].scores.f1.macro_seen);
  ck_assert_near(c.figures[AS_COMPARED_LOG_LOSS].score.first, c.evaluations[0].scores.log_loss);
  ck_assert_near(c.figures[AS_COMPARED_BRIER].score.second, c.evaluations[1].scores.brier);
  ck_assert_near(c.mcnemar.exact_p, as_mcnemar_test(18, 24).exact_p);
  /* The differences are those that `metrics bootstrap` gives for the seen classes. */
  ck_assert_ok(
      ctx, as_paired_bootstrap_measure(ctx, ROWS, 3, a.truth, a.predicted[0], a.predicted[1], 200, NULL, 3, &paired));
  const as_bootstrap_delta *delta = &c.figures[AS_COMPARED_MACRO_F1].score.delta;
  ck_assert(memcmp(&delta->ci95, &paired.macro_f1.ci95, sizeof delta->ci95) == 0);
  ck_assert_near(delta->observed,
                 c.figures[AS_COMPARED_MACRO_F1].score.second - c.figures[AS_COMPARED_MACRO_F1].score.first);
  as_paired_bootstrap_free(ctx, &paired);
  int64_t told[2] = {0, 0};
  for (int k = 0; k < CLASSES; k++) {
    int64_t b = 0, n = 0;
    for (int i = 0; i < ROWS; i++) { /* whether a row is of the class, told rightly */
      const bool is = a.truth[i] == k, one = (a.predicted[0][i] == k) == is, two = (a.predicted[1][i] == k) == is;
      b += one && !two;
      n += two && !one;
    }
    ck_assert_int_eq(c.each[k].b, b);
    ck_assert_int_eq(c.each[k].c, n);
    ck_assert_near(c.each[k].exact_p, as_mcnemar_test(b, n).exact_p);
    ck_assert(c.each[k].holm_p >= c.each[k].exact_p);
    told[0] += b, told[1] += n;
  }
  ck_assert(told[0] > 0 && told[1] > 0 && !c.each[3].seen);
  as_comparison_free(ctx, &c);
  as_test_context_free(ctx);
}
END_TEST

static void share_of_rows(const double *sums, int64_t rows, double *scores) {
  scores[0] = sums[0] / (double)rows;
}

START_TEST(sums_and_labels_draw_the_same_resamples) {
  answers a;
  make_answers(&a);
  double right[2][ROWS];
  for (int model = 0; model < 2; model++)
    for (int i = 0; i < ROWS; i++) right[model][i] = a.predicted[model][i] == a.truth[i];
  const as_paired_sums sums = {ROWS, 1, 1, right[0], right[1], share_of_rows};
  as_context *ctx = as_test_context(3);
  as_paired_score score;
  as_paired_bootstrap paired;
  ck_assert_ok(ctx, as_paired_sums_measure(ctx, &sums, 150, NULL, 9, &score));
  ck_assert_ok(
      ctx, as_paired_bootstrap_measure(ctx, ROWS, 3, a.truth, a.predicted[0], a.predicted[1], 150, NULL, 9, &paired));
  ck_assert_mem_eq(score.delta.deltas, paired.accuracy.deltas, 150 * sizeof(double));
  ck_assert_near(score.delta.p_two_sided, paired.accuracy.p_two_sided);
  as_paired_scores_free(ctx, &score, 1);
  as_paired_bootstrap_free(ctx, &paired);
  as_test_context_free(ctx);
}
END_TEST

/* JSON, table and Markdown of a comparison, one after another. */
static as_status write_all(as_context *ctx, const as_comparison *c, as_buffer *out) {
  as_json_writer w = as_json_writer_start(out, 0);
  as_json_open_object(&w, NULL);
  as_comparison_json(&w, c);
  as_json_close_object(&w);
  as_buffer_char(out, '\n');
  as_status status = AS_OK;
  for (int markdown = 0; status == AS_OK && markdown < 2; markdown++) {
    as_report report = as_report_start(out, markdown);
    status = as_comparison_report(ctx, &report, c);
  }
  return status == AS_OK ? as_buffer_status(out) : status;
}

static as_status compare_all(as_context *ctx, const as_comparison_input *input, as_buffer *out) {
  as_comparison c;
  as_buffer_init(out, ctx);
  as_status status = as_comparison_measure(ctx, input, &c);
  if (status != AS_OK) return status;
  status = write_all(ctx, &c, out);
  as_comparison_free(ctx, &c);
  return status;
}

START_TEST(the_same_text_for_any_number_of_threads) {
  answers a;
  make_answers(&a);
  const as_comparison_input input = input_of(&a);
  as_buffer texts[3];
  as_context *contexts[3];
  for (int i = 0; i < 3; i++) {
    contexts[i] = as_test_context(i + 1);
    ck_assert_ok(contexts[i], compare_all(contexts[i], &input, &texts[i]));
    ck_assert_str_eq(as_buffer_string(&texts[i]), as_buffer_string(&texts[0]));
  }
  ck_assert(strstr(texts[0].data, "\"label\":\"order\"") && strstr(texts[0].data, "\"p_one_sided_b_better\":"));
  ck_assert(strstr(texts[0].data, "| macro F1 |") && !strstr(texts[0].data, "never |"));
  const char *line = strchr(texts[0].data, '\n') + 1;
  for (const char *end = strstr(line, "\n| "); line < end; line = strchr(line, '\n') + 1)
    ck_assert_msg(strcspn(line, "\n") <= 80 && line[strcspn(line, "\n") - 1] != ' ', "%.100s", line);
  for (int i = 0; i < 3; i++) {
    as_buffer_free(&texts[i]);
    as_test_context_free(contexts[i]);
  }
}
END_TEST

START_TEST(no_rows_and_wrong_labels) {
  answers a;
  make_answers(&a);
  as_comparison_input input = input_of(&a);
  as_context *ctx = as_test_context(1);
  as_comparison c;
  as_buffer out;
  input.rows = 0;
  ck_assert_ok(ctx, compare_all(ctx, &input, &out));
  ck_assert(strstr(out.data, "\"accuracy\":{\"first\":null,\"second\":null,\"difference\":null}"));
  as_buffer_free(&out);
  input.rows = ROWS;
  a.predicted[1][7] = CLASSES;
  ck_assert_refused(ctx, as_comparison_measure(ctx, &input, &c), AS_E_INVALID, "predicted label 4");
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_comparison_survives_failing_allocations) {
  answers a;
  make_answers(&a);
  const as_comparison_input input = input_of(&a);
  as_context *ctx = as_test_context(2);
  as_buffer out;
  ck_assert_ok(ctx, compare_all(ctx, &input, &out));
  as_buffer_free(&out);
  const size_t used = as_memory_used(ctx);
  bool goes_on = true;
  for (uint64_t n = 1; goes_on; n++) {
    as_test_fail_at(ctx, n);
    const as_status status = compare_all(ctx, &input, &out);
    as_buffer_free(&out);
    goes_on = as_test_failed_cleanly(ctx, status, used);
  }
  as_test_context_free(ctx);
}
END_TEST

/* ---- the gate --------------------------------------------------------------------------------------------------- */

static as_gate_figures usual(void) {
  return (as_gate_figures){.name = "macro F1",
                           .unit = "rows",
                           .rows = 200,
                           .second = 0.9,
                           .difference = 0.005,
                           .ci95 = {-0.02, 0.03},
                           .before = NAN,
                           .calibration_loss = 0.01,
                           .slowdown = 1.1,
                           .decimals = 4};
}

/* Whether the gate with these limits is passed, and how many criteria it has. */
static bool passes(const as_gate_limits *limits, const as_gate_figures *figures, size_t count) {
  as_gate gate;
  bool all = true;
  as_gate_judge(limits, figures, &gate);
  ck_assert_uint_eq(gate.count, count);
  for (size_t i = 0; i < gate.count; i++) all = all && gate.criteria[i].passed;
  ck_assert(all == gate.passed);
  return gate.passed;
}

START_TEST(no_worse_with_many_rows_and_with_few) {
  as_gate_limits limits = as_gate_no_limits();
  as_gate_figures f = usual();
  limits.max_loss = 0.01;
  ck_assert(passes(&limits, &f, 2)); /* not shown to be worse */
  f.difference = -0.01;
  ck_assert(passes(&limits, &f, 2)); /* the limit itself */
  f.difference = 0.85 - 0.86;
  ck_assert(passes(&limits, &f, 2)); /* whatever its last bits are */
  f.difference = -0.011;
  ck_assert(!passes(&limits, &f, 2)); /* too much */
  f.difference = -0.004, f.ci95 = (as_interval){-0.007, -0.001};
  ck_assert(passes(&limits, &f, 2)); /* surely worse, and surely by less than the limit */
  f.ci95 = (as_interval){-0.012, -0.001};
  ck_assert(!passes(&limits, &f, 2)); /* surely worse, and by who knows how much */
  f.difference = NAN, f.ci95 = (as_interval){NAN, NAN};
  ck_assert(!passes(&limits, &f, 2));
}
END_TEST

START_TEST(what_else_is_asked_for) {
  as_gate_figures f = usual();
  as_gate_limits l = as_gate_no_limits();
  l.min_gain = 0;
  ck_assert(!passes(&l, &f, 2));
  f.ci95.low = 0;
  ck_assert(passes(&l, &f, 2));
  l = as_gate_no_limits();
  l.min_score = 0.9;
  ck_assert(passes(&l, &f, 2));
  f.second = 0.89;
  ck_assert(!passes(&l, &f, 2));
  l = as_gate_no_limits();
  l.max_drop = 0.05;
  ck_assert(passes(&l, &f, 2)); /* nothing to hold it against */
  f.before = 0.93;
  ck_assert(passes(&l, &f, 2));
  f.before = 0.95;
  ck_assert(!passes(&l, &f, 2));
  l = as_gate_no_limits();
  l.max_calibration_loss = 0.005, l.max_slowdown = 1.05;
  ck_assert(!passes(&l, &f, 3));
  l.max_calibration_loss = 0.01, l.max_slowdown = 1.1;
  ck_assert(passes(&l, &f, 3));
  f.slowdown = NAN; /* it was not measured */
  ck_assert(!passes(&l, &f, 3));
}
END_TEST

START_TEST(classes_count_where_rows_and_evidence_suffice) {
  as_gate_class classes[] = {
      {"a", 100, -0.3, 0.2}, {"b", 10, -0.9, 0.001}, {"c", 50, -0.05, 0.01}, {"d", 50, 0.4, 0.01}};
  as_gate_figures f = usual();
  as_gate_limits l = as_gate_no_limits();
  f.classes = classes;
  f.class_count = 4;
  l.max_class_loss = 0.1;
  l.min_class_rows = 20;
  ck_assert(passes(&l, &f, 2));
  classes[0].p = 0.04;
  ck_assert(!passes(&l, &f, 2));
  l.max_class_loss = 0.3;
  ck_assert(passes(&l, &f, 2));
  l.min_class_rows = 10;
  ck_assert(!passes(&l, &f, 2));
}
END_TEST

START_TEST(too_few_rows_never_pass) {
  as_gate_figures f = usual();
  as_gate_limits l = as_gate_no_limits();
  as_gate gate;
  l.min_rows = 201;
  l.max_loss = 0.01;
  ck_assert(!passes(&l, &f, 2));
  f.rows = 0;
  l.min_rows = 0;
  ck_assert(!passes(&l, &f, 1));
  as_gate_judge(&l, &f, &gate);
  as_context *ctx = as_test_context(1);
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_json_writer w = as_json_writer_start(&out, 0);
  as_json_open_object(&w, NULL);
  as_gate_json(&w, &gate);
  as_json_close_object(&w);
  ck_assert_str_eq(out.data,
                   "{\"gate\":{\"passed\":false,\"criteria\":[{\"name\":\"rows\",\"figure\":0.0,\"limit\":1.0,"
                   "\"passed\":false,\"text\":\"0 rows, at least 1 wanted\"}]}}");
  as_buffer_clear(&out);
  as_report report = as_report_start(&out, false);
  as_gate_report(&report, &gate);
  ck_assert_str_eq(out.data, "The gate is not passed.\n  failed  0 rows, at least 1 wanted\n");
  as_buffer_free(&out);
  as_test_context_free(ctx);
}
END_TEST

/* ---- reports ---------------------------------------------------------------------------------------------------- */

START_TEST(a_report_in_both_forms) {
  static const as_report_column columns[] = {{"name", 8}, {"value", -8}, {"range", -16}};
  as_context *ctx = as_test_context(1);
  for (int markdown = 0; markdown < 2; markdown++) {
    as_buffer out;
    as_buffer_init(&out, ctx);
    as_report r = as_report_start(&out, markdown);
    as_report_title(&r, "A *title*");
    as_report_table(&r, columns, 3);
    as_report_cell(&r, "a|b\x1b");
    as_report_number(&r, -0.5, 2, true);
    as_report_interval(&r, 1, 2, 1, false);
    as_report_cell(&r, "longer than that");
    as_report_number(&r, NAN, 2, false);
    as_report_interval(&r, NAN, 2, 1, false);
    as_report_paragraph(&r, "%s",
                        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
                        "fifteen <i>");
    as_report_item(&r, "yes", "so");
    as_report_code(&r, "echo *\nls");
    if (markdown)
      ck_assert_str_eq(out.data,
                       "# A \\*title\\*\n\n| name | value | range |\n|---|--:|--:|\n| a\\|b  | -0.50 | 1.0 to "
                       "2.0 |\n| longer than that | - |  |\n\none two three four five six seven eight nine ten "
                       "eleven twelve thirteen fourteen fifteen \\<i\\>\n- yes: so\n\n    echo *\n    ls\n");
    else
      ck_assert_str_eq(out.data, "A *title*\n\n  name       value           range\n  a|b?       -0.50      1.0 to 2.0\n"
                                 "  longer..       -\n\none two three four five six seven eight nine ten eleven twelve "
                                 "thirteen fourteen\nfifteen <i>\n  yes     so\n\n  echo *\n  ls\n");
    as_buffer_free(&out);
  }
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("comparison");
  TCase *sums = tcase_create("sums"), *classifiers = tcase_create("classifiers"), *gate = tcase_create("gate");
  tcase_add_test(sums, paired_sums_by_hand);
  tcase_add_test(sums, a_resample_without_a_score_is_left_out);
  tcase_add_test(sums, holm_by_hand);
  tcase_add_test(classifiers, a_comparison_agrees_with_its_parts);
  tcase_add_test(classifiers, sums_and_labels_draw_the_same_resamples);
  tcase_add_test(classifiers, the_same_text_for_any_number_of_threads);
  tcase_add_test(classifiers, no_rows_and_wrong_labels);
  tcase_add_test(classifiers, a_comparison_survives_failing_allocations);
  tcase_add_test(gate, no_worse_with_many_rows_and_with_few);
  tcase_add_test(gate, what_else_is_asked_for);
  tcase_add_test(gate, classes_count_where_rows_and_evidence_suffice);
  tcase_add_test(gate, too_few_rows_never_pass);
  tcase_add_test(gate, a_report_in_both_forms);
  suite_add_tcase(suite, sums);
  suite_add_tcase(suite, classifiers);
  suite_add_tcase(suite, gate);
  return suite;
}
