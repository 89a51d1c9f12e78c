/* slice: a range of one dimension. concat: tensors one after another along a dimension. Each is the other's backward,
 * so both are block copies: a tensor is seen as [outer, size of the dimension, inner]. */
#include "tensor/ops/op.h"

typedef struct range {
  int dim;
  int64_t start, length; /* slice only */
} range;

static range *attributes(const as_node *n) { return (range *)(void *)n->attributes; }

static bool resolve_dim(as_node *n) {
  range *r = attributes(n);
  if (r->dim < 0) r->dim += n->inputs[0]->ndim;
  if (r->dim < 0 || r->dim >= n->inputs[0]->ndim || n->inputs[0]->dtype == AS_I32)
    return as_op_refuse(n, "there is no dimension %d", r->dim);
  return true;
}

static int64_t outer_size(const as_tensor *t, int dim) {
  int64_t size = 1;
  for (int d = 0; d < dim; d++) size *= t->shape[d];
  return size;
}

static int64_t inner_size(const as_tensor *t, int dim) {
  int64_t size = 1;
  for (int d = dim + 1; d < t->ndim; d++) size *= t->shape[d];
  return size;
}

/* y[o * y_stride + j] (+)= x[o * x_stride + j] for o < outer, j < run. */
typedef struct block_copy {
  const struct AS_REAL(as_kernels) * k;
  const real *x;
  real *y;
  int64_t x_stride, y_stride, run;
  bool add;
} block_copy;

static void copy_block(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const block_copy *c = argument;
  const real *x = c->x + chunk * c->x_stride;
  real *y = c->y + chunk * c->y_stride;
  if (c->add)
    c->k->add((size_t)c->run, y, x, y);
  else
    memmove(y, x, (size_t)c->run * sizeof(real));
}

static void copy_blocks(as_node *n, int64_t outer, block_copy call) {
  call.k = as_node_kernels(n);
  if (call.run) as_parallel_for(as_node_context(n), outer, copy_block, &call);
}

/* ---- slice ------------------------------------------------------------------------------------------------------ */
static bool infer_slice(as_node *n) {
  const as_tensor *x = n->inputs[0];
  if (!resolve_dim(n)) return false;
  const range *r = attributes(n);
  int64_t size = x->shape[r->dim], shape[AS_MAX_DIMS];
  if (r->start < 0 || r->length < 0 || r->start > size || r->length > size - r->start)
    return as_op_refuse(n, "the range from %lld of length %lld is not inside dimension %d", (long long)r->start,
                        (long long)r->length, r->dim);
  memcpy(shape, x->shape, sizeof shape);
  shape[r->dim] = r->length;
  as_set_shape(n->output, x->ndim, shape);
  return true;
}

static void forward_slice(as_node *n) {
  const range *r = attributes(n);
  const as_tensor *x = n->inputs[0];
  int64_t inner = inner_size(x, r->dim);
  copy_blocks(n, outer_size(x, r->dim), (block_copy){.x = as_in(n, 0) + r->start * inner, .y = as_out(n),
                                                     .x_stride = x->shape[r->dim] * inner,
                                                     .y_stride = r->length * inner, .run = r->length * inner});
}

static void backward_slice(as_node *n) {
  const range *r = attributes(n);
  const as_tensor *x = n->inputs[0];
  int64_t inner = inner_size(x, r->dim);
  if (!as_din(n, 0)) return;
  if (!as_adds(n, 0)) memset(as_din(n, 0), 0, (size_t)x->elements * sizeof(real));
  copy_blocks(n, outer_size(x, r->dim), (block_copy){.x = as_dout(n), .y = as_din(n, 0) + r->start * inner,
                                                     .x_stride = r->length * inner,
                                                     .y_stride = x->shape[r->dim] * inner, .run = r->length * inner,
                                                     .add = true});
}

static as_tensor *build_slice(as_graph *g, as_tensor *const *leaves, void *user) {
  return as_record(g, AS_OP_slice, leaves, 1, user, sizeof(range));
}

static as_status check_slice(as_context *ctx, double *worst) {
  range middle = {1, 3, 3}, last = {-1, 16, 1};
  const as_gradcheck_input input = {3, {3, 7, 17}, -1, 1};
  as_status status = as_gradcheck(ctx, build_slice, &middle, 1, &input, NULL, worst);
  return status == AS_OK ? as_gradcheck(ctx, build_slice, &last, 1, &input, NULL, worst) : status;
}

const as_op AS_REAL(as_op_slice) = {.name = "slice", .formula = "y = x[..., start : start + length, ...]",
                                    .infer = infer_slice, .forward = forward_slice, .backward = backward_slice,
                                    .saves = AS_SAVES_NOTHING, .cheap = true, .check = check_slice};

/* ---- concat ----------------------------------------------------------------------------------------------------- */
static bool infer_concat(as_node *n) {
  const as_tensor *x = n->inputs[0];
  if (!resolve_dim(n)) return false;
  int dim = attributes(n)->dim;
  int64_t shape[AS_MAX_DIMS], total = 0;
  memcpy(shape, x->shape, sizeof shape);
  for (int i = 0; i < n->inputs_count; i++) {
    const as_tensor *part = n->inputs[i];
    bool fits = part->ndim == x->ndim && part->dtype != AS_I32;
    for (int d = 0; fits && d < x->ndim; d++) fits = d == dim || part->shape[d] == x->shape[d];
    if (!fits) return as_op_refuse(n, "the parts differ in more than dimension %d", dim);
    total += part->shape[dim];
  }
  shape[dim] = total;
  as_set_shape(n->output, x->ndim, shape);
  return true;
}

/* Copies each part to (or its gradient from) its place in the output. */
static void each_part(as_node *n, bool backward) {
  int dim = attributes(n)->dim;
  int64_t inner = inner_size(n->output, dim), whole = n->output->shape[dim] * inner, start = 0;
  for (int i = 0; i < n->inputs_count; i++) {
    int64_t run = n->inputs[i]->shape[dim] * inner;
    if (!backward)
      copy_blocks(n, outer_size(n->output, dim), (block_copy){.x = as_in(n, i), .y = as_out(n) + start, .x_stride = run,
                                                              .y_stride = whole, .run = run});
    else if (as_din(n, i))
      copy_blocks(n, outer_size(n->output, dim), (block_copy){.x = as_dout(n) + start, .y = as_din(n, i),
                                                              .x_stride = whole, .y_stride = run, .run = run,
                                                              .add = as_adds(n, i)});
    start += run;
  }
}

static void forward_concat(as_node *n) { each_part(n, false); }
static void backward_concat(as_node *n) { each_part(n, true); }

static as_tensor *build_concat(as_graph *g, as_tensor *const *leaves, void *user) {
  return as_record(g, AS_OP_concat, leaves, 3, user, sizeof(range));
}

static as_status check_concat(as_context *ctx, double *worst) {
  range middle = {.dim = 1};
  const as_gradcheck_input inputs[] = {{3, {3, 1, 7}, -1, 1}, {3, {3, 3, 7}, -1, 1}, {3, {3, 5, 7}, -1, 1}};
  return as_gradcheck(ctx, build_concat, &middle, 3, inputs, NULL, worst);
}

const as_op AS_REAL(as_op_concat) = {.name = "concat", .formula = "y = [x0, x1, ...] along one dimension",
                                     .infer = infer_concat, .forward = forward_concat, .backward = backward_concat,
                                     .saves = AS_SAVES_NOTHING, .cheap = true, .check = check_concat};

#if AS_RECORDS
as_tensor *as_slice(as_graph *g, as_tensor *x, int dim, int64_t start, int64_t length) {
  return as_record(g, AS_OP_slice, &x, 1, &(range){dim, start, length}, sizeof(range));
}
as_tensor *as_concat(as_graph *g, as_tensor *const *parts, int count, int dim) {
  if (count < 1 || count > AS_MAX_INPUTS) return as_record(g, AS_OP_concat, &(as_tensor *){NULL}, 1, NULL, 0);
  return as_record(g, AS_OP_concat, parts, count, &(range){.dim = dim}, sizeof(range));
}
#endif
