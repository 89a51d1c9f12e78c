/* --help: the list of commands, and each command's page, from the table; never wider than 80 columns. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/command.h"

#define WIDTH 79
#define LEFT 24 /* the column where the text of an option or a command begins */

void as_text_wrap(as_buffer *out, const char *text, size_t column, size_t indent) {
  size_t start = column;
  while (*text) {
    size_t blanks = strspn(text, " "), word = strcspn(text + blanks, " \n");
    const size_t columns = as_utf8_count(text + blanks, word);
    if (column > start && column + blanks + columns > WIDTH) {
      as_buffer_printf(out, "\n%*s", (int)indent, "");
      column = start = indent;
      blanks = 0;
      text += strspn(text, " ");
    } else
      text += blanks;
    as_buffer_printf(out, "%*s", (int)blanks, "");
    as_buffer_append(out, text, word);
    column += blanks + columns;
    text += word;
    while (*text == '\n') {
      as_buffer_printf(out, "\n%*s", text[1] == '\n' ? 0 : (int)indent, "");
      column = start = indent;
      text++;
    }
  }
  as_buffer_char(out, '\n');
}

void as_option_label(const as_option *option, as_buffer *out) {
  as_buffer_printf(out, "--%s", option->name);
  const char *value = option->argument ? option->argument : option->words;
  if (option->type != AS_OPTION_FLAG)
    as_buffer_printf(out, " %s", value);
  else if (option->words)
    as_buffer_printf(out, "[=%s]", option->words);
}

static bool has_bounds(const as_option *option) {
  return (option->type == AS_OPTION_INT || option->type == AS_OPTION_NUMBER) &&
         (option->minimum != 0 || option->maximum != 0);
}

void as_option_remarks(const as_option *option, as_buffer *out) {
  const char *separator = " (";
  if (option->words && option->argument) {
    as_buffer_printf(out, "%s%s ", separator, option->type == AS_OPTION_CHOICE ? "one of" : "or");
    for (const char *at = option->words; *at;) {
      size_t length = strcspn(at, "|");
      as_buffer_append(out, at, length);
      at += length;
      if (!*at) break;
      at++;
      as_buffer_text(out, strchr(at, '|') ? ", " : " or ");
    }
    separator = "; ";
  }
  if (has_bounds(option)) {
    const char *least = option->open_minimum ? "above" : isinf(option->maximum) ? "at least" : "from";
    as_buffer_printf(out, "%s%s %.15g", separator, least, option->minimum);
    if (!isinf(option->maximum))
      as_buffer_printf(out, " %s %.15g", option->open_maximum ? "below" : "to", option->maximum);
    separator = "; ";
  }
  const char *initial = option->initial ? option->initial : option->initial_note;
  if (option->required)
    as_buffer_printf(out, "%srequired", separator);
  else if (initial && *initial)
    as_buffer_printf(out, "%sdefault: %s", separator, initial);
  else if (separator[0] == ' ')
    return;
  as_buffer_char(out, ')');
}

static void write_left(as_buffer *out, const char *left, const char *text) {
  int used = (int)strlen(left) + 2;
  as_buffer_printf(out, "  %s", left);
  if (used + 2 > LEFT)
    as_buffer_printf(out, "\n%*s", LEFT, "");
  else
    as_buffer_printf(out, "%*s", LEFT - used, "");
  as_text_wrap(out, text, LEFT, LEFT);
}

static void write_option(as_buffer *out, const as_option *option) {
  as_buffer label, text;
  as_buffer_init(&label, out->ctx);
  as_buffer_init(&text, out->ctx);
  if (option->short_name) as_buffer_printf(&label, "-%c, ", option->short_name);
  as_option_label(option, &label);
  as_buffer_text(&text, option->help);
  as_option_remarks(option, &text);
  write_left(out, as_buffer_string(&label), as_buffer_string(&text));
  as_buffer_free(&label);
  as_buffer_free(&text);
}

static void write_options(as_buffer *out, const as_command_table *table, const as_command *command) {
  const as_option_group *group = NULL, *before = NULL;
  size_t count = 0;
  while (as_command_option(table, command, count, NULL)) count++;
  /* The command's own first, then the global ones. */
  for (size_t i = 0; i < count; i++) {
    size_t index = (i + table->global->count) % count;
    const as_option *option = as_command_option(table, command, index, &group);
    if (option->instead_of_command && command) continue;
    if (group != before) as_buffer_printf(out, "\n%s:\n", group->title);
    before = group;
    write_option(out, option);
  }
}

static void write_list(as_buffer *out, const as_command_table *table, const char *family) {
  for (const as_command *const *at = table->commands; *at; at++)
    if (!family || as_command_in_family(*at, family, strlen(family))) write_left(out, (*at)->name, (*at)->summary);
}

static void write_command(as_buffer *out, const as_command_table *table, const as_command *command) {
  as_buffer_printf(out, "Usage: assistify %s [OPTIONS]%s%s\n\n", command->name, command->operands ? " " : "",
                   command->operands ? command->operands : "");
  if (command->description)
    as_text_wrap(out, command->description, 0, 0);
  else {
    char first = command->summary[0];
    as_buffer_char(out, (char)(first >= 'a' && first <= 'z' ? first - 'a' + 'A' : first));
    as_buffer sentence;
    as_buffer_init(&sentence, out->ctx);
    as_buffer_printf(&sentence, "%s.", command->summary + 1);
    as_text_wrap(out, as_buffer_string(&sentence), 1, 0);
    as_buffer_free(&sentence);
  }
  write_options(out, table, command);
  if (!command->examples) return;
  as_buffer_text(out, "\nExamples:\n");
  for (const char *at = command->examples; *at;) {
    size_t length = strcspn(at, "\n");
    as_buffer_printf(out, "  %.*s\n", (int)length, at);
    at += length + (at[length] == '\n');
  }
}

void as_help_write(as_buffer *out, const as_command_table *table, const as_command *command, const char *family) {
  if (command) {
    write_command(out, table, command);
    return;
  }
  as_buffer_printf(out, "Usage: assistify %s [OPTIONS] ...\n\n", family ? family : "COMMAND");
  if (!family)
    as_text_wrap(out,
         "Trains, evaluates and serves models of customer messages on this machine: from a CSV file to an answer.\n"
         "'assistify COMMAND --help' tells more about a command.",
         0, 0);
  as_buffer_printf(out, "%sCommands:\n", family ? "" : "\n");
  write_list(out, table, family);
  if (family) return;
  write_options(out, table, NULL);
  as_buffer_text(out, "\nExit codes:\n");
  for (const as_exit_code *at = as_exit_codes; at->text; at++) {
    char code[16];
    snprintf(code, sizeof code, "%d", at->code);
    as_buffer_printf(out, "  %-5s", code);
    as_text_wrap(out, at->text, 7, 7);
  }
}
