/* The inner loops of training as plain C: the oracle of the SIMD ones, and what machines without them use. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "recommend/pairwise.h"
#include "recommend/pairwise_tables.h"

static void words(uint64_t seed, uint64_t stream, uint64_t first, size_t n, uint32_t *out) {
  as_random random = as_random_start(seed, stream);
  random.position = first;
  for (size_t i = 0; i < n; i++) out[i] = as_random_u32(&random);
}

/* Components from .. to of a row's representation. */
static void represent_row(const as_pair_side *side, int64_t row, size_t from, size_t to, float *out) {
  const as_feature_row features = as_feature_row_of(&side->features, row);
  for (size_t j = from; j < to; j++) out[j - from] = 0;
  for (int64_t f = 0; f < features.count; f++) {
    const float weight = as_feature_weight(&features, f);
    const float *embedding = side->rows + (size_t)as_feature_index(&features, f) * side->stride;
    for (size_t j = from; j < to; j++) out[j - from] += weight * embedding[j];
  }
  for (size_t j = from; j < to; j++) out[j - from] = out[j - from] * side->mask[j] + side->ones[j];
}

static void represent(const as_pair_side *side, size_t width, int64_t from, int64_t to, float *out) {
  for (int64_t row = from; row < to; row++) represent_row(side, row, 0, width, out + (size_t)(row - from) * width);
}

static float dot(const float *a, const float *b, size_t width) {
  float sum = 0;
  for (size_t j = 0; j < width; j++) sum += a[j] * b[j];
  return sum;
}

static float sigmoid(float x) { return 1 / (1 + expf(-x)); }

static const float *item_row(const as_pair_sampling *s, int32_t item) {
  return s->item_rows + (size_t)item * s->item_stride;
}

/* The k-th best of n drawn positives. */
static int32_t choose_positive(const as_pair_sampling *s, size_t i, const float *u) {
  const uint32_t *word = s->words + i * s->words_per_row;
  const int64_t mine = s->seen_starts[s->users[i] + 1] - s->seen_starts[s->users[i]];
  const int32_t count = mine < s->n ? (int32_t)mine : s->n, k = s->k < count ? s->k : count;
  int32_t best[AS_PAIR_MOST_SAMPLED];
  float scores[AS_PAIR_MOST_SAMPLED];
  for (int32_t t = 0; t < count; t++) {
    const int32_t item = as_pair_positive(s, s->users[i], word[t]);
    const float score = dot(u, item_row(s, item), s->width);
    int32_t at = t;
    for (; at > 0 && scores[at - 1] < score; at--) scores[at] = scores[at - 1], best[at] = best[at - 1];
    scores[at] = score;
    best[at] = item;
  }
  return best[k - 1];
}

static void sample_warp(const as_pair_sampling *s, size_t i, const float *u, as_pair_step *step) {
  const uint32_t *word = s->words + i * s->words_per_row + (s->words_per_row - (size_t)s->max_sampled);
  const float weight = s->weights && s->loss == AS_LIGHTFM_WARP ? s->weights[i] : 1;
  const float bound = dot(u, item_row(s, step->positive), s->width) - 1;
  int32_t seen = 0;
  for (int32_t t = 0; t < s->max_sampled; t++) {
    const int32_t item = as_pair_candidate(s, word[t]);
    if (!(dot(u, item_row(s, item), s->width) > bound)) continue;
    if (as_pair_is_seen(s, step->user, item)) {
      seen++;
      continue;
    }
    const float loss = weight * s->rank_loss[t + 1 - seen];
    *step = (as_pair_step){step->user, step->positive, item, -loss, loss};
    return;
  }
}

/* The first drawn item that the user has not seen. */
static void sample_any(const as_pair_sampling *s, size_t i, const float *u, as_pair_step *step) {
  const uint32_t *word = s->words + i * s->words_per_row;
  const float weight = s->weights ? s->weights[i] : 1;
  for (int32_t t = 0; t < s->max_sampled; t++) {
    const int32_t item = as_pair_candidate(s, word[t]);
    if (as_pair_is_seen(s, step->user, item)) continue;
    const float positive = dot(u, item_row(s, step->positive), s->width), negative = dot(u, item_row(s, item), s->width);
    step->negative = item;
    if (s->loss == AS_LIGHTFM_BPR) {
      step->slope_negative = weight * sigmoid(negative - positive);
      step->slope_positive = -step->slope_negative;
    } else {
      step->slope_positive = weight * (sigmoid(positive) - 1);
      step->slope_negative = weight * sigmoid(negative);
    }
    return;
  }
}

static void sample(const as_pair_sampling *s) {
  for (size_t i = 0; i < s->count; i++) {
    const float *u = s->user_rows + (s->users_by_row ? i : (size_t)s->users[i]) * s->user_stride;
    as_pair_step *step = &s->steps[i];
    *step = (as_pair_step){.user = s->users[i], .positive = s->items[i], .negative = -1};
    if (s->loss == AS_LIGHTFM_WARP_KOS) step->positive = choose_positive(s, i, u);
    if (s->loss == AS_LIGHTFM_BPR || s->loss == AS_LIGHTFM_LOGISTIC)
      sample_any(s, i, u, step);
    else
      sample_warp(s, i, u, step);
  }
}

/* Moves component j of one feature by the gradient of the row times the feature's weight. */
static void move(const as_pair_model *m, const as_pair_side *side, float *row, size_t j, float gradient) {
  float *p = row + j, *sq = row + m->width + j, *mom = row + 2 * m->width + j;
  const float shrink = side->alpha * *p * side->mask[j];
  if (m->adadelta) {
    *sq = m->rho * *sq + (1 - m->rho) * gradient * gradient;
    const float rate = sqrtf(*mom + m->epsilon) / sqrtf(*sq + m->epsilon);
    const float update = rate * gradient;
    *mom = m->rho * *mom + (1 - m->rho) * update * update;
    *p -= update + rate * shrink;
  } else {
    const float rate = m->learning_rate / sqrtf(*sq);
    *p -= rate * (gradient + shrink);
    *sq += gradient * gradient;
  }
}

static void move_row(const as_pair_model *m, const as_pair_side *side, int32_t row, size_t j, float gradient) {
  const as_feature_row features = as_feature_row_of(&side->features, row);
  for (int64_t f = 0; f < features.count; f++)
    move(m, side, side->rows + (size_t)as_feature_index(&features, f) * side->stride, j,
         as_feature_weight(&features, f) * gradient);
}

static void apply(const as_pair_model *m, const as_pair_step *steps, size_t count, size_t from, size_t to) {
  for (size_t i = 0; i < count; i++) {
    const as_pair_step *s = &steps[i];
    for (size_t j = from; j < to && s->negative >= 0; j++) {
      float u, p, n;
      represent_row(&m->users, s->user, j, j + 1, &u);
      represent_row(&m->items, s->positive, j, j + 1, &p);
      represent_row(&m->items, s->negative, j, j + 1, &n);
      move_row(m, &m->users, s->user, j, m->users.mask[j] * (s->slope_positive * p + s->slope_negative * n));
      move_row(m, &m->items, s->positive, j, m->items.mask[j] * (s->slope_positive * u));
      move_row(m, &m->items, s->negative, j, m->items.mask[j] * (s->slope_negative * u));
    }
  }
}

static int64_t count_above(const float *scores, int64_t count, float score, int64_t *equal) {
  int64_t above = 0, same = 0;
  for (int64_t i = 0; i < count; i++) {
    above += scores[i] > score;
    same += scores[i] == score;
  }
  *equal = same;
  return above;
}

static int64_t first_above(const float *scores, int64_t from, int64_t count, float bound) {
  while (from < count && !(scores[from] > bound)) from++;
  return from;
}

const as_pair_kernels as_pair_kernels_scalar = {"scalar", words,       represent,  sample,
                                                apply,    count_above, first_above};
