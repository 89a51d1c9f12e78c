/* The inner loops of training: choosing negatives and moving embeddings, for each instruction set. Private to
 * recommend/; recommend/fit.c is what calls them, recommend/pairwise_reference.c is their oracle.
 *
 * While it is trained, a feature is one row of floats: the embedding with the biases as two more components, padded to
 * `width`, then as many squared gradients, then (adadelta) as many squared steps. Component dim is the item's bias and 1
 * in users; component dim + 1 is the user's bias and 1 in items. So a score is one dot product, and a bias moves as any
 * other component does.
 *
 * Invariants: padding is 0 in embeddings and stays so; the constant 1 never moves (`mask`); what a step does to a
 * component depends on that component of its rows only, so that components can be divided among threads. */
#ifndef AS_RECOMMEND_PAIRWISE_H
#define AS_RECOMMEND_PAIRWISE_H

#include "recommend/lightfm.h"

enum {
  AS_PAIR_SLICE = 16,      /* components that one thread moves; a cache line */
  AS_PAIR_MOST_SAMPLED = 1024
};

/* The parameters of one side. */
typedef struct as_pair_side {
  float *rows;   /* [features, stride] */
  size_t stride; /* floats: a multiple of 16 */
  const float *mask; /* [width] 1, and 0 at the component that is a constant */
  const float *ones; /* [width] 1 - mask */
  as_feature_matrix features;
  float alpha; /* L2 */
} as_pair_side;

/* What training moves, and how. */
typedef struct as_pair_model {
  size_t width; /* a multiple of 8 */
  as_pair_side users, items;
  bool adadelta;
  float learning_rate, rho, epsilon;
} as_pair_model;

/* One update: the gradient of the loss for the score of the positive and for that of the negative. */
typedef struct as_pair_step {
  int32_t user, positive, negative; /* negative -1: nothing is to be moved */
  float slope_positive, slope_negative;
} as_pair_step;

/* A run of rows to find negatives for, with parameters that stand still meanwhile. */
typedef struct as_pair_sampling {
  as_lightfm_loss loss;
  size_t width;
  const float *user_rows; /* representations: of user u at u * user_stride, or of row i's user at i * user_stride */
  size_t user_stride;
  bool users_by_row;
  const float *item_rows;
  size_t item_stride;
  const int32_t *users, *items; /* [count] of the rows */
  const float *weights;         /* [count], or NULL: 1 */
  size_t count;
  const uint32_t *words; /* [count, words_per_row] random */
  size_t words_per_row;  /* n + max_sampled (k-OS), max_sampled (others) */
  const int32_t *candidates; /* [candidate_count] what negatives are drawn from; NULL: item = number */
  uint32_t candidate_count;
  const int64_t *seen_starts; /* [users + 1] */
  const int32_t *seen_items;  /* ascending within a user */
  const uint64_t *seen_bits;  /* [users, bits_per_user / 64], or NULL: the sorted runs are searched */
  size_t bits_per_user;
  int32_t max_sampled, k, n;
  const float *rank_loss; /* [max_sampled + 1] WARP's loss when the violation came at draw t */
  as_pair_step *steps;    /* [count] out */
} as_pair_sampling;

typedef struct as_pair_kernels {
  const char *isa;
  /* Words first .. first + n of the stream that as_random_start(seed, stream) draws from; `first` and `n` are multiples
   * of 4. */
  void (*words)(uint64_t seed, uint64_t stream, uint64_t first, size_t n, uint32_t *out);
  /* out[(row - from) * width ..] = representation of rows from .. to of the side. */
  void (*represent)(const as_pair_side *side, size_t width, int64_t from, int64_t to, float *out);
  void (*sample)(const as_pair_sampling *sampling);
  /* Applies the steps in order to the components from .. to (a multiple of AS_PAIR_SLICE, or the width). */
  void (*apply)(const as_pair_model *model, const as_pair_step *steps, size_t count, size_t from, size_t to);
  /* How many of scores[count] are above `score`, and (*equal) how many are the same. */
  int64_t (*count_above)(const float *scores, int64_t count, float score, int64_t *equal);
  /* The first place from `from` on, below `count`, with scores[place] > bound; `count` if there is none. */
  int64_t (*first_above)(const float *scores, int64_t from, int64_t count, float bound);
} as_pair_kernels;

/* The kernels for the context's instruction set, as as_kernels_select chooses it. */
AS_MUST_CHECK as_status as_pair_kernels_select(as_context *ctx, const as_pair_kernels **out);
/* All that are built, NULL after the last; for tests. */
const as_pair_kernels *as_pair_kernels_at(size_t index, bool *supported);

/* Whether user `u` has seen `item`. */
static inline bool as_pair_is_seen(const as_pair_sampling *s, int32_t u, int32_t item) {
  if (s->seen_bits)
    return s->seen_bits[((size_t)u * s->bits_per_user + (size_t)item) / 64] >> ((size_t)item % 64) & 1;
  int64_t low = s->seen_starts[u], high = s->seen_starts[u + 1];
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (s->seen_items[middle] < item)
      low = middle + 1;
    else
      high = middle;
  }
  return low < s->seen_starts[u + 1] && s->seen_items[low] == item;
}

/* Candidate number that a random word stands for. */
static inline int32_t as_pair_candidate(const as_pair_sampling *s, uint32_t word) {
  const uint32_t number = (uint32_t)((uint64_t)word * s->candidate_count >> 32);
  return s->candidates ? s->candidates[number] : (int32_t)number;
}

/* k-OS: a random positive of the user. The user has at least one. */
static inline int32_t as_pair_positive(const as_pair_sampling *s, int32_t u, uint32_t word) {
  const int64_t start = s->seen_starts[u];
  const uint64_t count = (uint64_t)(s->seen_starts[u + 1] - start);
  return s->seen_items[start + (int64_t)((uint64_t)word * count >> 32)];
}

#endif
