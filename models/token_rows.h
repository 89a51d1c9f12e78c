/* Tokenized rows in memory: the ids of all rows in one block, with 64-bit offsets. What training and prediction
 * batch. */
#ifndef AS_MODELS_TOKEN_ROWS_H
#define AS_MODELS_TOKEN_ROWS_H

#include "base/context.h"

typedef struct as_token_rows {
  as_context *ctx;
  int64_t count;
  int64_t *offsets;  /* [count + 1] */
  int32_t *ids;      /* [offsets[count]] */
  int32_t *labels;   /* [count]; -100: none */
  int64_t truncated; /* rows that lost tokens to a length limit, as as_token_rows_add was told */
  size_t row_capacity, id_capacity;
} as_token_rows;

void as_token_rows_init(as_token_rows *rows, as_context *ctx);
void as_token_rows_free(as_token_rows *rows);
void as_token_rows_clear(as_token_rows *rows); /* no rows; memory kept */
AS_MUST_CHECK as_status as_token_rows_add(as_token_rows *rows, const int32_t *ids, int64_t count, int32_t label,
                                          bool truncated);
static inline int64_t as_token_rows_length(const as_token_rows *rows, int64_t row) {
  return rows->offsets[row + 1] - rows->offsets[row];
}

/* Sorts `order` [count], row numbers, by length, offsets[row + 1] - offsets[row], and by number among equals. */
AS_MUST_CHECK as_status as_sort_by_length(as_context *ctx, const int64_t *offsets, int64_t *order, int64_t count);

#endif
