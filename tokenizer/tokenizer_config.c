/* The two small files beside tokenizer.json. */
#include "tokenizer/tokenizer_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "tokenizer/added_tokens_json.h"
#include "tokenizer/construct.h"
#include "tokenizer/fields.h"
#include "tokenizer/limits.h"

static const char *const KEYS[AS_SPECIAL_TOKENS] = {
    [AS_TOKEN_UNK] = "unk_token", [AS_TOKEN_SEP] = "sep_token",   [AS_TOKEN_PAD] = "pad_token",
    [AS_TOKEN_CLS] = "cls_token", [AS_TOKEN_MASK] = "mask_token", [AS_TOKEN_BOS] = "bos_token",
    [AS_TOKEN_EOS] = "eos_token",
};

/* ---- reading -------------------------------------------------------------------------------------------------- */

/* A special token is a text, or an object with its text under "content". */
static as_status read_name(const as_loader *loader, const json_t *document, const char *key, char **name) {
  const char *text = NULL;
  const json_t *member = json_object_get(document, key);
  as_status status = json_is_object(member) ? as_field_string(loader, member, key, "content", &text)
                                            : as_field_string(loader, document, "", key, &text);
  if (status != AS_OK || !text) return status;
  as_free(loader->ctx, *name);
  *name = as_strdup(loader->ctx, text);
  return *name ? AS_OK : AS_E_NOMEM;
}

static as_status read_names(const as_loader *loader, const json_t *document) {
  as_status status = as_field_object(loader, document, "");
  for (int i = 0; i < AS_SPECIAL_TOKENS && status == AS_OK; i++)
    status = read_name(loader, document, KEYS[i], &loader->tokenizer->special[i]);
  return status;
}

/* Reads `name` beside the tokenizer's file and the special tokens in it; *document is NULL if there is no such file. */
static as_status read_beside(const as_loader *loader, const char *name, json_t **document) {
  *document = NULL;
  as_loader other = *loader;
  char *path = as_path_beside(loader->ctx, loader->path, name);
  if (!path) return AS_E_NOMEM;
  other.path = path;
  as_status status = AS_OK;
  if (as_path_exists(path)) {
    status = as_json_read(loader->ctx, path, AS_MAX_CONFIG_FILE, AS_E_MODEL, document);
    if (status == AS_OK) status = read_names(&other, *document);
  }
  as_free(loader->ctx, path);
  return status;
}

as_status as_read_config(as_loader *loader, const as_model_type *model, json_t **config) {
  as_tokenizer *tokenizer = loader->tokenizer;
  json_t *map = NULL;
  *config = NULL;
  as_status status = as_name_special_tokens(loader, model);
  if (status == AS_OK) status = read_beside(loader, "special_tokens_map.json", &map);
  json_decref(map);
  if (status == AS_OK) status = read_beside(loader, "tokenizer_config.json", config);
  if (status != AS_OK) return status;
  const json_t *length = json_object_get(*config, "model_max_length"); /* transformers writes 1e30 for "no limit" */
  if (json_is_integer(length) && json_integer_value(length) > 0 && json_integer_value(length) <= INT32_MAX)
    tokenizer->model_max_length = (size_t)json_integer_value(length);
  return AS_OK;
}

/* Runs one of the readers below with the name of the configuration's own file for messages. */
static as_status read_config(as_loader *loader, const json_t *config, void *out,
                             as_status (*read)(as_loader *loader, const json_t *config, void *out)) {
  as_loader other = *loader;
  char *path = as_path_beside(loader->ctx, loader->path, "tokenizer_config.json");
  if (!path) return AS_E_NOMEM;
  other.path = path;
  as_status status = read(&other, config, out);
  as_free(loader->ctx, path);
  return status;
}

static as_status read_switches(as_loader *loader, const json_t *config, void *out) {
  as_bert_switches *switches = out;
  bool strip = false;
  as_status status = as_field_bool(loader, config, "", "do_lower_case", &switches->lowercase);
  if (status == AS_OK)
    status = as_field_bool(loader, config, "", "tokenize_chinese_chars", &switches->handle_chinese_chars);
  if (status == AS_OK) status = as_field_bool(loader, config, "", "strip_accents", &strip);
  if (status == AS_OK && json_is_boolean(json_object_get(config, "strip_accents")))
    switches->strip_accents = strip ? AS_TRUE : AS_FALSE;
  return status;
}

static as_status read_trimming(as_loader *loader, const json_t *config, void *out) {
  return as_read_trimming(loader, config, out);
}

static as_status read_added_tokens(as_loader *loader, const json_t *config, void *out) {
  const char *where = "added_tokens_decoder", *key;
  json_t *tokens = json_object_get(config, where), *item;
  (void)out;
  if (!tokens || json_is_null(tokens)) return AS_OK;
  as_status status = as_field_object(loader, tokens, where);
  if (status != AS_OK) return status;
  json_object_foreach(tokens, key, item) {
    char *end;
    long id = strtol(key, &end, 10);
    if (*key < '0' || *key > '9' || *end || id > INT32_MAX) return as_field_fail(loader, where, key, "is not an id");
    status = as_read_added_token(loader, item, where, (int32_t)id);
    if (status != AS_OK) return status;
  }
  return AS_OK;
}

as_status as_config_switches(as_loader *loader, const json_t *config, as_bert_switches *switches) {
  return read_config(loader, config, switches, read_switches);
}

as_status as_config_trimming(as_loader *loader, const json_t *config, as_byte_level *members) {
  return read_config(loader, config, members, read_trimming);
}

as_status as_config_added_tokens(as_loader *loader, const json_t *config) {
  return read_config(loader, config, NULL, read_added_tokens);
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

static void write_names(const as_tokenizer *tokenizer, as_json_writer *writer) {
  for (int i = 0; i < AS_SPECIAL_TOKENS; i++)
    if (tokenizer->special_ids[i] >= 0) as_json_string(writer, KEYS[i], tokenizer->special[i]);
}

static void write_config(const as_tokenizer *tokenizer, size_t model_max_length, as_json_writer *writer) {
  as_json_open_object(writer, "added_tokens_decoder");
  for (size_t i = 0; i < tokenizer->added.count; i++) {
    char key[16];
    snprintf(key, sizeof key, "%" PRId32, tokenizer->added.items[i].id);
    as_json_open_object(writer, key);
    as_write_added_token(&tokenizer->added.items[i], writer);
    as_json_close_object(writer);
  }
  as_json_close_object(writer);
  as_json_bool(writer, "clean_up_tokenization_spaces", false);
  if (model_max_length) as_json_int(writer, "model_max_length", (int64_t)model_max_length);
  as_model_of(tokenizer)->write_config(tokenizer, tokenizer->stages[AS_STAGE_MODEL].state, writer);
  write_names(tokenizer, writer);
}

as_status as_save_config(const as_tokenizer *tokenizer, const char *folder, size_t model_max_length) {
  as_context *ctx = tokenizer->ctx;
  static const char *const files[2] = {"tokenizer_config.json", "special_tokens_map.json"};
  as_status status = AS_OK;
  for (int i = 0; i < 2 && status == AS_OK; i++) {
    as_buffer text;
    as_buffer_init(&text, ctx);
    as_json_writer writer = as_json_writer_start(&text, 2);
    as_json_open_object(&writer, NULL);
    if (i == 0)
      write_config(tokenizer, model_max_length, &writer);
    else
      write_names(tokenizer, &writer);
    as_json_close_object(&writer);
    as_buffer_char(&text, '\n');
    status = as_file_write_into(ctx, folder, files[i], &text);
    as_buffer_free(&text);
  }
  return status;
}
