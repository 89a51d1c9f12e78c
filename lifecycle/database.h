/* The database of a model store: SQLite, one file, several processes at once.
 *
 * Invariant: whoever opens it finds the tables; a process that is killed while writing leaves what was there before
 * (write- ahead log). A database that another process is writing is waited for. */
#ifndef AS_LIFECYCLE_DATABASE_H
#define AS_LIFECYCLE_DATABASE_H

#include "base/context.h"

#define AS_DATABASE_NAME "assistify.db" /* in the store's folder */
#define AS_DATABASE_WAIT 10             /* seconds for a database that is being written */

typedef struct as_database as_database;

/* Opens `path`; with `make` a file that is not there is made, with its folder, and tables that are not there are too;
 * without, it is opened for reading. AS_E_IO names the file, also when it is no database. Caller closes. */
AS_MUST_CHECK as_status as_database_open(as_context *ctx, const char *path, bool make, as_database **out);
void as_database_close(as_database *database); /* NULL is allowed */

#endif
