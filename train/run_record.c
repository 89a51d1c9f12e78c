/* What a run reads, recorded so that a resumed run reads the same: the SHA-256 of the recipe and of each data file. */
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "train/run.h"

char *as_run_recipe_path(const as_training_run *run) {
  return as_path_join(run->ctx, run->files.training, "recipe.json");
}

void as_run_add_file(as_training_run *run, const char *key, const char *path, const unsigned char digest[32]) {
  if (run->read_count == AS_RUN_FILES) return;
  as_run_file *file = &run->read[run->read_count++];
  *file = (as_run_file){.key = key, .path = path};
  memcpy(file->digest, digest, sizeof file->digest);
}

typedef struct file_digest {
  const char *key; /* in data.json */
  const char *path;
  char now[65];
} file_digest;

static as_status refuse_changed(as_training_run *run, const file_digest *file, const char *before) {
  bool is_recipe = strcmp(file->key, "recipe") == 0;
  return as_fail(run->ctx, is_recipe ? AS_E_MODEL : AS_E_DATA,
                 "%s:%s the file is not the one that this run began with (SHA-256 %.12s..., now %.12s...); "
                 "restore it, or train anew into another folder",
                 file->path, is_recipe ? "" : " line 1:", before ? before : "unknown", file->now);
}

/* training/data.json: the SHA-256 of the recipe and of each data file. Written once; later held against. */
static as_status hold_against_record(as_training_run *run, const char *record, const file_digest *files, size_t count) {
  as_context *ctx = run->ctx;
  as_status status = AS_OK;
  json_t *known = NULL;
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_json_writer writer = as_json_writer_start(&out, 2);
  as_json_open_object(&writer, NULL);
  bool exists = as_path_exists(record);
  if (exists) status = as_json_read(ctx, record, 4096, AS_E_MODEL, &known);
  for (size_t i = 0; status == AS_OK && i < count; i++) {
    const char *before = json_string_value(json_object_get(known, files[i].key));
    if (exists && (!before || strcmp(before, files[i].now) != 0)) status = refuse_changed(run, &files[i], before);
    as_json_string(&writer, files[i].key, files[i].now);
  }
  as_json_close_object(&writer);
  as_buffer_char(&out, '\n');
  if (status == AS_OK) status = as_buffer_status(&out);
  if (status == AS_OK && !exists) status = as_file_write(ctx, record, out.data, out.length);
  json_decref(known);
  as_buffer_free(&out);
  return status;
}

as_status as_run_check_files(as_training_run *run) {
  char *record = as_path_join(run->ctx, run->files.training, "data.json"), *recipe = as_run_recipe_path(run);
  file_digest files[1 + AS_RUN_FILES] = {{.key = "recipe", .path = recipe}};
  unsigned char digest[32];
  as_status status = record && recipe ? as_sha256_file(run->ctx, recipe, AS_E_MODEL, digest) : AS_E_NOMEM;
  if (status == AS_OK) {
    as_sha256_hex(digest, files[0].now);
    for (size_t i = 0; i < run->read_count; i++) {
      files[1 + i] = (file_digest){.key = run->read[i].key, .path = run->read[i].path};
      as_sha256_hex(run->read[i].digest, files[1 + i].now);
    }
    status = hold_against_record(run, record, files, 1 + run->read_count);
  }
  as_free(run->ctx, record);
  as_free(run->ctx, recipe);
  return status;
}
