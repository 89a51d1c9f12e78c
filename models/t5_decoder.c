/* See t5_decoder.h. */
#include "models/t5_decoder.h"

#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "tensor/gemm.h"

/* A chunk of attention takes so many heads that it costs about this many multiply-adds. */
enum { CHUNK_COST = 16384 };

struct as_t5_decoder {
  as_context *ctx;
  const as_t5 *t5;
  const as_parameters *parameters;
  as_t5_layout layout;
  const as_kernels_f32 *kernels;
  as_graph *graph; /* of the encoder */
  int64_t layers, inner, hidden, vocab_size;

  /* of the sources */
  int64_t sources, source_tokens, slots, max_tokens, step;
  int32_t *cu_seqlens; /* [sources + 1] */
  float *cross;        /* [layers, source_tokens, 2, inner]: keys and values */
  float *keys, *values; /* [layers, sources, heads, max_tokens, slots, head_dim] */
  int32_t *history; /* [2, sources * slots, max_tokens]: the row in [max_tokens, slots] of each token; now and before */
  float *bias;          /* [heads, max_tokens]: of the distances max_tokens - 1 to 0 */
  size_t cross_capacity, cache_capacity, history_capacity, bias_capacity, sequence_capacity;

  /* of a step, for sources * slots rows */
  float *x, *normal, *wide, *gate, *context, *logits; /* dim, dim, the widest product, hidden, inner, vocab_size */
  float *rstd, *scores;                               /* [rows]; for each lane a row of positions */
  void *workspace;                                    /* of products */
  int64_t row_capacity, position_capacity;
};

/* ---- making and freeing ----------------------------------------------------------------------------------------- */

as_status as_t5_decoder_new(as_context *ctx, const as_t5 *t5, as_t5_decoder **out) {
  as_t5_decoder *d = *out = as_alloc_zero(ctx, 1, sizeof *d);
  if (!d) return AS_E_NOMEM;
  const as_t5_config *c = as_t5_get_config(t5);
  d->ctx = ctx;
  d->t5 = t5;
  d->parameters = as_t5_const_parameters(t5);
  d->layout = as_t5_decoder_layout(t5);
  d->layers = c->num_decoder_layers;
  d->inner = c->num_heads * c->d_kv;
  d->hidden = c->d_ff;
  d->vocab_size = c->vocab_size;
  as_status status = as_kernels_select(ctx, &d->kernels);
  if (status == AS_OK) {
    d->graph = as_graph_new(ctx, AS_INFER);
    if (!d->graph) status = AS_E_NOMEM;
  }
  if (status != AS_OK) {
    as_t5_decoder_free(d);
    *out = NULL;
  }
  return status;
}

static void free_rows(as_t5_decoder *d) {
  float *const arrays[] = {d->x, d->normal, d->wide, d->gate, d->context, d->logits, d->rstd, d->scores};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) as_free(d->ctx, arrays[i]);
  as_free(d->ctx, d->workspace);
  d->x = d->normal = d->wide = d->gate = d->context = d->logits = d->rstd = d->scores = NULL;
  d->workspace = NULL;
  d->row_capacity = d->position_capacity = 0;
}

void as_t5_decoder_free(as_t5_decoder *d) {
  if (!d) return;
  void *const arrays[] = {d->cu_seqlens, d->cross, d->keys, d->values, d->history, d->bias};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) as_free(d->ctx, arrays[i]);
  free_rows(d);
  as_graph_free(d->graph);
  as_free(d->ctx, d);
}

/* ---- products --------------------------------------------------------------------------------------------------- */

static int64_t largest(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t dim_of(const as_t5_decoder *d) { return d->layout.block.dim; }
static int64_t widest(const as_t5_decoder *d) {
  return largest(3 * d->inner, (d->layout.block.gated ? 2 : 1) * d->hidden);
}

/* c [m, n] = or += activation(a [m, k] weight^T), `count` joined parameters from `index` on being the weight. */
static void product(const as_t5_decoder *d, int index, int count, int64_t m, const float *a, float *c, bool add,
                    as_unary activation, void *workspace) {
  const as_parameter *p = &d->parameters->list[index];
  int64_t n = 0;
  for (int i = 0; i < count; i++) n += p[i].shape[0];
  const float *packed = as_parameters_packed(d->parameters, index, count);
  as_gemm_call_f32 call = {.m = m, .n = n, .k = p->shape[1], .transpose_b = true, .a = a, .lda = p->shape[1],
                           .b = packed ? NULL : as_parameter_weights(d->parameters, index), .ldb = p->shape[1],
                           .packed_b = packed, .c = c, .ldc = n, .add = add, .activation = activation};
  as_gemm_f32(d->ctx, d->kernels, &call, workspace);
}

/* Workspace for any of the products of m rows. */
static size_t workspace_bytes(const as_t5_decoder *d, int64_t m) {
  const int64_t dim = dim_of(d), shapes[][2] = {{3 * d->inner, dim}, {dim, d->inner},      {d->inner, dim},
                                                {2 * d->inner, dim}, {widest(d), dim},     {d->hidden, dim},
                                                {dim, d->hidden},    {d->vocab_size, dim}};
  size_t most = 0;
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    size_t bytes =
        as_gemm_workspace_f32(d->kernels, m, shapes[i][0], shapes[i][1], false, true, as_context_threads(d->ctx));
    if (bytes > most) most = bytes;
  }
  return most;
}

/* ---- sources ---------------------------------------------------------------------------------------------------- */

/* a * b * ... as a size in elements; false, with an error, when it does not fit. */
static bool elements(as_context *ctx, const int64_t *factors, size_t count, size_t *product) {
  *product = 1;
  for (size_t i = 0; i < count; i++) {
    if (factors[i] > 0 && *product > (SIZE_MAX / 64) / (size_t)factors[i]) {
      as_fail(ctx, AS_E_LIMIT, "the cache of keys and values would be too large; ask for fewer tokens or beams");
      return false;
    }
    *product *= (size_t)factors[i];
  }
  return true;
}

/* Makes *array hold `needed` elements of `size` bytes; the old content is not kept. */
static bool grow(as_context *ctx, void *array /* a pointer to a pointer */, size_t *capacity, size_t needed,
                 size_t size) {
  void *old;
  memcpy(&old, array, sizeof old);
  if (old && needed <= *capacity) return true;
  as_free(ctx, old);
  void *fresh = as_alloc(ctx, needed, size);
  memcpy(array, &fresh, sizeof fresh);
  *capacity = fresh ? needed : 0;
  return fresh != NULL;
}

/* Room for the cache. Untouched memory costs nothing, so sequences that end early do not pay for max_tokens. */
static as_status make_room(as_t5_decoder *d) {
  const int64_t heads = d->layout.block.heads, dim = d->layout.block.head_dim;
  const int64_t cross[] = {d->layers, d->source_tokens, 2, d->inner};
  const int64_t cache[] = {d->layers, d->sources, heads, d->max_tokens, d->slots, dim};
  const int64_t history[] = {2, d->sources, d->slots, d->max_tokens};
  size_t cross_size, cache_size, history_size, both;
  if (d->max_tokens > INT32_MAX / d->slots)
    return as_fail(d->ctx, AS_E_LIMIT, "%lld tokens in %lld beams are too many", (long long)d->max_tokens,
                   (long long)d->slots);
  if (!elements(d->ctx, cross, 4, &cross_size) || !elements(d->ctx, cache, 6, &cache_size) ||
      !elements(d->ctx, history, 4, &history_size))
    return AS_E_LIMIT;
  both = d->cache_capacity;
  if (!grow(d->ctx, &d->cross, &d->cross_capacity, cross_size, sizeof *d->cross) ||
      !grow(d->ctx, &d->keys, &both, cache_size, sizeof *d->keys) ||
      !grow(d->ctx, &d->values, &d->cache_capacity, cache_size, sizeof *d->values) ||
      !grow(d->ctx, &d->history, &d->history_capacity, history_size, sizeof *d->history) ||
      !grow(d->ctx, &d->bias, &d->bias_capacity, (size_t)(heads * d->max_tokens), sizeof *d->bias) ||
      !grow(d->ctx, &d->cu_seqlens, &d->sequence_capacity, (size_t)d->sources + 1, sizeof *d->cu_seqlens))
    return AS_E_NOMEM;
  return AS_OK;
}

static int64_t longest_source(const as_t5_decoder *d) {
  int64_t most = 0;
  for (int64_t i = 0; i < d->sources; i++) most = largest(most, d->cu_seqlens[i + 1] - d->cu_seqlens[i]);
  return most;
}

/* Room for the rows of a step. */
static as_status make_rows(as_t5_decoder *d) {
  const int64_t rows = d->sources * d->slots, positions = largest(d->max_tokens, longest_source(d));
  if (d->x && rows <= d->row_capacity && positions <= d->position_capacity) return AS_OK;
  free_rows(d);
  const struct {
    float **array;
    int64_t width;
  } arrays[] = {{&d->x, dim_of(d)},   {&d->normal, dim_of(d)}, {&d->wide, widest(d)}, {&d->gate, d->hidden},
                {&d->context, d->inner}, {&d->logits, d->vocab_size}, {&d->rstd, 1}};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
    *arrays[i].array = as_alloc(d->ctx, (size_t)rows, (size_t)arrays[i].width * sizeof(float));
    if (!*arrays[i].array) return AS_E_NOMEM;
  }
  d->scores = as_alloc(d->ctx, (size_t)as_context_threads(d->ctx), (size_t)positions * sizeof *d->scores);
  d->workspace = as_alloc(d->ctx, 1, workspace_bytes(d, rows));
  if (!d->scores || !d->workspace) return AS_E_NOMEM;
  d->row_capacity = rows;
  d->position_capacity = positions;
  return AS_OK;
}

static void spread_bias(as_t5_decoder *d) {
  const as_t5_block_config *b = &d->layout.block;
  const float *table = as_parameter_weights(d->parameters, d->layout.position_bias); /* [buckets, heads] */
  for (int64_t i = 0; i < d->max_tokens; i++) {
    int64_t bucket = as_relative_position_bucket(i - (d->max_tokens - 1), false, b->buckets, b->max_distance);
    for (int64_t h = 0; h < b->heads; h++) d->bias[h * d->max_tokens + i] = table[bucket * b->heads + h];
  }
}

/* Encodes the sources and computes their keys and values for all layers, which is what stays. */
static as_status encode(as_t5_decoder *d, const as_encoder_batch *sources) {
  as_graph_reset(d->graph);
  as_tensor *encoded = as_keep(d->graph, as_t5_record_encoder(d->graph, d->t5, sources, NULL));
  as_status status = as_graph_plan(d->graph, NULL);
  if (status != AS_OK) return status;
  void *workspace = as_alloc(d->ctx, 1, workspace_bytes(d, sources->tokens));
  if (!workspace) return AS_E_NOMEM;
  as_graph_forward(d->graph);
  for (int64_t l = 0; l < d->layers; l++)
    product(d, d->layout.blocks[l].cross_kv, 2, sources->tokens, as_tensor_f32(encoded),
            d->cross + l * sources->tokens * 2 * d->inner, false, AS_UNARY_NONE, workspace);
  as_free(d->ctx, workspace);
  return AS_OK;
}

as_status as_t5_decoder_begin(as_t5_decoder *d, const as_encoder_batch *sources, int64_t slots, int64_t max_tokens) {
  if (sources->sequences < 1 || slots < 1 || max_tokens < 1 || slots > INT32_MAX / sources->sequences)
    return as_fail(d->ctx, AS_E_INVALID, "decoding needs a source, a slot and room for a token");
  d->sources = sources->sequences;
  d->source_tokens = sources->tokens;
  d->slots = slots;
  d->max_tokens = max_tokens;
  d->step = 0;
  as_status status = make_room(d);
  if (status != AS_OK) return status;
  memcpy(d->cu_seqlens, sources->cu_seqlens, (size_t)(d->sources + 1) * sizeof *d->cu_seqlens);
  status = make_rows(d);
  if (status == AS_OK) status = encode(d, sources);
  if (status == AS_OK) spread_bias(d);
  return status;
}

/* ---- attention of a step ---------------------------------------------------------------------------------------- */

typedef struct attention_call {
  as_t5_decoder *d;
  const as_t5_decoder_row *rows;
  int64_t layer, count, heads_per_chunk, chunks_per_row;
} attention_call;

static int32_t *history_of(const as_t5_decoder *d, int64_t step, int32_t source, int32_t slot) {
  return d->history + ((step % 2 * d->sources + source) * d->slots + slot) * d->max_tokens;
}

/* Where the keys or values of a source and head begin: [max_tokens, slots, head_dim]. */
static size_t cache_at(const as_t5_decoder *d, int64_t layer, int32_t source, int64_t head) {
  const as_t5_block_config *b = &d->layout.block;
  return (size_t)(((layer * d->sources + source) * b->heads + head) * d->max_tokens * d->slots * b->head_dim);
}

/* Writes the new key and value, then attends to all tokens of the sequence. */
static void attend_self(const attention_call *c, int64_t row, int64_t head, float *scores) {
  as_t5_decoder *d = c->d;
  const int64_t dim = d->layout.block.head_dim, positions = d->step + 1;
  const as_t5_decoder_row *r = &c->rows[row];
  const int32_t *history = history_of(d, d->step, r->source, r->slot);
  const float *q = d->wide + row * 3 * d->inner + head * dim, *k = q + d->inner, *v = k + d->inner;
  float *keys = d->keys + cache_at(d, c->layer, r->source, head);
  float *values = d->values + cache_at(d, c->layer, r->source, head);
  memcpy(keys + history[d->step] * dim, k, (size_t)dim * sizeof *k);
  memcpy(values + history[d->step] * dim, v, (size_t)dim * sizeof *v);
  d->kernels->dot_rows((size_t)positions, (size_t)dim, 1, q, keys, (size_t)dim, history, scores);
  d->kernels->add((size_t)positions, scores, d->bias + (head + 1) * d->max_tokens - positions, scores);
  d->kernels->softmax(1, (size_t)positions, scores, scores, NULL);
  d->kernels->sum_rows((size_t)positions, (size_t)dim, scores, values, (size_t)dim, history,
                       d->context + row * d->inner + head * dim);
}

static void attend_source(const attention_call *c, int64_t row, int64_t head, float *scores) {
  as_t5_decoder *d = c->d;
  const int64_t dim = d->layout.block.head_dim;
  const int32_t *range = d->cu_seqlens + c->rows[row].source;
  const size_t positions = (size_t)(range[1] - range[0]), stride = (size_t)(2 * d->inner);
  const float *keys = d->cross + (c->layer * d->source_tokens + range[0]) * 2 * d->inner + head * dim;
  d->kernels->dot_rows(positions, (size_t)dim, 1, d->wide + row * d->inner + head * dim, keys, stride, NULL, scores);
  d->kernels->softmax(1, positions, scores, scores, NULL);
  d->kernels->sum_rows(positions, (size_t)dim, scores, keys + d->inner, stride, NULL,
                       d->context + row * d->inner + head * dim);
}

static void attend_chunk(const attention_call *c, int64_t chunk, int lane,
                         void (*attend)(const attention_call *, int64_t, int64_t, float *)) {
  int64_t row = chunk / c->chunks_per_row, head = chunk % c->chunks_per_row * c->heads_per_chunk;
  float *scores = c->d->scores + lane * c->d->position_capacity;
  for (int64_t end = head + c->heads_per_chunk; head < end && head < c->d->layout.block.heads; head++)
    attend(c, row, head, scores);
}
static void self_chunk(void *argument, int64_t chunk, int lane) { attend_chunk(argument, chunk, lane, attend_self); }
static void source_chunk(void *argument, int64_t chunk, int lane) {
  attend_chunk(argument, chunk, lane, attend_source);
}

static void attend(as_t5_decoder *d, const as_t5_decoder_row *rows, int64_t count, int64_t layer, int64_t positions,
                   as_chunk_function body) {
  const as_t5_block_config *b = &d->layout.block;
  attention_call call = {d, rows, layer, count, CHUNK_COST / (2 * positions * b->head_dim) + 1, 0};
  call.chunks_per_row = (b->heads + call.heads_per_chunk - 1) / call.heads_per_chunk;
  as_parallel_for(d->ctx, count * call.chunks_per_row, body, &call);
}

/* ---- a step ----------------------------------------------------------------------------------------------------- */

static void normalise(as_t5_decoder *d, int norm, int64_t count) {
  d->kernels->rms_norm((size_t)count, (size_t)dim_of(d), d->x, as_parameter_weights(d->parameters, norm),
                       (float)d->layout.block.eps, d->normal, d->rstd);
}

static void feed_forward(as_t5_decoder *d, const as_t5_block *b, int64_t count) {
  const as_t5_block_config *c = &d->layout.block;
  normalise(d, b->feed_forward_norm, count);
  product(d, b->hidden, c->gated ? 2 : 1, count, d->normal, d->wide, false, c->gated ? AS_UNARY_NONE : c->activation,
          d->workspace);
  for (int64_t i = 0; c->gated && i < count; i++) {
    const float *wide = d->wide + 2 * i * d->hidden;
    float *gate = d->gate + i * d->hidden;
    d->kernels->unary_forward[c->activation]((size_t)d->hidden, wide, gate);
    d->kernels->mul((size_t)d->hidden, gate, wide + d->hidden, gate);
  }
  product(d, b->output, 1, count, c->gated ? d->gate : d->wide, d->x, true, AS_UNARY_NONE, d->workspace);
}

static void run_layer(as_t5_decoder *d, int64_t layer, const as_t5_decoder_row *rows, int64_t count) {
  const as_t5_block *b = &d->layout.blocks[layer];
  normalise(d, b->attention_norm, count);
  product(d, b->qkv, 3, count, d->normal, d->wide, false, AS_UNARY_NONE, d->workspace);
  attend(d, rows, count, layer, d->step + 1, self_chunk);
  product(d, b->attention_output, 1, count, d->context, d->x, true, AS_UNARY_NONE, d->workspace);
  normalise(d, b->cross_norm, count);
  product(d, b->cross_q, 1, count, d->normal, d->wide, false, AS_UNARY_NONE, d->workspace);
  attend(d, rows, count, layer, d->source_tokens / d->sources + 1, source_chunk);
  product(d, b->cross_output, 1, count, d->context, d->x, true, AS_UNARY_NONE, d->workspace);
  feed_forward(d, b, count);
}

/* What each sequence has behind it: its parent's history and the row of its own new token. */
static void extend_histories(as_t5_decoder *d, const as_t5_decoder_row *rows, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    int32_t *history = history_of(d, d->step, rows[i].source, rows[i].slot);
    if (d->step > 0)
      memcpy(history, history_of(d, d->step - 1, rows[i].source, rows[i].parent), (size_t)d->step * sizeof *history);
    history[d->step] = (int32_t)(d->step * d->slots) + rows[i].slot;
  }
}

/* Element k of row r of a packed table lies in panel r / nr at [k, r % nr]. */
static void embed(as_t5_decoder *d, const as_t5_decoder_row *rows, int64_t count) {
  const int64_t dim = dim_of(d), nr = d->kernels->gemm_shape.nr;
  const float *packed = as_parameters_packed(d->parameters, d->layout.shared, 1);
  const float *plain = as_parameter_weights(d->parameters, d->layout.shared);
  for (int64_t i = 0; i < count; i++) {
    int64_t token = rows[i].token;
    float *x = d->x + i * dim;
    if (plain)
      memcpy(x, plain + token * dim, (size_t)dim * sizeof *x);
    else
      for (int64_t k = 0; k < dim; k++) x[k] = packed[token / nr * nr * dim + k * nr + token % nr];
  }
}

float *as_t5_decoder_step(as_t5_decoder *d, const as_t5_decoder_row *rows, int64_t count) {
  extend_histories(d, rows, count);
  embed(d, rows, count);
  for (int64_t l = 0; l < d->layers; l++) run_layer(d, l, rows, count);
  normalise(d, d->layout.final_norm, count);
  const float scale = (float)as_t5_output_scale(d->t5);
  if (scale != 1) d->kernels->scale((size_t)(count * dim_of(d)), scale, d->normal, d->normal);
  product(d, d->layout.output, 1, count, d->normal, d->logits, false, AS_UNARY_NONE, d->workspace);
  d->step++;
  return d->logits;
}
