/* See predictions.h. */
#include "lifecycle/predictions.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "lifecycle/database_internal.h"

enum { PRUNED_ROWS = 5000 }; /* in one transaction */

/* Times are compared as they stand, without "or there is none", so that the index finds them. */
#define MATCHING                                                                                                       \
  " FROM predictions WHERE timestamp >= coalesce(?4, '') AND timestamp < coalesce(?5, '~')"                            \
  " AND (?1 IS NULL OR model = ?1) AND (?2 IS NULL OR version = ?2) AND (?3 IS NULL OR label = ?3)"                    \
  " AND (?6 = 0 OR confidence < ?6)"
#define COLUMNS                                                                                                        \
  "SELECT timestamp, request_id, model, version, input, label, confidence, probabilities, tokens, unknown,"            \
  " latency_us, truncated, feedback"

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static as_status prepare(const as_database *d, const char *sql, sqlite3_stmt **out) {
  if (sqlite3_prepare_v2(d->connection, sql, -1, out, NULL) == SQLITE_OK) return AS_OK;
  return as_database_fail(d, "cannot be read");
}

static void bind(sqlite3_stmt *s, int at, const char *text) {
  if (text) sqlite3_bind_text(s, at, text, -1, SQLITE_TRANSIENT);
}

static void bind_query(sqlite3_stmt *s, const as_prediction_query *q) {
  bind(s, 1, q->model);
  bind(s, 2, q->version);
  bind(s, 3, q->label);
  bind(s, 4, q->since);
  bind(s, 5, q->before);
  sqlite3_bind_double(s, 6, q->below);
}

static const char *text_at(sqlite3_stmt *s, int i) {
  const unsigned char *text = sqlite3_column_text(s, i);
  return text ? (const char *)text : "";
}

/* Also of a BLOB: SQLite puts a NUL behind the bytes when it is asked for the text. */
static as_prediction_text bytes_at(sqlite3_stmt *s, int i) {
  if (sqlite3_column_type(s, i) == SQLITE_NULL) return (as_prediction_text){NULL, 0};
  const char *text = text_at(s, i);
  return (as_prediction_text){text, (size_t)sqlite3_column_bytes(s, i)};
}

static double number_at(sqlite3_stmt *s, int i) {
  return sqlite3_column_type(s, i) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(s, i);
}

static int64_t count_at(sqlite3_stmt *s, int i) {
  return sqlite3_column_type(s, i) == SQLITE_NULL ? -1 : sqlite3_column_int64(s, i);
}

as_status as_predictions_read(as_database *d, const as_prediction_query *query,
                              as_status (*take)(void *user, const as_prediction_row *row), void *user) {
  static const char all[] = COLUMNS MATCHING " ORDER BY timestamp, rowid"; /* in the order of the index: not sorted */
  static const char newest[] = COLUMNS " FROM (SELECT *, rowid AS number" MATCHING
                                       " ORDER BY timestamp DESC, rowid DESC LIMIT ?7) ORDER BY timestamp, number";
  sqlite3_stmt *s = NULL;
  as_status status = prepare(d, query->newest ? newest : all, &s);
  if (status != AS_OK) return status;
  bind_query(s, query);
  if (query->newest) sqlite3_bind_int64(s, 7, query->newest);
  int step = SQLITE_DONE;
  while (status == AS_OK && (step = sqlite3_step(s)) == SQLITE_ROW) {
    const as_prediction_row row = {.timestamp = text_at(s, 0),
                                   .request_id = text_at(s, 1),
                                   .model = text_at(s, 2),
                                   .version = text_at(s, 3),
                                   .input = bytes_at(s, 4),
                                   .label = bytes_at(s, 5),
                                   .confidence = number_at(s, 6),
                                   .probabilities = bytes_at(s, 7),
                                   .tokens = count_at(s, 8),
                                   .unknown = count_at(s, 9),
                                   .latency_us = count_at(s, 10),
                                   .truncated = sqlite3_column_int(s, 11) != 0,
                                   .feedback = bytes_at(s, 12)};
    status = take(user, &row);
  }
  if (status == AS_OK && step != SQLITE_DONE) status = as_database_fail(d, "cannot be read");
  sqlite3_finalize(s);
  return status;
}

as_status as_predictions_summarize(as_database *d, const as_prediction_query *query,
                                   as_status (*take)(void *user, const as_prediction_summary *summary), void *user) {
  static const char sql[] =
      "SELECT model, version, count(*), sum(feedback IS NOT NULL AND probabilities IS NOT NULL),"
      " coalesce(sum(feedback = label AND probabilities IS NOT NULL), 0), avg(confidence), avg(latency_us),"
      " max(timestamp)" MATCHING " GROUP BY model, version ORDER BY model, CAST(version AS INTEGER), version";
  sqlite3_stmt *s = NULL;
  as_status status = prepare(d, sql, &s);
  if (status != AS_OK) return status;
  bind_query(s, query);
  int step = SQLITE_DONE;
  while (status == AS_OK && (step = sqlite3_step(s)) == SQLITE_ROW) {
    const as_prediction_summary summary = {.model = text_at(s, 0),
                                           .version = text_at(s, 1),
                                           .rows = sqlite3_column_int64(s, 2),
                                           .feedback = sqlite3_column_int64(s, 3),
                                           .right = sqlite3_column_int64(s, 4),
                                           .confidence = number_at(s, 5),
                                           .latency_us = number_at(s, 6),
                                           .last = text_at(s, 7)};
    status = take(user, &summary);
  }
  if (status == AS_OK && step != SQLITE_DONE) status = as_database_fail(d, "cannot be read");
  sqlite3_finalize(s);
  return status;
}

/* ---- feedback --------------------------------------------------------------------------------------------------- */

/* AS_E_INVALID when `label` is none of the keys; a row without labels (a reply, recommendations) takes any. */
static as_status check_label(const as_database *d, const char *request_id, const as_prediction_text *probabilities,
                             const char *label) {
  json_t *root = NULL, *value;
  const char *key;
  as_buffer known;
  if (!probabilities->text) return AS_OK;
  as_status status =
      as_json_parse(d->ctx, probabilities->text, probabilities->length, "the probabilities", AS_E_DATA, &root);
  if (status != AS_OK) return as_fail_prefix(d->ctx, status, "%s: request %s", d->path, request_id);
  if (json_is_object(root) && !json_object_get(root, label)) {
    as_buffer_init(&known, d->ctx);
    json_object_foreach(root, key, value) as_buffer_printf(&known, "%s%s", known.length ? ", " : "", key);
    status = as_fail(d->ctx, AS_E_INVALID,
                     "the version that answered knows no label \"%s\"; it knows %s; --any-label records another",
                     label, as_buffer_string(&known));
    as_buffer_free(&known);
  }
  json_decref(root);
  return status;
}

/* Looks at the first row, and at whether there is a second one. */
static as_status expect_one(const as_database *d, sqlite3_stmt *s, const char *request, const char *label,
                            int64_t *rowid) {
  char first_model[64] = "", first_id[64] = "";
  const as_prediction_text probabilities = bytes_at(s, 1);
  *rowid = sqlite3_column_int64(s, 0);
  strncat(first_model, text_at(s, 2), sizeof first_model - 1);
  strncat(first_id, text_at(s, 3), sizeof first_id - 1);
  as_status status = label ? check_label(d, first_id, &probabilities, label) : AS_OK;
  const int step = sqlite3_step(s);
  if (step == SQLITE_DONE) return status;
  if (step != SQLITE_ROW) return as_database_fail(d, "cannot be read");
  if (strncmp(text_at(s, 3), first_id, sizeof first_id - 1) != 0)
    return as_fail(d->ctx, AS_E_INVALID, "the ids of several requests begin with %s", request);
  return as_fail(d->ctx, AS_E_INVALID, "several models were asked for request %s; --model %s, for one, says which",
                 request, first_model);
}

/* The row of the request: exactly one. `label` NULL: any will do. */
static as_status find_request(const as_database *d, const char *request, const char *model, const char *label,
                              int64_t *rowid) {
  static const char sql[] = "SELECT rowid, probabilities, model, request_id FROM predictions"
                            " WHERE request_id >= ?1 AND request_id < ?1 || 'g' AND (?2 IS NULL OR model = ?2)"
                            " ORDER BY rowid";
  enum { SHORTEST = 6 };
  sqlite3_stmt *s = NULL;
  const size_t digits = strspn(request, "0123456789abcdef");
  if (request[digits] || digits < SHORTEST)
    return as_fail(d->ctx, AS_E_INVALID, "\"%s\" is no request id; an answer that is logged has one", request);
  as_status status = prepare(d, sql, &s);
  if (status != AS_OK) return status;
  bind(s, 1, request);
  bind(s, 2, model);
  const int step = sqlite3_step(s);
  if (step == SQLITE_ROW)
    status = expect_one(d, s, request, label, rowid);
  else if (step == SQLITE_DONE)
    status = as_fail(d->ctx, AS_E_DATA, "%s: there is no prediction with the request id %s%s%s", d->path, request,
                     model ? " of the model " : "", model ? model : "");
  else
    status = as_database_fail(d, "cannot be read");
  sqlite3_finalize(s);
  return status;
}

static as_status set_feedback(const as_database *d, int64_t rowid, const char *label) {
  sqlite3_stmt *s = NULL;
  as_status status = prepare(d, "UPDATE predictions SET feedback = ?1 WHERE rowid = ?2", &s);
  if (status != AS_OK) return status;
  bind(s, 1, label);
  sqlite3_bind_int64(s, 2, rowid);
  if (sqlite3_step(s) != SQLITE_DONE) status = as_database_fail(d, "feedback cannot be written");
  sqlite3_finalize(s);
  return status;
}

as_status as_prediction_feedback(as_database *d, const char *request, const char *model, const char *label,
                                 bool any_label) {
  int64_t rowid = 0;
  as_status status = as_database_run(d, "BEGIN IMMEDIATE", "feedback cannot be written");
  if (status != AS_OK) return status;
  status = find_request(d, request, model, any_label ? NULL : label, &rowid);
  if (status == AS_OK) status = set_feedback(d, rowid, label);
  if (status == AS_OK) status = as_database_run(d, "COMMIT", "feedback cannot be written");
  if (status != AS_OK) sqlite3_exec(d->connection, "ROLLBACK", NULL, NULL, NULL); /* the first error is told */
  return status;
}

/* ---- forgetting ------------------------------------------------------------------------------------------------- */

as_status as_predictions_prune(as_database *d, const char *before, int64_t *removed) {
  sqlite3_stmt *s = NULL;
  int64_t some = PRUNED_ROWS;
  *removed = 0;
  as_status status = prepare(d, AS_PREDICTIONS_ERASE, &s);
  if (status != AS_OK) return status;
  bind(s, 1, before);
  sqlite3_bind_int(s, 2, PRUNED_ROWS);
  while (status == AS_OK && some == PRUNED_ROWS) {
    if (sqlite3_step(s) != SQLITE_DONE) status = as_database_fail(d, "old predictions cannot be deleted");
    some = status == AS_OK ? sqlite3_changes(d->connection) : 0;
    *removed += some;
    sqlite3_reset(s);
  }
  sqlite3_finalize(s);
  return status;
}
