/* monitor metrics: the table and its sparklines, what it leaves out, names that come from elsewhere, and the picture.
 */
#include <sqlite3.h>
#include <string.h>

#include "lifecycle/metric_history.h"
#include "tests/folder_fixture.h"
#include "tests/program.h"
#include "tests/small_xml.h"

typedef struct row {
  const char *model, *version, *metric, *timestamp;
  double value;
} row;

static const char *database_of(const row *rows, size_t count) {
  const char *path = below("m.db");
  as_database *made;
  sqlite3 *connection;
  sqlite3_stmt *insert;
  ck_assert_ok(ctx, as_database_open(ctx, path, true, &made));
  as_database_close(made);
  ck_assert_int_eq(sqlite3_open(path, &connection), SQLITE_OK);
  ck_assert_int_eq(
      sqlite3_prepare_v2(connection, "INSERT INTO model_metrics VALUES (?1, ?2, ?3, ?4, ?5)", -1, &insert, NULL),
      SQLITE_OK);
  for (size_t i = 0; i < count; i++) {
    sqlite3_bind_text(insert, 1, rows[i].model, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 2, rows[i].version, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 3, rows[i].metric, -1, SQLITE_STATIC);
    sqlite3_bind_double(insert, 4, rows[i].value);
    sqlite3_bind_text(insert, 5, rows[i].timestamp, -1, SQLITE_STATIC);
    ck_assert_int_eq(sqlite3_step(insert), SQLITE_DONE);
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  sqlite3_close(connection);
  return path;
}

static void expect(const char *text, const char *part) {
  ck_assert_msg(strstr(text, part), "\"%s\" is not in:\n%.2000s", part, text);
}

static const row weeks[] = {{"intent", "1", "accuracy", "2026-01-05 03:00:00", 0.5},
                            {"intent", "1", "accuracy", "2026-01-12 03:00:00", 0.25},
                            {"intent", "2", "accuracy", "2026-01-12 03:00:00", 0.75},
                            {"intent", "2", "accuracy", "2026-01-19 03:00:00", 0.5},
                            {"intent", "3", "accuracy", "2026-01-19 03:00:00", 1},
                            {"intent", "3", "accuracy", "2026-01-19 03:00:00", 0.75},
                            {"intent", "3", "compare.accuracy.p", "2026-01-19 03:00:00", 0.01},
                            {"intent", "3", "calibration.temperature", "2026-01-19 03:00:00", 2}};
enum { WEEKS = sizeof weeks / sizeof weeks[0] };

/* Of versions measured together the newer one is in the sparkline; one that is measured twice is there twice. */
START_TEST(the_table_tells_versions_apart) {
  as_program p =
      as_run_program(ctx, (const char *const[]){"monitor", "metrics", "--db", database_of(weeks, WEEKS), NULL});
  ck_assert_int_eq(p.code, 0);
  expect(p.out, "\nintent accuracy                       3       0.75       0.25          1     6  ▁▅█▅\n");
  ck_assert_ptr_null(strstr(p.out, "compare"));
  ck_assert_ptr_null(strstr(p.out, "temperature"));
  as_program_free(&p);
  p = as_run_program(ctx,
                     (const char *const[]){"monitor", "metrics", "--db", below("m.db"), "--metric", "compare.%", NULL});
  expect(p.out, "\nintent compare.accuracy.p             3       0.01       0.01       0.01     1  ▅\n");
  as_program_free(&p);
}
END_TEST

START_TEST(the_picture_is_written_beside_the_table) {
  char *svg;
  size_t length;
  as_program p = as_run_program(ctx, (const char *const[]){"monitor", "metrics", "--db", database_of(weeks, WEEKS),
                                                           "--svg", below("m.svg"), NULL});
  ck_assert_int_eq(p.code, 0);
  expect(p.out, "intent accuracy");
  as_program_free(&p);
  ck_assert_ok(ctx, as_file_read(ctx, below("m.svg"), 0, AS_E_DATA, &svg, &length));
  as_assert_xml(svg);
  expect(svg, "with 6 measurements in all");
  as_free(ctx, svg);
  p = as_run_program(
      ctx, (const char *const[]){"monitor", "metrics", "--db", below("m.db"), "--svg", below("no/m.svg"), NULL});
  ck_assert_int_eq(p.code, 1);
  expect(p.err, "no/m.svg");
  as_program_free(&p);
}
END_TEST

START_TEST(names_do_not_steer_the_terminal) {
  static const row rows[] = {
      {"in\x1b[31mtent", "/a/\x1b]0;x\x07/folder", "acc\nuracy", "2026-01-05 03:00:00", 0.5},
      {"a_model_with_a_name_that_is_long", "1", "metric.with.a.name.that.is.long.too", "2026-01-05 03:00:00", 0.5}};
  as_program p = as_run_program(ctx, (const char *const[]){"monitor", "metrics", "--db", database_of(rows, 2), NULL});
  ck_assert_int_eq(p.code, 0);
  ck_assert_ptr_null(strchr(p.out, '\x1b'));
  ck_assert_ptr_null(strchr(p.out, '\x07'));
  expect(p.out, "in?[31mtent acc?uracy");
  expect(p.out, "a_model_with_a_name_that_is_long metric.with.a.name.that.i..");
  as_program_free(&p);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("monitor metrics");
  TCase *tests = tcase_create("monitor metrics");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, the_table_tells_versions_apart);
  tcase_add_test(tests, the_picture_is_written_beside_the_table);
  tcase_add_test(tests, names_do_not_steer_the_terminal);
  suite_add_tcase(suite, tests);
  return suite;
}
