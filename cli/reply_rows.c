/* See reply_rows.h. */
#include "cli/reply_rows.h"

#include "base/memory.h"
#include "cli/csv_options.h"
#include "train/pair_data.h"

static as_status choose_rows(as_reply_rows *r, int64_t most) {
  const int64_t all = r->messages ? as_messages_count(r->messages) : 0;
  r->count = most < all ? most : all;
  r->rows = as_alloc(r->ctx, (size_t)r->count, sizeof *r->rows);
  r->expected = as_alloc(r->ctx, (size_t)r->count, sizeof *r->expected);
  if (!r->rows || !r->expected) return AS_E_NOMEM;
  for (int64_t i = 0; i < r->count; i++) {
    r->rows[i] = i * all / r->count;
    r->expected[i] = as_string_view_of(as_messages_value(r->messages, AS_PAIR_RESPONSE, r->rows[i]));
  }
  return AS_OK;
}

as_status as_cli_reply_rows_read(as_cli *cli, bool none_is_fine, as_reply_rows *out) {
  const as_arguments *a = cli->arguments;
  as_message_options options = {0};
  *out = (as_reply_rows){.ctx = cli->ctx};
  as_status status = as_cli_message_options(cli, true, &options);
  options.columns = as_pair_columns;
  options.column_count = AS_PAIR_COLUMNS;
  if (status == AS_OK)
    status = as_cli_held_out_messages(cli, as_option_text(a, "data"), &options, none_is_fine, &out->messages);
  return status == AS_OK ? choose_rows(out, as_option_text(a, "rows") ? as_option_int(a, "rows") : INT64_MAX) : status;
}

void as_cli_reply_rows_free(as_reply_rows *rows) {
  if (!rows->ctx) return;
  as_messages_free(rows->messages);
  as_free(rows->ctx, rows->rows);
  as_free(rows->ctx, rows->expected);
  *rows = (as_reply_rows){0};
}
