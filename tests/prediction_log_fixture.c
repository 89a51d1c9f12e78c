/* See prediction_log_fixture.h. */
#include "tests/prediction_log_fixture.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {"buy", "return"};
static const float shares[] = {0.75F, 0.25F};
const as_prediction_log_options as_log_hashed = {.text = AS_LOG_TEXT_HASH, .close_wait = 2000};

const as_log_text_case as_log_hostile[AS_LOG_HOSTILE] = {
    {"plain", 5, "text", "\"plain\"", ",plain,"},
    {"a \"b\",\nc\r\n;", 11, "text", "\"a \\\"b\\\",\\nc\\r\\n;\"", ",\"a \"\"b\"\",\nc\r\n;\","},
    {"x\0y", 3, "blob", "\"x\\u0000y\"", ",x\xEF\xBF\xBDy,"},
    {"\xFF\xFEz\xC3", 4, "blob", "\"\xEF\xBF\xBD\xEF\xBF\xBDz\xEF\xBF\xBD\"",
     ",\xEF\xBF\xBD\xEF\xBF\xBDz\xEF\xBF\xBD,"},
    {"", 0, "text", "\"\"", ",3,,buy,"},
    {"=1+1", 4, "text", "\"=1+1\"", ",'=1+1,"},
    {"@SUM(A1)", 8, "text", "\"@SUM(A1)\"", ",'@SUM(A1),"},
    {"-2 of them", 10, "text", "\"-2 of them\"", ",'-2 of them,"},
    {"'quoted", 7, "text", "\"'quoted\"", ",''quoted,"},
    {"\tx", 2, "text", "\"\\tx\"", ",'\tx,"},
    {"'); DROP TABLE predictions; --", 30, "text", "\"'); DROP TABLE predictions; --\"",
     ",''); DROP TABLE predictions; --,"},
    {"\xE2\x80\xA8 caf\xC3\xA9", 9, "text", "\"\\u2028 caf\xC3\xA9\"", ",\xE2\x80\xA8 caf\xC3\xA9,"},
};

as_logged_prediction as_log_answer(const char *id, const char *input, size_t length) {
  return (as_logged_prediction){.request_id = id,
                                .model = "intent",
                                .version = "3",
                                .input = input,
                                .input_length = length,
                                .label = "buy",
                                .confidence = 0.75,
                                .names = names,
                                .probabilities = shares,
                                .classes = 2,
                                .tokens = 7,
                                .unknown = 1,
                                .latency_us = 1234};
}

void as_log_some(as_prediction_log *log, int count) {
  char id[AS_REQUEST_ID];
  for (int i = 0; i < count; i++) {
    as_request_id(id);
    const as_logged_prediction p = as_log_answer(id, "where is it", 11);
    as_prediction_log_add(log, &p);
  }
}

int64_t as_log_ask(const char *path, const char *sql) {
  sqlite3 *plain;
  sqlite3_stmt *s;
  ck_assert_int_eq(sqlite3_open(path, &plain), SQLITE_OK);
  sqlite3_busy_timeout(plain, 5000);
  ck_assert_msg(sqlite3_prepare_v2(plain, sql, -1, &s, NULL) == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(plain));
  const int step = sqlite3_step(s);
  ck_assert_msg(step == SQLITE_ROW || step == SQLITE_DONE, "%s: %s", sql, sqlite3_errmsg(plain));
  const int64_t value = step == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
  sqlite3_finalize(s);
  sqlite3_close(plain);
  return value;
}

int64_t as_log_rows(const char *path) {
  ck_assert_int_eq(as_log_ask(path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
  return as_log_ask(path, "SELECT count(*) FROM predictions");
}

int as_log_lines(const char *text) {
  int count = 0;
  for (; *text; text++) count += *text == '\n';
  return count;
}

as_prediction_log *as_log_open(as_context *ctx, const char *path, const as_prediction_log_options *options) {
  as_prediction_log *log;
  ck_assert_ok(ctx, as_prediction_log_open(ctx, path, options, &log));
  return log;
}

void as_log_fill(as_context *ctx, const char *path) {
  as_prediction_log *log = as_log_open(ctx, path, &as_log_hashed);
  as_logged_prediction p = as_log_answer("aaaaaa00000000000000000000000000", "hello", 5);
  as_prediction_log_add(log, &p);
  p.request_id = "aaaaaa11111111111111111111111111";
  p.label = "return";
  p.version = "4";
  p.confidence = 0.5;
  as_prediction_log_add(log, &p);
  p.request_id = "bbbbbb00000000000000000000000000";
  as_prediction_log_add(log, &p);
  p.model = "response";
  p.label = "Good day";
  p.label_is_text = true;
  p.confidence = NAN;
  p.probabilities = NULL;
  as_prediction_log_add(log, &p);
  ck_assert_uint_eq(as_prediction_log_close(log).written, 4);
}
