#include "train/batches.h"

#include <string.h>

#include "base/memory.h"
#include "base/random.h"

#define GROUP_BATCHES 50
#define STREAM_ROWS 0x524f5753u /* random streams: one for rows and one for batches, by epoch */
#define STREAM_BATCHES 0x42415443u

as_status as_batches_init(as_batches *b, as_context *ctx, const as_token_rows *rows, int64_t batch_rows,
                          int64_t batch_tokens, uint64_t seed) {
  *b = (as_batches){
      .ctx = ctx, .rows = rows, .batch_rows = batch_rows, .batch_tokens = batch_tokens, .seed = seed, .epoch = -1};
  b->order = as_alloc(ctx, (size_t)rows->count, sizeof *b->order);
  b->start = as_alloc(ctx, (size_t)rows->count + 1, sizeof *b->start);
  return b->order && b->start ? AS_OK : AS_E_NOMEM;
}

void as_batches_free(as_batches *b) {
  if (!b->ctx) return;
  as_free(b->ctx, b->order);
  as_free(b->ctx, b->start);
  *b = (as_batches){0};
}

static bool fits(const as_batches *b, int64_t rows, int64_t tokens) {
  if (b->batch_tokens > 0) return tokens <= b->batch_tokens;
  return rows <= b->batch_rows;
}

/* Rows that make about GROUP_BATCHES batches. */
static int64_t group_rows(const as_batches *b) {
  int64_t count = b->rows->count, rows = b->batch_rows;
  if (b->batch_tokens > 0) {
    int64_t mean = count ? (b->rows->offsets[count] + count - 1) / count : 1;
    rows = b->batch_tokens / (mean > 0 ? mean : 1);
  }
  return (rows > 0 ? rows : 1) * GROUP_BATCHES;
}

/* Cuts the sorted rows of a group into batches. */
static void cut_group(as_batches *b, int64_t first, int64_t last) {
  while (first < last) {
    int64_t end = first + 1, tokens = as_token_rows_length(b->rows, b->order[first]);
    while (end < last && fits(b, end - first + 1, tokens + as_token_rows_length(b->rows, b->order[end])))
      tokens += as_token_rows_length(b->rows, b->order[end++]);
    b->start[b->count++] = first;
    first = end;
  }
}

/* Puts the batches in random order: both arrays are made anew. */
static as_status shuffle_batches(as_batches *b) {
  int64_t *which = as_alloc(b->ctx, (size_t)b->count, sizeof *which);
  int64_t *order = as_alloc(b->ctx, (size_t)b->rows->count, sizeof *order);
  int64_t *start = as_alloc(b->ctx, (size_t)b->rows->count + 1, sizeof *start);
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
  int64_t rows = b->rows->count, group = group_rows(b);
  as_random random = as_random_start(b->seed, (uint64_t)STREAM_ROWS << 32 | (uint64_t)epoch);
  b->epoch = epoch;
  b->count = 0;
  for (int64_t i = 0; i < rows; i++) b->order[i] = i;
  as_random_shuffle(&random, b->order, (size_t)rows);
  for (int64_t first = 0; first < rows; first += group) {
    int64_t count = rows - first < group ? rows - first : group;
    as_status status = as_token_rows_sort(b->rows, b->order + first, count);
    if (status != AS_OK) return status;
    cut_group(b, first, first + count);
  }
  b->start[b->count] = rows;
  return shuffle_batches(b);
}

as_status as_batches_fill(const as_batches *b, int64_t index, as_encoder_batch *batch) {
  as_encoder_batch_clear(batch);
  as_status status = AS_OK;
  for (int64_t i = b->start[index]; status == AS_OK && i < b->start[index + 1]; i++) {
    int64_t row = b->order[i];
    status = as_encoder_batch_add(batch, b->rows->ids + b->rows->offsets[row], as_token_rows_length(b->rows, row),
                                  b->rows->labels[row]);
  }
  return status;
}

int64_t as_batches_tokens(const as_batches *b, int64_t index) {
  int64_t tokens = 0;
  for (int64_t i = b->start[index]; i < b->start[index + 1]; i++) tokens += as_token_rows_length(b->rows, b->order[i]);
  return tokens;
}
