/* See inspect_inputs.h. */
#include "cli/inspect_inputs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

enum { LARGEST_FILE = 256 << 20, SHOWN = 64 };

/* ---- objects and single fields ------------------------------------------------------------------------------ */

as_status as_inspect_inputs_read(as_context *ctx, const char *file, json_t **root, as_inspect_object *out) {
  *out = (as_inspect_object){.ctx = ctx, .file = file};
  as_status status = as_json_read(ctx, file, LARGEST_FILE, AS_E_DATA, root);
  if (status != AS_OK) return status;
  out->object = *root;
  return json_is_object(*root) ? AS_OK : as_fail(ctx, AS_E_DATA, "%s: is not a JSON object", file);
}

as_status as_inspect_fail(const as_inspect_object *o, const char *name, const char *format, ...) {
  char text[600];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return as_fail(o->ctx, AS_E_DATA, "%s: %s%s%s", o->file, o->where, name, text);
}

bool as_inspect_has(const as_inspect_object *o, const char *name) {
  const json_t *value = json_object_get(o->object, name);
  return value && !json_is_null(value);
}

void as_inspect_warn_unknown(const as_inspect_object *o, const char *const *known) {
  json_t *object = (json_t *)(uintptr_t)o->object; /* jansson's iterators only read, but don't say so */
  for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
    const char *name = json_object_iter_key(at);
    size_t i = 0;
    while (known[i] && strcmp(known[i], name) != 0) i++;
    if (!known[i]) as_warn(o->ctx, "%s: %s%.*s is not a field that is read here", o->file, o->where, SHOWN, name);
  }
}

/* The value as an error text shows it. */
static const char *show(const json_t *value, char text[SHOWN + 8]) {
  if (!value) return "missing";
  switch (json_typeof(value)) {
  case JSON_INTEGER:
    snprintf(text, SHOWN, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    break;
  case JSON_REAL:
    snprintf(text, SHOWN, "%.9g", json_real_value(value));
    break;
  case JSON_STRING:
    snprintf(text, SHOWN, "\"%.40s\"", json_string_value(value));
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

/* "WHEREname." or "WHEREname[3]." for the fields of an object in an object. */
static void enter(const as_inspect_object *o, const char *name, const char *index, const json_t *object,
                  as_inspect_object *out) {
  *out = (as_inspect_object){.ctx = o->ctx, .file = o->file, .object = object};
  snprintf(out->where, sizeof out->where, "%.60s%.*s%s.", o->where, SHOWN, name, index);
}

as_status as_inspect_member(const as_inspect_object *o, const char *name, as_inspect_object *out) {
  char text[SHOWN + 8];
  const json_t *value = json_object_get(o->object, name);
  if (!json_is_object(value)) return as_inspect_fail(o, name, " is %s, but must be an object", show(value, text));
  enter(o, name, "", value, out);
  return AS_OK;
}

as_status as_inspect_list(const as_inspect_object *o, const char *name, const json_t **out) {
  char text[SHOWN + 8];
  *out = json_object_get(o->object, name);
  return json_is_array(*out) ? AS_OK : as_inspect_fail(o, name, " is %s, but must be a list", show(*out, text));
}

as_status as_inspect_element(const as_inspect_object *o, const char *name, size_t index, as_inspect_object *out) {
  char text[SHOWN + 8], number[32];
  const json_t *list;
  as_status status = as_inspect_list(o, name, &list);
  if (status != AS_OK) return status;
  const json_t *value = json_array_get(list, index);
  if (!json_is_object(value))
    return as_inspect_fail(o, name, "[%zu] is %s, but must be an object", index, show(value, text));
  snprintf(number, sizeof number, "[%zu]", index);
  enter(o, name, number, value, out);
  return AS_OK;
}

as_status as_inspect_number(const as_inspect_object *o, const char *name, double min, double max, double *out) {
  char text[SHOWN + 8];
  const json_t *value = json_object_get(o->object, name);
  *out = json_number_value(value);
  if (json_is_number(value) && *out >= min && *out <= max) return AS_OK;
  return as_inspect_fail(o, name, " is %s, but must be a number from %.9g to %.9g", show(value, text), min, max);
}

as_status as_inspect_integer(const as_inspect_object *o, const char *name, int64_t min, int64_t max, int64_t *out) {
  char text[SHOWN + 8];
  const json_t *value = json_object_get(o->object, name);
  *out = json_integer_value(value);
  if (json_is_integer(value) && *out >= min && *out <= max) return AS_OK;
  return as_inspect_fail(o, name, " is %s, but must be a whole number from %" PRId64 " to %" PRId64, show(value, text),
                         min, max);
}

as_status as_inspect_text(const as_inspect_object *o, const char *name, const char **out) {
  char text[SHOWN + 8];
  const json_t *value = json_object_get(o->object, name);
  *out = json_string_value(value);
  return *out ? AS_OK : as_inspect_fail(o, name, " is %s, but must be text", show(value, text));
}

/* ---- rows of tokens ----------------------------------------------------------------------------------------- */

/* Element [row][column] of a field of rows. */
static as_status fail_cell(const as_inspect_object *o, const char *name, size_t row, size_t column, const json_t *value,
                           const char *wanted) {
  char text[SHOWN + 8];
  return as_inspect_fail(o, name, "[%zu][%zu] is %s, but must be %s", row, column, show(value, text), wanted);
}

/* The field as a list of `count` lists of `width` elements; with 0 for count any number of them, but not none, and the
 * width of the first. */
static as_status check_matrix(const as_inspect_object *o, const char *name, size_t *count, size_t *width,
                              const json_t **out) {
  as_status status = as_inspect_list(o, name, out);
  if (status != AS_OK) return status;
  bool any = *count == 0;
  if (any) {
    *count = json_array_size(*out);
    *width = json_array_size(json_array_get(*out, 0));
  }
  if (*count == 0) return as_inspect_fail(o, name, " has no rows");
  if (json_array_size(*out) != *count)
    return as_inspect_fail(o, name, " has %zu rows, but there are %zu rows of ids", json_array_size(*out), *count);
  for (size_t i = 0; i < *count; i++) {
    const json_t *row = json_array_get(*out, i);
    if (!json_is_array(row)) return as_inspect_fail(o, name, "[%zu] must be a list", i);
    if (json_array_size(row) == 0) return as_inspect_fail(o, name, "[%zu] is empty", i);
    if (json_array_size(row) != *width)
      return as_inspect_fail(o, name, "[%zu] has %zu elements, but rows have %zu here: pad them to one length", i,
                             json_array_size(row), *width);
  }
  return AS_OK;
}

/* Lengths from a mask of ones and then zeros. A zero between ones would need positions that packed rows do not have. */
static as_status read_mask(const as_inspect_object *o, const char *name, as_inspect_rows *rows) {
  size_t count = (size_t)rows->count, width = (size_t)rows->width;
  const json_t *matrix;
  as_status status = check_matrix(o, name, &count, &width, &matrix);
  for (size_t i = 0; status == AS_OK && i < count; i++) {
    const json_t *row = json_array_get(matrix, i);
    size_t ones = 0, k = 0;
    for (; status == AS_OK && k < width; k++) {
      const json_t *value = json_array_get(row, k);
      bool one = json_is_true(value) || (json_is_integer(value) && json_integer_value(value) == 1);
      bool zero = json_is_false(value) || (json_is_integer(value) && json_integer_value(value) == 0);
      if (!one && !zero) status = fail_cell(o, name, i, k, value, "0 or 1");
      if (one && ones < k)
        status = as_inspect_fail(o, name, "[%zu][%zu] is 1 behind a 0: only padding at the end of a row can be masked",
                                 i, k);
      ones += one;
    }
    if (status == AS_OK && ones == 0) status = as_inspect_fail(o, name, "[%zu] has no 1: a row needs a token", i);
    rows->lengths[i] = (int64_t)ones;
  }
  return status;
}

/* Lengths as given; they must be those of the mask, if there was one. */
static as_status read_lengths(const as_inspect_object *o, const char *name, bool masked, as_inspect_rows *rows) {
  const json_t *list;
  as_status status = as_inspect_list(o, name, &list);
  if (status != AS_OK) return status;
  if (json_array_size(list) != (size_t)rows->count)
    return as_inspect_fail(o, name, " has %zu elements, but there are %" PRId64 " rows of ids", json_array_size(list),
                           rows->count);
  for (size_t i = 0; i < (size_t)rows->count; i++) {
    const json_t *value = json_array_get(list, i);
    char text[SHOWN + 8];
    if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > rows->width)
      return as_inspect_fail(o, name, "[%zu] is %s, but must be from 1 to the rows' width of %" PRId64, i,
                             show(value, text), rows->width);
    if (masked && rows->lengths[i] != json_integer_value(value))
      return as_inspect_fail(o, name, "[%zu] is %s, but the mask has %" PRId64 " tokens there", i, show(value, text),
                             rows->lengths[i]);
    rows->lengths[i] = json_integer_value(value);
  }
  return AS_OK;
}

static as_status read_ids(const as_inspect_object *o, const as_inspect_row_fields *fields, const json_t *matrix,
                          as_inspect_rows *rows) {
  char wanted[96];
  snprintf(wanted, sizeof wanted, "a token id from 0 to %" PRId64 "%s", fields->vocab_size - 1,
           fields->labels ? ", or -100 for none" : "");
  for (size_t i = 0; i < (size_t)rows->count; i++) {
    const json_t *row = json_array_get(matrix, i);
    if (rows->lengths[i] > fields->max_tokens)
      return as_inspect_fail(o, fields->ids, "[%zu] has %" PRId64 " tokens, but the model takes at most %" PRId64, i,
                             rows->lengths[i], fields->max_tokens);
    for (size_t k = 0; k < (size_t)rows->lengths[i]; k++) {
      const json_t *value = json_array_get(row, k);
      bool none = fields->labels && json_is_integer(value) && json_integer_value(value) == AS_NO_LABEL;
      if (!json_is_integer(value) || (json_integer_value(value) < 0 && !none) ||
          json_integer_value(value) >= fields->vocab_size)
        return fail_cell(o, fields->ids, i, k, value, wanted);
      rows->ids[i * (size_t)rows->width + k] = (int32_t)json_integer_value(value);
    }
  }
  return AS_OK;
}

/* Rows of labels end with the last one that is not padding; one of padding alone has one position. */
static void trim_labels(const json_t *matrix, as_inspect_rows *rows) {
  for (int64_t i = 0; i < rows->count; i++) {
    const json_t *row = json_array_get(matrix, (size_t)i);
    int64_t *length = &rows->lengths[i];
    while (*length > 1 && json_integer_value(json_array_get(row, (size_t)*length - 1)) == AS_NO_LABEL) (*length)--;
  }
}

as_status as_inspect_rows_read(const as_inspect_object *o, const as_inspect_row_fields *fields, as_inspect_rows *rows) {
  *rows = (as_inspect_rows){.ctx = o->ctx};
  const json_t *matrix;
  size_t count = 0, width = 0;
  as_status status = check_matrix(o, fields->ids, &count, &width, &matrix);
  if (status != AS_OK) return status;
  rows->count = (int64_t)count;
  rows->width = (int64_t)width;
  rows->lengths = as_alloc(o->ctx, count, sizeof *rows->lengths);
  rows->ids = as_alloc_zero(o->ctx, count, width * sizeof *rows->ids);
  if (!rows->lengths || !rows->ids) return AS_E_NOMEM;
  for (size_t i = 0; i < count; i++) rows->lengths[i] = rows->width;
  if (fields->labels) trim_labels(matrix, rows);
  bool masked = fields->mask && as_inspect_has(o, fields->mask);
  if (masked) status = read_mask(o, fields->mask, rows);
  if (status == AS_OK && fields->lengths && as_inspect_has(o, fields->lengths))
    status = read_lengths(o, fields->lengths, masked, rows);
  return status == AS_OK ? read_ids(o, fields, matrix, rows) : status;
}

void as_inspect_rows_free(as_inspect_rows *rows) {
  if (!rows->ctx) return;
  as_free(rows->ctx, rows->ids);
  as_free(rows->ctx, rows->lengths);
  *rows = (as_inspect_rows){0};
}

as_status as_inspect_same_tokens(const as_inspect_object *o, const char *name, const as_inspect_rows *rows,
                                 const int32_t *values) {
  size_t count = (size_t)rows->count, width = (size_t)rows->width;
  const json_t *matrix;
  if (!as_inspect_has(o, name)) return AS_OK;
  as_status status = check_matrix(o, name, &count, &width, &matrix);
  for (size_t i = 0; status == AS_OK && i < count; i++)
    for (size_t k = 0; status == AS_OK && k < (size_t)rows->lengths[i]; k++) {
      const json_t *value = json_array_get(json_array_get(matrix, i), k);
      int32_t own = *values++;
      char wanted[64];
      if (json_is_integer(value) && json_integer_value(value) == own) continue;
      snprintf(wanted, sizeof wanted, "%d, which the model gives this token", (int)own);
      status = fail_cell(o, name, i, k, value, wanted);
    }
  return status;
}

/* ---- labels and their weights ------------------------------------------------------------------------------- */

as_status as_inspect_labels(const as_inspect_object *o, const char *name, int64_t classes, int64_t count,
                            int32_t *labels) {
  for (int64_t i = 0; i < count; i++) labels[i] = AS_NO_LABEL;
  if (!as_inspect_has(o, name)) return AS_OK;
  const json_t *list;
  as_status status = as_inspect_list(o, name, &list);
  if (status != AS_OK) return status;
  if (json_array_size(list) != (size_t)count)
    return as_inspect_fail(o, name, " has %zu elements, but there are %" PRId64 " rows of ids", json_array_size(list),
                           count);
  for (size_t i = 0; i < (size_t)count; i++) {
    const json_t *value = json_array_get(list, i);
    char text[SHOWN + 8];
    int64_t label = json_integer_value(value);
    if (!json_is_integer(value) || ((label < 0 || label >= classes) && label != AS_NO_LABEL))
      return as_inspect_fail(o, name, "[%zu] is %s, but must be a class from 0 to %" PRId64 ", or %d for none", i,
                             show(value, text), classes - 1, AS_NO_LABEL);
    labels[i] = (int32_t)label;
  }
  return AS_OK;
}

as_status as_inspect_class_weights(const as_inspect_object *o, const char *name, int64_t classes, float *weights) {
  const json_t *list;
  as_status status = as_inspect_list(o, name, &list);
  if (status != AS_OK) return status;
  if (json_array_size(list) != (size_t)classes)
    return as_inspect_fail(o, name, " has %zu elements, but the model has %" PRId64 " classes", json_array_size(list),
                           classes);
  for (size_t i = 0; i < (size_t)classes; i++) {
    const json_t *value = json_array_get(list, i);
    char text[SHOWN + 8];
    double weight = json_number_value(value);
    if (!json_is_number(value) || !(weight >= 0 && weight <= 1e30))
      return as_inspect_fail(o, name, "[%zu] is %s, but must be a number from 0 to 1e30", i, show(value, text));
    weights[i] = (float)weight;
  }
  return AS_OK;
}
