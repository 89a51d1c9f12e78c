/* See pair_batches.h. */
#include "train/pair_batches.h"

#include "base/memory.h"

as_status as_pair_batches_set(as_pair_batches *b, as_context *ctx, int64_t count) {
  as_pair_batches_free(b);
  *b = (as_pair_batches){.ctx = ctx, .list = as_alloc_zero(ctx, (size_t)count, sizeof *b->list)};
  if (!b->list) return AS_E_NOMEM;
  b->count = count;
  for (int64_t i = 0; i < count; i++) as_t5_batch_init(&b->list[i], ctx);
  return AS_OK;
}

void as_pair_batches_free(as_pair_batches *b) {
  if (!b->ctx) return;
  for (int64_t i = 0; i < b->count; i++) as_t5_batch_free(&b->list[i]);
  as_free(b->ctx, b->list);
  *b = (as_pair_batches){0};
}

static void raise(int64_t *most, int64_t value) {
  if (value > *most) *most = value;
}

void as_pair_batches_survey(as_pair_batches *b, const as_pair_rows *rows, const int64_t *which, int64_t count) {
  int64_t source_tokens = 0, target_tokens = 0;
  for (int64_t i = 0; i < count; i++) {
    int64_t source = as_token_rows_length(&rows->sources, which[i]);
    int64_t target = as_token_rows_length(&rows->targets, which[i]);
    source_tokens += source;
    target_tokens += target;
    raise(&b->most.longest_source, source);
    raise(&b->most.longest_target, target);
  }
  raise(&b->most.source_tokens, source_tokens);
  raise(&b->most.target_tokens, target_tokens);
  raise(&b->most.rows, count);
}

/* What the next of `rows` rows takes of `left` tokens spread evenly, at least 1 and at most the longest. */
static int64_t share_of(int64_t left, int64_t rows, int64_t longest) {
  int64_t share = (left + rows - 1) / rows;
  return share > longest ? longest : share < 1 ? 1 : share;
}

static as_status fill(const as_pair_batches *b, as_t5_batch *batch) {
  const as_pair_extent *m = &b->most;
  int64_t longest = m->longest_source > m->longest_target ? m->longest_source : m->longest_target;
  int32_t *ids = as_alloc_zero(b->ctx, (size_t)longest, sizeof *ids);
  if (!ids) return AS_E_NOMEM;
  as_t5_batch_clear(batch);
  as_status status = as_t5_batch_add(batch, ids, m->longest_source, ids, m->longest_target, 0, 0);
  int64_t sources = m->source_tokens - m->longest_source, targets = m->target_tokens - m->longest_target;
  for (int64_t rows = m->rows - 1; status == AS_OK && rows > 0 && (sources > 0 || targets > 0); rows--) {
    int64_t source = share_of(sources, rows, m->longest_source), target = share_of(targets, rows, m->longest_target);
    status = as_t5_batch_add(batch, ids, source, ids, target, 0, 0);
    sources -= source;
    targets -= target;
  }
  as_free(b->ctx, ids);
  return status;
}

as_status as_pair_batches_fill_largest(as_pair_batches *b) {
  const as_pair_extent *m = &b->most;
  as_status status = fill(b, &b->list[0]);
  for (int64_t i = 0; status == AS_OK && i < b->count; i++)
    status = as_t5_batch_reserve(&b->list[i], m->rows, m->source_tokens, m->target_tokens);
  return status;
}
