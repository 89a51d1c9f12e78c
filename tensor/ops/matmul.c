/* y = a b over the last two dimensions; the leading ones are broadcast. One product per position of the leading
 * dimensions, in order; a repeated operand's gradient is summed over its repetitions in that order. */
#include "tensor/ops/op.h"

/* How the leading dimensions of the output map to those of the operands. */
typedef struct batch {
  int64_t count;
  int dims;
  int64_t shape[AS_MAX_DIMS];
  int64_t strides[2][AS_MAX_DIMS]; /* in matrices; 0 where repeated */
} batch;

static bool batch_of(const as_tensor *a, const as_tensor *b, batch *out) {
  const as_tensor *operands[2] = {a, b};
  out->dims = (a->ndim > b->ndim ? a->ndim : b->ndim) - 2;
  out->count = 1;
  int64_t stride[2] = {1, 1};
  for (int d = out->dims - 1; d >= 0; d--) {
    int64_t size[2];
    for (int i = 0; i < 2; i++) {
      int own = d - (out->dims - (operands[i]->ndim - 2));
      size[i] = own >= 0 ? operands[i]->shape[own] : 1;
      out->strides[i][d] = size[i] == 1 ? 0 : stride[i];
      stride[i] *= size[i];
    }
    if (size[0] != size[1] && size[0] != 1 && size[1] != 1) return false;
    out->shape[d] = size[0] == 1 ? size[1] : size[0];
    out->count *= out->shape[d];
  }
  return true;
}

/* The operand's matrix at output position `at`; *first tells whether it is met for the first time. */
static int64_t operand_matrix(const batch *b, int operand, int64_t at, bool *first) {
  int64_t matrix = 0;
  *first = true;
  for (int d = b->dims - 1; d >= 0; d--) {
    int64_t index = at % b->shape[d];
    at /= b->shape[d];
    matrix += index * b->strides[operand][d];
    if (b->strides[operand][d] == 0 && index > 0) *first = false;
  }
  return matrix;
}

static int64_t dim_from_end(const as_tensor *t, int back) { return t->shape[t->ndim - back]; }

static bool infer(as_node *n) {
  const as_tensor *a = n->inputs[0], *b = n->inputs[1];
  batch lead;
  if (a->ndim < 2 || b->ndim < 2 || a->dtype == AS_I32 || b->dtype == AS_I32)
    return as_op_refuse(n, "both operands need at least 2 dimensions of numbers");
  if (dim_from_end(a, 1) != dim_from_end(b, 2)) return as_op_refuse(n, "the inner dimensions differ");
  if (!batch_of(a, b, &lead)) return as_op_refuse(n, "the leading dimensions do not broadcast");
  lead.shape[lead.dims] = dim_from_end(a, 2);
  lead.shape[lead.dims + 1] = dim_from_end(b, 1);
  as_set_shape(n->output, lead.dims + 2, lead.shape);
  return true;
}

typedef struct sizes {
  int64_t m, k, n;
} sizes;

static sizes sizes_of(const as_node *n) {
  return (sizes){dim_from_end(n->inputs[0], 2), dim_from_end(n->inputs[0], 1), dim_from_end(n->inputs[1], 1)};
}

static size_t scratch_forward(const as_node *n) {
  sizes s = sizes_of(n);
  return AS_REAL(as_gemm_workspace)(as_node_kernels(n), s.m, s.n, s.k, false, false, as_node_threads(n));
}

static size_t scratch_backward(const as_node *n) {
  sizes s = sizes_of(n);
  size_t a = AS_REAL(as_gemm_workspace)(as_node_kernels(n), s.m, s.k, s.n, false, true, as_node_threads(n));
  size_t b = AS_REAL(as_gemm_workspace)(as_node_kernels(n), s.k, s.n, s.m, true, false, as_node_threads(n));
  return a > b ? a : b;
}

static void forward(as_node *n) {
  sizes s = sizes_of(n);
  batch lead;
  batch_of(n->inputs[0], n->inputs[1], &lead);
  for (int64_t i = 0; i < lead.count; i++) {
    bool first;
    AS_REAL(as_gemm_call) call = {.m = s.m, .n = s.n, .k = s.k, .lda = s.k, .ldb = s.n, .ldc = s.n,
                                  .activation = AS_UNARY_NONE};
    call.a = as_in(n, 0) + operand_matrix(&lead, 0, i, &first) * s.m * s.k;
    call.b = as_in(n, 1) + operand_matrix(&lead, 1, i, &first) * s.k * s.n;
    call.c = as_out(n) + i * s.m * s.n;
    AS_REAL(as_gemm)(as_node_context(n), as_node_kernels(n), &call, n->scratch);
  }
}

static void backward(as_node *n) {
  sizes s = sizes_of(n);
  batch lead;
  batch_of(n->inputs[0], n->inputs[1], &lead);
  for (int which = 0; which < 2; which++)
    if (lead.count == 0 && as_din(n, which) && !as_adds(n, which))
      memset(as_din(n, which), 0, (size_t)n->inputs[which]->elements * sizeof(real));
  for (int64_t i = 0; i < lead.count; i++) {
    bool first_a, first_b;
    int64_t at_a = operand_matrix(&lead, 0, i, &first_a) * s.m * s.k;
    int64_t at_b = operand_matrix(&lead, 1, i, &first_b) * s.k * s.n;
    const real *dy = as_dout(n) + i * s.m * s.n;
    if (as_din(n, 0))
      AS_REAL(as_gemm)(as_node_context(n), as_node_kernels(n),
                       &(AS_REAL(as_gemm_call)){.m = s.m, .n = s.k, .k = s.n, .transpose_b = true, .a = dy,
                                                .lda = s.n, .b = as_in(n, 1) + at_b, .ldb = s.n,
                                                .c = as_din(n, 0) + at_a, .ldc = s.k,
                                                .add = !first_a || as_adds(n, 0), .activation = AS_UNARY_NONE},
                       n->scratch);
    if (as_din(n, 1))
      AS_REAL(as_gemm)(as_node_context(n), as_node_kernels(n),
                       &(AS_REAL(as_gemm_call)){.m = s.k, .n = s.n, .k = s.m, .transpose_a = true,
                                                .a = as_in(n, 0) + at_a, .lda = s.k, .b = dy, .ldb = s.n,
                                                .c = as_din(n, 1) + at_b, .ldc = s.n,
                                                .add = !first_b || as_adds(n, 1), .activation = AS_UNARY_NONE},
                       n->scratch);
  }
}

static as_tensor *build(as_graph *g, as_tensor *const *leaves, void *user) {
  (void)user;
  return as_record(g, AS_OP_matmul, leaves, 2, NULL, 0);
}

static as_status check(as_context *ctx, double *worst) {
  static const as_gradcheck_input pairs[][2] = {{{2, {7, 17}, -1, 1}, {2, {17, 3}, -1, 1}},
                                                {{2, {1, 65}, -1, 1}, {2, {65, 1}, -1, 1}},
                                                {{3, {3, 7, 5}, -1, 1}, {2, {5, 3}, -1, 1}},
                                                {{4, {2, 1, 3, 7}, -1, 1}, {3, {3, 7, 1}, -1, 1}}};
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < sizeof pairs / sizeof pairs[0]; i++)
    status = as_gradcheck(ctx, build, NULL, 2, pairs[i], NULL, worst);
  return status;
}

const as_op AS_REAL(as_op_matmul) = {.name = "matmul", .formula = "y = a b", .infer = infer, .forward = forward,
                                     .backward = backward, .saves = AS_SAVES_INPUT(0) | AS_SAVES_INPUT(1),
                                     .scratch_forward = scratch_forward, .scratch_backward = scratch_backward,
                                     .check = check};

#if AS_RECORDS
as_tensor *as_matmul(as_graph *g, as_tensor *a, as_tensor *b) {
  return as_record(g, AS_OP_matmul, (as_tensor *const[]){a, b}, 2, NULL, 0);
}
#endif
