/* A batch of pairs of token sequences, a source and a target, both packed one after another without padding. */
#ifndef AS_MODELS_T5_BATCH_H
#define AS_MODELS_T5_BATCH_H

#include "models/encoder_batch.h"

typedef struct as_t5_batch {
  as_encoder_batch source; /* ids [tokens] */
  as_encoder_batch target; /* ids [tokens]: what the decoder reads, the labels shifted right */
  int32_t *labels;         /* [target.tokens]: what the decoder should say; -100: does not count */
  size_t label_capacity;
} as_t5_batch;

void as_t5_batch_init(as_t5_batch *batch, as_context *ctx);
void as_t5_batch_free(as_t5_batch *batch);
void as_t5_batch_clear(as_t5_batch *batch); /* no sequences; memory kept */
/* Makes room, so that adding up to these numbers allocates nothing. */
AS_MUST_CHECK as_status as_t5_batch_reserve(as_t5_batch *batch, int64_t sequences, int64_t source_tokens,
                                            int64_t target_tokens);
/* Adds a source of `count` > 0 ids and a target of `target_count` > 0 labels. The decoder reads `start_id`, then all
 * labels but the last, with `pad_id` in place of -100, as T5's _shift_right in transformers. */
AS_MUST_CHECK as_status as_t5_batch_add(as_t5_batch *batch, const int32_t *ids, int64_t count, const int32_t *labels,
                                        int64_t target_count, int32_t start_id, int32_t pad_id);
/* Labels that count. */
int64_t as_t5_batch_label_count(const as_t5_batch *batch);

#endif
