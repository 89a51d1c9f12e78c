/* Writing config.json: keys in order, so that the same configuration is always the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "models/config.h"

/* Numbers, which the keys of id2label are, by their value; other keys byte by byte. */
static int by_key(const void *a, const void *b) {
  const char *x = *(const char *const *)a, *y = *(const char *const *)b;
  size_t length_x = strlen(x), length_y = strlen(y);
  bool numbers = strspn(x, "0123456789") == length_x && strspn(y, "0123456789") == length_y;
  if (numbers && length_x != length_y) return length_x < length_y ? -1 : 1;
  return strcmp(x, y);
}

/* Recursion is bounded: documents come from as_json_parse, which bounds their depth, or are made by models. */
static as_status write_sorted(as_context *ctx, as_json_writer *writer, const char *key, const json_t *value) {
  if (!json_is_object(value)) {
    as_json_value(writer, key, value);
    return AS_OK;
  }
  json_t *object = (json_t *)(uintptr_t)value; /* jansson's iterators only read, but don't say so */
  size_t count = json_object_size(object), n = 0;
  const char **keys = as_alloc(ctx, count, sizeof *keys);
  if (!keys) return AS_E_NOMEM;
  for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at))
    keys[n++] = json_object_iter_key(at);
  qsort(keys, count, sizeof *keys, by_key);
  as_status status = AS_OK;
  as_json_open_object(writer, key);
  for (size_t i = 0; i < count && status == AS_OK; i++)
    status = write_sorted(ctx, writer, keys[i], json_object_get(object, keys[i]));
  as_json_close_object(writer);
  as_free(ctx, keys);
  return status;
}

as_status as_config_write(as_context *ctx, const char *folder, const json_t *root) {
  as_buffer text;
  as_buffer_init(&text, ctx);
  as_json_writer writer = as_json_writer_start(&text, 2);
  char *path = as_path_join(ctx, folder, "config.json");
  as_status status = path ? write_sorted(ctx, &writer, NULL, root) : AS_E_NOMEM;
  as_buffer_char(&text, '\n');
  if (status == AS_OK) status = as_buffer_status(&text);
  if (status == AS_OK) status = as_file_write(ctx, path, text.data, text.length);
  as_buffer_free(&text);
  as_free(ctx, path);
  return status;
}
