/* See adafactor.h.
 *
 * A parameter is taken in pieces of whole rows, a vector being one row per piece. Three loops over the pieces: the
 * means of the squared gradient, the size of the update, and the update itself, which is computed twice rather than
 * stored. */
#include "train/adafactor.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"

#define PIECE_ELEMENTS 65536

/* A parameter as the update sees it. */
typedef struct view {
  as_adafactor *o;
  size_t rows, columns; /* a vector is one row */
  bool factored;
  const float *gradient;
  const uint8_t *touched; /* rows of an embedding that ever had a gradient; NULL: all */
  float *weights;
  float *row_means, *column_means; /* a vector has its moments in column_means */
  size_t piece_rows, piece_columns;
  double keep, scale; /* of the moments; of the gradient */
  double row_mean;    /* mean of row_means */
  double size;        /* what the update is divided by */
  double lr, decay;
} view;

as_adafactor_options as_adafactor_default(void) {
  return (as_adafactor_options){.eps1 = 1e-30, .eps2 = 1e-3, .clip_threshold = 1, .decay_rate = -0.8};
}

static size_t moments_of(const as_parameter *p) {
  return p->ndim == 2 ? (size_t)(p->shape[0] + p->shape[1]) : p->elements;
}

static size_t pieces_of(const view *v) {
  return (v->rows + v->piece_rows - 1) / v->piece_rows * ((v->columns + v->piece_columns - 1) / v->piece_columns);
}

static view view_of(as_adafactor *o, size_t index, float *moments) {
  const as_parameter *p = &o->parameters->list[index];
  view v = {.o = o, .factored = p->ndim == 2, .rows = 1, .columns = p->elements};
  if (v.factored) {
    v.rows = (size_t)p->shape[0];
    v.columns = (size_t)p->shape[1];
    v.row_means = moments;
    moments += v.rows;
  }
  v.column_means = moments;
  v.piece_columns = v.factored || v.columns < PIECE_ELEMENTS ? v.columns : PIECE_ELEMENTS;
  v.piece_rows = v.columns < PIECE_ELEMENTS ? PIECE_ELEMENTS / v.columns : 1;
  v.touched = as_parameter_touched(o->parameters, (int)index);
  return v;
}

as_status as_adafactor_init(as_adafactor *o, as_context *ctx, as_parameters *parameters,
                            const as_adafactor_options *options) {
  *o = (as_adafactor){.ctx = ctx, .parameters = parameters, .options = *options};
  size_t columns = 0, pieces = 0;
  as_status status = as_kernels_select(ctx, &o->kernels);
  if (status != AS_OK) return status;
  for (size_t i = 0; i < parameters->count; i++) {
    view v = view_of(o, i, NULL);
    size_t count = pieces_of(&v);
    if (v.factored && count * v.columns > columns) columns = count * v.columns;
    if (count > pieces) pieces = count;
    o->elements += moments_of(&parameters->list[i]);
  }
  o->moments = as_alloc_zero(ctx, o->elements, sizeof *o->moments);
  o->columns = as_alloc(ctx, columns, sizeof *o->columns);
  o->partial = as_alloc(ctx, pieces, sizeof *o->partial);
  return o->moments && o->columns && o->partial ? AS_OK : AS_E_NOMEM;
}

void as_adafactor_free(as_adafactor *o) {
  if (!o->ctx) return;
  as_free(o->ctx, o->moments);
  as_free(o->ctx, o->columns);
  as_free(o->ctx, o->partial);
  *o = (as_adafactor){0};
}

/* ---- pieces ----------------------------------------------------------------------------------------------------- */

/* Rows [*row, *row_end) and columns from *column on of a piece; returns how many columns. */
static size_t piece_at(const view *v, int64_t piece, size_t *row, size_t *row_end, size_t *column) {
  size_t across = (v->columns + v->piece_columns - 1) / v->piece_columns, i = (size_t)piece;
  *row = i / across * v->piece_rows;
  *row_end = *row + v->piece_rows < v->rows ? *row + v->piece_rows : v->rows;
  *column = i % across * v->piece_columns;
  return *column + v->piece_columns < v->columns ? v->piece_columns : v->columns - *column;
}

static bool has_gradient(const view *v, size_t row) { return !v->touched || v->touched[row]; }

/* The new row means, and the piece's sums over columns; a row without a gradient counts as zeros. */
static void means_chunk(void *argument, int64_t piece, int lane) {
  (void)lane;
  const view *v = argument;
  const as_kernels_f32 *k = v->o->kernels;
  size_t row, row_end, column, columns = piece_at(v, piece, &row, &row_end, &column);
  float *sums = v->o->columns + (size_t)piece * v->columns;
  double squared = v->scale * v->scale, eps = v->o->options.eps1;
  memset(sums, 0, columns * sizeof *sums);
  for (; row < row_end; row++) {
    const float *g = v->gradient + row * v->columns;
    double mean = eps;
    if (has_gradient(v, row)) {
      mean += squared * k->sum_squares(columns, g) / (double)columns;
      k->mul_add(columns, g, g, sums);
    }
    v->row_means[row] = (float)(v->keep * (double)v->row_means[row] + (1 - v->keep) * mean);
  }
}

static void column_means(const view *v, size_t pieces) {
  double squared = v->scale * v->scale;
  for (size_t c = 0; c < v->columns; c++) {
    double sum = 0;
    for (size_t i = 0; i < pieces; i++) sum += (double)v->o->columns[i * v->columns + c];
    double mean = squared * sum / (double)v->rows + v->o->options.eps1;
    v->column_means[c] = (float)(v->keep * (double)v->column_means[c] + (1 - v->keep) * mean);
  }
}

static void vector_moments(const view *v) {
  for (size_t c = 0; c < v->columns; c++) {
    double g = v->scale * (double)v->gradient[c];
    v->column_means[c] = (float)(v->keep * (double)v->column_means[c] +
                                 (1 - v->keep) * (g * g + v->o->options.eps1));
  }
}

/* What a row's gradients are multiplied with, beside 1 / sqrt of the column. */
static double row_factor(const view *v, size_t row) {
  return v->scale * (v->factored ? 1 / sqrt((double)v->row_means[row] / v->row_mean) : 1);
}

static void size_chunk(void *argument, int64_t piece, int lane) {
  (void)lane;
  const view *v = argument;
  size_t row, row_end, column, columns = piece_at(v, piece, &row, &row_end, &column);
  double total = 0;
  for (; row < row_end; row++) {
    if (!has_gradient(v, row)) continue;
    const float *g = v->gradient + row * v->columns + column, *m = v->column_means + column;
    double factor = row_factor(v, row), sum = 0;
    for (size_t c = 0; c < columns; c++) sum += (double)g[c] * (double)g[c] / (double)m[c];
    total += factor * factor * sum;
  }
  v->o->partial[piece] = total;
}

static void update_chunk(void *argument, int64_t piece, int lane) {
  (void)lane;
  const view *v = argument;
  size_t row, row_end, column, columns = piece_at(v, piece, &row, &row_end, &column);
  for (; row < row_end; row++) {
    const float *g = v->gradient + row * v->columns + column, *m = v->column_means + column;
    float *w = v->weights + row * v->columns + column;
    if (v->decay != 0) v->o->kernels->scale(columns, (float)(1 - v->decay), w, w);
    if (!has_gradient(v, row)) continue;
    float factor = (float)(v->lr * row_factor(v, row) / v->size);
    for (size_t c = 0; c < columns; c++) w[c] -= factor * g[c] / sqrtf(m[c]);
  }
}

static void weight_chunk(void *argument, int64_t piece, int lane) {
  (void)lane;
  const view *v = argument;
  size_t row, row_end, column, columns = piece_at(v, piece, &row, &row_end, &column);
  v->o->partial[piece] = v->o->kernels->sum_squares((row_end - row - 1) * v->columns + columns,
                                                    v->weights + row * v->columns + column);
}

/* The square root of the mean of what a loop over the pieces sums up. */
static double root_mean(const view *v, size_t pieces, as_chunk_function body) {
  double total = 0;
  as_parallel_for(v->o->ctx, (int64_t)pieces, body, (void *)(uintptr_t)v);
  for (size_t i = 0; i < pieces; i++) total += v->o->partial[i];
  return sqrt(total / ((double)v->rows * (double)v->columns));
}

/* ---- the update ------------------------------------------------------------------------------------------------- */

static void update_parameter(view *v, double lr) {
  const as_adafactor_options *o = &v->o->options;
  size_t pieces = pieces_of(v);
  if (o->scale_parameter) lr *= fmax(o->eps2, root_mean(v, pieces, weight_chunk));
  if (v->factored) {
    as_parallel_for(v->o->ctx, (int64_t)pieces, means_chunk, v);
    column_means(v, pieces);
    double sum = 0;
    for (size_t r = 0; r < v->rows; r++) sum += (double)v->row_means[r];
    v->row_mean = sum / (double)v->rows;
  } else {
    vector_moments(v);
  }
  v->size = fmax(1, root_mean(v, pieces, size_chunk) / o->clip_threshold);
  v->lr = lr;
  v->decay *= lr;
  as_parallel_for(v->o->ctx, (int64_t)pieces, update_chunk, v);
}

/* Of the next update. */
static double lr_of(const as_adafactor *o, double lr) {
  double t = (double)(o->steps + 1);
  return o->options.relative_step ? fmin(o->options.warmup_init ? 1e-6 * t : 1e-2, 1 / sqrt(t)) : lr;
}

void as_adafactor_update(as_adafactor *o, double lr, double gradient_scale) {
  lr = lr_of(o, lr);
  double t = (double)++o->steps;
  float *moments = o->moments;
  for (size_t i = 0; i < o->parameters->count; i++) {
    const as_parameter *p = &o->parameters->list[i];
    view v = view_of(o, i, moments);
    moments += moments_of(p);
    if (p->frozen) continue;
    v.gradient = as_parameter_gradients(o->parameters, (int)i);
    v.weights = as_parameter_weights(o->parameters, (int)i);
    v.keep = 1 - pow(t, o->options.decay_rate);
    v.scale = gradient_scale;
    v.decay = as_parameter_decays(p) ? o->options.weight_decay : 0;
    update_parameter(&v, lr);
  }
}

static void norm_chunk(void *argument, int64_t piece, int lane) {
  (void)lane;
  const view *v = argument;
  size_t row, row_end, column, columns = piece_at(v, piece, &row, &row_end, &column);
  double total = 0;
  for (; row < row_end; row++)
    if (has_gradient(v, row)) total += v->o->kernels->sum_squares(columns, v->gradient + row * v->columns + column);
  v->o->partial[piece] = total;
}

static double norm_of(void *state) {
  as_adafactor *o = state;
  double total = 0;
  for (size_t i = 0; i < o->parameters->count; i++) {
    view v = view_of(o, i, o->moments);
    size_t pieces = pieces_of(&v);
    if (o->parameters->list[i].frozen) continue;
    v.gradient = as_parameter_gradients(o->parameters, (int)i);
    as_parallel_for(o->ctx, (int64_t)pieces, norm_chunk, &v);
    for (size_t k = 0; k < pieces; k++) total += o->partial[k];
  }
  return sqrt(total);
}
static void update(void *state, double lr, double gradient_scale) { as_adafactor_update(state, lr, gradient_scale); }

static double next_lr(const void *state, double lr) { return lr_of(state, lr); }

/* A row of an embedding that never had a gradient may be taken for one that had: its gradient is 0, and so is what it
 * adds. So all are, rather than keeping in checkpoints which it were. */
static void restored(void *state) {
  const as_parameters *ps = ((as_adafactor *)state)->parameters;
  for (size_t i = 0; i < ps->count; i++) {
    uint8_t *touched = as_parameter_touched(ps, (int)i);
    if (touched) memset(touched, 1, (size_t)ps->list[i].shape[0]);
  }
}

as_optimizer as_adafactor_optimizer(as_adafactor *o) {
  return (as_optimizer){.state = o,
                        .gradient_norm = norm_of,
                        .update = update,
                        .next_lr = next_lr,
                        .moments = {{"moments", o->moments, o->elements}},
                        .steps = &o->steps,
                        .restored = restored};
}
