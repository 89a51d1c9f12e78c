/* Evaluating recommenders: ranks by counting against sorting and against the reference's rows, every number of an
 * evaluation against a naive one, splits, baselines, and what is refused. */
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "data/interaction_split.h"
#include "eval/bootstrap.h"
#include "recommend/evaluate.h"
#include "recommend/pairwise.h"
#include "recommend/ranks.h"
#include "recommend/train.h"
#include "tests/folder_fixture.h"
#include "tests/program.h"

#define SHOP "tests/golden/recommend/shop/"

/* Both undefined, or the same but for rounding. */
static void assert_near(const char *what, double actual, double expected) {
  if (isnan(actual) && isnan(expected)) return;
  if (!(fabs(actual - expected) <= 1e-12)) ck_abort_msg("%s is %.17g, expected %.17g", what, actual, expected);
}

/* ---- ranks ------------------------------------------------------------------------------------------------------- */

/* Held against sorting: the scores of eval/ranking.c from the same lists. */
static void compare_ranks(as_rank_room *room, const float *scores, int64_t items, const int32_t *seen,
                          int64_t seen_count, const int32_t *wanted, int64_t wanted_count) {
  const int64_t ks[] = {1, 3, 10};
  double *exact = as_alloc(ctx, (size_t)items, sizeof *exact), at[3 * AS_RANKING_MEASURES];
  as_place *places = as_alloc(ctx, (size_t)items, sizeof *places);
  as_ranking_scores ours = {.at = at};
  as_ranking *ranking;
  for (int64_t i = 0; i < items; i++) exact[i] = (double)scores[i];
  const as_ranking_user user = {exact, wanted, wanted_count, NULL, seen, seen_count};
  ck_assert_ok(ctx, as_ranking_start(ctx, items, ks, 3, &ranking));
  ck_assert_ok(ctx, as_ranking_add(ranking, &user));
  const int64_t candidates = as_rank_items(room, scores, items, seen, seen_count, wanted, wanted_count, places);
  ck_assert_int_eq(candidates, items - seen_count);
  as_ranking_from_places(places, wanted_count, NULL, candidates, ks, 3, &ours);
  const as_ranking_scores *naive = as_ranking_last(ranking);
  ck_assert(ours.undefined == naive->undefined);
  if (!ours.undefined) {
    assert_near("mrr", ours.mrr, naive->mrr);
    assert_near("auc", ours.auc, naive->auc);
    for (int m = 0; m < 3 * AS_RANKING_MEASURES; m++) assert_near("a measure", at[m], naive->at[m]);
  }
  as_ranking_free(ranking);
  as_free(ctx, exact);
  as_free(ctx, places);
}

/* Items of odd numbers of products, few and many of them wanted, with no, some and nearly only equal scores. */
START_TEST(counting_is_sorting_for_every_instruction_set) {
  static const int64_t sizes[] = {1, 2, 7, 16, 17, 33, 300, 1001};
  bool supported = false;
  const as_pair_kernels *kernels = as_pair_kernels_at((size_t)_i, &supported);
  if (!kernels || !supported) return;
  as_random random = as_random_start(5, (uint64_t)_i);
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int levels = 1; levels <= 1 << 20; levels *= 32)
      for (int part = 2; part <= 64; part *= 4) { /* one in so many is wanted, one seen */
        const int64_t n = sizes[s];
        as_rank_room room;
        float *scores = as_alloc(ctx, (size_t)n, sizeof *scores);
        int32_t *seen = as_alloc(ctx, (size_t)n, sizeof *seen), *wanted = as_alloc(ctx, (size_t)n, sizeof *wanted);
        int64_t seen_count = 0, wanted_count = 0;
        ck_assert_ok(ctx, as_rank_room_make(ctx, n, &room));
        room.kernels = kernels;
        for (int64_t i = 0; i < n; i++) {
          scores[i] = (float)as_random_below(&random, (uint64_t)levels) / 8 - (float)(levels / 16);
          if (as_random_below(&random, 5) == 0) scores[i] = -scores[i]; /* -0 too */
          const uint64_t what = as_random_below(&random, (uint64_t)part);
          if (what == 0) wanted[wanted_count++] = (int32_t)i;
          if (what == 1) seen[seen_count++] = (int32_t)i;
        }
        compare_ranks(&room, scores, n, seen, seen_count, wanted, wanted_count);
        as_rank_room_free(ctx, &room);
        as_free(ctx, scores);
        as_free(ctx, seen);
        as_free(ctx, wanted);
      }
}
END_TEST

START_TEST(few_and_many_give_the_same_places) {
  enum { N = 400 };
  float scores[N];
  int32_t all[N];
  as_place together[N], alone;
  as_rank_room room;
  as_random random = as_random_start(6, 1);
  ck_assert_ok(ctx, as_rank_room_make(ctx, N, &room));
  for (int i = 0; i < N; i++) {
    all[i] = i;
    scores[i] = (float)as_random_below(&random, 50) - 25;
  }
  as_rank_items(&room, scores, N, NULL, 0, all, N, together); /* by rank */
  for (int i = 0; i < N; i++) {
    as_rank_items(&room, scores, N, NULL, 0, &all[i], 1, &alone);
    ck_assert_int_eq(alone.rank, together[alone.rank].rank);
    ck_assert_int_eq(alone.above, together[alone.rank].above);
    ck_assert_int_eq(alone.equal, together[alone.rank].equal);
  }
  as_rank_room_free(ctx, &room);
}
END_TEST

static int by_number(const void *a, const void *b) {
  const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

/* An array of items, ascending and once each, without those of another list. */
static int64_t items_of(const json_t *array, const int32_t *without, int64_t without_count, int32_t *out) {
  int64_t count = 0, kept = 0;
  for (size_t i = 0; i < json_array_size(array); i++) out[count++] = (int32_t)json_integer_value(json_array_get(array, i));
  qsort(out, (size_t)count, sizeof *out, by_number);
  for (int64_t i = 0; i < count; i++) {
    const bool out_of_it = without_count > 0 && bsearch(&out[i], without, (size_t)without_count, sizeof *out, by_number);
    if (!out_of_it && (kept == 0 || out[kept - 1] != out[i])) out[kept++] = out[i];
  }
  return kept;
}

static void check_measures(const char *where, const json_t *line, const as_ranking_scores *s, const json_t *expected) {
  const json_t *ks = json_object_get(line, "ks");
  char name[80];
  for (size_t j = 0; j < json_array_size(ks); j++)
    for (int m = 0; m < AS_NDCG_EXP_AT_K; m++) {
      snprintf(name, sizeof name, "%s@%lld", as_ranking_name((as_ranking_measure)m),
               (long long)json_integer_value(json_array_get(ks, j)));
      ck_assert_msg(json_is_number(json_object_get(expected, name)), "%s: no %s", where, name);
      assert_near(name, s->at[j * AS_RANKING_MEASURES + (size_t)m], json_number_value(json_object_get(expected, name)));
    }
  assert_near("mrr", s->mrr, json_number_value(json_object_get(expected, "mrr")));
  const json_t *auc = json_object_get(expected, "auc");
  assert_near("auc", s->auc, json_is_null(auc) ? NAN : json_number_value(auc));
}

/* One row of the reference, user by user, in single precision as a recommender's scores are. */
static int check_row(const json_t *line) {
  const json_t *scores = json_object_get(line, "scores"), *ks = json_object_get(line, "ks");
  const json_t *users = json_object_get(json_object_get(line, "expected"), "per_user");
  const char *id = json_string_value(json_object_get(line, "id"));
  int64_t cut_offs[100];
  double at[100 * AS_RANKING_MEASURES];
  int checked = 0;
  for (size_t j = 0; j < json_array_size(ks); j++) cut_offs[j] = json_integer_value(json_array_get(ks, j));
  for (size_t u = 0; u < json_array_size(scores); u++) {
    const json_t *row = json_array_get(scores, u);
    const int64_t n = (int64_t)json_array_size(row);
    as_rank_room room;
    float own[200];
    int32_t seen[200], wanted[200];
    as_place places[200];
    as_ranking_scores s = {.at = at};
    ck_assert_int_le(n, 200);
    for (int64_t i = 0; i < n; i++) own[i] = (float)json_number_value(json_array_get(row, (size_t)i));
    const int64_t seen_count = items_of(json_array_get(json_object_get(line, "seen"), u), NULL, 0, seen);
    const int64_t count = items_of(json_array_get(json_object_get(line, "relevant"), u), seen, seen_count, wanted);
    ck_assert_ok(ctx, as_rank_room_make(ctx, n, &room));
    const int64_t candidates = as_rank_items(&room, own, n, seen, seen_count, wanted, count, places);
    as_ranking_from_places(places, count, NULL, candidates, cut_offs, json_array_size(ks), &s);
    as_rank_room_free(ctx, &room);
    const json_t *expected = json_array_get(users, u);
    ck_assert_msg(s.undefined == json_is_null(expected), "%s, user %zu", id, u);
    if (!s.undefined) check_measures(id, line, &s, expected);
    checked++;
  }
  return checked;
}

/* The rows that are here, or all of them when there is a golden folder. */
START_TEST(every_row_of_the_reference) {
  const bool golden = getenv("ASSISTIFY_GOLDEN") != NULL;
  char line[1 << 16];
  int rows = 0, users = 0;
  FILE *file = fopen(golden ? as_golden("metrics/ranking.jsonl") : as_source_path("tests/golden/metrics/ranking.jsonl"), "r");
  ck_assert_ptr_nonnull(file);
  while (fgets(line, sizeof line, file)) {
    json_t *row = json_loads(line, 0, NULL);
    ck_assert_ptr_nonnull(row);
    users += check_row(row);
    json_decref(row);
    rows++;
  }
  fclose(file);
  ck_assert_int_ge(rows, golden ? 14 : 11);
  ck_assert_int_gt(users, 30);
}
END_TEST

START_TEST(gini_novelty_and_intervals_by_hand) {
  int64_t even[] = {3, 3, 3}, one[] = {0, 8, 0, 0}, none[] = {0, 0}, mixed[] = {4, 1, 3};
  const int64_t listed[] = {2, 0, 1}, known[] = {3, 9, 0};
  assert_near("even", as_gini(even, 3), 0);
  assert_near("one", as_gini(one, 4), 0.75);
  assert_near("none", as_gini(none, 2), NAN);
  assert_near("mixed", as_gini(mixed, 3), (-2.0 * 1 + 0 * 3 + 2 * 4) / (3 * 8));
  assert_near("novelty", as_novelty(listed, known, 3, 7), (2 * 1 + 3) / 3.0); /* shares 4/8 and 1/8 */
  assert_near("no list", as_novelty(none, known, 2, 7), NAN);
  const double values[] = {0.25, NAN, 0.25, 1, 0.25, NAN};
  as_interval ci[2], again[2];
  ck_assert_ok(ctx, as_bootstrap_means(ctx, 3, 2, values, 200, 3, ci));
  assert_near("constant", ci[0].low, 0.25);
  assert_near("constant", ci[0].high, 0.25);
  assert_near("one value", ci[1].low, 1);
  ck_assert_ok(ctx, as_bootstrap_means(ctx, 3, 2, values, 0, 3, again));
  assert_near("no resamples", again[0].low, NAN);
  double uniform[101];
  for (int i = 0; i <= 100; i++) uniform[i] = i / 100.0;
  ck_assert_ok(ctx, as_bootstrap_means(ctx, 101, 1, uniform, 2000, 3, ci)); /* 0.5 -+ 1.96 * 0.2915 / sqrt(101) */
  ck_assert_msg(fabs(ci[0].low - 0.443) < 0.008 && fabs(ci[0].high - 0.557) < 0.008, "%g to %g", ci[0].low, ci[0].high);
}
END_TEST

/* ---- the best ----------------------------------------------------------------------------------------------------- */

static int better(const void *a, const void *b) {
  const as_best *x = a, *y = b;
  if (x->score > y->score || x->score < y->score) return x->score > y->score ? -1 : 1;
  return (x->item > y->item) - (x->item < y->item);
}

START_TEST(the_best_are_the_first_of_all_sorted) {
  enum { MOST = 700 };
  bool supported = false;
  const as_pair_kernels *kernels = as_pair_kernels_at((size_t)_i, &supported);
  if (!kernels || !supported) return;
  as_random random = as_random_start(7, (uint64_t)_i);
  for (int round = 0; round < 300; round++) {
    const int64_t items = (int64_t)as_random_below(&random, MOST), n = (int64_t)as_random_below(&random, 40);
    const uint64_t levels = round % 3 == 0 ? 4 : 1 << 20;
    float scores[MOST];
    as_best all[MOST], best[40];
    int32_t seen[MOST];
    int64_t count = 0, seen_count = 0;
    for (int64_t i = 0; i < items; i++) {
      scores[i] = (float)as_random_below(&random, levels) - (float)(levels / 2);
      if (as_random_below(&random, 5) == 0)
        seen[seen_count++] = (int32_t)i;
      else
        all[count++] = (as_best){scores[i], (int32_t)i};
    }
    qsort(all, (size_t)count, sizeof *all, better);
    const int64_t wanted = n < count ? n : count;
    ck_assert_int_eq(as_select_best_with(kernels, scores, items, seen, seen_count, n, best), wanted);
    ck_assert_mem_eq(best, all, (size_t)wanted * sizeof *best);
    ck_assert_int_eq(as_select_best(scores, items, seen, seen_count, n, best), wanted);
    ck_assert_mem_eq(best, all, (size_t)wanted * sizeof *best);
  }
}
END_TEST

static as_status train_part(as_context *c, const as_interaction_split *split, as_recommender **out,
                            as_interactions **test);
static const as_interaction_split by_time = {.by = AS_SPLIT_TIME, .share = 0.3};

START_TEST(the_best_of_many_are_the_best_of_each) {
  enum { N = 7 };
  as_recommender *r;
  as_interactions *test;
  ck_assert_ok(ctx, train_part(ctx, &by_time, &r, &test));
  const int64_t users = as_interactions_customers(r->interactions), items = as_products_count(r->products);
  int32_t *list = as_alloc(ctx, (size_t)users, sizeof *list);
  as_best *best = as_alloc(ctx, (size_t)users * N, sizeof *best), own[N];
  int64_t *counts = as_alloc(ctx, (size_t)users, sizeof *counts);
  float *scores = as_alloc(ctx, (size_t)items, sizeof *scores);
  for (int64_t i = 0; i < users; i++) list[i] = (int32_t)(users - 1 - i);
  const as_top_question q = {list, users, N, r->seen_starts, r->seen};
  ck_assert_ok(ctx, as_top_items(ctx, &r->user_vectors, &r->item_vectors, &q, best, counts));
  for (int64_t i = 0; i < users; i++) {
    const int64_t start = r->seen_starts[list[i]], seen = r->seen_starts[list[i] + 1] - start;
    as_recommender_scores(r, list[i], scores);
    ck_assert_int_eq(counts[i], as_select_best(scores, items, r->seen + start, seen, N, own));
    for (int64_t j = 0; j < counts[i]; j++) { /* sums in another order: near, and perhaps another of two near ones */
      const float score = best[i * N + j].score;
      ck_assert_msg(fabsf(score - own[j].score) <= 1e-5f * (1 + fabsf(score)), "%g, expected %g", (double)score,
                    (double)own[j].score);
      for (int64_t s = 0; s < seen; s++) ck_assert_int_ne(best[i * N + j].item, r->seen[start + s]);
    }
  }
  as_free(ctx, list);
  as_free(ctx, best);
  as_free(ctx, counts);
  as_free(ctx, scores);
  as_interactions_free(test);
  as_recommender_free(r);
}
END_TEST

/* ---- a whole evaluation ------------------------------------------------------------------------------------------- */

static as_status read_shop(as_context *c, as_products **products, as_interactions **interactions) {
  const as_interaction_types types = as_interaction_types_usual();
  const as_interaction_options options = {.types = &types};
  *products = NULL;
  as_status status = as_products_read(c, as_source_path(SHOP "products.csv"), NULL, products);
  return status == AS_OK
             ? as_interactions_read(c, as_source_path(SHOP "interactions.csv"), *products, &options, interactions)
             : status;
}

/* The shop, trained on a part; the other part gets a customer that nobody knows. */
static as_status train_part(as_context *c, const as_interaction_split *split, as_recommender **out,
                            as_interactions **test) {
  const as_interaction_types types = as_interaction_types_usual();
  as_recommend_settings settings = as_recommend_settings_usual(AS_LIGHTFM_WARP);
  as_products *products = NULL;
  as_interactions *all = NULL, *rest = NULL, *held_out = NULL, *stranger = NULL;
  as_interaction_builder builder;
  settings.dim = 5;
  settings.epochs = 4;
  *out = NULL;
  *test = NULL;
  as_status status = read_shop(c, &products, &all);
  if (status == AS_OK) status = as_interactions_divide(all, split, &rest, &held_out);
  if (status == AS_OK) status = as_interaction_builder_start(c, &builder);
  if (status == AS_OK) {
    bool ok = true;
    for (int32_t p = 0; ok && p < 4; p++)
      ok = as_interaction_builder_add(&builder, "stranger", 8, (as_interaction){3 * p, all->newest, 2});
    status = as_interaction_builder_end(&builder, ok ? &stranger : NULL);
    if (!ok) status = AS_E_NOMEM;
  }
  if (status == AS_OK) status = as_interactions_join(c, held_out, stranger, test);
  if (status == AS_OK) {
    status = as_recommender_train(c, products, rest, &types, &settings, AS_HOLDOUT_NONE, NULL, out);
    products = NULL;
    rest = NULL;
  }
  as_products_free(products);
  as_interactions_free(all);
  as_interactions_free(rest);
  as_interactions_free(held_out);
  as_interactions_free(stranger);
  return status;
}

static const bool purchases[AS_MOST_INTERACTION_TYPES] = {false, false, true};

typedef struct collecting {
  float *scores; /* [customers, products] */
} collecting;

static void collect(void *argument, const as_score_block *block, int lane) {
  const collecting *c = argument;
  (void)lane;
  memcpy(c->scores + block->first * block->items, block->scores,
         (size_t)(block->count * block->items) * sizeof *c->scores);
}

/* The scores that a customer of the test gets: the model's, or by what is trending. */
static void naive_scores(const as_recommender *r, int64_t number, double *scores) {
  const int64_t n = as_products_count(r->products);
  if (number >= 0) {
    collecting c = {as_alloc(ctx, (size_t)n, sizeof(float))};
    const int32_t user = (int32_t)number;
    ck_assert_ok(ctx, as_score_users(ctx, &r->user_vectors, &r->item_vectors, &user, 1, collect, &c));
    for (int64_t i = 0; i < n; i++) scores[i] = (double)c.scores[i];
    as_free(ctx, c.scores);
    return;
  }
  as_trend *trends;
  ck_assert_ok(ctx, as_trending(r, &trends));
  for (int64_t i = 0; i < n; i++) scores[trends[i].product] = (double)(n - i);
  as_free(ctx, trends);
}

/* Which customers count, and which products there are. */
typedef struct selection {
  int customers; /* 1 warm, -1 cold, 0 all */
  int products;
  bool with_seen;
} selection;

/* The same question with every list sorted; products out of the selection are as if seen. */
static void evaluate_naively(const as_recommender *r, const as_interactions *test, selection which,
                             as_recommend_scores *out) {
  const int64_t n = as_products_count(r->products), k = 10;
  double *scores = as_alloc(ctx, (size_t)n, sizeof *scores);
  int32_t *seen = as_alloc(ctx, (size_t)n * 2, sizeof *seen), *relevant = as_alloc(ctx, 1000, sizeof *relevant);
  as_ranking *ranking;
  ck_assert_ok(ctx, as_ranking_start(ctx, n, &k, 1, &ranking));
  for (int64_t c = 0; c < as_interactions_customers(test); c++) {
    size_t length;
    const char *id = as_interactions_customer(test, c, &length);
    const int64_t number = as_interactions_find(r->interactions, id, length);
    int64_t seen_count = 0, count = 0;
    if (which.customers != 0 && (which.customers > 0) != (number >= 0)) continue;
    for (int64_t i = 0; i < n; i++)
      if (which.products != 0 && r->met[i] != (which.products > 0)) seen[seen_count++] = (int32_t)i;
    for (int64_t i = number < 0 ? 0 : r->seen_starts[number]; number >= 0 && i < r->seen_starts[number + 1]; i++)
      if (!which.with_seen) seen[seen_count++] = r->seen[i];
    for (int64_t i = test->starts[c]; i < test->starts[c + 1]; i++)
      if (test->rows[i].type == 2) relevant[count++] = test->rows[i].product;
    naive_scores(r, number, scores);
    const as_ranking_user user = {scores, relevant, count, NULL, seen, seen_count};
    ck_assert_ok(ctx, as_ranking_add(ranking, &user));
  }
  const as_ranking_scores *mean = as_ranking_mean(ranking);
  out->customers = as_ranking_users(ranking);
  out->values[AS_RECOMMEND_PRECISION] = mean->at[AS_PRECISION_AT_K];
  out->values[AS_RECOMMEND_RECALL] = mean->at[AS_RECALL_AT_K];
  out->values[AS_RECOMMEND_NDCG] = mean->at[AS_NDCG_AT_K];
  out->values[AS_RECOMMEND_MAP] = mean->at[AS_MAP_AT_K];
  out->values[AS_RECOMMEND_HIT] = mean->at[AS_HIT_AT_K];
  out->values[AS_RECOMMEND_MRR] = mean->mrr;
  out->values[AS_RECOMMEND_AUC] = mean->auc;
  out->values[AS_RECOMMEND_COVERAGE] = as_ranking_coverage(ranking, k);
  as_ranking_free(ranking);
  as_free(ctx, scores);
  as_free(ctx, seen);
  as_free(ctx, relevant);
}

static void compare_scores(const as_recommend_scores *actual, const as_recommend_scores *expected, int measures) {
  char name[40];
  ck_assert_int_eq(actual->customers, expected->customers);
  for (int m = 0; m < measures; m++) {
    as_recommend_measure_name((as_recommend_measure)m, 10, name);
    assert_near(name, actual->values[m], expected->values[m]);
    if (m < AS_RECOMMEND_CUSTOMER_MEASURES && !isnan(actual->ci95[m].low))
      ck_assert_msg(actual->ci95[m].low <= actual->values[m] + 1e-12 && actual->values[m] <= actual->ci95[m].high + 1e-12,
                    "%s: %g is not in %g to %g", name, actual->values[m], actual->ci95[m].low, actual->ci95[m].high);
  }
}

START_TEST(an_evaluation_is_the_naive_one) {
  as_recommender *r;
  as_interactions *test;
  as_recommend_evaluation e;
  as_recommend_scores naive;
  ck_assert_ok(ctx, train_part(ctx, &by_time, &r, &test));
  as_evaluation_question q = {.test = test, .positive = purchases, .baselines = true, .k = 10, .resamples = 100,
                              .seed = 1};
  ck_assert_ok(ctx, as_recommender_evaluate(r, &q, &e));
  evaluate_naively(r, test, (selection){0, 0, false}, &naive);
  compare_scores(&e.model, &naive, AS_RECOMMEND_GINI);
  evaluate_naively(r, test, (selection){1, 0, false}, &naive);
  compare_scores(&e.groups[AS_EVALUATION_CUSTOMERS_WARM], &naive, AS_RECOMMEND_COVERAGE);
  evaluate_naively(r, test, (selection){-1, 0, false}, &naive);
  ck_assert_int_ge(naive.customers, 1);
  compare_scores(&e.groups[AS_EVALUATION_CUSTOMERS_COLD], &naive, AS_RECOMMEND_COVERAGE);
  ck_assert(e.has_baselines);
  ck_assert_msg(e.baselines[AS_BASELINE_POPULAR].values[AS_RECOMMEND_AUC] >
                    e.baselines[AS_BASELINE_RANDOM].values[AS_RECOMMEND_AUC],
                "popular %g, random %g", e.baselines[AS_BASELINE_POPULAR].values[AS_RECOMMEND_AUC],
                e.baselines[AS_BASELINE_RANDOM].values[AS_RECOMMEND_AUC]);
  q.with_seen = true;
  ck_assert_ok(ctx, as_recommender_evaluate(r, &q, &e));
  evaluate_naively(r, test, (selection){0, 0, true}, &naive);
  compare_scores(&e.model, &naive, AS_RECOMMEND_GINI);
  as_interactions_free(test);
  as_recommender_free(r);
}
END_TEST

/* A model that some products are unknown to: those with an even number lose their rows. */
static as_status train_without_some(as_recommender **out, as_interactions **test) {
  as_products *products;
  as_interactions *all, *some;
  as_interaction_builder builder;
  const as_interaction_types types = as_interaction_types_usual();
  as_recommend_settings settings = as_recommend_settings_usual(AS_LIGHTFM_WARP);
  settings.dim = 4;
  settings.epochs = 3;
  ck_assert_ok(ctx, read_shop(ctx, &products, &all));
  ck_assert_ok(ctx, as_interaction_builder_start(ctx, &builder));
  for (int64_t c = 0; c < as_interactions_customers(all); c++)
    for (int64_t i = all->starts[c]; i < all->starts[c + 1]; i++) {
      size_t length;
      const char *id = as_interactions_customer(all, c, &length);
      if (all->rows[i].product % 4 != 0) ck_assert(as_interaction_builder_add(&builder, id, length, all->rows[i]));
    }
  ck_assert_ok(ctx, as_interaction_builder_end(&builder, &some));
  *test = all;
  return as_recommender_train(ctx, products, some, &types, &settings, AS_HOLDOUT_NONE, NULL, out);
}

START_TEST(cold_products_are_ranked_among_themselves) {
  as_recommender *r;
  as_interactions *test;
  as_recommend_evaluation e;
  as_recommend_scores naive;
  ck_assert_ok(ctx, train_without_some(&r, &test));
  for (int with_seen = 0; with_seen < 2; with_seen++) {
    const as_evaluation_question q = {.test = test, .positive = purchases, .k = 10, .with_seen = with_seen};
    ck_assert_ok(ctx, as_recommender_evaluate(r, &q, &e));
    evaluate_naively(r, test, (selection){0, 0, with_seen}, &naive);
    compare_scores(&e.model, &naive, AS_RECOMMEND_GINI);
    evaluate_naively(r, test, (selection){0, 1, with_seen}, &naive);
    compare_scores(&e.groups[AS_EVALUATION_PRODUCTS_WARM], &naive, AS_RECOMMEND_COVERAGE);
    evaluate_naively(r, test, (selection){0, -1, with_seen}, &naive);
    compare_scores(&e.groups[AS_EVALUATION_PRODUCTS_COLD], &naive, AS_RECOMMEND_COVERAGE);
    ck_assert_int_eq(e.groups[AS_EVALUATION_CUSTOMERS_COLD].customers, 0);
  }
  as_interactions_free(test);
  as_recommender_free(r);
}
END_TEST

static char *evaluation_text(as_context *c) {
  as_recommender *r;
  as_interactions *test;
  as_recommend_evaluation e;
  as_buffer out;
  as_buffer_init(&out, c);
  ck_assert_ok(c, train_part(c, &by_time, &r, &test));
  const as_evaluation_question q = {.test = test, .positive = purchases, .baselines = true, .k = 5, .resamples = 50};
  ck_assert_ok(c, as_recommender_evaluate(r, &q, &e));
  as_json_writer w = as_json_writer_start(&out, 0);
  as_json_open_object(&w, NULL);
  as_recommend_evaluation_json(&w, &e);
  as_json_close_object(&w);
  as_recommend_evaluation_table(&e, &out);
  as_interactions_free(test);
  as_recommender_free(r);
  return as_buffer_take(&out);
}

START_TEST(the_same_for_any_number_of_threads) {
  as_context *one = as_test_context(1), *three = as_test_context(3);
  char *a = evaluation_text(one), *b = evaluation_text(three);
  ck_assert_str_eq(a, b);
  ck_assert_ptr_nonnull(strstr(a, "\"precision@5\":"));
  as_free(one, a);
  as_free(three, b);
  as_test_context_free(one);
  as_test_context_free(three);
}
END_TEST

/* ---- baselines ---------------------------------------------------------------------------------------------------- */

/* Cosine with shrinkage by the definition, all neighbours, as there are no more than 50 products. */
START_TEST(nearest_products_are_the_naive_ones) {
  as_recommender *r;
  as_interactions *test;
  as_baseline b;
  ck_assert_ok(ctx, train_part(ctx, &by_time, &r, &test));
  const int64_t n = as_products_count(r->products), customers = as_interactions_customers(r->interactions);
  ck_assert_int_le(n, 50);
  bool *met = as_alloc_zero(ctx, (size_t)(customers * n), sizeof *met);
  float *scores = as_alloc(ctx, (size_t)n + 3, sizeof *scores);
  for (int64_t c = 0; c < customers; c++)
    for (int64_t i = r->seen_starts[c]; i < r->seen_starts[c + 1]; i++) met[c * n + r->seen[i]] = true;
  ck_assert_ok(ctx, as_baseline_make(r, AS_BASELINE_KNN, purchases, 1, &b));
  for (int64_t c = 0; c < customers; c += 7) {
    as_baseline_score(&b, c, c, scores);
    for (int64_t i = 0; i < n; i++) {
      double sum = 0;
      for (int64_t j = 0; j < n; j++) {
        double both = 0, mine = 0, other = 0;
        for (int64_t d = 0; d < customers; d++) {
          both += met[d * n + i] && met[d * n + j];
          mine += met[d * n + i];
          other += met[d * n + j];
        }
        if (j != i && met[c * n + j]) sum += both / (sqrt(mine * other) + 10);
      }
      if (sum > 0 ? fabs((double)scores[i] - sum) > 1e-5 * (1 + sum) : scores[i] > 0)
        ck_abort_msg("customer %d, product %d: %g, expected %g", (int)c, (int)i, (double)scores[i], sum);
    }
  }
  as_baseline_free(&b);
  as_free(ctx, met);
  as_free(ctx, scores);
  as_interactions_free(test);
  as_recommender_free(r);
}
END_TEST

/* ---- splits ------------------------------------------------------------------------------------------------------- */

START_TEST(a_split_by_time_learns_nothing_of_the_future) {
  as_products *products;
  as_interactions *all, *rest, *held_out;
  ck_assert_ok(ctx, read_shop(ctx, &products, &all));
  ck_assert_ok(ctx, as_interactions_divide(all, &by_time, &rest, &held_out));
  const int64_t rows = as_interactions_count(all);
  ck_assert_int_eq(as_interactions_count(rest) + as_interactions_count(held_out), rows);
  ck_assert_uint_lt(rest->newest, held_out->oldest);
  ck_assert_msg(fabs((double)as_interactions_count(held_out) / (double)rows - 0.3) < 0.01, "%d of %d",
                (int)as_interactions_count(held_out), (int)rows);
  as_interactions_free(rest);
  as_interactions_free(held_out);
  as_interactions_free(all);
  as_products_free(products);
}
END_TEST

START_TEST(last_rows_and_any_rows_are_held_out) {
  as_products *products;
  as_interactions *all;
  ck_assert_ok(ctx, read_shop(ctx, &products, &all));
  const int64_t rows = as_interactions_count(all);
  bool *held = as_alloc(ctx, (size_t)rows, sizeof *held), *again = as_alloc(ctx, (size_t)rows, sizeof *again);
  int64_t count, marked = 0;
  ck_assert_ok(ctx, as_interactions_hold_out(
                        all, &(as_interaction_split){.by = AS_SPLIT_LAST, .share = 0.5, .leave = 2}, held, &count));
  for (int64_t c = 0; c < as_interactions_customers(all); c++) {
    const int64_t mine = all->starts[c + 1] - all->starts[c];
    for (int64_t i = 0; i < mine; i++) ck_assert_int_eq(held[all->starts[c] + i], mine > 2 && i >= mine - 2);
  }
  ck_assert_ok(ctx, as_interactions_hold_out(all, &(as_interaction_split){.by = AS_SPLIT_LAST, .share = 0.25}, held,
                                             &count));
  for (int64_t c = 0; c < as_interactions_customers(all); c++) {
    const int64_t mine = all->starts[c + 1] - all->starts[c];
    const int64_t part = mine < 2 ? 0 : mine < 4 ? 1 : mine / 4;
    for (int64_t i = 0; i < mine; i++) ck_assert_int_eq(held[all->starts[c] + i], i >= mine - part);
  }
  as_interaction_split any = {.by = AS_SPLIT_RANDOM, .share = 0.2, .seed = 4};
  ck_assert_ok(ctx, as_interactions_hold_out(all, &any, held, &count));
  ck_assert_ok(ctx, as_interactions_hold_out(all, &any, again, &count));
  ck_assert_mem_eq(held, again, (size_t)rows * sizeof *held);
  for (int64_t i = 0; i < rows; i++) marked += held[i];
  ck_assert_int_eq(marked, count);
  ck_assert_int_eq(count, (int64_t)(0.2 * (double)rows + 0.5));
  any.seed = 5;
  ck_assert_ok(ctx, as_interactions_hold_out(all, &any, again, &count));
  ck_assert_mem_ne(held, again, (size_t)rows * sizeof *held);
  any.share = 1;
  ck_assert_refused(ctx, as_interactions_hold_out(all, &any, again, &count), AS_E_INVALID, "share of 1");
  for (int64_t i = 0; i < rows; i++) all->rows[i].time = 5;
  as_interactions *rest, *held_out;
  ck_assert_refused(ctx, as_interactions_divide(all, &by_time, &rest, &held_out), AS_E_DATA, "one part empty");
  as_free(ctx, held);
  as_free(ctx, again);
  as_interactions_free(all);
  as_products_free(products);
}
END_TEST

/* ---- without memory ------------------------------------------------------------------------------------------------ */

START_TEST(failing_allocations_are_reported_and_nothing_leaks) {
  as_context *whole = as_test_context(1);
  as_recommender *r;
  as_interactions *test;
  ck_assert_ok(whole, train_part(whole, &by_time, &r, &test));
  for (uint64_t n = 1;; n++) {
    as_recommend_evaluation e;
    as_interactions *rest = NULL, *held_out = NULL;
    as_recommender *alike = NULL;
    const as_evaluation_question q = {.test = test, .positive = purchases, .baselines = true, .k = 10, .resamples = 5};
    as_test_fail_at(whole, n);
    as_status status = as_recommender_evaluate(r, &q, &e);
    if (status == AS_OK) status = as_interactions_divide(r->interactions, &by_time, &rest, &held_out);
    if (status == AS_OK) status = as_recommender_train_alike(r, rest, NULL, &alike);
    const bool failed = as_test_failed_one(whole);
    as_test_fail_at(whole, 0);
    if (status != (failed ? AS_E_NOMEM : AS_OK))
      ck_abort_msg("allocation %llu: status %d: %s", (unsigned long long)n, (int)status, as_error_text(whole));
    as_interactions_free(held_out);
    as_recommender_free(alike);
    if (!failed) break;
  }
  as_interactions_free(test);
  as_recommender_free(r);
  as_test_context_free(whole);
}
END_TEST

/* ---- the command --------------------------------------------------------------------------------------------------- */

static as_program run_words(const char *const *words) { return as_run_program(ctx, words); }

static char *model_folder(void) {
  static char path[4200];
  snprintf(path, sizeof path, "%s/model", folder);
  const char *const words[] = {"train", "recommend", "--interactions", as_source_path(SHOP "interactions.csv"),
                               "--products", as_source_path(SHOP "products.csv"), "--out", path, "--dim", "4",
                               "--epochs", "2", "--quiet", NULL};
  as_program program = run_words(words);
  ck_assert_msg(program.code == 0, "exit %d: %s", program.code, program.err);
  as_program_free(&program);
  return path;
}

START_TEST(the_command_measures_a_split_and_a_file) {
  static const char *const names[] = {"precision@10", "recall@10", "ndcg@10",  "map@10", "mrr",     "hit@10",
                                      "auc",          "coverage",  "gini",     "novelty", "customers"};
  const char *model = model_folder();
  const char *const split[] = {"evaluate", "recommend", "--model", model, "--json", "--quiet", NULL};
  as_program program = run_words(split);
  ck_assert_msg(program.code == 0, "exit %d: %s", program.code, program.err);
  json_t *all = json_loads(program.out, 0, NULL);
  ck_assert_ptr_nonnull(all);
  json_t *knn = json_object_get(json_object_get(all, "baselines"), "item_knn");
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    ck_assert_msg(json_is_number(json_object_get(all, names[i])), "no %s", names[i]);
    ck_assert_msg(json_is_number(json_object_get(knn, names[i])), "no %s of item_knn", names[i]);
  }
  ck_assert_ptr_nonnull(json_object_get(all, "customers_warm"));
  ck_assert(json_is_array(json_object_get(json_object_get(all, "ci95"), "auc")));
  json_decref(all);
  as_program_free(&program);
  const char *const file[] = {"evaluate", "recommend", "--model", model, "--interactions",
                              as_source_path(SHOP "interactions.csv"), "--with-seen", "--positives", "purchase,view",
                              "--k", "3", "--baselines", "none", NULL};
  program = run_words(file);
  ck_assert_msg(program.code == 0, "exit %d: %s", program.code, program.err);
  ck_assert_ptr_nonnull(strstr(program.out, "60 customers, lists of 3"));
  ck_assert_ptr_nonnull(strstr(program.out, "precision@3"));
  as_program_free(&program);
}
END_TEST

START_TEST(the_command_refuses) {
  static const char odd[] = "customer_id,product_id,interaction_type,timestamp\nC001,P001,rented,5\n";
  const char *model = model_folder(), *rows = as_source_path(SHOP "interactions.csv");
  char path[4200];
  snprintf(path, sizeof path, "%s/odd.csv", folder);
  ck_assert_ok(ctx, as_file_write(ctx, path, odd, sizeof odd - 1));
  const struct {
    int code;
    const char *says;
    const char *words[12];
  } cases[] = {
      {2, "--leave goes with", {"evaluate", "recommend", "--leave", "2"}},
      {2, "--test goes with", {"evaluate", "recommend", "--interactions", rows, "--test", "0.2"}},
      {4, "no such folder", {"evaluate", "recommend", "--model", "/no/such/model"}},
      {3, "no-such.csv", {"evaluate", "recommend", "--model", model, "--interactions", "no-such.csv"}},
      {3, "--with-seen", {"evaluate", "recommend", "--model", model, "--interactions", rows}},
      {3, "no customer has a row", {"evaluate", "recommend", "--model", model, "--positives", "rented"}},
      {3, "odd.csv: line 2: ", {"evaluate", "recommend", "--model", model, "--interactions", path}},
      {3, "name it in --positives", {"evaluate", "recommend", "--model", model, "--interactions", path}},
      {2, "--positives wants", {"evaluate", "recommend", "--model", model, "--positives", "view,,"}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    as_program program = run_words(cases[i].words);
    if (program.code != cases[i].code || !strstr(program.err, cases[i].says))
      ck_abort_msg("case %zu: exit %d: %s", i, program.code, program.err);
    as_program_free(&program);
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("recommend_evaluate");
  TCase *tcase = tcase_create("recommend_evaluate");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_loop_test(tcase, counting_is_sorting_for_every_instruction_set, 0, 5);
  tcase_add_loop_test(tcase, the_best_are_the_first_of_all_sorted, 0, 5);
  tcase_add_test(tcase, the_best_of_many_are_the_best_of_each);
  tcase_add_test(tcase, few_and_many_give_the_same_places);
  tcase_add_test(tcase, every_row_of_the_reference);
  tcase_add_test(tcase, gini_novelty_and_intervals_by_hand);
  tcase_add_test(tcase, an_evaluation_is_the_naive_one);
  tcase_add_test(tcase, cold_products_are_ranked_among_themselves);
  tcase_add_test(tcase, the_same_for_any_number_of_threads);
  tcase_add_test(tcase, nearest_products_are_the_naive_ones);
  tcase_add_test(tcase, a_split_by_time_learns_nothing_of_the_future);
  tcase_add_test(tcase, last_rows_and_any_rows_are_held_out);
  tcase_add_test(tcase, failing_allocations_are_reported_and_nothing_leaks);
  tcase_add_test(tcase, the_command_measures_a_split_and_a_file);
  tcase_add_test(tcase, the_command_refuses);
  suite_add_tcase(suite, tcase);
  return suite;
}
