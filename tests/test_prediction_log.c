/* Writing the table predictions: what is added comes out, byte for byte, with several threads and processes writing, a
 * database that is held by others, a full disk, no memory, and kills at any moment. */
#include "lifecycle/prediction_log.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "data/timestamp.h"
#include "lifecycle/predictions.h"
#include "tests/prediction_log_fixture.h"

/* ---- helpers ---------------------------------------------------------------------------------------------------- */

static sqlite3 *hold(const char *path, const char *how) {
  sqlite3 *plain;
  ck_assert_int_eq(sqlite3_open(path, &plain), SQLITE_OK);
  ck_assert_int_eq(sqlite3_exec(plain, how, NULL, NULL, NULL), SQLITE_OK);
  return plain;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- what is stored --------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b) {
  return strcmp(a, b);
}

START_TEST(request_ids_are_unique) {
  enum { IDS = 2000 };
  static char ids[IDS][AS_REQUEST_ID];
  for (int i = 0; i < IDS; i++) {
    as_request_id(ids[i]);
    ck_assert_uint_eq(strspn(ids[i], "0123456789abcdef"), AS_REQUEST_ID - 1);
    ck_assert_uint_eq(strlen(ids[i]), AS_REQUEST_ID - 1);
  }
  qsort(ids, IDS, sizeof ids[0], by_text);
  for (int i = 1; i < IDS; i++) ck_assert_str_ne(ids[i - 1], ids[i]);
}
END_TEST

static as_status compare_input(void *user, const as_prediction_row *row) {
  int *i = user;
  ck_assert_ptr_nonnull(row->input.text);
  ck_assert_uint_eq(row->input.length, as_log_hostile[*i].length);
  ck_assert_mem_eq(row->input.text, as_log_hostile[*i].text, as_log_hostile[*i].length);
  ck_assert_str_eq(row->model, "intent");
  ck_assert_double_eq(row->confidence, 0.75);
  ck_assert_int_eq(row->tokens, 7);
  ck_assert_int_eq(row->unknown, 1);
  ck_assert_int_eq(row->latency_us, 1234);
  ck_assert(!row->truncated && !row->feedback.text);
  ++*i;
  return AS_OK;
}

START_TEST(any_text_comes_back) {
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "below/log.db");
  as_prediction_log *log =
      as_log_open(ctx, path, &(as_prediction_log_options){.text = AS_LOG_TEXT_FULL, .close_wait = 2000});
  for (int i = 0; i < AS_LOG_HOSTILE; i++) {
    const as_logged_prediction p =
        as_log_answer("0123456789abcdef0123456789abcdef", as_log_hostile[i].text, as_log_hostile[i].length);
    as_prediction_log_add(log, &p);
  }
  const as_prediction_log_counts counts = as_prediction_log_close(log);
  ck_assert_uint_eq(counts.written, AS_LOG_HOSTILE);
  ck_assert_uint_eq(counts.lost, 0);
  ck_assert_int_eq(as_log_rows(path), AS_LOG_HOSTILE);
  as_database *database;
  int next = 0;
  ck_assert_ok(ctx, as_database_open(ctx, path, false, &database));
  ck_assert_ok(ctx, as_predictions_read(database, &(as_prediction_query){.newest = 0}, compare_input, &next));
  ck_assert_int_eq(next, AS_LOG_HOSTILE);
  as_database_close(database);
  for (int i = 0; i < AS_LOG_HOSTILE; i++) {
    char sql[120];
    snprintf(sql, sizeof sql, "SELECT typeof(input) = '%s' FROM predictions WHERE rowid = %d", as_log_hostile[i].kind,
             i + 1);
    ck_assert_msg(as_log_ask(path, sql) == 1, "%s", sql);
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(texts_are_hashed_or_left_out) {
  static const char hello[] = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"; /* SHA-256 */
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "log.db");
  for (int text = AS_LOG_TEXT_HASH; text <= AS_LOG_TEXT_NONE; text++) {
    as_prediction_log *log =
        as_log_open(ctx, path, &(as_prediction_log_options){.text = (as_log_text)text, .close_wait = 2000});
    as_logged_prediction p = as_log_answer("0123456789abcdef0123456789abcdef", "hello", 5);
    p.label = "hello";
    p.label_is_text = true;
    as_prediction_log_add(log, &p);
    as_prediction_log_close(log);
  }
  char sql[300];
  snprintf(sql, sizeof sql, "SELECT input = '%s' AND label = '%s' FROM predictions WHERE rowid = 1", hello, hello);
  ck_assert_int_eq(as_log_ask(path, sql), 1);
  ck_assert_int_eq(as_log_ask(path, "SELECT input = 'hello' AND label = 'hello' FROM predictions WHERE rowid = 2"), 1);
  ck_assert_int_eq(as_log_ask(path, "SELECT input IS NULL AND label IS NULL FROM predictions WHERE rowid = 3"), 1);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(unknown_figures_are_null) {
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "log.db");
  as_prediction_log *log = as_log_open(ctx, path, &as_log_hashed);
  as_prediction_log_add(log, &(as_logged_prediction){.request_id = "ab",
                                                     .model = "m",
                                                     .version = "1",
                                                     .tokens = -1,
                                                     .unknown = -1,
                                                     .confidence = NAN,
                                                     .scores = "[1]"});
  as_prediction_log_close(log);
  ck_assert_int_eq(as_log_ask(path,
                              "SELECT input IS NULL AND label IS NULL AND confidence IS NULL AND tokens IS NULL AND "
                              "unknown IS NULL AND feedback IS NULL AND probabilities = '[1]' FROM predictions"),
                   1);
  as_test_context_free(ctx);
}
END_TEST

/* ---- the writer ------------------------------------------------------------------------------------------------- */

static void *add_many(void *log) {
  as_log_some(log, 900);
  return NULL;
}

START_TEST(threads_write_at_once) {
  enum { THREADS = 4 };
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "log.db");
  as_prediction_log *log = as_log_open(ctx, path, &as_log_hashed);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, add_many, log), 0);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  as_prediction_log_flush(log, 10000);
  ck_assert_uint_eq(as_prediction_log_count(log).written, THREADS * 900);
  ck_assert_int_eq(as_log_rows(path), THREADS * 900);
  as_log_some(log, 1);
  ck_assert_uint_eq(as_prediction_log_close(log).written, THREADS * 900 + 1);
  ck_assert_int_eq(as_log_ask(path, "SELECT count(DISTINCT request_id) FROM predictions"), THREADS * 900 + 1);
  ck_assert_str_eq(as_test_warnings(ctx), "");
  as_test_context_free(ctx);
}
END_TEST

START_TEST(rows_are_written_before_long) {
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "log.db");
  as_prediction_log *log = as_log_open(ctx, path, &as_log_hashed);
  as_log_some(log, 3);
  const double begun = seconds();
  while (as_prediction_log_count(log).written < 3 && seconds() < begun + 10) usleep(20000);
  ck_assert_int_eq(as_log_rows(path), 3);
  as_prediction_log_close(log);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_busy_database_is_waited_for) {
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "log.db");
  as_log_fill(ctx, path);
  sqlite3 *other = hold(path, "BEGIN IMMEDIATE");
  as_prediction_log *log = as_log_open(ctx, path, &as_log_hashed);
  const double begun = seconds();
  as_log_some(log, 3000);
  ck_assert_double_lt(seconds() - begun, 0.5); /* nobody waited here */
  as_prediction_log_flush(log, 700);
  ck_assert_uint_eq(as_prediction_log_count(log).written, 0);
  sqlite3_close(other);
  as_prediction_log_flush(log, 10000);
  ck_assert_uint_eq(as_prediction_log_count(log).written, 3000);
  const as_prediction_log_counts counts = as_prediction_log_close(log);
  ck_assert_uint_eq(counts.lost, 0);
  ck_assert_str_eq(as_test_warnings(ctx), "");
  ck_assert_int_eq(as_log_rows(path), 3004);
  as_test_context_free(ctx);
}
END_TEST

/* Held before the first row: the tables cannot even be looked at. */
START_TEST(a_database_that_stays_busy_is_given_up) {
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "log.db");
  sqlite3 *other = hold(path, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE x (y)");
  as_prediction_log *log =
      as_log_open(ctx, path, &(as_prediction_log_options){.text = AS_LOG_TEXT_FULL, .close_wait = 100});
  as_log_some(log, 10);
  const double begun = seconds();
  const as_prediction_log_counts counts = as_prediction_log_close(log);
  ck_assert_double_lt(seconds() - begun, 5);
  ck_assert_uint_eq(counts.lost, 10);
  ck_assert_uint_eq(counts.written, 0);
  ck_assert_int_eq(as_log_lines(as_test_warnings(ctx)), 1);
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "log.db"));
  sqlite3_close(other);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(the_queue_is_bounded) {
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "log.db");
  as_log_fill(ctx, path);
  sqlite3 *other = hold(path, "BEGIN IMMEDIATE");
  as_prediction_log *log = as_log_open(
      ctx, path, &(as_prediction_log_options){.text = AS_LOG_TEXT_FULL, .queue_bytes = 50000, .close_wait = 5000});
  const size_t before = as_memory_used(ctx);
  as_log_some(log, 5000);
  as_logged_prediction last = as_log_answer("cccccc00000000000000000000000000", "the last", 8);
  as_prediction_log_add(log, &last);
  char *large = as_alloc_zero(ctx, 60000, 1);
  const as_logged_prediction more = as_log_answer("dddddd00000000000000000000000000", large, 60000);
  as_prediction_log_add(log, &more); /* more than the queue holds: it alone is lost */
  as_free(ctx, large);
  usleep(100000);
  ck_assert_uint_lt(as_memory_used(ctx) - before, 3000000); /* the bound, and the batch that is under way */
  sqlite3_close(other);
  const as_prediction_log_counts counts = as_prediction_log_close(log);
  ck_assert_uint_eq(counts.written + counts.lost, 5002);
  ck_assert_uint_gt(counts.lost, 3000);
  ck_assert_uint_gt(counts.written, 50);
  ck_assert_int_eq(as_log_rows(path), 4 + (int64_t)counts.written);
  ck_assert_int_eq(as_log_ask(path, "SELECT count(*) FROM predictions WHERE request_id LIKE 'cccccc%'"),
                   1); /* the oldest went */
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_place_that_cannot_be_written_is_told_once) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  ck_assert_ok(ctx, as_file_write(ctx, as_fixture_path(folder, "file"), "x", 1));
  ck_assert_ok(ctx, as_make_folders(ctx, as_fixture_path(folder, "folder.db")));
  char text[600];
  memset(text, 'x', sizeof text);
  ck_assert_ok(ctx, as_file_write(ctx, as_fixture_path(folder, "text.db"), text, sizeof text));
  static const char *const places[] = {"file/below.db", "folder.db", "text.db"};
  for (int i = 0; i < 3; i++) {
    as_prediction_log *log = as_log_open(ctx, as_fixture_path(folder, places[i]), &as_log_hashed);
    as_log_some(log, 1500);
    as_prediction_log_flush(log, 5000);
    as_log_some(log, 1500);
    const as_prediction_log_counts counts = as_prediction_log_close(log);
    ck_assert_uint_eq(counts.lost, 3000);
    ck_assert_int_eq(as_log_lines(as_test_warnings(ctx)), i + 1);
    ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "predictions go on without being logged"));
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_full_disk_is_told_once) {
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "log.db");
  struct rlimit usual, small;
  signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &usual), 0);
  small = usual;
  small.rlim_cur = 400000;
  as_prediction_log *log = as_log_open(ctx, path, &as_log_hashed);
  as_log_some(log, 100);
  as_prediction_log_flush(log, 10000);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
  for (int i = 0; i < 5; i++) {
    as_log_some(log, 1000);
    as_prediction_log_flush(log, 10000);
  }
  const as_prediction_log_counts counts = as_prediction_log_close(log);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &usual), 0);
  ck_assert_uint_eq(counts.written + counts.lost, 5100);
  ck_assert_uint_ge(counts.written, 100);
  ck_assert_uint_ge(counts.lost, 1000);
  ck_assert_int_eq(as_log_lines(as_test_warnings(ctx)), 1);
  ck_assert_int_eq(as_log_rows(path), (int64_t)counts.written); /* whole, and with what was said to be written */
  log = as_log_open(ctx, path, &as_log_hashed);
  as_log_some(log, 10);
  ck_assert_uint_eq(as_prediction_log_close(log).written, 10);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(failing_allocations) {
  for (uint64_t at = 1;; at++) {
    as_context *ctx = as_test_context(1);
    const char *folder = as_test_folder(), *path = as_fixture_path(folder, "log.db");
    as_prediction_log *log;
    as_test_fail_at(ctx, at);
    as_status status = as_prediction_log_open(ctx, path, &as_log_hashed, &log);
    ck_assert(status == AS_OK || (status == AS_E_NOMEM && !log));
    if (log) {
      as_log_some(log, 5);
      const as_prediction_log_counts counts = as_prediction_log_close(log);
      ck_assert_uint_eq(counts.written + counts.lost, 5);
      as_test_fail_at(ctx, 0);
      if (counts.written) ck_assert_int_eq(as_log_rows(path), (int64_t)counts.written);
      ck_assert_int_le(as_log_lines(as_test_warnings(ctx)), 1);
    }
    const bool failed = as_test_failed_one(ctx);
    as_test_context_free(ctx);
    as_test_folder_remove(folder);
    if (log && !failed) break;
    ck_assert_uint_lt(at, 1000);
  }
}
END_TEST

/* ---- processes -------------------------------------------------------------------------------------------------- */

START_TEST(processes_write_at_once) {
  enum { PROCESSES = 3, ROWS = 2500 };
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "log.db");
  pid_t children[PROCESSES];
  for (int i = 0; i < PROCESSES; i++) {
    children[i] = fork();
    ck_assert_int_ge(children[i], 0);
    if (children[i]) continue;
    as_prediction_log *log;
    if (as_prediction_log_open(ctx, path, &(as_prediction_log_options){.close_wait = 20000}, &log) != AS_OK) _exit(1);
    as_log_some(log, ROWS);
    _exit(as_prediction_log_close(log).written == ROWS ? 0 : 2);
  }
  for (int i = 0; i < PROCESSES; i++) {
    int end;
    ck_assert_int_eq(waitpid(children[i], &end, 0), children[i]);
    ck_assert(WIFEXITED(end) && WEXITSTATUS(end) == 0);
  }
  ck_assert_int_eq(as_log_rows(path), PROCESSES * ROWS);
  as_test_context_free(ctx);
}
END_TEST

/* A process that logs without end and tells how much is written. */
static void log_until_killed(as_context *ctx, const char *path, int told) {
  as_prediction_log *log;
  if (as_prediction_log_open(ctx, path, &as_log_hashed, &log) != AS_OK) _exit(1);
  for (;;) {
    as_log_some(log, 200);
    as_prediction_log_flush(log, 10000);
    const uint64_t written = as_prediction_log_count(log).written;
    if (write(told, &written, sizeof written) != sizeof written) _exit(1);
  }
}

/* KILLS: how many there are. */
START_TEST(kills_leave_what_was_written) {
  const char *wanted = getenv("KILLS");
  const int kills = wanted ? atoi(wanted) : 40;
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "log.db");
  int64_t before = 0;
  for (int i = 0; i < kills; i++) {
    int ends[2], end;
    ck_assert_int_eq(pipe(ends), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (!child) {
      close(ends[0]);
      log_until_killed(ctx, path, ends[1]);
    }
    close(ends[1]);
    usleep((useconds_t)(i % 8 * 4000 + i * 37 % 4000));
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, &end, 0), child);
    ck_assert(WIFSIGNALED(end));
    uint64_t written = 0, last;
    while (read(ends[0], &last, sizeof last) == sizeof last) written = last;
    close(ends[0]);
    const int64_t now =
        as_log_ask(path, "SELECT count(*) FROM sqlite_master WHERE name = 'predictions'") ? as_log_rows(path) : 0;
    ck_assert_int_ge(now, before + (int64_t)written);
    before = now;
  }
  ck_assert_int_gt(before, 0);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  as_fixture_folders_in_memory();
  Suite *suite = suite_create("prediction log");
  TCase *tests = tcase_create("prediction log");
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, request_ids_are_unique);
  tcase_add_test(tests, any_text_comes_back);
  tcase_add_test(tests, texts_are_hashed_or_left_out);
  tcase_add_test(tests, unknown_figures_are_null);
  tcase_add_test(tests, threads_write_at_once);
  tcase_add_test(tests, rows_are_written_before_long);
  tcase_add_test(tests, a_busy_database_is_waited_for);
  tcase_add_test(tests, a_database_that_stays_busy_is_given_up);
  tcase_add_test(tests, the_queue_is_bounded);
  tcase_add_test(tests, a_place_that_cannot_be_written_is_told_once);
  tcase_add_test(tests, a_full_disk_is_told_once);
  tcase_add_test(tests, failing_allocations);
  tcase_add_test(tests, processes_write_at_once);
  tcase_add_test(tests, kills_leave_what_was_written);
  suite_add_tcase(suite, tests);
  return suite;
}
