/* softmax and log_softmax over the last dimension, with the row's maximum subtracted first. */
#include "tensor/ops/op.h"

static bool infer(as_node *n) {
  if (n->inputs[0]->dtype == AS_I32 || as_columns(n->inputs[0]) == 0)
    return as_op_refuse(n, "the last dimension holds no numbers");
  as_set_shape(n->output, n->inputs[0]->ndim, n->inputs[0]->shape);
  return true;
}

static int64_t rows_per_chunk(const as_node *n) {
  int64_t columns = as_columns(n->output);
  return columns >= AS_CHUNK_ELEMENTS ? 1 : AS_CHUNK_ELEMENTS / columns;
}

static void softmax_forward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  int64_t cols = as_columns(n->output), first, rows = as_piece(as_rows(n->output), rows_per_chunk(n), chunk, &first);
  as_node_kernels(n)->softmax((size_t)rows, (size_t)cols, as_in(n, 0) + first * cols, as_out(n) + first * cols, NULL);
}

static void softmax_backward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  int64_t cols = as_columns(n->output), first, rows = as_piece(as_rows(n->output), rows_per_chunk(n), chunk, &first);
  as_node_kernels(n)->softmax_backward((size_t)rows, (size_t)cols, as_out(n) + first * cols, as_dout(n) + first * cols,
                                       as_din(n, 0) + first * cols, as_adds(n, 0));
}

/* y = x - lse. The softmax goes to y first, only for its lse. */
static void log_softmax_forward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  const struct AS_REAL(as_kernels) *k = as_node_kernels(n);
  int64_t cols = as_columns(n->output), first, rows = as_piece(as_rows(n->output), rows_per_chunk(n), chunk, &first);
  for (int64_t r = first; r < first + rows; r++) {
    const real *x = as_in(n, 0) + r * cols;
    real lse, *y = as_out(n) + r * cols;
    k->softmax(1, (size_t)cols, x, y, &lse);
    k->add_scalar((size_t)cols, -lse, x, y);
  }
}

/* dx = dy - exp(y) sum(dy). */
static void log_softmax_backward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  int64_t cols = as_columns(n->output), first, rows = as_piece(as_rows(n->output), rows_per_chunk(n), chunk, &first);
  for (int64_t r = first; r < first + rows; r++) {
    const real *y = as_out(n) + r * cols, *dy = as_dout(n) + r * cols;
    real *dx = as_din(n, 0) + r * cols, total = as_node_kernels(n)->sum((size_t)cols, dy);
    for (int64_t j = 0; j < cols; j++) {
      real gradient = dy[j] - AS_REAL_EXP(y[j]) * total;
      dx[j] = as_adds(n, 0) ? dx[j] + gradient : gradient;
    }
  }
}

static void run(as_node *n, as_chunk_function body) {
  as_parallel_for(as_node_context(n), as_chunks(as_rows(n->output), rows_per_chunk(n)), body, n);
}

#define SOFTMAX_ROW(id, text)                                                                                          \
  static void forward_##id(as_node *n) { run(n, id##_forward_chunk); }                                                 \
  static void backward_##id(as_node *n) {                                                                              \
    if (as_din(n, 0)) run(n, id##_backward_chunk);                                                                     \
  }                                                                                                                    \
  static as_tensor *build_##id(as_graph *g, as_tensor *const *leaves, void *user) {                                    \
    (void)user;                                                                                                        \
    return as_record(g, AS_OP_##id, leaves, 1, NULL, 0);                                                               \
  }                                                                                                                    \
  static as_status check_##id(as_context *ctx, double *worst) {                                                        \
    as_status status = as_gradcheck(ctx, build_##id, NULL, 1, &(as_gradcheck_input){2, {17, 7}, -3, 3}, NULL, worst);  \
    if (status != AS_OK) return status;                                                                                \
    return as_gradcheck(ctx, build_##id, NULL, 1, &(as_gradcheck_input){2, {3, 65}, -3, 3}, NULL, worst);              \
  }                                                                                                                    \
  const as_op AS_REAL(as_op_##id) = {.name = #id, .formula = text, .infer = infer, .forward = forward_##id,            \
                                     .backward = backward_##id, .saves = AS_SAVES_OUTPUT, .cheap = true,               \
                                     .check = check_##id}

SOFTMAX_ROW(softmax, "y_i = exp(x_i) / sum_j exp(x_j)");
SOFTMAX_ROW(log_softmax, "y_i = x_i - ln sum_j exp(x_j)");

#if AS_RECORDS
as_tensor *as_softmax(as_graph *g, as_tensor *x) { return as_record(g, AS_OP_softmax, &x, 1, NULL, 0); }
as_tensor *as_log_softmax(as_graph *g, as_tensor *x) { return as_record(g, AS_OP_log_softmax, &x, 1, NULL, 0); }
#endif
