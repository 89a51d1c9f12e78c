/* Recording: graphs, leaves, nodes, and the first error. Nothing is computed here.
 *
 * Invariant: after the first error nothing more is recorded; tensors and nodes are in the order of recording, which is
 * a topological order. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tensor/node.h"

/* ---- memory for tensors, nodes and attributes: chunks that reset rewinds and free releases ---------------------- */
#define POOL_CHUNK ((size_t)64 * 1024)

typedef struct pool_chunk {
  struct pool_chunk *next;
  size_t used;
  unsigned char *memory; /* [POOL_CHUNK] */
} pool_chunk;

struct as_pool {
  pool_chunk *first, *current;
};

/* Zeroed memory of at most POOL_CHUNK bytes, aligned to 16. */
static void *pool_take(as_context *ctx, as_pool *pool, size_t bytes) {
  bytes = (bytes + 15) & ~(size_t)15;
  pool_chunk *chunk = pool->current;
  while (chunk && POOL_CHUNK - chunk->used < bytes) chunk = chunk->next;
  if (!chunk) {
    chunk = as_alloc(ctx, 1, sizeof *chunk);
    if (!chunk) return NULL;
    chunk->memory = as_alloc(ctx, 1, POOL_CHUNK);
    if (!chunk->memory) {
      as_free(ctx, chunk);
      return NULL;
    }
    chunk->used = 0;
    chunk->next = NULL;
    pool_chunk **end = &pool->first;
    while (*end) end = &(*end)->next;
    *end = chunk;
  }
  pool->current = chunk;
  void *result = chunk->memory + chunk->used;
  chunk->used += bytes;
  return memset(result, 0, bytes);
}

static void pool_rewind(as_pool *pool) {
  for (pool_chunk *c = pool->first; c; c = c->next) c->used = 0;
  pool->current = pool->first;
}

static void pool_free(as_context *ctx, as_pool *pool) {
  for (pool_chunk *c = pool->first, *next; c; c = next) {
    next = c->next;
    as_free(ctx, c->memory);
    as_free(ctx, c);
  }
  as_free(ctx, pool);
}

/* ---- graphs ----------------------------------------------------------------------------------------------------- */
as_graph *as_graph_new(as_context *ctx, as_graph_mode mode) { return as_graph_new_typed(ctx, mode, AS_F32); }

as_graph *as_graph_new_typed(as_context *ctx, as_graph_mode mode, as_dtype dtype) {
  if (dtype != AS_F32 && dtype != AS_F64) {
    as_fail(ctx, AS_E_INVALID, "a graph computes in AS_F32 or AS_F64");
    return NULL;
  }
  const as_kernels_f32 *kernels = NULL;
  if (dtype == AS_F32 && as_kernels_select(ctx, &kernels) != AS_OK) return NULL;
  as_graph *g = as_alloc_zero(ctx, 1, sizeof *g);
  if (!g) return NULL;
  g->ctx = ctx;
  g->mode = mode;
  g->dtype = dtype;
  g->evaluation = mode == AS_INFER;
  g->kernels_f32 = kernels;
  g->kernels_f64 = dtype == AS_F64 ? as_kernels_reference_f64() : NULL;
  g->ops = dtype == AS_F64 ? as_op_table_f64 : as_op_table_f32;
  g->pool = as_alloc_zero(ctx, 1, sizeof *g->pool);
  if (!g->pool) {
    as_free(ctx, g);
    return NULL;
  }
  return g;
}

void as_graph_reset(as_graph *g) {
  pool_rewind(g->pool);
  g->tensors_count = g->nodes_count = g->steps_count = g->forward_steps = g->blocks_count = 0;
  g->dropout_ops = 0;
  g->status = AS_OK;
  g->error[0] = '\0';
  g->planned = false;
  g->planned_loss = NULL;
}

void as_graph_free(as_graph *g) {
  if (!g) return;
  as_context *ctx = g->ctx;
  pool_free(ctx, g->pool);
  as_free(ctx, g->tensors);
  as_free(ctx, g->nodes);
  as_free(ctx, g->steps);
  as_free(ctx, g->blocks);
  as_free(ctx, g->arena);
  as_free(ctx, g);
}

void as_graph_set_recompute(as_graph *g, int mode) { g->recompute = mode < 0 ? 0 : mode > 2 ? 2 : mode; }
void as_graph_set_dropout(as_graph *g, uint64_t seed, uint32_t step) {
  g->dropout_seed = seed;
  g->dropout_step = step;
}
void as_graph_set_evaluation(as_graph *g, bool evaluation) { g->evaluation = evaluation; }
void as_graph_set_accumulate(as_graph *g, bool accumulate) { g->accumulate = accumulate; }
void as_graph_set_debug(as_graph *g, bool debug) { g->debug = debug; }
void as_graph_set_memory_limit(as_graph *g, size_t bytes) { g->memory_limit = bytes; }
const char *as_graph_debug_text(const as_graph *g) { return g->debug_text; }
as_context *as_graph_context(const as_graph *g) { return g->ctx; }
as_dtype as_graph_dtype(const as_graph *g) { return g->dtype; }
as_graph_mode as_graph_get_mode(const as_graph *g) { return g->mode; }
size_t as_graph_bytes(const as_graph *g) { return g->arena_bytes; }
size_t as_graph_capacity(const as_graph *g) { return g->arena_capacity; }
int64_t as_graph_operations(const as_graph *g) { return (int64_t)g->nodes_count; }
size_t as_real_size(const as_graph *g) { return g->dtype == AS_F64 ? sizeof(double) : sizeof(float); }

/* ---- errors ----------------------------------------------------------------------------------------------------- */
static void graph_fail(as_graph *g, as_status status, const char *text) {
  if (g->status != AS_OK) return;
  g->status = status;
  snprintf(g->error, sizeof g->error, "%s", text);
}

static size_t shape_text(char *out, size_t room, const as_tensor *t) {
  size_t used = (size_t)snprintf(out, room, "[");
  for (int d = 0; d < t->ndim && used < room; d++)
    used += (size_t)snprintf(out + used, room - used, d ? ", %lld" : "%lld", (long long)t->shape[d]);
  if (used < room) used += (size_t)snprintf(out + used, room - used, "]");
  return used < room ? used : room - 1;
}

bool as_op_refuse(const as_node *node, const char *format, ...) {
  char text[768];
  size_t used = (size_t)snprintf(text, sizeof text, "%s: ", node->op->name);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text + used, sizeof text - used, format, arguments);
  va_end(arguments);
  used = strlen(text);
  for (int i = 0; i < node->inputs_count && used + 16 < sizeof text; i++) {
    used += (size_t)snprintf(text + used, sizeof text - used, i ? ", " : "; operands ");
    used += shape_text(text + used, sizeof text - used, node->inputs[i]);
  }
  graph_fail(node->graph, AS_E_INVALID, text);
  return false;
}

/* ---- tensors ---------------------------------------------------------------------------------------------------- */
void as_set_shape(as_tensor *t, int ndim, const int64_t *shape) {
  t->ndim = ndim;
  t->elements = 1;
  for (int d = 0; d < ndim; d++) {
    t->shape[d] = shape[d];
    t->elements *= shape[d];
  }
}

bool as_same_shape(const as_tensor *a, const as_tensor *b) {
  return a->ndim == b->ndim && memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof *a->shape) == 0;
}

int64_t as_columns(const as_tensor *t) { return t->shape[t->ndim - 1]; }

int64_t as_rows(const as_tensor *t) {
  int64_t rows = 1;
  for (int d = 0; d < t->ndim - 1; d++) rows *= t->shape[d];
  return rows;
}

/* Checks a shape from outside: 1 to AS_MAX_DIMS dimensions, none negative, fewer than 2^40 elements. */
static bool shape_is_sane(int ndim, const int64_t *shape) {
  if (ndim < 1 || ndim > AS_MAX_DIMS) return false;
  int64_t elements = 1;
  for (int d = 0; d < ndim; d++) {
    if (shape[d] < 0 || shape[d] > (int64_t)1 << 40) return false;
    if (shape[d] > 0 && elements > ((int64_t)1 << 40) / shape[d]) return false;
    elements *= shape[d];
  }
  return true;
}

static as_tensor *new_tensor(as_graph *g) {
  as_tensor **grown = as_grow(g->ctx, g->tensors, &g->tensors_capacity, g->tensors_count + 1, sizeof *grown);
  if (grown) g->tensors = grown;
  as_tensor *t = grown ? pool_take(g->ctx, g->pool, sizeof *t) : NULL;
  if (!t) {
    graph_fail(g, AS_E_NOMEM, "out of memory while recording a graph");
    return NULL;
  }
  t->graph = g;
  g->tensors[g->tensors_count++] = t;
  return t;
}

static as_tensor *new_leaf(as_graph *g, as_tensor_kind kind, as_dtype dtype, int ndim, const int64_t *shape,
                           void *data) {
  if (g->status != AS_OK) return NULL;
  if (!shape_is_sane(ndim, shape)) {
    graph_fail(g, AS_E_INVALID, "input: a shape has 1 to 6 dimensions, none negative, and fewer than 2^40 elements");
    return NULL;
  }
  as_tensor *t = new_tensor(g);
  if (!t) return NULL;
  t->kind = kind;
  t->dtype = dtype;
  t->data = data;
  as_set_shape(t, ndim, shape);
  return t;
}

as_tensor *as_input(as_graph *g, int ndim, const int64_t *shape, const void *data) {
  return new_leaf(g, AS_KIND_INPUT, g->dtype, ndim, shape, (void *)(uintptr_t)data);
}

as_tensor *as_input_i32(as_graph *g, int ndim, const int64_t *shape, const int32_t *data) {
  return new_leaf(g, AS_KIND_INPUT, AS_I32, ndim, shape, (void *)(uintptr_t)data);
}

/* The leaf with this data, packed or as it is: an old one, or a new one. */
static as_tensor *find_leaf(as_graph *g, int ndim, const int64_t *shape, void *data, const void *packed) {
  if (g->status != AS_OK) return NULL;
  for (size_t i = 0; i < g->tensors_count; i++) {
    as_tensor *t = g->tensors[i];
    if (t->kind == AS_KIND_LEAF && t->data == data && t->packed == packed && t->ndim == ndim &&
        memcmp(t->shape, shape, (size_t)ndim * sizeof *shape) == 0)
      return t;
  }
  as_tensor *t = new_leaf(g, AS_KIND_LEAF, g->dtype, ndim, shape, data);
  if (t) t->packed = packed;
  return t;
}

as_tensor *as_leaf(as_graph *g, int ndim, const int64_t *shape, void *data, void *gradient) {
  if (!data) {
    graph_fail(g, AS_E_INVALID,
               "leaf: there is no data; a matrix kept in packed form only is recorded as it was packed");
    return NULL;
  }
  as_tensor *t = find_leaf(g, ndim, shape, data, NULL);
  if (!t || t->gradient) return t;
  t->gradient = gradient;
  t->needs_gradient = gradient && g->mode == AS_TRAIN;
  return t;
}

as_tensor *as_leaf_table(as_graph *g, int64_t rows, int64_t columns, void *data, void *gradient, uint8_t *touched) {
  as_tensor *t = as_leaf(g, 2, (int64_t[]){rows, columns}, data, gradient);
  if (t) t->touched = touched;
  return t;
}

as_tensor *as_leaf_packed(as_graph *g, int64_t n, int64_t k, float *data, const float *packed) {
  if (g->dtype != AS_F32) return as_leaf(g, 2, (int64_t[]){n, k}, data, NULL);
  return find_leaf(g, 2, (int64_t[]){n, k}, data, packed);
}

as_tensor *as_keep(as_graph *g, as_tensor *t) {
  (void)g;
  if (t) t->keep = true;
  return t;
}
as_tensor *as_keep_gradient(as_graph *g, as_tensor *t) {
  (void)g;
  if (t) t->keep_gradient = true;
  return t;
}
as_tensor *as_block_input(as_graph *g, as_tensor *t) {
  (void)g;
  if (t) t->block_input = true;
  return t;
}

int as_tensor_ndim(const as_tensor *t) { return t->ndim; }
const int64_t *as_tensor_shape(const as_tensor *t) { return t->shape; }
int64_t as_tensor_elements(const as_tensor *t) { return t->elements; }
as_dtype as_tensor_dtype(const as_tensor *t) { return t->dtype; }
const void *as_tensor_data(const as_tensor *t) { return t->data; }
const float *as_tensor_f32(const as_tensor *t) { return t->dtype == AS_F32 ? t->data : NULL; }
const void *as_tensor_gradient(const as_tensor *t) { return t->gradient; }

/* ---- nodes ------------------------------------------------------------------------------------------------------ */
as_tensor *as_record(as_graph *g, as_op_id op, as_tensor *const *inputs, int count, const void *attributes,
                     size_t bytes) {
  if (g->status != AS_OK) return NULL;
  for (int i = 0; i < count; i++) {
    if (!inputs[i] || inputs[i]->graph != g) {
      char text[128];
      snprintf(text, sizeof text, "%s: operand %d is %s", g->ops[op]->name, i + 1,
               inputs[i] ? "from another graph" : "NULL");
      graph_fail(g, AS_E_INVALID, text);
      return NULL;
    }
  }
  as_node **grown = as_grow(g->ctx, g->nodes, &g->nodes_capacity, g->nodes_count + 1, sizeof *grown);
  if (grown) g->nodes = grown;
  as_node *node = grown ? pool_take(g->ctx, g->pool, sizeof *node) : NULL;
  unsigned char *copy = node ? pool_take(g->ctx, g->pool, AS_ATTRIBUTE_BYTES) : NULL;
  as_tensor *output = copy ? new_tensor(g) : NULL;
  if (!output) {
    graph_fail(g, AS_E_NOMEM, "out of memory while recording a graph");
    return NULL;
  }
  if (bytes) memcpy(copy, attributes, bytes);
  node->op = g->ops[op];
  node->graph = g;
  node->index = (int)g->nodes_count;
  node->attributes = copy;
  node->inputs_count = count;
  node->saves = node->op->saves;
  node->draws = node->op->draws;
  node->output = output;
  output->producer = node;
  output->kind = AS_KIND_VALUE;
  output->dtype = g->dtype;
  for (int i = 0; i < count; i++) {
    node->inputs[i] = inputs[i];
    if (inputs[i]->needs_gradient) output->needs_gradient = true;
  }
  if (!node->op->infer(node)) return NULL;
  if (!shape_is_sane(output->ndim, output->shape)) {
    as_op_refuse(node, "the result would have 2^40 elements or more");
    return NULL;
  }
  if (node->draws) node->dropout_op = g->dropout_ops++;
  g->nodes[g->nodes_count++] = node;
  return output;
}

as_dropout as_node_dropout(const as_node *node, double p) {
  const as_graph *g = node->graph;
  return (as_dropout){.seed = g->dropout_seed, .step = g->dropout_step, .op = node->dropout_op,
                      .p = g->evaluation ? 0 : p};
}
