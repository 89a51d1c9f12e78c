/* What training a recommender measures on the rows that it holds back: against what is known without training, and when
 * there is nothing to measure. */
#include <jansson.h>

#include "data/interaction_split.h"
#include "recommend/evaluate.h"
#include "recommend/train.h"
#include "tests/folder_fixture.h"

#define SHOP "tests/golden/recommend/shop/"

static as_status train_shop(as_holdout holdout, as_recommender **out) {
  const as_interaction_types types = as_interaction_types_usual();
  const as_interaction_options options = {.types = &types};
  as_recommend_settings settings = as_recommend_settings_usual(AS_LIGHTFM_WARP);
  settings.dim = 6;
  settings.epochs = 3;
  as_products *products;
  as_interactions *interactions;
  ck_assert_ok(ctx, as_products_read(ctx, as_source_path(SHOP "products.csv"), NULL, &products));
  ck_assert_ok(ctx,
               as_interactions_read(ctx, as_source_path(SHOP "interactions.csv"), products, &options, &interactions));
  return as_recommender_train(ctx, products, interactions, &types, &settings, holdout, NULL, out);
}

static double figure(const json_t *object, const char *name) {
  const json_t *value = json_object_get(object, name);
  ck_assert_msg(json_is_number(value), "%s is no number", name);
  return json_number_value(value);
}

/* What is popular needs no training: its figures are known. */
static as_recommend_scores popular_of_the_newest_tenth(const as_recommender *r) {
  const as_interaction_split split = {.by = AS_SPLIT_TIME, .share = 0.1};
  as_interactions *rest, *held_out;
  as_recommender *other;
  as_recommend_evaluation e;
  bool positive[AS_MOST_INTERACTION_TYPES] = {false};
  positive[r->purchase] = true;
  ck_assert_ok(ctx, as_interactions_divide(r->interactions, &split, &rest, &held_out));
  ck_assert_ok(ctx, as_recommender_train_alike(r, rest, NULL, &other));
  const as_evaluation_question q = {
      .test = held_out, .positive = positive, .baselines = true, .popular_only = true, .k = 10};
  ck_assert_ok(ctx, as_recommender_evaluate(other, &q, &e));
  ck_assert_int_eq(e.baselines[AS_BASELINE_KNN].customers, 0);
  as_interactions_free(held_out);
  as_recommender_free(other);
  return e.baselines[AS_BASELINE_POPULAR];
}

START_TEST(training_measures_on_the_rows_held_back) {
  as_recommender *r;
  ck_assert_ok(ctx, train_shop(AS_HOLDOUT_TIME, &r));
  ck_assert_ptr_nonnull(r->metrics);
  json_t *root = json_loads(r->metrics, 0, NULL);
  const json_t *baselines = json_object_get(root, "baselines");
  const as_recommend_scores popular = popular_of_the_newest_tenth(r);
  ck_assert_str_eq(json_string_value(json_object_get(root, "split")), "time");
  ck_assert_str_eq(json_string_value(json_object_get(root, "positives")), "purchase");
  ck_assert_double_gt(figure(root, "held_rows"), 0);
  ck_assert_int_eq((int64_t)figure(root, "customers"), popular.customers);
  ck_assert_int_eq(json_object_size(baselines), 1);
  const json_t *measured = json_object_get(baselines, "popular");
  ck_assert_double_eq_tol(figure(measured, "ndcg@10"), popular.values[AS_RECOMMEND_NDCG], 1e-12);
  ck_assert_double_eq_tol(figure(measured, "auc"), popular.values[AS_RECOMMEND_AUC], 1e-12);
  ck_assert_double_gt(figure(root, "auc"), 0.5);
  json_decref(root);
  as_recommender_free(r);
}
END_TEST

START_TEST(without_rows_held_back_nothing_is_measured) {
  as_recommender *r, *again;
  ck_assert_ok(ctx, train_shop(AS_HOLDOUT_NONE, &r));
  ck_assert_ptr_null(r->metrics);
  ck_assert_ok(ctx, as_recommender_save(r, below("m")));
  ck_assert(!as_path_exists(below("m/metrics.json")));
  ck_assert_ok(ctx, as_recommender_open(ctx, below("m"), &again));
  ck_assert_ptr_null(again->metrics);
  as_recommender_free(r);
  as_recommender_free(again);
}
END_TEST

/* Each customer met everything before: nothing is left that could be foreseen. */
START_TEST(where_nothing_can_be_foreseen_nothing_is_measured) {
  static const char catalogue[] = "product_id,name,category,price\na,A,x,1\nb,B,x,1\n";
  const as_interaction_types types = as_interaction_types_usual();
  const as_interaction_options options = {.types = &types};
  as_recommend_settings settings = as_recommend_settings_usual(AS_LIGHTFM_WARP);
  settings.epochs = 1;
  as_products *products;
  as_interactions *interactions;
  as_recommender *r;
  as_buffer rows;
  as_buffer_init(&rows, ctx);
  as_buffer_text(&rows, "customer_id,product_id,interaction_type,timestamp\n");
  for (int i = 0; i < 40; i++)
    as_buffer_printf(&rows, "c%d,%s,purchase,%d\n", i % 4, i / 4 % 2 ? "a" : "b", 1700000000 + i * 86400);
  ck_assert_ok(ctx, as_file_write(ctx, below("i.csv"), rows.data, rows.length));
  ck_assert_ok(ctx, as_file_write(ctx, below("p.csv"), catalogue, strlen(catalogue)));
  as_buffer_free(&rows);
  ck_assert_ok(ctx, as_products_read(ctx, below("p.csv"), NULL, &products));
  ck_assert_ok(ctx, as_interactions_read(ctx, below("i.csv"), products, &options, &interactions));
  ck_assert_ok(ctx, as_recommender_train(ctx, products, interactions, &types, &settings, AS_HOLDOUT_TIME, NULL, &r));
  ck_assert_ptr_null(r->metrics);
  as_recommender_free(r);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("recommender validation");
  TCase *tests = tcase_create("validation");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, training_measures_on_the_rows_held_back);
  tcase_add_test(tests, without_rows_held_back_nothing_is_measured);
  tcase_add_test(tests, where_nothing_can_be_foreseen_nothing_is_measured);
  suite_add_tcase(suite, tests);
  return suite;
}
