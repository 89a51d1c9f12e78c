/* embedding: rows of a table chosen by ids. gather_rows: the same for a computed matrix.
 *
 * Backward adds the rows of dy to the rows of the table in order of position, each thread owning a range of columns, so
 * that repeated ids give the same bits for any number of threads. */
#include "tensor/ops/op.h"

#define SCATTER_COLUMNS 64

typedef struct embedding {
  int64_t padding; /* -1: none */
} embedding;

#if AS_RECORDS
bool as_ids_in_range(const as_node *n, const as_tensor *ids, int64_t rows) {
  const int32_t *id = ids->data;
  if (ids->dtype != AS_I32) return as_op_refuse(n, "ids must be integers (as_input_i32)");
  for (int64_t i = 0; i < ids->elements; i++)
    if (id[i] < 0 || id[i] >= rows)
      return as_op_refuse(n, "id %d at position %lld is not in [0, %lld)", (int)id[i], (long long)i, (long long)rows);
  return true;
}
#endif

/* ---- scatter ---------------------------------------------------------------------------------------------------- */
#define ZERO_ROWS 64

typedef struct scatter_call {
  const struct AS_REAL(as_kernels) * k;
  const int32_t *ids;
  int64_t count, dim, padding, rows;
  const real *dy;
  real *table;
  const uint8_t *touched;
} scatter_call;

/* Rows that were never touched are 0 already. */
static void zero_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const scatter_call *c = argument;
  int64_t first, rows = as_piece(c->rows, ZERO_ROWS, chunk, &first);
  for (int64_t r = first; r < first + rows; r++)
    if (!c->touched || c->touched[r]) memset(c->table + r * c->dim, 0, (size_t)c->dim * sizeof(real));
}

static void scatter_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const scatter_call *c = argument;
  int64_t first, columns = as_piece(c->dim, SCATTER_COLUMNS, chunk, &first);
  for (int64_t i = 0; i < c->count; i++) {
    if (c->ids[i] == c->padding) continue;
    real *row = c->table + c->ids[i] * c->dim + first;
    c->k->add((size_t)columns, row, c->dy + i * c->dim + first, row);
  }
}

void AS_REAL(as_scatter_rows)(as_node *n, int input, const int32_t *ids, int64_t count, const real *dy,
                              int64_t padding) {
  as_tensor *table = n->inputs[input];
  scatter_call call = {as_node_kernels(n), ids, count, table->shape[1], padding, table->shape[0], dy, as_din(n, input),
                       table->touched};
  if (!as_adds(n, input)) as_parallel_for(as_node_context(n), as_chunks(call.rows, ZERO_ROWS), zero_chunk, &call);
  for (int64_t i = 0; table->touched && i < count; i++)
    if (ids[i] != padding) table->touched[ids[i]] = 1;
  as_parallel_for(as_node_context(n), as_chunks(call.dim, SCATTER_COLUMNS), scatter_chunk, &call);
}

/* ---- embedding -------------------------------------------------------------------------------------------------- */
static bool infer(as_node *n) {
  const as_tensor *table = n->inputs[0], *ids = n->inputs[1];
  int64_t shape[AS_MAX_DIMS];
  if (table->ndim != 2 || table->dtype == AS_I32 || ids->ndim >= AS_MAX_DIMS)
    return as_op_refuse(n, "the table must be [rows, dim] and ids have at most %d dimensions", AS_MAX_DIMS - 1);
  if (!as_ids_in_range(n, ids, table->shape[0])) return false;
  memcpy(shape, ids->shape, (size_t)ids->ndim * sizeof *shape);
  shape[ids->ndim] = table->shape[1];
  as_set_shape(n->output, ids->ndim + 1, shape);
  return true;
}

#define GATHER_ROWS 16

/* Rows of a packed table: element k of row r lies in panel r / nr at [k, r % nr]. */
static void gather_packed(const as_node *n, int64_t first, int64_t count, int64_t dim) {
  int64_t nr = as_node_kernels(n)->gemm_shape.nr;
  for (int64_t i = first; i < first + count; i++) {
    int64_t row = as_in_i32(n, 1)[i];
    const real *from = (const real *)n->inputs[0]->packed + row / nr * nr * dim + row % nr;
    for (int64_t k = 0; k < dim; k++) as_out(n)[i * dim + k] = from[k * nr];
  }
}

static void gather_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const as_node *n = argument;
  int64_t dim = as_columns(n->output), first, count = as_piece(as_rows(n->output), GATHER_ROWS, chunk, &first);
  if (n->inputs[0]->packed) {
    gather_packed(n, first, count, dim);
    return;
  }
  for (int64_t i = first; i < first + count; i++)
    memcpy(as_out(n) + i * dim, as_in(n, 0) + as_in_i32(n, 1)[i] * dim, (size_t)dim * sizeof(real));
}

static void forward(as_node *n) {
  as_parallel_for(as_node_context(n), as_chunks(as_rows(n->output), GATHER_ROWS), gather_chunk, n);
}

static void backward(as_node *n) {
  if (as_din(n, 0))
    AS_REAL(as_scatter_rows)(n, 0, as_in_i32(n, 1), as_rows(n->output), as_dout(n),
                             ((const embedding *)(const void *)n->attributes)->padding);
}

static as_tensor *build(as_graph *g, as_tensor *const *leaves, void *user) {
  static const int32_t ids[9] = {3, 0, 6, 3, 3, 1, 0, 5, 2}; /* repeated ones sum their gradients */
  const as_op_id *op = user;
  as_tensor *index = as_input_i32(g, 1, (int64_t[]){9}, ids);
  return as_record(g, *op, (as_tensor *const[]){leaves[0], index}, 2, &(embedding){-1}, sizeof(embedding));
}

static as_status check_op(as_context *ctx, as_op_id op, double *worst) {
  as_status status = as_gradcheck(ctx, build, &op, 1, &(as_gradcheck_input){2, {7, 65}, -1, 1}, NULL, worst);
  if (status != AS_OK) return status;
  return as_gradcheck(ctx, build, &op, 1, &(as_gradcheck_input){2, {17, 3}, -1, 1}, NULL, worst);
}

static as_status check_embedding(as_context *ctx, double *worst) { return check_op(ctx, AS_OP_embedding, worst); }

const as_op AS_REAL(as_op_embedding) = {.name = "embedding", .formula = "y_i = table[ids_i]", .infer = infer,
                                        .forward = forward, .backward = backward, .saves = AS_SAVES_INPUT(1),
                                        .cheap = true, .sparse = true, .check = check_embedding};

/* ---- gather_rows ------------------------------------------------------------------------------------------------ */
static bool infer_gather(as_node *n) {
  if (n->inputs[1]->ndim != 1) return as_op_refuse(n, "the index must have one dimension");
  return infer(n);
}

static as_status check_gather(as_context *ctx, double *worst) { return check_op(ctx, AS_OP_gather_rows, worst); }

const as_op AS_REAL(as_op_gather_rows) = {.name = "gather_rows", .formula = "y_i = x[index_i]", .infer = infer_gather,
                                          .forward = forward, .backward = backward, .saves = AS_SAVES_INPUT(1),
                                          .cheap = true, .sparse = true, .check = check_gather};

#if AS_RECORDS
as_tensor *as_embedding(as_graph *g, as_tensor *table, as_tensor *ids, int64_t padding_index) {
  return as_record(g, AS_OP_embedding, (as_tensor *const[]){table, ids}, 2, &(embedding){padding_index},
                   sizeof(embedding));
}
as_tensor *as_gather_rows(as_graph *g, as_tensor *x, as_tensor *index) {
  return as_record(g, AS_OP_gather_rows, (as_tensor *const[]){x, index}, 2, &(embedding){-1}, sizeof(embedding));
}
#endif
