/* The configuration of T5 (Raffel et al. 2020) and T5 v1.1, under the names that transformers' T5Config gives its
 * fields, as transformers 4 and 5 write them. */
#ifndef AS_MODELS_T5_CONFIG_H
#define AS_MODELS_T5_CONFIG_H

#include "models/config.h"

/* The hidden layer of the feed-forward network. "gated-gelu" means the GELU with tanh, "gelu" the one with erf. */
typedef enum as_t5_feed_forward {
  AS_T5_RELU,
  AS_T5_GELU,
  AS_T5_GELU_NEW,
  AS_T5_GATED_GELU,
  AS_T5_GATED_RELU
} as_t5_feed_forward;

typedef struct as_t5_config {
  int64_t vocab_size;
  int64_t d_model;      /* width of the hidden states */
  int64_t d_kv;         /* width of a head; num_heads * d_kv need not be d_model */
  int64_t d_ff;         /* width inside the feed-forward network */
  int64_t num_layers;   /* of the encoder */
  int64_t num_decoder_layers;
  int64_t num_heads;
  int64_t relative_attention_num_buckets, relative_attention_max_distance;
  int64_t pad_token_id, eos_token_id, decoder_start_token_id;
  double dropout_rate; /* below 1 */
  double layer_norm_epsilon;
  double initializer_factor;
  as_t5_feed_forward feed_forward_proj;
  bool scale_decoder_outputs; /* the decoder's output is multiplied by d_model^-0.5 before the output projection */
  json_t *source;             /* the file that it was read from, for what else is in it; NULL: none */
} as_t5_config;

/* The defaults of transformers, which are t5-small's sizes. Allocates nothing. */
as_t5_config as_t5_config_default(void);

/* Reads folder/config.json and checks it. AS_E_MODEL names the file and the field. Free with as_t5_config_free, which
 * is allowed after a failure too. */
AS_MUST_CHECK as_status as_t5_config_read(as_context *ctx, const char *folder, as_t5_config *config);
void as_t5_config_free(as_t5_config *config);

/* Checks a configuration that did not come from a file: AS_E_INVALID names the field. */
AS_MUST_CHECK as_status as_t5_config_check(as_context *ctx, const as_t5_config *config);

/* AS_E_MODEL, with a text that begins with `where`, when a tokenizer of so many ids does not fit the embeddings. */
AS_MUST_CHECK as_status as_t5_config_check_tokenizer(as_context *ctx, const as_t5_config *config, size_t ids,
                                                     const char *where);

/* Writes folder/config.json such that transformers opens the folder as a T5ForConditionalGeneration in float32; fields
 * of `source` that are not in the struct are kept. */
AS_MUST_CHECK as_status as_t5_config_write(as_context *ctx, const as_t5_config *config, const char *folder);

#endif
