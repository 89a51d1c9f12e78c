/* The same elements in another shape. */
#include "tensor/ops/op.h"

typedef struct reshape {
  int ndim;
  int64_t shape[AS_MAX_DIMS];
} reshape;

static bool infer(as_node *n) {
  const reshape *want = (const reshape *)(const void *)n->attributes;
  const as_tensor *x = n->inputs[0];
  int64_t shape[AS_MAX_DIMS], known = 1;
  int unknown = -1;
  if (want->ndim < 1 || want->ndim > AS_MAX_DIMS) return as_op_refuse(n, "a shape has 1 to %d dimensions", AS_MAX_DIMS);
  for (int d = 0; d < want->ndim; d++) {
    shape[d] = want->shape[d];
    if (shape[d] < -1 || (shape[d] == -1 && unknown >= 0))
      return as_op_refuse(n, "at most one size may be -1, none less");
    if (shape[d] == -1)
      unknown = d;
    else if (shape[d] && known > x->elements / shape[d])
      return as_op_refuse(n, "the new shape has more elements than the operand");
    else
      known *= shape[d];
  }
  if (unknown >= 0) {
    if (known == 0 || x->elements % known)
      return as_op_refuse(n, "no size in place of -1 keeps the number of elements");
    shape[unknown] = x->elements / known;
    known *= shape[unknown];
  }
  if (known != x->elements || x->dtype == AS_I32)
    return as_op_refuse(n, "the new shape has another number of elements");
  as_set_shape(n->output, want->ndim, shape);
  return true;
}

static void forward(as_node *n) { AS_REAL(as_copy_or_add)(n, as_in(n, 0), as_out(n), n->output->elements, false); }

static void backward(as_node *n) {
  if (as_din(n, 0)) AS_REAL(as_copy_or_add)(n, as_dout(n), as_din(n, 0), n->output->elements, as_adds(n, 0));
}

static as_tensor *build(as_graph *g, as_tensor *const *leaves, void *user) {
  (void)user;
  return as_record(g, AS_OP_reshape, leaves, 1, &(reshape){3, {17, -1, 3}}, sizeof(reshape));
}

static as_status check(as_context *ctx, double *worst) {
  return as_gradcheck(ctx, build, NULL, 1, &(as_gradcheck_input){2, {51, 7}, -1, 1}, NULL, worst);
}

const as_op AS_REAL(as_op_reshape) = {.name = "reshape", .formula = "y = x in another shape", .infer = infer,
                                      .forward = forward, .backward = backward, .saves = AS_SAVES_NOTHING,
                                      .cheap = true, .check = check};

#if AS_RECORDS
as_tensor *as_reshape(as_graph *g, as_tensor *x, int ndim, const int64_t *shape) {
  reshape want = {.ndim = ndim};
  for (int d = 0; d < ndim && d < AS_MAX_DIMS; d++) want.shape[d] = shape[d];
  return as_record(g, AS_OP_reshape, &x, 1, &want, sizeof want);
}
#endif
