/* The options that every command shares which reads messages from CSV. */
#ifndef AS_CLI_CSV_OPTIONS_H
#define AS_CLI_CSV_OPTIONS_H

#include "cli/command.h"
#include "data/messages.h"

/* --text-col, --delimiter, --encoding */
extern const as_option_group as_options_csv;
/* --delimiter, --encoding: for files whose columns have fixed names */
extern const as_option_group as_options_csv_file;
/* --on-error fail|skip */
extern const as_option_group as_options_bad_rows;

/* --held-out P: only rows that training with --hold-out P does not see */
extern const as_option_group as_options_held_out;

/* What as_options_csv gave; the parser has checked the values. */
AS_MUST_CHECK as_status as_cli_csv(as_cli *cli, as_csv_options *out);
/* The same with --text-col, and --on-error if the command has as_options_bad_rows; no columns yet. */
AS_MUST_CHECK as_status as_cli_message_options(as_cli *cli, bool bad_rows, as_message_options *out);
/* Which rows are read by a command with as_options_held_out. */
as_hold_out as_cli_held_out(const as_cli *cli);
/* Reads messages with --held-out, and warns of what the report says. With `none_is_fine` it is no failure but a finding
 * that no row is held out: then *out is NULL. */
AS_MUST_CHECK as_status as_cli_held_out_messages(as_cli *cli, const char *path, as_message_options *options,
                                                 bool none_is_fine, as_messages **out);

#endif
