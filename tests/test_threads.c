/* The thread pool and the count of processors. */
#include "tests/harness.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/internal.h"

static const int thread_counts[] = {1, 2, 3, 8};

/* ---- every chunk, once ------------------------------------------------------------------------------------------ */

typedef struct tally {
  as_context *ctx;
  int threads;
  _Atomic int *runs;       /* [chunks] */
  _Atomic int in_lane[16]; /* how many chunks run in the lane right now */
  atomic_bool lane_was_shared;
} tally;

static void tally_chunk(void *argument, int64_t chunk, int lane) {
  tally *t = argument;
  if (lane < 0 || lane >= t->threads || atomic_fetch_add(&t->in_lane[lane], 1) != 0)
    atomic_store(&t->lane_was_shared, true);
  atomic_fetch_add(&t->runs[chunk], 1);
  atomic_fetch_sub(&t->in_lane[lane], 1);
}

START_TEST(each_chunk_runs_once_in_a_lane_of_its_own) {
  static _Atomic int runs[1000];
  int threads = thread_counts[_i];
  as_context *ctx = as_test_context(threads);
  ck_assert_int_eq(as_context_threads(ctx), threads);
  const int64_t sizes[] = {0, 1, 2, 3, 7, 8, 9, 64, 1000};
  for (int repeat = 0; repeat < 200; repeat++) {
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
      tally t = {.threads = threads, .runs = runs};
      memset((void *)runs, 0, sizeof runs);
      as_parallel_for(ctx, sizes[i], tally_chunk, &t);
      ck_assert(!atomic_load(&t.lane_was_shared));
      for (int64_t c = 0; c < 1000; c++) ck_assert_int_eq(runs[c], c < sizes[i]);
    }
  }
  as_parallel_for(ctx, -5, tally_chunk, NULL);
  as_test_context_free(ctx);
}
END_TEST

/* What the chunks wrote is there for the caller, without atomics: the pool orders memory. */
static void square_chunk(void *argument, int64_t chunk, int lane) {
  int64_t *values = argument;
  (void)lane;
  values[chunk] = values[chunk] * values[chunk];
}

START_TEST(writes_are_seen_by_the_caller) {
  as_context *ctx = as_test_context(thread_counts[_i]);
  int64_t values[257];
  for (int repeat = 0; repeat < 2000; repeat++) {
    for (int i = 0; i < 257; i++) values[i] = i + repeat;
    as_parallel_for(ctx, 257, square_chunk, values);
    for (int64_t i = 0; i < 257; i++) ck_assert_int_eq(values[i], (i + repeat) * (i + repeat));
  }
  as_test_context_free(ctx);
}
END_TEST

/* ---- nested and concurrent callers ------------------------------------------------------------------------------ */

static void nested_chunk(void *argument, int64_t chunk, int lane) {
  tally *outer = argument;
  (void)lane;
  int64_t values[17];
  for (int i = 0; i < 17; i++) values[i] = i;
  as_parallel_for(outer->ctx, 17, square_chunk, values);
  for (int64_t i = 0; i < 17; i++)
    if (values[i] != i * i) atomic_store(&outer->lane_was_shared, true);
  atomic_fetch_add(&outer->runs[chunk], 1);
}

START_TEST(nested_loops_run_in_their_caller) {
  static _Atomic int runs[50];
  as_context *ctx = as_test_context(thread_counts[_i]);
  tally t = {.ctx = ctx, .runs = runs};
  as_parallel_for(ctx, 50, nested_chunk, &t);
  for (int c = 0; c < 50; c++) ck_assert_int_eq(runs[c], 1);
  ck_assert(!atomic_load(&t.lane_was_shared));
  as_test_context_free(ctx);
}
END_TEST

static void *concurrent_caller(void *argument) {
  int64_t values[33];
  for (int repeat = 0; repeat < 500; repeat++) {
    for (int i = 0; i < 33; i++) values[i] = i + repeat;
    as_parallel_for(argument, 33, square_chunk, values);
    for (int64_t i = 0; i < 33; i++)
      if (values[i] != (i + repeat) * (i + repeat)) return argument;
  }
  return NULL;
}

START_TEST(concurrent_callers_do_not_mix) {
  as_context *ctx = as_test_context(thread_counts[_i]);
  pthread_t callers[4];
  for (int i = 0; i < 4; i++) ck_assert_int_eq(pthread_create(&callers[i], NULL, concurrent_caller, ctx), 0);
  for (int i = 0; i < 4; i++) {
    void *wrong;
    pthread_join(callers[i], &wrong);
    ck_assert_ptr_null(wrong);
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(idle_pools_and_short_lives_work) {
  int64_t values[4] = {1, 2, 3, 4};
  for (int repeat = 0; repeat < 100; repeat++) {
    as_context *ctx = as_test_context(3);
    if (repeat % 2) as_parallel_for(ctx, 1 + repeat % 4, square_chunk, (int64_t[4]){0});
    as_test_context_free(ctx);
  }
  as_context *ctx = as_test_context(2);
  usleep(20000); /* the worker sleeps by now */
  as_parallel_for(ctx, 4, square_chunk, values);
  ck_assert_int_eq(values[3], 16);
  as_test_context_free(ctx);
}
END_TEST

/* ---- who waits for whom ----------------------------------------------------------------------------------------- */

static void slow_worker_chunk(void *argument, int64_t chunk, int lane) {
  (void)chunk;
  if (lane == 0) return;
  atomic_fetch_add((_Atomic int *)argument, 1);
  usleep(30000);
}

START_TEST(claimed_chunks_are_waited_for) {
  as_context *ctx = as_test_context(2);
  for (int repeat = 0; repeat < 5; repeat++) {
    _Atomic int started = 0;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    as_parallel_for(ctx, 100000, slow_worker_chunk, &started);
    clock_gettime(CLOCK_MONOTONIC, &after);
    double waited = (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
    if (started) ck_assert_double_ge(waited, 0.03); /* the argument is on our stack: it must have outlived them */
  }
  as_test_context_free(ctx);
}
END_TEST

/* Threads that never come are as late as a thread can be: the pool of this context has lost its workers. */
START_TEST(unclaimed_workers_are_not_waited_for) {
  as_context *ctx = as_test_context(8);
  as_pool_stop(ctx);
  int64_t values[64];
  for (int i = 0; i < 64; i++) values[i] = i;
  as_parallel_for(ctx, 64, square_chunk, values);
  for (int64_t i = 0; i < 64; i++) ck_assert_int_eq(values[i], i * i);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(stalling_workers_lose_their_lane_and_get_it_back) {
  as_context *ctx = as_test_context(2);
  _Atomic int started = 0;
  for (int repeat = 0; repeat < 200 && atomic_load(&ctx->pool.active) == 2; repeat++)
    as_parallel_for(ctx, 100000, slow_worker_chunk, &started); /* it sleeps in its chunk: off its processor */
  ck_assert_int_eq(atomic_load(&ctx->pool.active), 1);
  int64_t values[4] = {0};
  for (int repeat = 0; repeat < 1000 && atomic_load(&ctx->pool.active) == 1; repeat++) {
    usleep(1000);
    as_parallel_for(ctx, 4, square_chunk, values);
  }
  ck_assert_int_eq(atomic_load(&ctx->pool.active), 2);
  as_test_context_free(ctx);
}
END_TEST

/* ---- signals ---------------------------------------------------------------------------------------------------- */

static _Atomic int signals_in_worker;
static pthread_t main_thread;

static void on_signal(int number) {
  (void)number;
  if (!pthread_equal(pthread_self(), main_thread)) atomic_fetch_add(&signals_in_worker, 1);
}

START_TEST(workers_take_no_signals) {
  sigset_t before, after;
  main_thread = pthread_self();
  signal(SIGUSR1, on_signal);
  pthread_sigmask(SIG_SETMASK, NULL, &before);
  as_context *ctx = as_test_context(4);
  pthread_sigmask(SIG_SETMASK, NULL, &after);
  ck_assert_int_eq(sigismember(&after, SIGUSR1), sigismember(&before, SIGUSR1));
  for (int i = 0; i < 200; i++) {
    kill(getpid(), SIGUSR1);
    int64_t values[16] = {0};
    as_parallel_for(ctx, 16, square_chunk, values);
  }
  ck_assert_int_eq(signals_in_worker, 0);
  as_test_context_free(ctx);
}
END_TEST

/* ---- processors ------------------------------------------------------------------------------------------------- */

/* A file tree that looks like a system: pairs of path and content, ended by NULL. */
static int processors_with(const char *const *files) {
  as_context *ctx = as_test_context(1);
  const char *root = as_test_folder();
  for (; *files; files += 2) {
    char *path = as_path_join(ctx, root, files[0]), *slash = strrchr(path, '/');
    *slash = 0;
    ck_assert_ok(ctx, as_make_folders(ctx, path));
    *slash = '/';
    ck_assert_ok(ctx, as_file_write(ctx, path, files[1], strlen(files[1])));
    as_free(ctx, path);
  }
  int processors = as_cgroup_processors(root);
  as_test_folder_remove(root);
  as_test_context_free(ctx);
  return processors;
}

#define MOUNT_V2 "proc/self/mountinfo", "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
#define MOUNT_V1                                                                                                       \
  "proc/self/mountinfo", "24 1 0:5 / /dev rw - devtmpfs udev rw\n"                                                     \
                         "33 32 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"

START_TEST(quota_of_version_2_is_the_lowest_on_the_way_up) {
  const char *const no_quota[] = {
      MOUNT_V2, "proc/self/cgroup", "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max", "max 100000\n", NULL};
  const char *const own[] = {MOUNT_V2,          "proc/self/cgroup",        "0::/a/b\n",    "sys/fs/cgroup/a/b/cpu.max",
                             "300000 100000\n", "sys/fs/cgroup/a/cpu.max", "max 100000\n", NULL};
  const char *const parent[] = {
      MOUNT_V2,          "proc/self/cgroup",        "0::/a/b\n",       "sys/fs/cgroup/a/b/cpu.max",
      "300000 100000\n", "sys/fs/cgroup/a/cpu.max", "150000 100000\n", NULL};
  const char *const top[] = {MOUNT_V2, "proc/self/cgroup", "0::/\n", "sys/fs/cgroup/cpu.max", "50000 100000\n", NULL};
  ck_assert_int_eq(processors_with(no_quota), INT_MAX);
  ck_assert_int_eq(processors_with(own), 3);
  ck_assert_int_eq(processors_with(parent), 2); /* 1.5 is rounded up */
  ck_assert_int_eq(processors_with(top), 1);
}
END_TEST

START_TEST(quota_within_a_container_is_found) {
  const char *const container[] = {"proc/self/mountinfo",
                                   "30 24 0:26 /docker/1234 /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
                                   "proc/self/cgroup",
                                   "0::/docker/1234/job\n",
                                   "sys/fs/cgroup/cpu.max",
                                   "400000 100000\n",
                                   "sys/fs/cgroup/job/cpu.max",
                                   "max 100000\n",
                                   NULL};
  ck_assert_int_eq(processors_with(container), 4);
}
END_TEST

START_TEST(quota_of_version_1_is_found) {
  const char *const set[] = {MOUNT_V1,
                             "proc/self/cgroup",
                             "7:memory:/m\n4:cpu,cpuacct:/x/y\n0::/\n",
                             "sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_quota_us",
                             "-1\n",
                             "sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_period_us",
                             "100000\n",
                             "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us",
                             "200000\n",
                             "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us",
                             "100000\n",
                             NULL};
  const char *const unset[] = {MOUNT_V1, "proc/self/cgroup", "4:cpuset:/x/y\n", NULL};
  ck_assert_int_eq(processors_with(set), 2);
  ck_assert_int_eq(processors_with(unset), INT_MAX);
}
END_TEST

START_TEST(strange_systems_have_no_quota) {
  const char *const nothing[] = {"empty/file", "", NULL};
  const char *const garbage[] = {"proc/self/mountinfo",
                                 "\n - \n1 - cgroup2 x\n30 24 0:26 / - cgroup2 c rw\n"
                                 "30 24 0:26 / /c rw - cgroup2 c rw\n",
                                 "proc/self/cgroup",
                                 "0\n:\n0:\n0::/z\n\n",
                                 "c/z/cpu.max",
                                 "garbage",
                                 "c/cpu.max",
                                 "100000 0\n",
                                 NULL};
  ck_assert_int_eq(processors_with(nothing), INT_MAX);
  ck_assert_int_eq(processors_with(garbage), INT_MAX);
}
END_TEST

START_TEST(default_threads_follow_the_affinity_mask) {
  cpu_set_t all, one;
  ck_assert_int_eq(sched_getaffinity(0, sizeof all, &all), 0);
  ck_assert_int_ge(as_default_threads(), 1);
  ck_assert_int_le(as_default_threads(), CPU_COUNT(&all));
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
    if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
  ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
  ck_assert_int_eq(as_default_threads(), 1);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("threads");
  TCase *pool = tcase_create("pool"), *processors = tcase_create("processors");
  tcase_add_loop_test(pool, each_chunk_runs_once_in_a_lane_of_its_own, 0, 4);
  tcase_add_loop_test(pool, writes_are_seen_by_the_caller, 0, 4);
  tcase_add_loop_test(pool, nested_loops_run_in_their_caller, 0, 4);
  tcase_add_loop_test(pool, concurrent_callers_do_not_mix, 0, 4);
  tcase_add_test(pool, idle_pools_and_short_lives_work);
  tcase_add_test(pool, claimed_chunks_are_waited_for);
  tcase_add_test(pool, unclaimed_workers_are_not_waited_for);
  tcase_add_test(pool, stalling_workers_lose_their_lane_and_get_it_back);
  tcase_add_test(pool, workers_take_no_signals);
  tcase_add_test(processors, quota_of_version_2_is_the_lowest_on_the_way_up);
  tcase_add_test(processors, quota_within_a_container_is_found);
  tcase_add_test(processors, quota_of_version_1_is_found);
  tcase_add_test(processors, strange_systems_have_no_quota);
  tcase_add_test(processors, default_threads_follow_the_affinity_mask);
  suite_add_tcase(suite, pool);
  suite_add_tcase(suite, processors);
  return suite;
}
