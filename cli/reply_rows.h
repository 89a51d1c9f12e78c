/* Messages whose reply is known: what evaluate response and compare response measure on. */
#ifndef AS_CLI_REPLY_ROWS_H
#define AS_CLI_REPLY_ROWS_H

#include "base/text_unicode.h"
#include "cli/command.h"
#include "data/messages.h"

typedef struct as_reply_rows {
  as_context *ctx;
  as_messages *messages; /* with as_pair_columns; NULL: no rows */
  int64_t count;
  int64_t *rows;            /* [count] of the table, evenly spread */
  as_string_view *expected; /* [count] into it */
} as_reply_rows;

/* Reads --data with the options for CSV, bad rows and --held-out, of it as many rows as --rows says. With
 * `none_is_fine` no row is an answer when none is held out, else it is AS_E_DATA. Caller frees, after a failure too. */
AS_MUST_CHECK as_status as_cli_reply_rows_read(as_cli *cli, bool none_is_fine, as_reply_rows *out);
void as_cli_reply_rows_free(as_reply_rows *rows);

#endif
