/* Members of tokenizer.json. */
#include "tokenizer/fields.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

as_status as_field_fail(const as_loader *loader, const char *where, const char *key, const char *format, ...) {
  const char *parts[] = {loader->where, where, key};
  char path[256] = "", text[512];
  size_t used = 0;
  for (size_t i = 0; i < sizeof parts / sizeof *parts && used < sizeof path; i++)
    if (*parts[i]) used += (size_t)snprintf(path + used, sizeof path - used, used ? ".%s" : "%s", parts[i]);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return as_fail(loader->ctx, AS_E_MODEL, "%s: %s%s%s", loader->path, path, *path ? " " : "", text);
}

as_status as_field_object(const as_loader *loader, const json_t *json, const char *where) {
  if (json_is_object(json)) return AS_OK;
  return as_field_fail(loader, where, "", "must be an object");
}

as_status as_field_bool(const as_loader *loader, const json_t *object, const char *where, const char *key,
                        bool *value) {
  const json_t *member = json_object_get(object, key);
  if (!member || json_is_null(member)) return AS_OK;
  if (!json_is_boolean(member)) return as_field_fail(loader, where, key, "must be true or false");
  *value = json_is_true(member);
  return AS_OK;
}

as_status as_field_int(const as_loader *loader, const json_t *object, const char *where, const char *key, int64_t low,
                       int64_t high, int64_t *value) {
  const json_t *member = json_object_get(object, key);
  if (!member || json_is_null(member)) return AS_OK;
  if (!json_is_integer(member) || json_integer_value(member) < low || json_integer_value(member) > high)
    return as_field_fail(loader, where, key, "must be an integer from %" PRId64 " to %" PRId64, low, high);
  *value = json_integer_value(member);
  return AS_OK;
}

as_status as_field_string(const as_loader *loader, const json_t *object, const char *where, const char *key,
                          const char **value) {
  const json_t *member = json_object_get(object, key);
  if (!member || json_is_null(member)) return AS_OK;
  if (!json_is_string(member) || strlen(json_string_value(member)) != json_string_length(member))
    return as_field_fail(loader, where, key, "must be a text without NUL");
  *value = json_string_value(member);
  return AS_OK;
}
