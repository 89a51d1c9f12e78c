/* Writing safetensors, byte for byte as the safetensors library does: metadata first, then the tensors by type, the
 * widest first, and by name; no spaces in the header but those that fill it up to a multiple of 8. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "models/safetensors.h"

/* An item with its element count; these are sorted, not the caller's. */
typedef struct pending {
  as_stored_tensor tensor;
  const void *data;
} pending;

static size_t bytes_of(const pending *item) {
  return (size_t)item->tensor.elements * as_stored_type_size(item->tensor.type);
}

static int in_file_order(const void *a, const void *b) {
  const as_stored_tensor *x = &((const pending *)a)->tensor, *y = &((const pending *)b)->tensor;
  if (x->type != y->type) return x->type > y->type ? -1 : 1;
  return strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const pending *)a)->tensor.name, ((const pending *)b)->tensor.name);
}

static as_status check_item(as_context *ctx, const char *path, const as_safetensors_item *item, pending *out) {
  if (!item->name || !as_utf8_valid(item->name, strlen(item->name)) || strcmp(item->name, "__metadata__") == 0)
    return as_fail(ctx, AS_E_INVALID, "%s: \"%s\" can't be the name of a tensor", path, item->name ? item->name : "");
  if ((int)item->type < 0 || item->type >= AS_STORED_COUNT || item->ndim < 0 || item->ndim > AS_STORED_MAX_DIMS)
    return as_fail(ctx, AS_E_INVALID, "%s: tensor \"%s\" to be written has no such type or %d dimensions", path,
                   item->name, item->ndim);
  *out = (pending){.tensor = {.name = item->name, .type = item->type, .ndim = item->ndim}, .data = item->data};
  memcpy(out->tensor.shape, item->shape, sizeof out->tensor.shape);
  const char *wrong = as_stored_shape(&out->tensor);
  if (!wrong) return AS_OK;
  return as_fail(ctx, AS_E_INVALID, "%s: tensor \"%s\" to be written %s", path, item->name, wrong);
}

/* The items, checked and in the order of the file; caller frees *out. */
static as_status order_items(as_context *ctx, const char *path, const as_safetensors_item *items, size_t count,
                             pending **out) {
  as_status status = AS_OK;
  pending *ordered = as_alloc(ctx, count, sizeof *ordered);
  if (!ordered) return as_fail_prefix(ctx, AS_E_NOMEM, "%s", path);
  for (size_t i = 0; i < count && status == AS_OK; i++) status = check_item(ctx, path, &items[i], &ordered[i]);
  if (status == AS_OK) qsort(ordered, count, sizeof *ordered, by_name);
  for (size_t i = 1; i < count && status == AS_OK; i++)
    if (by_name(&ordered[i - 1], &ordered[i]) == 0)
      status =
          as_fail(ctx, AS_E_INVALID, "%s: two tensors to be written are named \"%s\"", path, ordered[i].tensor.name);
  if (status == AS_OK) {
    qsort(ordered, count, sizeof *ordered, in_file_order);
    *out = ordered;
  } else {
    as_free(ctx, ordered);
  }
  return status;
}

static void write_entry(as_json_writer *json, const pending *item, uint64_t begin) {
  as_json_open_object(json, item->tensor.name);
  as_json_string(json, "dtype", as_stored_type_name(item->tensor.type));
  as_json_open_array(json, "shape");
  for (int i = 0; i < item->tensor.ndim; i++) as_json_int(json, NULL, item->tensor.shape[i]);
  as_json_close_array(json);
  as_json_open_array(json, "data_offsets");
  as_json_int(json, NULL, (int64_t)begin);
  as_json_int(json, NULL, (int64_t)(begin + bytes_of(item)));
  as_json_close_array(json);
  as_json_close_object(json);
}

static void write_header(as_buffer *header, const pending *items, size_t count) {
  as_json_writer json = as_json_writer_start(header, 0);
  uint64_t at = 0;
  as_json_open_object(&json, NULL);
  as_json_open_object(&json, "__metadata__");
  as_json_string(&json, "format", "pt");
  as_json_close_object(&json);
  for (size_t i = 0; i < count; i++) {
    write_entry(&json, &items[i], at);
    at += bytes_of(&items[i]);
  }
  as_json_close_object(&json);
  while (header->length % 8 && !header->failed) as_buffer_char(header, ' ');
}

as_status as_safetensors_write(as_context *ctx, const char *path, const as_safetensors_item *items, size_t count) {
  pending *ordered = NULL;
  as_buffer header;
  as_file_writer writer;
  as_status status = order_items(ctx, path, items, count, &ordered);
  if (status != AS_OK) return status;
  as_buffer_init(&header, ctx);
  write_header(&header, ordered, count);
  status = as_buffer_status(&header);
  if (status == AS_OK) status = as_file_begin(ctx, &writer, path);
  if (status == AS_OK) {
    uint64_t length = header.length;
    /* A failed write leaves the stream's error flag set, which the commit finds. */
    fwrite(&length, 1, sizeof length, writer.stream);
    fwrite(header.data, 1, header.length, writer.stream);
    for (size_t i = 0; i < count && !ferror(writer.stream); i++)
      if (bytes_of(&ordered[i]) > 0) fwrite(ordered[i].data, 1, bytes_of(&ordered[i]), writer.stream);
    status = as_file_commit(ctx, &writer);
  }
  as_buffer_free(&header);
  as_free(ctx, ordered);
  return status;
}
