/* The order of rows in an epoch: shuffled, with rows of like length together.
 *
 * As a permutation of all rows, cut into groups of 50 batches, each group sorted by length and cut into batches, the
 * batches shuffled. Everything follows from (seed, epoch), so a position in an epoch is two numbers. */
#ifndef AS_TRAIN_BATCHES_H
#define AS_TRAIN_BATCHES_H

#include "base/context.h"

typedef struct as_batches {
  as_context *ctx;
  const int64_t *offsets; /* row i has offsets[i + 1] - offsets[i] tokens; borrowed */
  int64_t rows;
  int64_t batch_rows;   /* rows a batch, or 0 */
  int64_t batch_tokens; /* tokens a batch at most (a longer row makes a batch of its own), or 0 */
  uint64_t seed;
  int64_t epoch;  /* that `order` holds; -1: none */
  int64_t *order; /* [rows] */
  int64_t *start; /* [count + 1]: batch b is order[start[b] .. start[b + 1]) */
  int64_t count;  /* batches of the epoch */
} as_batches;

AS_MUST_CHECK as_status as_batches_init(as_batches *batches, as_context *ctx, const int64_t *offsets /* [rows + 1] */,
                                        int64_t rows, int64_t batch_rows, int64_t batch_tokens, uint64_t seed);
void as_batches_free(as_batches *batches);
/* Makes the order of an epoch, numbered from 0. */
AS_MUST_CHECK as_status as_batches_epoch(as_batches *batches, int64_t epoch);
/* Tokens of batch number b of the epoch. */
int64_t as_batches_tokens(const as_batches *batches, int64_t b);

#endif
