/* The harness: main, watched contexts, paths, folders, comparison. */
#include "tests/harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- contexts --------------------------------------------------------------------------------------------------- */

/* One watched context. They form a list, since as_context has no place for a pointer of ours. */
typedef struct watched {
  struct watched *next;
  as_context *ctx;
  _Atomic uint64_t calls;   /* allocations asked for since the countdown was set */
  _Atomic uint64_t fail_at; /* which of them fails; 0: none */
  atomic_bool forever, failed;
  pthread_mutex_t mutex; /* guards warnings */
  char warnings[65536];
} watched;

static watched *all_watched;

static void *watched_allocate(void *user, size_t bytes) {
  watched *w = user;
  uint64_t call = atomic_fetch_add(&w->calls, 1) + 1, fail_at = atomic_load(&w->fail_at);
  if (fail_at && (call == fail_at || (call > fail_at && atomic_load(&w->forever)))) {
    atomic_store(&w->failed, true);
    return NULL;
  }
  return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void watched_release(void *user, void *pointer, size_t bytes) {
  (void)user, (void)bytes;
  free(pointer);
}

static void watched_warn(void *user, const char *text) {
  watched *w = user;
  pthread_mutex_lock(&w->mutex);
  size_t length = strlen(w->warnings);
  snprintf(w->warnings + length, sizeof w->warnings - length, "%s\n", text);
  pthread_mutex_unlock(&w->mutex);
}

static watched *find_watched(as_context *ctx) {
  for (watched *w = all_watched; w; w = w->next)
    if (w->ctx == ctx) return w;
  ck_abort_msg("not a context made by as_test_context");
  return NULL;
}

as_context *as_test_context(int threads) {
  watched *w = calloc(1, sizeof *w);
  if (!w) ck_abort_msg("out of memory");
  pthread_mutex_init(&w->mutex, NULL);
  as_allocator allocator = {watched_allocate, watched_release, w};
  as_context_options options = {.threads = threads, .allocator = &allocator, .warn = watched_warn, .warn_user = w};
  as_status status = as_context_new(&w->ctx, &options);
  if (status != AS_OK) ck_abort_msg("as_context_new: %s", as_status_name(status));
  w->next = all_watched;
  all_watched = w;
  return w->ctx;
}

static void fail_from_now(watched *w, uint64_t n, bool forever) {
  atomic_store(&w->fail_at, 0);
  atomic_store(&w->calls, 0);
  atomic_store(&w->forever, forever);
  atomic_store(&w->failed, false);
  atomic_store(&w->fail_at, n);
}

as_context *as_test_context_failing(int threads, uint64_t n, bool forever) {
  as_context *ctx = as_test_context(threads);
  fail_from_now(find_watched(ctx), n, forever);
  return ctx;
}

void as_test_fail_at(as_context *ctx, uint64_t n) {
  fail_from_now(find_watched(ctx), n, false);
}

bool as_test_failed_one(as_context *ctx) {
  return atomic_load(&find_watched(ctx)->failed);
}

bool as_test_failed_cleanly(as_context *ctx, as_status status, size_t used) {
  watched *w = find_watched(ctx);
  const uint64_t n = atomic_load(&w->fail_at);
  const bool failed = as_test_failed_one(ctx);
  as_test_fail_at(ctx, 0);
  if (status != (failed ? AS_E_NOMEM : AS_OK))
    ck_abort_msg("allocation %llu: %s: %s", (unsigned long long)n, as_status_name(status), as_error_text(ctx));
  if (as_memory_used(ctx) != used)
    ck_abort_msg("allocation %llu: %zu bytes are in use, expected %zu", (unsigned long long)n, as_memory_used(ctx),
                 used);
  return failed;
}

const char *as_test_warnings(as_context *ctx) {
  return find_watched(ctx)->warnings;
}

void as_test_context_free(as_context *ctx) {
  watched *w = find_watched(ctx), **link = &all_watched;
  size_t used = as_memory_used(ctx);
  while (*link != w) link = &(*link)->next;
  *link = w->next;
  as_context_free(ctx);
  pthread_mutex_destroy(&w->mutex);
  free(w);
  if (used) ck_abort_msg("%zu bytes were not freed", used);
}

/* ---- paths and folders ------------------------------------------------------------------------------------------ */

static const char *path_below(const char *variable, const char *relative) {
  static char paths[8][4096];
  static unsigned turn;
  const char *folder = getenv(variable);
  if (!folder) ck_abort_msg("the environment variable %s is not set", variable);
  char *path = paths[turn++ % 8];
  if (snprintf(path, sizeof paths[0], "%s/%s", folder, relative) >= (int)sizeof paths[0])
    ck_abort_msg("path too long: %s", relative);
  return path;
}

const char *as_golden(const char *relative) {
  return path_below("ASSISTIFY_GOLDEN", relative);
}
const char *as_source_path(const char *relative) {
  return path_below("ASSISTIFY_SOURCE", relative);
}

void as_skip_all(const char *why) {
  printf("1..0 # SKIP %s\n", why);
  exit(0);
}

void as_golden_or_skip(void) {
  const char *folder = getenv("ASSISTIFY_GOLDEN");
  if (!folder || !folder[0]) as_skip_all("ASSISTIFY_GOLDEN is not set");
}

/* Folders of all tests lie in one, which goes when the program ends, however it ends: tests run in child processes, and
 * one that fails, crashes or takes too long removes nothing itself. */
static char all_folders[4096 - 64];

const char *as_test_folder(void) {
  static char folders[8][4096];
  static unsigned turn;
  char *folder = folders[turn++ % 8];
  snprintf(folder, sizeof folders[0], "%s/XXXXXX", all_folders);
  if (!mkdtemp(folder)) ck_abort_msg("cannot make a folder like %s", folder);
  return folder;
}

void as_test_folder_remove(const char *folder) {
  DIR *dir = opendir(folder);
  if (!dir) return;
  for (struct dirent *entry; (entry = readdir(dir));) {
    char path[8192];
    struct stat info;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode))
      as_test_folder_remove(path);
    else
      unlink(path);
  }
  closedir(dir);
  rmdir(folder);
}

as_status as_test_gather(void *user, const char *bytes, size_t length) {
  as_buffer_append(user, bytes, length);
  return as_buffer_status(user);
}

/* ---- comparison and main ---------------------------------------------------------------------------------------- */

void as_assert_close(const char *what, const float *actual, const float *expected, size_t count, double absolute,
                     double relative) {
  for (size_t i = 0; i < count; i++) {
    double difference = fabs((double)actual[i] - (double)expected[i]);
    if (actual[i] == expected[i] || difference <= absolute + relative * fabs((double)expected[i])) continue;
    ck_abort_msg("%s[%zu] is %.9g, expected %.9g (off by %.3g)", what, i, (double)actual[i], (double)expected[i],
                 difference);
  }
}

/* A process that waits until this program and its tests have gone, by whatever signal, and then removes their folders:
 * the pipe's writing end is closed by the system when the last of them ends. */
static pid_t remove_folders_at_the_end(void) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  pid_t child = fork();
  if (child != 0) {
    close(ends[0]);
    return child;
  }
  char nothing;
  setsid(); /* out of reach of what ends the group */
  for (int i = 0; i < 1024; i++)
    if (i != ends[0]) close(i);
  while (read(ends[0], &nothing, 1) != 0) {}
  as_test_folder_remove(all_folders);
  _exit(0);
}

#ifdef __SANITIZE_ADDRESS__
/* A test asks for more memory than there can be: that is to be refused as it is without a sanitizer. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "allocator_may_return_null=1";
}
#endif

int main(void) {
  /* Before the first test case is made, for they copy it. Generous: a machine may be busy, or a sanitizer built in. */
  setenv("CK_DEFAULT_TIMEOUT", "1800", 0);
  Suite *suite = as_suite(); /* may skip all, and end here */
  const char *parent = getenv("TMPDIR");
  snprintf(all_folders, sizeof all_folders, "%s/assistify-test-XXXXXX", parent && parent[0] ? parent : "/tmp");
  if (!mkdtemp(all_folders)) {
    printf("Bail out! cannot make a folder like %s\n", all_folders);
    return 99;
  }
  pid_t remover = remove_folders_at_the_end();
  SRunner *runner = srunner_create(suite);
  srunner_set_tap(runner, "-");
  srunner_run_all(runner, CK_SILENT);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  if (remover > 0 && kill(remover, SIGKILL) == 0) waitpid(remover, NULL, 0);
  as_test_folder_remove(all_folders);
  return failed ? 1 : 0;
}
