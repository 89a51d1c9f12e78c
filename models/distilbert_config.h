/* The configuration of DistilBERT (Sanh et al. 2019) with a classification head, under the names that transformers'
 * DistilBertConfig gives its fields. */
#ifndef AS_MODELS_DISTILBERT_CONFIG_H
#define AS_MODELS_DISTILBERT_CONFIG_H

#include "models/encoder_config.h"
#include "tensor/kernels/kernels.h"

typedef struct as_distilbert_config {
  int64_t vocab_size;
  int64_t dim;        /* width of the hidden states; a multiple of n_heads */
  int64_t hidden_dim; /* width inside the feed-forward layer */
  int64_t n_heads, n_layers;
  int64_t max_position_embeddings; /* tokens of the longest sequence */
  int64_t pad_token_id;            /* -1: none; its row of the word embeddings gets no gradient */
  double dropout, attention_dropout, seq_classif_dropout; /* probabilities, below 1 */
  double initializer_range;                               /* standard deviation of fresh weights */
  bool sinusoidal_pos_embds; /* fresh position embeddings are sines; in a file they are stored like any others */
  as_unary activation;       /* of the feed-forward layer: AS_UNARY_GELU, AS_UNARY_GELU_TANH or AS_UNARY_RELU */
  as_labels labels;
  json_t *source; /* the file that it was read from, for what else is in it; NULL: none */
} as_distilbert_config;

/* Defaults: distilbert-base's sizes. */
extern const as_encoder_config_format as_distilbert_config_format;

#endif
