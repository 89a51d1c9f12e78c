/* The transformer block of T5 (Raffel et al. 2020), of the encoder and of the decoder. Each part normalises first and
 * has no bias:
 *   x += dropout(attention(rms_norm(x)));  decoder: x += dropout(cross_attention(rms_norm(x), encoder output));
 *   x += dropout(feed_forward(rms_norm(x))).
 * Scores are not scaled. Self-attention has a relative position bias, one table for all blocks of a stack. */
#ifndef AS_NN_T5_BLOCK_H
#define AS_NN_T5_BLOCK_H

#include "nn/parameters.h"
#include "tensor/ops.h"

typedef struct as_t5_block_config {
  int64_t dim, hidden_dim;
  int heads, head_dim;
  as_unary activation;
  bool gated; /* activation(wi_0 x) * (wi_1 x) instead of activation(wi x) */
  double eps;
  double dropout; /* of the parts' outputs, of the attention weights and inside the feed-forward network */
  int64_t buckets, max_distance; /* of the relative position bias */
  bool decoder;                  /* causal, with cross attention */
} as_t5_block_config;

/* Numbers of its parameters: query, key and value are neighbours, and so are the two halves of a gated hidden layer. */
typedef struct as_t5_block {
  int attention_norm, qkv, attention_output;
  int cross_norm, cross_q, cross_kv, cross_output; /* of the decoder */
  int feed_forward_norm, hidden, output;
} as_t5_block;

/* Declares the parameters of block number `layer` (1-based) under `prefix`. With position_bias not NULL, as the first
 * block of a stack has it, the table of biases too, and puts its number there. */
as_t5_block as_t5_block_declare(as_parameters *parameters, const as_t5_block_config *config, int layer,
                                const char *prefix, int *position_bias);

/* Fresh values, as transformers has them: normal, with standard deviations by the widths times `factor`. */
void as_t5_block_initialize(as_parameters *parameters, const as_t5_block *block, const as_t5_block_config *config,
                            double factor, uint64_t seed);

/* Packs the block's matrices (as_parameters_pack). */
AS_MUST_CHECK as_status as_t5_block_pack(as_parameters *parameters, const as_t5_block *block,
                                         const as_t5_block_config *config);

/* The encoder's last hidden states, to which the decoder attends. */
typedef struct as_t5_memory {
  as_tensor *states; /* [source tokens, dim] */
  as_packed packed;
} as_t5_memory;

/* x [tokens, dim] of packed sequences -> [tokens, dim]. position_bias [buckets, heads]. `memory` for a decoder. */
as_tensor *as_t5_block_record(as_graph *g, const as_parameters *parameters, const as_t5_block *block,
                              const as_t5_block_config *config, as_tensor *x, as_packed packed,
                              as_tensor *position_bias, const as_t5_memory *memory);

#endif
