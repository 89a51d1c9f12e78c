/* See baselines.h. Sums run over customers and products in the order of their numbers, so scores don't depend on the
 * number of threads. */
#include "recommend/baselines.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "recommend/pairwise.h"

enum { NEIGHBOURS = 50, ITEMS_A_CHUNK = 16, RANDOM_STREAM = 0x51 };
#define KNN_SHRINKAGE 10.0f
#define RECENT_HALF_LIFE 7.0 /* days */

const char *as_baseline_name(as_baseline_kind kind) {
  static const char *const names[AS_BASELINES] = {"random", "popular", "recently_popular", "item_knn"};
  return names[kind];
}

/* ---- popularity ------------------------------------------------------------------------------------------------- */

/* Adds each customer to what it had to do with by such a type (all types: NULL), once, and by the last time. */
static bool count_customers(const as_recommender *r, const bool *positive, bool recent, int64_t *latest,
                            double *sums) {
  const as_interactions *t = r->interactions;
  bool any = false;
  for (int64_t c = 0; c < as_interactions_customers(t); c++)
    for (int64_t i = t->starts[c + 1]; i-- > t->starts[c];) { /* a customer's rows stand by time: the last comes first */
      const as_interaction *row = &t->rows[i];
      if ((positive && !positive[row->type]) || latest[row->product] == c) continue;
      const double age = (double)(t->newest - row->time) / AS_DAY_SECONDS;
      latest[row->product] = c;
      sums[row->product] += recent ? exp2(-age / RECENT_HALF_LIFE) : 1;
      any = true;
    }
  return any;
}

static as_status make_popular(as_baseline *b, const bool *positive, bool recent) {
  const as_recommender *r = b->recommender;
  const size_t n = (size_t)as_products_count(r->products);
  int64_t *latest = as_alloc(b->ctx, n, sizeof *latest); /* the last customer that was counted */
  double *sums = as_alloc_zero(b->ctx, n, sizeof *sums);
  b->shared = as_alloc(b->ctx, n, sizeof *b->shared);
  const bool ok = latest && sums && b->shared;
  for (size_t i = 0; ok && i < n; i++) latest[i] = -1;
  if (ok && !count_customers(r, positive, recent, latest, sums)) count_customers(r, NULL, recent, latest, sums);
  for (size_t i = 0; ok && i < n; i++) b->shared[i] = (float)sums[i];
  as_free(b->ctx, latest);
  as_free(b->ctx, sums);
  return ok ? AS_OK : AS_E_NOMEM;
}

/* ---- nearest products ------------------------------------------------------------------------------------------- */

typedef struct nearing {
  const as_recommender *r;
  const as_pair_kernels *kernels;
  int64_t products;
  int64_t *starts;    /* [products + 1] */
  int32_t *customers; /* of each product, ascending */
  float *together;    /* [lanes, products] customers in common; zero between products */
  as_best *nearest;   /* [products, NEIGHBOURS] */
  int64_t *counts;    /* [products] */
} nearing;

static void find_nearest(nearing *n, int64_t item, float *together) {
  const as_recommender *r = n->r;
  const int64_t mine = n->starts[item + 1] - n->starts[item];
  for (int64_t i = n->starts[item]; i < n->starts[item + 1]; i++) {
    const int32_t c = n->customers[i];
    for (int64_t s = r->seen_starts[c]; s < r->seen_starts[c + 1]; s++) together[r->seen[s]] += 1;
  }
  together[item] = 0;
  for (int64_t j = 0; j < n->products; j++) {
    if (!(together[j] > 0)) continue;
    const float other = (float)(n->starts[j + 1] - n->starts[j]);
    together[j] /= sqrtf((float)mine * other) + KNN_SHRINKAGE;
  }
  as_best *best = n->nearest + item * NEIGHBOURS;
  int64_t count = as_select_best_with(n->kernels, together, n->products, NULL, 0, NEIGHBOURS, best);
  while (count > 0 && !(best[count - 1].score > 0)) count--;
  n->counts[item] = count;
  memset(together, 0, (size_t)n->products * sizeof *together);
}

static void find_chunk(void *argument, int64_t chunk, int lane) {
  nearing *n = argument;
  for (int64_t i = chunk * ITEMS_A_CHUNK; i < (chunk + 1) * ITEMS_A_CHUNK && i < n->products; i++)
    find_nearest(n, i, n->together + (size_t)lane * (size_t)n->products);
}

/* The customers of each product. */
static as_status transpose_seen(nearing *n) {
  const as_recommender *r = n->r;
  const int64_t customers = as_interactions_customers(r->interactions), pairs = r->seen_starts[customers];
  n->starts = as_alloc_zero(r->ctx, (size_t)n->products + 2, sizeof *n->starts);
  n->customers = as_alloc(r->ctx, (size_t)pairs, sizeof *n->customers);
  if (!n->starts || !n->customers) return AS_E_NOMEM;
  for (int64_t s = 0; s < pairs; s++) n->starts[r->seen[s] + 2]++;
  for (int64_t i = 2; i <= n->products + 1; i++) n->starts[i] += n->starts[i - 1];
  for (int64_t c = 0; c < customers; c++)
    for (int64_t s = r->seen_starts[c]; s < r->seen_starts[c + 1]; s++)
      n->customers[n->starts[r->seen[s] + 1]++] = (int32_t)c;
  return AS_OK;
}

/* From the nearest of each product to, for each product, those that it is near to. */
static as_status turn_round(const nearing *n, as_baseline *b) {
  int64_t total = 0;
  for (int64_t i = 0; i < n->products; i++) total += n->counts[i];
  b->starts = as_alloc_zero(b->ctx, (size_t)n->products + 2, sizeof *b->starts);
  b->likes = as_alloc(b->ctx, (size_t)total, sizeof *b->likes);
  b->closeness = as_alloc(b->ctx, (size_t)total, sizeof *b->closeness);
  if (!b->starts || !b->likes || !b->closeness) return AS_E_NOMEM;
  for (int64_t i = 0; i < n->products; i++)
    for (int64_t j = 0; j < n->counts[i]; j++) b->starts[n->nearest[i * NEIGHBOURS + j].item + 2]++;
  for (int64_t i = 2; i <= n->products + 1; i++) b->starts[i] += b->starts[i - 1];
  for (int64_t i = 0; i < n->products; i++)
    for (int64_t j = 0; j < n->counts[i]; j++) {
      const as_best *near = &n->nearest[i * NEIGHBOURS + j];
      const int64_t at = b->starts[near->item + 1]++;
      b->likes[at] = (int32_t)i;
      b->closeness[at] = near->score;
    }
  return AS_OK;
}

static as_status make_knn(as_baseline *b) {
  const as_recommender *r = b->recommender;
  nearing n = {.r = r, .kernels = b->kernels, .products = as_products_count(r->products)};
  const size_t products = (size_t)n.products;
  n.together = as_alloc_zero(b->ctx, (size_t)as_context_threads(b->ctx) * products, sizeof *n.together);
  n.nearest = as_alloc(b->ctx, products * NEIGHBOURS, sizeof *n.nearest);
  n.counts = as_alloc(b->ctx, products, sizeof *n.counts);
  as_status status = n.together && n.nearest && n.counts ? transpose_seen(&n) : AS_E_NOMEM;
  if (status == AS_OK) {
    as_parallel_for(b->ctx, (n.products + ITEMS_A_CHUNK - 1) / ITEMS_A_CHUNK, find_chunk, &n);
    status = turn_round(&n, b);
  }
  void *const all[] = {n.starts, n.customers, n.together, n.nearest, n.counts};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) as_free(b->ctx, all[i]);
  return status;
}

/* Products that are near to nothing the customer met come behind, the popular ones first. */
static void score_knn(const as_baseline *b, int64_t customer, float *scores) {
  const as_recommender *r = b->recommender;
  const int64_t products = as_products_count(r->products);
  const float behind = (float)as_interactions_customers(r->interactions) + 1;
  memset(scores, 0, (size_t)products * sizeof *scores);
  for (int64_t s = customer < 0 ? 0 : r->seen_starts[customer]; customer >= 0 && s < r->seen_starts[customer + 1]; s++)
    for (int64_t at = b->starts[r->seen[s]]; at < b->starts[r->seen[s] + 1]; at++)
      scores[b->likes[at]] += b->closeness[at];
  for (int64_t i = 0; i < products; i++)
    if (!(scores[i] > 0)) scores[i] = b->shared[i] / behind - 1;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

as_status as_baseline_make(const as_recommender *recommender, as_baseline_kind kind, const bool *positive,
                           uint64_t seed, as_baseline *out) {
  *out = (as_baseline){.ctx = recommender->ctx, .recommender = recommender, .kind = kind, .seed = seed};
  as_status status = as_pair_kernels_select(out->ctx, &out->kernels);
  if (status == AS_OK && kind != AS_BASELINE_RANDOM) status = make_popular(out, positive, kind == AS_BASELINE_RECENT);
  if (status == AS_OK && kind == AS_BASELINE_KNN) status = make_knn(out);
  return status;
}

void as_baseline_free(as_baseline *b) {
  if (!b->ctx) return;
  void *const all[] = {b->shared, b->starts, b->likes, b->closeness};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) as_free(b->ctx, all[i]);
  *b = (as_baseline){0};
}

void as_baseline_score(const as_baseline *b, int64_t customer, int64_t draw, float *scores) {
  const size_t products = (size_t)as_products_count(b->recommender->products);
  uint32_t word;
  switch (b->kind) {
  case AS_BASELINE_RANDOM:
    b->kernels->words(b->seed, RANDOM_STREAM | (uint64_t)draw << 8, 0, (products + 3) / 4 * 4, (uint32_t *)(void *)scores);
    for (size_t i = 0; i < products; i++) {
      memcpy(&word, scores + i, sizeof word);
      scores[i] = (float)(word >> 8);
    }
    break;
  case AS_BASELINE_KNN: score_knn(b, customer, scores); break;
  default: memcpy(scores, b->shared, products * sizeof *scores); break;
  }
}
