/* Drift: what chance does to the population stability index, alarms that chance does not raise and a change does, and
 * the file that a training leaves for it. */
#include "eval/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "eval/drift_chance.h"
#include "tests/harness.h"

/* ---- chance ----------------------------------------------------------------------------------------------------- */

/* With many values in each bin: the chi-squared distribution, whose 95 % and 99.9 % quantiles are from its tables. */
START_TEST(many_values_follow_chi_squared) {
  static const struct {
    int bins;
    double q95, q999;
  } known[] = {{2, 3.841, 10.828}, {5, 9.488, 18.467}, {10, 16.919, 27.877}};
  as_context *ctx = as_test_context(1);
  for (int i = 0; i < 3; i++) {
    int64_t before[10], now[10];
    const int bins = known[i].bins;
    for (int k = 0; k < bins; k++) {
      before[k] = 20000;
      now[k] = 10000;
    }
    const double unit = 1 / (20000.0 * bins) + 1 / (10000.0 * bins);
    as_psi_chance chance;
    ck_assert_ok(ctx, as_psi_by_chance(ctx, before, now, bins, 0.05, &chance));
    ck_assert_double_eq_tol(chance.expected, (bins - 1) * unit, 1e-12);
    ck_assert_double_eq_tol(chance.quantile / unit, known[i].q95, 0.05 * known[i].q95);
    ck_assert_ok(ctx, as_psi_by_chance(ctx, before, now, bins, 0.001, &chance));
    ck_assert_double_eq_tol(chance.quantile / unit, known[i].q999, 0.12 * known[i].q999);
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(few_values_say_little) {
  const int64_t before[] = {100, 100, 100, 100, 100, 100}, now[] = {8, 2, 1, 5, 0, 4}, empty[] = {0, 0, 0, 0, 0, 0};
  as_context *ctx = as_test_context(1);
  as_psi_chance chance, again;
  ck_assert_ok(ctx, as_psi_by_chance(ctx, before, now, 6, 0.001, &chance));
  ck_assert_double_gt(as_psi(before, now, 6), 0.2); /* by custom, an alarm */
  ck_assert_double_gt(chance.quantile, as_psi(before, now, 6));
  ck_assert_double_gt(chance.expected, 0.2);
  ck_assert_ok(ctx, as_psi_by_chance(ctx, before, now, 6, 0.001, &again));
  ck_assert(memcmp(&chance, &again, sizeof chance) == 0);
  ck_assert_ok(ctx, as_psi_by_chance(ctx, before, empty, 6, 0.001, &chance));
  ck_assert(isnan(chance.expected) && isnan(chance.quantile));
  const int64_t one[] = {0, 7}, other[] = {0, 1000000000000};
  ck_assert_ok(ctx, as_psi_by_chance(ctx, one, other, 2, 0.001, &chance));
  ck_assert_double_eq(chance.expected, 0);
  ck_assert_double_eq(chance.quantile, 0);
  as_test_context_free(ctx);
}
END_TEST

/* ---- alarms ------------------------------------------------------------------------------------------------- */

static const char *const labels[] = {"a", "b", "c", "d"};

/* Answers whose labels and confidences are drawn: `tilt` 0 as at the beginning, 1 quite otherwise. */
static void draw_rows(as_random *random, int64_t count, double tilt, as_reference *r, double *confidences,
                      double *lengths) {
  for (int64_t i = 0; i < count; i++) {
    const double u = as_random_uniform(random), shares[] = {0.55 - 0.4 * tilt, 0.85 - 0.4 * tilt, 0.95 - 0.3 * tilt};
    int label = 0;
    while (label < 3 && u >= shares[label]) label++;
    confidences[i] = pow(as_random_uniform(random), 0.2 + 0.8 * tilt);
    lengths[i] = 3 + floor(20 * (1 + tilt) * as_random_uniform(random) * as_random_uniform(random));
    as_reference_add_answer(r, labels[label]);
    as_reference_add_tokens(r, 20, as_random_uniform(random) < 0.1 + 0.4 * tilt ? 1 + 2 * (i % 2) : 0);
  }
}

static void compare_draws(as_context *ctx, as_random *random, int64_t before, int64_t now, double tilt,
                          double probability, as_drift_feature out[AS_DRIFT_FEATURES]) {
  enum { MOST = 1000 };
  double confidences[MOST], lengths[MOST];
  as_reference reference, current;
  ck_assert_ok(ctx, as_reference_init(ctx, labels, 4, &reference));
  draw_rows(random, before, 0, &reference, confidences, lengths);
  as_histogram_fit(confidences, before, &reference.confidence);
  as_histogram_fit(lengths, before, &reference.length);
  ck_assert_ok(ctx, as_reference_like(&reference, &current));
  draw_rows(random, now, tilt, &current, confidences, lengths);
  for (int64_t i = 0; i < now; i++) {
    as_histogram_add(&current.confidence, confidences[i]);
    as_histogram_add(&current.length, lengths[i]);
  }
  ck_assert_ok(ctx, as_reference_compare(&reference, &current, 0, probability, out));
  as_reference_free(&reference);
  as_reference_free(&current);
}

/* Of trials without a change, about a share of `probability` goes beyond the quantile: never much more than that, by
 * the binomial distribution's 99.99 % limit. TRIALS: how many. */
static void expect_few_alarms(int64_t before, int64_t now, double probability) {
  const char *wanted = getenv("TRIALS");
  const int trials = wanted ? atoi(wanted) : 25;
  as_context *ctx = as_test_context(1);
  as_random random = as_random_start(11, (uint64_t)now);
  int alarms[AS_DRIFT_FEATURES] = {0};
  as_drift_feature features[AS_DRIFT_FEATURES];
  for (int i = 0; i < trials; i++) {
    compare_draws(ctx, &random, before, now, 0, probability, features);
    for (int f = 0; f < AS_DRIFT_FEATURES; f++) alarms[f] += features[f].drifted;
  }
  const double mean = trials * probability, most = mean + 3.8 * sqrt(mean) + 2;
  for (int f = 0; f < AS_DRIFT_FEATURES; f++) {
    if (wanted)
      printf("# %lld against %lld, %s: %d false alarms of %d at %g\n", (long long)now, (long long)before,
             features[f].name, alarms[f], trials, probability);
    ck_assert_msg(alarms[f] <= most, "%s: %d of %d false alarms at %g", features[f].name, alarms[f], trials,
                  probability);
  }
  as_test_context_free(ctx);
}

START_TEST(chance_raises_no_alarm_with_20_rows) {
  expect_few_alarms(300, 20, 0.01);
}
END_TEST
START_TEST(chance_raises_no_alarm_with_100_rows) {
  expect_few_alarms(300, 100, 0.01);
}
END_TEST
START_TEST(chance_raises_no_alarm_with_1000_rows) {
  expect_few_alarms(300, 1000, 0.01);
}
END_TEST
START_TEST(chance_raises_no_alarm_with_a_small_reference) {
  expect_few_alarms(40, 200, 0.01);
}
END_TEST

START_TEST(a_change_is_found) {
  static const int64_t rows[] = {100, 1000};
  as_context *ctx = as_test_context(1);
  as_random random = as_random_start(5, 0);
  for (int i = 0; i < 2; i++) {
    as_drift_feature features[AS_DRIFT_FEATURES];
    compare_draws(ctx, &random, 300, rows[i], 1, 0.001, features);
    for (int f = 0; f < AS_DRIFT_FEATURES; f++) {
      ck_assert_msg(features[f].drifted, "%s: PSI %g, by chance %g", features[f].name, features[f].psi,
                    features[f].quantile);
      ck_assert_int_eq(features[f].reference, 300);
      ck_assert_int_eq(features[f].current, rows[i]);
    }
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_label_that_is_new_counts) {
  as_context *ctx = as_test_context(1);
  as_reference reference, now;
  as_drift_feature features[AS_DRIFT_FEATURES];
  ck_assert_ok(ctx, as_reference_init(ctx, labels, 2, &reference));
  ck_assert_ok(ctx, as_reference_like(&reference, &now));
  for (int i = 0; i < 200; i++) {
    as_reference_add_answer(&reference, labels[i % 2]);
    as_reference_add_answer(&now, i % 4 ? labels[i % 2] : "quite new");
  }
  ck_assert_ok(ctx, as_reference_compare(&reference, &now, 0.2, 0.001, features));
  ck_assert(features[AS_DRIFT_LABELS].drifted);
  ck_assert_int_eq(features[AS_DRIFT_LABELS].current, 200);
  ck_assert(!features[AS_DRIFT_LENGTH].drifted && isnan(features[AS_DRIFT_LENGTH].psi)); /* no rows have one */
  ck_assert_ok(ctx, as_reference_compare(&reference, &now, 100, 0.001, features));
  ck_assert(!features[AS_DRIFT_LABELS].drifted); /* below the threshold */
  as_reference_free(&reference);
  as_reference_free(&now);
  as_test_context_free(ctx);
}
END_TEST

/* ---- reference.json ------------------------------------------------------------------------------------------ */

static as_reference make_reference(as_context *ctx) {
  static const char *const names[] = {"a \"b\"", "\xC3\xA9", ""};
  double confidences[] = {0.5, 0.25, 0.75, 1.0 / 3}, lengths[] = {3, 3, 9, 4};
  as_reference r;
  ck_assert_ok(ctx, as_reference_init(ctx, names, 3, &r));
  for (int i = 0; i < 4; i++) {
    as_reference_add_answer(&r, names[i % 3]);
    as_reference_add_tokens(&r, (int64_t)lengths[i], i % 2);
    r.training_labels[i % 2]++;
  }
  as_histogram_fit(confidences, 4, &r.confidence);
  as_histogram_fit(lengths, 4, &r.length);
  r.max_length = 32;
  r.answers_training = true;
  return r;
}

static void expect_histogram(const as_histogram *a, const as_histogram *b) {
  ck_assert_int_eq(a->edges_count, b->edges_count);
  ck_assert_mem_eq(a->edges, b->edges, (size_t)a->edges_count * sizeof *a->edges);
  ck_assert_mem_eq(a->counts, b->counts, ((size_t)a->edges_count + 1) * sizeof *a->counts);
}

START_TEST(a_reference_comes_back) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  as_reference r = make_reference(ctx), back;
  ck_assert_ok(ctx, as_reference_write(&r, folder));
  ck_assert_ok(ctx, as_reference_read(ctx, folder, &back));
  ck_assert_int_eq(back.label_count, 3);
  for (int i = 0; i < 3; i++) {
    ck_assert_str_eq(back.labels[i], r.labels[i]);
    ck_assert_int_eq(back.answers[i], r.answers[i]);
    ck_assert_int_eq(back.training_labels[i], r.training_labels[i]);
  }
  expect_histogram(&back.confidence, &r.confidence);
  expect_histogram(&back.length, &r.length);
  expect_histogram(&back.unknown, &r.unknown);
  ck_assert_int_eq(back.tokens, 19);
  ck_assert_int_eq(back.unknown_tokens, 2);
  ck_assert_int_eq(back.max_length, 32);
  ck_assert(back.answers_training);
  ck_assert_int_eq(as_reference_rows(&back), 4);
  ck_assert_int_eq(as_reference_answers(&back), 4);
  as_reference_free(&back);
  as_reference_free(&r);
  as_test_context_free(ctx);
}
END_TEST

/* What replaces what in a good file, and what is said about it. */
static const struct {
  const char *from, *to, *said;
} damages[] = {
    {"\"format\":1", "\"format\":2", "format"},
    {"\"labels\":[", "\"labels\":[7,", "labels: element 0 is no text"},
    {"\"training_labels\":[2,2,0]", "\"training_labels\":[2,2]", "training_labels has 2 counts, but must have 3"},
    {"\"training_labels\":[2,2,0]", "\"training_labels\":[2,-2,0]", "training_labels"},
    {"\"answers\":[2,1,1]", "\"answers\":[2,1,1.5]", "answers"},
    {"\"answers\":[2,1,1]", "\"answers\":[2,1,1e300]", "answers"},
    {"\"edges\":[0.0,0.02", "\"edges\":[0.5,0.02", "unknown: edges: they must ascend"},
    {"\"edges\":[0.0,0.02", "\"edges\":[-2,-1,0.0,0.01,0.011,0.012,0.02", "unknown: edges: there are too many"},
    {"\"tokens\":19", "\"tokens\":\"x\"", "tokens"},
    {"\"max_length\":32", "\"max_length\":-1", "max_length"},
    {"\"confidence\":{", "\"confidences\":{", "confidence is no object"},
    {"}\n", "", "reference.json"},
};

START_TEST(a_damaged_reference_is_refused) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  as_reference r = make_reference(ctx), back;
  ck_assert_refused(ctx, as_reference_read(ctx, folder, &back), AS_E_DATA, "nothing to compare with");
  as_reference_free(&back);
  ck_assert_ok(ctx, as_reference_write(&r, folder));
  char path[600], *good, damaged[4096];
  size_t length;
  snprintf(path, sizeof path, "%s/%s", folder, AS_REFERENCE_NAME);
  ck_assert_ok(ctx, as_file_read(ctx, path, 0, AS_E_IO, &good, &length));
  for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
    const char *at = strstr(good, damages[i].from);
    ck_assert_msg(at != NULL, "%s is not in %s", damages[i].from, good);
    snprintf(damaged, sizeof damaged, "%.*s%s%s", (int)(at - good), good, damages[i].to, at + strlen(damages[i].from));
    ck_assert_ok(ctx, as_file_write(ctx, path, damaged, strlen(damaged)));
    ck_assert_refused(ctx, as_reference_read(ctx, folder, &back), AS_E_MODEL, damages[i].said);
    ck_assert_ptr_nonnull(strstr(as_error_text(ctx), AS_REFERENCE_NAME));
    as_reference_free(&back);
  }
  as_free(ctx, good);
  as_reference_free(&r);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(failing_allocations) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  as_reference r = make_reference(ctx);
  const size_t used = as_memory_used(ctx);
  for (uint64_t at = 1;; at++) {
    as_reference back = {.ctx = NULL}, now = {.ctx = NULL};
    as_drift_feature features[AS_DRIFT_FEATURES];
    as_test_fail_at(ctx, at);
    as_status status = as_reference_write(&r, folder);
    if (status == AS_OK) status = as_reference_read(ctx, folder, &back);
    if (status == AS_OK) status = as_reference_like(&back, &now);
    if (status == AS_OK) as_reference_add_answer(&now, "x");
    if (status == AS_OK) status = as_reference_compare(&back, &now, 0.2, 0.001, features);
    as_reference_free(&back);
    as_reference_free(&now);
    if (!as_test_failed_cleanly(ctx, status, used)) break;
  }
  as_reference_free(&r);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("drift");
  TCase *tests = tcase_create("drift");
  tcase_set_timeout(tests, 600);
  tcase_add_test(tests, many_values_follow_chi_squared);
  tcase_add_test(tests, few_values_say_little);
  tcase_add_test(tests, chance_raises_no_alarm_with_20_rows);
  tcase_add_test(tests, chance_raises_no_alarm_with_100_rows);
  tcase_add_test(tests, chance_raises_no_alarm_with_1000_rows);
  tcase_add_test(tests, chance_raises_no_alarm_with_a_small_reference);
  tcase_add_test(tests, a_change_is_found);
  tcase_add_test(tests, a_label_that_is_new_counts);
  tcase_add_test(tests, a_reference_comes_back);
  tcase_add_test(tests, a_damaged_reference_is_refused);
  tcase_add_test(tests, failing_allocations);
  suite_add_tcase(suite, tests);
  return suite;
}
