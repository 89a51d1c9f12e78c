/* Reading safetensors. The header is checked field by field before anything in it is believed. */
#include "models/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "models/weight_format.h"

enum { LENGTH_BYTES = 8, MAX_HEADER = 100000000 /* the format's own limit */ };

/* One tensor and where its bytes are, counted from the end of the header. */
typedef struct place {
  as_stored_tensor tensor;
  uint64_t begin, end;
} place;

struct as_safetensors {
  as_context *ctx;
  char *path;
  as_mapping mapping;
  json_t *header; /* owns the names */
  const unsigned char *data;
  uint64_t data_length;
  place *places; /* [count], by name */
  size_t count;
};

/* ---- the header's entries --------------------------------------------------------------------------------------- */

static as_status read_type(as_safetensors *file, const json_t *info, as_stored_tensor *tensor) {
  const json_t *type = json_object_get(info, "dtype");
  if (!json_is_string(type))
    return as_fail(file->ctx, AS_E_MODEL, "%s: tensor \"%s\": dtype is missing or not text", file->path, tensor->name);
  if (strlen(json_string_value(type)) != json_string_length(type) ||
      !as_stored_type_find(json_string_value(type), &tensor->type))
    return as_fail(file->ctx, AS_E_MODEL, "%s: tensor \"%s\": dtype \"%s\" is unknown", file->path, tensor->name,
                   json_string_value(type));
  return AS_OK;
}

static as_status read_shape(as_safetensors *file, const json_t *info, as_stored_tensor *tensor) {
  const json_t *shape = json_object_get(info, "shape");
  if (!json_is_array(shape))
    return as_fail(file->ctx, AS_E_MODEL, "%s: tensor \"%s\": shape is missing or not a list", file->path,
                   tensor->name);
  if (json_array_size(shape) > AS_STORED_MAX_DIMS)
    return as_fail(file->ctx, AS_E_MODEL, "%s: tensor \"%s\": shape has %zu sizes; at most %d are supported",
                   file->path, tensor->name, json_array_size(shape), AS_STORED_MAX_DIMS);
  tensor->ndim = (int)json_array_size(shape);
  for (int i = 0; i < tensor->ndim; i++) {
    const json_t *size = json_array_get(shape, (size_t)i);
    if (!json_is_integer(size))
      return as_fail(file->ctx, AS_E_MODEL, "%s: tensor \"%s\": size %d of shape is not an integer", file->path,
                     tensor->name, i);
    tensor->shape[i] = json_integer_value(size);
  }
  const char *wrong = as_stored_shape(tensor);
  if (!wrong) return AS_OK;
  char text[AS_SHAPE_TEXT];
  return as_fail(file->ctx, AS_E_MODEL, "%s: tensor \"%s\": shape %s %s", file->path, tensor->name,
                 as_shape_text(text, tensor->ndim, tensor->shape), wrong);
}

static as_status read_offsets(as_safetensors *file, const json_t *info, place *at) {
  const char *name = at->tensor.name;
  const json_t *offsets = json_object_get(info, "data_offsets");
  const json_t *first = json_array_get(offsets, 0), *second = json_array_get(offsets, 1);
  if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(second))
    return as_fail(file->ctx, AS_E_MODEL, "%s: tensor \"%s\": data_offsets is missing or not two integers", file->path,
                   name);
  int64_t begin = json_integer_value(first), end = json_integer_value(second);
  if (begin < 0 || end < begin)
    return as_fail(file->ctx, AS_E_MODEL, "%s: tensor \"%s\": data_offsets [%" PRId64 ", %" PRId64 "] are not a range",
                   file->path, name, begin, end);
  if ((uint64_t)end > file->data_length)
    return as_fail(file->ctx, AS_E_MODEL,
                   "%s: tensor \"%s\" ends at byte %" PRId64 " of the data, but there are only %" PRIu64
                   ": the file is truncated or damaged; copy or download it again",
                   file->path, name, end, file->data_length);
  at->begin = (uint64_t)begin;
  at->end = (uint64_t)end;
  uint64_t needed = (uint64_t)at->tensor.elements * as_stored_type_size(at->tensor.type);
  if (needed == at->end - at->begin) return AS_OK;
  char text[AS_SHAPE_TEXT];
  return as_fail(file->ctx, AS_E_MODEL,
                 "%s: tensor \"%s\": shape %s of %s takes %" PRIu64 " bytes, but data_offsets span %" PRIu64,
                 file->path, name, as_shape_text(text, at->tensor.ndim, at->tensor.shape),
                 as_stored_type_name(at->tensor.type), needed, at->end - at->begin);
}

static as_status read_entry(as_safetensors *file, const char *name, const json_t *info, place *at) {
  at->tensor.name = name;
  if (!json_is_object(info))
    return as_fail(file->ctx, AS_E_MODEL, "%s: tensor \"%s\": its header entry is not an object", file->path, name);
  as_status status = read_type(file, info, &at->tensor);
  if (status == AS_OK) status = read_shape(file, info, &at->tensor);
  if (status == AS_OK) status = read_offsets(file, info, at);
  return status;
}

static as_status check_metadata(as_safetensors *file, const json_t *metadata) {
  if (!json_is_object(metadata))
    return as_fail(file->ctx, AS_E_MODEL, "%s: __metadata__ of the header is not an object", file->path);
  json_t *object = (json_t *)(uintptr_t)metadata; /* jansson's iterators only read, but don't say so */
  for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at))
    if (!json_is_string(json_object_iter_value(at)))
      return as_fail(file->ctx, AS_E_MODEL, "%s: __metadata__ of the header: \"%s\" is not text", file->path,
                     json_object_iter_key(at));
  return AS_OK;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) {
  return strcmp(((const place *)a)->tensor.name, ((const place *)b)->tensor.name);
}

static int by_begin(const void *a, const void *b) {
  const place *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  if (x->end != y->end) return x->end < y->end ? -1 : 1;
  return by_name(a, b);
}

/* Whether the tensors fill the data from its first byte to its last, in turn. Leaves them ordered by place. */
static as_status check_coverage(as_safetensors *file) {
  uint64_t covered = 0;
  qsort(file->places, file->count, sizeof *file->places, by_begin);
  for (size_t i = 0; i < file->count; i++) {
    const place *at = &file->places[i];
    if (at->begin < covered)
      return as_fail(file->ctx, AS_E_MODEL,
                     "%s: tensor \"%s\" begins at byte %" PRIu64
                     " of the data, inside tensor \"%s\", which ends at %" PRIu64,
                     file->path, at->tensor.name, at->begin, file->places[i - 1].tensor.name, covered);
    if (at->begin > covered)
      return as_fail(file->ctx, AS_E_MODEL,
                     "%s: bytes %" PRIu64 " to %" PRIu64 " of the data, before tensor \"%s\", belong to no tensor",
                     file->path, covered, at->begin, at->tensor.name);
    covered = at->end;
  }
  if (covered < file->data_length)
    return as_fail(file->ctx, AS_E_MODEL, "%s: %" PRIu64 " extra bytes follow the last tensor", file->path,
                   file->data_length - covered);
  return AS_OK;
}

static as_status read_entries(as_safetensors *file) {
  size_t most = json_object_size(file->header);
  file->places = as_alloc_zero(file->ctx, most, sizeof *file->places);
  if (!file->places) return as_fail_prefix(file->ctx, AS_E_NOMEM, "%s: header", file->path);
  for (void *at = json_object_iter(file->header); at; at = json_object_iter_next(file->header, at)) {
    const char *name = json_object_iter_key(at);
    as_status status = strcmp(name, "__metadata__") == 0
                           ? check_metadata(file, json_object_iter_value(at))
                           : read_entry(file, name, json_object_iter_value(at), &file->places[file->count++]);
    if (status != AS_OK) return status;
  }
  as_status status = check_coverage(file);
  if (status == AS_OK) qsort(file->places, file->count, sizeof *file->places, by_name);
  return status;
}

static as_status read_header(as_safetensors *file) {
  const as_mapping *mapping = &file->mapping;
  uint64_t length;
  if (mapping->length < LENGTH_BYTES)
    return as_fail(file->ctx, AS_E_MODEL, "%s: too short to be a safetensors file: %zu bytes", file->path,
                   mapping->length);
  memcpy(&length, mapping->data, LENGTH_BYTES);
  if (length > MAX_HEADER || length > mapping->length - LENGTH_BYTES)
    return as_fail(file->ctx, AS_E_MODEL,
                   "%s: header length %" PRIu64 " is beyond %s: not a safetensors file, or a truncated one", file->path,
                   length, length > MAX_HEADER ? "the format's limit of 100000000" : "the end of the file");
  const char *text = (const char *)mapping->data + LENGTH_BYTES;
  if (length == 0 || text[0] != '{')
    return as_fail(file->ctx, AS_E_MODEL, "%s: header is not a JSON object", file->path);
  file->data = mapping->data + LENGTH_BYTES + length;
  file->data_length = mapping->length - LENGTH_BYTES - length;
  as_status status = as_json_parse(file->ctx, text, (size_t)length, "header", AS_E_MODEL, &file->header);
  return status == AS_OK ? status : as_fail_prefix(file->ctx, status, "%s", file->path);
}

as_status as_safetensors_open(as_context *ctx, const char *path, as_safetensors **out) {
  *out = NULL;
  as_safetensors *file = as_alloc_zero(ctx, 1, sizeof *file);
  if (!file) return as_fail_prefix(ctx, AS_E_NOMEM, "%s", path);
  file->ctx = ctx;
  file->path = as_strdup(ctx, path);
  as_status status = file->path ? as_file_map(ctx, path, AS_E_MODEL, &file->mapping) : AS_E_NOMEM;
  if (status == AS_OK) status = read_header(file);
  if (status == AS_OK) status = read_entries(file);
  if (status == AS_OK)
    *out = file;
  else
    as_safetensors_close(file);
  return status;
}

void as_safetensors_close(as_safetensors *file) {
  if (!file) return;
  as_context *ctx = file->ctx;
  json_decref(file->header);
  as_file_unmap(ctx, &file->mapping);
  as_free(ctx, file->places);
  as_free(ctx, file->path);
  as_free(ctx, file);
}

size_t as_safetensors_count(const as_safetensors *file) {
  return file->count;
}

const as_stored_tensor *as_safetensors_tensor(const as_safetensors *file, size_t index) {
  return &file->places[index].tensor;
}

const unsigned char *as_safetensors_data(const as_safetensors *file, size_t index) {
  return file->data + file->places[index].begin;
}

bool as_safetensors_find(const as_safetensors *file, const char *name, size_t *index) {
  place wanted = {.tensor.name = name};
  const place *found = bsearch(&wanted, file->places, file->count, sizeof wanted, by_name);
  if (found) *index = (size_t)(found - file->places);
  return found != NULL;
}

/* ---- as the format of a checkpoint ------------------------------------------------------------------------------ */

static as_status format_open(as_context *ctx, const char *path, void **file) {
  as_safetensors *opened;
  as_status status = as_safetensors_open(ctx, path, &opened);
  *file = opened;
  return status;
}

static void format_close(void *file) {
  as_safetensors_close(file);
}
static size_t format_count(const void *file) {
  return as_safetensors_count(file);
}

static const as_stored_tensor *format_tensor(const void *file, size_t index) {
  return as_safetensors_tensor(file, index);
}

static as_tensor_place format_place(const void *file, size_t index) {
  return (as_tensor_place){.offset = (size_t)((const as_safetensors *)file)->places[index].begin};
}

static as_status format_hold(void *file, size_t storage, const unsigned char **bytes) {
  (void)storage;
  *bytes = ((const as_safetensors *)file)->data;
  return AS_OK;
}

static void format_release(void *file) {
  (void)file;
}

const as_weight_format as_safetensors_format = {.open = format_open,
                                                .close = format_close,
                                                .count = format_count,
                                                .tensor = format_tensor,
                                                .place = format_place,
                                                .hold = format_hold,
                                                .release = format_release,
                                                .stays = true};
