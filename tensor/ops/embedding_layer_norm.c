/* y = layer_norm(sum of one to three embeddings). The sum is not kept: backward gathers it again from the tables. */
#include "tensor/ops/op.h"

#define ROWS_PER_CHUNK 16
#define MAX_TABLES 3

typedef struct embedding_norm {
  double eps;
  int tables;
  int64_t padding[MAX_TABLES];
} embedding_norm;

/* Operands: tables, then their ids, then weight and bias. */
static const embedding_norm *attributes(const as_node *n) {
  return (const embedding_norm *)(const void *)n->attributes;
}
static int weight_at(const as_node *n) { return 2 * attributes(n)->tables; }
static int bias_at(const as_node *n) { return 2 * attributes(n)->tables + 1; }

static bool infer(as_node *n) {
  int tables = attributes(n)->tables;
  const as_tensor *first = n->inputs[0], *ids = n->inputs[tables];
  for (int i = 0; i < tables; i++) {
    const as_tensor *table = n->inputs[i];
    if (table->ndim != 2 || table->dtype == AS_I32 || table->shape[1] != first->shape[1] || table->shape[1] == 0)
      return as_op_refuse(n, "the tables must be [rows, cols] with the same cols");
    if (n->inputs[tables + i]->ndim != 1 || n->inputs[tables + i]->shape[0] != ids->shape[0])
      return as_op_refuse(n, "the ids must be [rows], as many for each table");
    if (!as_ids_in_range(n, n->inputs[tables + i], table->shape[0])) return false;
  }
  for (int i = weight_at(n); i <= bias_at(n); i++)
    if (n->inputs[i]->ndim != 1 || n->inputs[i]->shape[0] != first->shape[1])
      return as_op_refuse(n, "weight and bias must be as long as a row");
  as_set_shape(n->output, 2, (int64_t[]){ids->shape[0], first->shape[1]});
  return true;
}

static size_t state(const as_node *n) { return (size_t)(2 * n->output->shape[0]) * sizeof(real); }

/* sum [rows, cols] = the embeddings of positions first .. first + rows - 1, added in the order of the tables. */
static void gather_sum(const as_node *n, int64_t first, int64_t rows, real *sum) {
  int tables = attributes(n)->tables;
  int64_t cols = as_columns(n->output);
  for (int64_t r = 0; r < rows; r++) {
    real *to = sum + r * cols;
    memcpy(to, as_in(n, 0) + as_in_i32(n, tables)[first + r] * cols, (size_t)cols * sizeof(real));
    for (int i = 1; i < tables; i++)
      as_node_kernels(n)->add((size_t)cols, to, as_in(n, i) + as_in_i32(n, tables + i)[first + r] * cols, to);
  }
}

static void forward_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  int64_t cols = as_columns(n->output), first, rows = as_piece(n->output->shape[0], ROWS_PER_CHUNK, chunk, &first);
  real *y = as_out(n) + first * cols, *mean = (real *)n->state + first, *rstd = mean + n->output->shape[0];
  gather_sum(n, first, rows, y);
  as_node_kernels(n)->layer_norm((size_t)rows, (size_t)cols, y, as_in(n, weight_at(n)), as_in(n, bias_at(n)),
                                 (real)attributes(n)->eps, y, mean, rstd);
}

static void forward(as_node *n) {
  as_parallel_for(as_node_context(n), as_chunks(n->output->shape[0], ROWS_PER_CHUNK), forward_chunk, n);
}

static void gather_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  int64_t first, rows = as_piece(n->output->shape[0], ROWS_PER_CHUNK, chunk, &first);
  gather_sum(n, first, rows, (real *)n->scratch + first * as_columns(n->output));
}

/* Scratch: the sum, its gradient, and the normalisation's own. */
static size_t matrix_bytes(const as_node *n) { return as_align((size_t)n->output->elements * sizeof(real)); }
static size_t scratch_backward(const as_node *n) {
  return 2 * matrix_bytes(n) + AS_REAL(as_norm_scratch)(n->output->shape[0], as_columns(n->output));
}

static void backward(as_node *n) {
  int tables = attributes(n)->tables, weight = weight_at(n), bias = bias_at(n);
  int64_t rows = n->output->shape[0], cols = as_columns(n->output);
  real *dsum = (real *)(void *)((unsigned char *)n->scratch + matrix_bytes(n));
  as_parallel_for(as_node_context(n), as_chunks(rows, ROWS_PER_CHUNK), gather_chunk, n);
  AS_REAL(as_norm_backward)
  call = {.rows = rows, .cols = cols, .x = n->scratch, .weight = as_in(n, weight), .mean = n->state,
          .rstd = (real *)n->state + rows, .dy = as_dout(n), .dx = dsum, .dweight = as_din(n, weight),
          .add_dweight = as_adds(n, weight), .dbias = as_din(n, bias), .add_dbias = as_adds(n, bias)};
  AS_REAL(as_norm_backward_run)(n, &call, (unsigned char *)n->scratch + 2 * matrix_bytes(n));
  for (int i = 0; i < tables; i++)
    if (as_din(n, i))
      AS_REAL(as_scatter_rows)(n, i, as_in_i32(n, tables + i), rows, dsum, attributes(n)->padding[i]);
}

static as_tensor *build(as_graph *g, as_tensor *const *leaves, void *user) {
  static const int32_t ids[3][7] = {{3, 1, 6, 3, 3, 1, 2}, {0, 1, 2, 0, 1, 2, 0}, {0, 0, 0, 0, 0, 0, 0}};
  const embedding_norm *attribute = user;
  as_tensor *inputs[AS_MAX_INPUTS];
  for (int i = 0; i < attribute->tables; i++) {
    inputs[i] = leaves[i];
    inputs[attribute->tables + i] = as_input_i32(g, 1, (int64_t[]){7}, ids[i]);
  }
  inputs[2 * attribute->tables] = leaves[attribute->tables];
  inputs[2 * attribute->tables + 1] = leaves[attribute->tables + 1];
  return as_record(g, AS_OP_embedding_layer_norm, inputs, 2 * attribute->tables + 2, attribute, sizeof *attribute);
}

static as_status check(as_context *ctx, double *worst) {
  embedding_norm three = {1e-5, 3, {-1, -1, -1}}, one = {1e-5, 1, {-1, -1, -1}};
  const as_gradcheck_input inputs[] = {
      {2, {7, 17}, -1, 1}, {2, {3, 17}, -1, 1}, {2, {1, 17}, -1, 1}, {1, {17}, 0.5, 2}, {1, {17}, -1, 1}};
  as_status status = as_gradcheck(ctx, build, &three, 5, inputs, NULL, worst);
  if (status != AS_OK) return status;
  const as_gradcheck_input single[] = {{2, {7, 65}, -1, 1}, {1, {65}, 0.5, 2}, {1, {65}, -1, 1}};
  return as_gradcheck(ctx, build, &one, 3, single, NULL, worst);
}

const as_op AS_REAL(as_op_embedding_layer_norm) = {.name = "embedding_layer_norm",
                                                   .formula = "y = layer_norm(sum_i tables_i[ids_i])", .infer = infer,
                                                   .forward = forward, .backward = backward, .saves = 0xFF,
                                                   .sparse = true, .cheap = true, .state = state,
                                                   .scratch_backward = scratch_backward, .check = check};

#if AS_RECORDS
as_tensor *as_embedding_layer_norm(as_graph *g, int count, as_tensor *const *tables, as_tensor *const *ids,
                                   const int64_t *padding_index, as_tensor *weight, as_tensor *bias, double eps) {
  as_tensor *inputs[AS_MAX_INPUTS] = {NULL};
  embedding_norm attribute = {.eps = eps, .tables = count < 1 ? 1 : count > MAX_TABLES ? MAX_TABLES : count};
  for (int i = 0; i < attribute.tables && count == attribute.tables; i++) {
    inputs[i] = tables[i];
    inputs[count + i] = ids[i];
    attribute.padding[i] = padding_index[i];
  }
  inputs[2 * attribute.tables] = weight;
  inputs[2 * attribute.tables + 1] = bias;
  return as_record(g, AS_OP_embedding_layer_norm, inputs, 2 * attribute.tables + 2, &attribute, sizeof attribute);
}
#endif
