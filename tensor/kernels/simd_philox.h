/* Philox4x32-10 (Salmon et al., SC 2011) for as many counters as there are lanes, for the kernels that draw. */
#ifndef AS_TENSOR_KERNELS_SIMD_PHILOX_H
#define AS_TENSOR_KERNELS_SIMD_PHILOX_H

#include "tensor/kernels/simd.h"

/* What all counters of a stream share: { block low, block high, c2, c3 } with key { seed low, seed high }. */
typedef struct philox_stream {
  uint64_t seed;
  uint32_t c2, c3;
} philox_stream;

/* The words of AS_LANES counters. */
enum { PHILOX_GROUP = 4 * AS_LANES };

/* The counters of a group, on their way to being its words. */
typedef struct philox {
  vi c0, c1, c2, c3;
} philox;

/* Lane by lane, the place of the counter in its group: the transposition at the end gives lane 4 q + j of every word to
 * quarter q of word j. */
static inline vi philox_places(void) {
  uint32_t place[AS_LANES];
  for (uint32_t lane = 0; lane < AS_LANES; lane++) place[lane] = (lane % 4) * (AS_LANES / 4) + lane / 4;
  return vi_load(place);
}

static inline philox philox_start(const philox_stream *stream, vi places, uint64_t block) {
  const vi low = vi_add(vi_set1((uint32_t)block), places);
  const uint32_t high = (uint32_t)(block >> 32);
  const vm carry = vi_lt_u32(low, places);
  return (philox){low, vi_select(carry, vi_set1(high + 1), vi_set1(high)), vi_set1(stream->c2),
                  vi_set1(stream->c3)};
}

static inline philox philox_round(philox p, vi key0, vi key1) {
  vi high0, low0, high1, low1;
  vi_mul_wide(p.c0, vi_set1(0xd2511f53), &high0, &low0);
  vi_mul_wide(p.c2, vi_set1(0xcd9e8d57), &high1, &low1);
  return (philox){vi_xor(vi_xor(high1, p.c1), key0), low1, vi_xor(vi_xor(high0, p.c3), key1), low0};
}

/* word[v] gets, in order, the words v * AS_LANES and on of the group. */
static inline void philox_words(philox p, vi word[4]) {
  word[0] = p.c0;
  word[1] = p.c1;
  word[2] = p.c2;
  word[3] = p.c3;
  vi_transpose4(word);
}

/* The words of the group that starts with counter `block`, and of the next: each round waits for the one before, and
 * two groups in step use that time. `next` may be NULL. */
static inline void philox_groups(const philox_stream *stream, vi places, uint64_t block, vi word[4], vi *next /* [4] */) {
  philox a = philox_start(stream, places, block), b = a;
  if (next) b = philox_start(stream, places, block + AS_LANES);
  uint32_t key0 = (uint32_t)stream->seed, key1 = (uint32_t)(stream->seed >> 32);
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

#endif
