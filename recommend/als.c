/* See als.h. Solving one side: A = Y'Y + sum (c - 1) y y' + lambda I, b = sum c y, x = A^-1 b for each row. Y'Y is made
 * once a side; the sum is a matrix product over the row's items, gathered. */
#include "recommend/als.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "tensor/gemm.h"

enum { ROWS_A_CHUNK = 8, GATHER = 128 };

/* For each row of one side: the rows of the other side that it met. */
typedef struct met {
  int64_t rows;
  const int64_t *starts;
  const int32_t *others;
  const float *weights; /* NULL: 1 */
} met;

typedef struct solving {
  as_context *ctx;
  const as_kernels_f32 *kernels;
  size_t dim;
  met met;
  float *x;       /* [rows, dim] what is solved for */
  const float *y; /* [others, dim] */
  float *gram;    /* [dim, dim] Y'Y + lambda I */
  float confidence;
  float *scratch; /* [lanes, scratch_size] */
  size_t scratch_size, workspace;
  unsigned char *workspaces;
} solving;

/* Cholesky's A = U'U in place (upper triangle), then b becomes A^-1 b. A is positive definite. Row by row of U, what it
 * takes off the rows below it goes along these rows: no step waits for the one before it, as sums of products would. */
static void solve_symmetric(size_t n, float *restrict a, float *restrict b) {
  for (size_t k = 0; k < n; k++) {
    float *restrict u = a + k * n;
    const float pivot = 1 / sqrtf(u[k] > 1e-20f ? u[k] : 1e-20f);
    for (size_t j = k; j < n; j++) u[j] *= pivot;
    for (size_t i = k + 1; i < n; i++) {
      float *restrict row = a + i * n;
      const float factor = u[i];
      for (size_t j = i; j < n; j++) row[j] -= factor * u[j];
    }
    b[k] *= pivot; /* U'y = b at the same time */
    for (size_t j = k + 1; j < n; j++) b[j] -= u[j] * b[k];
    u[k] = pivot;
  }
  for (size_t j = n; j-- > 0;) {
    b[j] *= a[j * n + j];
    for (size_t i = 0; i < j; i++) b[i] -= a[i * n + j] * b[j];
  }
}

static void solve_row(const solving *s, int64_t row, int lane) {
  const size_t d = s->dim;
  float *a = s->scratch + (size_t)lane * s->scratch_size, *plain = a + d * d, *weighted = plain + GATHER * d;
  float *x = s->x + (size_t)row * d;
  const int64_t end = s->met.starts[row + 1];
  memcpy(a, s->gram, d * d * sizeof *a);
  memset(x, 0, d * sizeof *x);
  for (int64_t at = s->met.starts[row]; at < end; at += GATHER) {
    const int64_t count = end - at < GATHER ? end - at : GATHER;
    for (int64_t i = 0; i < count; i++) {
      const float *y = s->y + (size_t)s->met.others[at + i] * d;
      const float extra = s->confidence * (s->met.weights ? s->met.weights[at + i] : 1);
      for (size_t j = 0; j < d; j++) {
        plain[(size_t)i * d + j] = y[j];
        weighted[(size_t)i * d + j] = extra * y[j];
        x[j] += (1 + extra) * y[j];
      }
    }
    const as_gemm_block_call_f32 call = {.m = (int64_t)d,
                                         .n = (int64_t)d,
                                         .k = count,
                                         .transpose_a = true,
                                         .alpha = 1,
                                         .a = weighted,
                                         .lda = (int64_t)d,
                                         .b = plain,
                                         .ldb = (int64_t)d,
                                         .add = true,
                                         .c = a,
                                         .ldc = (int64_t)d};
    as_gemm_block_f32(s->kernels, &call, s->workspaces + (size_t)lane * s->workspace);
  }
  solve_symmetric(d, a, x);
}

static void solve_chunk(void *argument, int64_t chunk, int lane) {
  const solving *s = argument;
  for (int64_t row = chunk * ROWS_A_CHUNK; row < (chunk + 1) * ROWS_A_CHUNK && row < s->met.rows; row++) {
    if (s->met.starts[row + 1] > s->met.starts[row])
      solve_row(s, row, lane);
    else
      memset(s->x + (size_t)row * s->dim, 0, s->dim * sizeof *s->x); /* nothing is known: a score of 0 */
  }
}

static void solve_side(solving *s, int64_t others, double lambda) {
  const int64_t d = (int64_t)s->dim;
  for (int64_t at = 0; at < others; at += GATHER) {
    const as_gemm_block_call_f32 call = {.m = d,
                                         .n = d,
                                         .k = others - at < GATHER ? others - at : GATHER,
                                         .transpose_a = true,
                                         .alpha = 1,
                                         .a = s->y + at * d,
                                         .lda = d,
                                         .b = s->y + at * d,
                                         .ldb = d,
                                         .add = at > 0,
                                         .c = s->gram,
                                         .ldc = d};
    as_gemm_block_f32(s->kernels, &call, s->workspaces);
  }
  for (int64_t j = 0; j < d; j++) s->gram[j * d + j] += (float)lambda;
  as_parallel_for(s->ctx, (s->met.rows + ROWS_A_CHUNK - 1) / ROWS_A_CHUNK, solve_chunk, s);
}

/* The rows by item: starts [items + 1], users and weights in the order of the users. */
typedef struct transposed {
  int64_t *starts;
  int32_t *users;
  float *weights;
} transposed;

static as_status transpose(as_context *ctx, const as_fit_rows *rows, int64_t items, transposed *out) {
  out->starts = as_alloc_zero(ctx, (size_t)items + 2, sizeof *out->starts);
  out->users = as_alloc(ctx, (size_t)rows->count, sizeof *out->users);
  out->weights = rows->weights ? as_alloc(ctx, (size_t)rows->count, sizeof *out->weights) : NULL;
  if (!out->starts || !out->users || (rows->weights && !out->weights)) return AS_E_NOMEM;
  for (int64_t r = 0; r < rows->count; r++) out->starts[rows->items[r] + 2]++;
  for (int64_t i = 2; i <= items + 1; i++) out->starts[i] += out->starts[i - 1];
  for (int64_t r = 0; r < rows->count; r++) {
    const int64_t at = out->starts[rows->items[r] + 1]++;
    out->users[at] = rows->users[r];
    if (out->weights) out->weights[at] = rows->weights[r];
  }
  return AS_OK;
}

static as_status check(const as_lightfm *m, const as_fit_rows *rows, const as_als_options *o) {
  const bool numbers = o->confidence >= 0 && o->confidence <= 1e6 && o->item_alpha > 0 && o->item_alpha <= 1e9 &&
                       o->user_alpha > 0 && o->user_alpha <= 1e9;
  if (!numbers) return as_fail(m->ctx, AS_E_INVALID, "als wants L2 above 0 and a confidence from 0 to 1000000");
  if (rows->count < 1) return as_fail(m->ctx, AS_E_INVALID, "there is nothing to train the recommender on");
  for (int64_t u = 0; u < m->users.features; u++)
    for (int64_t r = rows->seen.starts[u]; r < rows->seen.starts[u + 1]; r++)
      if (rows->users[r] != u || rows->items[r] < 0 || rows->items[r] >= m->items.features)
        return as_fail(m->ctx, AS_E_INVALID, "als wants its rows by user, and items that are there");
  return AS_OK;
}

static as_status make_room(solving *s) {
  const size_t lanes = (size_t)as_context_threads(s->ctx), d = s->dim;
  s->scratch_size = d * d + 2 * GATHER * d;
  s->scratch = as_alloc(s->ctx, lanes * s->scratch_size, sizeof *s->scratch);
  s->gram = as_alloc(s->ctx, d * d, sizeof *s->gram);
  s->workspace = (as_gemm_block_workspace_f32(s->kernels, (int64_t)d, (int64_t)d, GATHER) + 63) / 64 * 64;
  s->workspaces = as_alloc(s->ctx, lanes, s->workspace);
  return s->scratch && s->gram && s->workspaces ? AS_OK : AS_E_NOMEM;
}

static bool all_finite(const float *values, int64_t count) {
  float sum = 0;
  for (int64_t i = 0; i < count; i++) sum += values[i] - values[i];
  return sum == 0;
}

static as_status run_epochs(solving *s, as_lightfm *m, const as_fit_rows *rows, const transposed *by_item,
                            const as_als_options *o, int64_t *epoch) {
  as_fit_progress progress = {.epochs = o->epochs, .rows = rows->count, .of_rows = rows->count, .updates = NAN};
  while (*epoch < o->epochs) {
    s->x = m->users.embeddings;
    s->y = m->items.embeddings;
    s->met = (met){m->users.features, rows->seen.starts, rows->items, rows->weights};
    solve_side(s, m->items.features, o->user_alpha);
    s->x = m->items.embeddings;
    s->y = m->users.embeddings;
    s->met = (met){m->items.features, by_item->starts, by_item->users, by_item->weights};
    solve_side(s, m->users.features, o->item_alpha);
    progress.epoch = ++*epoch;
    if (o->progress && !o->progress(o->progress_user, &progress))
      return as_fail(m->ctx, AS_E_INTERRUPTED, "training was stopped after epoch %lld", (long long)*epoch);
  }
  return AS_OK;
}

as_status as_lightfm_als(as_lightfm *model, const as_fit_rows *rows, const as_als_options *options,
                         int64_t *epochs_done) {
  solving s = {.ctx = model->ctx, .dim = (size_t)model->dim, .confidence = (float)options->confidence};
  transposed by_item = {0};
  int64_t epoch = options->first_epoch;
  as_status status = check(model, rows, options);
  if (status == AS_OK) status = as_kernels_select(model->ctx, &s.kernels);
  if (status == AS_OK) status = make_room(&s);
  if (status == AS_OK) status = transpose(model->ctx, rows, model->items.features, &by_item);
  if (status == AS_OK) {
    memset(model->users.biases, 0, (size_t)model->users.features * sizeof(float));
    memset(model->items.biases, 0, (size_t)model->items.features * sizeof(float));
    status = run_epochs(&s, model, rows, &by_item, options, &epoch);
  }
  if (status == AS_OK && !(all_finite(model->items.embeddings, model->items.features * model->dim) &&
                           all_finite(model->users.embeddings, model->users.features * model->dim)))
    status = as_fail(model->ctx, AS_E_DIVERGED, "als gave numbers that are not finite; try more L2");
  as_free(s.ctx, s.scratch);
  as_free(s.ctx, s.gram);
  as_free(s.ctx, s.workspaces);
  as_free(s.ctx, by_item.starts);
  as_free(s.ctx, by_item.users);
  as_free(s.ctx, by_item.weights);
  if (epochs_done) *epochs_done = epoch;
  return status;
}
