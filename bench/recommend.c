/* See recommend.h. */
#include "bench/recommend.h"

#include <math.h>

#include "base/clock.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/random.h"
#include "bench/bench.h"
#include "recommend/ranks.h"
#include "recommend/train.h"

enum { ASKED_STREAM = 0x75 };

typedef struct lane {
  as_rank_room room;
  as_place *places; /* [products] */
  int32_t *wanted;  /* [products] */
  double precision, auc;
  int64_t ranks, customers;
} lane;

typedef struct benching {
  as_context *ctx;
  const as_bench_pairs *pairs;
  const as_bench_recommend_options *options;
  as_feature_matrix customers;
  as_lightfm *model; /* the one trained last */
  int32_t *asked;    /* [options->asked] */
  as_best *best;     /* [asked, n] */
  int64_t *counts;   /* [asked] */
  double *values;    /* [repeats] */
  lane *lanes;
} benching;

/* ---- training --------------------------------------------------------------------------------------------------- */

static bool note_updates(void *user, const as_fit_progress *progress) {
  *(double *)user = progress->updates;
  return true;
}

static as_status fit(benching *b, double *updates) {
  const as_bench_pairs *p = b->pairs;
  const as_bench_recommend_options *o = b->options;
  const as_fit_rows rows = {p->count, p->users, p->items, NULL, {p->starts, p->items}};
  if (o->als) {
    const as_recommend_settings usual = as_recommend_settings_usual(AS_LIGHTFM_ALS);
    const as_als_options options = {.confidence = usual.confidence, .item_alpha = usual.item_alpha,
                                    .user_alpha = usual.user_alpha, .epochs = o->epochs};
    return as_lightfm_als(b->model, &rows, &options, NULL);
  }
  as_fit_options options = as_fit_options_usual();
  options.epochs = o->epochs;
  options.seed = o->seed;
  options.hogwild = o->hogwild;
  options.progress = note_updates;
  options.progress_user = updates;
  return as_lightfm_fit(b->model, &b->customers, &p->features, &rows, &options, NULL);
}

static as_status train_once(benching *b, double *seconds, double *updates) {
  const as_bench_recommend_options *o = b->options;
  as_lightfm_free(b->model);
  b->model = NULL;
  as_status status = as_lightfm_new(b->ctx, o->dim, AS_LIGHTFM_ADAGRAD, b->pairs->features.features,
                                    b->pairs->customers, o->seed, &b->model);
  const double start = as_seconds();
  if (status == AS_OK) status = fit(b, updates);
  *seconds = as_seconds() - start;
  return status;
}

static as_status bench_training(benching *b, as_bench_recommending *out) {
  as_status status = AS_OK;
  for (int64_t i = 0; status == AS_OK && i < b->options->repeats; i++) {
    double seconds;
    status = train_once(b, &seconds, &out->updates);
    b->values[i] = (double)b->pairs->count * (double)b->options->epochs / seconds;
  }
  if (status == AS_OK) out->rows_per_second = as_spread_of(b->values, b->options->repeats);
  return status;
}

/* ---- answering -------------------------------------------------------------------------------------------------- */

static as_status bench_top(benching *b, const as_vectors *users, const as_vectors *items, as_bench_recommending *out) {
  const as_bench_recommend_options *o = b->options;
  const as_bench_pairs *p = b->pairs;
  const as_top_question question = {.users = b->asked, .count = o->asked, .n = o->n, .seen_starts = p->starts,
                                    .seen = p->items};
  as_status status = AS_OK;
  for (int64_t i = -1; status == AS_OK && i < o->repeats; i++) {
    const double start = as_seconds();
    status = as_top_items(b->ctx, users, items, &question, b->best, b->counts);
    if (i >= 0) b->values[i] = as_seconds() - start;
  }
  if (status == AS_OK) out->top_seconds = as_spread_of(b->values, o->repeats);
  return status;
}

/* ---- ranks ------------------------------------------------------------------------------------------------------ */

/* Every unmet product is wanted. */
static void rank_block(void *argument, const as_score_block *block, int lane_number) {
  const benching *b = argument;
  const as_bench_pairs *p = b->pairs;
  lane *l = &b->lanes[lane_number];
  const int64_t k = 10;
  double at[AS_RANKING_MEASURES];
  as_ranking_scores s = {.at = at};
  for (int64_t i = 0; i < block->count; i++) {
    const int32_t *seen = p->items + p->starts[block->users[i]];
    const int64_t seen_count = p->starts[block->users[i] + 1] - p->starts[block->users[i]];
    int64_t count = 0, next = 0;
    for (int64_t item = 0; item < p->products; item++) {
      if (next < seen_count && seen[next] == item)
        next++;
      else
        l->wanted[count++] = (int32_t)item;
    }
    const int64_t candidates = as_rank_items(&l->room, block->scores + i * block->items, block->items, seen, seen_count,
                                             l->wanted, count, l->places);
    as_ranking_from_places(l->places, count, NULL, candidates, &k, 1, &s);
    l->precision += at[AS_PRECISION_AT_K];
    l->auc += isnan(s.auc) ? 0 : s.auc;
    l->ranks += count;
    l->customers++;
  }
}

static as_status make_lanes(benching *b) {
  const size_t n = (size_t)b->pairs->products;
  as_status status = AS_OK;
  b->lanes = as_alloc_zero(b->ctx, (size_t)as_context_threads(b->ctx), sizeof *b->lanes);
  if (!b->lanes) return AS_E_NOMEM;
  for (int i = 0; status == AS_OK && i < as_context_threads(b->ctx); i++) {
    lane *l = &b->lanes[i];
    status = as_rank_room_make(b->ctx, b->pairs->products, &l->room);
    l->places = as_alloc(b->ctx, n, sizeof *l->places);
    l->wanted = as_alloc(b->ctx, n, sizeof *l->wanted);
    if (!l->places || !l->wanted) status = AS_E_NOMEM;
  }
  return status;
}

static void free_lanes(benching *b) {
  for (int i = 0; b->lanes && i < as_context_threads(b->ctx); i++) {
    as_rank_room_free(b->ctx, &b->lanes[i].room);
    as_free(b->ctx, b->lanes[i].places);
    as_free(b->ctx, b->lanes[i].wanted);
  }
  as_free(b->ctx, b->lanes);
}

static as_status bench_ranks(benching *b, const as_vectors *users, const as_vectors *items,
                             as_bench_recommending *out) {
  const int64_t repeats = b->options->repeats;
  as_status status = make_lanes(b);
  for (int64_t i = -1; status == AS_OK && i < repeats; i++) {
    const double start = as_seconds();
    for (int l = 0; l < as_context_threads(b->ctx); l++) {
      b->lanes[l].precision = b->lanes[l].auc = 0;
      b->lanes[l].ranks = b->lanes[l].customers = 0;
    }
    status = as_score_users(b->ctx, users, items, b->asked, b->options->asked, rank_block, b);
    if (i >= 0) b->values[i] = as_seconds() - start;
  }
  if (status == AS_OK) {
    double precision = 0, auc = 0;
    out->rank_seconds = as_spread_of(b->values, repeats);
    for (int l = 0; l < as_context_threads(b->ctx); l++) {
      precision += b->lanes[l].precision;
      auc += b->lanes[l].auc;
      out->ranks += b->lanes[l].ranks;
    }
    out->precision = precision / (double)b->options->asked;
    out->auc = auc / (double)b->options->asked;
  }
  free_lanes(b);
  return status;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static as_status answer_all(benching *b, as_bench_recommending *out) {
  const as_bench_recommend_options *o = b->options;
  const as_permutation order = as_permutation_start((uint64_t)b->pairs->customers, o->seed, ASKED_STREAM);
  as_vectors users = {0}, items = {0};
  b->asked = as_alloc(b->ctx, (size_t)o->asked, sizeof *b->asked);
  b->best = as_alloc(b->ctx, (size_t)(o->asked * o->n), sizeof *b->best);
  b->counts = as_alloc(b->ctx, (size_t)o->asked, sizeof *b->counts);
  as_status status = b->asked && b->best && b->counts ? AS_OK : AS_E_NOMEM;
  for (int64_t i = 0; status == AS_OK && i < o->asked; i++)
    b->asked[i] = o->asked == b->pairs->customers ? (int32_t)i : (int32_t)as_permutation_at(&order, (uint64_t)i);
  if (status == AS_OK) status = as_vectors_make(b->ctx, b->model, &b->pairs->features, true, &items);
  if (status == AS_OK) status = as_vectors_make(b->ctx, b->model, &b->customers, false, &users);
  if (status == AS_OK) status = bench_top(b, &users, &items, out);
  if (status == AS_OK) status = bench_ranks(b, &users, &items, out);
  as_vectors_free(b->ctx, &users);
  as_vectors_free(b->ctx, &items);
  return status;
}

as_status as_bench_recommend(const as_bench_pairs *pairs, const as_bench_recommend_options *options,
                             as_bench_recommending *out) {
  as_bench_recommend_options o = *options;
  if (o.asked < 1 || o.asked > pairs->customers) o.asked = pairs->customers;
  benching b = {.ctx = pairs->ctx, .pairs = pairs, .options = &o, .customers = as_feature_identity(pairs->customers)};
  *out = (as_bench_recommending){.asked = o.asked, .updates = NAN};
  b.values = as_alloc(b.ctx, (size_t)o.repeats, sizeof *b.values);
  as_status status = b.values ? bench_training(&b, out) : AS_E_NOMEM;
  out->trained_peak = as_peak_resident_bytes();
  if (status == AS_OK && o.n > 0) status = answer_all(&b, out);
  as_lightfm_free(b.model);
  void *const all[] = {b.asked, b.best, b.counts, b.values};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) as_free(b.ctx, all[i]);
  return status;
}
