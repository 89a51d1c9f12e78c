/* Ranking metrics by hand, undefined ones, wrong input, failing allocations. */
#include "tests/harness.h"

#include <math.h>
#include <string.h>

#include "eval/ranking.h"

#define ck_assert_near(actual, expected)                                                                               \
  do {                                                                                                                 \
    const double a_ = (actual), e_ = (expected);                                                                       \
    ck_assert_msg(fabs(a_ - e_) <= 1e-12, "%s is %.17g, expected %.17g", #actual, a_, e_);                             \
  } while (0)

static const int64_t ks[] = {2, 4};

START_TEST(one_user_by_hand) {
  /* Seen: 5. Order: 1 (0.9), 0 and 3 (0.5, smaller item first), 2 (0.1), 4 (-1). Relevant: 3 and 4; 5 was seen. */
  const double scores[] = {0.5, 0.9, 0.1, 0.5, -1, 2};
  const int32_t relevant[] = {3, 4, 5, 3}, grades[] = {2, 1, 9, 2}, seen[] = {5};
  const as_ranking_user user = {scores, relevant, 4, grades, seen, 1};
  as_context *ctx = as_test_context(1);
  as_ranking *ranking;
  ck_assert_ok(ctx, as_ranking_start(ctx, 6, ks, 2, &ranking));
  ck_assert_ok(ctx, as_ranking_add(ranking, &user));
  int64_t count;
  const int32_t *top = as_ranking_top(ranking, &count);
  const int32_t order[] = {1, 0, 3, 2};
  ck_assert_int_eq(count, 4);
  ck_assert_mem_eq(top, order, sizeof order);
  const as_ranking_scores *s = as_ranking_last(ranking);
  const double *at2 = s->at, *at4 = s->at + AS_RANKING_MEASURES;
  ck_assert_near(at2[AS_HIT_AT_K], 0);
  ck_assert_near(at2[AS_NDCG_AT_K], 0);
  ck_assert_near(at4[AS_PRECISION_AT_K], 0.25);
  ck_assert_near(at4[AS_RECALL_AT_K], 0.5);
  ck_assert_near(at4[AS_MAP_AT_K], 1.0 / 3 / 2);
  ck_assert_near(at4[AS_MRR_AT_K], 1.0 / 3);
  ck_assert_near(at4[AS_NDCG_AT_K], 0.5 / (1 + 1 / log2(3)));
  ck_assert_near(at4[AS_NDCG_EXP_AT_K], 3 * 0.5 / (3 + 1 / log2(3)));
  ck_assert_near(at4[AS_NDCG_LIN_AT_K], 2 * 0.5 / (2 + 1 / log2(3)));
  ck_assert_near(s->mrr, 1.0 / 3);
  ck_assert_near(s->auc, (1 + 0.5) / 6); /* 3 beats 2 and ties with 0; 4 beats none */
  ck_assert_near(as_ranking_coverage(ranking, 4), 4.0 / 6);
  ck_assert_near(as_ranking_coverage(ranking, 1), 1.0 / 6);
  as_ranking_free(ranking);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(what_is_undefined_stays_out_of_the_means) {
  const double scores[] = {2, 1};
  const int32_t both[] = {0, 1}, second[] = {1};
  const as_ranking_user none = {scores, NULL, 0, NULL, NULL, 0}, all = {scores, both, 2, NULL, NULL, 0},
                        one = {scores, second, 1, NULL, NULL, 0};
  as_context *ctx = as_test_context(1);
  as_ranking *ranking;
  ck_assert_ok(ctx, as_ranking_start(ctx, 2, ks, 2, &ranking));
  ck_assert_ok(ctx, as_ranking_add(ranking, &none));
  ck_assert(as_ranking_last(ranking)->undefined && as_ranking_mean(ranking)->undefined);
  ck_assert(isnan(as_ranking_mean(ranking)->mrr) && isnan(as_ranking_mean(ranking)->at[AS_PRECISION_AT_K]));
  ck_assert_near(as_ranking_coverage(ranking, 2), 1); /* what it was shown counts all the same */
  ck_assert_ok(ctx, as_ranking_add(ranking, &all));
  ck_assert(isnan(as_ranking_last(ranking)->auc) && isnan(as_ranking_last(ranking)->at[AS_NDCG_EXP_AT_K]));
  ck_assert_ok(ctx, as_ranking_add(ranking, &one));
  ck_assert_int_eq(as_ranking_users(ranking), 2);
  ck_assert_near(as_ranking_mean(ranking)->mrr, (1 + 0.5) / 2);
  ck_assert_near(as_ranking_mean(ranking)->auc, 0);
  ck_assert_near(as_ranking_mean(ranking)->at[AS_PRECISION_AT_K], (1 + 0.5) / 2);
  ck_assert_near(as_ranking_mean(ranking)->at[AS_RANKING_MEASURES + AS_PRECISION_AT_K], (0.5 + 0.25) / 2);
  as_ranking_free(ranking);
  ck_assert_ok(ctx, as_ranking_start(ctx, 0, ks, 2, &ranking));
  ck_assert(isnan(as_ranking_coverage(ranking, 1)));
  as_ranking_free(ranking);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(wrong_users_are_refused_and_do_not_count) {
  const double scores[] = {2, 1}, bad_scores[] = {2, NAN};
  const int32_t item[] = {1}, outside[] = {2}, negative[] = {-1}, high[] = {101};
  const int64_t zero[] = {0};
  as_context *ctx = as_test_context(1);
  as_ranking *ranking;
  ck_assert_refused(ctx, as_ranking_start(ctx, 2, zero, 1, &ranking), AS_E_INVALID, "cut-off 0");
  ck_assert_ptr_null(ranking);
  ck_assert_refused(ctx, as_ranking_start(ctx, -2, ks, 1, &ranking), AS_E_INVALID, "-2 items");
  ck_assert_ok(ctx, as_ranking_start(ctx, 2, ks, 2, &ranking));
  const as_ranking_user users[] = {{scores, outside, 1, NULL, NULL, 0},
                                   {scores, item, 1, NULL, negative, 1},
                                   {bad_scores, item, 1, NULL, NULL, 0},
                                   {scores, item, 1, high, NULL, 0}};
  const char *const reasons[] = {"relevant item 2", "seen item -1", "item 1 is NaN", "grade 101 of item 1"};
  for (int i = 0; i < 4; i++) ck_assert_refused(ctx, as_ranking_add(ranking, &users[i]), AS_E_INVALID, reasons[i]);
  ck_assert_int_eq(as_ranking_users(ranking), 0);
  ck_assert_near(as_ranking_coverage(ranking, 2), 0);
  as_ranking_free(ranking);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(failing_allocations_are_reported) {
  bool failed = true;
  for (uint64_t n = 1; failed; n++) {
    as_context *ctx = as_test_context(1);
    as_ranking *ranking;
    as_test_fail_at(ctx, n);
    const as_status status = as_ranking_start(ctx, 5, ks, 2, &ranking);
    failed = as_test_failed_one(ctx);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    as_ranking_free(ranking);
    as_test_context_free(ctx);
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("ranking");
  TCase *tests = tcase_create("ranking");
  tcase_add_test(tests, one_user_by_hand);
  tcase_add_test(tests, what_is_undefined_stays_out_of_the_means);
  tcase_add_test(tests, wrong_users_are_refused_and_do_not_count);
  tcase_add_test(tests, failing_allocations_are_reported);
  suite_add_tcase(suite, tests);
  return suite;
}
