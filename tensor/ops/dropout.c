/* y = x where kept, divided by 1 - p; 0 where dropped (Srivastava et al. 2014). No mask is stored: which element is
 * dropped is a function of seed, step, operation and element (as_dropout in kernels.h), so backward draws the same bits
 * again. */
#include "tensor/ops/op.h"

typedef struct dropout {
  double p;
} dropout;

static bool infer(as_node *n) {
  double p = ((const dropout *)(const void *)n->attributes)->p;
  if (!(p >= 0 && p < 1) || n->inputs[0]->dtype == AS_I32) return as_op_refuse(n, "p must be in [0, 1)");
  as_set_shape(n->output, n->inputs[0]->ndim, n->inputs[0]->shape);
  return true;
}

static void drop(const as_node *n, int64_t chunk, const real *x, real *y) {
  as_dropout bits = as_node_dropout(n, ((const dropout *)(const void *)n->attributes)->p);
  int64_t first, count = as_piece(n->output->elements, AS_CHUNK_ELEMENTS, chunk, &first);
  as_node_kernels(n)->dropout(&bits, (uint64_t)first, (size_t)count, x + first, y + first);
}

static void forward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  drop(argument, chunk, as_in(argument, 0), as_out(argument));
}

/* What has to be added is made in scratch first. */
static void backward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  int64_t first, count = as_piece(n->output->elements, AS_CHUNK_ELEMENTS, chunk, &first);
  if (!as_adds(n, 0)) {
    drop(n, chunk, as_dout(n), as_din(n, 0));
    return;
  }
  real *dropped = n->scratch;
  drop(n, chunk, as_dout(n), dropped);
  as_node_kernels(n)->add((size_t)count, as_din(n, 0) + first, dropped + first, as_din(n, 0) + first);
}

static size_t scratch_backward(const as_node *n) {
  return as_adds(n, 0) ? (size_t)n->output->elements * sizeof(real) : 0;
}

static void forward(as_node *n) {
  as_parallel_for(as_node_context(n), as_chunks(n->output->elements, AS_CHUNK_ELEMENTS), forward_chunk, n);
}

static void backward(as_node *n) {
  if (as_din(n, 0))
    as_parallel_for(as_node_context(n), as_chunks(n->output->elements, AS_CHUNK_ELEMENTS), backward_chunk, n);
}

static as_tensor *build(as_graph *g, as_tensor *const *leaves, void *user) {
  (void)user;
  return as_record(g, AS_OP_dropout, leaves, 1, &(dropout){0.3}, sizeof(dropout));
}

static as_status check(as_context *ctx, double *worst) {
  return as_gradcheck(ctx, build, NULL, 1, &(as_gradcheck_input){2, {17, 65}, -1, 1}, NULL, worst);
}

const as_op AS_REAL(as_op_dropout) = {.name = "dropout", .formula = "y = x keep / (1 - p)", .infer = infer,
                                      .forward = forward, .backward = backward, .saves = AS_SAVES_NOTHING,
                                      .cheap = true, .scratch_backward = scratch_backward, .draws = true,
                                      .check = check};

#if AS_RECORDS
as_tensor *as_dropout_apply(as_graph *g, as_tensor *x, double p) {
  return as_record(g, AS_OP_dropout, &x, 1, &(dropout){p}, sizeof(dropout));
}
#endif
