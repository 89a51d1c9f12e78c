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

/* AS_E_IO with the file and what SQLite says; AS_E_NOMEM when it had no memory. */
as_status as_database_fail(const as_database *database, const char *doing);
AS_MUST_CHECK as_status as_database_run(const as_database *database, const char *sql, const char *doing);

#endif
