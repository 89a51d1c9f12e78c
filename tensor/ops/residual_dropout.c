/* y = residual + dropout(x), in one pass. Nothing is kept: backward draws the same bits again. */
#include "tensor/ops/op.h"

enum { RESIDUAL, X }; /* in the order in which backward writes, should they be the same tensor */

typedef struct residual_dropout {
  double dropout;
} residual_dropout;

static double dropout_of(const as_node *n) { return ((const residual_dropout *)(const void *)n->attributes)->dropout; }

static bool infer(as_node *n) {
  const as_tensor *x = n->inputs[X];
  if (x->dtype == AS_I32 || !as_same_shape(x, n->inputs[RESIDUAL]))
    return as_op_refuse(n, "x and residual must have one shape");
  if (!(dropout_of(n) >= 0 && dropout_of(n) < 1)) return as_op_refuse(n, "dropout must be in [0, 1)");
  as_set_shape(n->output, x->ndim, x->shape);
  return true;
}

static void forward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  int64_t first, count = as_piece(n->output->elements, AS_CHUNK_ELEMENTS, chunk, &first);
  as_dropout bits = as_node_dropout(n, dropout_of(n));
  as_node_kernels(n)->dropout_add(&bits, (uint64_t)first, (size_t)count, as_in(n, X) + first,
                                  as_in(n, RESIDUAL) + first, as_out(n) + first);
}

static void forward(as_node *n) {
  as_parallel_for(as_node_context(n), as_chunks(n->output->elements, AS_CHUNK_ELEMENTS), forward_chunk, n);
}

/* ---- backward, shared with the fused normalisation -------------------------------------------------------------- */
typedef struct distribute_call {
  const as_node *n;
  as_dropout bits;
  const real *dsum;
  real *spare;
} distribute_call;

static void distribute_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const distribute_call *c = argument;
  const as_node *n = c->n;
  const struct AS_REAL(as_kernels) *k = as_node_kernels(n);
  int64_t first, count = as_piece(n->output->elements, AS_CHUNK_ELEMENTS, chunk, &first);
  const real *dsum = c->dsum + first;
  if (as_din(n, RESIDUAL)) {
    real *dresidual = as_din(n, RESIDUAL) + first;
    if (as_adds(n, RESIDUAL))
      k->add((size_t)count, dresidual, dsum, dresidual);
    else
      memcpy(dresidual, dsum, (size_t)count * sizeof(real));
  }
  if (as_din(n, X)) {
    real *dx = as_din(n, X) + first;
    k->dropout(&c->bits, (uint64_t)first, (size_t)count, dsum, as_adds(n, X) ? c->spare + first : dx);
    if (as_adds(n, X)) k->add((size_t)count, dx, c->spare + first, dx);
  }
}

void AS_REAL(as_residual_backward_run)(const as_node *n, double dropout, const real *dsum, real *spare) {
  distribute_call call = {n, as_node_dropout(n, dropout), dsum, spare};
  as_parallel_for(as_node_context(n), as_chunks(n->output->elements, AS_CHUNK_ELEMENTS), distribute_chunk, &call);
}

static size_t scratch_backward(const as_node *n) {
  return as_adds(n, X) && n->output->keep_gradient ? (size_t)n->output->elements * sizeof(real) : 0;
}

static void backward(as_node *n) {
  AS_REAL(as_residual_backward_run)(n, dropout_of(n), as_dout(n), n->output->keep_gradient ? n->scratch : as_dout(n));
}

/* ---- gradient check: other operands, the same one twice, and gradients that are added --------------------------- */
static as_tensor *build(as_graph *g, as_tensor *const *leaves, void *user) {
  return as_record(g, AS_OP_residual_dropout, leaves, 2, user, sizeof(residual_dropout));
}

static as_tensor *build_same(as_graph *g, as_tensor *const *leaves, void *user) {
  as_tensor *y = build(g, (as_tensor *const[]){leaves[0], leaves[0]}, user);
  return as_keep_gradient(g, build(g, (as_tensor *const[]){y, leaves[0]}, user));
}

static as_status check(as_context *ctx, double *worst) {
  residual_dropout attribute = {0.3};
  const as_gradcheck_input inputs[] = {{2, {17, 65}, -1, 1}, {2, {17, 65}, -1, 1}};
  as_status status = as_gradcheck(ctx, build, &attribute, 2, inputs, NULL, worst);
  if (status == AS_OK)
    status = as_gradcheck(ctx, build_same, &attribute, 1, &(as_gradcheck_input){3, {7, 1, 3}, -1, 1}, NULL, worst);
  return status;
}

const as_op AS_REAL(as_op_residual_dropout) = {.name = "residual_dropout",
                                               .formula = "y = residual + dropout(x)",
                                               .infer = infer,
                                               .forward = forward,
                                               .backward = backward,
                                               .saves = AS_SAVES_NOTHING,
                                               .scratch_backward = scratch_backward,
                                               .draws = true,
                                               .check = check};

#if AS_RECORDS
as_tensor *as_residual_dropout(as_graph *g, as_tensor *x, as_tensor *residual, double dropout) {
  return as_record(g, AS_OP_residual_dropout, (as_tensor *const[]){residual, x}, 2, &(residual_dropout){dropout},
                   sizeof(residual_dropout));
}
#endif
