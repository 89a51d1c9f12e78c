/* DistilBERT (Sanh et al. 2019) as an encoder description: token and position embeddings, blocks with dropout after the
 * feed-forward layer but not after attention, LayerNorm eps 1e-12, head pre_classifier - ReLU - dropout - classifier on
 * the first token, as transformers' DistilBertForSequenceClassification has them. */
#include "models/distilbert_config.h"
#include "models/encoder.h"

#define EPS 1e-12 /* not in config.json */

static const as_encoder_block_names block_names = {.query = "attention.q_lin", .key = "attention.k_lin",
                                                   .value = "attention.v_lin", .attention_output = "attention.out_lin",
                                                   .attention_norm = "sa_layer_norm", .intermediate = "ffn.lin1",
                                                   .output = "ffn.lin2", .output_norm = "output_layer_norm"};

static const as_encoder_preset presets[] = {{"tiny", 128, 512, 2, 2},
                                            {"mini", 256, 1024, 4, 4},
                                            {"small", 512, 2048, 8, 4},
                                            {"base", 768, 3072, 12, 6},
                                            {NULL, 0, 0, 0, 0}};

static void set_sizes(void *config, const as_encoder_preset *preset, int64_t vocab_size, int64_t pad_token_id) {
  as_distilbert_config *c = config;
  c->vocab_size = vocab_size;
  c->dim = preset->dim;
  c->hidden_dim = preset->hidden_dim;
  c->n_heads = preset->heads;
  c->n_layers = preset->layers;
  c->pad_token_id = pad_token_id;
}

static void set_dropout(void *config, double dropout) {
  as_distilbert_config *c = config;
  c->dropout = c->attention_dropout = c->seq_classif_dropout = dropout;
}

static as_encoder_description describe(const void *config) {
  const as_distilbert_config *c = config;
  return (as_encoder_description){
      .vocab_size = c->vocab_size,
      .layers = c->n_layers,
      .max_tokens = c->max_position_embeddings,
      .pad_token_id = c->pad_token_id,
      .initializer_range = c->initializer_range,
      .table_count = 2,
      .tables = {{"embeddings.word_embeddings", AS_INDEX_IDS, c->vocab_size, c->pad_token_id, false},
                 {"embeddings.position_embeddings", AS_INDEX_POSITIONS, c->max_position_embeddings, -1,
                  c->sinusoidal_pos_embds}},
      .embedding_norm = "embeddings.LayerNorm",
      .embedding_dropout = c->dropout,
      .block = {.dim = c->dim,
                .hidden_dim = c->hidden_dim,
                .heads = (int)c->n_heads,
                .activation = c->activation,
                .eps = EPS,
                .attention_dropout = c->attention_dropout,
                .attention_output_dropout = 0,
                .output_dropout = c->dropout},
      .block_prefix = "transformer.layer",
      .block_names = &block_names,
      .head = {.dim = c->dim, .activation = AS_UNARY_RELU, .dropout = c->seq_classif_dropout},
      .head_dense = "pre_classifier",
      .head_output = "classifier",
      .masked_lm_head = {.dense = "vocab_transform",
                         .norm = "vocab_layer_norm",
                         .bias = "vocab_projector.bias",
                         .activation = c->activation,
                         .eps = EPS},
      .prefix = "distilbert."};
}

const as_encoder_architecture as_distilbert = {
    &as_distilbert_config_format, presets, "WordPiece", set_sizes, set_dropout, describe};
