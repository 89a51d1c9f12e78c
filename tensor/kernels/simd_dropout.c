/* Dropout, its bits made on the way: Philox4x32-10 (Salmon et al., SC 2011) for as many counters as there are lanes.
 *
 * Invariant: element i of an operation sees word i of the stream (see as_dropout), so the result does not depend on
 * where a call starts or ends. */
#include <math.h>
#include <string.h>

#include "tensor/kernels/simd_kernels.h"

/* Elements that AS_LANES counters make words for. */
enum { GROUP = 4 * AS_LANES };

/* The counters of a group, on their way to being its words. */
typedef struct philox {
  vi c0, c1, c2, c3;
} philox;

/* Lane by lane, the place of the counter in its group: the transposition at the end gives lane 4 q + j of every word to
 * quarter q of word j. */
static inline vi counter_places(void) {
  uint32_t place[AS_LANES];
  for (uint32_t lane = 0; lane < AS_LANES; lane++) place[lane] = (lane % 4) * (AS_LANES / 4) + lane / 4;
  return vi_load(place);
}

static inline philox philox_start(const as_dropout *dropout, vi places, uint64_t block) {
  const vi low = vi_add(vi_set1((uint32_t)block), places);
  const uint32_t high = (uint32_t)(block >> 32);
  const vm carry = vi_lt_u32(low, places);
  return (philox){low, vi_select(carry, vi_set1(high + 1), vi_set1(high)), vi_set1(dropout->op),
                  vi_set1(dropout->step)};
}

static inline philox philox_round(philox p, vi key0, vi key1) {
  vi high0, low0, high1, low1;
  vi_mul_wide(p.c0, vi_set1(0xd2511f53), &high0, &low0);
  vi_mul_wide(p.c2, vi_set1(0xcd9e8d57), &high1, &low1);
  return (philox){vi_xor(vi_xor(high1, p.c1), key0), low1, vi_xor(vi_xor(high0, p.c3), key1), low0};
}

/* word[v] gets, in order, the words for elements v * AS_LANES and on of the group. */
static inline void philox_words(philox p, vi word[4]) {
  word[0] = p.c0;
  word[1] = p.c1;
  word[2] = p.c2;
  word[3] = p.c3;
  vi_transpose4(word);
}

/* The words of the group that starts with counter `block`, and of the next: each round waits for the one before, and
 * two groups in step use that time. `next` may be NULL. */
static inline void philox_groups(const as_dropout *dropout, vi places, uint64_t block, vi word[4], vi *next /* [4] */) {
  philox a = philox_start(dropout, places, block), b = a;
  if (next) b = philox_start(dropout, places, block + AS_LANES);
  uint32_t key0 = (uint32_t)dropout->seed, key1 = (uint32_t)(dropout->seed >> 32);
  for (int round = 0; round < 10; round++) {
    const vi k0 = vi_set1(key0), k1 = vi_set1(key1);
    a = philox_round(a, k0, k1);
    if (next) b = philox_round(b, k0, k1);
    key0 += 0x9e3779b9;
    key1 += 0xbb67ae85;
  }
  philox_words(a, word);
  if (next) philox_words(b, next);
}

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
static size_t part_of_group(const as_dropout *dropout, const dropout_rule *rule, uint64_t block, size_t from, size_t n,
                            const float *x, const float *residual, float *y) {
  uint32_t bits[GROUP + AS_LANES] = {0};
  vi word[4];
  philox_groups(dropout, rule->places, block, word, NULL);
  for (size_t v = 0; v < 4; v++) vi_store(bits + v * AS_LANES, word[v]);
  const size_t count = n < GROUP - from ? n : GROUP - from;
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
  const dropout_rule rule = {vi_set1(highest), vf_set1((float)(1 / (1 - dropout->p))), counter_places()};
  /* Counters are drawn whole: `first` may be inside of one. */
  uint64_t block = first / 4;
  size_t i = 0;
  if (first % 4 && n) {
    i = part_of_group(dropout, &rule, block, first % 4, n, x, residual, y);
    block += AS_LANES;
  }
  for (; i + 2 * GROUP <= n; i += 2 * GROUP, block += 2 * AS_LANES) {
    vi word[8];
    philox_groups(dropout, rule.places, block, word, word + 4);
    for (size_t v = 0; v < 8; v++) {
      const size_t at = i + v * AS_LANES;
      apply(&rule, word[v], AS_LANES, x + at, residual ? residual + at : NULL, y + at);
    }
  }
  for (; i < n; block += AS_LANES)
    i += part_of_group(dropout, &rule, block, 0, n - i, x + i, residual ? residual + i : NULL, y + i);
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
