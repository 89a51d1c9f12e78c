/* sum, mean and max over one dimension or over all. A tensor is seen as [outer, size, inner]; each result is made by
 * one thread in order of position. */
#include "tensor/ops/op.h"

typedef enum reduce_kind { SUM, MEAN, MAX } reduce_kind;

typedef struct reduce {
  int dim; /* AS_ALL_DIMS: all */
  bool keep_dim;
} reduce;

typedef struct layout {
  int64_t outer, size, inner;
} layout;

static const reduce *attributes(const as_node *n) { return (const reduce *)(const void *)n->attributes; }

static layout layout_of(const as_node *n) {
  const as_tensor *x = n->inputs[0];
  int dim = attributes(n)->dim;
  if (dim == AS_ALL_DIMS) return (layout){1, x->elements, 1};
  layout l = {1, x->shape[dim], 1};
  for (int d = 0; d < dim; d++) l.outer *= x->shape[d];
  for (int d = dim + 1; d < x->ndim; d++) l.inner *= x->shape[d];
  return l;
}

static bool infer(as_node *n) {
  reduce *r = (reduce *)(void *)n->attributes;
  const as_tensor *x = n->inputs[0];
  int64_t shape[AS_MAX_DIMS] = {1};
  int ndim = 0;
  if (x->dtype == AS_I32) return as_op_refuse(n, "integers cannot be computed with");
  if (r->dim != AS_ALL_DIMS) {
    if (r->dim < 0) r->dim += x->ndim;
    if (r->dim < 0 || r->dim >= x->ndim) return as_op_refuse(n, "there is no such dimension");
    for (int d = 0; d < x->ndim; d++)
      if (d != r->dim || r->keep_dim) shape[ndim++] = d == r->dim ? 1 : x->shape[d];
  }
  as_set_shape(n->output, ndim ? ndim : 1, shape);
  if (layout_of(n).size == 0) return as_op_refuse(n, "there is nothing to reduce");
  return true;
}

typedef struct reduce_call {
  as_node *node;
  reduce_kind kind;
  layout l;
} reduce_call;

/* The results of one `outer` position. */
static void forward_chunk(void *argument, int64_t outer, int lane) {
  (void)lane;
  const reduce_call *c = argument;
  const struct AS_REAL(as_kernels) *k = as_node_kernels(c->node);
  const real *x = as_in(c->node, 0) + outer * c->l.size * c->l.inner;
  real *y = as_out(c->node) + outer * c->l.inner;
  if (c->l.inner == 1) {
    y[0] = c->kind == MAX ? k->max((size_t)c->l.size, x) : k->sum((size_t)c->l.size, x);
  } else if (c->kind == MAX) {
    memcpy(y, x, (size_t)c->l.inner * sizeof(real));
    for (int64_t i = 1; i < c->l.size; i++)
      for (int64_t j = 0; j < c->l.inner; j++)
        if (x[i * c->l.inner + j] > y[j]) y[j] = x[i * c->l.inner + j];
  } else {
    k->column_sum((size_t)c->l.size, (size_t)c->l.inner, x, (size_t)c->l.inner, y, false);
  }
  if (c->kind == MEAN) k->scale((size_t)c->l.inner, 1 / (real)c->l.size, y, y);
}

/* dx[i, j] (+)= dy[j], or dy[j] / size, or dy[j] at the first maximum and 0 elsewhere. */
static void backward_chunk(void *argument, int64_t outer, int lane) {
  (void)lane;
  const reduce_call *c = argument;
  const as_node *n = c->node;
  int64_t inner = c->l.inner, base = outer * c->l.size * inner;
  const real *x = as_in(n, 0) + base, *dy = as_dout(n) + outer * inner;
  real *dx = as_din(n, 0) + base;
  for (int64_t j = 0; j < inner; j++) {
    int64_t winner = 0;
    for (int64_t i = 1; c->kind == MAX && i < c->l.size; i++)
      if (x[i * inner + j] > x[winner * inner + j]) winner = i;
    for (int64_t i = 0; i < c->l.size; i++) {
      real gradient = c->kind == SUM ? dy[j] : c->kind == MEAN ? dy[j] / (real)c->l.size : i == winner ? dy[j] : 0;
      dx[i * inner + j] = as_adds(n, 0) ? dx[i * inner + j] + gradient : gradient;
    }
  }
}

static void run(as_node *n, reduce_kind kind, as_chunk_function body) {
  reduce_call call = {n, kind, layout_of(n)};
  as_parallel_for(as_node_context(n), call.l.outer, body, &call);
}

static as_status check_dims(as_context *ctx, as_gradcheck_function build, double *worst) {
  reduce cases[] = {{0, false}, {1, true}, {-1, false}, {AS_ALL_DIMS, false}};
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < sizeof cases / sizeof cases[0]; i++)
    status = as_gradcheck(ctx, build, &cases[i], 1, &(as_gradcheck_input){3, {3, 7, 17}, -1, 1}, NULL, worst);
  return status;
}

#define REDUCE_ROW(id, KIND, text, reads)                                                                              \
  static void forward_##id(as_node *n) { run(n, KIND, forward_chunk); }                                                \
  static void backward_##id(as_node *n) {                                                                              \
    if (as_din(n, 0)) run(n, KIND, backward_chunk);                                                                    \
  }                                                                                                                    \
  static as_tensor *build_##id(as_graph *g, as_tensor *const *leaves, void *user) {                                    \
    return as_record(g, AS_OP_##id, leaves, 1, user, sizeof(reduce));                                                  \
  }                                                                                                                    \
  static as_status check_##id(as_context *ctx, double *worst) { return check_dims(ctx, build_##id, worst); }           \
  const as_op AS_REAL(as_op_##id) = {.name = #id, .formula = text, .infer = infer, .forward = forward_##id,            \
                                     .backward = backward_##id, .saves = reads, .cheap = true, .check = check_##id}

REDUCE_ROW(sum, SUM, "y = sum_i x_i", AS_SAVES_NOTHING);
REDUCE_ROW(mean, MEAN, "y = 1/n sum_i x_i", AS_SAVES_NOTHING);
REDUCE_ROW(max, MAX, "y = max_i x_i", AS_SAVES_INPUT(0));

#if AS_RECORDS
static as_tensor *record(as_graph *g, as_op_id op, as_tensor *x, int dim, bool keep_dim) {
  return as_record(g, op, &x, 1, &(reduce){dim, keep_dim}, sizeof(reduce));
}
as_tensor *as_sum(as_graph *g, as_tensor *x, int dim, bool keep_dim) { return record(g, AS_OP_sum, x, dim, keep_dim); }
as_tensor *as_mean(as_graph *g, as_tensor *x, int dim, bool keep_dim) {
  return record(g, AS_OP_mean, x, dim, keep_dim);
}
as_tensor *as_max(as_graph *g, as_tensor *x, int dim, bool keep_dim) { return record(g, AS_OP_max, x, dim, keep_dim); }
#endif
