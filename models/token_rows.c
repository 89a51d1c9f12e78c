#include "models/token_rows.h"

#include <string.h>

#include "base/memory.h"

void as_token_rows_init(as_token_rows *rows, as_context *ctx) {
  *rows = (as_token_rows){.ctx = ctx};
}

void as_token_rows_free(as_token_rows *rows) {
  if (!rows->ctx) return;
  as_free(rows->ctx, rows->offsets);
  as_free(rows->ctx, rows->ids);
  as_free(rows->ctx, rows->labels);
  as_token_rows_init(rows, rows->ctx);
}

void as_token_rows_clear(as_token_rows *rows) {
  rows->count = rows->truncated = 0;
}

/* Room for one more row; offsets have one element more than labels. */
static as_status grow_rows(as_token_rows *rows) {
  size_t offsets_capacity = rows->row_capacity, labels_capacity = rows->row_capacity, needed = (size_t)rows->count + 2;
  int64_t *offsets = as_grow(rows->ctx, rows->offsets, &offsets_capacity, needed, sizeof *offsets);
  if (!offsets) return AS_E_NOMEM;
  rows->offsets = offsets;
  int32_t *labels = as_grow(rows->ctx, rows->labels, &labels_capacity, needed, sizeof *labels);
  if (!labels) return AS_E_NOMEM;
  rows->labels = labels;
  rows->row_capacity = labels_capacity;
  rows->offsets[0] = 0;
  return AS_OK;
}

as_status as_token_rows_add(as_token_rows *rows, const int32_t *ids, int64_t count, int32_t label, bool truncated) {
  if (grow_rows(rows) != AS_OK) return AS_E_NOMEM;
  int64_t at = rows->offsets[rows->count];
  int32_t *grown = as_grow(rows->ctx, rows->ids, &rows->id_capacity, (size_t)(at + count), sizeof *grown);
  if (!grown) return AS_E_NOMEM;
  rows->ids = grown;
  memcpy(rows->ids + at, ids, (size_t)count * sizeof *ids);
  rows->labels[rows->count] = label;
  rows->truncated += truncated;
  rows->offsets[++rows->count] = at + count;
  return AS_OK;
}

static int64_t length_of(const int64_t *offsets, int64_t row) {
  return offsets[row + 1] - offsets[row];
}

/* Counting sort: lengths are small numbers, and it keeps equal ones in order. */
as_status as_sort_by_length(as_context *ctx, const int64_t *offsets, int64_t *order, int64_t count) {
  int64_t longest = 0;
  for (int64_t i = 0; i < count; i++)
    if (length_of(offsets, order[i]) > longest) longest = length_of(offsets, order[i]);
  int64_t *start = as_alloc_zero(ctx, (size_t)longest + 2, sizeof *start);
  int64_t *sorted = as_alloc(ctx, (size_t)count, sizeof *sorted);
  if (start && sorted) {
    for (int64_t i = 0; i < count; i++) start[length_of(offsets, order[i]) + 1]++;
    for (int64_t length = 0; length <= longest; length++) start[length + 1] += start[length];
    for (int64_t i = 0; i < count; i++) sorted[start[length_of(offsets, order[i])]++] = order[i];
    memcpy(order, sorted, (size_t)count * sizeof *order);
  }
  bool ok = start && sorted;
  as_free(ctx, start);
  as_free(ctx, sorted);
  return ok ? AS_OK : AS_E_NOMEM;
}
