/* Dropout, its bits made on the way: Philox4x32-10 (Salmon et al., SC 2011) for as many counters as there are lanes.
 *
 * Invariant: element i of an operation sees word i of the stream (see as_dropout), so the result does not depend on
 * where a call starts or ends. */
#include <math.h>
#include <string.h>

#include "tensor/kernels/simd_kernels.h"
#include "tensor/kernels/simd_philox.h"

/* What a call needs to know about its operation. */
typedef struct dropout_rule {
  vi highest; /* words up to it are dropped */
  vf scale;
  vi places;
} dropout_rule;

/* y = residual + kept x for k elements; `residual` may be NULL. */
static inline void apply(const dropout_rule *rule, vi word, size_t k, const float *x, const float *residual, float *y) {
  vf kept = vf_mul(vf_read(x, k), rule->scale);
  kept = vf_select(vi_lt_u32(rule->highest, word), kept, vf_zero());
  vf_write(y, k, residual ? vf_add(vf_read(residual, k), kept) : kept);
}

/* The elements of one group from its element `from`, at most `n` of them; where the call begins and ends. */
static size_t part_of_group(const philox_stream *stream, const dropout_rule *rule, uint64_t block, size_t from, size_t n,
                            const float *x, const float *residual, float *y) {
  uint32_t bits[PHILOX_GROUP + AS_LANES] = {0};
  vi word[4];
  philox_groups(stream, rule->places, block, word, NULL);
  for (size_t v = 0; v < 4; v++) vi_store(bits + v * AS_LANES, word[v]);
  const size_t count = n < PHILOX_GROUP - from ? n : PHILOX_GROUP - from;
  for (size_t i = 0; i < count; i += AS_LANES) {
    const size_t k = count - i < AS_LANES ? count - i : AS_LANES;
    apply(rule, vi_load(bits + from + i), k, x + i, residual ? residual + i : NULL, y + i);
  }
  return count;
}

/* 0 < p < 1. */
static void drop(const as_dropout *dropout, uint64_t first, size_t n, const float *x, const float *residual, float *y) {
  /* word < p 2^32 is word <= ceil(p 2^32) - 1, as words are integers; and that fits into 32 bits. */
  const uint32_t highest = (uint32_t)(ceil(dropout->p * 4294967296.0) - 1);
  const philox_stream stream = {dropout->seed, dropout->op, dropout->step};
  const dropout_rule rule = {vi_set1(highest), vf_set1((float)(1 / (1 - dropout->p))), philox_places()};
  /* Counters are drawn whole: `first` may be inside of one. */
  uint64_t block = first / 4;
  size_t i = 0;
  if (first % 4 && n) {
    i = part_of_group(&stream, &rule, block, first % 4, n, x, residual, y);
    block += AS_LANES;
  }
  for (; i + 2 * PHILOX_GROUP <= n; i += 2 * PHILOX_GROUP, block += 2 * AS_LANES) {
    vi word[8];
    philox_groups(&stream, rule.places, block, word, word + 4);
    for (size_t v = 0; v < 8; v++) {
      const size_t at = i + v * AS_LANES;
      apply(&rule, word[v], AS_LANES, x + at, residual ? residual + at : NULL, y + at);
    }
  }
  for (; i < n; block += AS_LANES)
    i += part_of_group(&stream, &rule, block, 0, n - i, x + i, residual ? residual + i : NULL, y + i);
}

void AS_ISA(as_dropout)(const as_dropout *dropout, uint64_t first, size_t n, const float *x, float *y) {
  if (!n) return;
  if (dropout->p >= 1)
    memset(y, 0, n * sizeof *y);
  else if (dropout->p > 0)
    drop(dropout, first, n, x, NULL, y);
  else if (y != x)
    memcpy(y, x, n * sizeof *y);
}

void AS_ISA(as_dropout_add)(const as_dropout *dropout, uint64_t first, size_t n, const float *x, const float *residual,
                            float *y) {
  if (!n) return;
  if (dropout->p >= 1) {
    if (y != residual) memcpy(y, residual, n * sizeof *y);
  } else if (dropout->p > 0) {
    drop(dropout, first, n, x, residual, y);
  } else {
    AS_ISA(as_vector_add)(n, residual, x, y);
  }
}
