#include "nn/encoder_block.h"

#include <math.h>

as_encoder_block as_encoder_block_declare(as_parameters *ps, const as_encoder_block_config *c, int layer,
                                          const char *prefix, const as_encoder_block_names *n) {
  as_encoder_block b;
  const char *qkv[3] = {n->query, n->key, n->value};
  for (int i = 0; i < 3; i++) {
    int index = as_parameters_declare(ps, AS_ROLE_WEIGHT, layer, c->dim, c->dim, "%s%s.weight", prefix, qkv[i]);
    if (i == 0) b.qkv_weight = index;
  }
  for (int i = 0; i < 3; i++) {
    int index = as_parameters_declare(ps, AS_ROLE_BIAS, layer, c->dim, 0, "%s%s.bias", prefix, qkv[i]);
    if (i == 0) b.qkv_bias = index;
  }
  as_parameters_join(ps, b.qkv_weight, 3);
  as_parameters_join(ps, b.qkv_bias, 3);
#define DECLARE(field, role, rows, columns, name, kind) \
  b.field = as_parameters_declare(ps, role, layer, rows, columns, "%s%s." kind, prefix, name)
  DECLARE(attention_output_weight, AS_ROLE_WEIGHT, c->dim, c->dim, n->attention_output, "weight");
  DECLARE(attention_output_bias, AS_ROLE_BIAS, c->dim, 0, n->attention_output, "bias");
  DECLARE(attention_norm_weight, AS_ROLE_NORM_WEIGHT, c->dim, 0, n->attention_norm, "weight");
  DECLARE(attention_norm_bias, AS_ROLE_NORM_BIAS, c->dim, 0, n->attention_norm, "bias");
  DECLARE(intermediate_weight, AS_ROLE_WEIGHT, c->hidden_dim, c->dim, n->intermediate, "weight");
  DECLARE(intermediate_bias, AS_ROLE_BIAS, c->hidden_dim, 0, n->intermediate, "bias");
  DECLARE(output_weight, AS_ROLE_WEIGHT, c->dim, c->hidden_dim, n->output, "weight");
  DECLARE(output_bias, AS_ROLE_BIAS, c->dim, 0, n->output, "bias");
  DECLARE(output_norm_weight, AS_ROLE_NORM_WEIGHT, c->dim, 0, n->output_norm, "weight");
  DECLARE(output_norm_bias, AS_ROLE_NORM_BIAS, c->dim, 0, n->output_norm, "bias");
#undef DECLARE
  return b;
}

as_status as_encoder_block_pack(as_parameters *ps, const as_encoder_block *b, bool rows) {
  as_status status = rows ? as_parameters_pack(ps, b->qkv_weight, 1) : as_parameters_pack(ps, b->qkv_weight, 3);
  if (status == AS_OK && rows) status = as_parameters_pack(ps, b->qkv_weight + 1, 2);
  if (status == AS_OK) status = as_parameters_pack(ps, b->attention_output_weight, 1);
  if (status == AS_OK) status = as_parameters_pack(ps, b->intermediate_weight, 1);
  if (status == AS_OK) status = as_parameters_pack(ps, b->output_weight, 1);
  return status;
}

static as_tensor *linear(as_graph *g, const as_parameters *ps, as_tensor *x, int weight, int bias, int joined,
                         as_unary activation) {
  return as_linear(g, x, as_parameter_leaf_joined(g, ps, weight, joined), as_parameter_leaf_joined(g, ps, bias, joined),
                   true, activation);
}

static as_tensor *norm(as_graph *g, const as_parameters *ps, as_tensor *x, as_tensor *residual, int weight, int bias,
                       double eps, double dropout) {
  return as_residual_layer_norm(g, x, residual, as_parameter_leaf(g, ps, weight), as_parameter_leaf(g, ps, bias), eps,
                                dropout);
}

/* From the heads' output to the block's: all that works row by row. */
static as_tensor *record_rows(as_graph *g, const as_parameters *ps, const as_encoder_block *b,
                              const as_encoder_block_config *c, as_tensor *heads, as_tensor *residual) {
  as_tensor *x = linear(g, ps, heads, b->attention_output_weight, b->attention_output_bias, 1, AS_UNARY_NONE);
  x = norm(g, ps, x, residual, b->attention_norm_weight, b->attention_norm_bias, c->eps, c->attention_output_dropout);
  as_tensor *f = linear(g, ps, x, b->intermediate_weight, b->intermediate_bias, 1, c->activation);
  f = linear(g, ps, f, b->output_weight, b->output_bias, 1, AS_UNARY_NONE);
  return norm(g, ps, f, x, b->output_norm_weight, b->output_norm_bias, c->eps, c->output_dropout);
}

static as_attention_options options(const as_encoder_block_config *c, int64_t q, int64_t k, int64_t v) {
  int head_dim = (int)(c->dim / c->heads);
  return (as_attention_options){.heads = c->heads, .head_dim = head_dim, .q_column = q, .k_column = k, .v_column = v,
                                .scale = 1 / sqrt((double)head_dim), .dropout = c->attention_dropout};
}

as_tensor *as_encoder_block_record(as_graph *g, const as_parameters *ps, const as_encoder_block *b,
                                   const as_encoder_block_config *c, as_tensor *x, as_packed packed) {
  as_attention_options o = options(c, 0, c->dim, 2 * c->dim);
  as_tensor *qkv = linear(g, ps, x, b->qkv_weight, b->qkv_bias, 3, AS_UNARY_NONE);
  return record_rows(g, ps, b, c, as_attention(g, qkv, qkv, packed, packed, &o), x);
}

/* The chosen rows are taken before keys and values, so that backward adds their gradient to one that is already
 * written. */
as_tensor *as_encoder_block_record_rows(as_graph *g, const as_parameters *ps, const as_encoder_block *b,
                                        const as_encoder_block_config *c, as_tensor *x, as_packed packed,
                                        as_tensor *rows, as_packed queries) {
  as_attention_options o = options(c, 0, 0, c->dim);
  as_tensor *chosen = as_gather_rows(g, x, rows);
  as_tensor *q = linear(g, ps, chosen, b->qkv_weight, b->qkv_bias, 1, AS_UNARY_NONE);
  as_tensor *kv = linear(g, ps, x, b->qkv_weight + 1, b->qkv_bias + 1, 2, AS_UNARY_NONE);
  return record_rows(g, ps, b, c, as_attention(g, q, kv, queries, packed, &o), chosen);
}
