/* The transformer encoder block with normalisation after each half (Vaswani et al. 2017; BERT, DistilBERT, RoBERTa):
 *   x = layer_norm(x + dropout(attention(x)));  y = layer_norm(x + dropout(feed_forward(x))). */
#ifndef AS_NN_ENCODER_BLOCK_H
#define AS_NN_ENCODER_BLOCK_H

#include "nn/parameters.h"
#include "tensor/ops.h"

/* The names of a block's parameters behind its prefix; each is a stem with ".weight" and ".bias". */
typedef struct as_encoder_block_names {
  const char *query, *key, *value, *attention_output, *attention_norm, *intermediate, *output, *output_norm;
} as_encoder_block_names;

typedef struct as_encoder_block_config {
  int64_t dim, hidden_dim;
  int heads;
  as_unary activation;
  double eps;
  double attention_dropout; /* on the attention weights */
  double attention_output_dropout, output_dropout; /* before each residual sum */
} as_encoder_block_config;

/* Numbers of its parameters: weights of query, key, value are neighbours, and so are their biases. */
typedef struct as_encoder_block {
  int qkv_weight, qkv_bias, attention_output_weight, attention_output_bias, attention_norm_weight, attention_norm_bias;
  int intermediate_weight, intermediate_bias, output_weight, output_bias, output_norm_weight, output_norm_bias;
} as_encoder_block;

/* Declares the parameters of block number `layer` (1-based) under "prefix" + name. */
as_encoder_block as_encoder_block_declare(as_parameters *parameters, const as_encoder_block_config *config, int layer,
                                          const char *prefix, const as_encoder_block_names *names);

/* Packs the block's matrices (as_parameters_pack); `rows` for recording with as_encoder_block_record_rows. */
AS_MUST_CHECK as_status as_encoder_block_pack(as_parameters *parameters, const as_encoder_block *block, bool rows);

/* x [tokens, dim] of packed sequences -> [tokens, dim]. */
as_tensor *as_encoder_block_record(as_graph *g, const as_parameters *parameters, const as_encoder_block *block,
                                   const as_encoder_block_config *config, as_tensor *x, as_packed packed);

/* The same for some of the tokens only: keys and values come from all tokens, everything else is computed for `rows`
 * (i32 [n], rows of x in ascending order) -> [n, dim]. `queries` says how many of them each sequence has. */
as_tensor *as_encoder_block_record_rows(as_graph *g, const as_parameters *parameters, const as_encoder_block *block,
                                        const as_encoder_block_config *config, as_tensor *x, as_packed packed,
                                        as_tensor *rows, as_packed queries);

#endif
