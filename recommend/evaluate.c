/* See evaluate.h. A run over all customers fills, for each view of the catalogue, the measures of each customer and how
 * often each product was listed; both are then added up in one order. */
#include "recommend/evaluate.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "eval/bootstrap.h"
#include "eval/ranking.h"
#include "recommend/ranks.h"

enum { CUSTOMERS_A_CHUNK = 16, VALUES = AS_RECOMMEND_CUSTOMER_MEASURES };

/* Products that are ranked against each other. */
typedef struct view {
  int64_t count;
  int32_t *items;  /* [count] ascending; NULL: all */
  int32_t *places; /* [products] the inverse, -1 for others; NULL with `items` */
  double *values;  /* [customers, VALUES], NaN where undefined */
  int64_t *listed; /* [lanes, count] */
} view;

enum { ALL, WARM, COLD, VIEWS };

/* What one thread needs. */
typedef struct lane {
  as_rank_room room;
  as_place *places;         /* [products] */
  as_best *best;            /* [k] */
  float *scores;            /* [products + 3] */
  float *viewed;            /* [products] */
  int32_t *seen, *relevant; /* [products] of a view */
} lane;

typedef struct evaluating {
  as_context *ctx;
  const as_recommender *r;
  const as_evaluation_question *question;
  int64_t customers, products;
  int32_t *numbers;  /* [customers] of the recommender, -1: unknown to it */
  int64_t *joint_starts; /* [customers + 1] with a recommender beside: what both met; else NULL */
  int32_t *joint;        /* ascending within a customer */
  int64_t *starts;       /* [customers + 1] */
  int32_t *relevant;     /* ascending within a customer */
  int64_t *known;    /* [products] customers that met it in training */
  int64_t warm, cold;
  int32_t *order;      /* [customers] warm ones, then cold ones */
  int32_t *warm_users; /* [warm] their numbers */
  float *trending;     /* [products] scores for cold customers; NULL if there are none */
  view views[VIEWS];
  int view_count; /* ALL only, or all three */
  lane *lanes;
  const as_baseline *baseline; /* of the present run, NULL: the model */
} evaluating;

/* ---- what customers wanted -------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
  const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

static bool has(const int32_t *list, int64_t count, int32_t item) {
  return count > 0 && bsearch(&item, list, (size_t)count, sizeof *list, ascending) != NULL;
}

/* What a customer of this number met in a recommender's training. */
static int64_t met_in(const as_recommender *r, int64_t number, const int32_t **seen) {
  *seen = NULL;
  if (number < 0) return 0;
  *seen = r->seen + r->seen_starts[number];
  return r->seen_starts[number + 1] - r->seen_starts[number];
}

/* What the customer met in training; nothing if that does not matter. */
static int64_t seen_of(const evaluating *e, int64_t customer, const int32_t **seen) {
  *seen = NULL;
  if (e->question->with_seen) return 0;
  if (!e->joint) return met_in(e->r, e->numbers[customer], seen);
  *seen = e->joint + e->joint_starts[customer];
  return e->joint_starts[customer + 1] - e->joint_starts[customer];
}

/* The number here of each product of the recommender beside, -1 for those that are not in this catalogue. */
static int32_t *number_products(const evaluating *e, const as_recommender *beside) {
  const int64_t count = as_products_count(beside->products);
  int32_t *numbers = as_alloc(e->ctx, (size_t)count, sizeof *numbers);
  for (int64_t i = 0; numbers && i < count; i++) {
    size_t length;
    const char *id = as_products_id(beside->products, i, &length);
    numbers[i] = (int32_t)as_products_find(e->r->products, id, length);
  }
  return numbers;
}

/* Appends what the customer met in either training to out[at ..]; returns where it ends. */
static int64_t join_seen(const evaluating *e, int64_t customer, const as_recommender *beside, const int32_t *numbers,
                         int32_t *out, int64_t at) {
  size_t length;
  const int32_t *own, *other;
  const char *id = as_interactions_customer(e->question->test, customer, &length);
  const int64_t owned = met_in(e->r, e->numbers[customer], &own);
  const int64_t met = met_in(beside, as_interactions_find(beside->interactions, id, length), &other);
  int64_t end = at;
  for (int64_t i = 0; i < owned; i++) out[end++] = own[i];
  for (int64_t i = 0; i < met; i++)
    if (numbers[other[i]] >= 0) out[end++] = numbers[other[i]];
  return at + as_distinct_products(out + at, end - at);
}

static as_status join_all_seen(evaluating *e) {
  const as_recommender *beside = e->question->beside;
  if (!beside) return AS_OK;
  int64_t most = 0;
  for (int64_t c = 0; c < e->customers; c++) {
    size_t length;
    const int32_t *list;
    const char *id = as_interactions_customer(e->question->test, c, &length);
    most += met_in(e->r, e->numbers[c], &list);
    most += met_in(beside, as_interactions_find(beside->interactions, id, length), &list);
  }
  e->joint_starts = as_alloc(e->ctx, (size_t)e->customers + 1, sizeof *e->joint_starts);
  e->joint = as_alloc(e->ctx, (size_t)most, sizeof *e->joint);
  int32_t *numbers = number_products(e, beside);
  const bool ok = e->joint_starts && e->joint && numbers;
  if (ok) e->joint_starts[0] = 0;
  for (int64_t c = 0; ok && c < e->customers; c++)
    e->joint_starts[c + 1] = join_seen(e, c, beside, numbers, e->joint, e->joint_starts[c]);
  as_free(e->ctx, numbers);
  return ok ? AS_OK : AS_E_NOMEM;
}

static int64_t gather_relevant(const evaluating *e, int64_t customer, int32_t *out) {
  const as_interactions *t = e->question->test;
  const int32_t *seen;
  const int64_t seen_count = seen_of(e, customer, &seen);
  int64_t count = 0, kept = 0;
  for (int64_t i = t->starts[customer]; i < t->starts[customer + 1]; i++)
    if (e->question->positive[t->rows[i].type]) out[count++] = t->rows[i].product;
  if (count > 1) qsort(out, (size_t)count, sizeof *out, ascending);
  for (int64_t i = 0; i < count; i++)
    if ((kept == 0 || out[kept - 1] != out[i]) && !has(seen, seen_count, out[i])) out[kept++] = out[i];
  return kept;
}

static as_status gather_customers(evaluating *e) {
  const as_interactions *t = e->question->test;
  const size_t customers = (size_t)e->customers;
  e->numbers = as_alloc(e->ctx, customers, sizeof *e->numbers);
  e->starts = as_alloc(e->ctx, customers + 1, sizeof *e->starts);
  e->relevant = as_alloc(e->ctx, (size_t)as_interactions_count(t), sizeof *e->relevant);
  e->order = as_alloc(e->ctx, customers, sizeof *e->order);
  e->warm_users = as_alloc(e->ctx, customers, sizeof *e->warm_users);
  if (!e->numbers || !e->starts || !e->relevant || !e->order || !e->warm_users) return AS_E_NOMEM;
  for (int64_t c = 0; c < e->customers; c++) {
    size_t length;
    const char *id = as_interactions_customer(t, c, &length);
    e->numbers[c] = (int32_t)as_interactions_find(e->r->interactions, id, length);
  }
  as_status status = join_all_seen(e);
  if (status != AS_OK) return status;
  e->starts[0] = 0;
  for (int64_t c = 0; c < e->customers; c++) {
    e->starts[c + 1] = e->starts[c] + gather_relevant(e, c, e->relevant + e->starts[c]);
    if (e->numbers[c] < 0) continue;
    e->warm_users[e->warm] = e->numbers[c];
    e->order[e->warm++] = (int32_t)c;
  }
  for (int64_t c = 0; c < e->customers; c++)
    if (e->numbers[c] < 0) e->order[e->warm + e->cold++] = (int32_t)c;
  if (e->starts[e->customers] > 0) return AS_OK;
  return as_fail(e->ctx, AS_E_DATA, "no customer has a row of a type that counts for a product that it had not met in "
                                    "training; --positives tells what counts, --with-seen keeps what was met");
}

static as_status count_known(evaluating *e) {
  const as_recommender *r = e->r;
  const int64_t pairs = r->seen_starts[as_interactions_customers(r->interactions)];
  e->known = as_alloc_zero(e->ctx, (size_t)e->products, sizeof *e->known);
  if (!e->known) return AS_E_NOMEM;
  for (int64_t i = 0; i < pairs; i++) e->known[r->seen[i]]++;
  return AS_OK;
}

static as_status score_trending(evaluating *e) {
  as_trend *trends = NULL;
  if (e->cold == 0) return AS_OK;
  as_status status = as_trending(e->r, &trends);
  if (status == AS_OK) {
    e->trending = as_alloc(e->ctx, (size_t)e->products, sizeof *e->trending);
    status = e->trending ? AS_OK : AS_E_NOMEM;
  }
  /* Their order is that of the list, ties included. */
  for (int64_t i = 0; status == AS_OK && i < e->products; i++) e->trending[trends[i].product] = (float)-i;
  as_free(e->ctx, trends);
  return status;
}

/* ---- room ------------------------------------------------------------------------------------------------------- */

static as_status make_view(evaluating *e, int which) {
  view *v = &e->views[which];
  v->count = which == ALL ? e->products : 0;
  for (int64_t i = 0; which != ALL && i < e->products; i++) v->count += (e->known[i] > 0) == (which == WARM);
  v->values = as_alloc(e->ctx, (size_t)e->customers * VALUES, sizeof *v->values);
  v->listed = as_alloc(e->ctx, (size_t)as_context_threads(e->ctx) * (size_t)v->count, sizeof *v->listed);
  if (!v->values || !v->listed) return AS_E_NOMEM;
  if (which == ALL) return AS_OK;
  v->items = as_alloc(e->ctx, (size_t)v->count, sizeof *v->items);
  v->places = as_alloc(e->ctx, (size_t)e->products, sizeof *v->places);
  if (!v->items || !v->places) return AS_E_NOMEM;
  int32_t count = 0;
  for (int64_t i = 0; i < e->products; i++) {
    const bool in = (e->known[i] > 0) == (which == WARM);
    v->places[i] = in ? count : -1;
    if (in) v->items[count++] = (int32_t)i;
  }
  return AS_OK;
}

static as_status make_lanes(evaluating *e) {
  const size_t n = (size_t)e->products, k = (size_t)e->question->k;
  as_status status = AS_OK;
  e->lanes = as_alloc_zero(e->ctx, (size_t)as_context_threads(e->ctx), sizeof *e->lanes);
  if (!e->lanes) return AS_E_NOMEM;
  for (int i = 0; status == AS_OK && i < as_context_threads(e->ctx); i++) {
    lane *l = &e->lanes[i];
    status = as_rank_room_make(e->ctx, e->products, &l->room);
    l->places = as_alloc(e->ctx, n, sizeof *l->places);
    l->best = as_alloc(e->ctx, k < n ? k : n, sizeof *l->best);
    l->scores = as_alloc(e->ctx, n + 3, sizeof *l->scores);
    l->viewed = as_alloc(e->ctx, n, sizeof *l->viewed);
    l->seen = as_alloc(e->ctx, n, sizeof *l->seen);
    l->relevant = as_alloc(e->ctx, n, sizeof *l->relevant);
    if (!l->places || !l->best || !l->scores || !l->viewed || !l->seen || !l->relevant) status = AS_E_NOMEM;
  }
  return status;
}

static as_status set_up(evaluating *e) {
  as_status status = gather_customers(e);
  if (status == AS_OK) status = count_known(e);
  if (status == AS_OK) status = score_trending(e);
  if (status == AS_OK) status = make_lanes(e);
  if (status == AS_OK) status = make_view(e, ALL);
  e->view_count = 1;
  for (int64_t i = 0; i < e->products && e->known; i++)
    if (e->known[i] == 0) e->view_count = VIEWS;
  for (int v = WARM; status == AS_OK && v < e->view_count; v++) status = make_view(e, v);
  return status;
}

static void tear_down(evaluating *e) {
  for (int i = 0; e->lanes && i < as_context_threads(e->ctx); i++) {
    lane *l = &e->lanes[i];
    as_rank_room_free(e->ctx, &l->room);
    void *const all[] = {l->places, l->best, l->scores, l->viewed, l->seen, l->relevant};
    for (size_t j = 0; j < sizeof all / sizeof *all; j++) as_free(e->ctx, all[j]);
  }
  for (int v = 0; v < VIEWS; v++) {
    void *const all[] = {e->views[v].items, e->views[v].places, e->views[v].values, e->views[v].listed};
    for (size_t j = 0; j < sizeof all / sizeof *all; j++) as_free(e->ctx, all[j]);
  }
  void *const all[] = {e->numbers, e->joint_starts, e->joint, e->starts, e->relevant, e->known, e->order, e->warm_users, e->trending, e->lanes};
  for (size_t j = 0; j < sizeof all / sizeof *all; j++) as_free(e->ctx, all[j]);
}

/* ---- one customer ----------------------------------------------------------------------------------------------- */

/* Ranks one customer's products of a view. The lists hold places in the view. */
static void measure(const evaluating *e, const view *v, lane *l, int64_t *listed, const float *scores,
                    const int32_t *seen, int64_t seen_count, const int32_t *relevant, int64_t relevant_count,
                    double *values) {
  const int64_t k = e->question->k, most = k < v->count ? k : v->count;
  double at[AS_RANKING_MEASURES];
  as_ranking_scores s = {.at = at};
  const int64_t count = as_select_best_with(l->room.kernels, scores, v->count, seen, seen_count, most, l->best);
  for (int64_t i = 0; i < count; i++) listed[l->best[i].item]++;
  const int64_t candidates =
      as_rank_items(&l->room, scores, v->count, seen, seen_count, relevant, relevant_count, l->places);
  as_ranking_from_places(l->places, relevant_count, NULL, candidates, &k, 1, &s);
  for (int m = 0; m < VALUES; m++) values[m] = NAN;
  if (s.undefined) return;
  values[AS_RECOMMEND_PRECISION] = at[AS_PRECISION_AT_K];
  values[AS_RECOMMEND_RECALL] = at[AS_RECALL_AT_K];
  values[AS_RECOMMEND_NDCG] = at[AS_NDCG_AT_K];
  values[AS_RECOMMEND_MAP] = at[AS_MAP_AT_K];
  values[AS_RECOMMEND_MRR] = s.mrr;
  values[AS_RECOMMEND_HIT] = at[AS_HIT_AT_K];
  values[AS_RECOMMEND_AUC] = s.auc;
}

/* The products of the list that are in the view, by their places there. */
static int64_t into_view(const view *v, const int32_t *list, int64_t count, int32_t *out) {
  int64_t kept = 0;
  for (int64_t i = 0; i < count; i++)
    if (v->places[list[i]] >= 0) out[kept++] = v->places[list[i]];
  return kept;
}

static void measure_customer(const evaluating *e, int64_t customer, const float *scores, int lane_number) {
  lane *l = &e->lanes[lane_number];
  const int32_t *seen, *relevant = e->relevant + e->starts[customer];
  const int64_t seen_count = seen_of(e, customer, &seen), count = e->starts[customer + 1] - e->starts[customer];
  const int views = e->baseline ? 1 : e->view_count;
  for (int i = 0; i < views; i++) {
    const view *v = &e->views[i];
    int64_t *listed = v->listed + (size_t)lane_number * (size_t)v->count;
    double *values = v->values + customer * VALUES;
    if (i == ALL) {
      measure(e, v, l, listed, scores, seen, seen_count, relevant, count, values);
      continue;
    }
    for (int64_t j = 0; j < v->count; j++) l->viewed[j] = scores[v->items[j]];
    const int64_t own = into_view(v, seen, seen_count, l->seen), wanted = into_view(v, relevant, count, l->relevant);
    measure(e, v, l, listed, l->viewed, l->seen, own, l->relevant, wanted, values);
  }
}

/* ---- all customers ---------------------------------------------------------------------------------------------- */

static void take_block(void *argument, const as_score_block *block, int lane_number) {
  const evaluating *e = argument;
  for (int64_t i = 0; i < block->count; i++)
    measure_customer(e, e->order[block->first + i], block->scores + i * block->items, lane_number);
}

static void measure_cold(void *argument, int64_t chunk, int lane_number) {
  const evaluating *e = argument;
  for (int64_t i = chunk * CUSTOMERS_A_CHUNK; i < (chunk + 1) * CUSTOMERS_A_CHUNK && i < e->cold; i++)
    measure_customer(e, e->order[e->warm + i], e->trending, lane_number);
}

static void measure_baseline(void *argument, int64_t chunk, int lane_number) {
  const evaluating *e = argument;
  float *scores = e->lanes[lane_number].scores;
  for (int64_t c = chunk * CUSTOMERS_A_CHUNK; c < (chunk + 1) * CUSTOMERS_A_CHUNK && c < e->customers; c++) {
    as_baseline_score(e->baseline, e->numbers[c], c, scores);
    measure_customer(e, c, scores, lane_number);
  }
}

static int64_t chunks(int64_t count) { return (count + CUSTOMERS_A_CHUNK - 1) / CUSTOMERS_A_CHUNK; }

/* Fills the views' values and lists, by the model or by e->baseline. */
static as_status run(evaluating *e) {
  for (int i = 0; i < (e->baseline ? 1 : e->view_count); i++) {
    view *v = &e->views[i];
    memset(v->listed, 0, (size_t)as_context_threads(e->ctx) * (size_t)v->count * sizeof *v->listed);
  }
  if (e->baseline) {
    as_parallel_for(e->ctx, chunks(e->customers), measure_baseline, e);
    return AS_OK;
  }
  as_status status =
      as_score_users(e->ctx, &e->r->user_vectors, &e->r->item_vectors, e->warm_users, e->warm, take_block, e);
  if (status == AS_OK) as_parallel_for(e->ctx, chunks(e->cold), measure_cold, e);
  return status;
}

/* ---- summing up ------------------------------------------------------------------------------------------------- */

static as_recommend_scores nothing(void) {
  as_recommend_scores s = {0};
  for (int m = 0; m < AS_RECOMMEND_MEASURES; m++) s.values[m] = NAN;
  for (int m = 0; m < VALUES; m++) s.ci95[m] = (as_interval){NAN, NAN};
  return s;
}

/* Means and intervals over the customers order[from .. to) of the view. */
static as_status summarize_customers(const evaluating *e, const view *v, int64_t from, int64_t to,
                                     as_recommend_scores *out) {
  double *rows = as_alloc(e->ctx, (size_t)(to - from) * VALUES, sizeof *rows);
  *out = nothing();
  if (!rows) return AS_E_NOMEM;
  for (int64_t i = from; i < to; i++) {
    const double *values = v->values + e->order[i] * VALUES;
    if (isnan(values[AS_RECOMMEND_PRECISION])) continue; /* nothing relevant */
    memcpy(rows + out->customers++ * VALUES, values, VALUES * sizeof *rows);
  }
  for (int m = 0; m < VALUES; m++) {
    double sum = 0;
    int64_t defined = 0;
    for (int64_t i = 0; i < out->customers; i++) {
      if (isnan(rows[i * VALUES + m])) continue;
      sum += rows[i * VALUES + m];
      defined++;
    }
    if (defined > 0) out->values[m] = sum / (double)defined;
  }
  as_status status = as_bootstrap_means(e->ctx, out->customers, VALUES, rows, e->question->resamples,
                                        e->question->seed, out->ci95);
  as_free(e->ctx, rows);
  return status;
}

/* Coverage, Gini and novelty, of all customers' lists. */
static as_status summarize_lists(const evaluating *e, const view *v, as_recommend_scores *out) {
  const int64_t n = v->count;
  int64_t *known = as_alloc(e->ctx, (size_t)n, sizeof *known);
  if (!known) return AS_E_NOMEM;
  int64_t covered = 0;
  for (int64_t i = 0; i < n; i++) {
    for (int l = 1; l < as_context_threads(e->ctx); l++) v->listed[i] += v->listed[(size_t)l * (size_t)n + (size_t)i];
    covered += v->listed[i] > 0;
    known[i] = e->known[v->items ? v->items[i] : i];
  }
  if (n > 0) out->values[AS_RECOMMEND_COVERAGE] = (double)covered / (double)n;
  out->values[AS_RECOMMEND_NOVELTY] =
      as_novelty(v->listed, known, n, as_interactions_customers(e->r->interactions));
  out->values[AS_RECOMMEND_GINI] = as_gini(v->listed, n); /* sorts them */
  as_free(e->ctx, known);
  return AS_OK;
}

static as_status summarize(const evaluating *e, const view *v, as_recommend_scores *out) {
  as_status status = summarize_customers(e, v, 0, e->customers, out);
  return status == AS_OK ? summarize_lists(e, v, out) : status;
}

static as_status summarize_groups(const evaluating *e, as_recommend_evaluation *out) {
  as_status status =
      summarize_customers(e, &e->views[ALL], 0, e->warm, &out->groups[AS_EVALUATION_CUSTOMERS_WARM]);
  if (status == AS_OK)
    status = summarize_customers(e, &e->views[ALL], e->warm, e->customers, &out->groups[AS_EVALUATION_CUSTOMERS_COLD]);
  if (e->view_count == 1) { /* everything is warm */
    out->groups[AS_EVALUATION_PRODUCTS_WARM] = out->model;
    return status;
  }
  if (status == AS_OK) status = summarize(e, &e->views[WARM], &out->groups[AS_EVALUATION_PRODUCTS_WARM]);
  if (status == AS_OK) status = summarize(e, &e->views[COLD], &out->groups[AS_EVALUATION_PRODUCTS_COLD]);
  return status;
}

static as_status run_baseline(evaluating *e, as_baseline_kind kind, as_recommend_scores *out) {
  as_baseline baseline;
  as_status status = as_baseline_make(e->r, kind, e->question->positive, e->question->seed, &baseline);
  e->baseline = &baseline;
  if (status == AS_OK) status = run(e);
  if (status == AS_OK) status = summarize(e, &e->views[ALL], out);
  as_baseline_free(&baseline);
  e->baseline = NULL;
  return status;
}

as_status as_recommender_evaluate(const as_recommender *r, const as_evaluation_question *question,
                                  as_recommend_evaluation *out) {
  evaluating e = {.ctx = r->ctx, .r = r, .question = question, .products = as_products_count(r->products),
                  .customers = as_interactions_customers(question->test)};
  *out = (as_recommend_evaluation){.k = question->k, .resamples = question->resamples,
                                   .has_baselines = question->baselines};
  for (int g = 0; g < AS_EVALUATION_GROUPS; g++) out->groups[g] = nothing();
  if (question->k < 1 || question->resamples < 0)
    return as_fail(r->ctx, AS_E_INVALID, "cannot evaluate the first %" PRId64 " with %" PRId64 " resamples",
                   question->k, question->resamples);
  as_status status = set_up(&e);
  if (status == AS_OK) status = run(&e);
  if (status == AS_OK && question->customer_values)
    memcpy(question->customer_values, e.views[ALL].values, (size_t)e.customers * VALUES * sizeof(double));
  if (status == AS_OK) status = summarize(&e, &e.views[ALL], &out->model);
  if (status == AS_OK) status = summarize_groups(&e, out);
  for (int b = 0; status == AS_OK && question->baselines && b < AS_BASELINES; b++)
    if (b == AS_BASELINE_POPULAR || !question->popular_only)
      status = run_baseline(&e, (as_baseline_kind)b, &out->baselines[b]);
  tear_down(&e);
  return status;
}
