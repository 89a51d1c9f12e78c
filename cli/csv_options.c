/* Rows and values of the options for CSV. */
#include "cli/csv_options.h"

static as_status check_delimiter(as_context *ctx, const char *value) {
  char delimiter;
  return as_csv_delimiter_by_name(ctx, value, &delimiter);
}

static as_status check_encoding(as_context *ctx, const char *value) {
  as_text_encoding encoding;
  return as_encoding_by_name(ctx, value, &encoding);
}

/* clang-format off */
static const as_option csv_rows[] = {
    {.name = "text-col", .type = AS_OPTION_TEXT, .argument = "NAME", .initial = "content",
     .help = "column with the messages"},
    {.name = "delimiter", .type = AS_OPTION_TEXT, .argument = "C", .initial = ",", .check = check_delimiter,
     .help = "what stands between fields: ',', ';', '|' or tab"},
    {.name = "encoding", .type = AS_OPTION_TEXT, .argument = "NAME", .check = check_encoding,
     .initial_note = "UTF-8; anything else is refused by name",
     .help = "convert from utf-16, utf-16le, utf-16be, windows-1252 or latin-1; utf-8 trusts that it is"},
};
static const as_option bad_row_rows[] = {
    {.name = "on-error", .type = AS_OPTION_CHOICE, .words = "fail|skip",
     .initial_note = "fail at broken rows, leave out empty ones",
     .help = "what to do with rows that can't be used"},
};
static const as_option held_out_rows[] = {
    {.name = "held-out", .type = AS_OPTION_NUMBER, .argument = "P", .minimum = 0, .maximum = 0.9, .initial = "0",
     .help = "only rows that training with --hold-out P keeps for tests; 0: all"},
};
/* clang-format on */
const as_option_group as_options_held_out = AS_OPTION_GROUP("Rows", held_out_rows);
const as_option_group as_options_csv = AS_OPTION_GROUP("CSV", csv_rows);
const as_option_group as_options_csv_file = {"CSV", csv_rows + 1, sizeof csv_rows / sizeof *csv_rows - 1};
const as_option_group as_options_bad_rows = AS_OPTION_GROUP("Bad rows", bad_row_rows);

as_status as_cli_csv(as_cli *cli, as_csv_options *out) {
  *out = (as_csv_options){0};
  as_status status = as_csv_delimiter_by_name(cli->ctx, as_option_text(cli->arguments, "delimiter"), &out->delimiter);
  if (status != AS_OK) return status;
  return as_encoding_by_name(cli->ctx, as_option_text(cli->arguments, "encoding"), &out->encoding);
}

as_status as_cli_message_options(as_cli *cli, bool bad_rows, as_message_options *out) {
  *out = (as_message_options){.text_column = as_option_text(cli->arguments, "text-col")};
  as_status status = as_cli_csv(cli, &out->csv);
  if (status != AS_OK || !bad_rows) return status;
  return as_on_error_by_name(cli->ctx, as_option_text(cli->arguments, "on-error"), &out->on_error);
}

as_hold_out as_cli_held_out(const as_cli *cli) {
  return (as_hold_out){.share = as_option_number(cli->arguments, "held-out"), .only_held_out = true};
}

/* Whether reading failed for no other reason than that every row is on the other side. */
static bool none_held_out(const as_data_report *report, as_on_error on_error) {
  for (int problem = 0; problem < AS_PROBLEM_COUNT; problem++)
    if (report->findings[problem].count > 0 && as_data_problem_fails((as_data_problem)problem, on_error)) return false;
  return report->kept == 0 && report->other_side > 0;
}

as_status as_cli_held_out_messages(as_cli *cli, const char *path, as_message_options *options, bool none_is_fine,
                                   as_messages **out) {
  as_data_report report = {0};
  *out = NULL;
  options->hold_out = as_cli_held_out(cli);
  as_status status = as_messages_read(cli->ctx, path, options, &report, out);
  if (status == AS_E_DATA && none_is_fine && none_held_out(&report, options->on_error)) return AS_OK;
  if (status == AS_OK) as_data_report_warn(cli->ctx, &report, path);
  return status;
}
