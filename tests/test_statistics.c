/* Statistics, bootstrap, temperature and drift: values known from theory, undefined ones, wrong input, threads, failing
 * allocations. */
#include "tests/harness.h"

#include <math.h>
#include <string.h>

#include "eval/bootstrap.h"
#include "eval/calibration.h"
#include "eval/drift.h"
#include "eval/statistics.h"

/* |actual - expected| <= relative * |expected| */
#define ck_assert_relative(actual, expected, relative)                                                                 \
  do {                                                                                                                 \
    const double a_ = (actual), e_ = (expected);                                                                       \
    ck_assert_msg(fabs(a_ - e_) <= (relative)*fabs(e_), "%s is %.17g, expected %.17g", #actual, a_, e_);               \
  } while (0)

START_TEST(tails_of_the_normal_and_of_chi_squared) {
  ck_assert_relative(as_normal_two_sided(AS_NORMAL_975), 0.05, 1e-14);
  ck_assert_relative(as_normal_two_sided(-1), 0.31731050786291415, 1e-14);
  ck_assert_relative(as_chi2_tail(3.841458820694124), 0.05, 1e-14);
  ck_assert_relative(as_chi2_tail(100), 1.523970604832094e-23, 1e-12); /* erfc(sqrt 50), from its continued fraction */
  ck_assert_relative(as_chi2_tail(0), 1, 0);
}
END_TEST

START_TEST(binomial_agrees_with_exact_coefficients) {
  for (int n = 1; n <= 56; n++) {
    uint64_t choose = 1, below = 0; /* C(n, k) and the sum up to k: whole numbers below 2^57 */
    for (int k = 0; k <= n; k++) {
      below += choose;
      ck_assert_relative(as_binomial_half_mass(n, k), ldexp((double)choose, -n), 1e-13);
      ck_assert_relative(as_binomial_half_cdf(n, k), ldexp((double)below, -n), 1e-13);
      choose = choose * (uint64_t)(n - k) / (uint64_t)(k + 1);
    }
  }
}
END_TEST

START_TEST(binomial_keeps_its_digits_for_large_counts) {
  /* C(2m, m) / 4^m = 1 / sqrt(pi m) * (1 - 1/(8 m) + 1/(128 m^2) + ...) */
  const double m = 5e8;
  ck_assert_relative(as_binomial_half_mass(1000000000, 500000000), (1 - 1 / (8 * m)) / sqrt(M_PI * m), 1e-12);
  /* By symmetry P(X <= m) = (1 + P(X = m)) / 2. */
  ck_assert_relative(as_binomial_half_cdf(2000000, 1000000), (1 + as_binomial_half_mass(2000000, 1000000)) / 2, 1e-9);
  ck_assert(as_binomial_half_cdf(100000, 0) <= 0); /* 2^-100000 underflows */
}
END_TEST

START_TEST(percentiles_interpolate) {
  double values[] = {4, 1, 3, 2};
  as_sort_doubles(values, 4);
  ck_assert_relative(as_percentile(values, 4, 0), 1, 0);
  ck_assert_relative(as_percentile(values, 4, 0.5), 2.5, 0);
  ck_assert_relative(as_percentile(values, 4, 0.9), 3.7, 1e-15);
  ck_assert_relative(as_percentile(values, 4, 1), 4, 0);
  ck_assert_relative(as_percentile(values, 1, 0.3), 1, 0);
  ck_assert(isnan(as_percentile(values, 0, 0.5)));
}
END_TEST

START_TEST(mcnemar_by_hand) {
  const int32_t truth[] = {0, 1, 2, 0, 1}, first[] = {0, 1, 1, 0, 1}, second[] = {0, 0, 2, 1, 0};
  int64_t b, c;
  as_discordant_pairs(5, truth, first, second, &b, &c);
  ck_assert_int_eq(b, 3);
  ck_assert_int_eq(c, 1);
  const as_mcnemar test = as_mcnemar_test(b, c);
  ck_assert_relative(test.exact_p, 2 * (1 + 4) / 16.0, 1e-14);
  ck_assert_relative(test.midp, 2 * (1 + 4) / 16.0 - 4 / 16.0, 1e-14);
  ck_assert_relative(test.chi2, 1, 0);
  ck_assert_relative(test.chi2_cc, 0.25, 0);
  ck_assert_relative(as_mcnemar_test(4, 4).chi2_cc, 1 / 8.0, 0); /* the correction is not clipped */
  ck_assert_relative(as_mcnemar_test(0, 0).exact_p, 1, 0);
}
END_TEST

START_TEST(proportions_at_the_edge) {
  const as_proportions same = as_proportions_compare(0, 10, 0, 20);
  ck_assert_relative(same.p_two_sided, 1, 0);
  ck_assert(same.z_pooled <= 0 && same.z_pooled >= 0);
  ck_assert(same.wilson95[0].low >= 0 && same.wilson95[0].low <= 0);
  const as_interval all = as_wilson95(5, 5);
  ck_assert_relative(all.high, 1, 0);
  ck_assert(isnan(as_wilson95(0, 0).low) && isnan(as_proportions_compare(1, 2, 0, 0).z_pooled));
}
END_TEST

/* ---- bootstrap ----------------------------------------------------------------------------------------------------
 */

enum { ROWS = 200 };
typedef struct answers {
  int32_t truth[ROWS], first[ROWS], second[ROWS];
} answers;

static answers make_answers(void) {
  answers a;
  for (int i = 0; i < ROWS; i++) {
    a.truth[i] = i % 3;
    a.first[i] = i % 4 == 0 ? (i + 1) % 3 : i % 3;  /* 75 % right */
    a.second[i] = i % 8 == 0 ? (i + 2) % 3 : i % 3; /* 87.5 % right */
  }
  return a;
}

START_TEST(intervals_are_the_same_for_any_number_of_threads) {
  const answers a = make_answers();
  as_score_intervals out[3];
  for (int threads = 1; threads <= 3; threads++) {
    as_context *ctx = as_test_context(threads);
    ck_assert_ok(ctx, as_bootstrap_intervals(ctx, ROWS, 3, a.truth, a.first, 500, 42, &out[threads - 1]));
    as_test_context_free(ctx);
  }
  ck_assert_mem_eq(&out[0], &out[1], sizeof *out);
  ck_assert_mem_eq(&out[0], &out[2], sizeof *out);
  /* The normal approximation's half width is 1.96 sqrt(0.75 * 0.25 / 200) = 0.06. */
  ck_assert_msg(fabs(out[0].accuracy.low - 0.69) < 0.015 && fabs(out[0].accuracy.high - 0.81) < 0.015,
                "the interval is %g to %g", out[0].accuracy.low, out[0].accuracy.high);
  ck_assert(out[0].macro_f1.low < 0.75 && out[0].macro_f1.high > 0.75);
}
END_TEST

START_TEST(a_fourth_class_that_never_occurs_lowers_macro_f1_but_not_macro_f1_seen) {
  const answers a = make_answers();
  as_context *ctx = as_test_context(1);
  as_score_intervals out;
  ck_assert_ok(ctx, as_bootstrap_intervals(ctx, ROWS, 4, a.truth, a.truth, 100, 1, &out));
  ck_assert_relative(out.accuracy.low, 1, 0);
  ck_assert_relative(out.macro_f1.high, 0.75, 0);
  ck_assert_relative(out.macro_f1_seen.low, 1, 0);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_better_classifier_is_found_better) {
  const answers a = make_answers();
  as_context *ctx = as_test_context(2);
  as_paired_bootstrap out;
  ck_assert_ok(ctx, as_paired_bootstrap_measure(ctx, ROWS, 3, a.truth, a.first, a.second, 999, NULL, 7, &out));
  ck_assert_relative(out.accuracy.observed, 0.125, 1e-14);
  ck_assert(out.accuracy.ci95.low > 0 && out.accuracy.p_one_sided < 0.01);
  ck_assert(out.macro_f1.p_two_sided < 0.02 && out.macro_f1.ci95.low < out.macro_f1.observed);
  as_paired_bootstrap_free(ctx, &out);
  ck_assert_ok(ctx, as_paired_bootstrap_measure(ctx, ROWS, 3, a.truth, a.first, a.first, 99, NULL, 7, &out));
  ck_assert_relative(out.accuracy.p_two_sided, 1, 0);
  as_paired_bootstrap_free(ctx, &out);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(resampling_refuses_what_is_out_of_range) {
  const int32_t labels[] = {0, 1}, high[] = {0, 3}, outside[] = {0, 2};
  as_context *ctx = as_test_context(1);
  as_score_intervals intervals;
  as_paired_bootstrap out;
  ck_assert_refused(ctx, as_bootstrap_intervals(ctx, 2, 3, high, labels, 5, 1, &intervals), AS_E_INVALID,
                    "true label 3");
  ck_assert_refused(ctx, as_bootstrap_intervals(ctx, 2, 3, labels, labels, -5, 1, &intervals), AS_E_INVALID, "-5");
  ck_assert_refused(ctx, as_paired_bootstrap_measure(ctx, 2, 2, labels, labels, labels, 1, outside, 1, &out),
                    AS_E_INVALID, "row number 2");
  ck_assert_ok(ctx, as_bootstrap_intervals(ctx, 0, 3, labels, labels, 5, 1, &intervals));
  ck_assert(isnan(intervals.accuracy.low) && isnan(intervals.macro_f1_seen.high));
  as_test_context_free(ctx);
}
END_TEST

/* ---- temperature and drift ----------------------------------------------------------------------------------------
 */

START_TEST(temperature_has_a_closed_form_for_one_margin) {
  /* Three of four rows right at a margin of 2: the best confidence is 3/4, so 2 / T = ln 3. */
  const double logits[] = {2, 0, 0, 2, 2, 0, 2, 0};
  const int32_t truth[] = {0, 1, 0, 1};
  as_context *ctx = as_test_context(1);
  as_temperature fit;
  ck_assert_ok(ctx, as_temperature_fit(ctx, 4, 2, logits, truth, 0.05, 20, &fit));
  ck_assert_relative(fit.temperature, 2 / log(3), 1e-12);
  ck_assert_int_eq(fit.at_bound, AS_TEMPERATURE_INSIDE);
  ck_assert_relative(fit.nll_after, -(3 * log(0.75) + log(0.25)) / 4, 1e-12);
  ck_assert_msg(fabs(fit.ece_after) < 1e-12, "ECE is %g", fit.ece_after);
  ck_assert_ok(ctx, as_temperature_fit(ctx, 4, 2, logits, truth, 3, 20, &fit));
  ck_assert_int_eq(fit.at_bound, AS_TEMPERATURE_LOW);
  ck_assert_relative(fit.temperature, 3, 0);
  ck_assert_ok(ctx, as_temperature_fit(ctx, 4, 2, logits, truth, 0.5, 1, &fit));
  ck_assert_int_eq(fit.at_bound, AS_TEMPERATURE_HIGH);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(temperature_stays_finite_with_huge_logits) {
  const double logits[] = {3e38, -3e38, 3e38, -3e38};
  const int32_t truth[] = {0, 1};
  as_context *ctx = as_test_context(1);
  as_temperature fit;
  ck_assert_ok(ctx, as_temperature_fit(ctx, 2, 2, logits, truth, 0.05, 20, &fit));
  ck_assert(isfinite(fit.temperature) && isfinite(fit.nll_after) && isfinite(fit.ece_after));
  as_test_context_free(ctx);
}
END_TEST

START_TEST(drift_by_hand) {
  const int64_t before[] = {50, 50}, now[] = {100, 0};
  ck_assert_relative(as_psi(before, now, 2), 0.5 * log(2) + (1e-4 - 0.5) * log(1e-4 / 0.5), 1e-14);
  const double a[] = {3, 1, 2}, b[] = {2, 2, 9};
  as_context *ctx = as_test_context(1);
  as_drift drift;
  ck_assert_ok(ctx, as_drift_measure(ctx, a, 3, b, 3, &drift));
  ck_assert_relative(drift.ks_statistic, 1 / 3.0, 1e-14);
  ck_assert_int_eq(drift.edges_count, 9);
  ck_assert_ok(ctx, as_drift_measure(ctx, a, 3, b, 0, &drift));
  ck_assert(isnan(drift.psi) && isnan(drift.ks_statistic));
  const double bad[] = {1, NAN};
  ck_assert_refused(ctx, as_drift_measure(ctx, a, 3, bad, 2, &drift), AS_E_INVALID, "current value 1");
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("statistics");
  TCase *tests = tcase_create("statistics");
  tcase_add_test(tests, tails_of_the_normal_and_of_chi_squared);
  tcase_add_test(tests, binomial_agrees_with_exact_coefficients);
  tcase_add_test(tests, binomial_keeps_its_digits_for_large_counts);
  tcase_add_test(tests, percentiles_interpolate);
  tcase_add_test(tests, mcnemar_by_hand);
  tcase_add_test(tests, proportions_at_the_edge);
  tcase_add_test(tests, intervals_are_the_same_for_any_number_of_threads);
  tcase_add_test(tests, a_fourth_class_that_never_occurs_lowers_macro_f1_but_not_macro_f1_seen);
  tcase_add_test(tests, a_better_classifier_is_found_better);
  tcase_add_test(tests, resampling_refuses_what_is_out_of_range);
  tcase_add_test(tests, temperature_has_a_closed_form_for_one_margin);
  tcase_add_test(tests, temperature_stays_finite_with_huge_logits);
  tcase_add_test(tests, drift_by_hand);
  suite_add_tcase(suite, tests);
  return suite;
}
