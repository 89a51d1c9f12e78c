/* The micro-batches of a step of an encoder: their memory is there before the first step, for the largest batch of the
 * run. */
#ifndef AS_TRAIN_MICRO_BATCHES_H
#define AS_TRAIN_MICRO_BATCHES_H

#include "models/encoder_batch.h"

typedef struct as_micro_batches {
  as_context *ctx;
  as_encoder_batch *list; /* [count] */
  int64_t count;
  int64_t most_tokens, most_rows, longest; /* of the batches surveyed, each by itself */
} as_micro_batches;

/* Zeroed memory is an empty one. Frees those that are there, and forgets what was surveyed. */
AS_MUST_CHECK as_status as_micro_batches_set(as_micro_batches *micro, as_context *ctx, int64_t count);
void as_micro_batches_free(as_micro_batches *micro);
/* Looks at a batch of these rows. */
void as_micro_batches_survey(as_micro_batches *micro, const as_token_rows *rows, const int64_t *which, int64_t count);
/* Fills the first with the most tokens in the most rows, one of them the longest, and makes room in all for as many. */
AS_MUST_CHECK as_status as_micro_batches_fill_largest(as_micro_batches *micro);

#endif
