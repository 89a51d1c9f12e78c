/* Reading the model store: names, versions, aliases, references. See store.h. */
#include "lifecycle/store.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "lifecycle/manifest.h"
#include "lifecycle/store_internal.h"

#define MOST_DIGITS 15 /* of a version's number */

static const char *const alias_names[AS_ALIASES] = {"champion", "challenger", "previous"};

const char *as_alias_name(as_alias alias) {
  return alias_names[alias];
}

as_status as_store_open(as_context *ctx, const char *root, as_store **out) {
  *out = as_alloc_zero(ctx, 1, sizeof **out);
  char *copy = *out ? as_strdup(ctx, root) : NULL;
  if (!copy) {
    as_free(ctx, *out);
    *out = NULL;
    return AS_E_NOMEM;
  }
  **out = (as_store){.ctx = ctx, .root = copy};
  return AS_OK;
}

void as_store_close(as_store *store) {
  if (!store) return;
  as_context *ctx = store->ctx;
  as_free(ctx, store->root);
  as_free(ctx, store);
}

const char *as_store_root(const as_store *store) {
  return store->root;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static bool name_ok(const char *name, size_t length) {
  if (length == 0 || length >= AS_STORE_NAME || !(name[0] >= 'a' && name[0] <= 'z')) return false;
  return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") >= length;
}

as_status as_store_check_name(as_context *ctx, const char *name) {
  if (name_ok(name, strlen(name))) return AS_OK;
  return as_fail(ctx, AS_E_INVALID,
                 "\"%s\" is no name of a model: up to %d of a-z, 0-9, _ and -, a letter first, as in intent", name,
                 AS_STORE_NAME - 1);
}

void as_version_text(int64_t number, char text[AS_VERSION_TEXT]) {
  snprintf(text, AS_VERSION_TEXT, "v%04" PRId64, number);
}

int64_t as_version_parse(const char *name) {
  char text[AS_VERSION_TEXT];
  if (name[0] != 'v' || strlen(name) > MOST_DIGITS + 1 || strspn(name + 1, "0123456789") != strlen(name + 1)) return 0;
  int64_t number = strtoll(name + 1, NULL, 10);
  as_version_text(number, text);
  return number > 0 && strcmp(text, name) == 0 ? number : 0;
}

as_version as_version_of(const char *model, int64_t number) {
  as_version version = {.number = number};
  snprintf(version.model, sizeof version.model, "%s", model);
  return version;
}

char *as_store_path(const as_store *store, const char *model, const char *name) {
  char *folder = as_path_join(store->ctx, store->root, model);
  if (!name || !folder) return folder;
  char *path = as_path_join(store->ctx, folder, name);
  as_free(store->ctx, folder);
  return path;
}

char *as_store_folder(const as_store *store, const as_version *version) {
  char text[AS_VERSION_TEXT];
  as_version_text(version->number, text);
  return as_store_path(store, version->model, text);
}

bool as_is_plain_folder(const char *path) {
  struct stat info;
  return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A model's folder lies in the store; one that is not there is fine. */
static as_status check_model_folder(as_context *ctx, const char *folder) {
  struct stat info;
  if (lstat(folder, &info) != 0 || S_ISDIR(info.st_mode)) return AS_OK;
  return as_fail(ctx, AS_E_MODEL, "%s: is %s, not a folder of this store", folder,
                 S_ISLNK(info.st_mode) ? "a link" : "a file");
}

/* ---- listing ---------------------------------------------------------------------------------------------------- */

/* Calls `take` with each name in a folder; a folder that is not there has none. */
static as_status each_name(as_context *ctx, const char *path, as_status (*take)(void *user, const char *name),
                           void *user) {
  DIR *dir = opendir(path);
  if (!dir && errno == ENOENT) return AS_OK;
  if (!dir) return as_fail(ctx, AS_E_MODEL, "%s: cannot be read: %s", path, strerror(errno));
  as_status status = AS_OK;
  for (const struct dirent *entry; status == AS_OK && (entry = readdir(dir));) status = take(user, entry->d_name);
  closedir(dir);
  return status;
}

typedef struct numbers {
  as_context *ctx;
  const char *folder;
  int64_t *list;
  size_t count, capacity;
} numbers;

/* A file or link called like a version is none; verify tells of it. */
static as_status take_number(void *user, const char *name) {
  numbers *n = user;
  int64_t number = as_version_parse(name);
  if (!number) return AS_OK;
  char *path = as_path_join(n->ctx, n->folder, name);
  bool plain = path && as_is_plain_folder(path);
  as_free(n->ctx, path);
  if (!path) return AS_E_NOMEM;
  if (!plain) return AS_OK;
  int64_t *grown = as_grow(n->ctx, n->list, &n->capacity, n->count + 1, sizeof *grown);
  if (!grown) return AS_E_NOMEM;
  n->list = grown;
  n->list[n->count++] = number;
  return AS_OK;
}

static int by_number(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

as_status as_store_versions(const as_store *store, const char *model, int64_t **list, size_t *count) {
  char *folder = as_store_path(store, model, NULL);
  numbers n = {.ctx = store->ctx, .folder = folder};
  *list = NULL;
  *count = 0;
  as_status status = folder ? check_model_folder(store->ctx, folder) : AS_E_NOMEM;
  if (status == AS_OK) status = each_name(store->ctx, folder, take_number, &n);
  if (status == AS_OK && !n.list) {
    n.list = as_alloc(store->ctx, 1, sizeof *n.list);
    if (!n.list) status = AS_E_NOMEM;
  }
  as_free(store->ctx, folder);
  if (status != AS_OK) {
    as_free(store->ctx, n.list);
    return status;
  }
  qsort(n.list, n.count, sizeof *n.list, by_number);
  *list = n.list;
  *count = n.count;
  return AS_OK;
}

typedef struct names {
  const as_store *store;
  as_store_names found;
  size_t capacity;
} names;

static as_status take_model(void *user, const char *name) {
  names *n = user;
  if (!name_ok(name, strlen(name))) return AS_OK;
  char *path = as_store_path(n->store, name, NULL);
  bool plain = path && as_is_plain_folder(path);
  as_free(n->store->ctx, path);
  if (!path) return AS_E_NOMEM;
  if (!plain) return AS_OK;
  int64_t *list;
  size_t count;
  as_status status = as_store_versions(n->store, name, &list, &count);
  if (status != AS_OK) return status;
  as_free(n->store->ctx, list);
  if (!count) return AS_OK;
  char(*grown)[AS_STORE_NAME] = as_grow(n->store->ctx, n->found.names, &n->capacity, n->found.count + 1, sizeof *grown);
  if (!grown) return AS_E_NOMEM;
  n->found.names = grown;
  snprintf(n->found.names[n->found.count++], AS_STORE_NAME, "%s", name);
  return AS_OK;
}

static int by_text(const void *a, const void *b) {
  return strcmp(a, b);
}

as_status as_store_models(const as_store *store, as_store_names *out) {
  names n = {.store = store};
  as_status status = each_name(store->ctx, store->root, take_model, &n);
  if (status != AS_OK)
    as_store_names_free(store, &n.found);
  else if (n.found.count)
    qsort(n.found.names, n.found.count, sizeof *n.found.names, by_text);
  *out = n.found;
  return status;
}

void as_store_names_free(const as_store *store, as_store_names *list) {
  as_free(store->ctx, list->names);
  *list = (as_store_names){0};
}

/* ---- aliases ---------------------------------------------------------------------------------------------------- */

as_status as_store_expect(const as_store *store, const as_version *version) {
  char *folder = as_store_folder(store, version);
  char *manifest = folder ? as_path_join(store->ctx, folder, AS_MANIFEST_NAME) : NULL;
  char *model = manifest ? as_store_path(store, version->model, NULL) : NULL;
  as_status status = model ? check_model_folder(store->ctx, model) : AS_E_NOMEM;
  if (status == AS_OK && !as_is_plain_folder(folder))
    status = as_fail(store->ctx, AS_E_MODEL,
                     "%s: there is no such version; `assistify models list` shows what is there", folder);
  else if (status == AS_OK && !as_path_exists(manifest))
    status = as_fail(store->ctx, AS_E_MODEL, "%s: is missing: this is no version of a model", manifest);
  as_free(store->ctx, model);
  as_free(store->ctx, manifest);
  as_free(store->ctx, folder);
  return status;
}

/* Reads a link, which must hold the bare name of a version that is there. */
static as_status read_alias(const as_store *store, const char *model, const char *path, as_version *out) {
  char target[AS_VERSION_TEXT + 1];
  *out = as_version_of(model, 0);
  ssize_t length = readlink(path, target, sizeof target - 1);
  if (length < 0 && errno == ENOENT) return AS_OK;
  if (length < 0)
    return as_fail(store->ctx, AS_E_MODEL, "%s: %s; `assistify models promote %s VERSION` sets it", path,
                   errno == EINVAL ? "is not a link" : strerror(errno), model);
  target[length] = 0;
  *out = as_version_of(model, as_version_parse(target));
  if (!out->number)
    return as_fail(
        store->ctx, AS_E_MODEL,
        "%s: points to \"%s%s\", which is no version beside it; `assistify models promote %s VERSION` sets it", path,
        target, (size_t)length == sizeof target - 1 ? "..." : "", model);
  as_status status = as_store_expect(store, out);
  return status == AS_OK ? AS_OK : as_fail_prefix(store->ctx, status, "%s", path);
}

as_status as_store_alias(const as_store *store, const char *model, as_alias alias, as_version *out) {
  char *path = as_store_path(store, model, alias_names[alias]);
  as_status status = path ? read_alias(store, model, path, out) : AS_E_NOMEM;
  as_free(store->ctx, path);
  return status;
}

as_status as_store_champion(const as_store *store, const char *model, as_version *out) {
  int64_t *list;
  size_t count;
  as_status status = as_store_alias(store, model, AS_CHAMPION, out);
  if (status != AS_OK || out->number) return status;
  status = as_store_versions(store, model, &list, &count);
  if (status != AS_OK) return status;
  if (count) *out = as_version_of(model, list[0]);
  as_free(store->ctx, list);
  return AS_OK;
}

as_status as_store_newest(const as_store *store, const char *model, as_version *out) {
  int64_t *list;
  size_t count;
  as_status status = as_store_versions(store, model, &list, &count);
  if (status != AS_OK) return status;
  *out = as_version_of(model, count ? list[count - 1] : 0);
  as_free(store->ctx, list);
  return AS_OK;
}

/* ---- references ------------------------------------------------------------------------------------------------- */

/* The length of the name before '@', or before '/' and a number; 0: no reference. */
static size_t reference_name(const char *text) {
  size_t length = strcspn(text, "@/");
  if (!text[length] || !name_ok(text, length) || strchr(text + length + 1, '/')) return 0;
  const char *rest = text + length + 1;
  if (text[length] == '@') return *rest ? length : 0;
  if (*rest == 'v') rest++;
  return *rest && strspn(rest, "0123456789") == strlen(rest) ? length : 0;
}

bool as_store_is_reference(const char *text) {
  return reference_name(text) > 0;
}

static as_status find_alias(const as_store *store, const char *model, const char *name, as_version *out) {
  for (int alias = 0; alias < AS_ALIASES; alias++) {
    if (strcmp(name, alias_names[alias]) != 0) continue;
    as_status status = alias == AS_CHAMPION ? as_store_champion(store, model, out)
                                            : as_store_alias(store, model, (as_alias)alias, out);
    if (status == AS_OK && !out->number)
      status = as_fail(store->ctx, AS_E_MODEL, "%s/%s: there is no %s", store->root, model, name);
    return status;
  }
  return as_fail(store->ctx, AS_E_INVALID, "%s@%s: after the @ stands champion, challenger or previous", model, name);
}

as_status as_store_find(const as_store *store, const char *reference, as_version *out) {
  const size_t length = reference_name(reference);
  char model[AS_STORE_NAME];
  if (!length)
    return as_fail(store->ctx, AS_E_INVALID, "\"%s\" names no version: intent@champion or intent/3 would", reference);
  snprintf(model, sizeof model, "%.*s", (int)length, reference);
  const char *rest = reference + length + 1;
  if (reference[length] == '@') return find_alias(store, model, rest, out);
  if (*rest == 'v') rest++;
  if (strlen(rest) > MOST_DIGITS)
    return as_fail(store->ctx, AS_E_INVALID, "\"%s\": no version has that number", reference);
  *out = as_version_of(model, strtoll(rest, NULL, 10));
  if (!out->number) return as_fail(store->ctx, AS_E_INVALID, "\"%s\": versions are counted from 1", reference);
  return as_store_expect(store, out);
}

/* ---- from a folder to what it is -------------------------------------------------------------------------------- */

/* Cuts the last part off a path and returns it; NULL when there is none. */
static char *cut_last(char *path) {
  char *slash = strrchr(path, '/');
  if (!slash) return NULL;
  *slash = 0;
  return slash + 1;
}

/* Of "ROOT/MODEL/last", whatever links lead there; `fits` says whether `last` is what is looked for. */
static as_status split_folder(as_context *ctx, const char *folder, bool (*fits)(const char *last, int64_t *number),
                              char **root, as_version *out) {
  char *whole = realpath(folder, NULL);
  *root = NULL;
  *out = (as_version){.number = 0};
  if (!whole) return AS_OK;
  as_status status = AS_OK;
  const char *last = cut_last(whole), *name = last && fits(last, &out->number) ? cut_last(whole) : NULL;
  if (name && name_ok(name, strlen(name))) {
    snprintf(out->model, sizeof out->model, "%s", name);
    *root = as_strdup(ctx, *whole ? whole : "/");
    status = *root ? AS_OK : AS_E_NOMEM;
  }
  free(whole);
  return status;
}

static bool is_unfinished(const char *last, int64_t *number) {
  *number = 0;
  return strcmp(last, AS_UNFINISHED) == 0;
}

static bool is_version(const char *last, int64_t *number) {
  *number = as_version_parse(last);
  return *number > 0;
}

as_status as_store_of_training(as_context *ctx, const char *folder, char **root, char model[AS_STORE_NAME],
                               bool *found) {
  as_version of;
  as_status status = split_folder(ctx, folder, is_unfinished, root, &of);
  *found = *root != NULL;
  if (*found) snprintf(model, AS_STORE_NAME, "%s", of.model);
  return status;
}

as_status as_store_of_version(as_context *ctx, const char *folder, char **root, as_version *out) {
  return split_folder(ctx, folder, is_version, root, out);
}

/* ---- verifying -------------------------------------------------------------------------------------------------- */

typedef struct verifying {
  const as_store *store;
  void (*problem)(void *user, const char *text);
  void *user;
  char *first;
  bool faulty;
  const char *model;
} verifying;

static void tell(void *user, const char *text) {
  verifying *v = user;
  if (!v->faulty) v->first = as_strdup(v->store->ctx, text);
  v->faulty = true;
  if (v->problem) v->problem(v->user, text);
}

static as_status verify_version(verifying *v, int64_t number) {
  as_version version = as_version_of(v->model, number);
  char *folder = as_store_folder(v->store, &version);
  as_status status = folder ? as_manifest_check(v->store->ctx, folder, tell, v) : AS_E_NOMEM;
  as_free(v->store->ctx, folder);
  return status == AS_E_MODEL ? AS_OK : status;
}

/* What is called like a version but is no folder. */
static as_status verify_name(void *user, const char *name) {
  verifying *v = user;
  if (!as_version_parse(name)) return AS_OK;
  char *path = as_store_path(v->store, v->model, name);
  if (!path) return AS_E_NOMEM;
  if (!as_is_plain_folder(path)) {
    as_fail(v->store->ctx, AS_E_MODEL, "%s: is no folder", path);
    tell(v, as_error_text(v->store->ctx));
  }
  as_free(v->store->ctx, path);
  return AS_OK;
}

static as_status verify_model(verifying *v) {
  int64_t *list;
  size_t count;
  char *folder = as_store_path(v->store, v->model, NULL);
  as_status status = folder ? each_name(v->store->ctx, folder, verify_name, v) : AS_E_NOMEM;
  as_free(v->store->ctx, folder);
  if (status == AS_OK) status = as_store_versions(v->store, v->model, &list, &count);
  if (status != AS_OK) return status;
  if (!count)
    status = as_fail(v->store->ctx, AS_E_MODEL, "%s/%s: the store has no such model", v->store->root, v->model);
  for (size_t i = 0; status == AS_OK && i < count; i++) status = verify_version(v, list[i]);
  as_free(v->store->ctx, list);
  for (int alias = 0; status == AS_OK && alias < AS_ALIASES; alias++) {
    as_version version;
    status = as_store_alias(v->store, v->model, (as_alias)alias, &version);
    if (status != AS_E_MODEL) continue;
    tell(v, as_error_text(v->store->ctx));
    status = AS_OK;
  }
  return status;
}

as_status as_store_verify(const as_store *store, const as_version *version,
                          void (*problem)(void *user, const char *text), void *user) {
  verifying v = {.store = store, .problem = problem, .user = user, .model = version->model};
  as_status status = version->number ? as_store_expect(store, version) : AS_OK;
  if (status == AS_OK) status = version->number ? verify_version(&v, version->number) : verify_model(&v);
  if (status == AS_E_MODEL) { /* not there, or its folder cannot be read */
    tell(&v, as_error_text(store->ctx));
    status = AS_OK;
  }
  if (status == AS_OK && v.faulty) status = v.first ? as_fail(store->ctx, AS_E_MODEL, "%s", v.first) : AS_E_NOMEM;
  as_free(store->ctx, v.first);
  return status;
}
