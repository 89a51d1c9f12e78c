/* See lightfm_exact.h. The order of additions and the places of the roundings are LightFM's; don't tidy them. */
#include "recommend/lightfm_exact.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

#define MAX_LOSS 10.0
#define MAX_SCALE 1000000.0

bool as_seen_has(const as_seen *seen, int64_t user, int32_t item) {
  int64_t low = seen->starts[user], high = seen->starts[user + 1];
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (seen->items[middle] < item)
      low = middle + 1;
    else
      high = middle;
  }
  return low < seen->starts[user + 1] && seen->items[low] == item;
}

uint32_t as_lightfm_rand(uint32_t *state) {
  uint32_t x = *state = *state * UINT32_C(1103515245) + UINT32_C(12345);
  x ^= x >> 11;
  x ^= (x << 7) & UINT32_C(0x9D2C5680);
  x ^= (x << 15) & UINT32_C(0xEFC60000);
  x ^= x >> 18;
  return x >> 1;
}

as_status as_lightfm_exact_start(as_lightfm_exact *run) {
  as_context *ctx = run->model->ctx;
  run->item_scale = run->user_scale = 1;
  const size_t n = (size_t)run->n + 1;
  run->scratch = as_alloc(ctx, 4 * ((size_t)run->model->dim + 1), sizeof *run->scratch);
  run->kos = as_alloc(ctx, n, sizeof *run->kos + sizeof(int32_t));
  return run->scratch && run->kos ? AS_OK : AS_E_NOMEM;
}

void as_lightfm_exact_end(as_lightfm_exact *run) {
  if (!run->model) return;
  as_free(run->model->ctx, run->scratch);
  as_free(run->model->ctx, run->kos);
  as_free(run->model->ctx, run->draws);
  run->scratch = NULL;
  run->kos = NULL;
  run->draws = NULL;
  run->draw_count = run->draws_size = 0;
}

/* ---- one scalar ------------------------------------------------------------------------------------------------- */

/* One step on parameter *p with gradient times feature weight; returns the local learning rate. */
static double step_scalar(const as_lightfm_exact *run, float *p, float *sq, float *mom, float weight, double gradient,
                          double alpha) {
  const double w = (double)weight;
  double rate;
  if (mom) {
    const double rest = (double)(float)(1 - run->rho);
    *sq = (float)((double)(run->rho * *sq) + rest * ((w * gradient) * (w * gradient)));
    rate = sqrt((double)(*mom + run->epsilon)) / sqrt((double)(*sq + run->epsilon));
    const double update = rate * gradient * w;
    *mom = (float)((double)(run->rho * *mom) + rest * (update * update));
    *p = (float)((double)*p - update);
  } else {
    rate = (double)run->learning_rate / sqrt((double)*sq);
    *p = (float)((double)*p - rate * w * gradient);
    *sq = (float)((double)*sq + (gradient * w) * (gradient * w));
  }
  *p = (float)((double)*p * (1.0 + alpha * rate));
  return rate;
}

static double step_biases(const as_lightfm_exact *run, as_lightfm_side *side, as_feature_row row, double gradient,
                          double alpha) {
  double rates = 0;
  for (int64_t i = 0; i < row.count; i++) {
    const int64_t f = as_feature_index(&row, i);
    rates += step_scalar(run, side->biases + f, side->bias_sq + f, side->bias_mom ? side->bias_mom + f : NULL,
                         as_feature_weight(&row, i), gradient, alpha);
  }
  return rates;
}

static double step_component(const as_lightfm_exact *run, as_lightfm_side *side, as_feature_row row, int32_t j,
                             double gradient, double alpha) {
  double rates = 0;
  for (int64_t i = 0; i < row.count; i++) {
    const int64_t at = as_feature_index(&row, i) * (int64_t)run->model->dim + j;
    rates += step_scalar(run, side->embeddings + at, side->embedding_sq + at,
                         side->embedding_mom ? side->embedding_mom + at : NULL, as_feature_weight(&row, i), gradient,
                         alpha);
  }
  return rates;
}

/* ---- one update ------------------------------------------------------------------------------------------------- */

static float *scratch_of(const as_lightfm_exact *run, int which) {
  return run->scratch + which * (run->model->dim + 1);
}

static void represent_item(const as_lightfm_exact *run, int32_t item, float *out) {
  as_lightfm_represent(&run->model->items, run->model->dim, as_feature_row_of(run->items, item), run->item_scale, out);
}

static void move_scales(as_lightfm_exact *run, double rates, int64_t features) {
  const double mean = rates / (double)((run->model->dim + 1) * features);
  run->item_scale *= 1.0 + run->item_alpha * mean;
  run->user_scale *= 1.0 + run->user_alpha * mean;
}

/* A pair: the positive item goes up, the negative one down. Representations were taken before. */
static void update_pair(as_lightfm_exact *run, double loss, int32_t user, int32_t positive, int32_t negative,
                        const float *u, const float *p, const float *n) {
  as_lightfm *m = run->model;
  const as_feature_row up = as_feature_row_of(run->items, positive), down = as_feature_row_of(run->items, negative);
  const as_feature_row own = as_feature_row_of(run->users, user);
  double rates = 0;
  rates += step_biases(run, &m->items, up, -loss, run->item_alpha);
  rates += step_biases(run, &m->items, down, loss, run->item_alpha);
  rates += step_biases(run, &m->users, own, loss, run->user_alpha);
  for (int32_t j = 0; j < m->dim; j++) {
    rates += step_component(run, &m->items, up, j, -loss * (double)u[j], run->item_alpha);
    rates += step_component(run, &m->items, down, j, loss * (double)u[j], run->item_alpha);
    rates += step_component(run, &m->users, own, j, loss * (double)(n[j] - p[j]), run->user_alpha);
  }
  move_scales(run, rates, own.count + up.count + down.count);
}

static void update_point(as_lightfm_exact *run, double loss, int32_t user, int32_t item, const float *u,
                         const float *i) {
  as_lightfm *m = run->model;
  const as_feature_row it = as_feature_row_of(run->items, item), own = as_feature_row_of(run->users, user);
  double rates = 0;
  rates += step_biases(run, &m->items, it, loss, run->item_alpha);
  rates += step_biases(run, &m->users, own, loss, run->user_alpha);
  for (int32_t j = 0; j < m->dim; j++) {
    rates += step_component(run, &m->items, it, j, loss * (double)u[j], run->item_alpha);
    rates += step_component(run, &m->users, own, j, loss * (double)i[j], run->user_alpha);
  }
  move_scales(run, rates, own.count + it.count);
}

static void divide(float *values, int64_t count, double scale) {
  for (int64_t i = 0; i < count; i++) values[i] = (float)((double)values[i] / scale);
}

void as_lightfm_exact_regularize(as_lightfm_exact *run) {
  as_lightfm *m = run->model;
  divide(m->items.embeddings, m->items.features * m->dim, run->item_scale);
  divide(m->items.biases, m->items.features, run->item_scale);
  divide(m->users.embeddings, m->users.features * m->dim, run->user_scale);
  divide(m->users.biases, m->users.features, run->user_scale);
  run->item_scale = run->user_scale = 1;
}

/* ---- the losses ------------------------------------------------------------------------------------------------- */

static float sigmoid(float value) { return (float)(1.0 / (1.0 + exp(-(double)value))); }

static bool note_draw(as_lightfm_exact *run, int32_t item) {
  int32_t *draws = as_grow(run->model->ctx, run->draws, &run->draws_size, run->draw_count + 1, sizeof *draws);
  if (!draws) return false;
  run->draws = draws;
  draws[run->draw_count++] = item;
  return true;
}

static void step_logistic(as_lightfm_exact *run, int32_t user, float y, float weight, const float *u,
                          as_exact_step *out) {
  float *i = scratch_of(run, 1);
  represent_item(run, out->positive, i);
  const float probability = sigmoid(as_lightfm_score(u, i, run->model->dim));
  out->positive_score = (double)probability;
  out->loss = (double)weight * ((double)probability - (y > 0 ? 1 : 0));
  update_point(run, out->loss, user, out->positive, u, i);
}

/* Draws until an item's score comes within 1 of the positive one's. */
static as_status step_warp(as_lightfm_exact *run, int32_t user, float weight, const float *u, as_exact_step *out) {
  float *p = scratch_of(run, 1), *n = scratch_of(run, 2);
  const int64_t items = run->items->rows;
  represent_item(run, out->positive, p);
  const float score = as_lightfm_score(u, p, run->model->dim);
  out->positive_score = (double)score;
  for (int32_t sampled = 1; sampled <= run->max_sampled; sampled++) {
    const int32_t negative = (int32_t)(as_lightfm_rand(&run->random) % (uint32_t)items);
    if (!note_draw(run, negative)) return AS_E_NOMEM;
    represent_item(run, negative, n);
    const float other = as_lightfm_score(u, n, run->model->dim);
    if (!((double)other > (double)score - 1.0)) continue;
    if (as_seen_has(&run->seen, user, negative)) continue;
    const int64_t rank = (items - 1) / sampled;
    out->loss = (double)weight * log(rank > 1 ? (double)rank : 1.0);
    if (out->loss > MAX_LOSS) out->loss = MAX_LOSS;
    out->negative = negative;
    out->negative_score = (double)other;
    update_pair(run, out->loss, user, out->positive, negative, u, p, n);
    break;
  }
  return AS_OK;
}

/* Chooses the k-th best of n positives, then goes on as WARP with weight 1. */
static as_status step_kos(as_lightfm_exact *run, int32_t user, const float *u, as_exact_step *out) {
  const int64_t start = run->seen.starts[user], mine = run->seen.starts[user + 1] - start;
  const int64_t count = run->n < mine ? run->n : mine;
  int32_t *drawn = (int32_t *)(run->kos + run->n + 1);
  if (count == 0) return AS_OK;
  float *p = scratch_of(run, 1);
  for (int64_t i = 0; i < count; i++) {
    drawn[i] = run->seen.items[start + (int64_t)(as_lightfm_rand(&run->random) % (uint32_t)mine)];
    represent_item(run, drawn[i], p);
    const as_exact_draw draw = {drawn[i], as_lightfm_score(u, p, run->model->dim)};
    int64_t at = i; /* insertion: the highest first, equal ones in the order of their drawing */
    for (; at > 0 && run->kos[at - 1].score < draw.score; at--) run->kos[at] = run->kos[at - 1];
    run->kos[at] = draw;
  }
  out->kos_count = count;
  out->kos_items = drawn;
  out->positive = run->kos[(run->k < count ? run->k : count) - 1].item;
  return step_warp(run, user, 1, u, out);
}

static as_status step_bpr(as_lightfm_exact *run, int32_t user, float weight, const float *u, as_exact_step *out) {
  float *p = scratch_of(run, 1), *n = scratch_of(run, 2);
  for (int64_t i = 0; i < run->train_item_count; i++) {
    const uint32_t draw = as_lightfm_rand(&run->random);
    out->negative = run->train_items[draw % (uint32_t)run->train_item_count];
    if (!note_draw(run, out->negative)) return AS_E_NOMEM;
    if (!as_seen_has(&run->seen, user, out->negative)) break;
  }
  represent_item(run, out->positive, p);
  represent_item(run, out->negative, n);
  const float score = as_lightfm_score(u, p, run->model->dim), other = as_lightfm_score(u, n, run->model->dim);
  out->positive_score = (double)score;
  out->negative_score = (double)other;
  out->loss = (double)weight * (1.0 - (double)sigmoid(score - other));
  update_pair(run, out->loss, user, out->positive, out->negative, u, p, n);
  return AS_OK;
}

as_status as_lightfm_exact_step(as_lightfm_exact *run, int32_t user, int32_t item, float y, float weight,
                                as_exact_step *out) {
  float *u = scratch_of(run, 0);
  as_status status = AS_OK;
  *out = (as_exact_step){.positive = item, .negative = -1};
  run->draw_count = 0;
  as_lightfm_represent(&run->model->users, run->model->dim, as_feature_row_of(run->users, user), run->user_scale, u);
  switch (run->loss) {
  case AS_LIGHTFM_LOGISTIC: step_logistic(run, user, y, weight, u, out); break;
  case AS_LIGHTFM_WARP_KOS: status = step_kos(run, user, u, out); break;
  case AS_LIGHTFM_BPR: status = step_bpr(run, user, weight, u, out); break;
  default: status = step_warp(run, user, weight, u, out); break;
  }
  if (run->item_scale > MAX_SCALE || run->user_scale > MAX_SCALE) as_lightfm_exact_regularize(run);
  return status;
}
