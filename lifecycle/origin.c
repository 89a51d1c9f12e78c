/* See origin.h. */
#include "lifecycle/origin.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "config.h"
#include "data/timestamp.h"

#define LARGEST (1u << 20) /* bytes of training.json */

static void put_time(as_json_writer *w, const char *key) {
  char text[AS_TIMESTAMP_TEXT];
  as_timestamp_write((uint32_t)time(NULL), text);
  as_json_string(w, key, text);
}

static as_status put_file(as_context *ctx, as_json_writer *w, const as_origin_file *file) {
  struct stat info;
  unsigned char digest[32];
  char hex[65];
  if (stat(file->path, &info) != 0 || !S_ISREG(info.st_mode)) return AS_OK; /* a word, a pipe, or soon an error */
  as_status status = as_sha256_file(ctx, file->path, AS_E_DATA, digest);
  if (status != AS_OK) return status;
  as_sha256_hex(digest, hex);
  as_json_open_object(w, NULL);
  as_json_string(w, "option", file->option);
  as_json_string(w, "path", file->path);
  as_json_string(w, "sha256", hex);
  as_json_int(w, "bytes", (int64_t)info.st_size);
  as_json_close_object(w);
  return AS_OK;
}

as_status as_origin_write(as_context *ctx, const as_origin *origin, const char *path) {
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_json_writer w = as_json_writer_start(&out, 2);
  as_status status = AS_OK;
  as_json_open_object(&w, NULL);
  as_json_open_array(&w, "command");
  for (size_t i = 0; i < origin->words; i++) as_json_string(&w, NULL, origin->command[i]);
  as_json_close_array(&w);
  as_json_open_array(&w, "files");
  for (size_t i = 0; status == AS_OK && i < origin->file_count; i++) status = put_file(ctx, &w, &origin->files[i]);
  as_json_close_array(&w);
  as_json_string(&w, "program", PACKAGE_VERSION);
  put_time(&w, "started");
  as_json_close_object(&w);
  as_buffer_char(&out, '\n');
  if (status == AS_OK) status = as_buffer_status(&out);
  if (status == AS_OK) status = as_file_write(ctx, path, out.data, out.length);
  as_buffer_free(&out);
  return status;
}

as_status as_origin_finish(as_context *ctx, const char *path, const char *folder) {
  json_t *root = NULL;
  as_buffer out;
  if (!as_path_exists(path)) return AS_OK;
  as_buffer_init(&out, ctx);
  as_json_writer w = as_json_writer_start(&out, 2);
  as_status status = as_json_read(ctx, path, LARGEST, AS_E_MODEL, &root);
  if (status == AS_OK) {
    const char *key;
    json_t *value;
    as_json_open_object(&w, NULL);
    json_object_foreach(root, key, value) as_json_value(&w, key, value);
    put_time(&w, "finished");
    as_json_close_object(&w);
    as_buffer_char(&out, '\n');
    status = as_file_write_into(ctx, folder, AS_ORIGIN_NAME, &out);
  }
  json_decref(root);
  as_buffer_free(&out);
  return status;
}

static bool is_text(const json_t *object, const char *key) {
  return json_is_string(json_object_get(object, key));
}

as_status as_origin_read(as_context *ctx, const char *path, json_t **out) {
  size_t i;
  const json_t *item;
  as_status status = as_json_read(ctx, path, LARGEST, AS_E_MODEL, out);
  if (status != AS_OK) return status;
  const json_t *command = json_object_get(*out, "command"), *files = json_object_get(*out, "files");
  const char *wrong = json_array_size(command) < 3 ? "command" : !json_is_array(files) ? "files" : NULL;
  json_array_foreach(command, i, item)
    if (!json_is_string(item)) wrong = "command";
  json_array_foreach(files, i, item)
    if (!is_text(item, "option") || !is_text(item, "path") || !is_text(item, "sha256")) wrong = "files";
  if (!wrong) return AS_OK;
  json_decref(*out);
  *out = NULL;
  return as_fail(ctx, AS_E_MODEL, "%s: \"%s\" is not as a training writes it", path, wrong);
}
