/* y = a op b with broadcasting: add, sub, mul, div.
 *
 * Shapes are aligned at the last dimension and become the strides of two operands (0 where a dimension is repeated).
 * The gradient of a repeated operand is the sum over what it was repeated over, taken in order of position, one operand
 * element at a time, so its bits do not depend on threads. */
#include "tensor/ops/op.h"

typedef enum binary_kind { ADD, SUB, MUL, DIV } binary_kind;

static bool infer(as_node *n) {
  const as_tensor *a = n->inputs[0], *b = n->inputs[1];
  int ndim = a->ndim > b->ndim ? a->ndim : b->ndim;
  int64_t shape[AS_MAX_DIMS];
  if (a->dtype == AS_I32 || b->dtype == AS_I32) return as_op_refuse(n, "integers cannot be computed with");
  for (int d = 1; d <= ndim; d++) {
    int64_t x = d <= a->ndim ? a->shape[a->ndim - d] : 1, y = d <= b->ndim ? b->shape[b->ndim - d] : 1;
    if (x != y && x != 1 && y != 1) return as_op_refuse(n, "the shapes do not broadcast");
    shape[ndim - d] = x == 1 ? y : x;
  }
  as_set_shape(n->output, ndim, shape);
  return true;
}

/* Strides of `t` for the output's dimensions: 0 where it is repeated. */
static void broadcast_strides(const as_tensor *t, const as_tensor *out, int64_t strides[AS_MAX_DIMS]) {
  int64_t stride = 1;
  for (int d = 1; d <= out->ndim; d++) {
    int64_t size = d <= t->ndim ? t->shape[t->ndim - d] : 1;
    strides[out->ndim - d] = size == 1 ? 0 : stride;
    stride *= size;
  }
}

typedef struct binary_call {
  as_node *node;
  binary_kind kind;
  int which; /* backward: the operand whose gradient is computed */
  int64_t strides[2][AS_MAX_DIMS];
} binary_call;

static binary_call prepare(as_node *n, binary_kind kind, int which) {
  binary_call call = {.node = n, .kind = kind, .which = which};
  for (int i = 0; i < 2; i++) broadcast_strides(n->inputs[i], n->output, call.strides[i]);
  return call;
}

static real combine(binary_kind kind, real a, real b) {
  switch (kind) {
  case ADD: return a + b;
  case SUB: return a - b;
  case MUL: return a * b;
  default: return a / b;
  }
}

static void combine_rows(const as_node *n, binary_kind kind, size_t count, const real *a, const real *b, real *y) {
  const struct AS_REAL(as_kernels) *k = as_node_kernels(n);
  switch (kind) {
  case ADD: k->add(count, a, b, y); break;
  case SUB: k->sub(count, a, b, y); break;
  case MUL: k->mul(count, a, b, y); break;
  default: k->div(count, a, b, y); break;
  }
}

/* Offset of the row `row` (all dimensions but the last) under the strides. */
static int64_t row_offset(const as_tensor *out, const int64_t *strides, int64_t row) {
  int64_t offset = 0;
  for (int d = out->ndim - 2; d >= 0; d--) {
    offset += row % out->shape[d] * strides[d];
    row /= out->shape[d];
  }
  return offset;
}

static int64_t rows_per_chunk(int64_t columns) {
  return columns >= AS_CHUNK_ELEMENTS || !columns ? 1 : AS_CHUNK_ELEMENTS / columns;
}

static void forward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const binary_call *c = argument;
  const as_node *n = c->node;
  const as_tensor *out = n->output;
  int64_t columns = as_columns(out), first, rows = as_piece(as_rows(out), rows_per_chunk(columns), chunk, &first);
  int64_t step_a = c->strides[0][out->ndim - 1], step_b = c->strides[1][out->ndim - 1];
  for (int64_t r = first; r < first + rows; r++) {
    const real *a = as_in(n, 0) + row_offset(out, c->strides[0], r);
    const real *b = as_in(n, 1) + row_offset(out, c->strides[1], r);
    real *y = as_out(n) + r * columns;
    if (step_a == 1 && step_b == 1)
      combine_rows(n, c->kind, (size_t)columns, a, b, y);
    else
      for (int64_t j = 0; j < columns; j++) y[j] = combine(c->kind, a[j * step_a], b[j * step_b]);
  }
}

static void forward(as_node *n, binary_kind kind) {
  binary_call call = prepare(n, kind, 0);
  int64_t chunks = as_chunks(as_rows(n->output), rows_per_chunk(as_columns(n->output)));
  as_parallel_for(as_node_context(n), chunks, forward_chunk, &call);
}

/* dy times the derivative of the output for operand `which`. Sums do not read a and b, which may be gone. */
static real derivative(const binary_call *c, int64_t at_a, int64_t at_b, real dy) {
  const real *a = as_in(c->node, 0), *b = as_in(c->node, 1);
  switch (c->kind) {
  case ADD: return dy;
  case SUB: return c->which ? -dy : dy;
  case MUL: return dy * (c->which ? a[at_a] : b[at_b]);
  default: return c->which ? -dy * a[at_a] / (b[at_b] * b[at_b]) : dy / b[at_b];
  }
}

/* A walk over the positions of the output, kept as offsets into output and operands. */
typedef struct walk {
  int64_t at, at_a, at_b;
} walk;

static void walk_by(walk *w, const binary_call *c, const int64_t *out_strides, int d, int64_t steps) {
  w->at += steps * out_strides[d];
  w->at_a += steps * c->strides[0][d];
  w->at_b += steps * c->strides[1][d];
}

/* The gradient of one element of the operand: the sum over the output positions that it was repeated to. */
static real sum_over_repeats(const binary_call *c, int64_t element) {
  const as_tensor *out = c->node->output, *operand = c->node->inputs[c->which];
  const int64_t *own = c->strides[c->which];
  int64_t position[AS_MAX_DIMS] = {0}, out_strides[AS_MAX_DIMS], stride = 1;
  walk w = {0};
  for (int d = out->ndim - 1; d >= 0; d--) {
    out_strides[d] = stride;
    stride *= out->shape[d];
    int own_dim = d - (out->ndim - operand->ndim);
    if (own_dim < 0 || own[d] == 0) continue;
    walk_by(&w, c, out_strides, d, element % operand->shape[own_dim]);
    element /= operand->shape[own_dim];
  }
  real total = 0;
  for (;;) {
    total += derivative(c, w.at_a, w.at_b, as_dout(c->node)[w.at]);
    int d = out->ndim - 1;
    for (; d >= 0; d--) {
      if (own[d] != 0) continue;
      walk_by(&w, c, out_strides, d, 1);
      if (++position[d] < out->shape[d]) break;
      walk_by(&w, c, out_strides, d, -out->shape[d]);
      position[d] = 0;
    }
    if (d < 0) return total;
  }
}

#define BACKWARD_ELEMENTS 256

static void backward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const binary_call *c = argument;
  real *dx = as_din(c->node, c->which);
  int64_t first, count = as_piece(c->node->inputs[c->which]->elements, BACKWARD_ELEMENTS, chunk, &first);
  for (int64_t i = first; i < first + count; i++) {
    real gradient = sum_over_repeats(c, i);
    dx[i] = as_adds(c->node, c->which) ? dx[i] + gradient : gradient;
  }
}

static void backward(as_node *n, binary_kind kind) {
  for (int which = 0; which < 2; which++) {
    const as_tensor *operand = n->inputs[which];
    if (!as_din(n, which)) continue;
    if (n->output->elements == 0) {
      if (!as_adds(n, which)) memset(as_din(n, which), 0, (size_t)operand->elements * sizeof(real));
    } else if (operand->elements == n->output->elements && (kind == ADD || (kind == SUB && !which))) {
      AS_REAL(as_copy_or_add)(n, as_dout(n), as_din(n, which), operand->elements, as_adds(n, which));
    } else {
      binary_call call = prepare(n, kind, which);
      as_parallel_for(as_node_context(n), as_chunks(operand->elements, BACKWARD_ELEMENTS), backward_chunk, &call);
    }
  }
}

/* Same shapes, a row vector, a column, a scalar, and both operands repeated. */
static as_status check_shapes(as_context *ctx, as_gradcheck_function build, double *worst) {
  static const as_gradcheck_input pairs[][2] = {
      {{3, {3, 7, 5}, 0.5, 2}, {3, {3, 7, 5}, 0.5, 2}}, {{2, {3, 65}, 0.5, 2}, {1, {65}, 0.5, 2}},
      {{2, {7, 3}, 0.5, 2}, {2, {7, 1}, 0.5, 2}},       {{1, {1}, 0.5, 2}, {2, {3, 17}, 0.5, 2}},
      {{3, {3, 1, 7}, 0.5, 2}, {2, {5, 1}, 0.5, 2}}};
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < sizeof pairs / sizeof pairs[0]; i++)
    status = as_gradcheck(ctx, build, NULL, 2, pairs[i], NULL, worst);
  return status;
}

#define BINARY_ROW(id, KIND, text, reads)                                                                              \
  static void forward_##id(as_node *n) { forward(n, KIND); }                                                           \
  static void backward_##id(as_node *n) { backward(n, KIND); }                                                         \
  static as_tensor *build_##id(as_graph *g, as_tensor *const *leaves, void *user) {                                    \
    (void)user;                                                                                                        \
    return as_record(g, AS_OP_##id, leaves, 2, NULL, 0);                                                               \
  }                                                                                                                    \
  static as_status check_##id(as_context *ctx, double *worst) { return check_shapes(ctx, build_##id, worst); }         \
  const as_op AS_REAL(as_op_##id) = {.name = #id, .formula = text, .infer = infer, .forward = forward_##id,            \
                                     .backward = backward_##id, .saves = reads, .cheap = true, .check = check_##id}

BINARY_ROW(add, ADD, "y = a + b", AS_SAVES_NOTHING);
BINARY_ROW(sub, SUB, "y = a - b", AS_SAVES_NOTHING);
BINARY_ROW(mul, MUL, "y = a b", AS_SAVES_INPUT(0) | AS_SAVES_INPUT(1));
BINARY_ROW(div, DIV, "y = a / b", AS_SAVES_INPUT(0) | AS_SAVES_INPUT(1));

#if AS_RECORDS
static as_tensor *record(as_graph *g, as_op_id op, as_tensor *a, as_tensor *b) {
  return as_record(g, op, (as_tensor *const[]){a, b}, 2, NULL, 0);
}
as_tensor *as_add(as_graph *g, as_tensor *a, as_tensor *b) { return record(g, AS_OP_add, a, b); }
as_tensor *as_sub(as_graph *g, as_tensor *a, as_tensor *b) { return record(g, AS_OP_sub, a, b); }
as_tensor *as_mul(as_graph *g, as_tensor *a, as_tensor *b) { return record(g, AS_OP_mul, a, b); }
as_tensor *as_div(as_graph *g, as_tensor *a, as_tensor *b) { return record(g, AS_OP_div, a, b); }
#endif
