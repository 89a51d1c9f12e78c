/* y = dropout(activation(x weight^T + bias)), one matrix product with bias and activation in the same pass.
 *
 * The state is the value before a GELU, from which backward takes the derivative and recompute mode 1 makes y again.
 * ReLU's derivative is read off y: where dropout has made a y 0, it makes the gradient 0 as well. */
#include "tensor/ops/op.h"

#define BIAS_COLUMNS 256

typedef struct linear {
  as_unary activation;
  double dropout;
} linear;

static as_unary activation_of(const as_node *n) { return ((const linear *)(const void *)n->attributes)->activation; }
static double dropout_of(const as_node *n) { return ((const linear *)(const void *)n->attributes)->dropout; }
static bool has_bias(const as_node *n) { return n->inputs_count == 3; }

static bool infer(as_node *n) {
  const as_tensor *x = n->inputs[0], *weight = n->inputs[1];
  int64_t shape[AS_MAX_DIMS];
  as_unary activation = activation_of(n);
  if (x->dtype == AS_I32 || weight->ndim != 2 || as_columns(x) != weight->shape[1])
    return as_op_refuse(n, "x must be [..., in] and the weight [out, in]");
  if (has_bias(n) && (n->inputs[2]->ndim != 1 || n->inputs[2]->shape[0] != weight->shape[0]))
    return as_op_refuse(n, "the bias must be [out]");
  if (activation != AS_UNARY_NONE && activation != AS_UNARY_RELU && activation != AS_UNARY_GELU &&
      activation != AS_UNARY_GELU_TANH)
    return as_op_refuse(n, "the activation must be GELU, GELU_TANH, RELU or none");
  if (!(dropout_of(n) >= 0 && dropout_of(n) < 1)) return as_op_refuse(n, "dropout must be in [0, 1)");
  n->draws = dropout_of(n) > 0;
  if (activation == AS_UNARY_RELU) n->saves |= AS_SAVES_OUTPUT;
  memcpy(shape, x->shape, sizeof shape);
  shape[x->ndim - 1] = weight->shape[0];
  as_set_shape(n->output, x->ndim, shape);
  return true;
}

static bool keeps_pre_activation(const as_node *n) {
  as_unary activation = activation_of(n);
  return n->graph->mode == AS_TRAIN && (activation == AS_UNARY_GELU || activation == AS_UNARY_GELU_TANH);
}

static size_t state(const as_node *n) {
  return keeps_pre_activation(n) ? (size_t)n->output->elements * sizeof(real) : 0;
}

static size_t scratch_forward(const as_node *n) {
  return AS_REAL(as_gemm_workspace)(as_node_kernels(n), as_rows(n->output), as_columns(n->output),
                                    as_columns(n->inputs[0]), false, true, as_node_threads(n));
}

/* x where kept, of the output's elements; y may be x. */
typedef struct drop_call {
  const as_node *n;
  as_dropout bits;
  const real *x;
  real *y;
} drop_call;

static void drop_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const drop_call *c = argument;
  int64_t first, count = as_piece(c->n->output->elements, AS_CHUNK_ELEMENTS, chunk, &first);
  as_node_kernels(c->n)->dropout(&c->bits, (uint64_t)first, (size_t)count, c->x + first, c->y + first);
}

static void drop(const as_node *n, const real *x, real *y) {
  drop_call call = {n, as_node_dropout(n, dropout_of(n)), x, y};
  if (call.bits.p > 0)
    as_parallel_for(as_node_context(n), as_chunks(n->output->elements, AS_CHUNK_ELEMENTS), drop_chunk, &call);
}

static void forward(as_node *n) {
  int64_t in = as_columns(n->inputs[0]), out = as_columns(n->output);
  AS_REAL(as_gemm_call)
  call = {.m = as_rows(n->output),
          .n = out,
          .k = in,
          .transpose_b = true,
          .a = as_in(n, 0),
          .lda = in,
          .b = as_in(n, 1),
          .ldb = in,
          .packed_b = n->inputs[1]->packed,
          .c = as_out(n),
          .ldc = out,
          .bias = has_bias(n) ? as_in(n, 2) : NULL,
          .activation = activation_of(n),
          .pre_activation = keeps_pre_activation(n) ? n->state : NULL};
  AS_REAL(as_gemm)(as_node_context(n), as_node_kernels(n), &call, n->scratch);
  drop(n, as_out(n), as_out(n));
}

static void rebuild_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  int64_t first, count = as_piece(n->output->elements, AS_CHUNK_ELEMENTS, chunk, &first);
  as_node_kernels(n)->unary_forward[activation_of(n)]((size_t)count, (const real *)n->state + first, as_out(n) + first);
}

static void rebuild(as_node *n) {
  as_parallel_for(as_node_context(n), as_chunks(n->output->elements, AS_CHUNK_ELEMENTS), rebuild_chunk, n);
  drop(n, as_out(n), as_out(n));
}

/* ---- backward --------------------------------------------------------------------------------------------------- */
typedef struct backward_call {
  as_node *node;
  real *dz; /* gradient before the activation, [rows, out] */
} backward_call;

static bool drops(const as_node *n) { return as_node_dropout(n, dropout_of(n)).p > 0; }
static bool needs_own_dz(const as_node *n) {
  return (activation_of(n) != AS_UNARY_NONE || drops(n)) && n->output->keep_gradient;
}

static size_t scratch_backward(const as_node *n) {
  int64_t rows = as_rows(n->output), out = as_columns(n->output), in = as_columns(n->inputs[0]);
  const struct AS_REAL(as_kernels) *k = as_node_kernels(n);
  size_t dx = AS_REAL(as_gemm_workspace)(k, rows, in, out, false, false, as_node_threads(n));
  size_t dw = AS_REAL(as_gemm_workspace)(k, out, in, rows, true, false, as_node_threads(n));
  return as_align(dx > dw ? dx : dw) + (needs_own_dz(n) ? (size_t)n->output->elements * sizeof(real) : 0);
}

static void activation_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const backward_call *c = argument;
  const as_node *n = c->node;
  int64_t first, count = as_piece(n->output->elements, AS_CHUNK_ELEMENTS, chunk, &first);
  const real *y = as_out(n) + first, *pre = keeps_pre_activation(n) ? (const real *)n->state + first : y;
  const real *dy = (drops(n) ? c->dz : as_dout(n)) + first;
  as_node_kernels(n)->unary_backward[activation_of(n)]((size_t)count, pre, y, dy, c->dz + first, false);
}

static void bias_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const backward_call *c = argument;
  int64_t out = as_columns(c->node->output), first, columns = as_piece(out, BIAS_COLUMNS, chunk, &first);
  as_node_kernels(c->node)->column_sum((size_t)as_rows(c->node->output), (size_t)columns, c->dz + first, (size_t)out,
                                       as_din(c->node, 2) + first, as_adds(c->node, 2));
}

static void backward(as_node *n) {
  int64_t rows = as_rows(n->output), out = as_columns(n->output), in = as_columns(n->inputs[0]);
  backward_call c = {n, as_dout(n)};
  if (needs_own_dz(n))
    c.dz = (real *)(void *)((unsigned char *)n->scratch + scratch_backward(n) -
                            (size_t)n->output->elements * sizeof(real));
  drop(n, as_dout(n), c.dz);
  if (activation_of(n) != AS_UNARY_NONE)
    as_parallel_for(as_node_context(n), as_chunks(n->output->elements, AS_CHUNK_ELEMENTS), activation_chunk, &c);
  AS_REAL(as_gemm_call) dx = {.m = rows, .n = in, .k = out, .a = c.dz, .lda = out, .b = as_in(n, 1), .ldb = in,
                              .c = as_din(n, 0), .ldc = in, .add = as_adds(n, 0), .activation = AS_UNARY_NONE};
  AS_REAL(as_gemm_call)
  dw = {.m = out,
        .n = in,
        .k = rows,
        .transpose_a = true,
        .a = c.dz,
        .lda = out,
        .b = as_in(n, 0),
        .ldb = in,
        .c = as_din(n, 1),
        .ldc = in,
        .add = as_adds(n, 1),
        .activation = AS_UNARY_NONE};
  if (dx.c) AS_REAL(as_gemm)(as_node_context(n), as_node_kernels(n), &dx, n->scratch);
  if (dw.c) AS_REAL(as_gemm)(as_node_context(n), as_node_kernels(n), &dw, n->scratch);
  if (has_bias(n) && as_din(n, 2)) as_parallel_for(as_node_context(n), as_chunks(out, BIAS_COLUMNS), bias_chunk, &c);
}

static as_tensor *build(as_graph *g, as_tensor *const *leaves, void *user) {
  const linear *attributes = user;
  as_tensor *y = as_record(g, AS_OP_linear, leaves, 3, attributes, sizeof *attributes);
  return as_record(g, AS_OP_linear, (as_tensor *const[]){y, leaves[3]}, 2, &(linear){AS_UNARY_NONE, 0}, sizeof(linear));
}

static as_status check(as_context *ctx, double *worst) {
  linear variants[] = {{AS_UNARY_NONE, 0},      {AS_UNARY_GELU, 0},   {AS_UNARY_GELU_TANH, 0}, {AS_UNARY_RELU, 0},
                       {AS_UNARY_GELU_TANH, 0.3}, {AS_UNARY_RELU, 0.3}, {AS_UNARY_NONE, 0.3}};
  static const as_gradcheck_input sets[][4] = {
      {{2, {7, 17}, 0.1, 1}, {2, {3, 17}, 0.1, 1}, {1, {3}, 0.1, 1}, {2, {5, 3}, -1, 1}},
      {{3, {3, 1, 1}, 0.1, 1}, {2, {65, 1}, 0.1, 1}, {1, {65}, 0.1, 1}, {2, {1, 65}, -1, 1}}};
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < 2 * sizeof variants / sizeof variants[0]; i++)
    status = as_gradcheck(ctx, build, &variants[i / 2], 4, sets[i % 2], NULL, worst);
  return status;
}

const as_op AS_REAL(as_op_linear) = {.name = "linear",
                                     .formula = "y = dropout(activation(x weight^T + bias))",
                                     .infer = infer,
                                     .forward = forward,
                                     .backward = backward,
                                     .saves = AS_SAVES_INPUT(0) | AS_SAVES_INPUT(1),
                                     .state = state,
                                     .rebuild = rebuild,
                                     .scratch_forward = scratch_forward,
                                     .scratch_backward = scratch_backward,
                                     .check = check};

#if AS_RECORDS
as_tensor *as_linear_dropout(as_graph *g, as_tensor *x, as_tensor *weight, as_tensor *bias, bool has_bias_operand,
                             as_unary activation, double dropout) {
  return as_record(g, AS_OP_linear, (as_tensor *const[]){x, weight, bias}, has_bias_operand ? 3 : 2,
                   &(linear){activation, dropout}, sizeof(linear));
}
as_tensor *as_linear(as_graph *g, as_tensor *x, as_tensor *weight, as_tensor *bias, bool has_bias_operand,
                     as_unary activation) {
  return as_linear_dropout(g, x, weight, bias, has_bias_operand, activation, 0);
}
#endif
