/* Reading the table predictions: what is chosen, summed up, exported, corrected by feedback, and forgotten. */
#include "lifecycle/drift.h"
#include "lifecycle/predictions.h"

#include <string.h>
#include <time.h>

#include "base/json.h"
#include "data/timestamp.h"
#include "tests/prediction_log_fixture.h"

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Rows as JSON lines, or as CSV with its header. */
typedef struct gathered {
  as_context *ctx;
  as_buffer out;
  bool csv;
  int rows;
} gathered;

static as_status gather(void *user, const as_prediction_row *row) {
  gathered *g = user;
  g->rows++;
  if (g->csv) as_prediction_append_csv(&g->out, row);
  return g->csv ? as_buffer_status(&g->out) : as_prediction_append_json(g->ctx, &g->out, row);
}

static gathered read_rows(as_context *ctx, const char *path, const as_prediction_query *query, bool csv) {
  gathered g = {.ctx = ctx, .csv = csv};
  as_database *database;
  as_buffer_init(&g.out, ctx);
  ck_assert_ok(ctx, as_database_open(ctx, path, false, &database));
  ck_assert_ok(ctx, as_predictions_read(database, query, gather, &g));
  as_database_close(database);
  return g;
}

static int count_rows(as_context *ctx, const char *path, as_prediction_query query) {
  gathered g = read_rows(ctx, path, &query, false);
  as_buffer_free(&g.out);
  return g.rows;
}

START_TEST(texts_are_exported) {
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "log.db");
  as_prediction_log *log =
      as_log_open(ctx, path, &(as_prediction_log_options){.text = AS_LOG_TEXT_FULL, .close_wait = 2000});
  for (int i = 0; i < AS_LOG_HOSTILE; i++) {
    const as_logged_prediction p =
        as_log_answer("0123456789abcdef0123456789abcdef", as_log_hostile[i].text, as_log_hostile[i].length);
    as_prediction_log_add(log, &p);
  }
  as_prediction_log_close(log);
  gathered csv = read_rows(ctx, path, &(as_prediction_query){.newest = 0}, true);
  gathered json = read_rows(ctx, path, &(as_prediction_query){.newest = 0}, false);
  ck_assert_int_eq(csv.rows, AS_LOG_HOSTILE);
  ck_assert_int_eq(as_log_lines(json.out.data), AS_LOG_HOSTILE);
  for (int i = 0; i < AS_LOG_HOSTILE; i++) {
    char wanted[200];
    snprintf(wanted, sizeof wanted, "\"input\":%s,", as_log_hostile[i].json);
    ck_assert_msg(strstr(json.out.data, wanted) != NULL, "%s is not in %s", wanted, json.out.data);
    ck_assert_msg(strstr(csv.out.data, as_log_hostile[i].csv) != NULL, "%s is not in %s", as_log_hostile[i].csv,
                  csv.out.data);
  }
  ck_assert_ptr_nonnull(strstr(csv.out.data, ",buy,0.75,\"{\"\"buy\"\":0.75,\"\"return\"\":0.25}\",7,1,1234,false,\n"));
  const char *line = json.out.data;
  for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
    json_t *root;
    ck_assert_ok(ctx, as_json_parse(ctx, line, (size_t)(end - line), "a row", AS_E_DATA, &root));
    ck_assert_uint_eq(json_object_size(root), 13);
    ck_assert_double_eq(json_real_value(json_object_get(json_object_get(root, "probabilities"), "return")), 0.25);
    json_decref(root);
  }
  as_buffer_free(&csv.out);
  as_buffer_free(&json.out);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(rows_are_chosen) {
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "log.db");
  as_log_fill(ctx, path);
  ck_assert_int_eq(count_rows(ctx, path, (as_prediction_query){.model = "intent"}), 3);
  ck_assert_int_eq(count_rows(ctx, path, (as_prediction_query){.model = "intent", .version = "4"}), 2);
  ck_assert_int_eq(count_rows(ctx, path, (as_prediction_query){.label = "buy"}), 1);
  ck_assert_int_eq(count_rows(ctx, path, (as_prediction_query){.below = 0.75}), 2);
  ck_assert_int_eq(count_rows(ctx, path, (as_prediction_query){.since = "2999-01-01 00:00:00"}), 0);
  ck_assert_int_eq(count_rows(ctx, path, (as_prediction_query){.before = "2999-01-01 00:00:00"}), 4);
  ck_assert_int_eq(count_rows(ctx, path, (as_prediction_query){.before = "2001-01-01 00:00:00"}), 0);
  gathered g = read_rows(ctx, path, &(as_prediction_query){.newest = 2}, false);
  const char *second = strchr(g.out.data, '\n');
  ck_assert_int_eq(g.rows, 2);
  ck_assert(strstr(g.out.data, "\"model\":\"intent\"") < second); /* the newest, the older one first */
  ck_assert_ptr_nonnull(strstr(second, "\"model\":\"response\""));
  as_buffer_free(&g.out);
  as_test_context_free(ctx);
}
END_TEST

static as_status take_summary(void *user, const as_prediction_summary *s) {
  as_buffer_printf(user, "%s/%s %d %d %d %.3f;", s->model, s->version, (int)s->rows, (int)s->feedback, (int)s->right,
                   s->confidence);
  return AS_OK;
}

START_TEST(feedback_is_recorded) {
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "log.db"), *one = "aaaaaa00000000000000000000000000";
  as_log_fill(ctx, path);
  as_database *d;
  ck_assert_ok(ctx, as_database_open(ctx, path, false, &d));
  ck_assert_ok(ctx, as_prediction_feedback(d, one, NULL, "return", false));
  ck_assert_ok(ctx, as_prediction_feedback(d, one, NULL, "buy", false)); /* later one wins */
  ck_assert_ok(ctx, as_prediction_feedback(d, "aaaaaa1", "intent", "new one", true));
  ck_assert_refused(ctx, as_prediction_feedback(d, "aaaaaa1", NULL, "new one", false), AS_E_INVALID,
                    "it knows buy, return");
  ck_assert_refused(ctx, as_prediction_feedback(d, "aaaaaa", NULL, "buy", false), AS_E_INVALID, "several requests");
  ck_assert_refused(ctx, as_prediction_feedback(d, "bbbbbb", NULL, "buy", false), AS_E_INVALID, "--model intent");
  ck_assert_ok(ctx, as_prediction_feedback(d, "bbbbbb", "response", "any words", false)); /* replies have no labels */
  ck_assert_refused(ctx, as_prediction_feedback(d, "bbbbbb", "sentiment", "x", false), AS_E_DATA, "of the model");
  ck_assert_refused(ctx, as_prediction_feedback(d, "cccccc", NULL, "buy", false), AS_E_DATA, "no prediction with");
  ck_assert_refused(ctx, as_prediction_feedback(d, "aaaaa", NULL, "buy", false), AS_E_INVALID, "no request id");
  ck_assert_refused(ctx, as_prediction_feedback(d, "AAAAAAAA", NULL, "buy", false), AS_E_INVALID, "no request id");
  ck_assert_refused(ctx, as_prediction_feedback(d, "' OR 1 --", NULL, "buy", false), AS_E_INVALID, "no request id");
  as_buffer text;
  as_buffer_init(&text, ctx);
  ck_assert_ok(ctx, as_predictions_summarize(d, &(as_prediction_query){.newest = 0}, take_summary, &text));
  ck_assert_str_eq(text.data, "intent/3 1 1 1 0.750;intent/4 2 1 0 0.500;response/4 1 0 0 nan;");
  as_buffer_free(&text);
  as_database_close(d);
  as_test_context_free(ctx);
}
END_TEST

/* Makes the first `count` rows `days` old. */
static void age(const char *path, int count, int days) {
  char sql[160], then[AS_TIMESTAMP_TEXT];
  as_timestamp_write((uint32_t)(time(NULL) - (time_t)days * AS_DAY_SECONDS), then);
  snprintf(sql, sizeof sql, "UPDATE predictions SET timestamp = '%s' WHERE rowid <= %d", then, count);
  as_log_ask(path, sql);
}

START_TEST(old_rows_are_deleted) {
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "log.db");
  as_prediction_log *log = as_log_open(ctx, path, &as_log_hashed);
  as_log_some(log, 6000);
  as_prediction_log_close(log);
  age(path, 5500, 40);
  log = as_log_open(ctx, path, &(as_prediction_log_options){.days = 41, .close_wait = 2000});
  as_log_some(log, 1);
  as_prediction_log_close(log);
  ck_assert_int_eq(as_log_rows(path), 6001); /* not old enough */
  log = as_log_open(ctx, path, &(as_prediction_log_options){.days = 39, .close_wait = 2000});
  as_log_some(log, 1);
  as_prediction_log_close(log);
  ck_assert_int_eq(as_log_rows(path), 4002); /* a batch deletes some */
  as_database *d;
  int64_t removed;
  char before[AS_TIMESTAMP_TEXT];
  as_timestamp_write((uint32_t)(time(NULL) - 39 * AS_DAY_SECONDS), before);
  ck_assert_ok(ctx, as_database_open(ctx, path, false, &d));
  ck_assert_ok(ctx, as_predictions_prune(d, before, &removed));
  ck_assert_int_eq(removed, 3500);
  ck_assert_ok(ctx, as_predictions_prune(d, before, &removed));
  ck_assert_int_eq(removed, 0);
  ck_assert_ok(ctx, as_predictions_prune(d, "2999-01-01 00:00:00", &removed));
  ck_assert_int_eq(removed, 502);
  as_database_close(d);
  ck_assert_int_eq(as_log_rows(path), 0);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(reading_survives_failing_allocations) {
  for (uint64_t at = 1;; at++) {
    as_context *ctx = as_test_context(1);
    const char *folder = as_test_folder(), *path = as_fixture_path(folder, "log.db");
    as_log_fill(ctx, path);
    const size_t used = as_memory_used(ctx);
    gathered g = {.ctx = ctx, .csv = at % 2 != 0};
    as_database *d = NULL;
    as_buffer_init(&g.out, ctx);
    as_test_fail_at(ctx, at);
    as_status status = as_database_open(ctx, path, false, &d);
    if (status == AS_OK) status = as_predictions_read(d, &(as_prediction_query){.newest = 0}, gather, &g);
    if (status == AS_OK) status = as_prediction_feedback(d, "aaaaaa0", NULL, "return", false);
    as_database_close(d);
    as_buffer_free(&g.out);
    const bool failed = as_test_failed_cleanly(ctx, status, used);
    as_test_context_free(ctx);
    as_test_folder_remove(folder);
    if (!failed) break;
  }
}
END_TEST

/* What a table that somebody else wrote may say of tokens. */
START_TEST(counts_that_no_text_has_are_left_out_of_drift) {
  as_context *ctx = as_test_context(1);
  const char *path = as_fixture_path(as_test_folder(), "log.db");
  as_database *database;
  as_reference reference;
  as_log_fill(ctx, path);
  ck_assert_ok(ctx, as_database_open(ctx, path, false, &database));
  ck_assert_ok(ctx, as_drift_reference_of_log(database, &(as_prediction_query){.model = NULL}, &reference));
  const int64_t tokens = reference.tokens, unknown = reference.unknown_tokens;
  as_reference_free(&reference);
  for (int i = 0; i < 2; i++)
    as_log_ask(path, "INSERT INTO predictions (timestamp, request_id, model, version, label, confidence, tokens, unknown,"
                     " truncated) VALUES ('2026-01-01 00:00:00', 'e', 'intent', '3', x'00', 9e999, 9223372036854775807,"
                     " 9223372036854775807, 0)");
  as_log_ask(path, "INSERT INTO predictions (timestamp, request_id, model, version, tokens, unknown, truncated)"
                   " VALUES ('2026-01-01 00:00:00', 'e', 'intent', '3', 1, 9223372036854775807, 0)");
  ck_assert_ok(ctx, as_drift_reference_of_log(database, &(as_prediction_query){.model = NULL}, &reference));
  ck_assert_int_eq(reference.tokens, tokens);
  ck_assert_int_eq(reference.unknown_tokens, unknown);
  as_reference_free(&reference);
  as_database_close(database);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  as_fixture_folders_in_memory();
  Suite *suite = suite_create("predictions");
  TCase *tests = tcase_create("predictions");
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, texts_are_exported);
  tcase_add_test(tests, rows_are_chosen);
  tcase_add_test(tests, feedback_is_recorded);
  tcase_add_test(tests, old_rows_are_deleted);
  tcase_add_test(tests, reading_survives_failing_allocations);
  tcase_add_test(tests, counts_that_no_text_has_are_left_out_of_drift);
  suite_add_tcase(suite, tests);
  return suite;
}
