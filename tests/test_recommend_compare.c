/* Comparing two recommenders with other catalogues, other customers and other histories: every figure against a naive
 * one, no rows, threads, failing allocations. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/ranking.h"
#include "recommend/compare.h"
#include "recommend/train.h"
#include "tests/harness.h"

#define SHOP "tests/golden/recommend/shop/"

static const bool purchases[AS_MOST_INTERACTION_TYPES] = {false, false, true};

/* The catalogue, the other way round and without its last product. */
static as_status read_turned(as_context *ctx, const char *folder, as_products **out) {
  char *text = NULL, *path = as_path_join(ctx, folder, "products.csv");
  size_t length;
  as_buffer turned;
  as_buffer_init(&turned, ctx);
  as_status status =
      path ? as_file_read(ctx, as_source_path(SHOP "products.csv"), 0, AS_E_DATA, &text, &length) : AS_E_NOMEM;
  if (status == AS_OK) {
    const char *header = strchr(text, '\n') + 1, *end = text + length;
    as_buffer_append(&turned, text, (size_t)(header - text));
    for (bool last = true; end > header; last = false) {
      const char *line = end - 1;
      while (line > header && line[-1] != '\n') line--;
      if (!last) as_buffer_append(&turned, line, (size_t)(end - line));
      end = line;
    }
    status = as_buffer_status(&turned);
  }
  if (status == AS_OK) status = as_file_write(ctx, path, turned.data, turned.length);
  if (status == AS_OK) status = as_products_read(ctx, path, NULL, out);
  as_buffer_free(&turned);
  as_free(ctx, text);
  as_free(ctx, path);
  return status;
}

/* One trained on the interactions of all customers but those with a number % 5 == leave_out, and without some pairs of
 * customer and product, which are the test. */
static as_status train_one(as_context *ctx, as_products *products, int64_t leave_out, int64_t epochs,
                           as_recommender **out, as_interactions **test) {
  const as_interaction_types types = as_interaction_types_usual();
  const as_interaction_options options = {.types = &types, .skip_unknown = true};
  as_recommend_settings settings = as_recommend_settings_usual(AS_LIGHTFM_WARP);
  as_interaction_builder parts[2] = {{0}}; /* to learn from, to measure with */
  as_interactions *all = NULL, *learned = NULL;
  settings.dim = 5;
  settings.epochs = epochs;
  as_status status = as_interactions_read(ctx, as_source_path(SHOP "interactions.csv"), products, &options, &all);
  for (int i = 0; status == AS_OK && i < 2; i++) status = as_interaction_builder_start(ctx, &parts[i]);
  for (int64_t c = 0; status == AS_OK && c < as_interactions_customers(all); c++)
    for (int64_t i = all->starts[c]; status == AS_OK && i < all->starts[c + 1]; i++) {
      size_t length, id_length;
      const char *id = as_interactions_customer(all, c, &length);
      const int customer = atoi(id + 1), product = atoi(as_products_id(products, all->rows[i].product, &id_length) + 1);
      const bool held_out = (customer * 3 + product) % 7 == 0;
      if (!held_out && customer % 5 == leave_out) continue;
      if (!as_interaction_builder_add(&parts[held_out], id, length, all->rows[i])) status = AS_E_NOMEM;
    }
  as_interactions_free(all);
  for (int i = 0; i < 2; i++) {
    const bool wanted = status == AS_OK && (i == 0 || test);
    const as_status ended = as_interaction_builder_end(&parts[i], wanted ? i == 0 ? &learned : test : NULL);
    if (status == AS_OK) status = ended;
  }
  if (status == AS_OK)
    return as_recommender_train(ctx, products, learned, &types, &settings, AS_HOLDOUT_NONE, NULL, out);
  as_interactions_free(learned);
  as_products_free(products);
  return status;
}

typedef struct pair {
  as_recommender *r[2];
  as_interactions *test;
  as_common_test common;
} pair;

static void make_pair(as_context *ctx, pair *p) {
  as_products *products[2];
  const char *folder = as_test_folder();
  ck_assert_ok(ctx, as_products_read(ctx, as_source_path(SHOP "products.csv"), NULL, &products[0]));
  ck_assert_ok(ctx, read_turned(ctx, folder, &products[1]));
  ck_assert_int_eq(as_products_count(products[0]), as_products_count(products[1]) + 1);
  ck_assert_ok(ctx, train_one(ctx, products[0], 1, 2, &p->r[0], &p->test));
  ck_assert_ok(ctx, train_one(ctx, products[1], 2, 6, &p->r[1], NULL));
  ck_assert_ok(ctx, as_common_test_make((const as_recommender *const *)p->r, p->test, &p->common));
  as_test_folder_remove(folder);
}

static void free_pair(pair *p) {
  as_common_test_free(&p->common);
  as_interactions_free(p->test);
  for (int i = 0; i < 2; i++) as_recommender_free(p->r[i]);
}

static as_recommend_question question_of(const pair *p) {
  return (as_recommend_question){.recommenders = {p->r[0], p->r[1]},
                                 .test = &p->common,
                                 .positive = purchases,
                                 .k = 3,
                                 .resamples = 100,
                                 .seed = 2};
}

/* ---- naively ---------------------------------------------------------------------------------------------------- */

static int64_t customer_in(const as_recommender *r, const as_interactions *test, int64_t customer) {
  size_t length;
  const char *id = as_interactions_customer(test, customer, &length);
  return as_interactions_find(r->interactions, id, length);
}

static int64_t product_in(const as_recommender *r, const as_recommender *from, int64_t product) {
  size_t length;
  const char *id = as_products_id(from->products, product, &length);
  return as_products_find(r->products, id, length);
}

/* Whether the customer of the test met the product, a number of `of`, in r's training. */
static bool met(const as_recommender *r, const as_recommender *of, const as_interactions *test, int64_t customer,
                int64_t product) {
  const int64_t number = customer_in(r, test, customer), own = product_in(r, of, product);
  for (int64_t i = number < 0 ? 0 : r->seen_starts[number]; number >= 0 && i < r->seen_starts[number + 1]; i++)
    if (r->seen[i] == own) return true;
  return false;
}

static void naive_scores(as_context *ctx, const as_recommender *r, int64_t number, double *scores) {
  const int64_t n = as_products_count(r->products);
  if (number >= 0) {
    float *exact = as_alloc(ctx, (size_t)n + 3, sizeof *exact);
    as_recommender_scores(r, number, exact);
    for (int64_t i = 0; i < n; i++) scores[i] = (double)exact[i];
    as_free(ctx, exact);
    return;
  }
  as_trend *trends;
  ck_assert_ok(ctx, as_trending(r, &trends));
  for (int64_t i = 0; i < n; i++) scores[trends[i].product] = (double)(n - i);
  as_free(ctx, trends);
}

/* NDCG@3, AUC and customers of a group: 1 known to both, 0 not, -1 all. */
static void naive(as_context *ctx, const pair *p, int model, int known, double *ndcg, double *auc, int64_t *customers) {
  const as_recommender *r = p->r[model];
  const int64_t n = as_products_count(r->products), k = 3;
  double *scores = as_alloc(ctx, (size_t)n, sizeof *scores);
  int32_t *seen = as_alloc(ctx, (size_t)n, sizeof *seen), *relevant = as_alloc(ctx, 1000, sizeof *relevant);
  as_ranking *ranking;
  ck_assert_ok(ctx, as_ranking_start(ctx, n, &k, 1, &ranking));
  for (int64_t c = 0; c < as_interactions_customers(p->test); c++) {
    int64_t seen_count = 0, count = 0;
    const bool both = customer_in(p->r[0], p->test, c) >= 0 && customer_in(p->r[1], p->test, c) >= 0;
    if (known >= 0 && both != known) continue;
    for (int64_t i = 0; i < n; i++)
      if (met(p->r[0], r, p->test, c, i) || met(p->r[1], r, p->test, c, i)) seen[seen_count++] = (int32_t)i;
    for (int64_t i = p->test->starts[c]; i < p->test->starts[c + 1]; i++) {
      const int64_t own = product_in(r, p->r[0], p->test->rows[i].product);
      const bool common = product_in(p->r[1], p->r[0], p->test->rows[i].product) >= 0;
      if (p->test->rows[i].type == 2 && common) relevant[count++] = (int32_t)own;
    }
    naive_scores(ctx, r, customer_in(r, p->test, c), scores);
    const as_ranking_user user = {scores, relevant, count, NULL, seen, seen_count};
    ck_assert_ok(ctx, as_ranking_add(ranking, &user));
  }
  *ndcg = as_ranking_mean(ranking)->at[AS_NDCG_AT_K];
  *auc = as_ranking_mean(ranking)->auc;
  *customers = as_ranking_users(ranking);
  as_ranking_free(ranking);
  as_free(ctx, scores);
  as_free(ctx, seen);
  as_free(ctx, relevant);
}

START_TEST(a_comparison_is_the_naive_one) {
  as_context *ctx = as_test_context(2);
  pair p;
  as_recommend_comparison c;
  make_pair(ctx, &p);
  const as_recommend_question question = question_of(&p);
  ck_assert_ok(ctx, as_recommend_compare(ctx, &question, &c));
  ck_assert_int_gt(p.common.left_out, 0);
  const as_recommend_figures *groups[] = {&c.others, &c.known, &c.all};
  for (int g = 0; g < 3; g++)
    for (int model = 0; model < 2; model++) {
      double ndcg, auc;
      int64_t customers;
      naive(ctx, &p, model, g == 2 ? -1 : g, &ndcg, &auc, &customers);
      const as_paired_score *s = &groups[g]->list[AS_RECOMMEND_NDCG].score;
      const as_paired_score *t = &groups[g]->list[AS_RECOMMEND_AUC].score;
      ck_assert_int_gt(customers, 2);
      ck_assert_int_eq(groups[g]->customers, customers);
      ck_assert_msg(fabs((model ? s->second : s->first) - ndcg) < 1e-12, "group %d, model %d: NDCG %.17g, not %.17g", g,
                    model, model ? s->second : s->first, ndcg);
      ck_assert_msg(fabs((model ? t->second : t->first) - auc) < 1e-12, "group %d, model %d: AUC", g, model);
      ck_assert(s->delta.ci95.low <= s->delta.observed && s->delta.observed <= s->delta.ci95.high);
    }
  ck_assert_str_eq(c.all.list[AS_RECOMMEND_NDCG].key, "ndcg@3");
  ck_assert(fabs(c.all.list[AS_RECOMMEND_NDCG].score.first - c.evaluations[0].model.values[AS_RECOMMEND_NDCG]) < 1e-12);
  free_pair(&p);
  as_test_context_free(ctx);
}
END_TEST

static as_status compare(as_context *ctx, const pair *p, as_buffer *out) {
  as_recommend_comparison c;
  const as_recommend_question question = question_of(p);
  as_buffer_init(out, ctx);
  as_status status = as_recommend_compare(ctx, &question, &c);
  if (status != AS_OK) return status;
  as_json_writer w = as_json_writer_start(out, 0);
  as_json_open_object(&w, NULL);
  as_recommend_comparison_json(&w, &c);
  as_json_close_object(&w);
  as_report report = as_report_start(out, false);
  as_recommend_comparison_report(&report, &c);
  return as_buffer_status(out);
}

START_TEST(the_same_text_for_any_number_of_threads) {
  char *texts[3];
  as_context *contexts[3];
  for (int i = 0; i < 3; i++) {
    pair p;
    as_buffer out;
    contexts[i] = as_test_context(i + 1);
    make_pair(contexts[i], &p);
    ck_assert_ok(contexts[i], compare(contexts[i], &p, &out));
    texts[i] = as_buffer_take(&out);
    free_pair(&p);
    ck_assert_str_eq(texts[i], texts[0]);
  }
  ck_assert(strstr(texts[0], "\"known_to_both\":{\"customers\":") && strstr(texts[0], "\"others\":{"));
  for (int i = 0; i < 3; i++) {
    as_free(contexts[i], texts[i]);
    as_test_context_free(contexts[i]);
  }
}
END_TEST

START_TEST(nobody_with_anything_relevant) {
  as_context *ctx = as_test_context(1);
  pair p;
  as_buffer out;
  as_recommend_comparison c;
  make_pair(ctx, &p);
  for (int i = 0; i < 2; i++)
    for (int64_t row = 0; row < as_interactions_count(p.common.tests[i]); row++) p.common.tests[i]->rows[row].type = 0;
  ck_assert_ok(ctx, compare(ctx, &p, &out));
  ck_assert(strstr(out.data, "{\"customers\":0,\"precision@3\":{\"first\":null,\"second\":null,\"difference\":null}"));
  ck_assert(strstr(out.data, "\"known_to_both\":null,\"others\":null}"));
  as_buffer_free(&out);
  as_recommend_question question = question_of(&p);
  question.k = 0;
  ck_assert_refused(ctx, as_recommend_compare(ctx, &question, &c), AS_E_INVALID, "first 0");
  free_pair(&p);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(failing_allocations_are_reported) {
  as_context *ctx = as_test_context(2);
  pair p;
  as_buffer out;
  make_pair(ctx, &p);
  const size_t used = as_memory_used(ctx);
  bool goes_on = true;
  for (uint64_t n = 1; goes_on; n++) {
    as_common_test again = {0};
    as_buffer_init(&out, ctx);
    as_test_fail_at(ctx, n);
    as_status status = as_common_test_make((const as_recommender *const *)p.r, p.test, &again);
    as_common_test_free(&again);
    if (status == AS_OK) status = compare(ctx, &p, &out);
    as_buffer_free(&out);
    goes_on = as_test_failed_cleanly(ctx, status, used);
  }
  free_pair(&p);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  const TTest *const tests[] = {a_comparison_is_the_naive_one, the_same_text_for_any_number_of_threads,
                                nobody_with_anything_relevant, failing_allocations_are_reported};
  Suite *suite = suite_create("recommend_compare");
  for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
    TCase *tcase = tcase_create(tests[i]->name);
    tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
  }
  return suite;
}
