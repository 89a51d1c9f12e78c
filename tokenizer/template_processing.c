/* TemplateProcessing, the post-processor that joins texts and special tokens by a template, and BertProcessing, the
 * older way to say the template "[CLS] A [SEP] B:1 [SEP]:1". */
#include <string.h>

#include "base/memory.h"
#include "tokenizer/components.h"
#include "tokenizer/fields.h"

enum { MAX_IDS = 64, MAX_PIECES = 256 };

static void release(as_context *ctx, void *state) {
  as_template_free(state, ctx);
  as_free(ctx, state);
}

void *as_template_processing_new(as_context *ctx, as_template *form) {
  as_template *state = as_alloc(ctx, 1, sizeof *state);
  if (!state) {
    as_template_free(form, ctx);
    return NULL;
  }
  *state = *form;
  return state;
}

static const as_template *form_of(const void *state) {
  return state;
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

/* One member of "special_tokens". */
static as_status read_special(as_loader *loader, as_template *form, const char *name, const json_t *json) {
  const char *where = "special_tokens";
  const json_t *list = json_object_get(json, "ids"), *item;
  size_t count = json_array_size(list), index;
  int32_t ids[MAX_IDS];
  if (count < 1 || count > MAX_IDS) return as_field_fail(loader, where, name, "needs a list of 1 to %d ids", MAX_IDS);
  json_array_foreach(list, index, item) {
    json_int_t id = json_is_integer(item) ? json_integer_value(item) : -1;
    if (id < 0 || id > INT32_MAX) return as_field_fail(loader, where, name, "has an id that is not a token's");
    ids[index] = (int32_t)id;
  }
  return as_template_add_special(form, loader->ctx, name, ids, count) < 0 ? AS_E_NOMEM : AS_OK;
}

static int64_t find_special(const as_template *form, const char *name) {
  for (size_t i = 0; i < form->special_count; i++)
    if (strcmp(form->specials[i].name, name) == 0) return (int64_t)i;
  return -1;
}

/* {"SpecialToken": {"id", "type_id"}} or {"Sequence": {"id": "A" or "B", "type_id"}}. */
static as_status read_piece(as_loader *loader, const as_template *form, const char *where, const json_t *json,
                            as_template_piece *piece) {
  const json_t *special = json_object_get(json, "SpecialToken"), *text = json_object_get(json, "Sequence");
  const json_t *body = special ? special : text;
  const char *id = NULL;
  int64_t type_id = 0;
  if (!json_is_object(body))
    return as_field_fail(loader, where, "", "has a piece that is neither SpecialToken nor Sequence");
  as_status status = as_field_string(loader, body, where, "id", &id);
  if (status == AS_OK) status = as_field_int(loader, body, where, "type_id", 0, INT32_MAX, &type_id);
  if (status != AS_OK) return status;
  piece->type_id = (int32_t)type_id;
  if (!id) return as_field_fail(loader, where, "id", "is missing");
  if (special) {
    int64_t index = find_special(form, id);
    if (index < 0) return as_field_fail(loader, where, "", "names %s, which is not in special_tokens", id);
    piece->kind = AS_PIECE_SPECIAL;
    piece->special = (size_t)index;
    return AS_OK;
  }
  if (strcmp(id, "A") != 0 && strcmp(id, "B") != 0) return as_field_fail(loader, where, "id", "must be A or B");
  piece->kind = *id == 'A' ? AS_PIECE_FIRST : AS_PIECE_SECOND;
  return AS_OK;
}

static as_status read_row(as_loader *loader, as_template *form, const json_t *json, bool pair) {
  const char *where = pair ? "pair" : "single";
  const json_t *row = json_object_get(json, pair ? "pair" : "single"), *item;
  size_t index, seen[2] = {0, 0};
  if (!json_is_array(row) || json_array_size(row) > MAX_PIECES)
    return as_field_fail(loader, where, "", "must be a list of at most %d pieces", MAX_PIECES);
  json_array_foreach(row, index, item) {
    as_template_piece piece = {0};
    as_status status = read_piece(loader, form, where, item, &piece);
    if (status != AS_OK) return status;
    if (piece.kind != AS_PIECE_SPECIAL) {
      if (piece.kind == AS_PIECE_SECOND && seen[0] == 0) return as_field_fail(loader, where, "", "has B before A");
      seen[piece.kind == AS_PIECE_SECOND]++;
    }
    status = as_template_add_piece(form, loader->ctx, pair, piece);
    if (status != AS_OK) return status;
  }
  if (seen[0] != 1 || seen[1] != (pair ? 1 : 0))
    return as_field_fail(loader, where, "", "must have %s", pair ? "A once, then B once" : "A once and no B");
  return AS_OK;
}

static as_status finish(as_loader *loader, as_template *form, as_status status, void **state) {
  if (status != AS_OK) {
    as_template_free(form, loader->ctx);
    return status;
  }
  *state = as_template_processing_new(loader->ctx, form);
  return *state ? AS_OK : AS_E_NOMEM;
}

static as_status read_template(as_loader *loader, const json_t *json, void **state) {
  as_template form = {0};
  const json_t *specials = json_object_get(json, "special_tokens"), *item;
  const char *name;
  as_status status = AS_OK;
  if (specials) status = as_field_object(loader, specials, "special_tokens");
  if (status == AS_OK) {
    json_object_foreach((json_t *)specials, name, item) {
      status = read_special(loader, &form, name, item);
      if (status != AS_OK) break;
    }
  }
  if (status == AS_OK) status = read_row(loader, &form, json, false);
  if (status == AS_OK) status = read_row(loader, &form, json, true);
  return finish(loader, &form, status, state);
}

/* ["[SEP]", 102] */
static as_status read_named_id(as_loader *loader, const json_t *json, const char *key, const char **name, int32_t *id) {
  const json_t *pair = json_object_get(json, key), *number = json_array_get(pair, 1);
  *name = json_string_value(json_array_get(pair, 0));
  json_int_t value = json_is_integer(number) ? json_integer_value(number) : -1;
  if (!*name || value < 0 || value > INT32_MAX) return as_field_fail(loader, "", key, "must be a token and its id");
  *id = (int32_t)value;
  return AS_OK;
}

as_status as_read_classifier(as_loader *loader, const json_t *json, as_classifier_form which, as_template *form) {
  const char *sep, *cls;
  int32_t sep_id, cls_id;
  as_status status = read_named_id(loader, json, "sep", &sep, &sep_id);
  if (status == AS_OK) status = read_named_id(loader, json, "cls", &cls, &cls_id);
  if (status == AS_OK) status = as_template_classifier(form, loader->ctx, cls, cls_id, sep, sep_id, which);
  return status;
}

static as_status read_bert(as_loader *loader, const json_t *json, void **state) {
  as_template form = {0};
  as_status status = as_read_classifier(loader, json, AS_FORM_BERT, &form);
  return finish(loader, &form, status, state);
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

static void write_row(const as_template *form, bool pair, as_json_writer *writer) {
  as_json_open_array(writer, pair ? "pair" : "single");
  for (size_t i = 0; i < form->piece_count[pair]; i++) {
    const as_template_piece *piece = &form->pieces[pair][i];
    bool special = piece->kind == AS_PIECE_SPECIAL;
    as_json_open_object(writer, NULL);
    as_json_open_object(writer, special ? "SpecialToken" : "Sequence");
    as_json_string(writer, "id",
                   special                         ? form->specials[piece->special].name
                   : piece->kind == AS_PIECE_FIRST ? "A"
                                                   : "B");
    as_json_int(writer, "type_id", piece->type_id);
    as_json_close_object(writer);
    as_json_close_object(writer);
  }
  as_json_close_array(writer);
}

static void write_template(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  const as_template *form = state;
  write_row(form, false, writer);
  write_row(form, true, writer);
  as_json_open_object(writer, "special_tokens");
  for (size_t i = 0; i < form->special_count; i++) {
    const as_template_special *special = &form->specials[i];
    as_json_open_object(writer, special->name);
    as_json_string(writer, "id", special->name);
    as_json_open_array(writer, "ids");
    for (size_t k = 0; k < special->count; k++) as_json_int(writer, NULL, special->ids[k]);
    as_json_close_array(writer);
    as_json_open_array(writer, "tokens");
    for (size_t k = 0; k < special->count; k++)
      as_json_string(writer, NULL, as_tokenizer_token(tokenizer, special->ids[k], NULL));
    as_json_close_array(writer);
    as_json_close_object(writer);
  }
  as_json_close_object(writer);
}

const as_post_processor_type as_template_processing = {
    .component = {.name = "TemplateProcessing", .read = read_template, .write = write_template, .release = release},
    .form = form_of,
    .forgets_windows = true,
};

void as_write_classifier(const as_template *form, as_json_writer *writer) {
  for (int i = 1; i >= 0; i--) { /* as_template_classifier puts cls first */
    as_json_open_array(writer, i ? "sep" : "cls");
    as_json_string(writer, NULL, form->specials[i].name);
    as_json_int(writer, NULL, form->specials[i].ids[0]);
    as_json_close_array(writer);
  }
}

static void write_bert(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  (void)tokenizer;
  as_write_classifier(state, writer);
}

const as_post_processor_type as_bert_processing = {
    .component = {.name = "BertProcessing", .read = read_bert, .write = write_bert, .release = release},
    .form = form_of,
};
