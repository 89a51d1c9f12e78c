/* See topn.h. Blocks of customers and of items are cut by size, so that a block's scores stay in the cache. */
#include "recommend/topn.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "recommend/pairwise_tables.h"
#include "tensor/gemm.h"

enum { BLOCK_USERS = 32 };

as_status as_vectors_make(as_context *ctx, const as_lightfm *model, const as_feature_matrix *features, bool items,
                          as_vectors *out) {
  const int32_t d = model->dim;
  const as_lightfm_side *side = items ? &model->items : &model->users;
  *out = (as_vectors){.rows = features->rows, .width = ((size_t)d + 2 + 7) / 8 * 8};
  out->values = as_alloc_zero(ctx, (size_t)features->rows * out->width, sizeof *out->values);
  if (!out->values) return AS_E_NOMEM;
  for (int64_t row = 0; row < features->rows; row++) {
    float *at = out->values + (size_t)row * out->width;
    as_lightfm_represent(side, d, as_feature_row_of(features, row), 1, at);
    if (!items) at[d + 1] = at[d]; /* the bias goes to the user's place, the constant to the item's */
    at[items ? d + 1 : d] = 1;
  }
  return AS_OK;
}

void as_vectors_free(as_context *ctx, as_vectors *vectors) {
  as_free(ctx, vectors->values);
  *vectors = (as_vectors){0};
}

typedef struct scoring {
  as_context *ctx;
  const as_kernels_f32 *kernels;
  const as_vectors *users, *items;
  const int32_t *list;
  int64_t count;
  void (*each)(void *argument, const as_score_block *block, int lane);
  void *argument;
  const float *packed; /* the items' matrix, transposed: [width, items] */
  float *scores;       /* [lanes, BLOCK_USERS, items] */
  float *rows;         /* [lanes, BLOCK_USERS, width] */
  unsigned char *workspaces;
  size_t workspace;
} scoring;

static void score_block(void *argument, int64_t chunk, int lane) {
  const scoring *s = argument;
  const size_t w = s->users->width;
  const int64_t first = chunk * BLOCK_USERS, rest = s->count - first, count = rest < BLOCK_USERS ? rest : BLOCK_USERS;
  float *rows = s->rows + (size_t)lane * BLOCK_USERS * w;
  float *scores = s->scores + (size_t)lane * BLOCK_USERS * (size_t)s->items->rows;
  for (int64_t i = 0; i < count; i++)
    memcpy(rows + (size_t)i * w, s->users->values + (size_t)s->list[first + i] * w, w * sizeof *rows);
  const as_gemm_block_call_f32 call = {.m = count, .n = s->items->rows, .k = (int64_t)w, .alpha = 1, .a = rows,
                                       .lda = (int64_t)w, .b = s->packed, .ldb = s->items->rows,
                                       .c = scores, .ldc = s->items->rows};
  as_gemm_block_f32(s->kernels, &call, s->workspaces + (size_t)lane * s->workspace);
  const as_score_block block = {first, count, s->list + first, scores, s->items->rows};
  s->each(s->argument, &block, lane);
}

static as_status prepare(scoring *s, float **transposed) {
  const size_t lanes = (size_t)as_context_threads(s->ctx), w = s->items->width, n = (size_t)s->items->rows;
  *transposed = as_alloc(s->ctx, n * w, sizeof **transposed);
  s->scores = as_alloc(s->ctx, lanes * BLOCK_USERS * n, sizeof *s->scores);
  s->rows = as_alloc(s->ctx, lanes * BLOCK_USERS * w, sizeof *s->rows);
  s->workspace = (as_gemm_block_workspace_f32(s->kernels, BLOCK_USERS, (int64_t)n, (int64_t)w) + 63) / 64 * 64;
  s->workspaces = as_alloc(s->ctx, lanes, s->workspace);
  if (!*transposed || !s->scores || !s->rows || !s->workspaces) return AS_E_NOMEM;
  for (size_t i = 0; i < n; i += 16) /* a few rows at a time, so that lines are written whole */
    for (size_t j = 0; j < w; j++)
      for (size_t k = i; k < i + 16 && k < n; k++) (*transposed)[j * n + k] = s->items->values[k * w + j];
  s->packed = *transposed;
  return AS_OK;
}

as_status as_score_users(as_context *ctx, const as_vectors *users, const as_vectors *items, const int32_t *list,
                         int64_t count, void (*each)(void *argument, const as_score_block *block, int lane),
                         void *argument) {
  scoring s = {.ctx = ctx, .users = users, .items = items, .list = list, .count = count, .each = each,
               .argument = argument};
  float *transposed = NULL;
  as_status status = as_kernels_select(ctx, &s.kernels);
  if (status == AS_OK) status = prepare(&s, &transposed);
  if (status == AS_OK) as_parallel_for(ctx, (count + BLOCK_USERS - 1) / BLOCK_USERS, score_block, &s);
  as_free(ctx, transposed);
  as_free(ctx, s.scores);
  as_free(ctx, s.rows);
  as_free(ctx, s.workspaces);
  return status;
}

/* ---- selection -------------------------------------------------------------------------------------------------- */

/* Whether a comes after b in the answer. */
static inline bool worse(as_best a, as_best b) {
  return a.score < b.score || (a.score <= b.score && a.item > b.item);
}

/* Restores a heap whose root, the worst of all, was replaced. */
static void sift(as_best *heap, int64_t count, int64_t at) {
  const as_best moved = heap[at];
  for (int64_t child; (child = 2 * at + 1) < count; at = child) {
    if (child + 1 < count && worse(heap[child + 1], heap[child])) child++;
    if (!worse(heap[child], moved)) break;
    heap[at] = heap[child];
  }
  heap[at] = moved;
}

/* Turns the heap into the answer. */
static void sort_best(as_best *best, int64_t count) {
  for (int64_t at = count / 2; at-- > 0;) sift(best, count, at);
  for (int64_t last = count - 1; last > 0; last--) {
    const as_best worst = best[0];
    best[0] = best[last];
    best[last] = worst;
    sift(best, last, 0);
  }
}

int64_t as_select_best_with(const as_pair_kernels *kernels, const float *scores, int64_t items, const int32_t *seen,
                            int64_t seen_count, int64_t n, as_best *best) {
  int64_t count = 0, next_seen = 0, i = 0;
  if (n <= 0) return 0;
  for (; i < items && count < n; i++) {
    if (next_seen < seen_count && seen[next_seen] == i)
      next_seen++;
    else
      best[count++] = (as_best){scores[i], (int32_t)i};
  }
  if (count == n)
    for (int64_t at = n / 2; at-- > 0;) sift(best, n, at);
  /* An equal score further on is worse, by its number; so only what is above the worst of the best comes in. */
  while (count == n && (i = kernels->first_above(scores, i, items, best[0].score)) < items) {
    while (next_seen < seen_count && seen[next_seen] < i) next_seen++;
    if (next_seen == seen_count || seen[next_seen] != i) {
      best[0] = (as_best){scores[i], (int32_t)i};
      sift(best, n, 0);
    }
    i++;
  }
  sort_best(best, count);
  return count;
}

int64_t as_select_best(const float *scores, int64_t items, const int32_t *seen, int64_t seen_count, int64_t n,
                       as_best *best) {
  return as_select_best_with(&as_pair_kernels_scalar, scores, items, seen, seen_count, n, best);
}

/* ---- the best of many users ------------------------------------------------------------------------------------- */

typedef struct asking {
  const as_pair_kernels *kernels;
  const as_top_question *question;
  as_best *best;
  int64_t *counts;
} asking;

static void answer_block(void *argument, const as_score_block *block, int lane) {
  const asking *a = argument;
  const as_top_question *q = a->question;
  (void)lane;
  for (int64_t i = 0; i < block->count; i++) {
    const int64_t start = q->seen_starts ? q->seen_starts[block->users[i]] : 0;
    const int64_t seen_count = q->seen_starts ? q->seen_starts[block->users[i] + 1] - start : 0;
    a->counts[block->first + i] =
        as_select_best_with(a->kernels, block->scores + i * block->items, block->items,
                            seen_count ? q->seen + start : NULL, seen_count, q->n, a->best + (block->first + i) * q->n);
  }
}

as_status as_top_items(as_context *ctx, const as_vectors *users, const as_vectors *items, const as_top_question *question,
                       as_best *best, int64_t *counts) {
  asking a = {NULL, question, best, counts};
  const as_status status = as_pair_kernels_select(ctx, &a.kernels);
  if (status != AS_OK) return status;
  return as_score_users(ctx, users, items, question->users, question->count, answer_block, &a);
}
