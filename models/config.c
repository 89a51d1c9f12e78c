/* Reading config.json and its fields. */
#include "models/config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

enum { MAX_CONFIG = 16 << 20, VALUE_TEXT = 80, NONE = -1 };

as_status as_model_config_read(as_context *ctx, const char *folder, as_model_config *config) {
  *config = (as_model_config){.ctx = ctx, .path = as_path_join(ctx, folder, "config.json")};
  if (!config->path) return AS_E_NOMEM;
  as_status status = AS_OK;
  if (!as_path_is_folder(folder))
    status = as_fail(ctx, AS_E_MODEL, "%s: %s; a model is a folder, as `train` or transformers writes it", folder,
                     as_path_exists(folder) ? "is not a folder" : "there is no such folder");
  if (status == AS_OK) status = as_json_read(ctx, config->path, MAX_CONFIG, AS_E_MODEL, &config->root);
  if (status == AS_OK && !json_is_object(config->root))
    status = as_fail(ctx, AS_E_MODEL, "%s: is not a JSON object", config->path);
  if (status != AS_OK) as_model_config_free(config);
  return status;
}

void as_model_config_free(as_model_config *config) {
  if (config->path) as_free(config->ctx, config->path);
  json_decref(config->root);
  *config = (as_model_config){.ctx = config->ctx};
}

/* The value as an error text shows it. */
static const char *show(const json_t *value, char text[VALUE_TEXT]) {
  switch (json_typeof(value)) {
  case JSON_INTEGER:
    snprintf(text, VALUE_TEXT, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    break;
  case JSON_REAL:
    snprintf(text, VALUE_TEXT, "%.17g", json_real_value(value));
    break;
  case JSON_STRING:
    snprintf(text, VALUE_TEXT, "\"%.60s\"", json_string_value(value));
    break;
  case JSON_OBJECT:
    return "an object";
  case JSON_ARRAY:
    return "a list";
  case JSON_TRUE:
    return "true";
  case JSON_FALSE:
    return "false";
  case JSON_NULL:
    return "null";
  }
  return text;
}

static bool is_text(const json_t *value) {
  return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value);
}

as_status as_model_config_text(const as_model_config *config, const char *name, const char **text) {
  const json_t *value = json_object_get(config->root, name);
  char shown[VALUE_TEXT];
  *text = NULL;
  if (!value) return as_fail(config->ctx, AS_E_MODEL, "%s: %s is missing", config->path, name);
  if (!is_text(value))
    return as_fail(config->ctx, AS_E_MODEL, "%s: %s is %s, but must be text", config->path, name, show(value, shown));
  *text = json_string_value(value);
  return AS_OK;
}

/* ---- fields by a table ------------------------------------------------------------------------------------------- */

/* A field's value on its way; an enum is handled as an int of the same size. */
typedef struct field_value {
  int64_t integer; /* INT; CHOICE */
  double number;   /* FLOAT */
  bool truth;      /* BOOL */
} field_value;

static void put(const as_config_field *field, void *out, field_value value) {
  char *at = (char *)out + field->offset;
  int choice = (int)value.integer;
  switch (field->kind) {
  case AS_CONFIG_INT:
  case AS_CONFIG_INT_OR_NONE:
    memcpy(at, &value.integer, sizeof value.integer);
    break;
  case AS_CONFIG_FLOAT:
  case AS_CONFIG_FLOAT_OR_NONE:
    memcpy(at, &value.number, sizeof value.number);
    break;
  case AS_CONFIG_BOOL:
    memcpy(at, &value.truth, sizeof value.truth);
    break;
  case AS_CONFIG_CHOICE:
    memcpy(at, &choice, sizeof choice);
    break;
  }
}

static field_value get(const as_config_field *field, const void *values) {
  const char *at = (const char *)values + field->offset;
  field_value value = {0};
  int choice;
  switch (field->kind) {
  case AS_CONFIG_INT:
  case AS_CONFIG_INT_OR_NONE:
    memcpy(&value.integer, at, sizeof value.integer);
    break;
  case AS_CONFIG_FLOAT:
  case AS_CONFIG_FLOAT_OR_NONE:
    memcpy(&value.number, at, sizeof value.number);
    break;
  case AS_CONFIG_BOOL:
    memcpy(&value.truth, at, sizeof value.truth);
    break;
  case AS_CONFIG_CHOICE:
    memcpy(&choice, at, sizeof choice);
    value.integer = choice;
    break;
  }
  return value;
}

static const as_config_choice *choice_of_value(const as_config_field *field, int64_t value) {
  for (const as_config_choice *choice = field->choices; choice->name; choice++)
    if (choice->value == value) return choice;
  return NULL;
}

/* Takes the value out of JSON; false when it is of another kind. */
static bool convert(const as_config_field *field, const json_t *json, field_value *value) {
  *value = (field_value){0};
  switch (field->kind) {
  case AS_CONFIG_INT:
  case AS_CONFIG_INT_OR_NONE:
    value->integer = json_integer_value(json);
    return json_is_integer(json);
  case AS_CONFIG_FLOAT:
  case AS_CONFIG_FLOAT_OR_NONE:
    value->number = json_number_value(json);
    return json_is_number(json);
  case AS_CONFIG_BOOL:
    value->truth = json_is_true(json);
    return json_is_boolean(json);
  case AS_CONFIG_CHOICE:
    for (const as_config_choice *choice = field->choices; choice->name && is_text(json); choice++)
      if (strcmp(choice->name, json_string_value(json)) == 0) {
        value->integer = choice->value;
        return true;
      }
  }
  return false;
}

static bool in_range(const as_config_field *field, field_value value) {
  switch (field->kind) {
  case AS_CONFIG_INT:
  case AS_CONFIG_INT_OR_NONE:
    return value.integer >= (int64_t)field->min && value.integer <= (int64_t)field->max;
  case AS_CONFIG_FLOAT:
  case AS_CONFIG_FLOAT_OR_NONE:
    return value.number >= field->min && value.number <= field->max;
  case AS_CONFIG_BOOL:
    return true;
  case AS_CONFIG_CHOICE:
    return choice_of_value(field, value.integer) != NULL;
  }
  return false;
}

/* "an integer from 1 to 1000" and the like. */
static void describe(const as_config_field *field, char *text, size_t capacity) {
  size_t length = 0;
  switch (field->kind) {
  case AS_CONFIG_INT:
  case AS_CONFIG_INT_OR_NONE:
    snprintf(text, capacity, "an integer from %.0f to %.0f", field->min, field->max);
    break;
  case AS_CONFIG_FLOAT:
  case AS_CONFIG_FLOAT_OR_NONE:
    snprintf(text, capacity, "a number from %.9g to %.9g", field->min, field->max);
    break;
  case AS_CONFIG_BOOL:
    snprintf(text, capacity, "true or false");
    break;
  case AS_CONFIG_CHOICE:
    for (const as_config_choice *choice = field->choices; choice->name && length < capacity; choice++)
      length += (size_t)snprintf(text + length, capacity - length, "%s\"%s\"",
                                 choice == field->choices ? ""
                                 : choice[1].name         ? ", "
                                                          : " or ",
                                 choice->name);
  }
}

/* The value that says that there is none, where that is allowed. */
static bool is_none(const as_config_field *field, field_value value) {
  if (field->kind == AS_CONFIG_INT_OR_NONE) return value.integer == NONE;
  return field->kind == AS_CONFIG_FLOAT_OR_NONE && value.number == NONE;
}

void as_config_defaults(const as_config_field *fields, size_t count, void *out) {
  for (size_t i = 0; i < count; i++) {
    double fallback = fields[i].fallback;
    put(&fields[i], out, (field_value){.integer = (int64_t)fallback, .number = fallback, .truth = fallback != 0});
  }
}

as_status as_config_read_fields(const as_model_config *config, const as_config_field *fields, size_t count, void *out) {
  as_config_defaults(fields, count, out);
  for (size_t i = 0; i < count; i++) {
    const json_t *json = json_object_get(config->root, fields[i].name);
    char shown[VALUE_TEXT], needed[256];
    field_value value;
    if (!json) continue;
    if (json_is_null(json)) {
      const field_value none = {.integer = NONE, .number = NONE};
      if (is_none(&fields[i], none)) put(&fields[i], out, none);
      continue;
    }
    if (convert(&fields[i], json, &value) && in_range(&fields[i], value)) {
      put(&fields[i], out, value);
      continue;
    }
    describe(&fields[i], needed, sizeof needed);
    return as_fail(config->ctx, AS_E_MODEL, "%s: %s is %s, but must be %s", config->path, fields[i].name,
                   show(json, shown), needed);
  }
  return AS_OK;
}

as_status as_config_check_fields(as_context *ctx, const as_config_field *fields, size_t count, const void *values) {
  for (size_t i = 0; i < count; i++) {
    char needed[256];
    field_value value = get(&fields[i], values);
    if (in_range(&fields[i], value) || is_none(&fields[i], value)) continue;
    describe(&fields[i], needed, sizeof needed);
    return as_fail(ctx, AS_E_INVALID, "%s must be %s", fields[i].name, needed);
  }
  return AS_OK;
}

static json_t *to_json(const as_config_field *field, field_value value) {
  if (is_none(field, value)) return json_null();
  switch (field->kind) {
  case AS_CONFIG_INT:
  case AS_CONFIG_INT_OR_NONE:
    return json_integer(value.integer);
  case AS_CONFIG_FLOAT:
  case AS_CONFIG_FLOAT_OR_NONE:
    return json_real(value.number);
  case AS_CONFIG_BOOL:
    return json_boolean(value.truth);
  case AS_CONFIG_CHOICE:
    return json_string(choice_of_value(field, value.integer)->name);
  }
  return NULL;
}

bool as_config_store_fields(json_t *root, const as_config_field *fields, size_t count, const void *values) {
  for (size_t i = 0; i < count; i++)
    if (json_object_set_new(root, fields[i].name, to_json(&fields[i], get(&fields[i], values))) != 0) return false;
  return true;
}
