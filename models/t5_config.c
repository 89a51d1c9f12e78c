/* Reading, checking and writing T5's config.json.
 *
 * Whether the output is scaled: transformers 5 says it with scale_decoder_outputs; transformers 4 with
 * tie_word_embeddings, false in v1.1, which has an output matrix of its own and no scaling. Both are written, so that
 * each reads what is meant. */
#include "models/t5_config.h"

#include <stdio.h>
#include <string.h>

static const as_config_choice feed_forwards[] = {{"relu", AS_T5_RELU},
                                                 {"gelu", AS_T5_GELU},
                                                 {"gelu_new", AS_T5_GELU_NEW},
                                                 {"gated-gelu", AS_T5_GATED_GELU},
                                                 {"gated-relu", AS_T5_GATED_RELU},
                                                 {NULL, 0}};

/* An absent num_decoder_layers is num_layers, an absent decoder_start_token_id the padding. */
enum { ABSENT = -1 };

#define FIELD(name) #name, .offset = offsetof(as_t5_config, name)
static const as_config_field fields[] = {
    {FIELD(vocab_size), .kind = AS_CONFIG_INT, .fallback = 32128, .min = 1, .max = 1 << 28},
    {FIELD(d_model), .kind = AS_CONFIG_INT, .fallback = 512, .min = 1, .max = 1 << 16},
    {FIELD(d_kv), .kind = AS_CONFIG_INT, .fallback = 64, .min = 1, .max = 1 << 16},
    {FIELD(d_ff), .kind = AS_CONFIG_INT, .fallback = 2048, .min = 1, .max = 1 << 18},
    {FIELD(num_layers), .kind = AS_CONFIG_INT, .fallback = 6, .min = 1, .max = 1000},
    {FIELD(num_decoder_layers), .kind = AS_CONFIG_INT_OR_NONE, .fallback = ABSENT, .min = 1, .max = 1000},
    {FIELD(num_heads), .kind = AS_CONFIG_INT, .fallback = 8, .min = 1, .max = 1 << 16},
    {FIELD(relative_attention_num_buckets), .kind = AS_CONFIG_INT, .fallback = 32, .min = 4, .max = 1 << 16},
    {FIELD(relative_attention_max_distance), .kind = AS_CONFIG_INT, .fallback = 128, .min = 2, .max = 1 << 20},
    {FIELD(pad_token_id), .kind = AS_CONFIG_INT, .fallback = 0, .min = 0, .max = 1 << 28},
    {FIELD(eos_token_id), .kind = AS_CONFIG_INT, .fallback = 1, .min = 0, .max = 1 << 28},
    {FIELD(decoder_start_token_id), .kind = AS_CONFIG_INT_OR_NONE, .fallback = ABSENT, .min = 0, .max = 1 << 28},
    {FIELD(dropout_rate), .kind = AS_CONFIG_FLOAT, .fallback = 0.1, .min = 0, .max = 1},
    {FIELD(layer_norm_epsilon), .kind = AS_CONFIG_FLOAT, .fallback = 1e-6, .min = 0, .max = 1},
    {FIELD(initializer_factor), .kind = AS_CONFIG_FLOAT, .fallback = 1, .min = 0, .max = 1000},
    {FIELD(feed_forward_proj), .kind = AS_CONFIG_CHOICE, .fallback = AS_T5_RELU, .choices = feed_forwards},
};
#undef FIELD
enum { FIELDS = sizeof fields / sizeof fields[0] };
_Static_assert(sizeof(as_t5_feed_forward) == sizeof(int), "a choice is stored as an int");

static void fill_absent(as_t5_config *config) {
  if (config->num_decoder_layers == ABSENT) config->num_decoder_layers = config->num_layers;
  if (config->decoder_start_token_id == ABSENT) config->decoder_start_token_id = config->pad_token_id;
}

as_t5_config as_t5_config_default(void) {
  as_t5_config config = {0};
  as_config_defaults(fields, FIELDS, &config);
  config.scale_decoder_outputs = true;
  fill_absent(&config);
  return config;
}

/* ---- checking --------------------------------------------------------------------------------------------------- */

/* What the fields must be to each other. `where` stands in front of the text. */
static as_status check_relations(as_context *ctx, as_status kind, const char *where, const as_t5_config *c) {
  const struct {
    const char *name;
    int64_t id;
  } ids[] = {{"pad_token_id", c->pad_token_id},
             {"eos_token_id", c->eos_token_id},
             {"decoder_start_token_id", c->decoder_start_token_id}};
  for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
    if (ids[i].id >= c->vocab_size)
      return as_fail(ctx, kind, "%s%s is %lld, but vocab_size is %lld", where, ids[i].name, (long long)ids[i].id,
                     (long long)c->vocab_size);
  if (c->relative_attention_max_distance <= c->relative_attention_num_buckets / 2)
    return as_fail(ctx, kind,
                   "%srelative_attention_max_distance is %lld, but must be more than half of "
                   "relative_attention_num_buckets, %lld",
                   where, (long long)c->relative_attention_max_distance, (long long)c->relative_attention_num_buckets);
  if (c->dropout_rate >= 1)
    return as_fail(ctx, kind, "%sdropout_rate is 1, but must be below 1: all would be dropped", where);
  return AS_OK;
}

as_status as_t5_config_check(as_context *ctx, const as_t5_config *config) {
  as_status status = as_config_check_fields(ctx, fields, FIELDS, config);
  return status == AS_OK ? check_relations(ctx, AS_E_INVALID, "", config) : status;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static as_status check_type(const as_model_config *file) {
  const char *type;
  const json_t *pair = json_object_get(file->root, "is_encoder_decoder");
  as_status status = as_model_config_text(file, "model_type", &type);
  if (status == AS_OK && strcmp(type, "t5") != 0)
    return as_fail(file->ctx, AS_E_MODEL, "%s: model_type is \"%.60s\", but must be \"t5\"", file->path, type);
  if (status == AS_OK && json_is_false(pair))
    return as_fail(file->ctx, AS_E_UNSUPPORTED, "%s: is_encoder_decoder is false; only the whole T5 is supported",
                   file->path);
  return status;
}

/* A field that is true or false, or absent. */
static as_status read_bool(const as_model_config *file, const char *name, bool fallback, bool *value) {
  const json_t *given = json_object_get(file->root, name);
  *value = given && !json_is_null(given) ? json_is_true(given) : fallback;
  if (!given || json_is_null(given) || json_is_boolean(given)) return AS_OK;
  return as_fail(file->ctx, AS_E_MODEL, "%s: %s must be true or false", file->path, name);
}

static as_status read_file(const as_model_config *file, as_t5_config *config) {
  char where[4096];
  bool tied = true;
  as_status status = check_type(file);
  if (status == AS_OK) status = as_config_read_fields(file, fields, FIELDS, config);
  if (status == AS_OK) status = read_bool(file, "tie_word_embeddings", true, &tied);
  if (status == AS_OK) status = read_bool(file, "scale_decoder_outputs", tied, &config->scale_decoder_outputs);
  if (status != AS_OK) return status;
  fill_absent(config);
  snprintf(where, sizeof where, "%s: ", file->path);
  status = check_relations(file->ctx, AS_E_MODEL, where, config);
  if (status == AS_OK) config->source = json_incref(file->root);
  return status;
}

as_status as_t5_config_read(as_context *ctx, const char *folder, as_t5_config *config) {
  as_model_config file;
  *config = (as_t5_config){0};
  as_status status = as_model_config_read(ctx, folder, &file);
  if (status == AS_OK) status = read_file(&file, config);
  as_model_config_free(&file);
  return status;
}

void as_t5_config_free(as_t5_config *config) {
  json_decref(config->source);
  config->source = NULL;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static bool set_text(json_t *root, const char *name, const char *text) {
  return json_object_set_new(root, name, json_string(text)) == 0;
}

static bool set_bool(json_t *root, const char *name, bool value) {
  return json_object_set_new(root, name, json_boolean(value)) == 0;
}

/* `dtype` is what transformers 5 reads, `torch_dtype` what earlier ones do. */
static bool store(json_t *root, const as_t5_config *config) {
  return as_config_store_fields(root, fields, FIELDS, config) && set_text(root, "model_type", "t5") &&
         json_object_set_new(root, "architectures", json_pack("[s]", "T5ForConditionalGeneration")) == 0 &&
         set_bool(root, "is_encoder_decoder", true) &&
         set_bool(root, "tie_word_embeddings", config->scale_decoder_outputs) &&
         set_bool(root, "scale_decoder_outputs", config->scale_decoder_outputs) && set_text(root, "dtype", "float32") &&
         set_text(root, "torch_dtype", "float32");
}

as_status as_t5_config_check_tokenizer(as_context *ctx, const as_t5_config *config, size_t ids, const char *where) {
  if (ids <= (size_t)config->vocab_size) return AS_OK;
  return as_fail(ctx, AS_E_MODEL,
                 "%s: the tokenizer has %zu ids and the model's vocab_size is %lld; they do not belong together", where,
                 ids, (long long)config->vocab_size);
}

as_status as_t5_config_write(as_context *ctx, const as_t5_config *config, const char *folder) {
  as_status status = as_t5_config_check(ctx, config);
  if (status != AS_OK) return status;
  json_t *root = config->source ? json_copy(config->source) : json_object();
  status = root && store(root, config) ? as_config_write(ctx, folder, root)
                                       : as_fail(ctx, AS_E_NOMEM, "%s/config.json: out of memory", folder);
  json_decref(root);
  return status;
}
