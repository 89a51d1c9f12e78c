/* The inner loops of training over tensor/kernels/simd.h, compiled for each instruction set.
 *
 * Sampling scores four candidates at a time and looks at them afterwards: that a candidate is a violation is a coin toss,
 * and a branch on it each time would cost more than the three scores that are sometimes not needed. Rows that come soon
 * are asked for early; with a large catalogue every one of them lies in memory. */
#include <math.h>

#include "recommend/pairwise.h"
#include "recommend/pairwise_tables.h"
#include "tensor/kernels/simd.h"
#include "tensor/kernels/simd_philox.h"

#define INLINE static inline __attribute__((always_inline))
enum { LINE_FLOATS = 16, AHEAD_SAMPLE = 2, AHEAD_APPLY = 4, TOGETHER = 4 };

/* ---- random words ----------------------------------------------------------------------------------------------- */

static void words(uint64_t seed, uint64_t stream, uint64_t first, size_t n, uint32_t *out) {
  const philox_stream counters = {seed, (uint32_t)stream, ~(uint32_t)(stream >> 32)};
  const vi places = philox_places();
  uint64_t block = first / 4;
  size_t i = 0;
  for (; i + 2 * PHILOX_GROUP <= n; i += 2 * PHILOX_GROUP, block += 2 * AS_LANES) {
    vi word[8];
    philox_groups(&counters, places, block, word, word + 4);
    for (size_t v = 0; v < 8; v++) vi_store(out + i + v * AS_LANES, word[v]);
  }
  for (; i < n; block += AS_LANES) {
    uint32_t rest[PHILOX_GROUP];
    vi word[4];
    philox_groups(&counters, places, block, word, NULL);
    for (size_t v = 0; v < 4; v++) vi_store(rest + v * AS_LANES, word[v]);
    for (size_t j = 0; j < PHILOX_GROUP && i < n; j++) out[i++] = rest[j];
  }
}

/* ---- representations -------------------------------------------------------------------------------------------- */

/* k components of a row's representation, from component j on. */
INLINE vf represent_vector(const as_pair_side *side, const as_feature_row *features, size_t j, size_t k) {
  vf sum = vf_zero();
  for (int64_t f = 0; f < features->count; f++) {
    const float *embedding = side->rows + (size_t)as_feature_index(features, f) * side->stride;
    sum = vf_fma(vf_set1(as_feature_weight(features, f)), vf_read(embedding + j, k), sum);
  }
  return vf_fma(sum, vf_read(side->mask + j, k), vf_read(side->ones + j, k));
}

static void represent(const as_pair_side *side, size_t width, int64_t from, int64_t to, float *out) {
  for (int64_t row = from; row < to; row++, out += width) {
    const as_feature_row features = as_feature_row_of(&side->features, row);
#define REPRESENT(j, k) vf_write(out + (j), (k), represent_vector(side, &features, (j), (k)))
    AS_FOR_VECTORS(width, REPRESENT);
#undef REPRESENT
  }
}

/* ---- sampling --------------------------------------------------------------------------------------------------- */

INLINE void ask(const float *row, size_t floats) {
  for (size_t j = 0; j < floats; j += LINE_FLOATS) __builtin_prefetch(row + j);
}

INLINE const float *item_row(const as_pair_sampling *s, int32_t item) {
  return s->item_rows + (size_t)item * s->item_stride;
}
INLINE const float *user_row(const as_pair_sampling *s, size_t i) {
  return s->user_rows + (s->users_by_row ? i : (size_t)s->users[i]) * s->user_stride;
}

INLINE float dot(const float *a, const float *b, size_t width) {
  vf sum = vf_zero();
#define ADD(j, k) sum = vf_fma(vf_read(a + (j), (k)), vf_read(b + (j), (k)), sum)
  AS_FOR_VECTORS(width, ADD);
#undef ADD
  return vf_hsum(sum);
}

/* Four dot products with the same vector. */
INLINE void dot4(const float *u, const float *const rows[TOGETHER], size_t width, float out[TOGETHER]) {
  vf a = vf_zero(), b = vf_zero(), c = vf_zero(), d = vf_zero();
#define ADD(j, k)                                                                                                      \
  do {                                                                                                                 \
    const vf x = vf_read(u + (j), (k));                                                                                \
    a = vf_fma(x, vf_read(rows[0] + (j), (k)), a);                                                                     \
    b = vf_fma(x, vf_read(rows[1] + (j), (k)), b);                                                                     \
    c = vf_fma(x, vf_read(rows[2] + (j), (k)), c);                                                                     \
    d = vf_fma(x, vf_read(rows[3] + (j), (k)), d);                                                                     \
  } while (0)
  AS_FOR_VECTORS(width, ADD);
#undef ADD
  out[0] = vf_hsum(a);
  out[1] = vf_hsum(b);
  out[2] = vf_hsum(c);
  out[3] = vf_hsum(d);
}

static float sigmoid(float x) { return 1 / (1 + expf(-x)); }

/* The k-th best of n drawn positives. */
INLINE int32_t choose_positive(const as_pair_sampling *s, size_t i, const float *u, size_t width) {
  const uint32_t *word = s->words + i * s->words_per_row;
  const int64_t mine = s->seen_starts[s->users[i] + 1] - s->seen_starts[s->users[i]];
  const int32_t count = mine < s->n ? (int32_t)mine : s->n, k = s->k < count ? s->k : count;
  int32_t best[AS_PAIR_MOST_SAMPLED];
  float scores[AS_PAIR_MOST_SAMPLED];
  for (int32_t t = 0; t < count; t++) {
    const int32_t item = as_pair_positive(s, s->users[i], word[t]);
    const float score = dot(u, item_row(s, item), width);
    int32_t at = t;
    for (; at > 0 && scores[at - 1] < score; at--) scores[at] = scores[at - 1], best[at] = best[at - 1];
    scores[at] = score;
    best[at] = item;
  }
  return best[k - 1];
}

INLINE void sample_warp(const as_pair_sampling *s, size_t i, const float *u, size_t width, as_pair_step *step) {
  const uint32_t *word = s->words + i * s->words_per_row + (s->words_per_row - (size_t)s->max_sampled);
  const float weight = s->weights && s->loss == AS_LIGHTFM_WARP ? s->weights[i] : 1;
  const float bound = dot(u, item_row(s, step->positive), width) - 1;
  int32_t seen = 0;
  for (int32_t t = 0; t < s->max_sampled; t += TOGETHER) {
    int32_t items[TOGETHER];
    const float *rows[TOGETHER];
    float scores[TOGETHER];
    const int32_t count = s->max_sampled - t < TOGETHER ? s->max_sampled - t : TOGETHER;
    for (int32_t q = 0; q < TOGETHER; q++) {
      items[q] = as_pair_candidate(s, word[q < count ? t + q : t]);
      rows[q] = item_row(s, items[q]);
    }
    dot4(u, rows, width, scores);
    unsigned violations = 0;
    for (int32_t q = 0; q < TOGETHER; q++) violations |= (unsigned)(scores[q] > bound) << q;
    for (violations &= (1u << count) - 1; violations; violations &= violations - 1) {
      const int32_t q = (int32_t)__builtin_ctz(violations);
      if (as_pair_is_seen(s, step->user, items[q])) {
        seen++;
        continue;
      }
      const float loss = weight * s->rank_loss[t + q + 1 - seen];
      *step = (as_pair_step){step->user, step->positive, items[q], -loss, loss};
      return;
    }
  }
}

/* The first drawn item that the user has not seen. */
INLINE void sample_any(const as_pair_sampling *s, size_t i, const float *u, size_t width, as_pair_step *step) {
  const uint32_t *word = s->words + i * s->words_per_row;
  const float weight = s->weights ? s->weights[i] : 1;
  for (int32_t t = 0; t < s->max_sampled; t++) {
    const int32_t item = as_pair_candidate(s, word[t]);
    if (as_pair_is_seen(s, step->user, item)) continue;
    const float positive = dot(u, item_row(s, step->positive), width), negative = dot(u, item_row(s, item), width);
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

/* Asks for the rows that row i will need first. */
INLINE void ask_rows(const as_pair_sampling *s, size_t i, size_t width) {
  const uint32_t *word = s->words + i * s->words_per_row;
  ask(user_row(s, i), width);
  ask(item_row(s, s->items[i]), width);
  const int32_t first = s->loss == AS_LIGHTFM_WARP ? TOGETHER < s->max_sampled ? TOGETHER : s->max_sampled : 1;
  for (int32_t t = 0; t < first; t++) ask(item_row(s, as_pair_candidate(s, word[t])), width);
}

INLINE void sample_width(const as_pair_sampling *s, size_t width) {
  for (size_t i = 0; i < s->count; i++) {
    if (i + AHEAD_SAMPLE < s->count) ask_rows(s, i + AHEAD_SAMPLE, width);
    const float *u = user_row(s, i);
    as_pair_step *step = &s->steps[i];
    *step = (as_pair_step){.user = s->users[i], .positive = s->items[i], .negative = -1};
    if (s->loss == AS_LIGHTFM_WARP_KOS) step->positive = choose_positive(s, i, u, width);
    if (s->loss == AS_LIGHTFM_BPR || s->loss == AS_LIGHTFM_LOGISTIC)
      sample_any(s, i, u, width, step);
    else
      sample_warp(s, i, u, width, step);
  }
}

/* The widths of usual dimensions are constants, so that their loops over vectors are unrolled. */
static void sample(const as_pair_sampling *s) {
  switch (s->width) {
  case 16: sample_width(s, 16); break;
  case 24: sample_width(s, 24); break;
  case 32: sample_width(s, 32); break;
  case 40: sample_width(s, 40); break;
  case 72: sample_width(s, 72); break;
  case 136: sample_width(s, 136); break;
  default: sample_width(s, s->width); break;
  }
}

/* ---- updates ---------------------------------------------------------------------------------------------------- */

/* The numbers of an update that are the same for all components. */
typedef struct rule {
  vf learning_rate, rho, rest, epsilon;
} rule;

/* Moves k components of a feature: p is what they are now, `gradient` that of the row times the feature's weight. */
INLINE void move(const as_pair_model *m, const rule *r, float alpha, vf mask, float *row, size_t j, size_t k, vf p,
                 vf gradient) {
  float *sq_at = row + m->width + j, *mom_at = row + 2 * m->width + j;
  const vf shrink = vf_mul(vf_mul(vf_set1(alpha), p), mask);
  vf sq = vf_read_or(sq_at, k, vf_set1(1.0f));
  if (m->adadelta) {
    vf mom = vf_read(mom_at, k);
    sq = vf_fma(vf_mul(r->rest, gradient), gradient, vf_mul(r->rho, sq));
    const vf rate = vf_mul(vf_sqrt(vf_add(mom, r->epsilon)), vf_rsqrt(vf_add(sq, r->epsilon)));
    const vf update = vf_mul(rate, gradient);
    mom = vf_fma(vf_mul(r->rest, update), update, vf_mul(r->rho, mom));
    vf_write(mom_at, k, mom);
    p = vf_sub(p, vf_fma(rate, shrink, update));
  } else {
    const vf rate = vf_mul(r->learning_rate, vf_rsqrt(sq));
    p = vf_fnma(rate, vf_add(gradient, shrink), p);
    sq = vf_fma(gradient, gradient, sq);
  }
  vf_write(row + j, k, p);
  vf_write(sq_at, k, sq);
}

INLINE void move_row(const as_pair_model *m, const rule *r, const as_pair_side *side, int32_t row, size_t j, size_t k,
                     vf gradient) {
  const as_feature_row features = as_feature_row_of(&side->features, row);
  const vf mask = vf_read(side->mask + j, k);
  for (int64_t f = 0; f < features.count; f++) {
    float *at = side->rows + (size_t)as_feature_index(&features, f) * side->stride;
    move(m, r, side->alpha, mask, at, j, k, vf_read(at + j, k),
         vf_mul(vf_set1(as_feature_weight(&features, f)), gradient));
  }
}

/* k components of an update whose rows have features. */
INLINE void step_features(const as_pair_model *m, const rule *r, const as_pair_step *s, size_t j, size_t k) {
  const as_feature_row fu = as_feature_row_of(&m->users.features, s->user);
  const as_feature_row fp = as_feature_row_of(&m->items.features, s->positive);
  const as_feature_row fn = as_feature_row_of(&m->items.features, s->negative);
  const vf u = represent_vector(&m->users, &fu, j, k), p = represent_vector(&m->items, &fp, j, k);
  const vf n = represent_vector(&m->items, &fn, j, k);
  const vf slope_p = vf_set1(s->slope_positive), slope_n = vf_set1(s->slope_negative);
  const vf mask_u = vf_read(m->users.mask + j, k), mask_i = vf_read(m->items.mask + j, k);
  move_row(m, r, &m->users, s->user, j, k, vf_mul(mask_u, vf_fma(slope_p, p, vf_mul(slope_n, n))));
  move_row(m, r, &m->items, s->positive, j, k, vf_mul(mask_i, vf_mul(slope_p, u)));
  move_row(m, r, &m->items, s->negative, j, k, vf_mul(mask_i, vf_mul(slope_n, u)));
}

/* k components of an update whose rows are features themselves. */
INLINE void step_plain(const as_pair_model *m, const rule *r, const as_pair_step *s, size_t j, size_t k) {
  float *ru = m->users.rows + (size_t)s->user * m->users.stride;
  float *rp = m->items.rows + (size_t)s->positive * m->items.stride;
  float *rn = m->items.rows + (size_t)s->negative * m->items.stride;
  const vf u = vf_read(ru + j, k), p = vf_read(rp + j, k), n = vf_read(rn + j, k);
  const vf slope_p = vf_set1(s->slope_positive), slope_n = vf_set1(s->slope_negative);
  const vf mask_u = vf_read(m->users.mask + j, k), mask_i = vf_read(m->items.mask + j, k);
  move(m, r, m->users.alpha, mask_u, ru, j, k, u, vf_mul(mask_u, vf_fma(slope_p, p, vf_mul(slope_n, n))));
  move(m, r, m->items.alpha, mask_i, rp, j, k, p, vf_mul(mask_i, vf_mul(slope_p, u)));
  move(m, r, m->items.alpha, mask_i, rn, j, k, n, vf_mul(mask_i, vf_mul(slope_n, u)));
}

INLINE void ask_slice(const as_pair_model *m, const as_pair_side *side, int32_t row, size_t from, size_t to) {
  const float *at = side->rows + (size_t)row * side->stride + from;
  ask(at, to - from);
  ask(at + m->width, to - from);
}

static void apply_plain(const as_pair_model *m, const rule *r, const as_pair_step *steps, size_t count, size_t from,
                        size_t to) {
  for (size_t i = 0; i < count; i++) {
    const as_pair_step *s = &steps[i], *next = &steps[i + AHEAD_APPLY];
    if (i + AHEAD_APPLY < count && next->negative >= 0) {
      ask_slice(m, &m->users, next->user, from, to);
      ask_slice(m, &m->items, next->positive, from, to);
      ask_slice(m, &m->items, next->negative, from, to);
    }
    if (s->negative < 0) continue;
    size_t j = from;
    for (; j + AS_LANES <= to; j += AS_LANES) step_plain(m, r, s, j, AS_LANES);
    if (j < to) step_plain(m, r, s, j, to - j);
  }
}

static void apply(const as_pair_model *m, const as_pair_step *steps, size_t count, size_t from, size_t to) {
  const rule r = {vf_set1(m->learning_rate), vf_set1(m->rho), vf_set1(1 - m->rho), vf_set1(m->epsilon)};
  if (!m->users.features.starts && !m->items.features.starts) {
    apply_plain(m, &r, steps, count, from, to);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    if (steps[i].negative < 0) continue;
    size_t j = from;
    for (; j + AS_LANES <= to; j += AS_LANES) step_features(m, &r, &steps[i], j, AS_LANES);
    if (j < to) step_features(m, &r, &steps[i], j, to - j);
  }
}

/* ---- ranks ------------------------------------------------------------------------------------------------------ */

static int64_t count_above(const float *scores, int64_t count, float score, int64_t *equal) {
  const vf bound = vf_set1(score), one = vf_set1(1.0f);
  int64_t above = 0, same = 0, i = 0;
  while (i + AS_LANES <= count) { /* lanes count in floats, exact up to 2^24 */
    const int64_t end = count - i > (1 << 20) ? i + (1 << 20) : count;
    vf sum_above = vf_zero(), sum_same = vf_zero();
    for (; i + AS_LANES <= end; i += AS_LANES) {
      const vf x = vf_load(scores + i);
      sum_above = vf_add(sum_above, vf_select(vf_lt(bound, x), one, vf_zero()));
      sum_same = vf_add(sum_same, vf_select(vf_eq(bound, x), one, vf_zero()));
    }
    above += (int64_t)vf_hsum(sum_above);
    same += (int64_t)vf_hsum(sum_same);
  }
  for (; i < count; i++) {
    above += scores[i] > score;
    same += scores[i] == score;
  }
  *equal = same;
  return above;
}

static int64_t first_above(const float *scores, int64_t from, int64_t count, float bound) {
  const vf b = vf_set1(bound);
  for (; from + 4 * AS_LANES <= count; from += 4 * AS_LANES) {
    const float *at = scores + from;
    if (vm_any(vm_or(vm_or(vf_lt(b, vf_load(at)), vf_lt(b, vf_load(at + AS_LANES))),
                     vm_or(vf_lt(b, vf_load(at + 2 * AS_LANES)), vf_lt(b, vf_load(at + 3 * AS_LANES))))))
      break;
  }
  for (; from + AS_LANES <= count && !vm_any(vf_lt(b, vf_load(scores + from))); from += AS_LANES) {}
  while (from < count && !(scores[from] > bound)) from++;
  return from;
}

const as_pair_kernels AS_ISA(as_pair_kernels) = {AS_ISA_NAME, words,       represent,  sample,
                                                 apply,       count_above, first_above};
