#include "nn/t5_block.h"

#include <math.h>

/* ---- parameters ------------------------------------------------------------------------------------------------- */

static int matrix(as_parameters *ps, int layer, int64_t rows, int64_t columns, const char *prefix, const char *name) {
  return as_parameters_declare(ps, AS_ROLE_WEIGHT, layer, rows, columns, "%s%s.weight", prefix, name);
}

static int norm(as_parameters *ps, int layer, int64_t dim, const char *prefix, int part) {
  return as_parameters_declare(ps, AS_ROLE_NORM_WEIGHT, layer, dim, 0, "%slayer.%d.layer_norm.weight", prefix, part);
}

as_t5_block as_t5_block_declare(as_parameters *ps, const as_t5_block_config *c, int layer, const char *prefix,
                                int *position_bias) {
  as_t5_block b = {0};
  int64_t inner = (int64_t)c->heads * c->head_dim;
  b.qkv = matrix(ps, layer, inner, c->dim, prefix, "layer.0.SelfAttention.q");
  matrix(ps, layer, inner, c->dim, prefix, "layer.0.SelfAttention.k");
  matrix(ps, layer, inner, c->dim, prefix, "layer.0.SelfAttention.v");
  as_parameters_join(ps, b.qkv, 3);
  b.attention_output = matrix(ps, layer, c->dim, inner, prefix, "layer.0.SelfAttention.o");
  if (position_bias)
    *position_bias = as_parameters_declare(ps, AS_ROLE_POSITION_BIAS, layer, c->buckets, c->heads,
                                           "%slayer.0.SelfAttention.relative_attention_bias.weight", prefix);
  b.attention_norm = norm(ps, layer, c->dim, prefix, 0);
  if (c->decoder) {
    b.cross_q = matrix(ps, layer, inner, c->dim, prefix, "layer.1.EncDecAttention.q");
    b.cross_kv = matrix(ps, layer, inner, c->dim, prefix, "layer.1.EncDecAttention.k");
    matrix(ps, layer, inner, c->dim, prefix, "layer.1.EncDecAttention.v");
    as_parameters_join(ps, b.cross_kv, 2);
    b.cross_output = matrix(ps, layer, c->dim, inner, prefix, "layer.1.EncDecAttention.o");
    b.cross_norm = norm(ps, layer, c->dim, prefix, 1);
  }
  int part = c->decoder ? 2 : 1;
  const char *const names[2][3] = {
      {"layer.1.DenseReluDense.wi", "layer.1.DenseReluDense.wi_0", "layer.1.DenseReluDense.wi_1"},
      {"layer.2.DenseReluDense.wi", "layer.2.DenseReluDense.wi_0", "layer.2.DenseReluDense.wi_1"}};
  b.hidden = matrix(ps, layer, c->hidden_dim, c->dim, prefix, names[part - 1][c->gated]);
  if (c->gated) {
    matrix(ps, layer, c->hidden_dim, c->dim, prefix, names[part - 1][2]);
    as_parameters_join(ps, b.hidden, 2);
  }
  b.output = matrix(ps, layer, c->dim, c->hidden_dim, prefix,
                    part == 1 ? "layer.1.DenseReluDense.wo" : "layer.2.DenseReluDense.wo");
  b.feed_forward_norm = norm(ps, layer, c->dim, prefix, part);
  return b;
}

void as_t5_block_initialize(as_parameters *ps, const as_t5_block *b, const as_t5_block_config *c, double factor,
                            uint64_t seed) {
  double dim = (double)c->dim, inner = (double)c->heads * c->head_dim;
  double into = factor / sqrt(dim), query = factor / sqrt(dim * c->head_dim), out = factor / sqrt(inner);
  as_parameters_initialize(ps, b->qkv, query, seed);
  as_parameters_initialize(ps, b->qkv + 1, into, seed);
  as_parameters_initialize(ps, b->qkv + 2, into, seed);
  as_parameters_initialize(ps, b->attention_output, out, seed);
  as_parameters_fill(ps, b->attention_norm, (float)factor);
  if (c->decoder) {
    as_parameters_initialize(ps, b->cross_q, query, seed);
    as_parameters_initialize(ps, b->cross_kv, into, seed);
    as_parameters_initialize(ps, b->cross_kv + 1, into, seed);
    as_parameters_initialize(ps, b->cross_output, out, seed);
    as_parameters_fill(ps, b->cross_norm, (float)factor);
  }
  for (int i = 0; i <= c->gated; i++) as_parameters_initialize(ps, b->hidden + i, into, seed);
  as_parameters_initialize(ps, b->output, factor / sqrt((double)c->hidden_dim), seed);
  as_parameters_fill(ps, b->feed_forward_norm, (float)factor);
}

as_status as_t5_block_pack(as_parameters *ps, const as_t5_block *b, const as_t5_block_config *c) {
  const struct {
    int index, count;
  } views[] = {{b->qkv, 3},     {b->attention_output, 1}, {b->hidden, c->gated ? 2 : 1}, {b->output, 1},
               {b->cross_q, 1}, {b->cross_kv, 2},         {b->cross_output, 1}};
  as_status status = AS_OK;
  for (int i = 0; status == AS_OK && i < (c->decoder ? 7 : 4); i++)
    status = as_parameters_pack(ps, views[i].index, views[i].count);
  return status;
}

/* ---- recording -------------------------------------------------------------------------------------------------- */

static as_tensor *linear(as_graph *g, const as_parameters *ps, as_tensor *x, int weight, int joined) {
  return as_linear(g, x, as_parameter_leaf_joined(g, ps, weight, joined), NULL, false, AS_UNARY_NONE);
}

static as_tensor *normalised(as_graph *g, const as_parameters *ps, const as_t5_block_config *c, as_tensor *x,
                             int weight) {
  return as_rms_norm(g, x, as_parameter_leaf(g, ps, weight), c->eps);
}

static as_tensor *self_attention(as_graph *g, const as_parameters *ps, const as_t5_block *b,
                                 const as_t5_block_config *c, as_tensor *x, as_packed packed,
                                 as_tensor *position_bias) {
  int64_t inner = (int64_t)c->heads * c->head_dim;
  as_attention_options o = {.heads = c->heads, .head_dim = c->head_dim, .k_column = inner, .v_column = 2 * inner,
                            .scale = 1, .dropout = c->dropout, .causal = c->decoder, .position_bias = position_bias,
                            .bidirectional = !c->decoder, .max_distance = c->max_distance};
  as_tensor *qkv = linear(g, ps, normalised(g, ps, c, x, b->attention_norm), b->qkv, 3);
  as_tensor *heads = as_attention(g, qkv, qkv, packed, packed, &o);
  return as_residual_dropout(g, linear(g, ps, heads, b->attention_output, 1), x, c->dropout);
}

static as_tensor *cross_attention(as_graph *g, const as_parameters *ps, const as_t5_block *b,
                                  const as_t5_block_config *c, as_tensor *x, as_packed packed,
                                  const as_t5_memory *memory) {
  as_attention_options o = {.heads = c->heads, .head_dim = c->head_dim, .v_column = (int64_t)c->heads * c->head_dim,
                            .scale = 1, .dropout = c->dropout};
  as_tensor *q = linear(g, ps, normalised(g, ps, c, x, b->cross_norm), b->cross_q, 1);
  as_tensor *kv = linear(g, ps, memory->states, b->cross_kv, 2);
  as_tensor *heads = as_attention(g, q, kv, packed, memory->packed, &o);
  return as_residual_dropout(g, linear(g, ps, heads, b->cross_output, 1), x, c->dropout);
}

static as_tensor *feed_forward(as_graph *g, const as_parameters *ps, const as_t5_block *b, const as_t5_block_config *c,
                               as_tensor *x) {
  as_tensor *hidden = normalised(g, ps, c, x, b->feed_forward_norm);
  if (c->gated)
    hidden = as_gated_linear_unit(g, linear(g, ps, hidden, b->hidden, 2), c->activation, c->dropout);
  else
    hidden = as_linear_dropout(g, hidden, as_parameter_leaf(g, ps, b->hidden), NULL, false, c->activation, c->dropout);
  return as_residual_dropout(g, linear(g, ps, hidden, b->output, 1), x, c->dropout);
}

as_tensor *as_t5_block_record(as_graph *g, const as_parameters *ps, const as_t5_block *b, const as_t5_block_config *c,
                              as_tensor *x, as_packed packed, as_tensor *position_bias, const as_t5_memory *memory) {
  x = self_attention(g, ps, b, c, x, packed, position_bias);
  if (c->decoder) x = cross_attention(g, ps, b, c, x, packed, memory);
  return feed_forward(g, ps, b, c, x);
}
