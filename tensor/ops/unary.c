/* y = f(x), element by element: gelu, gelu_tanh, relu, tanh, sigmoid, exp, log. The functions are kernels; this file
 * gives them rows. */
#include "tensor/ops/op.h"

static bool infer(as_node *n) {
  if (n->inputs[0]->dtype == AS_I32) return as_op_refuse(n, "integers cannot be computed with");
  as_set_shape(n->output, n->inputs[0]->ndim, n->inputs[0]->shape);
  return true;
}

typedef struct unary_call {
  as_node *node;
  as_unary function;
} unary_call;

static void forward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const unary_call *c = argument;
  int64_t first, count = as_piece(c->node->output->elements, AS_CHUNK_ELEMENTS, chunk, &first);
  as_node_kernels(c->node)->unary_forward[c->function]((size_t)count, as_in(c->node, 0) + first,
                                                       as_out(c->node) + first);
}

/* Only one of x and y still lives, the one that the row saves; it is the one that the kernel's result depends on. */
static void backward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const unary_call *c = argument;
  const as_node *n = c->node;
  int64_t first, count = as_piece(n->output->elements, AS_CHUNK_ELEMENTS, chunk, &first);
  as_node_kernels(n)->unary_backward[c->function]((size_t)count, as_in(n, 0) + first, as_out(n) + first,
                                                  as_dout(n) + first, as_din(n, 0) + first, as_adds(n, 0));
}

static void run(as_node *n, as_unary function, as_chunk_function body) {
  unary_call call = {n, function};
  as_parallel_for(as_node_context(n), as_chunks(n->output->elements, AS_CHUNK_ELEMENTS), body, &call);
}

/* Values on one side of 0 at a time, so that no finite difference straddles a kink. */
static as_status check_values(as_context *ctx, as_gradcheck_function build, bool positive_only, double *worst) {
  const as_gradcheck_input positive = {3, {3, 7, 17}, 0.5, 2.0}, negative = {2, {1, 65}, -2.0, -0.05};
  as_status status = as_gradcheck(ctx, build, NULL, 1, &positive, NULL, worst);
  if (status != AS_OK || positive_only) return status;
  return as_gradcheck(ctx, build, NULL, 1, &negative, NULL, worst);
}

#define UNARY_ROW(id, FUNCTION, text, reads)                                                                           \
  static void forward_##id(as_node *n) { run(n, FUNCTION, forward_chunk); }                                            \
  static void backward_##id(as_node *n) {                                                                              \
    if (as_din(n, 0)) run(n, FUNCTION, backward_chunk);                                                                \
  }                                                                                                                    \
  static as_tensor *build_##id(as_graph *g, as_tensor *const *leaves, void *user) {                                    \
    (void)user;                                                                                                        \
    return as_record(g, AS_OP_##id, leaves, 1, NULL, 0);                                                               \
  }                                                                                                                    \
  static as_status check_##id(as_context *ctx, double *worst) {                                                        \
    return check_values(ctx, build_##id, FUNCTION == AS_UNARY_LOG, worst);                                             \
  }                                                                                                                    \
  const as_op AS_REAL(as_op_##id) = {.name = #id, .formula = text, .infer = infer, .forward = forward_##id,            \
                                     .backward = backward_##id, .saves = reads, .cheap = true, .check = check_##id}

UNARY_ROW(gelu, AS_UNARY_GELU, "y = x Phi(x)", AS_SAVES_INPUT(0));
UNARY_ROW(gelu_tanh, AS_UNARY_GELU_TANH, "y = 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))", AS_SAVES_INPUT(0));
UNARY_ROW(relu, AS_UNARY_RELU, "y = max(x, 0)", AS_SAVES_INPUT(0));
UNARY_ROW(tanh, AS_UNARY_TANH, "y = tanh(x)", AS_SAVES_OUTPUT);
UNARY_ROW(sigmoid, AS_UNARY_SIGMOID, "y = 1 / (1 + exp(-x))", AS_SAVES_OUTPUT);
UNARY_ROW(exp, AS_UNARY_EXP, "y = exp(x)", AS_SAVES_OUTPUT);
UNARY_ROW(log, AS_UNARY_LOG, "y = ln(x)", AS_SAVES_INPUT(0));

#if AS_RECORDS
as_tensor *as_gelu(as_graph *g, as_tensor *x) { return as_record(g, AS_OP_gelu, &x, 1, NULL, 0); }
as_tensor *as_gelu_tanh(as_graph *g, as_tensor *x) { return as_record(g, AS_OP_gelu_tanh, &x, 1, NULL, 0); }
as_tensor *as_relu(as_graph *g, as_tensor *x) { return as_record(g, AS_OP_relu, &x, 1, NULL, 0); }
as_tensor *as_tanh(as_graph *g, as_tensor *x) { return as_record(g, AS_OP_tanh, &x, 1, NULL, 0); }
as_tensor *as_sigmoid(as_graph *g, as_tensor *x) { return as_record(g, AS_OP_sigmoid, &x, 1, NULL, 0); }
as_tensor *as_exp(as_graph *g, as_tensor *x) { return as_record(g, AS_OP_exp, &x, 1, NULL, 0); }
as_tensor *as_log(as_graph *g, as_tensor *x) { return as_record(g, AS_OP_log, &x, 1, NULL, 0); }
#endif
