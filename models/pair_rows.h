/* Tokenized pairs in memory, a source and a target each: what training and measuring of T5 batch. */
#ifndef AS_MODELS_PAIR_ROWS_H
#define AS_MODELS_PAIR_ROWS_H

#include "models/t5_batch.h"
#include "models/t5_config.h"

/* Row i is a source with its target. */
typedef struct as_pair_rows {
  as_token_rows sources, targets;
  int64_t *offsets; /* [count + 1] of the tokens of both together: what batches are cut by */
  size_t capacity;  /* of offsets */
} as_pair_rows;

void as_pair_rows_init(as_pair_rows *rows, as_context *ctx);
void as_pair_rows_free(as_pair_rows *rows);
/* Adds a pair; `source_cut` and `target_cut`: it lost tokens to a length limit. */
AS_MUST_CHECK as_status as_pair_rows_add(as_pair_rows *rows, const int32_t *source, int64_t source_count,
                                         bool source_cut, const int32_t *target, int64_t target_count, bool target_cut);

/* Replaces what is in `batch` by these pairs. */
AS_MUST_CHECK as_status as_pair_batch_fill(as_t5_batch *batch, const as_t5_config *config, const as_pair_rows *rows,
                                           const int64_t *which /* [count] */, int64_t count);

#endif
