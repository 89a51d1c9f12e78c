/* See pair_rows.h. */
#include "models/pair_rows.h"

#include "base/memory.h"

void as_pair_rows_init(as_pair_rows *r, as_context *ctx) {
  *r = (as_pair_rows){0};
  as_token_rows_init(&r->sources, ctx);
  as_token_rows_init(&r->targets, ctx);
}

void as_pair_rows_free(as_pair_rows *r) {
  if (r->sources.ctx) as_free(r->sources.ctx, r->offsets);
  as_token_rows_free(&r->sources);
  as_token_rows_free(&r->targets);
  r->offsets = NULL;
  r->capacity = 0;
}

as_status as_pair_rows_add(as_pair_rows *r, const int32_t *source, int64_t source_count, bool source_cut,
                           const int32_t *target, int64_t target_count, bool target_cut) {
  int64_t count = r->sources.count;
  int64_t *grown = as_grow(r->sources.ctx, r->offsets, &r->capacity, (size_t)count + 2, sizeof *grown);
  if (!grown) return AS_E_NOMEM;
  r->offsets = grown;
  if (count == 0) grown[0] = 0;
  as_status status = as_token_rows_add(&r->sources, source, source_count, -100, source_cut);
  if (status == AS_OK) status = as_token_rows_add(&r->targets, target, target_count, -100, target_cut);
  if (status == AS_OK) grown[count + 1] = grown[count] + source_count + target_count;
  return status;
}

as_status as_pair_batch_fill(as_t5_batch *batch, const as_t5_config *config, const as_pair_rows *rows,
                             const int64_t *which, int64_t count) {
  const as_token_rows *sources = &rows->sources, *targets = &rows->targets;
  as_t5_batch_clear(batch);
  as_status status = AS_OK;
  for (int64_t i = 0; status == AS_OK && i < count; i++)
    status = as_t5_batch_add(batch, sources->ids + sources->offsets[which[i]], as_token_rows_length(sources, which[i]),
                             targets->ids + targets->offsets[which[i]], as_token_rows_length(targets, which[i]),
                             (int32_t)config->decoder_start_token_id, (int32_t)config->pad_token_id);
  return status;
}
