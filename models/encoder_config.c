/* Reading, checking and writing the config.json of encoders. See encoder_config.h. */
#include "models/encoder_config.h"

#include <stdio.h>
#include <string.h>

static json_t **source_of(const as_encoder_config_format *format, void *config) {
  return (json_t **)(void *)((char *)config + format->source);
}

as_labels *as_encoder_config_labels(const as_encoder_config_format *format, void *config) {
  return (as_labels *)(void *)((char *)config + format->labels);
}

void as_encoder_config_default(const as_encoder_config_format *format, void *config) {
  memset(config, 0, format->size);
  as_config_defaults(format->fields, format->field_count, config);
}

/* ---- checking ---------------------------------------------------------------------------------------------------- */

static as_status check_probabilities(as_context *ctx, as_status kind, const char *where,
                                     const as_encoder_config_format *format, const void *config) {
  for (size_t i = 0; i < format->field_count; i++) {
    const as_config_field *field = &format->fields[i];
    double value;
    if (field->kind != AS_CONFIG_FLOAT && field->kind != AS_CONFIG_FLOAT_OR_NONE) continue;
    if (field->min != 0 || field->max != 1) continue;
    memcpy(&value, (const char *)config + field->offset, sizeof value);
    if (value >= 1)
      return as_fail(ctx, kind, "%s%s is 1, but must be below 1: all would be dropped", where, field->name);
  }
  return AS_OK;
}

static as_status check_relations(as_context *ctx, as_status kind, const char *where,
                                 const as_encoder_config_format *format, const void *config) {
  as_status status = format->relate(ctx, kind, where, config);
  return status == AS_OK ? check_probabilities(ctx, kind, where, format, config) : status;
}

as_status as_encoder_config_check(as_context *ctx, const as_encoder_config_format *format, const void *config) {
  as_status status = as_config_check_fields(ctx, format->fields, format->field_count, config);
  return status == AS_OK ? check_relations(ctx, AS_E_INVALID, "", format, config) : status;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static as_status check_type(const as_model_config *file, const char *model_type) {
  const char *type;
  as_status status = as_model_config_text(file, "model_type", &type);
  if (status == AS_OK && strcmp(type, model_type) != 0)
    status =
        as_fail(file->ctx, AS_E_MODEL, "%s: model_type is \"%s\", but must be \"%s\"", file->path, type, model_type);
  return status;
}

static as_status check_demand(const as_model_config *file, const as_encoder_config_demand *demand) {
  const char *text;
  const json_t *value = json_object_get(file->root, demand->name);
  if (!value || json_is_null(value) || (!demand->text && json_is_false(value))) return AS_OK;
  if (!demand->text)
    return as_fail(file->ctx, AS_E_UNSUPPORTED, "%s: %s is not false; only false is supported", file->path,
                   demand->name);
  as_status status = as_model_config_text(file, demand->name, &text);
  if (status == AS_OK && strcmp(text, demand->text) != 0)
    status = as_fail(file->ctx, AS_E_UNSUPPORTED, "%s: %s is \"%s\"; only \"%s\" is supported", file->path,
                     demand->name, text, demand->text);
  return status;
}

static as_status read_file(const as_model_config *file, const as_encoder_config_format *format, void *config) {
  char where[4096];
  as_status status = check_type(file, format->model_type);
  for (const as_encoder_config_demand *d = format->demands; status == AS_OK && d->name; d++)
    status = check_demand(file, d);
  if (status == AS_OK) status = as_config_read_fields(file, format->fields, format->field_count, config);
  if (status != AS_OK) return status;
  snprintf(where, sizeof where, "%s: ", file->path);
  status = check_relations(file->ctx, AS_E_MODEL, where, format, config);
  if (status == AS_OK) status = as_config_read_labels(file, as_encoder_config_labels(format, config));
  if (status == AS_OK) *source_of(format, config) = json_incref(file->root);
  return status;
}

as_status as_encoder_config_read(as_context *ctx, const as_encoder_config_format *format, const char *folder,
                                 void *config) {
  as_model_config file;
  memset(config, 0, format->size);
  as_status status = as_model_config_read(ctx, folder, &file);
  if (status == AS_OK) status = read_file(&file, format, config);
  as_model_config_free(&file);
  return status;
}

void as_encoder_config_free(as_context *ctx, const as_encoder_config_format *format, void *config) {
  json_t **source = source_of(format, config);
  as_labels_free(ctx, as_encoder_config_labels(format, config));
  json_decref(*source);
  *source = NULL;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static bool set_text(json_t *root, const char *name, const char *text) {
  return json_object_set_new(root, name, json_string(text)) == 0;
}

static bool store_labels(json_t *root, const as_encoder_config_format *format, const void *config) {
  const as_labels *labels = (const as_labels *)(const void *)((const char *)config + format->labels);
  return as_config_store_labels(root, labels) && set_text(root, "problem_type", "single_label_classification");
}

/* What only a classifier has goes; whatever was tied stays so. */
static bool store_no_labels(json_t *root) {
  static const char *const of_classifiers[] = {"id2label", "label2id", "num_labels", "problem_type"};
  for (size_t i = 0; i < sizeof of_classifiers / sizeof of_classifiers[0]; i++)
    (void)json_object_del(root, of_classifiers[i]);
  return json_object_set_new(root, "tie_word_embeddings", json_true()) == 0;
}

/* `dtype` is what transformers 5 reads, `torch_dtype` what earlier ones do. */
static bool store(json_t *root, const as_encoder_config_format *format, const void *config, bool masked_lm) {
  const char *name = masked_lm ? format->masked_lm_name : format->class_name;
  return as_config_store_fields(root, format->fields, format->field_count, config) &&
         (masked_lm ? store_no_labels(root) : store_labels(root, format, config)) &&
         set_text(root, "model_type", format->model_type) &&
         json_object_set_new(root, "architectures", json_pack("[s]", name)) == 0 &&
         set_text(root, "dtype", "float32") && set_text(root, "torch_dtype", "float32");
}

bool as_encoder_config_ties(const as_encoder_config_format *format, const void *config) {
  const json_t *source = *(json_t *const *)(const void *)((const char *)config + format->source);
  return !json_is_false(json_object_get(source, "tie_word_embeddings"));
}

as_status as_encoder_config_write(as_context *ctx, const as_encoder_config_format *format, const void *config,
                                  bool masked_lm, const char *folder) {
  as_status status = as_encoder_config_check(ctx, format, config);
  if (status != AS_OK) return status;
  const json_t *source = *(json_t *const *)(const void *)((const char *)config + format->source);
  json_t *root = source ? json_copy((json_t *)(uintptr_t)source) : json_object();
  status = root && store(root, format, config, masked_lm)
               ? as_config_write(ctx, folder, root)
               : as_fail(ctx, AS_E_NOMEM, "%s/config.json: out of memory", folder);
  json_decref(root);
  return status;
}
