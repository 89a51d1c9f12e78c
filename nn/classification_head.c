#include "nn/classification_head.h"

as_classification_head as_classification_head_declare(as_parameters *ps, const as_classification_head_config *c,
                                                      int layer, const char *dense, const char *output) {
  as_classification_head h;
  h.dense_weight = as_parameters_declare(ps, AS_ROLE_WEIGHT, layer, c->dim, c->dim, "%s.weight", dense);
  h.dense_bias = as_parameters_declare(ps, AS_ROLE_BIAS, layer, c->dim, 0, "%s.bias", dense);
  h.output_weight = as_parameters_declare(ps, AS_ROLE_WEIGHT, layer, c->classes, c->dim, "%s.weight", output);
  h.output_bias = as_parameters_declare(ps, AS_ROLE_BIAS, layer, c->classes, 0, "%s.bias", output);
  return h;
}

as_tensor *as_classification_head_record(as_graph *g, const as_parameters *ps, const as_classification_head *h,
                                         const as_classification_head_config *c, as_tensor *x) {
  bool fused = c->activation == AS_UNARY_RELU;
  if (c->input_dropout > 0) x = as_dropout_apply(g, x, c->input_dropout);
  x = as_linear(g, x, as_parameter_leaf(g, ps, h->dense_weight), as_parameter_leaf(g, ps, h->dense_bias), true,
                fused ? AS_UNARY_RELU : AS_UNARY_NONE);
  if (!fused) x = as_tanh(g, x);
  if (c->dropout > 0) x = as_dropout_apply(g, x, c->dropout);
  return as_linear(g, x, as_parameter_leaf(g, ps, h->output_weight), as_parameter_leaf(g, ps, h->output_bias), true,
                   AS_UNARY_NONE);
}
