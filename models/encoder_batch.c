#include "models/encoder_batch.h"

#include <string.h>

#include "base/memory.h"

void as_encoder_batch_init(as_encoder_batch *b, as_context *ctx) {
  *b = (as_encoder_batch){.ctx = ctx};
}

void as_encoder_batch_free(as_encoder_batch *b) {
  if (!b->ctx) return;
  int32_t *arrays[] = {b->ids, b->positions, b->types, b->cu_seqlens, b->counting, b->labels};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) as_free(b->ctx, arrays[i]);
  as_encoder_batch_init(b, b->ctx);
}

void as_encoder_batch_clear(as_encoder_batch *b) {
  b->sequences = b->tokens = 0;
}

/* Grows the arrays together; the capacity is raised only when all of them have grown. */
static as_status grow(as_context *ctx, int32_t **const *arrays, size_t count, size_t *capacity, size_t needed) {
  size_t reached = *capacity;
  for (size_t i = 0; i < count; i++) {
    size_t own = *capacity;
    int32_t *grown = as_grow(ctx, *arrays[i], &own, needed, sizeof *grown);
    if (!grown) return AS_E_NOMEM;
    *arrays[i] = grown;
    reached = own;
  }
  *capacity = reached;
  return AS_OK;
}

as_status as_encoder_batch_reserve(as_encoder_batch *b, int64_t sequences, int64_t tokens) {
  if (tokens < 0 || sequences < 0 || tokens > INT32_MAX || sequences >= INT32_MAX)
    return as_fail(b->ctx, AS_E_INVALID, "a batch of %lld tokens is too large; at most %d", (long long)tokens,
                   INT32_MAX);
  int32_t **const by_token[] = {&b->ids, &b->positions, &b->types};
  int32_t **const by_sequence[] = {&b->cu_seqlens, &b->counting, &b->labels};
  size_t before = b->token_capacity, rows = b->sequence_capacity;
  as_status status = grow(b->ctx, by_token, 3, &b->token_capacity, (size_t)tokens + 1);
  if (status == AS_OK) status = grow(b->ctx, by_sequence, 3, &b->sequence_capacity, (size_t)sequences + 1);
  if (status != AS_OK) return status;
  memset(b->types + before, 0, (b->token_capacity - before) * sizeof *b->types);
  for (size_t i = rows; i < b->sequence_capacity; i++) b->counting[i] = (int32_t)i;
  b->cu_seqlens[0] = 0;
  return AS_OK;
}

as_status as_encoder_batch_add(as_encoder_batch *b, const int32_t *ids, int64_t count, int32_t label) {
  if (count < 1) return as_fail(b->ctx, AS_E_INVALID, "a sequence needs at least one token");
  as_status status = as_encoder_batch_reserve(b, b->sequences + 1, b->tokens + count);
  if (status != AS_OK) return status;
  memcpy(b->ids + b->tokens, ids, (size_t)count * sizeof *ids);
  b->labels[b->sequences] = label;
  b->tokens += count;
  b->cu_seqlens[++b->sequences] = (int32_t)b->tokens;
  return AS_OK;
}

as_status as_encoder_batch_fill(as_encoder_batch *batch, const as_token_rows *rows, const int64_t *which,
                                int64_t count) {
  as_encoder_batch_clear(batch);
  as_status status = AS_OK;
  for (int64_t i = 0; status == AS_OK && i < count; i++)
    status = as_encoder_batch_add(batch, rows->ids + rows->offsets[which[i]], as_token_rows_length(rows, which[i]),
                                  rows->labels[which[i]]);
  return status;
}

as_packed as_encoder_batch_packed(const as_encoder_batch *b) {
  return (as_packed){b->sequences, b->cu_seqlens};
}
as_packed as_encoder_batch_one_each(const as_encoder_batch *b) {
  return (as_packed){b->sequences, b->counting};
}
