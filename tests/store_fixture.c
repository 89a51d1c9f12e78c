/* See store_fixture.h. */
#include "tests/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void as_fixture_folders_in_memory(void) {
  if (access("/dev/shm", W_OK | X_OK) == 0) setenv("TMPDIR", "/dev/shm", 0);
}

const char *as_fixture_path(const char *folder, const char *name) {
  static char paths[16][600];
  static int next;
  char *path = paths[next++ % 16];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

const char *as_fixture_read(as_context *ctx, const char *path) {
  static char texts[4][4096];
  static int next;
  char *text = texts[next++ % 4], *data;
  size_t length;
  ck_assert_ok(ctx, as_file_read(ctx, path, sizeof texts[0] - 1, AS_E_IO, &data, &length));
  memcpy(text, data, length + 1);
  as_free(ctx, data);
  return text;
}

as_store *as_fixture_store(as_context *ctx, const char *folder) {
  as_store *store;
  ck_assert_ok(ctx, as_store_open(ctx, as_fixture_path(folder, "trained_models"), &store));
  return store;
}

void as_fixture_files(as_context *ctx, const char *folder, const char *content) {
  ck_assert_ok(ctx, as_make_folders(ctx, as_fixture_path(folder, "parts")));
  ck_assert_ok(ctx, as_file_write(ctx, as_fixture_path(folder, "config.json"), "{}\n", 3));
  ck_assert_ok(ctx, as_file_write(ctx, as_fixture_path(folder, "parts/index.json"), "[]\n", 3));
  ck_assert_ok(ctx, as_file_write(ctx, as_fixture_path(folder, "model.safetensors"), content, strlen(content)));
}

int64_t as_fixture_add(as_context *ctx, as_store *store, const char *model, const char *content) {
  as_store_work work;
  ck_assert_ok(ctx, as_store_begin_training(store, model, &work));
  as_fixture_files(ctx, work.folder, content);
  ck_assert_ok(ctx, as_store_publish(&work, true));
  int64_t number = work.added.number;
  as_store_work_end(&work);
  return number;
}

void as_fixture_expect(as_context *ctx, const as_store *store, const char *reference, const char *content) {
  as_version version;
  ck_assert_ok(ctx, as_store_find(store, reference, &version));
  char *folder = as_store_folder(store, &version);
  ck_assert_ptr_nonnull(folder);
  ck_assert_str_eq(as_fixture_read(ctx, as_fixture_path(folder, "model.safetensors")), content);
  as_free(ctx, folder);
}

int64_t as_fixture_alias(as_context *ctx, const as_store *store, const char *model, as_alias alias) {
  as_version version;
  ck_assert_ok(ctx, as_store_alias(store, model, alias, &version));
  return version.number;
}
