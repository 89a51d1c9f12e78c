/* See metric_history.h. */
#include "lifecycle/metric_history.h"

#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "data/timestamp.h"
#include "lifecycle/database_internal.h"

/* ---- adding ----------------------------------------------------------------------------------------------------- */

typedef struct adding {
  as_database *d;
  sqlite3_stmt *insert;
  const json_t *labels;
  int64_t added;
} adding;

static as_status add_number(adding *a, const char *name, double value) {
  sqlite3_bind_text(a->insert, 3, name, -1, SQLITE_TRANSIENT);
  sqlite3_bind_double(a->insert, 4, value);
  const bool done = sqlite3_step(a->insert) == SQLITE_DONE;
  sqlite3_reset(a->insert);
  a->added += done;
  return done ? AS_OK : as_database_fail(a->d, "a metric cannot be written");
}

static as_status add_value(adding *a, const char *name, const json_t *value, int depth);

static as_status add_named(adding *a, const char *parent, const char *key, const json_t *value, int depth) {
  as_buffer name;
  as_buffer_init(&name, a->d->ctx);
  as_buffer_printf(&name, "%s%s%s", parent, *parent ? "." : "", key);
  as_status status = as_buffer_status(&name);
  if (status == AS_OK) status = add_value(a, as_buffer_string(&name), value, depth + 1);
  as_buffer_free(&name);
  return status;
}

static as_status add_list(adding *a, const char *name, const json_t *list, int depth) {
  static const char *const ends[] = {"low", "high"};
  const size_t count = json_array_size(list);
  const bool interval = strncmp(name, "ci95.", 5) == 0 && count == 2;
  if (!interval && (count == 0 || count != json_array_size(a->labels))) return AS_OK;
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < count; i++) {
    const json_t *value = json_array_get(list, i);
    const char *label = interval ? ends[i] : json_string_value(json_array_get(a->labels, i));
    if (json_is_number(value) && label) status = add_named(a, name, label, value, depth);
  }
  return status;
}

static as_status add_value(adding *a, const char *name, const json_t *value, int depth) {
  enum { DEEPEST = 6 };
  const char *key;
  const json_t *inner;
  as_status status = AS_OK;
  if (json_is_number(value)) return add_number(a, name, json_number_value(value));
  if (depth >= DEEPEST) return AS_OK;
  if (json_is_array(value)) return add_list(a, name, value, depth);
  json_object_foreach((json_t *)value, key, inner) {
    if (status == AS_OK) status = add_named(a, name, key, inner, depth);
  }
  return status;
}

as_status as_metrics_add(as_database *d, const char *model, const char *version, const json_t *evaluation,
                         int64_t *added) {
  adding a = {.d = d, .labels = json_object_get(evaluation, "labels")};
  char now[AS_TIMESTAMP_TEXT];
  *added = 0;
  as_timestamp_write((uint32_t)time(NULL), now);
  as_status status = as_database_run(d, "BEGIN IMMEDIATE", "cannot be written");
  if (status != AS_OK) return status;
  if (sqlite3_prepare_v2(d->connection, "INSERT INTO model_metrics VALUES (?1, ?2, ?3, ?4, ?5)", -1, &a.insert, NULL) !=
      SQLITE_OK)
    status = as_database_fail(d, "cannot be written");
  if (status == AS_OK) {
    sqlite3_bind_text(a.insert, 1, model, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(a.insert, 2, version, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(a.insert, 5, now, -1, SQLITE_TRANSIENT);
    status = add_value(&a, "", evaluation, 0);
  }
  sqlite3_finalize(a.insert);
  if (status == AS_OK) status = as_database_run(d, "COMMIT", "cannot be written");
  if (status == AS_OK)
    *added = a.added;
  else
    sqlite3_exec(d->connection, "ROLLBACK", NULL, NULL, NULL); /* the first error is the one to tell */
  return status;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static const char *column(sqlite3_stmt *statement, int i) {
  const unsigned char *text = sqlite3_column_text(statement, i);
  return text ? (const char *)text : "";
}

as_status as_metrics_read(as_database *d, const as_metric_query *query,
                          as_status (*take)(void *user, const as_metric_row *row), void *user) {
  static const char sql[] =
      "SELECT model_name, model_version, metric_name, metric_value, timestamp FROM model_metrics"
      " WHERE (?1 IS NULL OR model_name = ?1) AND (?2 IS NULL OR metric_name = ?2 OR (substr(?2, -1) = '%' AND"
      " substr(metric_name, 1, length(?2) - 1) = substr(?2, 1, length(?2) - 1)))"
      " AND (?3 IS NULL OR timestamp >= ?3) ORDER BY model_name, metric_name, timestamp, rowid";
  sqlite3_stmt *select = NULL;
  as_status status = AS_OK;
  if (sqlite3_prepare_v2(d->connection, sql, -1, &select, NULL) != SQLITE_OK)
    return as_database_fail(d, "cannot be read");
  if (query->model) sqlite3_bind_text(select, 1, query->model, -1, SQLITE_TRANSIENT);
  if (query->metric) sqlite3_bind_text(select, 2, query->metric, -1, SQLITE_TRANSIENT);
  if (query->since) sqlite3_bind_text(select, 3, query->since, -1, SQLITE_TRANSIENT);
  int step = SQLITE_DONE;
  while (status == AS_OK && (step = sqlite3_step(select)) == SQLITE_ROW) {
    const as_metric_row row = {.model = column(select, 0),
                               .version = column(select, 1),
                               .metric = column(select, 2),
                               .timestamp = column(select, 4),
                               .value = sqlite3_column_double(select, 3)};
    status = take(user, &row);
  }
  if (status == AS_OK && step != SQLITE_DONE) status = as_database_fail(d, "cannot be read");
  sqlite3_finalize(select);
  return status;
}
