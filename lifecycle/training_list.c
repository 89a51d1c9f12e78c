/* See training_list.h. */
#include "lifecycle/training_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "lifecycle/store_internal.h"

#define LOCK_NAME "train_all.lock"
#define LARGEST (1u << 20)
enum { MOST_WORDS = 256 };

static const char *const states[] = {"left out", "waiting", "interrupted", "done", "failed"};

const char *as_listed_state_name(as_listed_state state) {
  return states[state];
}

as_status as_training_list_init(as_training_list *l, const as_store *store) {
  *l = (as_training_list){.ctx = store->ctx, .store = store, .lock = -1};
  l->path = as_path_join(l->ctx, as_store_root(store), AS_TRAINING_LIST_NAME);
  return l->path ? AS_OK : AS_E_NOMEM;
}

static void free_training(as_context *ctx, as_listed_training *t) {
  for (size_t i = 0; i < t->word_count; i++) as_free(ctx, t->words[i]);
  for (size_t i = 0; i < AS_LISTED_FILES; i++) as_free(ctx, t->files[i].path);
  as_free(ctx, t->words);
  as_free(ctx, t->why);
  *t = (as_listed_training){.state = AS_LISTED_LEFT_OUT};
}

void as_training_list_free(as_training_list *l) {
  if (!l->ctx) return;
  for (size_t i = 0; i < l->count; i++) free_training(l->ctx, &l->list[i]);
  if (l->lock >= 0) close(l->lock);
  as_free(l->ctx, l->path);
  *l = (as_training_list){.lock = -1};
}

/* ---- lock ------------------------------------------------------------------------------------------------------- */

/* The lock is of a file of its own: that of the list is replaced whenever it is written. */
as_status as_training_list_lock(as_training_list *l) {
  char *path = as_path_beside(l->ctx, l->path, LOCK_NAME);
  if (!path) return AS_E_NOMEM;
  as_status status = AS_OK;
  l->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (l->lock < 0)
    status = as_fail(l->ctx, AS_E_IO, "%s: cannot be made: %s", path, strerror(errno));
  else if (flock(l->lock, LOCK_EX | LOCK_NB) != 0) {
    int number = errno;
    close(l->lock);
    l->lock = -1;
    status = number == EWOULDBLOCK
                 ? as_fail(l->ctx, AS_E_IO, "%s: another `train all` works in this store; try again when it has ended",
                           as_store_root(l->store))
                 : as_fail(l->ctx, AS_E_IO, "%s: cannot be locked: %s", path, strerror(number));
  }
  if (status == AS_OK) status = as_file_remove_temporaries(l->ctx, l->path);
  as_free(l->ctx, path);
  return status;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

bool as_training_list_exists(const as_training_list *l) {
  return as_path_exists(l->path);
}

static void write_training(as_json_writer *w, const as_listed_training *t) {
  as_json_open_object(w, NULL);
  as_json_string(w, "model", t->model);
  as_json_string(w, "state", states[t->state]);
  if (t->why) as_json_string(w, "why", t->why);
  as_json_int(w, "exit_code", t->exit_code);
  as_json_open_array(w, "command");
  for (size_t i = 0; i < t->word_count; i++) as_json_string(w, NULL, t->words[i]);
  as_json_close_array(w);
  as_json_open_array(w, "files");
  for (size_t i = 0; i < AS_LISTED_FILES && t->files[i].path; i++) {
    as_json_open_object(w, NULL);
    as_json_string(w, "path", t->files[i].path);
    as_json_string(w, "sha256", t->files[i].sha256);
    as_json_close_object(w);
  }
  as_json_close_array(w);
  as_json_int(w, "before", t->before);
  as_json_int(w, "version", t->version);
  as_json_string(w, "size", t->size);
  as_json_int(w, "rows", t->rows);
  as_json_int(w, "validation_rows", t->valid_rows);
  as_json_int(w, "epochs", t->epochs);
  as_json_int(w, "bytes", t->bytes);
  as_json_double(w, "expected_seconds", t->expected);
  as_json_double(w, "seconds", t->seconds);
  as_json_close_object(w);
}

as_status as_training_list_write(const as_training_list *l) {
  as_buffer out;
  as_buffer_init(&out, l->ctx);
  as_json_writer w = as_json_writer_start(&out, 2);
  as_json_open_object(&w, NULL);
  as_json_int(&w, "format", 1);
  as_json_open_array(&w, "trainings");
  for (size_t i = 0; i < l->count; i++) write_training(&w, &l->list[i]);
  as_json_close_array(&w);
  as_json_close_object(&w);
  as_buffer_char(&out, '\n');
  as_status status = as_file_write_into(l->ctx, as_store_root(l->store), AS_TRAINING_LIST_NAME, &out);
  as_buffer_free(&out);
  return status;
}

as_status as_training_list_remove(const as_training_list *l) {
  if (unlink(l->path) == 0 || errno == ENOENT) return AS_OK;
  return as_fail(l->ctx, AS_E_IO, "%s: cannot be removed: %s", l->path, strerror(errno));
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static as_status wrong(const as_training_list *l, const char *field) {
  return as_fail(l->ctx, AS_E_MODEL,
                 "%s: %s is missing or wrong; if nothing else helps, remove the file and begin anew", l->path, field);
}

static bool read_int(const json_t *object, const char *key, int64_t *out) {
  const json_t *value = json_object_get(object, key);
  *out = json_integer_value(value);
  return json_is_integer(value) && *out >= 0;
}

static bool read_double(const json_t *object, const char *key, double *out) {
  const json_t *value = json_object_get(object, key);
  *out = json_number_value(value);
  return json_is_number(value) && *out >= 0;
}

static as_status read_words(const as_training_list *l, const json_t *object, as_listed_training *t) {
  const json_t *words = json_object_get(object, "command");
  const char *list[MOST_WORDS];
  size_t count = json_array_size(words);
  if (!json_is_array(words) || count > MOST_WORDS) return wrong(l, "command");
  for (size_t i = 0; i < count; i++)
    if (!(list[i] = json_string_value(json_array_get(words, i)))) return wrong(l, "command");
  return as_listed_set_words(l->ctx, t, list, count);
}

static as_status read_files(const as_training_list *l, const json_t *object, as_listed_training *t) {
  const json_t *files = json_object_get(object, "files");
  size_t count = json_array_size(files);
  if (!json_is_array(files) || count > AS_LISTED_FILES) return wrong(l, "files");
  for (size_t i = 0; i < count; i++) {
    const json_t *file = json_array_get(files, i);
    const char *path = json_string_value(json_object_get(file, "path"));
    const char *sha256 = json_string_value(json_object_get(file, "sha256"));
    if (!path || !sha256 || strlen(sha256) != 64) return wrong(l, "files");
    memcpy(t->files[i].sha256, sha256, sizeof t->files[i].sha256);
    t->files[i].path = as_strdup(l->ctx, path);
    if (!t->files[i].path) return AS_E_NOMEM;
  }
  return AS_OK;
}

static as_status read_training(as_training_list *l, const json_t *object) {
  as_listed_training *t = &l->list[l->count++];
  const char *model = json_string_value(json_object_get(object, "model")), *why;
  const char *state = json_string_value(json_object_get(object, "state"));
  const char *size = json_string_value(json_object_get(object, "size"));
  int64_t code;
  size_t s = 0;
  *t = (as_listed_training){.state = AS_LISTED_LEFT_OUT};
  as_status status = model ? as_store_check_name(l->ctx, model) : wrong(l, "model");
  if (status != AS_OK) return wrong(l, "model");
  while (s < sizeof states / sizeof states[0] && (!state || strcmp(states[s], state) != 0)) s++;
  if (s == sizeof states / sizeof states[0]) return wrong(l, "state");
  if (!size || strlen(size) >= sizeof t->size) return wrong(l, "size");
  snprintf(t->model, sizeof t->model, "%s", model);
  snprintf(t->size, sizeof t->size, "%s", size);
  t->state = (as_listed_state)s;
  bool good = read_int(object, "exit_code", &code) && code < 256 && read_int(object, "before", &t->before) &&
              read_int(object, "version", &t->version) && read_int(object, "rows", &t->rows) &&
              read_int(object, "validation_rows", &t->valid_rows) && read_int(object, "epochs", &t->epochs) &&
              read_int(object, "bytes", &t->bytes) && read_double(object, "expected_seconds", &t->expected) &&
              read_double(object, "seconds", &t->seconds);
  if (!good) return wrong(l, "a number");
  t->exit_code = (int)code;
  why = json_string_value(json_object_get(object, "why"));
  status = why ? as_listed_set_why(l->ctx, t, why) : AS_OK;
  if (status == AS_OK) status = read_words(l, object, t);
  return status == AS_OK ? read_files(l, object, t) : status;
}

as_status as_training_list_read(as_training_list *l) {
  json_t *root = NULL;
  as_status status = as_json_read(l->ctx, l->path, LARGEST, AS_E_MODEL, &root);
  const json_t *list = json_object_get(root, "trainings");
  if (status == AS_OK && json_integer_value(json_object_get(root, "format")) != 1) status = wrong(l, "format");
  if (status == AS_OK && (!json_is_array(list) || json_array_size(list) > AS_LISTED_MODELS))
    status = wrong(l, "trainings");
  for (size_t i = 0; status == AS_OK && i < json_array_size(list); i++)
    status = read_training(l, json_array_get(list, i));
  json_decref(root);
  return status;
}

/* ---- a training ------------------------------------------------------------------------------------------------- */

as_status as_listed_set_why(as_context *ctx, as_listed_training *t, const char *why) {
  char *copy = as_strdup(ctx, why);
  if (!copy) return AS_E_NOMEM;
  as_free(ctx, t->why);
  t->why = copy;
  return AS_OK;
}

as_status as_listed_set_words(as_context *ctx, as_listed_training *t, const char *const *words, size_t count) {
  char **copy = as_alloc_zero(ctx, count, sizeof *copy);
  as_status status = copy ? AS_OK : AS_E_NOMEM;
  for (size_t i = 0; status == AS_OK && i < count; i++)
    if (!(copy[i] = as_strdup(ctx, words[i]))) status = AS_E_NOMEM;
  if (status != AS_OK) {
    for (size_t i = 0; copy && i < count; i++) as_free(ctx, copy[i]);
    as_free(ctx, copy);
    return status;
  }
  for (size_t i = 0; i < t->word_count; i++) as_free(ctx, t->words[i]);
  as_free(ctx, t->words);
  t->words = copy;
  t->word_count = count;
  return AS_OK;
}

as_status as_listed_add_file(as_context *ctx, as_listed_training *t, const char *path) {
  size_t i = 0;
  unsigned char digest[32];
  while (i < AS_LISTED_FILES - 1 && t->files[i].path) i++;
  as_status status = as_sha256_file(ctx, path, AS_E_DATA, digest);
  if (status != AS_OK) return status;
  as_free(ctx, t->files[i].path);
  t->files[i].path = as_strdup(ctx, path);
  as_sha256_hex(digest, t->files[i].sha256);
  return t->files[i].path ? AS_OK : AS_E_NOMEM;
}

as_status as_training_list_check_files(const as_training_list *l) {
  for (size_t i = 0; i < l->count; i++) {
    const as_listed_training *t = &l->list[i];
    if (t->state != AS_LISTED_WAITING && t->state != AS_LISTED_BEGUN) continue;
    for (size_t f = 0; f < AS_LISTED_FILES && t->files[f].path; f++) {
      unsigned char digest[32];
      char now[65];
      as_status status = as_sha256_file(l->ctx, t->files[f].path, AS_E_DATA, digest);
      if (status != AS_OK) return status;
      as_sha256_hex(digest, now);
      if (strcmp(now, t->files[f].sha256) != 0)
        return as_fail(l->ctx, AS_E_DATA,
                       "%s: line 1: the file is not the one that `train all` began with, and %s is still to be trained "
                       "on it; restore it, or begin anew with --overwrite in place of --resume",
                       t->files[f].path, t->model);
    }
  }
  return AS_OK;
}
