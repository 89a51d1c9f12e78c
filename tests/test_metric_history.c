/* The table model_metrics: what goes in comes out, also with others writing, and what is no database is refused. */
#include "lifecycle/metric_history.h"

#include <math.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/store_fixture.h"

static const char evaluation[] =
    "{\"n\": 4, \"accuracy\": 0.75, \"mcc\": null, \"labels\": [\"a.b\", \"c\"], \"f1\": {\"macro\": 0.5, "
    "\"per_class\": "
    "[0.25, null]}, \"confusion\": [[1, 2], [3, 4]], \"ci95\": {\"accuracy\": [0.5, 0.875], \"resamples\": 9}, "
    "\"reliability\": [1, 2, 3], \"deep\": {\"a\": {\"b\": {\"c\": {\"d\": {\"e\": {\"f\": 1}}}}}}}";

static json_t *parse(as_context *ctx) {
  json_t *root;
  ck_assert_ok(ctx, as_json_parse(ctx, evaluation, strlen(evaluation), "test", AS_E_DATA, &root));
  return root;
}

typedef struct seen {
  char text[4096];
  int rows;
} seen;

static as_status take(void *user, const as_metric_row *row) {
  seen *s = user;
  size_t used = strlen(s->text);
  snprintf(s->text + used, sizeof s->text - used, "%s/%s %s=%g;", row->model, row->version, row->metric, row->value);
  ck_assert_uint_eq(strlen(row->timestamp), 19);
  s->rows++;
  return AS_OK;
}

static as_database *filled(as_context *ctx, const char *folder) {
  as_database *database;
  json_t *root = parse(ctx);
  int64_t added;
  ck_assert_ok(ctx, as_database_open(ctx, as_fixture_path(folder, "below/metrics.db"), true, &database));
  ck_assert_ok(ctx, as_metrics_add(database, "intent", "2", root, &added));
  ck_assert_int_eq(added, 7);
  ck_assert_ok(ctx, as_metrics_add(database, "o'clock", "some/folder", root, &added));
  json_decref(root);
  return database;
}

START_TEST(figures_come_back) {
  as_context *ctx = as_test_context(1);
  as_database *database = filled(ctx, as_test_folder());
  seen s = {{0}, 0};
  ck_assert_ok(ctx, as_metrics_read(database, &(as_metric_query){.model = "intent"}, take, &s));
  ck_assert_str_eq(s.text,
                   "intent/2 accuracy=0.75;intent/2 ci95.accuracy.high=0.875;intent/2 ci95.accuracy.low=0.5;"
                   "intent/2 ci95.resamples=9;intent/2 f1.macro=0.5;intent/2 f1.per_class.a.b=0.25;intent/2 n=4;");
  s = (seen){{0}, 0};
  ck_assert_ok(ctx, as_metrics_read(database, &(as_metric_query){.metric = "f1.%"}, take, &s));
  ck_assert_int_eq(s.rows, 4);
  s = (seen){{0}, 0};
  ck_assert_ok(ctx, as_metrics_read(database, &(as_metric_query){.metric = "accuracy", .model = "o'clock"}, take, &s));
  ck_assert_str_eq(s.text, "o'clock/some/folder accuracy=0.75;");
  s = (seen){{0}, 0};
  ck_assert_ok(ctx, as_metrics_read(database, &(as_metric_query){.since = "2999-01-01 00:00:00"}, take, &s));
  ck_assert_int_eq(s.rows, 0);
  as_database_close(database);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(the_table_is_as_documented) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  as_database_close(filled(ctx, folder));
  sqlite3 *plain;
  ck_assert_int_eq(sqlite3_open(as_fixture_path(folder, "below/metrics.db"), &plain), SQLITE_OK);
  ck_assert_int_eq(sqlite3_exec(plain,
                                "SELECT model_name, model_version, metric_name, metric_value, timestamp "
                                "FROM model_metrics",
                                NULL, NULL, NULL),
                   SQLITE_OK);
  sqlite3_close(plain);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(several_processes_write) {
  enum { PROCESSES = 4, TIMES = 5 };
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "metrics.db");
  pid_t children[PROCESSES];
  for (int i = 0; i < PROCESSES; i++) {
    children[i] = fork();
    ck_assert_int_ge(children[i], 0);
    if (children[i]) continue;
    json_t *root = parse(ctx);
    int64_t added;
    for (int t = 0; t < TIMES; t++) {
      as_database *database;
      if (as_database_open(ctx, path, true, &database) != AS_OK ||
          as_metrics_add(database, "intent", "1", root, &added) != AS_OK)
        _exit(1);
      as_database_close(database);
    }
    _exit(0);
  }
  for (int i = 0; i < PROCESSES; i++) {
    int end;
    ck_assert_int_eq(waitpid(children[i], &end, 0), children[i]);
    ck_assert(WIFEXITED(end) && WEXITSTATUS(end) == 0);
  }
  as_database *database;
  seen s = {{0}, 0};
  ck_assert_ok(ctx, as_database_open(ctx, path, false, &database));
  ck_assert_ok(ctx, as_metrics_read(database, &(as_metric_query){.metric = "accuracy"}, take, &s));
  ck_assert_int_eq(s.rows, PROCESSES * TIMES);
  as_database_close(database);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(what_is_no_database_is_refused) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder(), *path = as_fixture_path(folder, "text.db");
  as_database *database;
  ck_assert_refused(ctx, as_database_open(ctx, path, false, &database), AS_E_IO, "text.db: is not there");
  ck_assert_ptr_null(database);
  char text[600];
  memset(text, 'x', sizeof text);
  ck_assert_ok(ctx, as_file_write(ctx, path, text, sizeof text));
  ck_assert_refused(ctx, as_database_open(ctx, path, true, &database), AS_E_IO, "text.db: ");
  ck_assert_refused(ctx, as_database_open(ctx, folder, true, &database), AS_E_IO, "cannot be opened");
  as_test_context_free(ctx);
}
END_TEST

START_TEST(failing_allocations) {
  for (uint64_t at = 1;; at++) {
    as_context *ctx = as_test_context(1);
    const char *folder = as_test_folder(), *path = as_fixture_path(folder, "metrics.db");
    json_t *root = parse(ctx);
    as_database *database = NULL;
    int64_t added;
    as_test_fail_at(ctx, at);
    as_status status = as_database_open(ctx, path, true, &database);
    if (status == AS_OK) status = as_metrics_add(database, "intent", "1", root, &added);
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_msg(!failed || status == AS_E_NOMEM, "allocation %d: %s", (int)at, as_error_text(ctx));
    seen s = {{0}, 0};
    if (database) ck_assert_ok(ctx, as_metrics_read(database, &(as_metric_query){.model = NULL}, take, &s));
    ck_assert_int_eq(s.rows, failed ? 0 : 7); /* all or nothing */
    as_database_close(database);
    json_decref(root);
    as_test_context_free(ctx);
    as_test_folder_remove(folder);
    if (!failed) break;
  }
}
END_TEST

Suite *as_suite(void) {
  as_fixture_folders_in_memory();
  Suite *suite = suite_create("metric history");
  TCase *tests = tcase_create("metric history");
  tcase_add_test(tests, figures_come_back);
  tcase_add_test(tests, the_table_is_as_documented);
  tcase_add_test(tests, several_processes_write);
  tcase_add_test(tests, what_is_no_database_is_refused);
  tcase_add_test(tests, failing_allocations);
  suite_add_tcase(suite, tests);
  return suite;
}
