/* pytorch_model.bin: a state dictionary as torch.save writes it, a pickle that says what tensors there are and which
 * part of which storage each one is, and the storages. Nothing in it is executed (models/pickle.h).
 *
 * Invariant of an open file: every tensor lies inside its storage and is not larger than it, and the storage has as
 * many bytes as the pickle says. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "models/pickle.h"
#include "models/torch_zip.h"
#include "models/weight_format.h"

enum { MAX_PICKLE = 8 << 20, MAX_KEY = 200 }; /* a tensor takes about 250 bytes of pickle */

/* ---- what a pickle may name ------------------------------------------------------------------------------------- */

typedef enum function { REBUILD_TENSOR, REBUILD_PARAMETER } function;

static const as_pickle_global allowed[] = {
    {"collections", "OrderedDict", AS_PICKLE_IS_DICT, 0},
    {"torch._utils", "_rebuild_tensor", AS_PICKLE_IS_FUNCTION, REBUILD_TENSOR},
    {"torch._utils", "_rebuild_tensor_v2", AS_PICKLE_IS_FUNCTION, REBUILD_TENSOR},
    {"torch._utils", "_rebuild_parameter", AS_PICKLE_IS_FUNCTION, REBUILD_PARAMETER},
    {"torch", "FloatStorage", AS_PICKLE_IS_CONSTANT, AS_STORED_F32},
    {"torch", "HalfStorage", AS_PICKLE_IS_CONSTANT, AS_STORED_F16},
    {"torch", "BFloat16Storage", AS_PICKLE_IS_CONSTANT, AS_STORED_BF16},
    {"torch", "DoubleStorage", AS_PICKLE_IS_CONSTANT, AS_STORED_F64},
    {"torch", "LongStorage", AS_PICKLE_IS_CONSTANT, AS_STORED_I64},
    {"torch", "IntStorage", AS_PICKLE_IS_CONSTANT, AS_STORED_I32},
    {"torch", "ShortStorage", AS_PICKLE_IS_CONSTANT, AS_STORED_I16},
    {"torch", "CharStorage", AS_PICKLE_IS_CONSTANT, AS_STORED_I8},
    {"torch", "ByteStorage", AS_PICKLE_IS_CONSTANT, AS_STORED_U8},
    {"torch", "BoolStorage", AS_PICKLE_IS_CONSTANT, AS_STORED_BOOL},
    {"torch", "ComplexFloatStorage", AS_PICKLE_IS_CONSTANT, AS_STORED_C64},
    {NULL, NULL, AS_PICKLE_IS_CONSTANT, 0},
};

typedef struct item {
  as_stored_tensor tensor;
  int64_t member; /* the zip's, with the storage */
  size_t offset;  /* bytes */
  int64_t strides[AS_STORED_MAX_DIMS];
  bool row_by_row;
} item;

typedef struct torch_file {
  as_context *ctx;
  char *path;
  as_torch_zip *zip;
  as_pickle *pickle; /* while the file is being opened */
  item *items;       /* [count] */
  size_t count;
  char *names;         /* of all tensors, each ended by NUL */
  unsigned char *held; /* the storage that is held */
} torch_file;

static as_status fail(const torch_file *file, const item *at, const char *what) {
  return as_fail(file->ctx, AS_E_MODEL, "%s: tensor \"%s\" %s", file->path, at->tensor.name, what);
}

/* ---- one tensor ------------------------------------------------------------------------------------------------- */

static bool is_call(const as_pickle_value *value, function wanted) {
  return value && value->kind == AS_PICKLE_CALL && value->as.call.global->value == (int)wanted;
}

static bool is_text(const as_pickle_value *value, const char *text) {
  return value && value->kind == AS_PICKLE_TEXT && value->count == strlen(text) &&
         memcmp(value->as.text, text, value->count) == 0;
}

/* A tuple of integers into numbers[]; its length in *count. False when it is something else or too long. */
static bool read_integers(const torch_file *file, const as_pickle_value *tuple, int64_t *numbers, int *count) {
  if (!tuple || tuple->kind != AS_PICKLE_TUPLE || tuple->count > AS_STORED_MAX_DIMS) return false;
  *count = (int)tuple->count;
  for (uint32_t i = 0; i < tuple->count; i++) {
    const as_pickle_value *number = as_pickle_item(file->pickle, tuple, i);
    if (number->kind != AS_PICKLE_INT) return false;
    numbers[i] = number->as.integer;
  }
  return true;
}

/* The storage a tensor lies on, as the pickle describes it: ("storage", type, key, device, elements). */
typedef struct storage_id {
  as_stored_type type;
  int64_t elements;
  int key_length;
  const char *key; /* not ended by NUL */
} storage_id;

static bool read_storage(const as_pickle *pickle, const as_pickle_value *value, storage_id *out) {
  if (!value || value->kind != AS_PICKLE_PERSISTENT) return false;
  const as_pickle_value *id = as_pickle_at(pickle, value->as.id), *number = as_pickle_item(pickle, id, 4);
  const as_pickle_value *type = as_pickle_item(pickle, id, 1), *key = as_pickle_item(pickle, id, 2);
  if (!number || number->kind != AS_PICKLE_INT || number->as.integer < 0 ||
      !is_text(as_pickle_item(pickle, id, 0), "storage") || type->kind != AS_PICKLE_GLOBAL ||
      type->as.call.global->use != AS_PICKLE_IS_CONSTANT || key->kind != AS_PICKLE_TEXT || key->count > MAX_KEY)
    return false;
  *out = (storage_id){.type = (as_stored_type)type->as.call.global->value,
                      .elements = number->as.integer,
                      .key_length = (int)key->count,
                      .key = key->as.text};
  return true;
}

/* Finds the storage's member of the archive, which must have as many bytes as the pickle says. */
static as_status find_storage(const torch_file *file, const storage_id *from, item *out) {
  char name[MAX_KEY + 16];
  size_t bytes, size = as_stored_type_size(from->type);
  snprintf(name, sizeof name, "data/%.*s", from->key_length, from->key);
  out->member = as_torch_zip_find(file->zip, name);
  if (out->member < 0)
    return as_fail(file->ctx, AS_E_MODEL, "%s: tensor \"%s\" lies on storage %.*s, which the archive lacks", file->path,
                   out->tensor.name, from->key_length, from->key);
  as_status status = as_torch_zip_size(file->zip, out->member, &bytes);
  if (status != AS_OK) return status;
  if (bytes / size == (uint64_t)from->elements && bytes % size == 0) return AS_OK;
  return as_fail(file->ctx, AS_E_MODEL,
                 "%s: tensor \"%s\" lies on storage %.*s of %" PRId64 " %s elements, but that has %zu bytes",
                 file->path, out->tensor.name, from->key_length, from->key, from->elements,
                 as_stored_type_name(from->type), bytes);
}

/* Whether the elements at these strides, the first at `offset`, stay below `limit`. */
static bool stays_inside(const item *at, int64_t offset, int64_t limit) {
  if (offset > limit) return false;
  if (at->tensor.elements == 0) return true;
  int64_t left = limit - offset - 1; /* the last element may be so far from the first */
  for (int i = 0; i < at->tensor.ndim; i++) {
    int64_t steps = at->tensor.shape[i] - 1, stride = at->strides[i];
    if (left < 0 || stride < 0 || (steps > 0 && stride > left / steps)) return false;
    left -= steps * stride;
  }
  return left >= 0;
}

static bool is_row_by_row(const item *at) {
  int64_t expected = 1;
  for (int i = at->tensor.ndim - 1; i >= 0; i--) {
    if (at->tensor.shape[i] != 1 && at->strides[i] != expected) return false;
    expected *= at->tensor.shape[i];
  }
  return true;
}

/* A value of the state dictionary: _rebuild_tensor_v2(storage, offset, size, stride, ...), perhaps as a parameter. */
static as_status read_tensor(torch_file *file, const as_pickle_value *value, item *out) {
  const as_pickle *pickle = file->pickle;
  storage_id from;
  int strides = 0;
  if (is_call(value, REBUILD_PARAMETER))
    value = as_pickle_item(pickle, as_pickle_at(pickle, value->as.call.arguments), 0);
  if (!is_call(value, REBUILD_TENSOR)) return fail(file, out, "is not a tensor; a flat state dictionary is needed");
  const as_pickle_value *arguments = as_pickle_at(pickle, value->as.call.arguments);
  if (!read_storage(pickle, as_pickle_item(pickle, arguments, 0), &from))
    return fail(file, out, "has no storage that is described as torch does it");
  out->tensor.type = from.type;

  const as_pickle_value *offset = as_pickle_item(pickle, arguments, 1);
  if (!offset || offset->kind != AS_PICKLE_INT || offset->as.integer < 0)
    return fail(file, out, "has an offset that is not a number of elements");
  if (!read_integers(file, as_pickle_item(pickle, arguments, 2), out->tensor.shape, &out->tensor.ndim) ||
      !read_integers(file, as_pickle_item(pickle, arguments, 3), out->strides, &strides) || strides != out->tensor.ndim)
    return fail(file, out, "has a size and strides that are not up to 8 integers each");
  const char *wrong = as_stored_shape(&out->tensor);
  if (wrong) return fail(file, out, wrong);
  if (out->tensor.elements > from.elements || !stays_inside(out, offset->as.integer, from.elements))
    return fail(file, out, "reaches beyond its storage");
  as_status status = find_storage(file, &from, out);
  if (status != AS_OK) return status;
  out->offset = (size_t)offset->as.integer * as_stored_type_size(from.type);
  out->row_by_row = is_row_by_row(out);
  return AS_OK;
}

/* ---- the state dictionary --------------------------------------------------------------------------------------- */

/* Copies the names, which is also where it is found out whether all keys are names. */
static as_status copy_names(torch_file *file, const as_pickle_value *root) {
  const as_pickle_value *key, *value;
  size_t bytes = 0, i = 0;
  for (uint32_t position = 0; as_pickle_next(file->pickle, root, &position, &key, &value);) {
    if (key->kind != AS_PICKLE_TEXT || memchr(key->as.text, 0, key->count))
      return as_fail(file->ctx, AS_E_MODEL, "%s: pickle: a key of the state dictionary is %s, but must be a name",
                     file->path, as_pickle_kind_name(key->kind));
    bytes += (size_t)key->count + 1;
  }
  file->names = as_alloc(file->ctx, bytes, 1);
  if (!file->names) return AS_E_NOMEM;
  char *at = file->names;
  for (uint32_t position = 0; as_pickle_next(file->pickle, root, &position, &key, &value); i++) {
    file->items[i].tensor.name = at;
    memcpy(at, key->as.text, key->count);
    at[key->count] = 0;
    at += key->count + 1;
  }
  return AS_OK;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const item *)a)->tensor.name, ((const item *)b)->tensor.name);
}

static as_status read_state(torch_file *file) {
  const as_pickle_value *root = as_pickle_root(file->pickle), *key, *value;
  if (root->kind != AS_PICKLE_DICT)
    return as_fail(file->ctx, AS_E_MODEL, "%s: pickle: the top-level object is %s, but must be a state dictionary",
                   file->path, as_pickle_kind_name(root->kind));
  file->items = as_alloc_zero(file->ctx, root->count, sizeof *file->items);
  if (!file->items) return AS_E_NOMEM;
  file->count = root->count;
  as_status status = copy_names(file, root);
  size_t i = 0;
  for (uint32_t position = 0; status == AS_OK && as_pickle_next(file->pickle, root, &position, &key, &value);)
    status = read_tensor(file, value, &file->items[i++]);
  if (status != AS_OK) return status;
  qsort(file->items, file->count, sizeof *file->items, by_name);
  for (i = 1; i < file->count; i++)
    if (by_name(&file->items[i - 1], &file->items[i]) == 0) return fail(file, &file->items[i], "is there twice");
  return AS_OK;
}

static as_status read_pickle(torch_file *file) {
  size_t length;
  int64_t member = as_torch_zip_find(file->zip, "data.pkl");
  if (member < 0) return as_fail(file->ctx, AS_E_MODEL, "%s: the archive has no data.pkl", file->path);
  as_status status = as_torch_zip_size(file->zip, member, &length);
  if (status != AS_OK) return status;
  if (length > MAX_PICKLE)
    return as_fail(file->ctx, AS_E_MODEL, "%s: pickle: has %zu bytes, more than any state dictionary needs", file->path,
                   length);
  unsigned char *bytes = as_alloc(file->ctx, length, 1);
  if (!bytes) return AS_E_NOMEM;
  status = as_torch_zip_read(file->zip, member, bytes, length);
  if (status == AS_OK) status = as_pickle_read(file->ctx, bytes, length, file->path, allowed, &file->pickle);
  if (status == AS_OK) status = read_state(file);
  as_pickle_free(file->pickle);
  file->pickle = NULL;
  as_free(file->ctx, bytes);
  return status;
}

/* ---- the format ------------------------------------------------------------------------------------------------- */

static void torch_release(void *opaque) {
  torch_file *file = opaque;
  as_free(file->ctx, file->held);
  file->held = NULL;
}

static void torch_close(void *opaque) {
  torch_file *file = opaque;
  if (!file) return;
  as_context *ctx = file->ctx;
  torch_release(file);
  as_torch_zip_close(file->zip);
  as_free(ctx, file->items);
  as_free(ctx, file->names);
  as_free(ctx, file->path);
  as_free(ctx, file);
}

static as_status torch_open(as_context *ctx, const char *path, void **out) {
  *out = NULL;
  torch_file *file = as_alloc_zero(ctx, 1, sizeof *file);
  if (!file) return as_fail_prefix(ctx, AS_E_NOMEM, "%s", path);
  file->ctx = ctx;
  file->path = as_strdup(ctx, path);
  as_status status = file->path ? as_torch_zip_open(ctx, path, &file->zip) : AS_E_NOMEM;
  if (status == AS_OK) status = read_pickle(file);
  if (status == AS_OK)
    *out = file;
  else
    torch_close(file);
  return status;
}

static size_t torch_count(const void *file) {
  return ((const torch_file *)file)->count;
}

static const as_stored_tensor *torch_tensor(const void *file, size_t index) {
  return &((const torch_file *)file)->items[index].tensor;
}

static as_tensor_place torch_place(const void *file, size_t index) {
  const item *at = &((const torch_file *)file)->items[index];
  return (as_tensor_place){
      .storage = (size_t)at->member, .offset = at->offset, .strides = at->row_by_row ? NULL : at->strides};
}

static as_status torch_hold(void *opaque, size_t storage, const unsigned char **bytes) {
  torch_file *file = opaque;
  size_t size;
  as_status status = as_torch_zip_size(file->zip, (int64_t)storage, &size);
  if (status != AS_OK) return status;
  file->held = as_alloc(file->ctx, size, 1);
  if (!file->held) return as_fail_prefix(file->ctx, AS_E_NOMEM, "%s", file->path);
  status = as_torch_zip_read(file->zip, (int64_t)storage, file->held, size);
  if (status != AS_OK) torch_release(file);
  *bytes = file->held;
  return status;
}

const as_weight_format as_torch_format = {.open = torch_open,
                                          .close = torch_close,
                                          .count = torch_count,
                                          .tensor = torch_tensor,
                                          .place = torch_place,
                                          .hold = torch_hold,
                                          .release = torch_release};
