/* The growing arrays of as_work. */
#include "tokenizer/work.h"

#include "base/memory.h"

as_work *as_work_new(as_context *ctx) {
  as_work *work = as_alloc_zero(ctx, 1, sizeof *work);
  if (!work) return NULL;
  work->ctx = ctx;
  for (int i = 0; i < 2; i++) as_buffer_init(&work->repaired[i], ctx);
  as_buffer_init(&work->surface_pool, ctx);
  return work;
}

void as_work_free(as_work *work) {
  if (!work) return;
  as_context *ctx = work->ctx;
  as_free(ctx, work->text.bytes);
  as_free(ctx, work->text.origin);
  as_free(ctx, work->spare.bytes);
  as_free(ctx, work->spare.origin);
  as_free(ctx, work->splits.items);
  as_free(ctx, work->spare_splits.items);
  as_nfd_free(&work->nfd, ctx);
  as_bpe_word_free(&work->bpe, ctx);
  as_free(ctx, work->lattice);
  for (int i = 0; i < 2; i++) {
    as_free(ctx, work->between[i].bytes);
    as_free(ctx, work->between[i].origin);
    as_free(ctx, work->tokens[i].items);
    as_free(ctx, work->windows[i].items);
    as_buffer_free(&work->repaired[i]);
  }
  as_buffer_free(&work->surface_pool);
  as_free(ctx, work->surfaces);
  as_free(ctx, work->char_index);
  as_free(ctx, work->block);
  as_free(ctx, work);
}

as_status as_aligned_reserve(as_work *work, as_aligned_text *text, size_t extra) {
  size_t needed = text->length + extra;
  if (needed <= text->capacity && needed <= text->origin_capacity) return AS_OK;
  if (needed > UINT32_MAX) return as_fail(work->ctx, AS_E_LIMIT, "the normal form of a text is longer than 4 GiB");
  char *bytes = as_grow(work->ctx, text->bytes, &text->capacity, needed, sizeof *bytes);
  if (!bytes) return AS_E_NOMEM;
  text->bytes = bytes;
  as_span *origin = as_grow(work->ctx, text->origin, &text->origin_capacity, needed, sizeof *origin);
  if (!origin) return AS_E_NOMEM;
  text->origin = origin;
  return AS_OK;
}

as_status as_split_put(as_work *work, as_split_list *list, size_t start, size_t end, int32_t added) {
  if (list->length == list->capacity) {
    as_split *items = as_grow(work->ctx, list->items, &list->capacity, list->length + 1, sizeof *items);
    if (!items) return AS_E_NOMEM;
    list->items = items;
  }
  list->items[list->length++] = (as_split){.start = (uint32_t)start, .end = (uint32_t)end, .added = added};
  return AS_OK;
}

void as_work_swap(as_work *work) {
  as_aligned_text text = work->text;
  work->text = work->spare;
  work->spare = text;
  as_split_list splits = work->splits;
  work->splits = work->spare_splits;
  work->spare_splits = splits;
}

as_status as_work_emit(as_work *work, int32_t id, uint32_t start, uint32_t end) {
  as_token_list *list = work->list;
  if (list->length == list->capacity) {
    as_token *items = as_grow(work->ctx, list->items, &list->capacity, list->length + 1, sizeof *items);
    if (!items) return AS_E_NOMEM;
    list->items = items;
  }
  const as_span *origin = work->text.origin;
  as_span span = start < end ? (as_span){origin[start].start, origin[end - 1].end} : (as_span){0, 0};
  list->items[list->length++] = (as_token){.id = id, .surface = -1, .span = span};
  return AS_OK;
}

as_status as_work_emit_surface(as_work *work, int32_t id, uint32_t start, uint32_t end, const char *text,
                               size_t length) {
  as_surface *surfaces =
      as_grow(work->ctx, work->surfaces, &work->surface_capacity, work->surface_count + 1, sizeof *surfaces);
  if (!surfaces) return AS_E_NOMEM;
  work->surfaces = surfaces;
  surfaces[work->surface_count] = (as_surface){.start = work->surface_pool.length, .length = length};
  as_buffer_append(&work->surface_pool, text, length);
  as_buffer_char(&work->surface_pool, 0);
  as_status status = as_buffer_status(&work->surface_pool);
  if (status == AS_OK) status = as_work_emit(work, id, start, end);
  if (status == AS_OK) work->list->items[work->list->length - 1].surface = (int32_t)work->surface_count++;
  return status;
}
