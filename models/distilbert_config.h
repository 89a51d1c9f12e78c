/* The configuration of DistilBERT (Sanh et al. 2019) with a classification head, under the names that transformers'
 * DistilBertConfig gives its fields. */
#ifndef AS_MODELS_DISTILBERT_CONFIG_H
#define AS_MODELS_DISTILBERT_CONFIG_H

#include "models/config.h"
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

/* The defaults of transformers, which are distilbert-base's sizes; no labels. Allocates nothing. */
as_distilbert_config as_distilbert_config_default(void);

/* Reads folder/config.json and checks it; allocates for the labels only, whatever sizes the file gives. AS_E_MODEL
 * names the file and the field; AS_E_UNSUPPORTED for a problem_type other than single_label_classification. Free with
 * as_distilbert_config_free. */
AS_MUST_CHECK as_status as_distilbert_config_read(as_context *ctx, const char *folder, as_distilbert_config *config);
void as_distilbert_config_free(as_context *ctx, as_distilbert_config *config);

/* Checks a configuration that did not come from a file: AS_E_INVALID names the field. */
AS_MUST_CHECK as_status as_distilbert_config_check(as_context *ctx, const as_distilbert_config *config);

/* Writes folder/config.json such that transformers opens the folder as a DistilBertForSequenceClassification in float32
 * with these labels; fields of `source` that are not in the struct are kept. */
AS_MUST_CHECK as_status as_distilbert_config_write(as_context *ctx, const as_distilbert_config *config,
                                                   const char *folder);

#endif
