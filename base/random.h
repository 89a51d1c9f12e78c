/* The one random generator: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), a
 * function from a counter and a key to 128 random bits. Nothing has to be stored but the counter, so a stream can be
 * resumed anywhere and any number of threads sees the same bits. */
#ifndef AS_BASE_RANDOM_H
#define AS_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* out[4] = Philox4x32-10(counter[4], key[2]). Agrees with the known-answer tests of Random123. */
void as_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* A sequential stream over Philox. `seed` is the user's; `stream` tells independent uses apart (a number per purpose).
 * The whole state is these fields, so it may be saved and restored by value. Word p of the stream is word p % 4 of
 * Philox with key { seed low, seed high } and counter { p / 4 low, p / 4 high, stream low, ~stream high }. */
typedef struct as_random {
  uint64_t seed;
  uint64_t stream;
  uint64_t position; /* 32-bit words drawn so far */
} as_random;

as_random as_random_start(uint64_t seed, uint64_t stream);
uint32_t as_random_u32(as_random *random);
uint64_t as_random_u64(as_random *random);
uint64_t as_random_below(as_random *random, uint64_t bound); /* uniform in [0, bound), without bias; bound > 0 */
double as_random_uniform(as_random *random);                 /* [0, 1), 53 bits */
double as_random_normal(as_random *random);                  /* mean 0, variance 1 (Box-Muller, one value per call) */
/* A pseudo-random order of 0 .. count - 1 that needs no memory and can be entered anywhere: a Feistel network of four
 * rounds over the bits of the largest index, walked on until it falls below `count` (Black and Rogaway 2002). */
typedef struct as_permutation {
  uint64_t count;
  uint64_t keys[4];
  int low_bits, high_bits;
} as_permutation;

as_permutation as_permutation_start(uint64_t count, uint64_t seed, uint64_t stream);
/* What stands at place `index` < count. */
uint64_t as_permutation_at(const as_permutation *permutation, uint64_t index);

/* Fisher-Yates on `count` indices. */
void as_random_shuffle(as_random *random, int64_t *indices, size_t count);

#endif
