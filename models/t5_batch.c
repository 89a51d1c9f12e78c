/* See t5_batch.h. */
#include "models/t5_batch.h"

#include <string.h>

#include "base/memory.h"

enum { NO_LABEL = -100 };

void as_t5_batch_init(as_t5_batch *b, as_context *ctx) {
  *b = (as_t5_batch){0};
  as_encoder_batch_init(&b->source, ctx);
  as_encoder_batch_init(&b->target, ctx);
}

void as_t5_batch_free(as_t5_batch *b) {
  if (b->source.ctx) as_free(b->source.ctx, b->labels);
  b->labels = NULL;
  b->label_capacity = 0;
  as_encoder_batch_free(&b->source);
  as_encoder_batch_free(&b->target);
}

void as_t5_batch_clear(as_t5_batch *b) {
  as_encoder_batch_clear(&b->source);
  as_encoder_batch_clear(&b->target);
}

as_status as_t5_batch_reserve(as_t5_batch *b, int64_t sequences, int64_t source_tokens, int64_t target_tokens) {
  as_status status = as_encoder_batch_reserve(&b->source, sequences, source_tokens);
  if (status == AS_OK) status = as_encoder_batch_reserve(&b->target, sequences, target_tokens);
  if (status != AS_OK) return status;
  int32_t *grown = as_grow(b->source.ctx, b->labels, &b->label_capacity, (size_t)target_tokens + 1, sizeof *grown);
  if (!grown) return AS_E_NOMEM;
  b->labels = grown;
  return AS_OK;
}

as_status as_t5_batch_add(as_t5_batch *b, const int32_t *ids, int64_t count, const int32_t *labels,
                          int64_t target_count, int32_t start_id, int32_t pad_id) {
  if (count < 1 || target_count < 1)
    return as_fail(b->source.ctx, AS_E_INVALID, "a source and a target need at least one token each");
  as_status status = as_t5_batch_reserve(b, b->source.sequences + 1, b->source.tokens + count,
                                         b->target.tokens + target_count);
  if (status != AS_OK) return status;
  int64_t at = b->target.tokens;
  memcpy(b->labels + at, labels, (size_t)target_count * sizeof *labels);
  status = as_encoder_batch_add(&b->source, ids, count, NO_LABEL);
  if (status == AS_OK) status = as_encoder_batch_add(&b->target, labels, target_count, NO_LABEL);
  if (status != AS_OK) return status;
  b->target.ids[at] = start_id;
  for (int64_t i = 1; i < target_count; i++)
    b->target.ids[at + i] = labels[i - 1] == NO_LABEL ? pad_id : labels[i - 1];
  return AS_OK;
}

int64_t as_t5_batch_label_count(const as_t5_batch *b) {
  int64_t count = 0;
  for (int64_t i = 0; i < b->target.tokens; i++) count += b->labels[i] != NO_LABEL;
  return count;
}
