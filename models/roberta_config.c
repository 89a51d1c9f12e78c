/* The fields of RoBERTa's config.json. The ranges keep every product of two sizes far inside int64_t. */
#include "models/roberta_config.h"

static const as_config_choice activations[] = {
    {"gelu", AS_UNARY_GELU}, {"gelu_new", AS_UNARY_GELU_TANH}, {"relu", AS_UNARY_RELU}, {NULL, 0}};

#define FIELD(name) #name, .offset = offsetof(as_roberta_config, name)
static const as_config_field fields[] = {
    {FIELD(vocab_size), .kind = AS_CONFIG_INT, .fallback = 50265, .min = 1, .max = 1 << 28},
    {FIELD(hidden_size), .kind = AS_CONFIG_INT, .fallback = 768, .min = 1, .max = 1 << 16},
    {FIELD(intermediate_size), .kind = AS_CONFIG_INT, .fallback = 3072, .min = 1, .max = 1 << 18},
    {FIELD(num_attention_heads), .kind = AS_CONFIG_INT, .fallback = 12, .min = 1, .max = 1 << 16},
    {FIELD(num_hidden_layers), .kind = AS_CONFIG_INT, .fallback = 12, .min = 1, .max = 1000},
    {FIELD(max_position_embeddings), .kind = AS_CONFIG_INT, .fallback = 512, .min = 1, .max = 1 << 20},
    {FIELD(type_vocab_size), .kind = AS_CONFIG_INT, .fallback = 2, .min = 1, .max = 1 << 16},
    {FIELD(pad_token_id), .kind = AS_CONFIG_INT, .fallback = 1, .min = 0, .max = 1 << 28},
    {FIELD(hidden_dropout_prob), .kind = AS_CONFIG_FLOAT, .fallback = 0.1, .min = 0, .max = 1},
    {FIELD(attention_probs_dropout_prob), .kind = AS_CONFIG_FLOAT, .fallback = 0.1, .min = 0, .max = 1},
    {FIELD(classifier_dropout), .kind = AS_CONFIG_FLOAT_OR_NONE, .fallback = -1, .min = 0, .max = 1},
    {FIELD(initializer_range), .kind = AS_CONFIG_FLOAT, .fallback = 0.02, .min = 0, .max = 1000},
    {FIELD(layer_norm_eps), .kind = AS_CONFIG_FLOAT, .fallback = 1e-12, .min = 1e-30, .max = 0.5},
    {FIELD(hidden_act), .kind = AS_CONFIG_CHOICE, .fallback = AS_UNARY_GELU, .choices = activations},
};
#undef FIELD
_Static_assert(sizeof(as_unary) == sizeof(int), "a choice is stored as an int");

static as_status relate(as_context *ctx, as_status kind, const char *where, const void *config) {
  const as_roberta_config *c = config;
  if (c->hidden_size % c->num_attention_heads != 0)
    return as_fail(ctx, kind, "%snum_attention_heads is %lld, which does not divide hidden_size %lld", where,
                   (long long)c->num_attention_heads, (long long)c->hidden_size);
  if (c->pad_token_id >= c->vocab_size)
    return as_fail(ctx, kind, "%spad_token_id is %lld, but vocab_size is %lld", where, (long long)c->pad_token_id,
                   (long long)c->vocab_size);
  if (c->max_position_embeddings < c->pad_token_id + 2)
    return as_fail(ctx, kind,
                   "%smax_position_embeddings is %lld, which leaves no position: the first one is that behind "
                   "pad_token_id %lld",
                   where, (long long)c->max_position_embeddings, (long long)c->pad_token_id);
  return AS_OK;
}

/* transformers 4 had relative positions too; a decoder masks what comes later. */
static const as_encoder_config_demand demands[] = {{"problem_type", "single_label_classification"},
                                                   {"position_embedding_type", "absolute"},
                                                   {"is_decoder", NULL},
                                                   {NULL, NULL}};

const as_encoder_config_format as_roberta_config_format = {.model_type = "roberta",
                                                           .class_name = "RobertaForSequenceClassification",
                                                           .masked_lm_name = "RobertaForMaskedLM",
                                                           .fields = fields,
                                                           .field_count = sizeof fields / sizeof fields[0],
                                                           .demands = demands,
                                                           .size = sizeof(as_roberta_config),
                                                           .labels = offsetof(as_roberta_config, labels),
                                                           .source = offsetof(as_roberta_config, source),
                                                           .relate = relate};
