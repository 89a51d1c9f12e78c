/* layer_norm: y = (x - mean) rstd weight + bias (Ba, Kiros and Hinton 2016). rms_norm: y = x rstd weight (Zhang and
 * Sennrich 2019). Both over the last dimension. The state is mean and rstd of each row. */
#include "tensor/ops/op.h"

#define NORM_ROWS 32 /* rows a chunk; also the pieces over which the gradients of weight and bias are summed */

typedef struct norm {
  double eps;
} norm;

static real eps_of(const as_node *n) { return (real)((const norm *)(const void *)n->attributes)->eps; }

/* ---- backward, shared with the fused normalisations ------------------------------------------------------------- */
typedef struct backward_call {
  const AS_REAL(as_norm_backward) * c;
  const struct AS_REAL(as_kernels) * k;
  real *partial; /* [pieces, 2, cols] */
} backward_call;

static void norm_backward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const backward_call *b = argument;
  const AS_REAL(as_norm_backward) *c = b->c;
  int64_t cols = c->cols, first, rows = as_piece(c->rows, NORM_ROWS, chunk, &first);
  real *dweight = b->partial + chunk * 2 * cols, *dbias = dweight + cols;
  memset(dweight, 0, (size_t)(2 * cols) * sizeof(real));
  const real *x = c->x + first * cols, *dy = c->dy + first * cols;
  real *dx = c->dx + first * cols;
  if (c->rms)
    b->k->rms_norm_backward((size_t)rows, (size_t)cols, x, c->weight, c->rstd + first, dy, dx, c->add_dx, dweight);
  else
    b->k->layer_norm_backward((size_t)rows, (size_t)cols, x, c->weight, c->mean + first, c->rstd + first, dy, dx,
                              c->add_dx, dweight, dbias);
}

size_t AS_REAL(as_norm_scratch)(int64_t rows, int64_t cols) {
  return (size_t)(as_chunks(rows, NORM_ROWS) * 2 * cols) * sizeof(real);
}

void AS_REAL(as_norm_backward_run)(as_node *n, const AS_REAL(as_norm_backward) * call, void *scratch) {
  backward_call b = {call, as_node_kernels(n), scratch};
  int64_t pieces = as_chunks(call->rows, NORM_ROWS);
  as_parallel_for(as_node_context(n), pieces, norm_backward_chunk, &b);
  size_t stride = (size_t)(2 * call->cols);
  if (call->dweight)
    b.k->column_sum((size_t)pieces, (size_t)call->cols, b.partial, stride, call->dweight, call->add_dweight);
  if (call->dbias)
    b.k->column_sum((size_t)pieces, (size_t)call->cols, b.partial + call->cols, stride, call->dbias, call->add_dbias);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */
static bool infer(as_node *n) {
  const as_tensor *x = n->inputs[0];
  if (x->dtype == AS_I32 || as_columns(x) == 0) return as_op_refuse(n, "the last dimension holds no numbers");
  for (int i = 1; i < n->inputs_count; i++)
    if (n->inputs[i]->ndim != 1 || n->inputs[i]->shape[0] != as_columns(x))
      return as_op_refuse(n, "weight and bias must be as long as the last dimension");
  as_set_shape(n->output, x->ndim, x->shape);
  return true;
}

static size_t state(const as_node *n) { return (size_t)(2 * as_rows(n->output)) * sizeof(real); }

static void forward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  bool rms = n->inputs_count == 2;
  int64_t cols = as_columns(n->output), all = as_rows(n->output), first, rows = as_piece(all, NORM_ROWS, chunk, &first);
  real *mean = (real *)n->state + first, *rstd = mean + all;
  const real *x = as_in(n, 0) + first * cols;
  if (rms)
    as_node_kernels(n)->rms_norm((size_t)rows, (size_t)cols, x, as_in(n, 1), eps_of(n), as_out(n) + first * cols, rstd);
  else
    as_node_kernels(n)->layer_norm((size_t)rows, (size_t)cols, x, as_in(n, 1), as_in(n, 2), eps_of(n),
                                   as_out(n) + first * cols, mean, rstd);
}

static void forward(as_node *n) {
  as_parallel_for(as_node_context(n), as_chunks(as_rows(n->output), NORM_ROWS), forward_chunk, n);
}

/* dx goes to scratch when nobody wants it: the kernel makes it together with the other gradients. */
static size_t scratch_backward(const as_node *n) {
  size_t partial = as_align(AS_REAL(as_norm_scratch)(as_rows(n->output), as_columns(n->output)));
  return partial + (n->inputs[0]->needs_gradient ? 0 : (size_t)n->output->elements * sizeof(real));
}

static void backward(as_node *n) {
  bool rms = n->inputs_count == 2;
  int64_t rows = as_rows(n->output), cols = as_columns(n->output);
  real *unwanted = (real *)(void *)((unsigned char *)n->scratch + as_align(AS_REAL(as_norm_scratch)(rows, cols)));
  AS_REAL(as_norm_backward) call = {.rows = rows, .cols = cols, .x = as_in(n, 0), .weight = as_in(n, 1),
                                    .mean = n->state, .rstd = (real *)n->state + rows, .dy = as_dout(n),
                                    .dx = as_din(n, 0) ? as_din(n, 0) : unwanted,
                                    .add_dx = as_din(n, 0) && as_adds(n, 0), .dweight = as_din(n, 1),
                                    .add_dweight = as_adds(n, 1), .dbias = rms ? NULL : as_din(n, 2),
                                    .add_dbias = !rms && as_adds(n, 2), .rms = rms};
  AS_REAL(as_norm_backward_run)(n, &call, n->scratch);
}

static as_tensor *build_layer_norm(as_graph *g, as_tensor *const *leaves, void *user) {
  return as_record(g, AS_OP_layer_norm, leaves, 3, user, sizeof(norm));
}

static as_tensor *build_rms_norm(as_graph *g, as_tensor *const *leaves, void *user) {
  return as_record(g, AS_OP_rms_norm, leaves, 2, user, sizeof(norm));
}

static as_status check_sizes(as_context *ctx, as_gradcheck_function build, int leaves, double *worst) {
  norm eps = {1e-5};
  static const as_gradcheck_input sets[][3] = {{{3, {3, 7, 17}, -1, 1}, {1, {17}, 0.5, 2}, {1, {17}, -1, 1}},
                                               {{2, {65, 3}, -1, 1}, {1, {3}, 0.5, 2}, {1, {3}, -1, 1}},
                                               {{2, {1, 65}, -1, 1}, {1, {65}, 0.5, 2}, {1, {65}, -1, 1}}};
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < sizeof sets / sizeof sets[0]; i++)
    status = as_gradcheck(ctx, build, &eps, leaves, sets[i], NULL, worst);
  return status;
}

static as_status check_layer_norm(as_context *ctx, double *worst) {
  return check_sizes(ctx, build_layer_norm, 3, worst);
}
static as_status check_rms_norm(as_context *ctx, double *worst) { return check_sizes(ctx, build_rms_norm, 2, worst); }

const as_op AS_REAL(as_op_layer_norm) = {.name = "layer_norm",
                                         .formula = "y = (x - mean) / sqrt(variance + eps) weight + bias",
                                         .infer = infer, .forward = forward, .backward = backward,
                                         .saves = AS_SAVES_INPUT(0) | AS_SAVES_INPUT(1), .cheap = true, .state = state,
                                         .scratch_backward = scratch_backward, .check = check_layer_norm};

const as_op AS_REAL(as_op_rms_norm) = {.name = "rms_norm", .formula = "y = x / sqrt(mean(x^2) + eps) weight",
                                       .infer = infer, .forward = forward, .backward = backward,
                                       .saves = AS_SAVES_INPUT(0) | AS_SAVES_INPUT(1), .cheap = true, .state = state,
                                       .scratch_backward = scratch_backward, .check = check_rms_norm};

#if AS_RECORDS
as_tensor *as_layer_norm(as_graph *g, as_tensor *x, as_tensor *weight, as_tensor *bias, double eps) {
  return as_record(g, AS_OP_layer_norm, (as_tensor *const[]){x, weight, bias}, 3, &(norm){eps}, sizeof(norm));
}
as_tensor *as_rms_norm(as_graph *g, as_tensor *x, as_tensor *weight, double eps) {
  return as_record(g, AS_OP_rms_norm, (as_tensor *const[]){x, weight}, 2, &(norm){eps}, sizeof(norm));
}
#endif
