/* Reading fields. Invariant: nothing is believed about a value before its type was looked at, and memory is only taken
 * for values that the line really holds. */
#include "eval/json_fields.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"

static as_status wrong(as_context *ctx, const char *name, const char *expected) {
  return as_fail(ctx, AS_E_DATA, "field \"%s\" is not %s", name, expected);
}

static as_status find(as_context *ctx, const json_t *line, const char *name, const json_t **value) {
  *value = json_object_get(line, name);
  return *value ? AS_OK : as_fail(ctx, AS_E_DATA, "field \"%s\" is missing", name);
}

bool as_line_present(const json_t *line, const char *name) {
  const json_t *value = json_object_get(line, name);
  return value && !json_is_null(value);
}

as_status as_line_int(as_context *ctx, const json_t *line, const char *name, int64_t least, int64_t most,
                      int64_t *out) {
  const json_t *value;
  as_status status = find(ctx, line, name, &value);
  if (status != AS_OK) return status;
  if (!json_is_integer(value)) return wrong(ctx, name, "a whole number");
  *out = json_integer_value(value);
  if (*out >= least && *out <= most) return AS_OK;
  return as_fail(ctx, AS_E_DATA, "field \"%s\" is %" PRId64 ", not in %" PRId64 "..%" PRId64, name, *out, least, most);
}

as_status as_line_number(as_context *ctx, const json_t *line, const char *name, double *out) {
  const json_t *value;
  as_status status = find(ctx, line, name, &value);
  if (status != AS_OK) return status;
  if (!json_is_number(value)) return wrong(ctx, name, "a number");
  *out = json_number_value(value);
  return AS_OK;
}

as_status as_line_array(as_context *ctx, const json_t *line, const char *name, const json_t **out) {
  as_status status = find(ctx, line, name, out);
  if (status == AS_OK && !json_is_array(*out)) status = wrong(ctx, name, "an array");
  return status;
}

as_status as_line_string(as_context *ctx, const json_t *line, const char *name, const char **out, size_t *length) {
  const json_t *value;
  as_status status = find(ctx, line, name, &value);
  if (status != AS_OK) return status;
  if (!json_is_string(value)) return wrong(ctx, name, "a string");
  *out = json_string_value(value);
  *length = json_string_length(value);
  return AS_OK;
}

static as_status check_element(as_context *ctx, const json_t *value, const char *name, size_t at, int64_t least,
                               int64_t below) {
  if (!json_is_integer(value)) return as_fail(ctx, AS_E_DATA, "%s[%zu] is not a whole number", name, at);
  const int64_t number = json_integer_value(value);
  if (number >= least && number < below) return AS_OK;
  return as_fail(ctx, AS_E_DATA, "%s[%zu] is %" PRId64 ", not in %" PRId64 "..%" PRId64, name, at, number, least,
                 below - 1);
}

as_status as_array_integers(as_context *ctx, const json_t *array, const char *what, int64_t least, int64_t below,
                            int64_t **out, int64_t *count) {
  *out = NULL;
  if (!json_is_array(array)) return as_fail(ctx, AS_E_DATA, "%s is not an array", what);
  const size_t size = json_array_size(array);
  int64_t *values = as_alloc(ctx, size, sizeof *values);
  if (!values) return AS_E_NOMEM;
  for (size_t i = 0; i < size; i++) {
    const json_t *value = json_array_get(array, i);
    const as_status status = check_element(ctx, value, what, i, least, below);
    if (status != AS_OK) {
      as_free(ctx, values);
      return status;
    }
    values[i] = json_integer_value(value);
  }
  *out = values;
  *count = (int64_t)size;
  return AS_OK;
}

as_status as_line_labels(as_context *ctx, const json_t *line, const char *name, int64_t below, int32_t **out,
                         int64_t *count) {
  const json_t *array;
  int64_t *values = NULL;
  *out = NULL;
  as_status status = as_line_array(ctx, line, name, &array);
  if (status == AS_OK) status = as_array_integers(ctx, array, name, 0, below, &values, count);
  if (status != AS_OK) return status;
  int32_t *labels = as_alloc(ctx, (size_t)*count, sizeof *labels);
  for (int64_t i = 0; labels && i < *count; i++) labels[i] = (int32_t)values[i];
  as_free(ctx, values);
  *out = labels;
  return labels ? AS_OK : AS_E_NOMEM;
}

/* Copies the numbers of `array`, which has `count` of them. */
static as_status copy_numbers(as_context *ctx, const json_t *array, const char *name, size_t count, double *out) {
  for (size_t i = 0; i < count; i++) {
    const json_t *value = json_array_get(array, i);
    if (!json_is_number(value)) return as_fail(ctx, AS_E_DATA, "%s[%zu] is not a number", name, i);
    out[i] = json_number_value(value);
  }
  return AS_OK;
}

as_status as_line_numbers(as_context *ctx, const json_t *line, const char *name, double **out, int64_t *count) {
  const json_t *array;
  *out = NULL;
  as_status status = as_line_array(ctx, line, name, &array);
  if (status != AS_OK) return status;
  const size_t size = json_array_size(array);
  double *values = as_alloc(ctx, size, sizeof *values);
  if (!values) return AS_E_NOMEM;
  status = copy_numbers(ctx, array, name, size, values);
  if (status != AS_OK) {
    as_free(ctx, values);
    return status;
  }
  *out = values;
  *count = (int64_t)size;
  return AS_OK;
}

static as_status check_rows(as_context *ctx, const json_t *array, const char *name, size_t width) {
  for (size_t row = 0; row < json_array_size(array); row++) {
    const json_t *inner = json_array_get(array, row);
    if (!json_is_array(inner)) return as_fail(ctx, AS_E_DATA, "%s[%zu] is not an array", name, row);
    const size_t size = json_array_size(inner);
    if (size != width)
      return as_fail(ctx, AS_E_DATA, "%s[%zu] has %zu values, the first row has %zu", name, row, size, width);
  }
  return AS_OK;
}

as_status as_line_matrix(as_context *ctx, const json_t *line, const char *name, double **out, int64_t *rows,
                         int64_t *columns) {
  const json_t *array;
  *out = NULL;
  as_status status = as_line_array(ctx, line, name, &array);
  if (status != AS_OK) return status;
  const size_t height = json_array_size(array);
  const size_t width = json_array_size(json_array_get(array, 0));
  status = check_rows(ctx, array, name, width);
  if (status != AS_OK) return status;
  double *values = as_alloc(ctx, height * width, sizeof *values); /* as many as the line holds */
  if (!values) return AS_E_NOMEM;
  for (size_t row = 0; row < height && status == AS_OK; row++) {
    status = copy_numbers(ctx, json_array_get(array, row), name, width, values + row * width);
    if (status != AS_OK) status = as_fail_prefix(ctx, status, "row %zu", row);
  }
  if (status != AS_OK) {
    as_free(ctx, values);
    return status;
  }
  *out = values;
  *rows = (int64_t)height;
  *columns = (int64_t)width;
  return AS_OK;
}
