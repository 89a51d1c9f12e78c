/* y = x with two dimensions swapped. */
#include "tensor/ops/op.h"

typedef struct transpose {
  int dim0, dim1;
} transpose;

static bool infer(as_node *n) {
  transpose *t = (transpose *)(void *)n->attributes;
  const as_tensor *x = n->inputs[0];
  if (t->dim0 < 0) t->dim0 += x->ndim;
  if (t->dim1 < 0) t->dim1 += x->ndim;
  if (t->dim0 < 0 || t->dim1 < 0 || t->dim0 >= x->ndim || t->dim1 >= x->ndim || x->dtype == AS_I32)
    return as_op_refuse(n, "there is no such dimension to swap");
  int64_t shape[AS_MAX_DIMS];
  memcpy(shape, x->shape, sizeof shape);
  shape[t->dim0] = x->shape[t->dim1];
  shape[t->dim1] = x->shape[t->dim0];
  as_set_shape(n->output, x->ndim, shape);
  return true;
}

typedef struct transpose_call {
  const as_tensor *to;               /* whose shape is walked, in order */
  int64_t strides[AS_MAX_DIMS];      /* of the source, for the dimensions of `to` */
  const real *x;
  real *y;
  bool add;
} transpose_call;

static void swap_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const transpose_call *c = argument;
  int64_t first, count = as_piece(c->to->elements, AS_CHUNK_ELEMENTS, chunk, &first);
  for (int64_t i = first; i < first + count; i++) {
    int64_t rest = i, at = 0;
    for (int d = c->to->ndim - 1; d >= 0; d--) {
      at += rest % c->to->shape[d] * c->strides[d];
      rest /= c->to->shape[d];
    }
    c->y[i] = c->add ? c->y[i] + c->x[at] : c->x[at];
  }
}

/* Swapping back is the same operation on the other tensor's shape. */
static void swap(as_node *n, const as_tensor *from, const as_tensor *to, const real *x, real *y, bool add) {
  const transpose *t = (const transpose *)(const void *)n->attributes;
  transpose_call call = {.to = to, .x = x, .y = y, .add = add};
  int64_t stride = 1, strides[AS_MAX_DIMS];
  for (int d = from->ndim - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= from->shape[d];
  }
  for (int d = 0; d < from->ndim; d++) call.strides[d] = strides[d == t->dim0 ? t->dim1 : d == t->dim1 ? t->dim0 : d];
  as_parallel_for(as_node_context(n), as_chunks(to->elements, AS_CHUNK_ELEMENTS), swap_chunk, &call);
}

static void forward(as_node *n) { swap(n, n->inputs[0], n->output, as_in(n, 0), as_out(n), false); }

static void backward(as_node *n) {
  if (as_din(n, 0)) swap(n, n->output, n->inputs[0], as_dout(n), as_din(n, 0), as_adds(n, 0));
}

static as_tensor *build(as_graph *g, as_tensor *const *leaves, void *user) {
  return as_record(g, AS_OP_transpose, leaves, 1, user, sizeof(transpose));
}

static as_status check(as_context *ctx, double *worst) {
  transpose last = {-1, -2}, outer = {0, 2};
  const as_gradcheck_input input = {3, {3, 7, 17}, -1, 1};
  as_status status = as_gradcheck(ctx, build, &last, 1, &input, NULL, worst);
  return status == AS_OK ? as_gradcheck(ctx, build, &outer, 1, &input, NULL, worst) : status;
}

const as_op AS_REAL(as_op_transpose) = {.name = "transpose", .formula = "y = x with two dimensions swapped",
                                        .infer = infer, .forward = forward, .backward = backward,
                                        .saves = AS_SAVES_NOTHING, .cheap = true, .check = check};

#if AS_RECORDS
as_tensor *as_transpose(as_graph *g, as_tensor *x, int dim0, int dim1) {
  return as_record(g, AS_OP_transpose, &x, 1, &(transpose){dim0, dim1}, sizeof(transpose));
}
#endif
