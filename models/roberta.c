/* RoBERTa (Liu et al. 2019) as an encoder description: token, position and type embeddings, positions counted from
 * behind the padding index, blocks with dropout before both residual sums, head dropout - dense - tanh - dropout -
 * out_proj on the first token, as transformers' RobertaForSequenceClassification has them. */
#include "models/encoder.h"
#include "models/roberta_config.h"

/* What released models have where transformers' class has other defaults. */
#define RELEASED_EPS 1e-5
#define RELEASED_TOKENS 512

static const as_encoder_preset presets[] = {{"tiny", 128, 512, 2, 2},
                                            {"mini", 256, 1024, 4, 4},
                                            {"small", 512, 2048, 8, 4},
                                            {"base", 768, 3072, 12, 12},
                                            {NULL, 0, 0, 0, 0}};

static const as_encoder_block_names block_names = {.query = "attention.self.query",
                                                   .key = "attention.self.key",
                                                   .value = "attention.self.value",
                                                   .attention_output = "attention.output.dense",
                                                   .attention_norm = "attention.output.LayerNorm",
                                                   .intermediate = "intermediate.dense",
                                                   .output = "output.dense",
                                                   .output_norm = "output.LayerNorm"};

static void set_sizes(void *config, const as_encoder_preset *preset, int64_t vocab_size, int64_t pad_token_id) {
  as_roberta_config *c = config;
  c->vocab_size = vocab_size;
  c->hidden_size = preset->dim;
  c->intermediate_size = preset->hidden_dim;
  c->num_attention_heads = preset->heads;
  c->num_hidden_layers = preset->layers;
  c->pad_token_id = pad_token_id;
  c->max_position_embeddings = pad_token_id + 1 + RELEASED_TOKENS;
  c->type_vocab_size = 1;
  c->layer_norm_eps = RELEASED_EPS;
}

static void set_dropout(void *config, double dropout) {
  as_roberta_config *c = config;
  c->hidden_dropout_prob = c->attention_probs_dropout_prob = dropout;
  c->classifier_dropout = -1;
}

static as_encoder_description describe(const void *config) {
  const as_roberta_config *c = config;
  const double head_dropout = c->classifier_dropout < 0 ? c->hidden_dropout_prob : c->classifier_dropout;
  return (as_encoder_description){
      .vocab_size = c->vocab_size,
      .layers = c->num_hidden_layers,
      .max_tokens = c->max_position_embeddings - c->pad_token_id - 1,
      .pad_token_id = c->pad_token_id,
      .first_position = c->pad_token_id + 1,
      .positions_skip_padding = true,
      .initializer_range = c->initializer_range,
      .table_count = 3,
      .tables = {{"embeddings.word_embeddings", AS_INDEX_IDS, c->vocab_size, c->pad_token_id, false},
                 {"embeddings.position_embeddings", AS_INDEX_POSITIONS, c->max_position_embeddings, c->pad_token_id,
                  false},
                 {"embeddings.token_type_embeddings", AS_INDEX_TYPES, c->type_vocab_size, -1, false}},
      .embedding_norm = "embeddings.LayerNorm",
      .embedding_dropout = c->hidden_dropout_prob,
      .block = {.dim = c->hidden_size,
                .hidden_dim = c->intermediate_size,
                .heads = (int)c->num_attention_heads,
                .activation = c->hidden_act,
                .eps = c->layer_norm_eps,
                .attention_dropout = c->attention_probs_dropout_prob,
                .attention_output_dropout = c->hidden_dropout_prob,
                .output_dropout = c->hidden_dropout_prob},
      .block_prefix = "encoder.layer",
      .block_names = &block_names,
      .head = {.dim = c->hidden_size,
               .activation = AS_UNARY_TANH,
               .input_dropout = head_dropout,
               .dropout = head_dropout},
      .head_dense = "classifier.dense",
      .head_output = "classifier.out_proj",
      .masked_lm_head = {.dense = "lm_head.dense",
                         .norm = "lm_head.layer_norm",
                         .bias = "lm_head.bias",
                         .bias_alias = "lm_head.decoder.bias",
                         .activation = AS_UNARY_GELU,
                         .eps = c->layer_norm_eps},
      .prefix = "roberta."};
}

const as_encoder_architecture as_roberta = {
    &as_roberta_config_format, presets, "BPE", set_sizes, set_dropout, describe};
