/* See text_input.h. */
#include "cli/text_input.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/csv_options.h"
#include "cli/lines.h"

static const char *const no_values[AS_TEXT_INPUT_COLUMNS];

/* ---- CSV -------------------------------------------------------------------------------------------------------- */
typedef struct columns {
  size_t text, further[AS_TEXT_INPUT_COLUMNS]; /* SIZE_MAX: absent */
} columns;

static as_status find_columns(as_cli *cli, const as_text_input *in, as_csv_reader *reader, columns *out) {
  as_status status = as_csv_column(reader, as_option_text(cli->arguments, "text-col"), &out->text);
  for (int i = 0; status == AS_OK && i < AS_TEXT_INPUT_COLUMNS && in->columns[i]; i++) {
    out->further[i] = SIZE_MAX;
    if (as_csv_has_column(reader, in->columns[i])) status = as_csv_column(reader, in->columns[i], &out->further[i]);
  }
  return status;
}

static as_status take_row(as_cli *cli, const as_text_input *in, as_csv_reader *reader, const as_csv_row *row,
                          const columns *at) {
  const char *values[AS_TEXT_INPUT_COLUMNS] = {NULL};
  if (row->problem != AS_PROBLEM_NONE && row->problem != AS_PROBLEM_EMPTY_ROW) {
    as_csv_fail_row(reader, row);
    return in->refuse(in->user, as_error_text(cli->ctx));
  }
  const as_csv_field *field = row->problem == AS_PROBLEM_NONE ? &row->fields[at->text] : NULL;
  if (!field || as_text_is_blank(field->text, field->length)) {
    char text[512];
    snprintf(text, sizeof text, "%s: line %llu: the text is empty", as_csv_name(reader), (unsigned long long)row->line);
    return in->refuse(in->user, text);
  }
  for (int i = 0; i < AS_TEXT_INPUT_COLUMNS && in->columns[i]; i++) {
    const as_csv_field *value = at->further[i] == SIZE_MAX ? NULL : &row->fields[at->further[i]];
    if (value && !as_text_is_blank(value->text, value->length)) values[i] = value->text;
  }
  return in->take(in->user, field->text, field->length, values);
}

static as_status read_csv(as_cli *cli, const as_text_input *in, const char *path) {
  as_csv_options options;
  as_csv_reader *reader = NULL;
  columns at = {0};
  as_status status = as_cli_csv(cli, &options);
  if (status == AS_OK) status = as_csv_open(cli->ctx, path, &options, &reader);
  if (status == AS_OK) status = find_columns(cli, in, reader, &at);
  for (const as_csv_row *row = NULL; status == AS_OK && !*in->closed;) {
    status = as_csv_next(reader, &row);
    if (status != AS_OK || !row) break;
    status = take_row(cli, in, reader, row, &at);
  }
  as_csv_close(reader);
  return status;
}

/* ---- lines, operands -------------------------------------------------------------------------------------------- */
/* A person types: every line is answered at once. From a pipe they are left to be answered together. */
static as_status read_lines(as_cli *cli, const as_text_input *in) {
  as_lines lines = {0};
  bool typed = isatty(STDIN_FILENO);
  as_status status = as_lines_open(cli->ctx, "-", AS_LINE_LIMIT, &lines);
  for (const char *line = NULL; status == AS_OK && !*in->closed;) {
    size_t length;
    status = as_lines_next(&lines, &line, &length);
    if (status != AS_OK || !line) break;
    if (as_text_is_blank(line, length)) continue;
    status = in->take(in->user, line, length, no_values);
    if (status == AS_OK && typed) status = in->answer(in->user);
  }
  as_lines_close(&lines);
  return status;
}

static as_status read_operands(as_cli *cli, const as_text_input *in) {
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < cli->arguments->operand_count; i++) {
    const char *text = cli->arguments->operands[i];
    const size_t length = strlen(text);
    status = as_text_is_blank(text, length) ? in->refuse(in->user, "the text is empty")
                                            : in->take(in->user, text, length, no_values);
  }
  return status;
}

as_status as_text_input_read(as_cli *cli, const as_text_input *in) {
  const char *path = as_option_text(cli->arguments, "input");
  if (path) return read_csv(cli, in, path);
  return cli->arguments->operand_count ? read_operands(cli, in) : read_lines(cli, in);
}
