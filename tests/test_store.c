/* The model store: versions, aliases, references, damage, and every change stopped at every step. */
#include "lifecycle/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lifecycle/manifest.h"
#include "tests/store_fixture.h"

#define MODEL "intent"

/* ---- versions and aliases --------------------------------------------------------------------------------------- */

START_TEST(first_version_is_champion) {
  as_context *ctx = as_test_context(1);
  as_store *store = as_fixture_store(ctx, as_test_folder());
  as_version champion;
  ck_assert_ok(ctx, as_store_champion(store, MODEL, &champion));
  ck_assert_int_eq(champion.number, 0);
  ck_assert_int_eq(as_fixture_add(ctx, store, MODEL, "one"), 1);
  ck_assert_int_eq(as_fixture_alias(ctx, store, MODEL, AS_CHAMPION), 1);
  ck_assert_int_eq(as_fixture_alias(ctx, store, MODEL, AS_CHALLENGER), 0);
  ck_assert_int_eq(as_fixture_add(ctx, store, MODEL, "two"), 2);
  ck_assert_int_eq(as_fixture_alias(ctx, store, MODEL, AS_CHAMPION), 1);
  ck_assert_int_eq(as_fixture_alias(ctx, store, MODEL, AS_CHALLENGER), 2);
  char target[16] = {0};
  const char *link = as_fixture_path(as_store_root(store), MODEL "/champion");
  ck_assert_int_eq(readlink(link, target, sizeof target - 1), 5);
  ck_assert_str_eq(target, "v0001");
  as_fixture_expect(ctx, store, "intent@champion", "one");
  as_fixture_expect(ctx, store, "intent@challenger", "two");
  as_fixture_expect(ctx, store, "intent/1", "one");
  as_fixture_expect(ctx, store, "intent/v0002", "two");
  ck_assert_ok(ctx, as_store_verify(store, &(as_version){.model = MODEL}, NULL, NULL));
  as_store_close(store);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(promoting_and_rolling_back) {
  as_context *ctx = as_test_context(1);
  as_store *store = as_fixture_store(ctx, as_test_folder());
  as_version out;
  bool changed;
  for (int i = 1; i <= 3; i++) as_fixture_add(ctx, store, MODEL, i == 1 ? "one" : i == 2 ? "two" : "three");
  ck_assert_refused(ctx, as_store_rollback(store, MODEL, &out), AS_E_MODEL, "no earlier champion");
  ck_assert_ok(ctx, as_store_promote(store, &(as_version){MODEL, 3}, &changed));
  ck_assert(changed);
  ck_assert_int_eq(as_fixture_alias(ctx, store, MODEL, AS_CHAMPION), 3);
  ck_assert_int_eq(as_fixture_alias(ctx, store, MODEL, AS_PREVIOUS), 1);
  ck_assert_int_eq(as_fixture_alias(ctx, store, MODEL, AS_CHALLENGER), 0);
  ck_assert_ok(ctx, as_store_promote(store, &(as_version){MODEL, 3}, &changed));
  ck_assert(!changed);
  ck_assert_int_eq(as_fixture_alias(ctx, store, MODEL, AS_PREVIOUS), 1);
  ck_assert_ok(ctx, as_store_rollback(store, MODEL, &out));
  ck_assert_int_eq(out.number, 1);
  ck_assert_int_eq(as_fixture_alias(ctx, store, MODEL, AS_CHAMPION), 1);
  ck_assert_int_eq(as_fixture_alias(ctx, store, MODEL, AS_PREVIOUS), 3);
  ck_assert_ok(ctx, as_store_rollback(store, MODEL, &out));
  ck_assert_int_eq(out.number, 3);
  ck_assert_refused(ctx, as_store_promote(store, &(as_version){MODEL, 9}, &changed), AS_E_MODEL, "no such version");
  ck_assert_refused(ctx, as_store_promote(store, &(as_version){"nothing", 1}, &changed), AS_E_MODEL, "no such model");
  as_store_close(store);
  as_test_context_free(ctx);
}
END_TEST

static void count_removed(void *user, const as_version *version) {
  (void)version;
  ++*(int *)user;
}

START_TEST(pruning_spares_what_has_a_name) {
  as_context *ctx = as_test_context(1);
  as_store *store = as_fixture_store(ctx, as_test_folder());
  bool changed;
  int removed = 0;
  int64_t *list;
  size_t count;
  for (int i = 0; i < 7; i++) as_fixture_add(ctx, store, MODEL, "x");
  ck_assert_ok(ctx, as_store_promote(store, &(as_version){MODEL, 3}, &changed));
  ck_assert_ok(ctx, as_store_prune(store, MODEL, 2, true, count_removed, &removed));
  ck_assert_int_eq(removed, 3);
  ck_assert_ok(ctx, as_store_versions(store, MODEL, &list, &count));
  ck_assert_uint_eq(count, 7);
  as_free(ctx, list);
  removed = 0;
  ck_assert_ok(ctx, as_store_prune(store, MODEL, 2, false, count_removed, &removed));
  ck_assert_int_eq(removed, 3);
  ck_assert_ok(ctx, as_store_versions(store, MODEL, &list, &count));
  ck_assert_uint_eq(count, 4); /* previous, champion, and the two newest, one of which is the challenger */
  const int64_t expected[] = {1, 3, 6, 7};
  for (size_t i = 0; i < count; i++) ck_assert_int_eq(list[i], expected[i]);
  as_free(ctx, list);
  ck_assert_int_eq(as_fixture_add(ctx, store, MODEL, "y"), 8);
  as_store_close(store);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(names_and_references_are_checked) {
  static const char *const wrong[] = {"", "../x", "/x", "X", "x y", "x/..", ".", "..", "9x", "-x", "\xc3\xa4"};
  static const char *const folders[] = {"intent",
                                        "./intent/3",
                                        "trained_models/intent/v0001",
                                        "intent/x",
                                        "intent/",
                                        "/intent/3",
                                        "../intent@champion",
                                        "intent@",
                                        "intent/3/more",
                                        "@champion",
                                        "a b@champion"};
  as_context *ctx = as_test_context(1);
  as_store *store = as_fixture_store(ctx, as_test_folder());
  as_store_work work;
  as_version version;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    ck_assert_refused(ctx, as_store_check_name(ctx, wrong[i]), AS_E_INVALID, "is no name of a model");
    ck_assert_refused(ctx, as_store_begin_training(store, wrong[i], &work), AS_E_INVALID, "is no name of a model");
    as_store_work_end(&work);
  }
  for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
    ck_assert_msg(!as_store_is_reference(folders[i]), "%s", folders[i]);
  as_fixture_add(ctx, store, MODEL, "one");
  ck_assert_refused(ctx, as_store_find(store, "intent@best", &version), AS_E_INVALID,
                    "champion, challenger or previous");
  ck_assert_refused(ctx, as_store_find(store, "intent@previous", &version), AS_E_MODEL, "there is no previous");
  ck_assert_refused(ctx, as_store_find(store, "intent/2", &version), AS_E_MODEL, "v0002: there is no such version");
  ck_assert_refused(ctx, as_store_find(store, "intent/0", &version), AS_E_INVALID, "counted from 1");
  ck_assert_refused(ctx, as_store_find(store, "intent/99999999999999999999", &version), AS_E_INVALID, "no version");
  ck_assert_refused(ctx, as_store_find(store, "other@champion", &version), AS_E_MODEL, "there is no champion");
  as_store_close(store);
  as_test_context_free(ctx);
}
END_TEST

/* ---- damage ----------------------------------------------------------------------------------------------------- */

typedef struct damaged {
  as_context *ctx;
  as_store *store;
  const char *version; /* the folder of version 1 */
} damaged;

static damaged start_damage(void) {
  damaged d = {.ctx = as_test_context(1)};
  d.store = as_fixture_store(d.ctx, as_test_folder());
  as_fixture_add(d.ctx, d.store, MODEL, "one");
  as_fixture_add(d.ctx, d.store, MODEL, "two");
  d.version = as_fixture_path(as_store_root(d.store), MODEL "/v0001");
  return d;
}

static void end_damage(damaged *d, const char *expected) {
  bool changed;
  ck_assert_refused(d->ctx, as_store_verify(d->store, &(as_version){MODEL, 1}, NULL, NULL), AS_E_MODEL, expected);
  ck_assert_refused(d->ctx, as_store_verify(d->store, &(as_version){MODEL, 0}, NULL, NULL), AS_E_MODEL, expected);
  ck_assert_ok(d->ctx, as_store_verify(d->store, &(as_version){MODEL, 2}, NULL, NULL));
  ck_assert_ok(d->ctx, as_store_promote(d->store, &(as_version){MODEL, 2}, &changed));
  ck_assert_refused(d->ctx, as_store_promote(d->store, &(as_version){MODEL, 1}, &changed), AS_E_MODEL, expected);
  as_version champion;
  ck_assert_refused(d->ctx, as_store_rollback(d->store, MODEL, &champion), AS_E_MODEL, expected);
  ck_assert_int_eq(as_fixture_alias(d->ctx, d->store, MODEL, AS_CHAMPION), 2);
  as_store_close(d->store);
  as_test_context_free(d->ctx);
}

START_TEST(changed_file_is_found) {
  damaged d = start_damage();
  ck_assert_ok(d.ctx, as_file_write(d.ctx, as_fixture_path(d.version, "model.safetensors"), "onf", 3));
  end_damage(&d, "model.safetensors: is not the file that the manifest lists");
}
END_TEST

START_TEST(missing_file_is_found) {
  damaged d = start_damage();
  ck_assert_int_eq(unlink(as_fixture_path(d.version, "parts/index.json")), 0);
  end_damage(&d, "parts/index.json: is missing");
}
END_TEST

START_TEST(added_file_is_found) {
  damaged d = start_damage();
  ck_assert_ok(d.ctx, as_file_write(d.ctx, as_fixture_path(d.version, "more.json"), "", 0));
  end_damage(&d, "more.json: is not in the manifest");
}
END_TEST

START_TEST(link_in_place_of_a_file_is_found) {
  damaged d = start_damage();
  ck_assert_ok(d.ctx, as_file_write(d.ctx, as_fixture_path(d.version, "../outside"), "one", 3));
  ck_assert_int_eq(unlink(as_fixture_path(d.version, "model.safetensors")), 0);
  ck_assert_int_eq(symlink("../outside", as_fixture_path(d.version, "model.safetensors")), 0);
  end_damage(&d, "model.safetensors: is a link");
}
END_TEST

START_TEST(pipe_in_place_of_a_file_is_found) {
  damaged d = start_damage();
  ck_assert_int_eq(unlink(as_fixture_path(d.version, "config.json")), 0);
  ck_assert_int_eq(mkfifo(as_fixture_path(d.version, "config.json"), 0600), 0);
  end_damage(&d, "config.json: is not a file");
}
END_TEST

static const struct {
  const char *text, *says;
} manifests[] = {
    {"", "lists no file"},
    {"abc  config.json\n", "line 1"},
    {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  ../../x\n", "line 1"},
    {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  /etc/passwd\n", "line 1"},
    {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a/b/c/d/e\n", "line 1"},
    {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n",
     "line 2: the paths are not in order"},
    {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n",
     "line 2: the paths are not in order"},
    {"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855  a\n", "line 1"},
    {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a", "line 1"},
};

START_TEST(hostile_manifests_are_refused) {
  damaged d = start_damage();
  ck_assert_ok(d.ctx, as_file_write(d.ctx, as_fixture_path(d.version, AS_MANIFEST_NAME), manifests[_i].text,
                                    strlen(manifests[_i].text)));
  end_damage(&d, manifests[_i].says);
}
END_TEST

START_TEST(version_without_manifest_is_none) {
  damaged d = start_damage();
  as_version version;
  ck_assert_int_eq(unlink(as_fixture_path(d.version, AS_MANIFEST_NAME)), 0);
  ck_assert_refused(d.ctx, as_store_find(d.store, "intent/1", &version), AS_E_MODEL, "is missing");
  ck_assert_refused(d.ctx, as_store_find(d.store, "intent@champion", &version), AS_E_MODEL, "is missing");
  ck_assert_refused(d.ctx, as_store_verify(d.store, &(as_version){MODEL, 0}, NULL, NULL), AS_E_MODEL, AS_MANIFEST_NAME);
  as_store_close(d.store);
  as_test_context_free(d.ctx);
}
END_TEST

static const char *const outside[] = {"/etc",   "../../elsewhere", "v0001/",          "./v0001", "v1",
                                      "v00001", "v0009",           "../intent/v0001", "champion"};

START_TEST(aliases_lead_to_versions_only) {
  damaged d = start_damage();
  as_version version;
  bool changed;
  const char *link = as_fixture_path(as_store_root(d.store), MODEL "/champion");
  ck_assert_int_eq(unlink(link), 0);
  ck_assert_int_eq(symlink(outside[_i], link), 0);
  ck_assert_refused(d.ctx, as_store_find(d.store, "intent@champion", &version), AS_E_MODEL, "champion: ");
  ck_assert_refused(d.ctx, as_store_champion(d.store, MODEL, &version), AS_E_MODEL, "champion: ");
  ck_assert_refused(d.ctx, as_store_verify(d.store, &(as_version){MODEL, 0}, NULL, NULL), AS_E_MODEL, "champion: ");
  ck_assert_refused(d.ctx, as_store_prune(d.store, MODEL, 1, false, NULL, NULL), AS_E_MODEL, "champion: ");
  as_fixture_expect(d.ctx, d.store, "intent/1", "one");
  ck_assert_ok(d.ctx, as_store_promote(d.store, &(as_version){MODEL, 2}, &changed)); /* which mends it */
  ck_assert_ok(d.ctx, as_store_verify(d.store, &(as_version){MODEL, 0}, NULL, NULL));
  as_store_close(d.store);
  as_test_context_free(d.ctx);
}
END_TEST

START_TEST(links_to_folders_are_no_versions) {
  damaged d = start_damage();
  as_version version;
  ck_assert_int_eq(symlink("v0001", as_fixture_path(as_store_root(d.store), MODEL "/v0003")), 0);
  ck_assert_int_eq(symlink(MODEL, as_fixture_path(as_store_root(d.store), "alias")), 0);
  ck_assert_refused(d.ctx, as_store_find(d.store, "intent/3", &version), AS_E_MODEL, "no such version");
  ck_assert_refused(d.ctx, as_store_verify(d.store, &(as_version){MODEL, 0}, NULL, NULL), AS_E_MODEL,
                    "v0003: is no folder");
  ck_assert_refused(d.ctx, as_store_champion(d.store, "alias", &version), AS_E_MODEL, "is a link");
  as_store_names names;
  ck_assert_ok(d.ctx, as_store_models(d.store, &names));
  ck_assert_uint_eq(names.count, 1);
  ck_assert_str_eq(names.names[0], MODEL);
  as_store_names_free(d.store, &names);
  as_store_close(d.store);
  as_test_context_free(d.ctx);
}
END_TEST

/* ---- training --------------------------------------------------------------------------------------------------- */

START_TEST(one_training_of_a_model_at_a_time) {
  as_context *ctx = as_test_context(1);
  as_store *store = as_fixture_store(ctx, as_test_folder());
  as_store_work first, second, other;
  ck_assert_ok(ctx, as_store_begin_training(store, MODEL, &first));
  ck_assert_refused(ctx, as_store_begin_training(store, MODEL, &second), AS_E_IO, "another process is training");
  as_store_work_end(&second);
  ck_assert_ok(ctx, as_store_begin_training(store, "sentiment", &other));
  as_store_work_end(&other);
  as_store_work_end(&first);
  ck_assert_msg(!as_path_exists(as_store_root(store)), "folders that were made for nothing go again");
  as_store_close(store);
  as_test_context_free(ctx);
}
END_TEST

/* A training that was killed after its end, before its folder became a version; and one that has not ended. */
START_TEST(finished_training_becomes_a_version_later) {
  as_context *ctx = as_test_context(1);
  as_store *store = as_fixture_store(ctx, as_test_folder());
  const char *unfinished = as_fixture_path(as_store_root(store), MODEL "/unfinished");
  as_store_work work;
  as_fixture_files(ctx, unfinished, "late");
  ck_assert_ok(ctx, as_make_folders(ctx, as_fixture_path(unfinished, "training")));
  ck_assert_ok(ctx, as_store_begin_training(store, MODEL, &work));
  ck_assert_int_eq(work.added.number, 0);
  ck_assert_str_eq(work.folder, unfinished);
  as_store_work_end(&work);
  ck_assert_int_eq(rmdir(as_fixture_path(unfinished, "training")), 0);
  ck_assert_ok(ctx, as_make_folders(ctx, as_fixture_path(unfinished, ".training-removed")));
  ck_assert_ok(ctx, as_file_write(ctx, as_fixture_path(unfinished, "config.json.tmp-7-1"), "x", 1));
  ck_assert_ok(ctx, as_store_begin_training(store, MODEL, &work));
  ck_assert_int_eq(work.added.number, 1);
  as_store_work_end(&work);
  as_fixture_expect(ctx, store, "intent@champion", "late");
  ck_assert_ok(ctx, as_store_finish_training(store, MODEL));
  as_fixture_files(ctx, unfinished, "later");
  ck_assert_ok(ctx, as_store_finish_training(store, MODEL));
  as_fixture_expect(ctx, store, "intent/2", "later");
  ck_assert_ok(ctx, as_store_finish_training(store, "other"));
  ck_assert(!as_path_exists(as_fixture_path(as_store_root(store), "other")));
  ck_assert_ok(ctx, as_store_verify(store, &(as_version){.model = MODEL}, NULL, NULL));
  as_store_close(store);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(place_of_a_training_is_known_again) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  char *root, model[AS_STORE_NAME];
  bool found;
  ck_assert_ok(ctx, as_make_folders(ctx, as_fixture_path(folder, "store/intent/unfinished")));
  ck_assert_ok(ctx,
               as_store_of_training(ctx, as_fixture_path(folder, "store/./intent/unfinished/"), &root, model, &found));
  ck_assert(found);
  ck_assert_str_eq(model, "intent");
  ck_assert_str_eq(strrchr(root, '/'), "/store");
  as_free(ctx, root);
  ck_assert_ok(ctx, as_store_of_training(ctx, as_fixture_path(folder, "store/intent"), &root, model, &found));
  ck_assert(!found);
  ck_assert_ok(ctx, as_store_of_training(ctx, as_fixture_path(folder, "absent"), &root, model, &found));
  ck_assert(!found);
  as_test_context_free(ctx);
}
END_TEST

/* ---- stopped at every step -------------------------------------------------------------------------------------- */

/* Three versions, 2 the champion, 1 previous, 3 the challenger, and a finished training on its way. */
static void prepare(as_context *ctx, as_store *store) {
  bool changed;
  as_fixture_add(ctx, store, MODEL, "one");
  as_fixture_add(ctx, store, MODEL, "two");
  ck_assert_ok(ctx, as_store_promote(store, &(as_version){MODEL, 2}, &changed));
  as_fixture_add(ctx, store, MODEL, "three");
}

static as_status do_promote(as_store *store) {
  bool changed;
  return as_store_promote(store, &(as_version){MODEL, 3}, &changed);
}
static as_status do_rollback(as_store *store) {
  as_version champion;
  return as_store_rollback(store, MODEL, &champion);
}
static as_status do_prune(as_store *store) {
  bool changed;
  as_status status = as_store_promote(store, &(as_version){MODEL, 3}, &changed);
  return status == AS_OK ? as_store_prune(store, MODEL, 1, false, NULL, NULL) : status;
}
static as_status do_publish(as_store *store) {
  as_store_work work;
  as_status status = as_store_begin_training(store, MODEL, &work);
  as_store_work_end(&work);
  return status;
}
static const struct {
  const char *name;
  as_status (*change)(as_store *store);
  int64_t champion; /* at the end */
} changes[] = {
    {"promote", do_promote, 3}, {"rollback", do_rollback, 1}, {"prune", do_prune, 3}, {"publish", do_publish, 2}};

/* A store that anything was stopped in: it verifies, and a champion answers with the content of its number. */
static int64_t check_valid(as_context *ctx, as_store *store) {
  static const char *const contents[] = {"", "one", "two", "three", "four"};
  as_version champion;
  ck_assert_ok(ctx, as_store_verify(store, &(as_version){.model = MODEL}, NULL, NULL));
  ck_assert_ok(ctx, as_store_champion(store, MODEL, &champion));
  ck_assert_int_ge(champion.number, 1);
  ck_assert_int_le(champion.number, 3);
  as_fixture_expect(ctx, store, "intent@champion", contents[champion.number]);
  return champion.number;
}

typedef struct dying {
  int left;
} dying;
static void *allocate_or_die(void *user, size_t bytes) {
  dying *d = user;
  if (--d->left == 0) _exit(9);
  return aligned_alloc(64, (bytes + 63) / 64 * 64);
}
static void release(void *user, void *pointer, size_t bytes) {
  (void)user;
  (void)bytes;
  free(pointer);
}

static void start_change(as_context *ctx, as_store *store) {
  prepare(ctx, store);
  as_fixture_files(ctx, as_fixture_path(as_store_root(store), MODEL "/unfinished"), "four");
}

/* Between any two steps on the disk there is an allocation; a process that dies at each of them in turn stops at every
 * step there is. */
START_TEST(killed_at_every_step) {
  for (int at = 1;; at++) {
    as_context *ctx = as_test_context(1);
    const char *folder = as_test_folder();
    as_store *store = as_fixture_store(ctx, folder);
    start_change(ctx, store);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
      dying d = {.left = at};
      const as_allocator allocator = {allocate_or_die, release, &d};
      const as_context_options options = {.threads = 1, .allocator = &allocator};
      as_context *mortal;
      as_store *same;
      if (as_context_new(&mortal, &options) != AS_OK || as_store_open(mortal, as_store_root(store), &same) != AS_OK)
        _exit(8);
      _exit(changes[_i].change(same) == AS_OK ? 0 : 7);
    }
    int end;
    ck_assert_int_eq(waitpid(child, &end, 0), child);
    ck_assert_msg(WIFEXITED(end) && (WEXITSTATUS(end) == 9 || WEXITSTATUS(end) == 0), "%s %d: %d", changes[_i].name, at,
                  end);
    check_valid(ctx, store);
    /* Doing it again ends it, whatever was done; rolling back twice is rolling forward. */
    as_version champion;
    ck_assert_ok(ctx, as_store_champion(store, MODEL, &champion));
    if (changes[_i].change != do_rollback || champion.number != changes[_i].champion)
      ck_assert_ok(ctx, changes[_i].change(store));
    ck_assert_int_eq(check_valid(ctx, store), changes[_i].champion);
    DIR *dir = opendir(as_fixture_path(as_store_root(store), MODEL));
    ck_assert_ptr_nonnull(dir);
    bool rollback = changes[_i].change == do_rollback;
    for (const struct dirent *e; (e = readdir(dir));)
      ck_assert_msg(rollback || e->d_name[0] != '.' || !strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."),
                    "%s is left", e->d_name);
    closedir(dir);
    as_store_close(store);
    as_test_folder_remove(folder);
    as_test_context_free(ctx);
    if (WEXITSTATUS(end) == 0) {
      ck_assert_int_gt(at, 10);
      break;
    }
  }
}
END_TEST

START_TEST(failing_allocations_leave_a_valid_store) {
  for (uint64_t at = 1;; at++) {
    as_context *ctx = as_test_context(1);
    const char *folder = as_test_folder();
    as_store *store = as_fixture_store(ctx, folder);
    start_change(ctx, store);
    as_test_fail_at(ctx, at);
    as_status status = changes[_i].change(store);
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_msg(!failed || status == AS_E_NOMEM, "%s: allocation %d: %s", changes[_i].name, (int)at,
                  as_error_text(ctx));
    check_valid(ctx, store);
    as_store_close(store);
    as_test_folder_remove(folder);
    as_test_context_free(ctx);
    if (!failed) break;
  }
}
END_TEST

/* ---- others ----------------------------------------------------------------------------------------------------- */

START_TEST(leftovers_of_the_living_stay) {
  as_context *ctx = as_test_context(1);
  as_store *store = as_fixture_store(ctx, as_test_folder());
  as_store_work copy;
  bool changed;
  as_fixture_add(ctx, store, MODEL, "one");
  ck_assert_ok(ctx, as_store_begin_copy(store, MODEL, &copy));
  const char *dead = as_fixture_path(as_store_root(store), MODEL "/.in-1-1");
  ck_assert_ok(ctx, as_make_folders(ctx, dead));
  ck_assert_ok(ctx, as_store_promote(store, &(as_version){MODEL, 1}, &changed));
  ck_assert(as_path_is_folder(copy.folder));
  ck_assert(!as_path_exists(dead));
  char kept[600];
  snprintf(kept, sizeof kept, "%s", copy.folder);
  as_store_work_end(&copy);
  ck_assert(!as_path_exists(kept));
  as_store_close(store);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_folder_that_cannot_be_written_loses_nothing) {
  as_context *ctx = as_test_context(1);
  as_store *store = as_fixture_store(ctx, as_test_folder());
  bool changed;
  if (geteuid() == 0) { /* for root every folder can be written */
    as_store_close(store);
    as_test_context_free(ctx);
    return;
  }
  as_fixture_add(ctx, store, MODEL, "one");
  as_fixture_add(ctx, store, MODEL, "two");
  const char *folder = as_fixture_path(as_store_root(store), MODEL);
  ck_assert_int_eq(chmod(folder, 0500), 0);
  ck_assert_refused(ctx, as_store_promote(store, &(as_version){MODEL, 2}, &changed), AS_E_IO, "Permission denied");
  as_fixture_expect(ctx, store, "intent@champion", "one");
  ck_assert_int_eq(chmod(folder, 0700), 0);
  as_store_close(store);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(sha256sum_reads_the_manifest) {
  as_context *ctx = as_test_context(1);
  as_store *store = as_fixture_store(ctx, as_test_folder());
  as_fixture_add(ctx, store, MODEL, "one");
  const char *manifest = as_fixture_path(as_store_root(store), MODEL "/v0001/" AS_MANIFEST_NAME);
  static const char *const lines[] = {
      "  card.md\n", "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356  config.json\n",
      "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed  model.safetensors\n",
      "37517e5f3dc66819f61f5a7bb8ace1921282415f10551d2defa5c3eb0985b570  parts/index.json\n"};
  const char *text = as_fixture_read(ctx, manifest), *at = text;
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    const char *found = strstr(at, lines[i]);
    ck_assert_msg(found, "%s: %s", lines[i], text);
    at = found + strlen(lines[i]);
  }
  ck_assert_str_eq(at, "");
  as_store_close(store);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  as_fixture_folders_in_memory();
  Suite *suite = suite_create("store");
  TCase *plain = tcase_create("versions and aliases"), *damage = tcase_create("damage"),
        *training = tcase_create("training"), *stopped = tcase_create("stopped");
  tcase_add_test(plain, first_version_is_champion);
  tcase_add_test(plain, promoting_and_rolling_back);
  tcase_add_test(plain, pruning_spares_what_has_a_name);
  tcase_add_test(plain, names_and_references_are_checked);
  tcase_add_test(plain, sha256sum_reads_the_manifest);
  tcase_add_test(damage, changed_file_is_found);
  tcase_add_test(damage, missing_file_is_found);
  tcase_add_test(damage, added_file_is_found);
  tcase_add_test(damage, link_in_place_of_a_file_is_found);
  tcase_add_test(damage, pipe_in_place_of_a_file_is_found);
  tcase_add_loop_test(damage, hostile_manifests_are_refused, 0, (int)(sizeof manifests / sizeof manifests[0]));
  tcase_add_test(damage, version_without_manifest_is_none);
  tcase_add_loop_test(damage, aliases_lead_to_versions_only, 0, (int)(sizeof outside / sizeof outside[0]));
  tcase_add_test(damage, links_to_folders_are_no_versions);
  tcase_add_test(training, one_training_of_a_model_at_a_time);
  tcase_add_test(training, finished_training_becomes_a_version_later);
  tcase_add_test(training, place_of_a_training_is_known_again);
  tcase_add_test(training, leftovers_of_the_living_stay);
  tcase_add_test(training, a_folder_that_cannot_be_written_loses_nothing);
  tcase_add_loop_test(stopped, killed_at_every_step, 0, (int)(sizeof changes / sizeof changes[0]));
  tcase_add_loop_test(stopped, failing_allocations_leave_a_valid_store, 0, (int)(sizeof changes / sizeof changes[0]));
  suite_add_tcase(suite, plain);
  suite_add_tcase(suite, damage);
  suite_add_tcase(suite, training);
  suite_add_tcase(suite, stopped);
  return suite;
}
