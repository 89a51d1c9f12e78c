/* Reading, checking and writing DistilBERT's config.json.
 *
 * The ranges keep every product of two sizes far inside int64_t. What they let through is still only a claim: the model
 * believes it when the weights have the same shapes. */
#include "models/distilbert_config.h"

#include <string.h>

#include "base/memory.h"

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
    {FIELD(pad_token_id), .kind = AS_CONFIG_INT, .fallback = 0, .min = -1, .max = 1 << 28},
    {FIELD(dropout), .kind = AS_CONFIG_FLOAT, .fallback = 0.1, .min = 0, .max = 1},
    {FIELD(attention_dropout), .kind = AS_CONFIG_FLOAT, .fallback = 0.1, .min = 0, .max = 1},
    {FIELD(seq_classif_dropout), .kind = AS_CONFIG_FLOAT, .fallback = 0.2, .min = 0, .max = 1},
    {FIELD(initializer_range), .kind = AS_CONFIG_FLOAT, .fallback = 0.02, .min = 0, .max = 1000},
    {FIELD(sinusoidal_pos_embds), .kind = AS_CONFIG_BOOL, .fallback = 0},
    {FIELD(activation), .kind = AS_CONFIG_CHOICE, .fallback = AS_UNARY_GELU, .choices = activations},
};
#undef FIELD
enum { FIELDS = sizeof fields / sizeof fields[0] };
_Static_assert(sizeof(as_unary) == sizeof(int), "a choice is stored as an int");

as_distilbert_config as_distilbert_config_default(void) {
  as_distilbert_config config = {0};
  as_config_defaults(fields, FIELDS, &config);
  return config;
}

/* What the fields must be to each other. `where` stands in front of the text. */
static as_status check_relations(as_context *ctx, as_status kind, const char *where,
                                 const as_distilbert_config *config) {
  if (config->dim % config->n_heads != 0)
    return as_fail(ctx, kind, "%sn_heads is %lld, which does not divide dim %lld", where, (long long)config->n_heads,
                   (long long)config->dim);
  if (config->pad_token_id >= config->vocab_size)
    return as_fail(ctx, kind, "%spad_token_id is %lld, but vocab_size is %lld", where, (long long)config->pad_token_id,
                   (long long)config->vocab_size);
  const struct {
    const char *name;
    double value;
  } probabilities[] = {{"dropout", config->dropout},
                       {"attention_dropout", config->attention_dropout},
                       {"seq_classif_dropout", config->seq_classif_dropout}};
  for (size_t i = 0; i < sizeof probabilities / sizeof probabilities[0]; i++)
    if (probabilities[i].value >= 1)
      return as_fail(ctx, kind, "%s%s is 1, but must be below 1: all would be dropped", where, probabilities[i].name);
  return AS_OK;
}

as_status as_distilbert_config_check(as_context *ctx, const as_distilbert_config *config) {
  as_status status = as_config_check_fields(ctx, fields, FIELDS, config);
  return status == AS_OK ? check_relations(ctx, AS_E_INVALID, "", config) : status;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static as_status check_type(const as_model_config *file) {
  const char *type;
  as_status status = as_model_config_text(file, "model_type", &type);
  if (status == AS_OK && strcmp(type, "distilbert") != 0)
    status = as_fail(file->ctx, AS_E_MODEL, "%s: model_type is \"%s\", but must be \"distilbert\"", file->path, type);
  return status;
}

static as_status check_problem(const as_model_config *file) {
  const char *problem;
  const json_t *value = json_object_get(file->root, "problem_type");
  if (!value || json_is_null(value)) return AS_OK;
  as_status status = as_model_config_text(file, "problem_type", &problem);
  if (status == AS_OK && strcmp(problem, "single_label_classification") != 0)
    status =
        as_fail(file->ctx, AS_E_UNSUPPORTED,
                "%s: problem_type is \"%s\"; only \"single_label_classification\" is supported", file->path, problem);
  return status;
}

static as_status read_file(const as_model_config *file, as_distilbert_config *config) {
  char where[4096];
  as_status status = check_type(file);
  if (status == AS_OK) status = check_problem(file);
  if (status == AS_OK) status = as_config_read_fields(file, fields, FIELDS, config);
  if (status != AS_OK) return status;
  if (json_is_null(json_object_get(file->root, "pad_token_id"))) config->pad_token_id = -1;
  snprintf(where, sizeof where, "%s: ", file->path);
  status = check_relations(file->ctx, AS_E_MODEL, where, config);
  if (status == AS_OK) status = as_config_read_labels(file, &config->labels);
  if (status == AS_OK) config->source = json_incref(file->root);
  return status;
}

as_status as_distilbert_config_read(as_context *ctx, const char *folder, as_distilbert_config *config) {
  as_model_config file;
  *config = (as_distilbert_config){0};
  as_status status = as_model_config_read(ctx, folder, &file);
  if (status == AS_OK) status = read_file(&file, config);
  as_model_config_free(&file);
  return status;
}

void as_distilbert_config_free(as_context *ctx, as_distilbert_config *config) {
  as_labels_free(ctx, &config->labels);
  json_decref(config->source);
  config->source = NULL;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static bool set_text(json_t *root, const char *name, const char *text) {
  return json_object_set_new(root, name, json_string(text)) == 0;
}

/* `dtype` is what transformers 5 reads, `torch_dtype` what earlier ones do. */
static bool store(json_t *root, const as_distilbert_config *config) {
  return as_config_store_fields(root, fields, FIELDS, config) &&
         (config->pad_token_id >= 0 || json_object_set_new(root, "pad_token_id", json_null()) == 0) &&
         as_config_store_labels(root, &config->labels) && set_text(root, "model_type", "distilbert") &&
         json_object_set_new(root, "architectures", json_pack("[s]", "DistilBertForSequenceClassification")) == 0 &&
         set_text(root, "problem_type", "single_label_classification") && set_text(root, "dtype", "float32") &&
         set_text(root, "torch_dtype", "float32");
}

as_status as_distilbert_config_write(as_context *ctx, const as_distilbert_config *config, const char *folder) {
  as_status status = as_distilbert_config_check(ctx, config);
  if (status != AS_OK) return status;
  json_t *root = config->source ? json_copy(config->source) : json_object();
  status = root && store(root, config) ? as_config_write(ctx, folder, root)
                                       : as_fail(ctx, AS_E_NOMEM, "%s/config.json: out of memory", folder);
  json_decref(root);
  return status;
}
