/* The masked-language-model head of encoders (Devlin et al. 2019; transformers' DistilBertForMaskedLM and
 * RobertaForMaskedLM): a dense layer, an activation, a normalisation, and an output layer whose weight is the table of
 * word embeddings. */
#ifndef AS_NN_MASKED_LM_HEAD_H
#define AS_NN_MASKED_LM_HEAD_H

#include "nn/parameters.h"
#include "tensor/ops.h"

typedef struct as_masked_lm_head_config {
  const char *dense, *norm; /* stems: "vocab_transform", "vocab_layer_norm" */
  const char *bias;         /* of the output: "vocab_projector.bias" */
  const char *bias_alias;   /* another name that files have for it; NULL: none */
  as_unary activation;
  double eps;
} as_masked_lm_head_config;

/* Numbers of its parameters; the first is dense_weight. */
typedef struct as_masked_lm_head {
  int dense_weight, dense_bias, norm_weight, norm_bias, bias;
} as_masked_lm_head;

as_masked_lm_head as_masked_lm_head_declare(as_parameters *parameters, const as_masked_lm_head_config *config,
                                            int layer, int64_t dim, int64_t vocab_size);

/* x [rows, dim] -> what the output layer reads [rows, dim]. */
as_tensor *as_masked_lm_head_record(as_graph *g, const as_parameters *parameters, const as_masked_lm_head *head,
                                    const as_masked_lm_head_config *config, as_tensor *x);

#endif
