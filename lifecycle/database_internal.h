/* Private to lifecycle/: the connection, for what works on one table. */
#ifndef AS_LIFECYCLE_DATABASE_INTERNAL_H
#define AS_LIFECYCLE_DATABASE_INTERNAL_H

#include <sqlite3.h>

#include "lifecycle/database.h"

struct as_database {
  as_context *ctx;
  char *path;
  sqlite3 *connection;
};

/* as_database_open that waits for a busy database so many milliseconds, then and later; *busy: it failed because that
 * was not long enough. */
AS_MUST_CHECK as_status as_database_open_for(as_context *ctx, const char *path, bool make, int wait, bool *busy,
                                             as_database **out);
/* Whether the last call failed because another process holds the database. */
bool as_database_is_busy(const as_database *database);
/* AS_E_IO with the file and what SQLite says; AS_E_NOMEM when it had no memory. */
as_status as_database_fail(const as_database *database, const char *doing);
AS_MUST_CHECK as_status as_database_run(const as_database *database, const char *sql, const char *doing);

/* Deletes at most ?2 rows of the table predictions that are before the time ?1. */
#define AS_PREDICTIONS_ERASE                                                                                           \
  "DELETE FROM predictions WHERE rowid IN"                                                                             \
  " (SELECT rowid FROM predictions WHERE timestamp < ?1 ORDER BY timestamp LIMIT ?2)"

#endif
