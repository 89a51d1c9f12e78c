/* y = dropout(activation(a) b), a and b being the halves of x's rows: the hidden layer of gated feed-forward networks
 * (Shazeer 2020, "GLU Variants Improve Transformer"). x is one product with the joined weights, so nothing but x is
 * kept. */
#include "tensor/ops/op.h"

#define ROWS_PER_CHUNK 8

typedef struct gated {
  as_unary activation;
  double dropout;
} gated;

static const gated *attributes(const as_node *n) { return (const gated *)(const void *)n->attributes; }

static bool infer(as_node *n) {
  const as_tensor *x = n->inputs[0];
  const gated *a = attributes(n);
  int64_t shape[AS_MAX_DIMS];
  if (x->dtype == AS_I32 || as_columns(x) % 2 != 0) return as_op_refuse(n, "the last dimension must have two halves");
  if (a->activation != AS_UNARY_RELU && a->activation != AS_UNARY_GELU && a->activation != AS_UNARY_GELU_TANH)
    return as_op_refuse(n, "the activation must be GELU, GELU_TANH or RELU");
  if (!(a->dropout >= 0 && a->dropout < 1)) return as_op_refuse(n, "dropout must be in [0, 1)");
  memcpy(shape, x->shape, sizeof shape);
  shape[x->ndim - 1] /= 2;
  as_set_shape(n->output, x->ndim, shape);
  return true;
}

static void forward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  const struct AS_REAL(as_kernels) *k = as_node_kernels(n);
  as_dropout bits = as_node_dropout(n, attributes(n)->dropout);
  int64_t cols = as_columns(n->output), first, rows = as_piece(as_rows(n->output), ROWS_PER_CHUNK, chunk, &first);
  for (int64_t r = first; r < first + rows; r++) {
    const real *a = as_in(n, 0) + 2 * r * cols;
    real *y = as_out(n) + r * cols;
    k->unary_forward[attributes(n)->activation]((size_t)cols, a, y);
    k->mul((size_t)cols, y, a + cols, y);
  }
  if (bits.p > 0) {
    real *y = as_out(n) + first * cols;
    k->dropout(&bits, (uint64_t)(first * cols), (size_t)(rows * cols), y, y);
  }
}

static void forward(as_node *n) {
  as_parallel_for(as_node_context(n), as_chunks(as_rows(n->output), ROWS_PER_CHUNK), forward_chunk, n);
}

/* Each lane: dy after dropout, then the gradient of a and of b for one row. */
static size_t lane_bytes(const as_node *n) { return as_align((size_t)(3 * as_columns(n->output)) * sizeof(real)); }
static size_t scratch_backward(const as_node *n) { return lane_bytes(n) * (size_t)as_node_threads(n); }

static void backward_chunk(void *argument, int64_t chunk, int lane) {
  const as_node *n = argument;
  const struct AS_REAL(as_kernels) *k = as_node_kernels(n);
  as_dropout bits = as_node_dropout(n, attributes(n)->dropout);
  as_unary activation = attributes(n)->activation;
  int64_t cols = as_columns(n->output), first, rows = as_piece(as_rows(n->output), ROWS_PER_CHUNK, chunk, &first);
  real *dy = (real *)(void *)((unsigned char *)n->scratch + (size_t)lane * lane_bytes(n)), *da = dy + cols,
       *db = da + cols;
  for (int64_t r = first; r < first + rows; r++) {
    const real *a = as_in(n, 0) + 2 * r * cols;
    real *dx = as_din(n, 0) + 2 * r * cols;
    k->dropout(&bits, (uint64_t)(r * cols), (size_t)cols, as_dout(n) + r * cols, dy);
    k->unary_forward[activation]((size_t)cols, a, db);
    k->mul((size_t)cols, dy, a + cols, da);
    k->unary_backward[activation]((size_t)cols, a, db, da, da, false);
    k->mul((size_t)cols, dy, db, db);
    if (as_adds(n, 0))
      k->add((size_t)(2 * cols), dx, da, dx);
    else
      memcpy(dx, da, (size_t)(2 * cols) * sizeof(real));
  }
}

static void backward(as_node *n) {
  if (as_din(n, 0))
    as_parallel_for(as_node_context(n), as_chunks(as_rows(n->output), ROWS_PER_CHUNK), backward_chunk, n);
}

/* The gradient is written for one use of x and added for another. */
static as_tensor *build(as_graph *g, as_tensor *const *leaves, void *user) {
  as_tensor *y = as_record(g, AS_OP_gated_linear_unit, leaves, 1, user, sizeof(gated));
  return as_add(g, y, as_record(g, AS_OP_gated_linear_unit, leaves, 1, user, sizeof(gated)));
}

static as_status check(as_context *ctx, double *worst) {
  gated variants[] = {{AS_UNARY_GELU_TANH, 0.3}, {AS_UNARY_GELU, 0}, {AS_UNARY_RELU, 0.3}};
  static const as_gradcheck_input sizes[] = {{2, {17, 14}, 0.1, 1}, {3, {3, 1, 130}, -1, -0.1}, {2, {65, 2}, 0.1, 1}};
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < 9; i++)
    status = as_gradcheck(ctx, build, &variants[i / 3], 1, &sizes[i % 3], NULL, worst);
  return status;
}

const as_op AS_REAL(as_op_gated_linear_unit) = {.name = "gated_linear_unit",
                                                .formula = "y = dropout(activation(a) b), x = [a, b]",
                                                .infer = infer,
                                                .forward = forward,
                                                .backward = backward,
                                                .saves = AS_SAVES_INPUT(0),
                                                .cheap = true,
                                                .scratch_backward = scratch_backward,
                                                .draws = true,
                                                .check = check};

#if AS_RECORDS
as_tensor *as_gated_linear_unit(as_graph *g, as_tensor *x, as_unary activation, double dropout) {
  return as_record(g, AS_OP_gated_linear_unit, &x, 1, &(gated){activation, dropout}, sizeof(gated));
}
#endif
