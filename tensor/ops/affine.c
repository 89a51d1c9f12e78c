/* y = scale x + offset. */
#include "tensor/ops/op.h"

typedef struct affine {
  double scale, offset;
} affine;

static const affine *attributes(const as_node *n) { return (const affine *)(const void *)n->attributes; }

static bool infer(as_node *n) {
  if (n->inputs[0]->dtype == AS_I32) return as_op_refuse(n, "integers cannot be computed with");
  as_set_shape(n->output, n->inputs[0]->ndim, n->inputs[0]->shape);
  return true;
}

static void forward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  int64_t first, count = as_piece(n->output->elements, AS_CHUNK_ELEMENTS, chunk, &first);
  real *y = as_out(n) + first;
  as_node_kernels(n)->scale((size_t)count, (real)attributes(n)->scale, as_in(n, 0) + first, y);
  as_node_kernels(n)->add_scalar((size_t)count, (real)attributes(n)->offset, y, y);
}

static void backward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  int64_t first, count = as_piece(n->output->elements, AS_CHUNK_ELEMENTS, chunk, &first);
  real scale = (real)attributes(n)->scale, *dx = as_din(n, 0) + first;
  if (as_adds(n, 0))
    as_node_kernels(n)->axpy((size_t)count, scale, as_dout(n) + first, dx);
  else
    as_node_kernels(n)->scale((size_t)count, scale, as_dout(n) + first, dx);
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
  return as_record(g, AS_OP_affine, leaves, 1, &(affine){-1.7, 0.3}, sizeof(affine));
}

static as_status check(as_context *ctx, double *worst) {
  return as_gradcheck(ctx, build, NULL, 1, &(as_gradcheck_input){2, {7, 65}, -1, 1}, NULL, worst);
}

const as_op AS_REAL(as_op_affine) = {.name = "affine", .formula = "y = scale x + offset", .infer = infer,
                                     .forward = forward, .backward = backward, .saves = AS_SAVES_NOTHING, .cheap = true,
                                     .check = check};

#if AS_RECORDS
as_tensor *as_affine(as_graph *g, as_tensor *x, double scale, double offset) {
  return as_record(g, AS_OP_affine, &x, 1, &(affine){scale, offset}, sizeof(affine));
}
#endif
