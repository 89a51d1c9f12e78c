#include "nn/masked_lm_head.h"

as_masked_lm_head as_masked_lm_head_declare(as_parameters *ps, const as_masked_lm_head_config *c, int layer,
                                            int64_t dim, int64_t vocab_size) {
  as_masked_lm_head h;
  h.dense_weight = as_parameters_declare(ps, AS_ROLE_WEIGHT, layer, dim, dim, "%s.weight", c->dense);
  h.dense_bias = as_parameters_declare(ps, AS_ROLE_BIAS, layer, dim, 0, "%s.bias", c->dense);
  h.norm_weight = as_parameters_declare(ps, AS_ROLE_NORM_WEIGHT, layer, dim, 0, "%s.weight", c->norm);
  h.norm_bias = as_parameters_declare(ps, AS_ROLE_NORM_BIAS, layer, dim, 0, "%s.bias", c->norm);
  h.bias = as_parameters_declare(ps, AS_ROLE_BIAS, layer, vocab_size, 0, "%s", c->bias);
  return h;
}

as_tensor *as_masked_lm_head_record(as_graph *g, const as_parameters *ps, const as_masked_lm_head *h,
                                    const as_masked_lm_head_config *c, as_tensor *x) {
  x = as_linear(g, x, as_parameter_leaf(g, ps, h->dense_weight), as_parameter_leaf(g, ps, h->dense_bias), true,
                c->activation);
  return as_layer_norm(g, x, as_parameter_leaf(g, ps, h->norm_weight), as_parameter_leaf(g, ps, h->norm_bias), c->eps);
}
