/* Philox4x32-10 and what is drawn from it. */
#include "base/random.h"

#include <math.h>

void as_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++) {
    uint64_t a = UINT64_C(0xD2511F53) * c0, b = UINT64_C(0xCD9E8D57) * c2;
    c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)b;
    c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)a;
    k0 += UINT32_C(0x9E3779B9); /* the golden ratio */
    k1 += UINT32_C(0xBB67AE85); /* sqrt(3) - 1 */
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

as_random as_random_start(uint64_t seed, uint64_t stream) {
  return (as_random){.seed = seed, .stream = stream};
}

/* The four words around the position. */
static void draw_block(const as_random *random, uint32_t out[4]) {
  uint64_t block = random->position / 4;
  /* The last word is inverted so that small streams stay clear of dropout's counters, which end in the step. */
  uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)random->stream,
                         ~(uint32_t)(random->stream >> 32)};
  uint32_t key[2] = {(uint32_t)random->seed, (uint32_t)(random->seed >> 32)};
  as_philox4x32(counter, key, out);
}

uint32_t as_random_u32(as_random *random) {
  uint32_t out[4];
  draw_block(random, out);
  return out[random->position++ % 4];
}

/* Two words of one block where they lie in one. */
uint64_t as_random_u64(as_random *random) {
  uint32_t out[4];
  uint64_t at = random->position % 4;
  if (at == 3) {
    uint64_t low = as_random_u32(random);
    return low | (uint64_t)as_random_u32(random) << 32;
  }
  draw_block(random, out);
  random->position += 2;
  return out[at] | (uint64_t)out[at + 1] << 32;
}

uint64_t as_random_below(as_random *random, uint64_t bound) {
  /* The first 2^64 mod bound values are drawn again: the rest is a whole number of bounds. */
  uint64_t uneven = (0 - bound) % bound, value = as_random_u64(random);
  while (value < uneven) value = as_random_u64(random);
  return value % bound;
}

static double unit(uint64_t bits) { return (double)(bits >> 11) * 0x1p-53; } /* [0, 1) */

double as_random_uniform(as_random *random) { return unit(as_random_u64(random)); }

double as_random_normal(as_random *random) {
  const double two_pi = 6.283185307179586476925286766559;
  double first, second;
  if (random->position % 4 == 0) { /* one block holds both */
    uint32_t out[4];
    draw_block(random, out);
    random->position += 4;
    first = unit(out[0] | (uint64_t)out[1] << 32);
    second = unit(out[2] | (uint64_t)out[3] << 32);
  } else {
    first = as_random_uniform(random);
    second = as_random_uniform(random);
  }
  return sqrt(-2.0 * log(1.0 - first)) * cos(two_pi * second);
}

void as_random_shuffle(as_random *random, int64_t *indices, size_t count) {
  for (size_t i = count; i > 1; i--) {
    size_t j = (size_t)as_random_below(random, i);
    int64_t swapped = indices[i - 1];
    indices[i - 1] = indices[j];
    indices[j] = swapped;
  }
}

as_permutation as_permutation_start(uint64_t count, uint64_t seed, uint64_t stream) {
  as_permutation p = {.count = count};
  as_random random = as_random_start(seed, stream);
  int bits = 2;
  while (bits < 64 && (count - (count > 0)) >> bits) bits++;
  p.low_bits = bits / 2;
  p.high_bits = bits - p.low_bits;
  for (int i = 0; i < 4; i++) p.keys[i] = as_random_u64(&random);
  return p;
}

/* `bits` well mixed bits of x and the key (the multipliers of SplitMix64). */
static uint64_t mix(uint64_t x, uint64_t key, int bits) {
  x = (x ^ key) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ x >> 31) * UINT64_C(0x94d049bb133111eb);
  return x >> (64 - bits);
}

uint64_t as_permutation_at(const as_permutation *p, uint64_t index) {
  do {
    uint64_t low = index & ((UINT64_C(1) << p->low_bits) - 1), high = index >> p->low_bits;
    for (int round = 0; round < 4; round += 2) {
      high ^= mix(low, p->keys[round], p->high_bits);
      low ^= mix(high, p->keys[round + 1], p->low_bits);
    }
    index = high << p->low_bits | low;
  } while (index >= p->count);
  return index;
}
