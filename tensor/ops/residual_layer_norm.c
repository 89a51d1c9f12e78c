/* y = layer_norm(residual + dropout(x)), the end of each half of a transformer block, in one pass over the rows.
 *
 * In training the state is the sum before normalisation, mean and rstd; recompute mode 1 makes y again from them. In
 * inference the sum lives in y itself. */
#include "tensor/ops/op.h"

#define ROWS_PER_CHUNK 16

enum { RESIDUAL, X, WEIGHT, BIAS }; /* in the order in which backward writes, should they be the same tensor */

typedef struct residual_norm {
  double eps, dropout;
} residual_norm;

static const residual_norm *attributes(const as_node *n) { return (const residual_norm *)(const void *)n->attributes; }

static bool infer(as_node *n) {
  const as_tensor *x = n->inputs[X];
  if (x->dtype == AS_I32 || x->ndim != 2 || as_columns(x) == 0 || !as_same_shape(x, n->inputs[RESIDUAL]))
    return as_op_refuse(n, "x and residual must be [rows, cols], the same");
  for (int i = WEIGHT; i <= BIAS; i++)
    if (n->inputs[i]->ndim != 1 || n->inputs[i]->shape[0] != as_columns(x))
      return as_op_refuse(n, "weight and bias must be as long as a row");
  if (!(attributes(n)->dropout >= 0 && attributes(n)->dropout < 1)) return as_op_refuse(n, "dropout must be in [0, 1)");
  as_set_shape(n->output, 2, x->shape);
  return true;
}

/* State: mean [rows], rstd [rows], and in training the sum [rows, cols]. */
static bool keeps_sum(const as_node *n) { return n->graph->mode == AS_TRAIN; }
static size_t statistics_bytes(const as_node *n) { return as_align((size_t)(2 * n->output->shape[0]) * sizeof(real)); }
static size_t state(const as_node *n) {
  return statistics_bytes(n) + (keeps_sum(n) ? (size_t)n->output->elements * sizeof(real) : 0);
}
static real *sum_of(const as_node *n) {
  return keeps_sum(n) ? (real *)(void *)((unsigned char *)n->state + statistics_bytes(n)) : as_out(n);
}

static void normalise(const as_node *n, int64_t first, int64_t rows) {
  int64_t cols = as_columns(n->output);
  real *mean = (real *)n->state + first, *rstd = mean + n->output->shape[0];
  as_node_kernels(n)->layer_norm((size_t)rows, (size_t)cols, sum_of(n) + first * cols, as_in(n, WEIGHT), as_in(n, BIAS),
                                 (real)attributes(n)->eps, as_out(n) + first * cols, mean, rstd);
}

static void forward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  int64_t cols = as_columns(n->output), first, rows = as_piece(n->output->shape[0], ROWS_PER_CHUNK, chunk, &first);
  as_dropout bits = as_node_dropout(n, attributes(n)->dropout);
  int64_t at = first * cols;
  as_node_kernels(n)->dropout_add(&bits, (uint64_t)at, (size_t)(rows * cols), as_in(n, X) + at, as_in(n, RESIDUAL) + at,
                                  sum_of(n) + at);
  normalise(n, first, rows);
}

static void rebuild_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  int64_t first, rows = as_piece(n->output->shape[0], ROWS_PER_CHUNK, chunk, &first);
  normalise(n, first, rows);
}

static void forward(as_node *n) {
  as_parallel_for(as_node_context(n), as_chunks(n->output->shape[0], ROWS_PER_CHUNK), forward_chunk, n);
}

static void rebuild(as_node *n) {
  as_parallel_for(as_node_context(n), as_chunks(n->output->shape[0], ROWS_PER_CHUNK), rebuild_chunk, n);
}

/* ---- backward --------------------------------------------------------------------------------------------------- */
static size_t scratch_backward(const as_node *n) {
  size_t partial = as_align(AS_REAL(as_norm_scratch)(n->output->shape[0], as_columns(n->output)));
  return partial + (n->output->keep_gradient ? (size_t)n->output->elements * sizeof(real) : 0);
}

static void backward(as_node *n) {
  int64_t rows = n->output->shape[0], cols = as_columns(n->output);
  size_t partial = as_align(AS_REAL(as_norm_scratch)(rows, cols));
  real *dsum = as_dout(n);
  if (n->output->keep_gradient) dsum = (real *)(void *)((unsigned char *)n->scratch + partial);
  AS_REAL(as_norm_backward)
  call = {.rows = rows, .cols = cols, .x = sum_of(n), .weight = as_in(n, WEIGHT), .mean = n->state,
          .rstd = (real *)n->state + rows, .dy = as_dout(n), .dx = dsum, .dweight = as_din(n, WEIGHT),
          .add_dweight = as_adds(n, WEIGHT), .dbias = as_din(n, BIAS), .add_dbias = as_adds(n, BIAS)};
  AS_REAL(as_norm_backward_run)(n, &call, n->scratch);
  AS_REAL(as_residual_backward_run)(n, attributes(n)->dropout, dsum, dsum);
}

static as_tensor *build(as_graph *g, as_tensor *const *leaves, void *user) {
  return as_record(g, AS_OP_residual_layer_norm, leaves, 4, user, sizeof(residual_norm));
}

/* Once with dropout on other operands, once with x and residual the same tensor. */
static as_tensor *build_same(as_graph *g, as_tensor *const *leaves, void *user) {
  return build(g, (as_tensor *const[]){leaves[0], leaves[0], leaves[1], leaves[2]}, user);
}

static as_status check(as_context *ctx, double *worst) {
  residual_norm attribute = {1e-5, 0.3};
  const as_gradcheck_input inputs[] = {{2, {17, 65}, -1, 1}, {2, {17, 65}, -1, 1}, {1, {65}, 0.5, 2}, {1, {65}, -1, 1}};
  as_status status = as_gradcheck(ctx, build, &attribute, 4, inputs, NULL, worst);
  if (status != AS_OK) return status;
  const as_gradcheck_input same[] = {{2, {7, 3}, -1, 1}, {1, {3}, 0.5, 2}, {1, {3}, -1, 1}};
  return as_gradcheck(ctx, build_same, &attribute, 3, same, NULL, worst);
}

const as_op AS_REAL(as_op_residual_layer_norm) = {.name = "residual_layer_norm",
                                                  .formula = "y = layer_norm(residual + dropout(x))",
                                                  .infer = infer,
                                                  .forward = forward,
                                                  .backward = backward,
                                                  .saves = AS_SAVES_INPUT(WEIGHT) | AS_SAVES_INPUT(BIAS),
                                                  .state = state,
                                                  .rebuild = rebuild,
                                                  .scratch_backward = scratch_backward,
                                                  .draws = true,
                                                  .check = check};

#if AS_RECORDS
as_tensor *as_residual_layer_norm(as_graph *g, as_tensor *x, as_tensor *residual, as_tensor *weight, as_tensor *bias,
                                  double eps, double dropout) {
  return as_record(g, AS_OP_residual_layer_norm, (as_tensor *const[]){residual, x, weight, bias}, 4,
                   &(residual_norm){eps, dropout}, sizeof(residual_norm));
}
#endif
