/* The configuration of RoBERTa (Liu et al. 2019) with a classification head, under the names that transformers'
 * RobertaConfig gives its fields. */
#ifndef AS_MODELS_ROBERTA_CONFIG_H
#define AS_MODELS_ROBERTA_CONFIG_H

#include "models/encoder_config.h"
#include "tensor/kernels/kernels.h"

typedef struct as_roberta_config {
  int64_t vocab_size;
  int64_t hidden_size;       /* width of the hidden states; a multiple of num_attention_heads */
  int64_t intermediate_size; /* width inside the feed-forward layer */
  int64_t num_attention_heads, num_hidden_layers;
  int64_t max_position_embeddings; /* rows of the table; positions begin behind pad_token_id, so 514 read 512 tokens */
  int64_t type_vocab_size;         /* rows of the token types, of which the first is added everywhere */
  int64_t pad_token_id;            /* its rows of the word and the position embeddings get no gradient */
  double hidden_dropout_prob, attention_probs_dropout_prob; /* probabilities, below 1 */
  double classifier_dropout;                                /* of the head; -1: hidden_dropout_prob */
  double initializer_range;                                 /* standard deviation of fresh weights */
  double layer_norm_eps;
  as_unary hidden_act; /* of the feed-forward layer: AS_UNARY_GELU, AS_UNARY_GELU_TANH or AS_UNARY_RELU */
  as_labels labels;
  json_t *source; /* the file that it was read from, for what else is in it; NULL: none */
} as_roberta_config;

/* Defaults: those of transformers' class, which are roberta-base's but for the vocabulary of types (2 for 1), the
 * positions (512 for 514) and the eps (1e-12 for 1e-5). */
extern const as_encoder_config_format as_roberta_config_format;

#endif
