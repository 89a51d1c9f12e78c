/* Export and import of versions. See transfer.h. */
#include "lifecycle/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "lifecycle/manifest.h"
#include "lifecycle/store_internal.h"
#include "lifecycle/tar.h"
#include "models/task_file.h"

/* ---- export ----------------------------------------------------------------------------------------------------- */

/* One file of the version; `expected` is its digest, NULL for the manifest itself. */
static as_status export_file(as_context *ctx, FILE *stream, const char *folder, const char *top, const char *name,
                             const unsigned char *expected) {
  as_mapping file = {0};
  as_buffer inside;
  as_buffer_init(&inside, ctx);
  as_buffer_printf(&inside, "%s/%s", top, name);
  char *path = as_path_join(ctx, folder, name);
  as_status status = path ? as_buffer_status(&inside) : AS_E_NOMEM;
  if (status == AS_OK) status = as_file_map(ctx, path, AS_E_MODEL, &file);
  if (status == AS_OK && expected) {
    unsigned char digest[32];
    as_sha256 hash;
    as_sha256_start(&hash);
    as_sha256_update(&hash, file.data, file.length);
    as_sha256_finish(&hash, digest);
    if (memcmp(digest, expected, sizeof digest) != 0)
      status = as_fail(ctx, AS_E_MODEL, "%s: is not the file that the manifest lists: its SHA-256 differs", path);
  }
  if (status == AS_OK) status = as_tar_header(ctx, stream, as_buffer_string(&inside), file.length);
  if (status == AS_OK) {
    fwrite(file.data, 1, file.length, stream); /* the commit sees the stream's error */
    as_tar_pad(stream, file.length);
  }
  as_file_unmap(ctx, &file);
  as_free(ctx, path);
  as_buffer_free(&inside);
  return status;
}

as_status as_store_export(const as_store *store, const as_version *version, const char *path, uint64_t *bytes) {
  as_context *ctx = store->ctx;
  as_manifest manifest = {0};
  as_file_writer writer = {0};
  char top[AS_STORE_NAME + AS_VERSION_TEXT + 1], number[AS_VERSION_TEXT];
  as_version_text(version->number, number);
  snprintf(top, sizeof top, "%s/%s", version->model, number);
  *bytes = 0;
  as_status status = as_store_expect(store, version);
  char *folder = status == AS_OK ? as_store_folder(store, version) : NULL;
  if (status == AS_OK && !folder) status = AS_E_NOMEM;
  if (status == AS_OK) status = as_manifest_read(ctx, folder, &manifest);
  if (status == AS_OK) status = as_file_begin(ctx, &writer, path);
  if (status == AS_OK) status = export_file(ctx, writer.stream, folder, top, AS_MANIFEST_NAME, NULL);
  for (size_t i = 0; status == AS_OK && i < manifest.count; i++)
    status = export_file(ctx, writer.stream, folder, top, manifest.entries[i].path, manifest.entries[i].digest);
  if (status == AS_OK) {
    as_tar_end(writer.stream);
    *bytes = (uint64_t)ftello(writer.stream);
    status = as_file_commit(ctx, &writer);
  }
  as_file_abandon(ctx, &writer);
  as_manifest_free(ctx, &manifest);
  as_free(ctx, folder);
  return status;
}

/* ---- import ----------------------------------------------------------------------------------------------------- */

/* The first two parts, model and version, are those of every name in the archive. */
typedef struct contents {
  char model[AS_STORE_NAME];
  char top[AS_TAR_NAME + 1]; /* "intent/v0002/" */
  size_t files;
  uint64_t bytes;
  bool has_manifest;
} contents;

static bool inside_is_safe(const char *name) {
  return strcmp(name, AS_MANIFEST_NAME) == 0 || as_manifest_path_ok(name);
}

static as_status find_top(as_context *ctx, const char *path, const char *name, contents *c) {
  const char *slash = strchr(name, '/'), *end = slash ? strchr(slash + 1, '/') : NULL;
  char version[AS_VERSION_TEXT];
  if (end && (size_t)(slash - name) < sizeof c->model && (size_t)(end - slash) <= sizeof version) {
    snprintf(c->model, sizeof c->model, "%.*s", (int)(slash - name), name);
    snprintf(version, sizeof version, "%.*s", (int)(end - slash - 1), slash + 1);
    snprintf(c->top, sizeof c->top, "%.*s", (int)(end + 1 - name), name);
    if (as_store_check_name(ctx, c->model) == AS_OK && as_version_parse(version)) return AS_OK;
  }
  return as_fail(ctx, AS_E_MODEL, "%s: \"%s\": is no file of a model version, such as intent/v0001/config.json", path,
                 name);
}

static as_status check_name(as_context *ctx, const char *path, const char *name, contents *c) {
  as_status status = *c->top ? AS_OK : find_top(ctx, path, name, c);
  if (status != AS_OK) return status;
  const size_t length = strlen(c->top);
  if (strncmp(name, c->top, length) != 0)
    return as_fail(ctx, AS_E_MODEL, "%s: \"%s\": does not lie below %s as the first file does", path, name, c->top);
  if (!inside_is_safe(name + length))
    return as_fail(ctx, AS_E_MODEL, "%s: \"%s\": a name that a model version does not have", path, name);
  if (++c->files > AS_MANIFEST_FILES + 1)
    return as_fail(ctx, AS_E_MODEL, "%s: has more than %d files", path, AS_MANIFEST_FILES);
  c->has_manifest = c->has_manifest || strcmp(name + length, AS_MANIFEST_NAME) == 0;
  return AS_OK;
}

/* Goes through the whole archive before anything is written. */
static as_status survey(as_context *ctx, const char *path, const as_mapping *archive, contents *c) {
  as_tar_reader reader = as_tar_open(ctx, path, archive->data, archive->length);
  for (;;) {
    as_tar_file file;
    bool more;
    as_status status = as_tar_next(&reader, &file, &more);
    if (status == AS_OK && more) status = check_name(ctx, path, file.name, c);
    if (status != AS_OK) return status;
    if (!more) break;
    c->bytes += file.length;
  }
  if (!c->has_manifest)
    return as_fail(ctx, AS_E_MODEL, "%s: holds no %s; `assistify models export` writes such archives", path,
                   AS_MANIFEST_NAME);
  return AS_OK;
}

static as_status write_one(as_context *ctx, const char *archive, const char *folder, const char *name,
                           const as_tar_file *file) {
  char *path = as_path_join(ctx, folder, name);
  char *parent = path ? as_path_beside(ctx, path, "") : NULL;
  as_status status = parent ? as_make_folders(ctx, parent) : AS_E_NOMEM;
  if (status == AS_OK && as_path_exists(path))
    status = as_fail(ctx, AS_E_MODEL, "%s: \"%s\": stands in the archive twice", archive, file->name);
  if (status == AS_OK) status = as_file_write(ctx, path, file->bytes, (size_t)file->length);
  as_free(ctx, parent);
  as_free(ctx, path);
  return status;
}

static as_status write_all(as_context *ctx, const char *path, const as_mapping *archive, const contents *c,
                           const char *folder) {
  as_tar_reader reader = as_tar_open(ctx, path, archive->data, archive->length);
  for (;;) {
    as_tar_file file;
    bool more;
    as_status status = as_tar_next(&reader, &file, &more);
    if (status == AS_OK && more) status = write_one(ctx, path, folder, file.name + strlen(c->top), &file);
    if (status != AS_OK || !more) return status;
  }
}

/* A sentiment model must not come in as intent. Folders from elsewhere do not say what they are for, nor must a model
 * that has a name of the user's own. */
static as_status check_task(as_context *ctx, const char *folder, const char *model) {
  static const char *const tasks[] = {"intent", "sentiment", "response"};
  as_task_file file = {0};
  as_status status = as_task_file_read(ctx, folder, &file);
  for (size_t i = 0; status == AS_OK && i < sizeof tasks / sizeof tasks[0]; i++)
    if (strcmp(model, tasks[i]) == 0) status = as_task_file_expect(ctx, folder, &file, model);
  as_task_file_free(ctx, &file);
  return status;
}

static as_status check_room(as_store *store, const char *path, uint64_t bytes) {
  const uint64_t room = as_disk_free(store->root);
  if (bytes <= room) return AS_OK;
  return as_fail(store->ctx, AS_E_IO, "%s: needs %" PRIu64 " bytes in %s, where %" PRIu64 " are free", path, bytes,
                 store->root, room);
}

as_status as_store_import(as_store *store, const char *path, const char *model, as_version *out, bool *is_champion) {
  as_context *ctx = store->ctx;
  as_mapping archive = {0};
  as_store_work work = {0};
  contents c = {0};
  as_status status = model ? as_store_check_name(ctx, model) : AS_OK;
  if (status == AS_OK) status = as_file_map(ctx, path, AS_E_MODEL, &archive);
  if (status == AS_OK) status = survey(ctx, path, &archive, &c);
  if (status == AS_OK) status = check_room(store, path, c.bytes);
  if (status == AS_OK) status = as_store_begin_copy(store, model ? model : c.model, &work);
  if (status == AS_OK) status = write_all(ctx, path, &archive, &c, work.folder);
  if (status == AS_OK) {
    status = as_manifest_check(ctx, work.folder, NULL, NULL);
    if (status == AS_OK) status = check_task(ctx, work.folder, work.model);
    if (status == AS_E_MODEL) as_fail_prefix(ctx, status, "%s", path);
  }
  if (status == AS_OK) status = as_store_publish(&work, false);
  if (status == AS_OK) {
    *out = work.added;
    *is_champion = work.is_champion;
  }
  as_store_work_end(&work);
  as_file_unmap(ctx, &archive);
  return status;
}
