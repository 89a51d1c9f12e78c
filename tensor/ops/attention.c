/* Multi-head attention on packed sequences (Vaswani et al. 2017, eq. 1), forward and backward.
 *
 * A chunk of work is one sequence and one head. It goes over the queries in blocks of QUERY_ROWS; the scores of one
 * block, at most QUERY_ROWS x keys, live in the lane's scratch and are made again in backward from the log-sum-exp that
 * forward leaves for each query and head, so no queries x keys matrix is ever kept.
 *
 * The relative position bias of T5 depends on the distance of key and query and on the head alone, so it is one vector
 * of distances for each head, looked up once for all sequences and added to each row of the scores from where the row's
 * distances begin. Its gradient is summed the same way round: by distance, then by bucket, then over the sequences in
 * their order.
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
static bool has_bias(const as_node *n) { return attributes(n)->o.position_bias != NULL; }
static int bias_input(const as_node *n) { return n->inputs_count - 1; }
/* One operand when Q, K and V share a tensor. */
static int kv_input(const as_node *n) { return n->inputs_count - 1 - has_bias(n); }

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

static bool bias_fits(as_node *n) {
  const as_attention_options *o = &attributes(n)->o;
  const as_tensor *table = n->inputs[bias_input(n)];
  if (table->ndim != 2 || table->dtype == AS_I32 || table->shape[1] != o->heads || table->shape[0] > INT32_MAX ||
      table->shape[0] < (o->bidirectional ? 4 : 2))
    return as_op_refuse(n, "the position bias must be [buckets, %d], with at least %d buckets", o->heads,
                        o->bidirectional ? 4 : 2);
  if (o->max_distance <= table->shape[0] / (o->bidirectional ? 4 : 2))
    return as_op_refuse(n, "max_distance is %lld, but must be more than the buckets for single distances",
                        (long long)o->max_distance);
  return true;
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
    return as_op_refuse(
        n, "cu_seqlens must begin with 0, not decrease and end with the number of rows, alike for q and kv");
  if (longest(a->keys) >= (int64_t)1 << KEY_BITS || !(a->o.dropout >= 0 && a->o.dropout < 1))
    return as_op_refuse(n, "sequences must be shorter than 2^20 and dropout in [0, 1)");
  if (has_bias(n) && !bias_fits(n)) return false;
  as_set_shape(n->output, 2, (int64_t[]){q->shape[0], width});
  return true;
}

static size_t state(const as_node *n) { /* log-sum-exp of the scores, [query rows, heads] */
  return (size_t)(n->output->shape[0] * attributes(n)->o.heads) * sizeof(real);
}

/* ---- relative position bias ------------------------------------------------------------------------------------- */
#if AS_RECORDS
int64_t as_relative_position_bucket(int64_t distance, bool bidirectional, int64_t buckets, int64_t max_distance) {
  int64_t first = 0;
  if (bidirectional) {
    buckets /= 2;
    if (distance > 0) first = buckets;
    distance = llabs(distance);
  } else {
    distance = distance < 0 ? -distance : 0;
  }
  int64_t exact = buckets / 2;
  if (distance < exact) return first + distance;
  float ratio = logf((float)distance / (float)exact) / (float)log((double)max_distance / (double)exact);
  int64_t bucket = exact + (int64_t)(ratio * (float)(buckets - exact));
  return first + as_min64(bucket, buckets - 1);
}
#endif

/* Distances that there can be, from -(longest queries - 1) to longest keys - 1. */
static int64_t distances(const as_node *n) {
  int64_t q = longest(attributes(n)->queries), k = longest(attributes(n)->keys);
  return q > 0 && k > 0 ? q + k - 1 : 0;
}
/* Where the distance of key 0 and query `row` stands among them. */
static int64_t distance_at(const as_node *n, int64_t row) { return longest(attributes(n)->queries) - 1 - row; }

/* At the beginning of the scratch: the bucket of each distance, and the bias of each head by distance. */
static size_t distances_bytes(const as_node *n) { return as_align((size_t)distances(n) * sizeof(real)); }
static size_t bias_bytes(const as_node *n) {
  return has_bias(n) ? (size_t)(1 + attributes(n)->o.heads) * distances_bytes(n) : 0;
}
static int32_t *buckets_of(const as_node *n) { return n->scratch; }
static real *bias_of(const as_node *n, int64_t head) {
  return (real *)(void *)((unsigned char *)n->scratch + (size_t)(1 + head) * distances_bytes(n));
}

static void spread_bias(const as_node *n) {
  const as_attention_options *o = &attributes(n)->o;
  const as_tensor *table = n->inputs[bias_input(n)]; /* [buckets, heads] */
  for (int64_t i = 0; i < distances(n); i++) {
    int64_t bucket =
        as_relative_position_bucket(i - distance_at(n, 0), o->bidirectional, table->shape[0], o->max_distance);
    buckets_of(n)[i] = (int32_t)bucket;
    for (int64_t h = 0; h < o->heads; h++) bias_of(n, h)[i] = ((const real *)table->data)[bucket * o->heads + h];
  }
}

/* ---- scratch: the bias by distance, in backward the sums of its gradient, then each lane's own ------------------ */
typedef struct lane_scratch {
  real *p, *dropped, *dp; /* each [QUERY_ROWS, keys]; forward has p alone */
  real *dbias;            /* [distances], with a bias in backward */
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

/* Sums of the bias' gradient: [sequences, heads, buckets]. */
static size_t sums_bytes(const as_node *n) {
  const attention *a = attributes(n);
  if (!has_bias(n)) return 0;
  return as_align((size_t)(a->queries.sequences * a->o.heads * n->inputs[bias_input(n)]->shape[0]) * sizeof(real));
}
static real *sums_of(const as_node *n, int64_t chunk) {
  real *sums = (real *)(void *)((unsigned char *)n->scratch + bias_bytes(n));
  return sums + chunk * n->inputs[bias_input(n)]->shape[0];
}

static size_t shared_bytes(const as_node *n, bool backward) { return bias_bytes(n) + (backward ? sums_bytes(n) : 0); }
static size_t lane_bytes(const as_node *n, bool backward) {
  size_t dbias = backward && has_bias(n) ? distances_bytes(n) : 0;
  return (backward ? 3 : 1) * scores_bytes(n) + dbias + gemm_bytes(n);
}
static size_t scratch_bytes(const as_node *n, bool backward) {
  return shared_bytes(n, backward) + lane_bytes(n, backward) * (size_t)as_node_threads(n);
}
static size_t scratch_forward(const as_node *n) { return scratch_bytes(n, false); }
static size_t scratch_backward(const as_node *n) { return scratch_bytes(n, true); }

static lane_scratch lane_of(const as_node *n, int lane, bool backward) {
  unsigned char *base =
      (unsigned char *)n->scratch + shared_bytes(n, backward) + lane_bytes(n, backward) * (size_t)lane;
  size_t gemm = lane_bytes(n, backward) - gemm_bytes(n);
  lane_scratch s = {.p = (real *)(void *)base, .gemm = base + gemm};
  if (backward) {
    s.dropped = (real *)(void *)(base + scores_bytes(n));
    s.dp = (real *)(void *)(base + 2 * scores_bytes(n));
    s.dbias = (real *)(void *)(base + 3 * scores_bytes(n));
  }
  return s;
}

/* ---- one sequence and head -------------------------------------------------------------------------------------- */
typedef struct unit {
  const as_node *n;
  const attention *a;
  const struct AS_REAL(as_kernels) * k;
  int64_t head, first_query, queries, first_key, keys, q_stride, kv_stride, width;
  as_dropout bits;
} unit;

static unit unit_of(const as_node *n, int64_t chunk) {
  const attention *a = attributes(n);
  int64_t sequence = chunk / a->o.heads;
  const int32_t *cq = a->queries.cu_seqlens + sequence, *ck = a->keys.cu_seqlens + sequence;
  return (unit){.n = n,
                .a = a,
                .k = as_node_kernels(n),
                .head = chunk % a->o.heads,
                .first_query = cq[0],
                .queries = cq[1] - cq[0],
                .first_key = ck[0],
                .keys = ck[1] - ck[0],
                .q_stride = n->inputs[0]->shape[1],
                .kv_stride = n->inputs[kv_input(n)]->shape[1],
                .width = n->output->shape[1],
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

/* p [rows, keys] = scale Q K^T + bias, with what a query may not see at -infinity. */
static void scores(const unit *u, const real *q, const real *k, int64_t row, int64_t rows, int64_t keys, real *p,
                   void *gemm) {
  AS_REAL(as_gemm_block)
  (u->k,
   &(AS_REAL(as_gemm_block_call)){.m = rows,
                                  .n = keys,
                                  .k = u->a->o.head_dim,
                                  .transpose_b = true,
                                  .alpha = (real)u->a->o.scale,
                                  .a = q,
                                  .lda = u->q_stride,
                                  .b = k,
                                  .ldb = u->kv_stride,
                                  .c = p,
                                  .ldc = keys},
   gemm);
  for (int64_t i = 0; has_bias(u->n) && i < rows; i++)
    u->k->add((size_t)keys, p + i * keys, bias_of(u->n, u->head) + distance_at(u->n, row + i), p + i * keys);
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
  lane_scratch s = lane_of(n, lane, false);
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
    AS_REAL(as_gemm_block)
    (u.k,
     &(AS_REAL(as_gemm_block_call)){.m = rows,
                                    .n = dim,
                                    .k = keys,
                                    .alpha = 1,
                                    .a = s.p,
                                    .lda = keys,
                                    .b = kv + kv_at(&u, u.a->o.v_column),
                                    .ldb = u.kv_stride,
                                    .c = as_out(n) + out_at(&u, row),
                                    .ldc = u.width},
     s.gemm);
  }
}

static void forward(as_node *n) {
  if (has_bias(n)) spread_bias(n);
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
  product(u,
          (AS_REAL(as_gemm_block_call)){.m = rows,
                                        .n = keys,
                                        .k = u->a->o.head_dim,
                                        .transpose_b = true,
                                        .alpha = 1,
                                        .a = as_dout(n) + out_at(u, row),
                                        .lda = u->width,
                                        .b = kv + kv_at(u, u->a->o.v_column),
                                        .ldb = u->kv_stride,
                                        .c = s->dp,
                                        .ldc = keys},
          s->gemm);
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
  for (int64_t i = 0; has_bias(n) && i < rows; i++) {
    real *dbias = s.dbias + distance_at(n, row + i);
    u->k->add((size_t)keys, dbias, s.dp + i * keys, dbias);
  }
  product(u,
          (AS_REAL(as_gemm_block_call)){.m = keys,
                                        .n = dim,
                                        .k = rows,
                                        .transpose_a = true,
                                        .alpha = 1,
                                        .a = s.dropped,
                                        .lda = keys,
                                        .b = as_dout(n) + out_at(u, row),
                                        .ldb = u->width,
                                        .add = !first,
                                        .c = dkv ? dkv + kv_at(u, u->a->o.v_column) : NULL,
                                        .ldc = u->kv_stride},
          s.gemm);
  product(u,
          (AS_REAL(as_gemm_block_call)){.m = keys,
                                        .n = dim,
                                        .k = rows,
                                        .transpose_a = true,
                                        .alpha = scale,
                                        .a = s.dp,
                                        .lda = keys,
                                        .b = as_in(n, 0) + q_at(u, row),
                                        .ldb = u->q_stride,
                                        .add = !first,
                                        .c = dkv ? dkv + kv_at(u, u->a->o.k_column) : NULL,
                                        .ldc = u->kv_stride},
          s.gemm);
  product(u,
          (AS_REAL(as_gemm_block_call)){.m = rows,
                                        .n = dim,
                                        .k = keys,
                                        .alpha = scale,
                                        .a = s.dp,
                                        .lda = keys,
                                        .b = as_in(n, kv_index) + kv_at(u, u->a->o.k_column),
                                        .ldb = u->kv_stride,
                                        .add = as_adds(n, 0),
                                        .c = dq ? dq + q_at(u, row) : NULL,
                                        .ldc = u->q_stride},
          s.gemm);
}

/* Whether the heads' columns are all columns of the operand, so that writing them writes all of its gradient. */
static bool covers(const as_node *n, int input) {
  const attention *a = attributes(n);
  int64_t width = (int64_t)a->o.heads * a->o.head_dim;
  int parts = kv_input(n) == 0 ? 3 : input == 0 ? 1 : 2;
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

static void sum_by_bucket(const as_node *n, int64_t chunk, const real *dbias) {
  real *sums = sums_of(n, chunk);
  zero_rows(sums, 1, 0, n->inputs[bias_input(n)]->shape[0]);
  for (int64_t i = 0; i < distances(n); i++) sums[buckets_of(n)[i]] += dbias[i];
}

static void backward_chunk(void *argument, int64_t chunk, int lane) {
  const backward_call *c = argument;
  const as_node *n = c->node;
  unit u = unit_of(n, chunk);
  int64_t dim = u.a->o.head_dim;
  real *dq = as_din(n, 0), *dkv = as_din(n, kv_input(n));
  lane_scratch s = lane_of(n, lane, true);
  if (has_bias(n)) zero_rows(s.dbias, 1, 0, distances(n));
  if (u.queries == 0 && dkv && !c->add_kv) {
    zero_rows(dkv + kv_at(&u, u.a->o.k_column), u.keys, u.kv_stride, dim);
    zero_rows(dkv + kv_at(&u, u.a->o.v_column), u.keys, u.kv_stride, dim);
  }
  if (u.keys == 0) {
    if (dq && !as_adds(n, 0)) zero_rows(dq + q_at(&u, 0), u.queries, u.q_stride, dim);
    if (has_bias(n)) sum_by_bucket(n, chunk, s.dbias);
    return;
  }
  /* With causal masks a later block sees keys that an earlier one does not: the first block to be taken is the last. */
  int64_t last = u.queries ? (u.queries - 1) / QUERY_ROWS * QUERY_ROWS : -1;
  for (int64_t row = last; row >= 0; row -= QUERY_ROWS)
    backward_block(n, &u, row, row == last && !c->add_kv, s);
  if (u.a->o.causal && u.keys > u.queries && dkv && !c->add_kv && u.queries) {
    int64_t seen = u.queries * u.kv_stride;
    zero_rows(dkv + kv_at(&u, u.a->o.k_column) + seen, u.keys - u.queries, u.kv_stride, dim);
    zero_rows(dkv + kv_at(&u, u.a->o.v_column) + seen, u.keys - u.queries, u.kv_stride, dim);
  }
  if (has_bias(n)) sum_by_bucket(n, chunk, s.dbias);
}

/* The gradient of the table [buckets, heads] from the sums of the sequences. */
static void bias_gradient(const as_node *n) {
  int64_t heads = attributes(n)->o.heads, buckets = n->inputs[bias_input(n)]->shape[0];
  real *table = as_din(n, bias_input(n));
  for (int64_t h = 0; h < heads; h++)
    for (int64_t b = 0; b < buckets; b++) {
      real sum = as_adds(n, bias_input(n)) ? table[b * heads + h] : 0;
      for (int64_t s = 0; s < attributes(n)->queries.sequences; s++) sum += sums_of(n, s * heads + h)[b];
      table[b * heads + h] = sum;
    }
}

/* A gradient that the heads do not cover is zeroed and then added to. */
static void backward(as_node *n) {
  unsigned as_recorded = n->add_gradient;
  if (has_bias(n)) spread_bias(n);
  for (int i = 0; i <= kv_input(n); i++)
    if (as_din(n, i) && !as_adds(n, i) && !covers(n, i)) {
      memset(as_din(n, i), 0, (size_t)n->inputs[i]->elements * sizeof(real));
      n->add_gradient |= 1u << i;
    }
  backward_call call = {n, as_adds(n, kv_input(n))};
  as_parallel_for(as_node_context(n), attributes(n)->queries.sequences * attributes(n)->o.heads, backward_chunk, &call);
  n->add_gradient = as_recorded;
  if (has_bias(n) && as_din(n, bias_input(n))) bias_gradient(n);
}

/* ---- gradient check: self-attention in one tensor, cross attention with an empty sequence, causal, spare columns;
 * then with position bias
 * ------------------------------------------------------------------------------------------------------------ */
typedef struct check_case {
  int operands; /* of q and kv */
  int64_t buckets; /* 0: no bias, else the last leaf is the table */
  as_attention_options o;
  as_packed queries, keys;
} check_case;

static as_tensor *build(as_graph *g, as_tensor *const *leaves, void *user) {
  const check_case *c = user;
  as_attention_options o = c->o;
  if (c->buckets) o.position_bias = leaves[c->operands];
  return as_attention(g, leaves[0], leaves[c->operands - 1], c->queries, c->keys, &o);
}

static as_status check_one(as_context *ctx, check_case *c, double *worst) {
  const as_attention_options *o = &c->o;
  int64_t width = (int64_t)o->heads * o->head_dim, spare = c->operands == 2 && o->q_column > 0;
  int64_t kv = (o->k_column > o->v_column ? o->k_column : o->v_column) + width + spare, q = o->q_column + width + spare;
  as_gradcheck_input inputs[3] = {
      {2, {c->queries.cu_seqlens[c->queries.sequences], c->operands == 1 && kv > q ? kv : q}, -1, 1},
      {2, {c->keys.cu_seqlens[c->keys.sequences], kv}, -1, 1}};
  inputs[c->operands] = (as_gradcheck_input){2, {c->buckets, o->heads}, -1, 1};
  return as_gradcheck(ctx, build, c, c->operands + (c->buckets > 0), inputs, NULL, worst);
}

static as_status check(as_context *ctx, double *worst) {
  static const int32_t self[] = {0, 1, 4, 21, 91}, queries[] = {0, 1, 3, 3, 6}, keys[] = {0, 7, 7, 10, 13};
  static const int32_t some[] = {0, 1, 1, 8, 25};
  as_packed packed = {4, self}, from = {4, queries}, to = {4, keys}, few = {4, some};
#define OPTIONS(h, d, q, k, v, s, p)                                                                                   \
  .heads = h, .head_dim = d, .q_column = q, .k_column = k, .v_column = v, .scale = s, .dropout = p
  check_case cases[] = {
      {1, 0, {OPTIONS(3, 3, 0, 9, 18, 0.5, 0.2)}, packed, packed},
      {1, 0, {OPTIONS(1, 1, 2, 0, 1, 1, 0), .causal = true}, packed, packed},
      {2, 0, {OPTIONS(1, 7, 0, 0, 7, 0.4, 0.3)}, from, to},
      {2, 0, {OPTIONS(2, 3, 1, 0, 8, 0.4, 0), .causal = true}, from, to},
      {1, 7, {OPTIONS(3, 2, 0, 6, 12, 1, 0.2), .bidirectional = true, .max_distance = 6}, few, few},
      {1, 5, {OPTIONS(1, 3, 0, 3, 6, 1, 0), .causal = true, .max_distance = 17}, few, few},
      {2, 4, {OPTIONS(2, 1, 0, 0, 2, 0.4, 0.3), .bidirectional = true, .max_distance = 3}, from, to},
  };
#undef OPTIONS
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < sizeof cases / sizeof cases[0]; i++)
    status = check_one(ctx, &cases[i], worst);
  return status;
}

const as_op AS_REAL(as_op_attention) = {.name = "attention",
                                        .formula = "y = dropout(softmax(scale Q K^T + bias)) V",
                                        .infer = infer,
                                        .forward = forward,
                                        .backward = backward,
                                        .saves = AS_SAVES_INPUT(0) | AS_SAVES_INPUT(1) | AS_SAVES_INPUT(2),
                                        .state = state,
                                        .scratch_forward = scratch_forward,
                                        .scratch_backward = scratch_backward,
                                        .draws = true,
                                        .check = check};

#if AS_RECORDS
as_tensor *as_attention(as_graph *g, as_tensor *q, as_tensor *kv, as_packed queries, as_packed keys,
                        const as_attention_options *options) {
  attention a = {*options, queries, keys};
  as_tensor *operands[3] = {q};
  int count = 1;
  if (!q || q != kv) operands[count++] = kv;
  if (options->position_bias) operands[count++] = options->position_bias;
  return as_record(g, AS_OP_attention, operands, count, &a, sizeof a);
}
#endif
