/* Multi-head attention on packed sequences (Vaswani et al. 2017, eq. 1), forward and backward.
 *
 * A chunk of work is one sequence and one head. It goes over the queries in blocks of QUERY_ROWS; the scores of one
 * block, at most QUERY_ROWS x keys, live in the lane's scratch and are made again in backward from the log-sum-exp that
 * forward leaves for each query and head, so no queries x keys matrix is ever kept.
 *
 * Invariant: a chunk writes only the columns of its head in the rows of its sequence. Dropout bits belong to (query
 * row, head, key), whatever the blocks. */
#include <stdlib.h>

#include "tensor/ops/op.h"

#define QUERY_ROWS 64
#define KEY_BITS 20 /* dropout elements of one query and head: 2^20 keys at most */

typedef struct attention {
  as_attention_options o;
  as_packed queries, keys;
} attention;

static const attention *attributes(const as_node *n) { return (const attention *)(const void *)n->attributes; }
static int kv_input(const as_node *n) { return n->inputs_count - 1; } /* one operand when Q, K and V share a tensor */

/* ---- shapes ----------------------------------------------------------------------------------------------------- */
static bool packed_fits(as_packed p, int64_t rows) {
  if (p.sequences < 0 || !p.cu_seqlens || p.cu_seqlens[0] != 0 || p.cu_seqlens[p.sequences] != rows) return false;
  for (int64_t i = 0; i < p.sequences; i++)
    if (p.cu_seqlens[i + 1] < p.cu_seqlens[i]) return false;
  return true;
}

static int64_t longest(as_packed p) {
  int64_t most = 0;
  for (int64_t i = 0; i < p.sequences; i++)
    if (p.cu_seqlens[i + 1] - p.cu_seqlens[i] > most) most = p.cu_seqlens[i + 1] - p.cu_seqlens[i];
  return most;
}

static bool infer(as_node *n) {
  const attention *a = attributes(n);
  const as_tensor *q = n->inputs[0], *kv = n->inputs[kv_input(n)];
  int64_t width = (int64_t)a->o.heads * a->o.head_dim;
  if (q->ndim != 2 || kv->ndim != 2 || q->dtype == AS_I32 || kv->dtype == AS_I32)
    return as_op_refuse(n, "q and kv must be [rows, columns]");
  if (a->o.heads < 1 || a->o.head_dim < 1 || a->o.q_column < 0 || a->o.k_column < 0 || a->o.v_column < 0 ||
      a->o.q_column + width > q->shape[1] || a->o.k_column + width > kv->shape[1] ||
      a->o.v_column + width > kv->shape[1])
    return as_op_refuse(n, "%d heads of %d columns do not fit", a->o.heads, a->o.head_dim);
  if (a->queries.sequences != a->keys.sequences || !packed_fits(a->queries, q->shape[0]) ||
      !packed_fits(a->keys, kv->shape[0]))
    return as_op_refuse(n, "cu_seqlens must begin with 0, not decrease and end with the number of rows, "
                           "alike for q and kv");
  if (longest(a->keys) >= (int64_t)1 << KEY_BITS || !(a->o.dropout >= 0 && a->o.dropout < 1))
    return as_op_refuse(n, "sequences must be shorter than 2^20 and dropout in [0, 1)");
  as_set_shape(n->output, 2, (int64_t[]){q->shape[0], width});
  return true;
}

static size_t state(const as_node *n) { /* log-sum-exp of the scores, [query rows, heads] */
  return (size_t)(n->output->shape[0] * attributes(n)->o.heads) * sizeof(real);
}

/* ---- the lane's scratch ----------------------------------------------------------------------------------------- */
typedef struct lane_scratch {
  real *p, *dropped, *dp; /* each [QUERY_ROWS, keys]; forward has p alone */
  void *gemm;
} lane_scratch;

static int64_t block_rows(const as_node *n) { return as_min64(longest(attributes(n)->queries), QUERY_ROWS); }

static size_t scores_bytes(const as_node *n) {
  return as_align((size_t)(block_rows(n) * longest(attributes(n)->keys)) * sizeof(real));
}

static size_t gemm_bytes(const as_node *n) {
  int64_t rows = block_rows(n), keys = longest(attributes(n)->keys), dim = attributes(n)->o.head_dim;
  const int64_t shapes[3][3] = {{rows, keys, dim}, {rows, dim, keys}, {keys, dim, rows}};
  size_t most = 0;
  for (int i = 0; i < 3; i++) {
    size_t bytes = AS_REAL(as_gemm_block_workspace)(as_node_kernels(n), shapes[i][0], shapes[i][1], shapes[i][2]);
    if (bytes > most) most = bytes;
  }
  return as_align(most);
}

static size_t lane_bytes(const as_node *n, int matrices) { return (size_t)matrices * scores_bytes(n) + gemm_bytes(n); }
static size_t scratch_forward(const as_node *n) { return lane_bytes(n, 1) * (size_t)as_node_threads(n); }
static size_t scratch_backward(const as_node *n) { return lane_bytes(n, 3) * (size_t)as_node_threads(n); }

static lane_scratch lane_of(const as_node *n, int lane, int matrices) {
  unsigned char *base = (unsigned char *)n->scratch + lane_bytes(n, matrices) * (size_t)lane;
  lane_scratch s = {.p = (real *)(void *)base, .gemm = base + (size_t)matrices * scores_bytes(n)};
  if (matrices == 3) {
    s.dropped = (real *)(void *)(base + scores_bytes(n));
    s.dp = (real *)(void *)(base + 2 * scores_bytes(n));
  }
  return s;
}

/* ---- one sequence and head -------------------------------------------------------------------------------------- */
typedef struct unit {
  const attention *a;
  const struct AS_REAL(as_kernels) * k;
  int64_t head, first_query, queries, first_key, keys, q_stride, kv_stride, width;
  as_dropout bits;
} unit;

static unit unit_of(const as_node *n, int64_t chunk) {
  const attention *a = attributes(n);
  int64_t sequence = chunk / a->o.heads;
  const int32_t *cq = a->queries.cu_seqlens + sequence, *ck = a->keys.cu_seqlens + sequence;
  return (unit){.a = a, .k = as_node_kernels(n), .head = chunk % a->o.heads, .first_query = cq[0],
                .queries = cq[1] - cq[0], .first_key = ck[0], .keys = ck[1] - ck[0], .q_stride = n->inputs[0]->shape[1],
                .kv_stride = n->inputs[kv_input(n)]->shape[1], .width = n->output->shape[1],
                .bits = as_node_dropout(n, a->o.dropout)};
}

static int64_t q_at(const unit *u, int64_t row) {
  return (u->first_query + row) * u->q_stride + u->a->o.q_column + u->head * u->a->o.head_dim;
}
static int64_t kv_at(const unit *u, int64_t column) {
  return u->first_key * u->kv_stride + column + u->head * u->a->o.head_dim;
}
static int64_t out_at(const unit *u, int64_t row) {
  return (u->first_query + row) * u->width + u->head * u->a->o.head_dim;
}

/* Keys that the block of queries [row, row + rows) can see at all. */
static int64_t visible_keys(const unit *u, int64_t row, int64_t rows) {
  return u->a->o.causal ? as_min64(u->keys, row + rows) : u->keys;
}

/* p [rows, keys] = scale Q K^T, with what a query may not see at -infinity. */
static void scores(const unit *u, const real *q, const real *k, int64_t row, int64_t rows, int64_t keys, real *p,
                   void *gemm) {
  AS_REAL(as_gemm_block)(u->k, &(AS_REAL(as_gemm_block_call)){.m = rows, .n = keys, .k = u->a->o.head_dim,
                                                              .transpose_b = true, .alpha = (real)u->a->o.scale, .a = q,
                                                              .lda = u->q_stride, .b = k, .ldb = u->kv_stride, .c = p,
                                                              .ldc = keys}, gemm);
  if (!u->a->o.causal) return;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = row + i + 1; j < keys; j++) p[i * keys + j] = -(real)INFINITY;
}

static void drop_rows(const unit *u, int64_t row, int64_t rows, int64_t keys, const real *x, real *y) {
  for (int64_t i = 0; i < rows; i++) {
    uint64_t first = (uint64_t)((u->first_query + row + i) * u->a->o.heads + u->head) << KEY_BITS;
    u->k->dropout(&u->bits, first, (size_t)keys, x + i * keys, y + i * keys);
  }
}

static void zero_rows(real *to, int64_t rows, int64_t stride, int64_t columns) {
  for (int64_t i = 0; i < rows; i++) memset(to + i * stride, 0, (size_t)columns * sizeof(real));
}

static void forward_chunk(void *argument, int64_t chunk, int lane) {
  const as_node *n = argument;
  unit u = unit_of(n, chunk);
  lane_scratch s = lane_of(n, lane, 1);
  int64_t dim = u.a->o.head_dim;
  const real *kv = as_in(n, kv_input(n));
  if (u.keys == 0) zero_rows(as_out(n) + out_at(&u, 0), u.queries, u.width, dim);
  for (int64_t row = 0; row < u.queries && u.keys; row += QUERY_ROWS) {
    int64_t rows = as_min64(QUERY_ROWS, u.queries - row), keys = visible_keys(&u, row, rows);
    real lse[QUERY_ROWS];
    scores(&u, as_in(n, 0) + q_at(&u, row), kv + kv_at(&u, u.a->o.k_column), row, rows, keys, s.p, s.gemm);
    u.k->softmax((size_t)rows, (size_t)keys, s.p, s.p, lse);
    for (int64_t i = 0; i < rows; i++) ((real *)n->state)[(u.first_query + row + i) * u.a->o.heads + u.head] = lse[i];
    if (u.bits.p > 0) drop_rows(&u, row, rows, keys, s.p, s.p);
    AS_REAL(as_gemm_block)(u.k, &(AS_REAL(as_gemm_block_call)){.m = rows, .n = dim, .k = keys, .alpha = 1, .a = s.p,
                                                               .lda = keys, .b = kv + kv_at(&u, u.a->o.v_column),
                                                               .ldb = u.kv_stride, .c = as_out(n) + out_at(&u, row),
                                                               .ldc = u.width}, s.gemm);
  }
}

static void forward(as_node *n) {
  as_parallel_for(as_node_context(n), attributes(n)->queries.sequences * attributes(n)->o.heads, forward_chunk, n);
}

/* ---- backward --------------------------------------------------------------------------------------------------- */
/* C (+)= alpha op(A) op(B) for the gradients; a NULL C is not wanted. */
static void product(const unit *u, AS_REAL(as_gemm_block_call) call, void *gemm) {
  if (call.c) AS_REAL(as_gemm_block)(u->k, &call, gemm);
}

/* p = exp(scores - lse), dropped = dropout(p), dp = p (g - sum(p g)) with g = dropout(dO V^T): the gradient of the
 * scores. */
static void block_gradients(const as_node *n, const unit *u, int64_t row, int64_t rows, int64_t keys, lane_scratch *s) {
  const real *kv = as_in(n, kv_input(n)), *lse = n->state;
  scores(u, as_in(n, 0) + q_at(u, row), kv + kv_at(u, u->a->o.k_column), row, rows, keys, s->p, s->gemm);
  for (int64_t i = 0; i < rows; i++) {
    real *p = s->p + i * keys;
    u->k->add_scalar((size_t)keys, -lse[(u->first_query + row + i) * u->a->o.heads + u->head], p, p);
  }
  u->k->unary_forward[AS_UNARY_EXP]((size_t)(rows * keys), s->p, s->p);
  product(u, (AS_REAL(as_gemm_block_call)){.m = rows, .n = keys, .k = u->a->o.head_dim, .transpose_b = true, .alpha = 1,
                                           .a = as_dout(n) + out_at(u, row), .lda = u->width,
                                           .b = kv + kv_at(u, u->a->o.v_column), .ldb = u->kv_stride, .c = s->dp,
                                           .ldc = keys}, s->gemm);
  if (u->bits.p > 0) {
    drop_rows(u, row, rows, keys, s->p, s->dropped);
    drop_rows(u, row, rows, keys, s->dp, s->dp);
  } else {
    s->dropped = s->p;
  }
  u->k->softmax_backward((size_t)rows, (size_t)keys, s->p, s->dp, s->dp, false);
}

static void backward_block(const as_node *n, const unit *u, int64_t row, bool first, lane_scratch s) {
  int64_t rows = as_min64(QUERY_ROWS, u->queries - row), keys = visible_keys(u, row, rows), dim = u->a->o.head_dim;
  int kv_index = kv_input(n);
  real *dq = as_din(n, 0), *dkv = as_din(n, kv_index), scale = (real)u->a->o.scale;
  block_gradients(n, u, row, rows, keys, &s);
  product(u, (AS_REAL(as_gemm_block_call)){.m = keys, .n = dim, .k = rows, .transpose_a = true, .alpha = 1,
                                           .a = s.dropped, .lda = keys, .b = as_dout(n) + out_at(u, row),
                                           .ldb = u->width, .add = !first,
                                           .c = dkv ? dkv + kv_at(u, u->a->o.v_column) : NULL,
                                           .ldc = u->kv_stride}, s.gemm);
  product(u, (AS_REAL(as_gemm_block_call)){.m = keys, .n = dim, .k = rows, .transpose_a = true, .alpha = scale,
                                           .a = s.dp, .lda = keys, .b = as_in(n, 0) + q_at(u, row), .ldb = u->q_stride,
                                           .add = !first, .c = dkv ? dkv + kv_at(u, u->a->o.k_column) : NULL,
                                           .ldc = u->kv_stride}, s.gemm);
  product(u, (AS_REAL(as_gemm_block_call)){.m = rows, .n = dim, .k = keys, .alpha = scale, .a = s.dp, .lda = keys,
                                           .b = as_in(n, kv_index) + kv_at(u, u->a->o.k_column), .ldb = u->kv_stride,
                                           .add = as_adds(n, 0), .c = dq ? dq + q_at(u, row) : NULL,
                                           .ldc = u->q_stride}, s.gemm);
}

/* Whether the heads' columns are all columns of the operand, so that writing them writes all of its gradient. */
static bool covers(const as_node *n, int input) {
  const attention *a = attributes(n);
  int64_t width = (int64_t)a->o.heads * a->o.head_dim;
  int parts = n->inputs_count == 1 ? 3 : input == 0 ? 1 : 2;
  const int64_t columns[3] = {a->o.k_column, a->o.v_column, a->o.q_column};
  if (n->inputs[input]->shape[1] != parts * width) return false;
  for (int i = 0; i < parts && parts > 1; i++)
    for (int j = 0; j < i; j++)
      if (llabs(columns[i] - columns[j]) < width) return false;
  return true;
}

typedef struct backward_call {
  as_node *node;
  bool add_kv;
} backward_call;

static void backward_chunk(void *argument, int64_t chunk, int lane) {
  const backward_call *c = argument;
  const as_node *n = c->node;
  unit u = unit_of(n, chunk);
  int64_t dim = u.a->o.head_dim;
  real *dq = as_din(n, 0), *dkv = as_din(n, kv_input(n));
  if (u.queries == 0 && dkv && !c->add_kv) {
    zero_rows(dkv + kv_at(&u, u.a->o.k_column), u.keys, u.kv_stride, dim);
    zero_rows(dkv + kv_at(&u, u.a->o.v_column), u.keys, u.kv_stride, dim);
  }
  if (u.keys == 0) {
    if (dq && !as_adds(n, 0)) zero_rows(dq + q_at(&u, 0), u.queries, u.q_stride, dim);
    return;
  }
  /* With causal masks a later block sees keys that an earlier one does not: the first block to be taken is the last. */
  int64_t last = u.queries ? (u.queries - 1) / QUERY_ROWS * QUERY_ROWS : -1;
  for (int64_t row = last; row >= 0; row -= QUERY_ROWS)
    backward_block(n, &u, row, row == last && !c->add_kv, lane_of(n, lane, 3));
  if (u.a->o.causal && u.keys > u.queries && dkv && !c->add_kv && u.queries) {
    int64_t seen = u.queries * u.kv_stride;
    zero_rows(dkv + kv_at(&u, u.a->o.k_column) + seen, u.keys - u.queries, u.kv_stride, dim);
    zero_rows(dkv + kv_at(&u, u.a->o.v_column) + seen, u.keys - u.queries, u.kv_stride, dim);
  }
}

/* A gradient that the heads do not cover is zeroed and then added to. */
static void backward(as_node *n) {
  unsigned as_recorded = n->add_gradient;
  for (int i = 0; i < n->inputs_count; i++)
    if (as_din(n, i) && !as_adds(n, i) && !covers(n, i)) {
      memset(as_din(n, i), 0, (size_t)n->inputs[i]->elements * sizeof(real));
      n->add_gradient |= 1u << i;
    }
  backward_call call = {n, as_adds(n, kv_input(n))};
  as_parallel_for(as_node_context(n), attributes(n)->queries.sequences * attributes(n)->o.heads, backward_chunk, &call);
  n->add_gradient = as_recorded;
}

/* ---- gradient check: self-attention in one tensor, cross attention with an empty sequence, causal, spare columns */
typedef struct check_case {
  int operands;
  attention a;
} check_case;

static as_tensor *build(as_graph *g, as_tensor *const *leaves, void *user) {
  const check_case *c = user;
  return as_record(g, AS_OP_attention, leaves, c->operands, &c->a, sizeof c->a);
}

static as_status check(as_context *ctx, double *worst) {
  static const int32_t self[] = {0, 1, 4, 21, 91}, queries[] = {0, 1, 3, 3, 6}, keys[] = {0, 7, 7, 10, 13};
  check_case cases[] = {
      {1, {{3, 3, 0, 9, 18, 0.5, 0.2, false}, {4, self}, {4, self}}},
      {1, {{1, 1, 2, 0, 1, 1, 0, true}, {4, self}, {4, self}}},
      {2, {{1, 7, 0, 0, 7, 0.4, 0.3, false}, {4, queries}, {4, keys}}},
      {2, {{2, 3, 1, 0, 8, 0.4, 0, true}, {4, queries}, {4, keys}}},
  };
  const as_gradcheck_input inputs[][2] = {{{2, {91, 27}, -1, 1}, {0}},
                                          {{2, {91, 3}, -1, 1}, {0}},
                                          {{2, {6, 7}, -1, 1}, {2, {13, 14}, -1, 1}},
                                          {{2, {6, 8}, -1, 1}, {2, {13, 15}, -1, 1}}};
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < sizeof cases / sizeof cases[0]; i++)
    status = as_gradcheck(ctx, build, &cases[i], cases[i].operands, inputs[i], NULL, worst);
  return status;
}

const as_op AS_REAL(as_op_attention) = {.name = "attention", .formula = "y = dropout(softmax(scale Q K^T)) V",
                                        .infer = infer, .forward = forward, .backward = backward,
                                        .saves = AS_SAVES_INPUT(0) | AS_SAVES_INPUT(1), .state = state,
                                        .scratch_forward = scratch_forward, .scratch_backward = scratch_backward,
                                        .draws = true, .check = check};

#if AS_RECORDS
as_tensor *as_attention(as_graph *g, as_tensor *q, as_tensor *kv, as_packed queries, as_packed keys,
                        const as_attention_options *options) {
  attention a = {*options, queries, keys};
  return as_record(g, AS_OP_attention, (as_tensor *const[]){q, kv}, q && q == kv ? 1 : 2, &a, sizeof a);
}
#endif
