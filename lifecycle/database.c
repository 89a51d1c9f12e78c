/* See database.h. */
#include "lifecycle/database.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "lifecycle/database_internal.h"

static const char schema[] = "CREATE TABLE IF NOT EXISTS model_metrics ("
                             " model_name TEXT NOT NULL, model_version TEXT NOT NULL, metric_name TEXT NOT NULL,"
                             " metric_value REAL NOT NULL, timestamp TEXT NOT NULL);"
                             "CREATE INDEX IF NOT EXISTS model_metrics_by_name"
                             " ON model_metrics (model_name, metric_name, timestamp);"
                             "CREATE TABLE IF NOT EXISTS predictions ("
                             " timestamp TEXT NOT NULL, request_id TEXT NOT NULL, model TEXT NOT NULL,"
                             " version TEXT NOT NULL, input, label, confidence REAL, probabilities TEXT,"
                             " tokens INTEGER, unknown INTEGER, latency_us INTEGER, truncated INTEGER NOT NULL,"
                             " feedback TEXT);"
                             "CREATE INDEX IF NOT EXISTS predictions_by_time ON predictions (timestamp);"
                             "CREATE INDEX IF NOT EXISTS predictions_by_request ON predictions (request_id);";

as_status as_database_fail(const as_database *d, const char *doing) {
  const int code = sqlite3_errcode(d->connection);
  if (code == SQLITE_NOMEM) return as_fail(d->ctx, AS_E_NOMEM, "%s: out of memory", d->path);
  return as_fail(d->ctx, AS_E_IO, "%s: %s: %s", d->path, doing, sqlite3_errmsg(d->connection));
}

bool as_database_is_busy(const as_database *d) {
  const int code = d->connection ? sqlite3_errcode(d->connection) & 0xff : SQLITE_OK;
  return code == SQLITE_BUSY || code == SQLITE_LOCKED;
}

as_status as_database_run(const as_database *d, const char *sql, const char *doing) {
  return sqlite3_exec(d->connection, sql, NULL, NULL, NULL) == SQLITE_OK ? AS_OK : as_database_fail(d, doing);
}

static as_status make_folder_of(as_context *ctx, const char *path) {
  char *folder = as_path_beside(ctx, path, "");
  as_status status = folder ? as_make_folders(ctx, folder) : AS_E_NOMEM;
  as_free(ctx, folder);
  return status;
}

static as_status connect(as_database *d, bool make, int wait) {
  const int flags = make ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE;
  if (!make && !as_path_exists(d->path))
    return as_fail(d->ctx, AS_E_IO, "%s: is not there; `assistify evaluate` and predictions with --log write it",
                   d->path);
  as_status status = make ? make_folder_of(d->ctx, d->path) : AS_OK;
  if (status != AS_OK) return status;
  if (sqlite3_open_v2(d->path, &d->connection, flags | SQLITE_OPEN_FULLMUTEX, NULL) != SQLITE_OK)
    return d->connection ? as_database_fail(d, "cannot be opened") : AS_E_NOMEM;
  sqlite3_busy_timeout(d->connection, wait);
  if (make) status = as_database_run(d, "PRAGMA journal_mode = WAL", "cannot be opened");
  return status == AS_OK && make ? as_database_run(d, schema, "the tables cannot be made") : status;
}

as_status as_database_open(as_context *ctx, const char *path, bool make, as_database **out) {
  bool busy;
  return as_database_open_for(ctx, path, make, AS_DATABASE_WAIT * 1000, &busy, out);
}

as_status as_database_open_for(as_context *ctx, const char *path, bool make, int wait, bool *busy, as_database **out) {
  as_database *d = *out = as_alloc_zero(ctx, 1, sizeof *d);
  *busy = false;
  if (!d) return AS_E_NOMEM;
  d->ctx = ctx;
  d->path = as_strdup(ctx, path);
  as_status status = d->path ? connect(d, make, wait) : AS_E_NOMEM;
  if (status == AS_OK) return AS_OK;
  *busy = as_database_is_busy(d);
  as_database_close(d);
  *out = NULL;
  return status;
}

void as_database_close(as_database *d) {
  if (!d) return;
  as_context *ctx = d->ctx;
  sqlite3_close(d->connection);
  as_free(ctx, d->path);
  as_free(ctx, d);
}
