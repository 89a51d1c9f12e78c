#include "train/micro_batches.h"

#include "base/memory.h"

as_status as_micro_batches_set(as_micro_batches *micro, as_context *ctx, int64_t count) {
  as_micro_batches_free(micro);
  *micro = (as_micro_batches){.ctx = ctx, .list = as_alloc_zero(ctx, (size_t)count, sizeof *micro->list)};
  if (!micro->list) return AS_E_NOMEM;
  micro->count = count;
  for (int64_t i = 0; i < count; i++) as_encoder_batch_init(&micro->list[i], ctx);
  return AS_OK;
}

void as_micro_batches_free(as_micro_batches *micro) {
  if (!micro->ctx) return;
  for (int64_t i = 0; i < micro->count; i++) as_encoder_batch_free(&micro->list[i]);
  as_free(micro->ctx, micro->list);
  *micro = (as_micro_batches){0};
}

void as_micro_batches_survey(as_micro_batches *micro, const as_token_rows *rows, const int64_t *which, int64_t count) {
  int64_t tokens = 0;
  for (int64_t i = 0; i < count; i++) {
    int64_t length = as_token_rows_length(rows, which[i]);
    tokens += length;
    if (length > micro->longest) micro->longest = length;
  }
  if (tokens > micro->most_tokens) micro->most_tokens = tokens;
  if (count > micro->most_rows) micro->most_rows = count;
}

/* The tokens that are not in the longest row are spread evenly over the others. */
static as_status fill(const as_micro_batches *micro, as_encoder_batch *batch) {
  int32_t *ids = as_alloc_zero(micro->ctx, (size_t)micro->longest, sizeof *ids);
  if (!ids) return AS_E_NOMEM;
  as_encoder_batch_clear(batch);
  as_status status = as_encoder_batch_add(batch, ids, micro->longest, 0);
  int64_t left = micro->most_tokens - micro->longest;
  for (int64_t rows = micro->most_rows - 1; status == AS_OK && rows > 0 && left > 0; rows--) {
    int64_t share = (left + rows - 1) / rows;
    if (share > micro->longest) share = micro->longest;
    status = as_encoder_batch_add(batch, ids, share, 0);
    left -= share;
  }
  as_free(micro->ctx, ids);
  return status;
}

as_status as_micro_batches_fill_largest(as_micro_batches *micro) {
  as_status status = fill(micro, &micro->list[0]);
  for (int64_t i = 0; status == AS_OK && i < micro->count; i++)
    status = as_encoder_batch_reserve(&micro->list[i], micro->most_rows, micro->most_tokens);
  return status;
}
