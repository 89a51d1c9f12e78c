/* Classification scores: small cases that can be checked by hand, undefined values, wrong input, failing allocations.
 */
#include "tests/harness.h"

#include <math.h>

#include "eval/auc.h"
#include "eval/classification.h"

#define ck_assert_near(actual, expected)                                                                               \
  do {                                                                                                                 \
    const double a_ = (actual), e_ = (expected);                                                                       \
    ck_assert_msg(fabs(a_ - e_) <= 1e-12, "%s is %.17g, expected %.17g", #actual, a_, e_);                             \
  } while (0)

START_TEST(counts_and_averages_by_hand) {
  /* Class 3 never occurs. Class 2 is predicted once and never true. */
  const int32_t truth[] = {0, 0, 0, 1, 1, 0}, predicted[] = {0, 0, 1, 1, 2, 0};
  as_context *ctx = as_test_context(1);
  as_classification s;
  ck_assert_ok(ctx, as_classification_measure(ctx, 6, 4, truth, predicted, NULL, &s));
  ck_assert_int_eq(s.confusion[0 * 4 + 1], 1);
  ck_assert_int_eq(s.confusion[1 * 4 + 2], 1);
  ck_assert_int_eq(s.support[0], 4);
  ck_assert_int_eq(s.predicted[2], 1);
  ck_assert_near(s.accuracy, 4.0 / 6);
  ck_assert_near(s.precision.per_class[1], 0.5);
  ck_assert_near(s.recall.per_class[0], 0.75);
  ck_assert_near(s.f1.per_class[0], 6.0 / 7);
  ck_assert_near(s.f1.per_class[2], 0);
  ck_assert_near(s.f1.macro, (6.0 / 7 + 0.5) / 4);
  ck_assert_near(s.f1.macro_seen, (6.0 / 7 + 0.5) / 3);
  ck_assert_near(s.f1.weighted, (6.0 / 7 * 4 + 0.5 * 2) / 6);
  ck_assert_near(s.f1.micro, s.accuracy);
  ck_assert_near(s.balanced_accuracy, (0.75 + 0.5) / 2);
  ck_assert(!s.has_probabilities);
  const int64_t hits[] = {3, 1, 0, 0};
  ck_assert_near(as_macro_f1(4, hits, s.support, s.predicted, false), s.f1.macro);
  ck_assert_near(as_macro_f1(4, hits, s.support, s.predicted, true), s.f1.macro_seen);
  as_classification_free(ctx, &s);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(probabilities_by_hand) {
  const int32_t truth[] = {0, 1, 2}, predicted[] = {0, 1, 0};
  const double p[] = {0.5, 0.25, 0.25, 0.25, 0.5, 0.25, 0.5, 0.5, 0.0};
  as_context *ctx = as_test_context(1);
  as_classification s;
  ck_assert_ok(ctx, as_classification_measure(ctx, 3, 3, truth, predicted, p, &s));
  ck_assert_near(s.log_loss, (2 * log(2) + 52 * log(2)) / 3); /* a zero is clipped at 2^-52 */
  ck_assert_near(s.brier, (0.375 + 0.375 + 1.5) / 3);
  ck_assert_near(s.top2_accuracy, 2.0 / 3);
  ck_assert_near(s.reliability.ece, fabs(2.0 / 3 - 0.5));
  ck_assert_int_eq(s.reliability.count[7], 3);
  ck_assert_near(s.auc[0], 0.75); /* 0.5 against 0.25 and 0.5 */
  ck_assert_near(s.auc[2], 0);
  as_classification_free(ctx, &s);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(what_has_no_value_is_nan) {
  const int32_t labels[] = {1, 1};
  const double p[] = {0.5, 0.5, 0.25, 0.75};
  as_context *ctx = as_test_context(1);
  as_classification s;
  ck_assert_ok(ctx, as_classification_measure(ctx, 2, 2, labels, labels, p, &s));
  ck_assert(isnan(s.kappa) && isnan(s.auc[0]) && isnan(s.auc[1]) && isnan(s.auc_macro) && isnan(s.auc_weighted));
  ck_assert(isnan(s.top2_accuracy));
  ck_assert_near(s.mcc, 0);
  as_classification_free(ctx, &s);
  ck_assert_ok(ctx, as_classification_measure(ctx, 0, 2, labels, labels, p, &s));
  ck_assert(isnan(s.accuracy) && isnan(s.f1.macro_seen) && isnan(s.f1.per_class[0]) && isnan(s.log_loss));
  ck_assert(isnan(s.brier) && isnan(s.reliability.ece) && isnan(s.mcc) && isnan(s.kappa) && isnan(s.auc_macro));
  as_classification_free(ctx, &s);
  const int64_t none[] = {0, 0};
  ck_assert(isnan(as_macro_f1(2, none, none, none, true)));
  as_test_context_free(ctx);
}
END_TEST

START_TEST(auc_counts_ties_as_one_half) {
  as_scored equal[] = {{0.0, true}, {-0.0, false}, {0.0, false}};
  ck_assert_near(as_auc(equal, 3), 0.5);
  as_scored mixed[] = {{1, true}, {2, false}, {2, true}, {3, true}, {0, false}};
  ck_assert_near(as_auc(mixed, 5), (1 + 0 + 1 + 0.5 + 1 + 1) / 6.0);
  ck_assert(isnan(as_auc(equal, 0)));
}
END_TEST

START_TEST(wrong_labels_and_probabilities_are_refused) {
  const int32_t good[] = {0, 1}, high[] = {0, 2}, negative[] = {-1, 0};
  const double sum[] = {0.5, 0.5, 1.5, -0.5}, nan_inside[] = {0.5, 0.5, NAN, 0.5};
  as_context *ctx = as_test_context(1);
  as_classification s;
  ck_assert_refused(ctx, as_classification_measure(ctx, 2, 2, high, good, NULL, &s), AS_E_INVALID, "true label 2 at 1");
  ck_assert_refused(ctx, as_classification_measure(ctx, 2, 2, good, negative, NULL, &s), AS_E_INVALID,
                    "predicted label -1 at 0");
  ck_assert_refused(ctx, as_classification_measure(ctx, 2, 2, good, good, sum, &s), AS_E_INVALID, "row 1, class 0");
  ck_assert_refused(ctx, as_classification_measure(ctx, 2, 2, good, good, nan_inside, &s), AS_E_INVALID, "row 1");
  ck_assert_refused(ctx, as_classification_measure(ctx, 2, 0, good, good, NULL, &s), AS_E_INVALID, "0 classes");
  ck_assert_ptr_null(s.confusion);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(every_failing_allocation_is_reported) {
  const int32_t truth[] = {0, 1}, predicted[] = {1, 1};
  const double p[] = {0.25, 0.75, 0.5, 0.5};
  bool failed = true;
  for (uint64_t n = 1; failed; n++) {
    as_context *ctx = as_test_context(1);
    as_test_fail_at(ctx, n);
    as_classification s;
    const as_status status = as_classification_measure(ctx, 2, 2, truth, predicted, p, &s);
    failed = as_test_failed_one(ctx);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    as_classification_free(ctx, &s);
    as_test_context_free(ctx);
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("classification");
  TCase *tests = tcase_create("scores");
  tcase_add_test(tests, counts_and_averages_by_hand);
  tcase_add_test(tests, probabilities_by_hand);
  tcase_add_test(tests, what_has_no_value_is_nan);
  tcase_add_test(tests, auc_counts_ties_as_one_half);
  tcase_add_test(tests, wrong_labels_and_probabilities_are_refused);
  tcase_add_test(tests, every_failing_allocation_is_reported);
  suite_add_tcase(suite, tests);
  return suite;
}
