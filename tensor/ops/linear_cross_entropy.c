/* Linear layer and cross entropy over many classes in one operation: no [rows, classes] matrix for all rows is needed.
 *   z = scale * x weight^T + bias
 *   loss = sum_i ((1-e) (lse(z_i) - z_i[t_i]) + e/C sum_c (lse(z_i) - z_i[c])) / denominator, over the rows that count
 *   dz_i = q_i / denominator,  q_i[c] = p_i[c] - (1-e) [c = t_i] - e/C
 *   dx = scale * dz weight,  dweight = dz^T (scale * x),  dbias = sum_i dz_i
 *
 * Rows are taken in chunks: a product gives their logits, and one pass over these, a row in the cache at a time, gives
 * the loss and turns them into q. Backward needs q again. The state holds it for the first rows, at most as many as the
 * weight has columns, so that it is never larger than the weight; for the others backward makes it again, chunk by
 * chunk. Holding it saves the fourth product; making the gradient of the weight in forward would save it as well, but
 * takes a second matrix of the weight's size at the peak of memory, and reads and writes it once for every chunk. When
 * recomputing is wanted nothing is held.
 *
 * Invariant: the sums over rows (dweight, dbias) and over classes (dx) are chains in the order of rows and classes that
 * go on from chunk to chunk, so how much is held and how rows are cut cannot be seen in the result. */
#include "tensor/ops/op.h"

#define PIECE_ROWS 64          /* the sum of the bias' gradient is over pieces of so many rows */
#define CHUNK_ELEMENTS 8000000 /* logits of a chunk: 32 MB */
#define BLOCK_CLASSES 2048 /* backward's products take this many classes at a time, so that their workspace is small   \
                            */
#define BIAS_COLUMNS 256
#define FINISH_ROWS 4

static const as_linear_cross_entropy_options *attributes(const as_node *n) {
  return (const as_linear_cross_entropy_options *)(const void *)n->attributes;
}

static bool has_bias(const as_node *n) {
  return n->inputs_count == 4;
}

static bool infer(as_node *n) {
  const as_tensor *x = n->inputs[0], *weight = n->inputs[1], *labels = n->inputs[2];
  const as_linear_cross_entropy_options *o = attributes(n);
  if (x->ndim != 2 || x->dtype == AS_I32 || weight->ndim != 2 || weight->dtype == AS_I32 ||
      x->shape[1] != weight->shape[1] || weight->shape[0] == 0)
    return as_op_refuse(n, "x must be [rows, in] and the weight [classes, in]");
  if (labels->dtype != AS_I32 || labels->ndim != 1 || labels->shape[0] != x->shape[0])
    return as_op_refuse(n, "labels must be integers [rows]");
  if (has_bias(n) && (n->inputs[3]->ndim != 1 || n->inputs[3]->shape[0] != weight->shape[0]))
    return as_op_refuse(n, "the bias must be [classes]");
  if (!(o->label_smoothing >= 0 && o->label_smoothing < 1) || !(o->denominator >= 0) || !isfinite(o->scale))
    return as_op_refuse(n, "label smoothing must be in [0, 1), the denominator not negative and the scale finite");
  for (int64_t i = 0; i < labels->elements; i++) {
    int32_t label = ((const int32_t *)labels->data)[i];
    if (label != o->ignore_index && (label < 0 || label >= weight->shape[0]))
      return as_op_refuse(n, "label %d at row %lld is not in [0, %lld)", (int)label, (long long)i,
                          (long long)weight->shape[0]);
  }
  as_set_shape(n->output, 1, (int64_t[]){1});
  return true;
}

/* ---- sizes
 * ----------------------------------------------------------------------------------------------------------- */
static int64_t rows_of(const as_node *n) {
  return n->inputs[0]->shape[0];
}
static int64_t width_of(const as_node *n) {
  return n->inputs[0]->shape[1];
}
static int64_t classes_of(const as_node *n) {
  return n->inputs[1]->shape[0];
}

/* Rows whose logits are computed at a time beyond those that are held: whole pieces. */
static int64_t chunk_rows(const as_node *n) {
  int64_t rows = CHUNK_ELEMENTS / classes_of(n) / PIECE_ROWS * PIECE_ROWS;
  return rows < PIECE_ROWS ? PIECE_ROWS : rows;
}

static size_t state(const as_node *n) {
  const as_graph *g = n->graph;
  int64_t held = width_of(n) / PIECE_ROWS * PIECE_ROWS;
  if (g->mode != AS_TRAIN || !n->output->needs_gradient || g->recompute > 0) return 0;
  return (size_t)(as_min64(rows_of(n), held < PIECE_ROWS ? PIECE_ROWS : held) * classes_of(n)) * sizeof(real);
}

static int64_t held_rows(const as_node *n) {
  return (int64_t)(n->state_bytes / sizeof(real)) / classes_of(n);
}

/* The chunks: first the rows that are held, all at once, then the others. Returns the rows of the chunk that begins at
 * `first`. */
static int64_t rows_from(const as_node *n, int64_t first) {
  int64_t held = held_rows(n);
  return first < held ? held : as_min64(chunk_rows(n), rows_of(n) - first);
}

/* What lies in the scratch memory; offsets in bytes. */
typedef struct layout {
  size_t logits;  /* [chunk, classes] */
  size_t x;       /* forward: [chunk, in], scaled; backward: [rows, in], scaled */
  size_t partial; /* forward: doubles [rows], the loss of each; backward: [chunk, in] */
  size_t bias;    /* backward: [classes] */
  size_t gemm, end;
} layout;

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

static size_t logits_workspace(const as_node *n, int64_t rows) {
  return AS_REAL(as_gemm_workspace)(as_node_kernels(n), rows, classes_of(n), width_of(n), false, true,
                                    as_node_threads(n));
}

static size_t products_workspace(const as_node *n, int64_t rows) {
  size_t most = 0;
  int64_t sizes[2] = {as_min64(BLOCK_CLASSES, classes_of(n)), classes_of(n) % BLOCK_CLASSES};
  for (int i = 0; i < 2; i++) {
    most = larger(most, AS_REAL(as_gemm_workspace)(as_node_kernels(n), rows, width_of(n), sizes[i], false, false,
                                                   as_node_threads(n)));
    most = larger(most, AS_REAL(as_gemm_workspace)(as_node_kernels(n), sizes[i], width_of(n), rows, true, false,
                                                   as_node_threads(n)));
  }
  return most;
}

static layout lay_out(const as_node *n, bool backward) {
  layout l = {0};
  int64_t most = 0, beyond = 0;
  size_t width = (size_t)width_of(n) * sizeof(real), gemm = 0;
  for (int64_t first = 0, rows; first < rows_of(n); first += rows) {
    rows = rows_from(n, first);
    if (rows > most) most = rows;
    if (first >= held_rows(n) && rows > beyond) beyond = rows;
    gemm = larger(gemm, logits_workspace(n, rows));
    if (backward) gemm = larger(gemm, products_workspace(n, rows));
  }
  bool scaled = attributes(n)->scale != 1;
  l.x = l.logits + as_align((size_t)(beyond * classes_of(n)) * sizeof(real));
  l.partial = l.x + as_align(backward ? (size_t)rows_of(n) * width : scaled ? (size_t)most * width : 0);
  l.bias = l.partial + as_align(backward ? (size_t)most * width : (size_t)rows_of(n) * sizeof(double));
  l.gemm = l.bias + as_align(backward && has_bias(n) ? (size_t)classes_of(n) * sizeof(real) : 0);
  l.end = l.gemm + as_align(gemm);
  return l;
}

static size_t scratch_forward(const as_node *n) {
  return lay_out(n, false).end;
}
static size_t scratch_backward(const as_node *n) {
  return lay_out(n, true).end;
}
static void *scratch_at(const as_node *n, size_t offset) {
  return (unsigned char *)n->scratch + offset;
}

/* ---- elementwise over many elements: y = alpha x, or y += alpha x
 * ------------------------------------------------------ */
typedef struct scale_call {
  const struct AS_REAL(as_kernels) * k;
  int64_t count;
  real alpha;
  const real *x;
  real *y;
  bool add;
} scale_call;

static void scale_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const scale_call *c = argument;
  int64_t first, count = as_piece(c->count, AS_CHUNK_ELEMENTS, chunk, &first);
  (c->add ? c->k->axpy : c->k->scale)((size_t)count, c->alpha, c->x + first, c->y + first);
}

static void scale_all(const as_node *n, int64_t count, double alpha, const real *x, real *y, bool add) {
  scale_call call = {as_node_kernels(n), count, (real)alpha, x, y, add};
  as_parallel_for(as_node_context(n), as_chunks(count, AS_CHUNK_ELEMENTS), scale_chunk, &call);
}

/* ---- logits, loss and q
 * ------------------------------------------------------------------------------------------------ */
static bool counts(const as_node *n, int64_t row) {
  return as_in_i32(n, 2)[row] != attributes(n)->ignore_index;
}

static double denominator_of(const as_node *n) {
  if (attributes(n)->denominator > 0) return attributes(n)->denominator;
  int64_t total = 0;
  for (int64_t i = 0; i < rows_of(n); i++) total += counts(n, i);
  return total > 0 ? (double)total : 1;
}

typedef struct finish_call {
  const as_node *node;
  int64_t first, rows;
  real *z;      /* [rows, classes]: logits, becomes q */
  double *loss; /* [rows of the operation]; NULL: not wanted */
} finish_call;

static void finish_row(const finish_call *c, int64_t i) {
  const as_node *n = c->node;
  const struct AS_REAL(as_kernels) *k = as_node_kernels(n);
  const int64_t classes = classes_of(n);
  const double e = attributes(n)->label_smoothing;
  real *z = c->z + i * classes, lse;
  if (!counts(n, c->first + i)) {
    memset(z, 0, (size_t)classes * sizeof(real));
    if (c->loss) c->loss[c->first + i] = 0;
    return;
  }
  int32_t label = as_in_i32(n, 2)[c->first + i];
  double target = (double)z[label], mean = e > 0 ? (double)k->sum((size_t)classes, z) / (double)classes : 0;
  k->softmax(1, (size_t)classes, z, z, &lse);
  z[label] -= (real)(1 - e);
  if (e > 0) k->add_scalar((size_t)classes, (real)(-e / (double)classes), z, z);
  if (c->loss) c->loss[c->first + i] = (1 - e) * ((double)lse - target) + (e > 0 ? e * ((double)lse - mean) : 0);
}

static void finish_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const finish_call *c = argument;
  int64_t first, rows = as_piece(c->rows, FINISH_ROWS, chunk, &first);
  for (int64_t i = first; i < first + rows; i++) finish_row(c, i);
}

/* Makes q of the rows [first, first + rows) in z. `scaled` has room for their x times the scale, unless that is 1. */
static void make_q(const as_node *n, int64_t first, int64_t rows, real *z, real *scaled, double *loss,
                   void *workspace) {
  const int64_t in = width_of(n), classes = classes_of(n);
  const real *x = as_in(n, 0) + first * in;
  if (attributes(n)->scale != 1) {
    scale_all(n, rows * in, attributes(n)->scale, x, scaled, false);
    x = scaled;
  }
  AS_REAL(as_gemm_call)
  logits = {.m = rows,
            .n = classes,
            .k = in,
            .transpose_b = true,
            .a = x,
            .lda = in,
            .b = as_in(n, 1),
            .ldb = in,
            .packed_b = n->inputs[1]->packed,
            .c = z,
            .ldc = classes,
            .bias = has_bias(n) ? as_in(n, 3) : NULL,
            .activation = AS_UNARY_NONE};
  AS_REAL(as_gemm)(as_node_context(n), as_node_kernels(n), &logits, workspace);
  finish_call call = {n, first, rows, z, loss};
  as_parallel_for(as_node_context(n), as_chunks(rows, FINISH_ROWS), finish_chunk, &call);
}

static void forward(as_node *n) {
  layout l = lay_out(n, false);
  double *losses = scratch_at(n, l.partial), loss = 0;
  for (int64_t first = 0, rows; first < rows_of(n); first += rows) {
    rows = rows_from(n, first);
    make_q(n, first, rows, first < held_rows(n) ? n->state : scratch_at(n, l.logits), scratch_at(n, l.x), losses,
           scratch_at(n, l.gemm));
  }
  for (int64_t i = 0; i < rows_of(n); i++) loss += losses[i];
  as_out(n)[0] = (real)(loss / denominator_of(n));
}

/* ---- backward
 * ---------------------------------------------------------------------------------------------------------- */
typedef struct bias_call {
  const as_node *node;
  int64_t first, rows;
  const real *q; /* [rows, classes] */
  real *sum;     /* [classes] */
} bias_call;

static void bias_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const bias_call *c = argument;
  int64_t classes = classes_of(c->node), column, columns = as_piece(classes, BIAS_COLUMNS, chunk, &column);
  for (int64_t r = 0; r < c->rows; r += PIECE_ROWS)
    as_node_kernels(c->node)->column_sum((size_t)as_min64(PIECE_ROWS, c->rows - r), (size_t)columns,
                                         c->q + r * classes + column, (size_t)classes, c->sum + column,
                                         c->first + r > 0);
}

/* dweight += q^T x and dx = q weight for a chunk, in blocks of classes. `x` is [rows, in] times scale and gradient of
 * the loss. */
static void products(const as_node *n, int64_t first, int64_t rows, const real *q, const real *x, real *dx,
                     void *workspace) {
  const int64_t in = width_of(n), classes = classes_of(n);
  real *dweight = as_din(n, 1);
  for (int64_t c = 0; c < classes; c += BLOCK_CLASSES) {
    int64_t block = as_min64(BLOCK_CLASSES, classes - c);
    AS_REAL(as_gemm_call)
    to_x = {.m = rows,
            .n = in,
            .k = block,
            .a = q + c,
            .lda = classes,
            .b = as_in(n, 1) + c * in,
            .ldb = in,
            .c = dx,
            .ldc = in,
            .add = c > 0,
            .activation = AS_UNARY_NONE};
    if (as_din(n, 0)) AS_REAL(as_gemm)(as_node_context(n), as_node_kernels(n), &to_x, workspace);
    if (!dweight) continue;
    AS_REAL(as_gemm_call)
    to_weight = {.m = block,
                 .n = in,
                 .k = rows,
                 .transpose_a = true,
                 .a = q + c,
                 .lda = classes,
                 .b = x,
                 .ldb = in,
                 .c = dweight + c * in,
                 .ldc = in,
                 .add = as_adds(n, 1) || first > 0,
                 .activation = AS_UNARY_NONE};
    AS_REAL(as_gemm)(as_node_context(n), as_node_kernels(n), &to_weight, workspace);
  }
}

/* The gradients of no rows at all. */
static void write_zeros(const as_node *n) {
  for (int i = 1; i < n->inputs_count; i++)
    if (i != 2 && as_din(n, i) && !as_adds(n, i))
      memset(as_din(n, i), 0, (size_t)n->inputs[i]->elements * sizeof(real));
}

static void backward(as_node *n) {
  layout l = lay_out(n, true);
  const int64_t in = width_of(n);
  const double gradient = (double)as_dout(n)[0] / denominator_of(n), scale = attributes(n)->scale;
  real *x = scratch_at(n, l.x), *dx = scratch_at(n, l.partial), *bias = scratch_at(n, l.bias);
  if (rows_of(n) == 0) write_zeros(n);
  scale_all(n, rows_of(n) * in, gradient * scale, as_in(n, 0), x, false);
  for (int64_t first = 0, rows; first < rows_of(n); first += rows) {
    rows = rows_from(n, first);
    real *q = first < held_rows(n) ? n->state : scratch_at(n, l.logits);
    if (first >= held_rows(n)) make_q(n, first, rows, q, dx, NULL, scratch_at(n, l.gemm));
    products(n, first, rows, q, x + first * in, dx, scratch_at(n, l.gemm));
    if (as_din(n, 0)) scale_all(n, rows * in, gradient * scale, dx, as_din(n, 0) + first * in, as_adds(n, 0));
    bias_call call = {n, first, rows, q, bias};
    if (has_bias(n) && as_din(n, 3))
      as_parallel_for(as_node_context(n), as_chunks(classes_of(n), BIAS_COLUMNS), bias_chunk, &call);
  }
  if (has_bias(n) && as_din(n, 3) && rows_of(n) > 0)
    scale_all(n, classes_of(n), gradient, bias, as_din(n, 3), as_adds(n, 3));
}

/* ---- gradient check
 * ---------------------------------------------------------------------------------------------------- */
/* Leaves x, weight and perhaps bias; x goes through the weight once more first when `tied`, so that its gradient is a
 * sum. */
typedef struct check_case {
  as_linear_cross_entropy_options options;
  int64_t rows, in, classes;
  bool bias, tied;
} check_case;

static as_tensor *build(as_graph *g, as_tensor *const *leaves, void *user) {
  static const int32_t labels[] = {0, 2, -100, 1, 6, 5, 5, 3, -100, 4, 2, 0, 0, 1, 6, 3, 2};
  static const int32_t ids[] = {1, 0, 2, 2, 1, 0, 6, 4, 3, 5, 5, 1, 0, 2, 2, 4, 6};
  const check_case *c = user;
  as_tensor *x = leaves[0], *target = as_input_i32(g, 1, &c->rows, labels);
  if (c->tied) x = as_add(g, x, as_embedding(g, leaves[1], as_input_i32(g, 1, &c->rows, ids), -1));
  as_tensor *inputs[4] = {x, leaves[1], target, c->bias ? leaves[2] : NULL};
  return as_record(g, AS_OP_linear_cross_entropy, inputs, c->bias ? 4 : 3, &c->options, sizeof c->options);
}

static as_status check(as_context *ctx, double *worst) {
  check_case cases[] = {{{1, 0, -100, 0}, 17, 3, 7, true, false},
                        {{0.25, 0.1, -100, 31}, 17, 7, 7, false, true},
                        {{1.5, 0.3, -100, 0}, 7, 65, 17, true, true},
                        {{1, 0, -100, 0}, 1, 1, 3, true, false}};
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < sizeof cases / sizeof cases[0]; i++) {
    const check_case *c = &cases[i];
    as_gradcheck_input leaves[3] = {
        {2, {c->rows, c->in}, -2, 2}, {2, {c->classes, c->in}, -1, 1}, {1, {c->classes}, -1, 1}};
    status = as_gradcheck(ctx, build, &cases[i], c->bias ? 3 : 2, leaves, NULL, worst);
  }
  return status;
}

const as_op AS_REAL(as_op_linear_cross_entropy) = {
    .name = "linear_cross_entropy",
    .formula = "y = mean_i lse(z_i) - z_i[t_i], z = scale x weight^T + bias, smoothed",
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .saves = AS_SAVES_INPUT(0) | AS_SAVES_INPUT(1) | AS_SAVES_INPUT(2) | AS_SAVES_INPUT(3),
    .state = state,
    .scratch_forward = scratch_forward,
    .scratch_backward = scratch_backward,
    .check = check};

#if AS_RECORDS
as_tensor *as_linear_cross_entropy(as_graph *g, as_tensor *x, as_tensor *weight, as_tensor *bias, bool has_bias_operand,
                                   as_tensor *labels, const as_linear_cross_entropy_options *options) {
  return as_record(g, AS_OP_linear_cross_entropy, (as_tensor *const[]){x, weight, labels, bias},
                   has_bias_operand ? 4 : 3, options, sizeof *options);
}
#endif
