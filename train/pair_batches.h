/* The micro-batches of a step that trains on pairs of token sequences: their memory is there before the first step, for
 * the largest batch of the run. */
#ifndef AS_TRAIN_PAIR_BATCHES_H
#define AS_TRAIN_PAIR_BATCHES_H

#include "models/pair_rows.h"

/* The most that any of the batches surveyed has, each by itself. */
typedef struct as_pair_extent {
  int64_t rows, source_tokens, target_tokens, longest_source, longest_target;
} as_pair_extent;

typedef struct as_pair_batches {
  as_context *ctx;
  as_t5_batch *list; /* [count] */
  int64_t count;
  as_pair_extent most;
} as_pair_batches;

/* Zeroed memory is an empty one. Frees those that are there, and forgets what was surveyed. */
AS_MUST_CHECK as_status as_pair_batches_set(as_pair_batches *batches, as_context *ctx, int64_t count);
void as_pair_batches_free(as_pair_batches *batches);
/* Looks at a batch of these pairs. */
void as_pair_batches_survey(as_pair_batches *batches, const as_pair_rows *rows, const int64_t *which, int64_t count);
/* Fills the first with the most source and target tokens in the most rows, one of each the longest, and makes room in
 * all for as many. */
AS_MUST_CHECK as_status as_pair_batches_fill_largest(as_pair_batches *batches);

#endif
