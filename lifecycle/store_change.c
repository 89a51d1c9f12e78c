/* Changing the model store. Every change holds a lock (flock) on the store's folder and every training one on its
 * model's, so that nothing is left behind when a process dies. See store.h for what must stay true. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "lifecycle/card.h"
#include "lifecycle/manifest.h"
#include "lifecycle/store.h"
#include "lifecycle/store_internal.h"

#define COMING ".in-" /* a copy that is being made; locked by who makes it */
#define GOING ".out-" /* a version that is being removed */
#define LINK ".link"  /* an alias that is about to be renamed into place */
#define MOST_VERSIONS 99999999

/* ---- locks ------------------------------------------------------------------------------------------------------ */

static as_status lock_folder(as_context *ctx, const char *path, int seconds, const char *who, int *fd) {
  const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
  *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (*fd < 0) return as_fail(ctx, AS_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
  for (int tries = 50 * seconds;; tries--) {
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0) return AS_OK;
    int number = errno;
    if (number == EWOULDBLOCK && tries > 0) {
      nanosleep(&pause, NULL);
      continue;
    }
    close(*fd);
    *fd = -1;
    if (number == EWOULDBLOCK) return as_fail(ctx, AS_E_IO, "%s: %s; try again when it has ended", path, who);
    return as_fail(ctx, AS_E_IO, "%s: cannot be locked: %s; a store needs a file system of this machine", path,
                   strerror(number));
  }
}

/* ---- what dead processes left ----------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

/* A copy is dead when nobody holds its lock. */
static bool is_dead(const char *path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  bool dead = flock(fd, LOCK_EX | LOCK_NB) == 0;
  close(fd);
  return dead;
}

static as_status clean_one(const as_store *store, const char *model, const char *name) {
  char *path = as_store_path(store, model, name);
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && (begins(name, GOING) || (begins(name, COMING) && is_dead(path))))
    status = as_folder_remove(store->ctx, path);
  else if (status == AS_OK && strcmp(name, LINK) == 0 && unlink(path) != 0 && errno != ENOENT)
    status = as_fail(store->ctx, AS_E_IO, "%s: cannot be removed: %s", path, strerror(errno));
  as_free(store->ctx, path);
  return status;
}

static as_status clean_up(const as_store *store, const char *model) {
  char *folder = as_store_path(store, model, NULL);
  if (!folder) return AS_E_NOMEM;
  DIR *dir = opendir(folder);
  as_status status = dir ? AS_OK : as_fail(store->ctx, AS_E_IO, "%s: cannot be read: %s", folder, strerror(errno));
  for (const struct dirent *entry; status == AS_OK && (entry = readdir(dir));)
    if (entry->d_name[0] == '.') status = clean_one(store, model, entry->d_name);
  if (dir) closedir(dir);
  as_free(store->ctx, folder);
  return status;
}

/* ---- aliases ---------------------------------------------------------------------------------------------------- */

static as_status set_alias(const as_store *store, as_alias alias, const as_version *version) {
  char target[AS_VERSION_TEXT];
  as_version_text(version->number, target);
  char *fresh = as_store_path(store, version->model, LINK);
  char *path = fresh ? as_store_path(store, version->model, as_alias_name(alias)) : NULL;
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && symlink(target, fresh) != 0)
    status = as_fail(store->ctx, AS_E_IO, "%s: the link cannot be made: %s", path, strerror(errno));
  if (status == AS_OK) status = as_rename(store->ctx, fresh, path);
  as_free(store->ctx, fresh);
  as_free(store->ctx, path);
  return status;
}

static as_status drop_alias(const as_store *store, const char *model, as_alias alias) {
  char *path = as_store_path(store, model, as_alias_name(alias));
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && unlink(path) != 0 && errno != ENOENT)
    status = as_fail(store->ctx, AS_E_IO, "%s: cannot be removed: %s", path, strerror(errno));
  as_free(store->ctx, path);
  return status;
}

/* The alias, or number 0 also for one that is broken: a change is how it is mended. */
static as_status alias_or_none(const as_store *store, const char *model, as_alias alias, as_version *out) {
  as_status status = as_store_alias(store, model, alias, out);
  if (status != AS_E_MODEL) return status;
  *out = as_version_of(model, 0);
  return AS_OK;
}

/* The first version is the champion as long as no other was promoted; this makes the link that says so. */
static as_status link_first(const as_store *store, const char *model) {
  as_version champion;
  int64_t *list;
  size_t count;
  as_status status = alias_or_none(store, model, AS_CHAMPION, &champion);
  if (status != AS_OK || champion.number) return status;
  status = as_store_alias(store, model, AS_CHAMPION, &champion);
  if (status != AS_OK) return status == AS_E_MODEL ? AS_OK : status; /* broken: not ours to decide */
  status = as_store_versions(store, model, &list, &count);
  if (status != AS_OK) return status;
  if (count) {
    champion = as_version_of(model, list[0]);
    status = set_alias(store, AS_CHAMPION, &champion);
  }
  as_free(store->ctx, list);
  return status;
}

/* ---- a change --------------------------------------------------------------------------------------------------- */

/* AS_E_MODEL when the model is not there: a change does not make it. */
static as_status begin_change(const as_store *store, const char *model, int *lock) {
  *lock = -1;
  as_status status = as_store_check_name(store->ctx, model);
  if (status != AS_OK) return status;
  char *folder = as_store_path(store, model, NULL);
  if (!folder) return AS_E_NOMEM;
  if (!as_is_plain_folder(folder))
    status = as_fail(store->ctx, AS_E_MODEL, "%s: the store has no such model; train or import one", folder);
  as_free(store->ctx, folder);
  if (status == AS_OK)
    status = lock_folder(store->ctx, store->root, AS_STORE_WAIT, "another process is changing this store", lock);
  if (status == AS_OK) status = clean_up(store, model);
  if (status == AS_OK) status = link_first(store, model);
  return status;
}

static void end_change(int *lock) {
  if (*lock >= 0) close(*lock);
  *lock = -1;
}

/* ---- adding a version ------------------------------------------------------------------------------------------- */

static as_status begin_work(const as_store *store, const char *model, as_store_work *work) {
  *work = (as_store_work){.store = store, .lock = -1};
  as_status status = as_store_check_name(store->ctx, model);
  if (status != AS_OK) return status;
  snprintf(work->model, sizeof work->model, "%s", model);
  char *folder = as_store_path(store, model, NULL);
  status = folder ? as_make_folders_for_now(store->ctx, folder, &work->made) : AS_E_NOMEM;
  if (status == AS_OK && !as_is_plain_folder(folder))
    status = as_fail(store->ctx, AS_E_MODEL, "%s: is a link, not a folder of this store", folder);
  as_free(store->ctx, folder);
  return status;
}

/* What the end of a training, or a killed one, may leave in a folder: temporary names and what was to be deleted. */
static as_status remove_strays(as_context *ctx, const char *folder, const char *containing) {
  DIR *dir = opendir(folder);
  if (!dir) return errno == ENOENT ? AS_OK : as_fail(ctx, AS_E_IO, "%s: cannot be read: %s", folder, strerror(errno));
  as_status status = AS_OK;
  for (const struct dirent *entry; status == AS_OK && (entry = readdir(dir));) {
    const char *name = entry->d_name;
    bool hidden = !containing && name[0] == '.' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    if (!hidden && !strstr(name, containing ? containing : ".tmp-")) continue;
    char *path = as_path_join(ctx, folder, name);
    status = path ? as_folder_remove(ctx, path) : AS_E_NOMEM;
    as_free(ctx, path);
  }
  closedir(dir);
  return status;
}

/* A model is whole when its weights are there and no state of its training is. */
static as_status is_finished(const as_store_work *work, bool *finished) {
  as_context *ctx = work->store->ctx;
  char *weights = as_path_join(ctx, work->folder, "model.safetensors");
  char *training = weights ? as_path_join(ctx, work->folder, "training") : NULL;
  *finished = training && as_path_exists(weights) && !as_path_exists(training);
  as_status status = training ? AS_OK : AS_E_NOMEM;
  as_free(ctx, weights);
  as_free(ctx, training);
  return status;
}

/* Of descriptions that were being written. */
static as_status remove_temporaries(const as_store_work *work) {
  char *path = as_store_path(work->store, work->model, AS_DESCRIPTION);
  as_status status = path ? as_file_remove_temporaries(work->store->ctx, path) : AS_E_NOMEM;
  as_free(work->store->ctx, path);
  return status;
}

/* What describes a training lies beside its folder: a start that fails leaves no folder. */
static as_status remove_description(const as_store_work *work) {
  char *path = as_store_path(work->store, work->model, AS_DESCRIPTION);
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (path && unlink(path) != 0 && errno != ENOENT)
    status = as_fail(work->store->ctx, AS_E_IO, "%s: cannot be removed: %s", path, strerror(errno));
  as_free(work->store->ctx, path);
  return status;
}

as_status as_store_begin_training(const as_store *store, const char *model, as_store_work *work) {
  bool finished = false;
  as_status status = begin_work(store, model, work);
  char *folder = status == AS_OK ? as_store_path(store, model, NULL) : NULL;
  if (status == AS_OK && !folder) status = AS_E_NOMEM;
  if (status == AS_OK)
    status = lock_folder(store->ctx, folder, 0, "another process is training this model", &work->lock);
  if (status == AS_OK) status = remove_strays(store->ctx, folder, AS_UNFINISHED ".tmp-");
  if (status == AS_OK) status = remove_temporaries(work);
  as_free(store->ctx, folder);
  if (status != AS_OK) return status;
  work->folder = as_store_path(store, model, AS_UNFINISHED);
  work->is_training = work->folder != NULL;
  status = work->folder ? is_finished(work, &finished) : AS_E_NOMEM;
  if (status == AS_OK && !as_path_exists(work->folder)) status = remove_description(work);
  return status == AS_OK && finished ? as_store_publish(work, true) : status;
}

as_status as_store_finish_training(const as_store *store, const char *model) {
  as_store_work work;
  const as_status status = as_store_begin_training(store, model, &work);
  as_store_work_end(&work);
  return status;
}

as_status as_store_begin_copy(const as_store *store, const char *model, as_store_work *work) {
  int lock = -1;
  as_status status = begin_work(store, model, work);
  if (status == AS_OK) status = begin_change(store, model, &lock);
  for (int n = 0; status == AS_OK && !work->folder; n++) {
    char name[64];
    snprintf(name, sizeof name, COMING "%ld-%d", (long)getpid(), n);
    work->folder = as_store_path(store, model, name);
    if (!work->folder) status = AS_E_NOMEM;
    if (status != AS_OK || mkdir(work->folder, 0777) == 0) break;
    if (errno != EEXIST) status = as_fail(store->ctx, AS_E_IO, "%s: cannot be made: %s", work->folder, strerror(errno));
    as_free(store->ctx, work->folder);
    work->folder = NULL;
  }
  if (status == AS_OK) status = lock_folder(store->ctx, work->folder, 0, "another process works here", &work->lock);
  end_change(&lock);
  return status;
}

/* Under the lock: number, rename, alias. */
static as_status place(as_store_work *work) {
  const as_store *store = work->store;
  as_version version;
  as_status status = as_store_newest(store, work->model, &version);
  if (status != AS_OK) return status;
  const bool is_first = !version.number;
  version.number++;
  if (version.number > MOST_VERSIONS)
    return as_fail(store->ctx, AS_E_MODEL, "%s/%s: has a version numbered %" PRId64 "; there are no numbers left",
                   store->root, work->model, version.number - 1);
  char *folder = as_store_folder(store, &version);
  status = folder ? as_rename(store->ctx, work->folder, folder) : AS_E_NOMEM;
  as_free(store->ctx, folder);
  if (status != AS_OK) return status;
  work->added = version;
  work->is_champion = is_first;
  return set_alias(store, work->is_champion ? AS_CHAMPION : AS_CHALLENGER, &version);
}

char *as_store_unfinished_folder(const as_store *store, const char *model) {
  return as_store_path(store, model, AS_UNFINISHED);
}

as_status as_store_unfinished(const as_store *store, const char *model, json_t **out) {
  char *folder = as_store_unfinished_folder(store, model);
  char *path = folder ? as_store_path(store, model, AS_DESCRIPTION) : NULL;
  *out = NULL;
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && as_path_exists(folder) && as_path_exists(path)) status = as_origin_read(store->ctx, path, out);
  as_free(store->ctx, path);
  as_free(store->ctx, folder);
  return status;
}

as_status as_store_describe(as_store_work *work, const as_origin *origin) {
  char *path = as_store_path(work->store, work->model, AS_DESCRIPTION);
  as_status status = path ? as_origin_write(work->store->ctx, origin, path) : AS_E_NOMEM;
  as_free(work->store->ctx, path);
  return status;
}

/* The files that a version has besides those of its model. */
static as_status complete(const as_store_work *work) {
  as_context *ctx = work->store->ctx;
  char *description = as_store_path(work->store, work->model, AS_DESCRIPTION);
  as_status status = description ? as_origin_finish(ctx, description, work->folder) : AS_E_NOMEM;
  if (status == AS_OK) status = as_card_write(ctx, work->folder, work->model);
  if (status == AS_OK) status = as_manifest_write(ctx, work->folder);
  as_free(ctx, description);
  return status;
}

as_status as_store_publish(as_store_work *work, bool made_here) {
  int lock = -1;
  as_status status = made_here ? remove_strays(work->store->ctx, work->folder, NULL) : AS_OK;
  if (status == AS_OK && made_here) status = complete(work);
  if (status == AS_OK) status = begin_change(work->store, work->model, &lock);
  if (status == AS_OK) status = place(work);
  end_change(&lock);
  if (status == AS_OK && made_here) status = remove_description(work);
  return status;
}

/* Folders that were made for nothing go again. */
void as_store_work_end(as_store_work *work) {
  if (!work->store) return;
  as_context *ctx = work->store->ctx;
  const char *name = work->folder ? strrchr(work->folder, '/') : NULL;
  if (name && begins(name + 1, COMING) && !work->added.number && as_folder_remove(ctx, work->folder) != AS_OK)
    as_warn(ctx, "%s: is left over and can be deleted", work->folder);
  if (work->is_training && !work->added.number && !as_path_exists(work->folder) && remove_description(work) != AS_OK)
    as_warn(ctx, "%s", as_error_text(ctx));
  if (work->made && !work->added.number) {
    char *folder = as_store_path(work->store, work->model, NULL);
    if (folder) as_unmake_folders(ctx, folder, work->made);
    as_free(ctx, folder);
  }
  if (work->lock >= 0) close(work->lock);
  as_free(ctx, work->folder);
  *work = (as_store_work){.lock = -1};
}

/* ---- changing which version is asked ---------------------------------------------------------------------------- */

/* A version that is damaged must not become the one that is asked. */
static as_status check_version(const as_store *store, const as_version *version) {
  as_status status = as_store_expect(store, version);
  if (status != AS_OK) return status;
  char *folder = as_store_folder(store, version);
  status = folder ? as_manifest_check(store->ctx, folder, NULL, NULL) : AS_E_NOMEM;
  as_free(store->ctx, folder);
  return status;
}

static as_status drop_challenger(const as_store *store, const as_version *version) {
  as_version challenger;
  as_status status = alias_or_none(store, version->model, AS_CHALLENGER, &challenger);
  if (status != AS_OK || challenger.number != version->number) return status;
  return drop_alias(store, version->model, AS_CHALLENGER);
}

/* `previous` first: killed in between, the champion is what it was, and promoting again ends the change. */
static as_status promote(const as_store *store, const as_version *version, bool *changed) {
  as_version champion;
  as_status status = alias_or_none(store, version->model, AS_CHAMPION, &champion);
  if (status != AS_OK) return status;
  *changed = champion.number != version->number;
  if (*changed) status = check_version(store, version);
  if (status == AS_OK && *changed && champion.number) status = set_alias(store, AS_PREVIOUS, &champion);
  if (status == AS_OK && *changed) status = set_alias(store, AS_CHAMPION, version);
  return status == AS_OK ? drop_challenger(store, version) : status;
}

as_status as_store_promote(as_store *store, const as_version *version, bool *changed) {
  int lock;
  *changed = false;
  as_status status = begin_change(store, version->model, &lock);
  if (status == AS_OK) status = promote(store, version, changed);
  end_change(&lock);
  return status;
}

/* Both links at once, where the file system can. Elsewhere the champion first: killed in between, the version is back
 * that was to come back. */
static as_status exchange(const as_store *store, const as_version *champion, const as_version *previous) {
  char *a = as_store_path(store, champion->model, as_alias_name(AS_CHAMPION));
  char *b = a ? as_store_path(store, champion->model, as_alias_name(AS_PREVIOUS)) : NULL;
  as_status status = b ? AS_OK : AS_E_NOMEM;
  bool done = false;
  if (status == AS_OK) status = as_rename_exchange(store->ctx, a, b, &done);
  if (status == AS_OK && !done) status = set_alias(store, AS_CHAMPION, previous);
  if (status == AS_OK && !done) status = set_alias(store, AS_PREVIOUS, champion);
  as_free(store->ctx, a);
  as_free(store->ctx, b);
  return status;
}

static as_status roll_back(const as_store *store, const char *model, as_version *out) {
  as_version champion;
  as_status status = alias_or_none(store, model, AS_CHAMPION, &champion);
  if (status == AS_OK) status = as_store_alias(store, model, AS_PREVIOUS, out);
  if (status != AS_OK) return status;
  if (!out->number || out->number == champion.number)
    return as_fail(store->ctx, AS_E_MODEL, "%s/%s: there is no earlier champion to go back to", store->root, model);
  status = check_version(store, out);
  if (status != AS_OK) return status;
  if (champion.number) return exchange(store, &champion, out);
  status = set_alias(store, AS_CHAMPION, out);
  return status == AS_OK ? drop_alias(store, model, AS_PREVIOUS) : status;
}

as_status as_store_rollback(as_store *store, const char *model, as_version *out) {
  int lock;
  as_status status = begin_change(store, model, &lock);
  if (status == AS_OK) status = roll_back(store, model, out);
  end_change(&lock);
  return status;
}

/* ---- removing --------------------------------------------------------------------------------------------------- */

/* Out of sight by one rename; the rest may take as long as it takes. */
static as_status remove_version(const as_store *store, const as_version *version) {
  char name[AS_VERSION_TEXT + sizeof GOING], text[AS_VERSION_TEXT];
  as_version_text(version->number, text);
  snprintf(name, sizeof name, GOING "%s", text);
  char *folder = as_store_folder(store, version), *gone = folder ? as_store_path(store, version->model, name) : NULL;
  as_status status = gone ? as_rename(store->ctx, folder, gone) : AS_E_NOMEM;
  if (status == AS_OK) status = as_folder_remove(store->ctx, gone);
  as_free(store->ctx, folder);
  as_free(store->ctx, gone);
  return status;
}

as_status as_store_remove(as_store *store, const as_version *version) {
  int lock = -1;
  as_status status = begin_change(store, version->model, &lock);
  if (status == AS_OK) status = as_store_expect(store, version);
  for (int a = 0; status == AS_OK && a < AS_ALIASES; a++) {
    as_version named;
    status = a == AS_CHAMPION ? as_store_champion(store, version->model, &named)
                              : as_store_alias(store, version->model, (as_alias)a, &named);
    if (status == AS_OK && named.number == version->number)
      status = as_fail(store->ctx, AS_E_INVALID, "%s/%" PRId64 " is the %s and stays", version->model, version->number,
                       as_alias_name((as_alias)a));
  }
  if (status == AS_OK) status = remove_version(store, version);
  end_change(&lock);
  return status;
}

as_status as_store_prune(as_store *store, const char *model, int64_t keep, bool dry,
                         void (*removed)(void *user, const as_version *version), void *user) {
  as_version named[AS_ALIASES];
  int64_t *list = NULL;
  size_t count = 0;
  int lock = -1;
  as_status status = dry ? as_store_check_name(store->ctx, model) : begin_change(store, model, &lock);
  /* A broken alias may be all that tells which version is asked: then nothing is removed. */
  if (status == AS_OK) status = as_store_champion(store, model, &named[AS_CHAMPION]);
  for (int a = AS_CHALLENGER; status == AS_OK && a < AS_ALIASES; a++)
    status = as_store_alias(store, model, (as_alias)a, &named[a]);
  if (status == AS_OK) status = as_store_versions(store, model, &list, &count);
  const size_t kept = keep < 1 ? 1 : (size_t)keep;
  for (size_t i = 0; status == AS_OK && count > kept && i < count - kept; i++) {
    as_version version = as_version_of(model, list[i]);
    bool stays = false;
    for (int a = 0; a < AS_ALIASES; a++) stays = stays || named[a].number == version.number;
    if (stays) continue;
    if (!dry) status = remove_version(store, &version);
    if (status == AS_OK && removed) removed(user, &version);
  }
  end_change(&lock);
  as_free(store->ctx, list);
  return status;
}
