/* tokenizer.json: one object with a member for each stage. Unknown members are passed over, as the reference does;
 * components that we do not have are refused by name. "truncation" and "padding" are settings of its writer's last use,
 * not of the tokenizer, and are not taken over. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "tokenizer/added_tokens_json.h"
#include "tokenizer/components.h"
#include "tokenizer/fields.h"
#include "tokenizer/limits.h"
#include "tokenizer/tokenizer_config.h"
#include "tokenizer/vocab_scan.h"

/* ---- reading -------------------------------------------------------------------------------------------------- */

static const char *const KEYS[AS_STAGES] = {[AS_STAGE_MODEL] = "model",
                                            [AS_STAGE_NORMALIZER] = "normalizer",
                                            [AS_STAGE_PRE_TOKENIZER] = "pre_tokenizer",
                                            [AS_STAGE_POST_PROCESSOR] = "post_processor",
                                            [AS_STAGE_DECODER] = "decoder"};

/* The component of a type; NULL if we do not have it. Old files do not say the model's type: a telltale tells it. */
static const as_component *find_type(as_stage_kind kind, const json_t *json, const char *type) {
  for (const as_component *const *row = as_components[kind]; *row; row++) {
    if (*type && strcmp((*row)->name, type) == 0) return *row;
    if (!*type && (*row)->telltale && json_object_get(json, (*row)->telltale)) return *row;
  }
  return NULL;
}

static as_status refuse_type(const as_loader *loader, as_stage_kind kind, const char *type) {
  as_buffer known;
  as_buffer_init(&known, loader->ctx);
  for (const as_component *const *row = as_components[kind]; *row; row++)
    as_buffer_printf(&known, row == as_components[kind] ? "%s" : ", %s", (*row)->name);
  as_status status = as_buffer_status(&known);
  if (status == AS_OK)
    status =
        as_field_fail(loader, "", "type", "\"%.60s\" is not supported; supported: %s", type, as_buffer_string(&known));
  as_buffer_free(&known);
  return status;
}

static as_status read_component(as_loader *loader, as_stage_kind kind, const json_t *json, as_stage *stage) {
  const char *type = "";
  as_status status = as_field_object(loader, json, "");
  if (status == AS_OK) status = as_field_string(loader, json, "", "type", &type);
  if (status != AS_OK) return status;
  const as_component *component = find_type(kind, json, type);
  if (!component) return refuse_type(loader, kind, type);
  stage->type = component;
  return component->read ? component->read(loader, json, &stage->state) : AS_OK;
}

as_status as_read_stage(as_loader *loader, as_stage_kind kind, const json_t *json, const char *where, as_stage *stage) {
  char path[128];
  as_loader inner = *loader;
  snprintf(path, sizeof path, "%s%s%s", loader->where, *loader->where ? "." : "", where);
  inner.where = path;
  return read_component(&inner, kind, json, stage);
}

/* The stages of the whole pipeline; a member that is absent or null is a stage that there is not. */
static as_status read_stages(as_loader *loader, const json_t *root) {
  as_status status = AS_OK;
  for (int kind = 0; kind < AS_STAGES && status == AS_OK; kind++) {
    const json_t *json = json_object_get(root, KEYS[kind]);
    if (json && !json_is_null(json))
      status = as_read_stage(loader, (as_stage_kind)kind, json, KEYS[kind], &loader->tokenizer->stages[kind]);
    else if (kind == AS_STAGE_MODEL)
      status = as_field_fail(loader, "", KEYS[kind], "is missing");
  }
  return status;
}

static as_status read_added_tokens(as_loader *loader, const json_t *root) {
  const json_t *list = json_object_get(root, "added_tokens"), *item;
  size_t index;
  if (!list || json_is_null(list)) return AS_OK;
  if (!json_is_array(list)) return as_field_fail(loader, "", "added_tokens", "must be a list");
  json_array_foreach(list, index, item) {
    int64_t id = -1;
    as_status status = as_field_int(loader, item, "added_tokens", "id", 0, INT32_MAX, &id);
    if (status == AS_OK) status = as_read_added_token(loader, item, "added_tokens", (int32_t)id);
    if (status != AS_OK) return status;
  }
  return AS_OK;
}

static as_status read_document(as_loader *loader, const json_t *root) {
  const char *version = "1.0";
  as_status status = as_field_object(loader, root, "");
  if (status == AS_OK) status = as_field_string(loader, root, "", "version", &version);
  if (status == AS_OK && strcmp(version, "1.0") != 0)
    status = as_field_fail(loader, "", "version", "\"%.20s\" is not one that we know (1.0)", version);
  if (status == AS_OK) status = read_stages(loader, root);
  return status == AS_OK ? read_added_tokens(loader, root) : status;
}

as_status as_read_tokenizer_json(as_loader *loader) {
  json_t *root = NULL, *config = NULL;
  char *text;
  size_t length;
  as_status status = as_file_read(loader->ctx, loader->path, AS_MAX_TOKENIZER_FILE, AS_E_MODEL, &text, &length);
  if (status != AS_OK) return status;
  static const char *const place[] = {"model", "vocab", NULL};
  status = as_scan_vocab(loader->ctx, text, &length, place, &loader->tokenizer->vocabulary);
  if (status == AS_OK) status = as_json_parse(loader->ctx, text, length, loader->path, AS_E_MODEL, &root);
  as_free(loader->ctx, text);
  if (status == AS_OK) status = read_document(loader, root);
  if (status == AS_OK) status = as_read_config(loader, as_model_of(loader->tokenizer), &config);
  json_decref(config);
  json_decref(root);
  return status;
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

static void write_stage(const as_tokenizer *tokenizer, as_stage_kind kind, as_json_writer *writer) {
  const as_component *component = tokenizer->stages[kind].type;
  if (!component) {
    as_json_null(writer, KEYS[kind]);
    return;
  }
  as_json_open_object(writer, KEYS[kind]);
  as_json_string(writer, "type", component->name);
  if (component->write) component->write(tokenizer, tokenizer->stages[kind].state, writer);
  as_json_close_object(writer);
}

static void write_document(const as_tokenizer *t, as_json_writer *writer) {
  as_json_open_object(writer, NULL);
  as_json_string(writer, "version", "1.0");
  as_json_null(writer, "truncation");
  as_json_null(writer, "padding");
  as_json_open_array(writer, "added_tokens");
  for (size_t i = 0; i < t->added.count; i++) {
    as_json_open_object(writer, NULL);
    as_json_int(writer, "id", t->added.items[i].id);
    as_write_added_token(&t->added.items[i], writer);
    as_json_close_object(writer);
  }
  as_json_close_array(writer);
  static const as_stage_kind order[] = {AS_STAGE_NORMALIZER, AS_STAGE_PRE_TOKENIZER, AS_STAGE_POST_PROCESSOR,
                                        AS_STAGE_DECODER, AS_STAGE_MODEL};
  for (size_t i = 0; i < AS_STAGES; i++) write_stage(t, order[i], writer);
  as_json_close_object(writer);
}

as_status as_tokenizer_save(const as_tokenizer *tokenizer, const char *folder, size_t model_max_length) {
  as_context *ctx = tokenizer->ctx;
  as_status status = as_make_folders(ctx, folder);
  if (status == AS_OK)
    status = as_model_of(tokenizer)->save(tokenizer, tokenizer->stages[AS_STAGE_MODEL].state, folder);
  if (status == AS_OK)
    status = as_save_config(tokenizer, folder, model_max_length ? model_max_length : tokenizer->model_max_length);
  if (status != AS_OK || as_model_of(tokenizer)->raw) return status;
  as_buffer text;
  as_buffer_init(&text, ctx);
  as_json_writer writer = as_json_writer_start(&text, 2);
  write_document(tokenizer, &writer);
  as_buffer_char(&text, '\n');
  status = as_file_write_into(ctx, folder, "tokenizer.json", &text);
  as_buffer_free(&text);
  return status;
}
