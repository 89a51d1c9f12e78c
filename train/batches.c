#include "train/batches.h"

#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "models/token_rows.h"

#define GROUP_BATCHES 50
#define STREAM_ROWS 0x524f5753u /* random streams: one for rows and one for batches, by epoch */
#define STREAM_BATCHES 0x42415443u

as_status as_batches_init(as_batches *b, as_context *ctx, const int64_t *offsets, int64_t rows, int64_t batch_rows,
                          int64_t batch_tokens, uint64_t seed) {
  *b = (as_batches){.ctx = ctx,
                    .offsets = offsets,
                    .rows = rows,
                    .batch_rows = batch_rows,
                    .batch_tokens = batch_tokens,
                    .seed = seed,
                    .epoch = -1};
  b->order = as_alloc(ctx, (size_t)rows, sizeof *b->order);
  b->start = as_alloc(ctx, (size_t)rows + 1, sizeof *b->start);
  return b->order && b->start ? AS_OK : AS_E_NOMEM;
}

void as_batches_free(as_batches *b) {
  if (!b->ctx) return;
  as_free(b->ctx, b->order);
  as_free(b->ctx, b->start);
  *b = (as_batches){0};
}

static int64_t length_of(const as_batches *b, int64_t row) {
  return b->offsets[row + 1] - b->offsets[row];
}

static bool fits(const as_batches *b, int64_t rows, int64_t tokens) {
  if (b->batch_tokens > 0) return tokens <= b->batch_tokens;
  return rows <= b->batch_rows;
}

/* Rows that make about GROUP_BATCHES batches. */
static int64_t group_rows(const as_batches *b) {
  int64_t count = b->rows, rows = b->batch_rows;
  if (b->batch_tokens > 0) {
    int64_t mean = count ? (b->offsets[count] + count - 1) / count : 1;
    rows = b->batch_tokens / (mean > 0 ? mean : 1);
  }
  return (rows > 0 ? rows : 1) * GROUP_BATCHES;
}

/* Cuts the sorted rows of a group into batches. */
static void cut_group(as_batches *b, int64_t first, int64_t last) {
  while (first < last) {
    int64_t end = first + 1, tokens = length_of(b, b->order[first]);
    while (end < last && fits(b, end - first + 1, tokens + length_of(b, b->order[end])))
      tokens += length_of(b, b->order[end++]);
    b->start[b->count++] = first;
    first = end;
  }
}

/* Puts the batches in random order: both arrays are made anew. */
static as_status shuffle_batches(as_batches *b) {
  int64_t *which = as_alloc(b->ctx, (size_t)b->count, sizeof *which);
  int64_t *order = as_alloc(b->ctx, (size_t)b->rows, sizeof *order);
  int64_t *start = as_alloc(b->ctx, (size_t)b->rows + 1, sizeof *start);
  if (!which || !order || !start) {
    as_free(b->ctx, which);
    as_free(b->ctx, order);
    as_free(b->ctx, start);
    return AS_E_NOMEM;
  }
  as_random random = as_random_start(b->seed, (uint64_t)STREAM_BATCHES << 32 | (uint64_t)b->epoch);
  for (int64_t i = 0; i < b->count; i++) which[i] = i;
  as_random_shuffle(&random, which, (size_t)b->count);
  int64_t at = 0;
  for (int64_t i = 0; i < b->count; i++) {
    int64_t first = b->start[which[i]], rows = b->start[which[i] + 1] - first;
    memcpy(order + at, b->order + first, (size_t)rows * sizeof *order);
    start[i] = at;
    at += rows;
  }
  start[b->count] = at;
  as_free(b->ctx, which);
  as_free(b->ctx, b->order);
  as_free(b->ctx, b->start);
  b->order = order;
  b->start = start;
  return AS_OK;
}

as_status as_batches_epoch(as_batches *b, int64_t epoch) {
  if (b->epoch == epoch) return AS_OK;
  int64_t rows = b->rows, group = group_rows(b);
  as_random random = as_random_start(b->seed, (uint64_t)STREAM_ROWS << 32 | (uint64_t)epoch);
  b->epoch = epoch;
  b->count = 0;
  for (int64_t i = 0; i < rows; i++) b->order[i] = i;
  as_random_shuffle(&random, b->order, (size_t)rows);
  for (int64_t first = 0; first < rows; first += group) {
    int64_t count = rows - first < group ? rows - first : group;
    as_status status = as_sort_by_length(b->ctx, b->offsets, b->order + first, count);
    if (status != AS_OK) return status;
    cut_group(b, first, first + count);
  }
  b->start[b->count] = rows;
  return shuffle_batches(b);
}

int64_t as_batches_tokens(const as_batches *b, int64_t index) {
  int64_t tokens = 0;
  for (int64_t i = b->start[index]; i < b->start[index + 1]; i++) tokens += length_of(b, b->order[i]);
  return tokens;
}
