/* The fields of DistilBERT's config.json.
 *
 * The ranges keep every product of two sizes far inside int64_t. What they let through is still only a claim: the model
 * believes it when the weights have the same shapes. */
#include "models/distilbert_config.h"

static const as_config_choice activations[] = {
    {"gelu", AS_UNARY_GELU}, {"gelu_new", AS_UNARY_GELU_TANH}, {"relu", AS_UNARY_RELU}, {NULL, 0}};

#define FIELD(name) #name, .offset = offsetof(as_distilbert_config, name)
static const as_config_field fields[] = {
    {FIELD(vocab_size), .kind = AS_CONFIG_INT, .fallback = 30522, .min = 1, .max = 1 << 28},
    {FIELD(dim), .kind = AS_CONFIG_INT, .fallback = 768, .min = 1, .max = 1 << 16},
    {FIELD(hidden_dim), .kind = AS_CONFIG_INT, .fallback = 3072, .min = 1, .max = 1 << 18},
    {FIELD(n_heads), .kind = AS_CONFIG_INT, .fallback = 12, .min = 1, .max = 1 << 16},
    {FIELD(n_layers), .kind = AS_CONFIG_INT, .fallback = 6, .min = 1, .max = 1000},
    {FIELD(max_position_embeddings), .kind = AS_CONFIG_INT, .fallback = 512, .min = 1, .max = 1 << 20},
    {FIELD(pad_token_id), .kind = AS_CONFIG_INT_OR_NONE, .fallback = 0, .min = 0, .max = 1 << 28},
    {FIELD(dropout), .kind = AS_CONFIG_FLOAT, .fallback = 0.1, .min = 0, .max = 1},
    {FIELD(attention_dropout), .kind = AS_CONFIG_FLOAT, .fallback = 0.1, .min = 0, .max = 1},
    {FIELD(seq_classif_dropout), .kind = AS_CONFIG_FLOAT, .fallback = 0.2, .min = 0, .max = 1},
    {FIELD(initializer_range), .kind = AS_CONFIG_FLOAT, .fallback = 0.02, .min = 0, .max = 1000},
    {FIELD(sinusoidal_pos_embds), .kind = AS_CONFIG_BOOL, .fallback = 0},
    {FIELD(activation), .kind = AS_CONFIG_CHOICE, .fallback = AS_UNARY_GELU, .choices = activations},
};
#undef FIELD
_Static_assert(sizeof(as_unary) == sizeof(int), "a choice is stored as an int");

static as_status relate(as_context *ctx, as_status kind, const char *where, const void *config) {
  const as_distilbert_config *c = config;
  if (c->dim % c->n_heads != 0)
    return as_fail(ctx, kind, "%sn_heads is %lld, which does not divide dim %lld", where, (long long)c->n_heads,
                   (long long)c->dim);
  if (c->pad_token_id >= c->vocab_size)
    return as_fail(ctx, kind, "%spad_token_id is %lld, but vocab_size is %lld", where, (long long)c->pad_token_id,
                   (long long)c->vocab_size);
  return AS_OK;
}

static const as_encoder_config_demand demands[] = {{"problem_type", "single_label_classification"}, {NULL, NULL}};

const as_encoder_config_format as_distilbert_config_format = {.model_type = "distilbert",
                                                              .class_name = "DistilBertForSequenceClassification",
                                                              .masked_lm_name = "DistilBertForMaskedLM",
                                                              .fields = fields,
                                                              .field_count = sizeof fields / sizeof fields[0],
                                                              .demands = demands,
                                                              .size = sizeof(as_distilbert_config),
                                                              .labels = offsetof(as_distilbert_config, labels),
                                                              .source = offsetof(as_distilbert_config, source),
                                                              .relate = relate};
