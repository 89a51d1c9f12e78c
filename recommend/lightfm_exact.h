/* LightFM 1.17's training, update for update: the same draws, roundings and faults, so that a run can be held against
 * the original number by number (`--compat lightfm`, `inspect lightfm`). One thread, no SIMD; recommend/fit.h is what
 * trains otherwise, and says what that does differently.
 *
 * Invariant: storage is single precision; learning rate, rho and epsilon are single, every other number of an update is
 * double, and a sum is rounded where LightFM's C code rounds it. */
#ifndef AS_RECOMMEND_LIGHTFM_EXACT_H
#define AS_RECOMMEND_LIGHTFM_EXACT_H

#include "recommend/lightfm.h"

/* The positives of each customer, sorted: products in them are never negatives. */
typedef struct as_seen {
  const int64_t *starts; /* [customers + 1] */
  const int32_t *items;  /* [starts[customers]], ascending within a customer */
} as_seen;
bool as_seen_has(const as_seen *seen, int64_t user, int32_t item);

typedef struct as_lightfm_exact {
  as_lightfm *model;
  const as_feature_matrix *users, *items;
  as_seen seen;
  as_lightfm_loss loss; /* not ALS */
  float learning_rate, rho, epsilon;
  int32_t max_sampled;
  double item_alpha, user_alpha;
  int32_t k, n;               /* k-OS: the k-th of n positives */
  const int32_t *train_items; /* BPR: what negatives are drawn from, [train_item_count] */
  int64_t train_item_count;
  uint32_t random; /* state of LightFM's rand_r */
  double item_scale, user_scale;
  float *scratch;                /* 3 representations */
  struct as_exact_draw *kos;     /* [n] */
  int32_t *draws;                /* what the last step drew as negatives, [draw_count]; grows */
  size_t draw_count, draws_size;
} as_lightfm_exact;

typedef struct as_exact_draw {
  int32_t item;
  float score;
} as_exact_draw;

/* What one step did. */
typedef struct as_exact_step {
  int32_t positive, negative; /* negative -1: no violation was found, or there is none (logistic) */
  int64_t kos_count;          /* the positives that k-OS drew, in order, stand in kos_items */
  const int32_t *kos_items;
  double loss, positive_score, negative_score;
} as_exact_step;

/* Makes room for the run's scratch; all other fields are set by the caller, scales by this. */
AS_MUST_CHECK as_status as_lightfm_exact_start(as_lightfm_exact *run);
void as_lightfm_exact_end(as_lightfm_exact *run); /* frees scratch; a zeroed run is allowed */

/* LightFM's generator (musl's rand_r): advances *state, returns a number in [0, 2^31). */
uint32_t as_lightfm_rand(uint32_t *state);

/* One interaction. *out is valid until the next step. AS_E_NOMEM. */
AS_MUST_CHECK as_status as_lightfm_exact_step(as_lightfm_exact *run, int32_t user, int32_t item, float y, float weight,
                                              as_exact_step *out);
/* Divides every parameter by its side's scale, as at the end of an epoch. */
void as_lightfm_exact_regularize(as_lightfm_exact *run);

#endif
