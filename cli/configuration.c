/* config show|check|example: what every option is set to and by whom, whether a configuration file is right, and a file
 * to begin with. */
#include <inttypes.h>
#include <string.h>

#include "base/columns.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/command.h"

/* The commands that the operands name, one after another; all of them without operands. */
typedef struct selection {
  const as_command_table *table;
  char *name;    /* the words, or NULL: all */
  size_t length; /* of it */
} selection;

static bool is_selected(const selection *s, const as_command *command) {
  return !s->name || strcmp(command->name, s->name) == 0 || as_command_in_family(command, s->name, s->length);
}

/* Caller frees s->name. AS_E_INVALID when there is no such command. */
static as_status select_commands(as_cli *cli, selection *s) {
  const as_arguments *a = cli->arguments;
  *s = (selection){.table = a->table};
  if (a->operand_count == 0) return AS_OK;
  as_buffer words;
  as_buffer_init(&words, cli->ctx);
  for (size_t i = 0; i < a->operand_count; i++) as_buffer_printf(&words, "%s%s", i ? " " : "", a->operands[i]);
  s->length = words.length;
  s->name = as_buffer_take(&words);
  if (!s->name) return AS_E_NOMEM;
  as_suggestion near = as_suggestion_start(s->name);
  for (const as_command *const *at = a->table->commands; *at; at++) {
    if (is_selected(s, *at)) return AS_OK;
    as_suggestion_offer(&near, (*at)->name);
  }
  if (near.best)
    return as_fail(cli->ctx, AS_E_INVALID, "there is no command '%s' (did you mean '%s'?)", s->name, near.best);
  return as_fail(cli->ctx, AS_E_INVALID, "there is no command '%s'", s->name);
}

/* ---- config show ------------------------------------------------------------------------------------------------ */

enum { SOURCE_COLUMN = 24, VALUE_COLUMN = 50, ALL_COLUMNS = 79 };

typedef struct showing {
  as_cli *cli;
  as_buffer out;
  bool json, changed;
  const as_command *command; /* whose options are shown; NULL: all commands' */
  const as_arguments *values;
  bool headed; /* its heading was written */
} showing;

static const char *source_name(as_value_source source) {
  static const char *const names[] = {[AS_FROM_NOWHERE] = "default",
                                      [AS_FROM_INITIAL] = "default",
                                      [AS_FROM_CONFIG] = "file",
                                      [AS_FROM_ENVIRONMENT] = "environment",
                                      [AS_FROM_COMMAND_LINE] = "command line"};
  return names[source];
}

/* "my.conf:3", "ASSISTIFY_THREADS"; nothing for other sources. */
static void write_place(const showing *s, const as_value *value, as_buffer *out) {
  char variable[AS_VARIABLE_NAME];
  if (value->source == AS_FROM_CONFIG) as_buffer_printf(out, "%s:%zu", s->values->config_path, value->line);
  if (value->source != AS_FROM_ENVIRONMENT) return;
  as_option_variable(s->values->command, value->option, value->section, variable, sizeof variable);
  as_buffer_text(out, variable);
}

static void write_json_value(as_json_writer *writer, const as_value *value) {
  if (value->option->type == AS_OPTION_FLAG)
    as_json_bool(writer, "value", value->integer != 0);
  else if (!value->text)
    as_json_null(writer, "value");
  else if (value->word)
    as_json_string(writer, "value", value->text);
  else if (value->option->type == AS_OPTION_INT || value->option->type == AS_OPTION_SIZE)
    as_json_int(writer, "value", value->integer);
  else if (value->option->type == AS_OPTION_NUMBER)
    as_json_double(writer, "value", value->number);
  else
    as_json_string(writer, "value", value->text);
}

static void show_json(showing *s, const as_value *value, const char *place) {
  as_json_writer writer = as_json_writer_start(&s->out, 0);
  as_json_open_object(&writer, NULL);
  if (s->command)
    as_json_string(&writer, "command", s->command->name);
  else
    as_json_null(&writer, "command");
  as_json_string(&writer, "option", value->option->name);
  write_json_value(&writer, value);
  as_json_string(&writer, "source", source_name(value->source));
  if (*place)
    as_json_string(&writer, "where", place);
  else
    as_json_null(&writer, "where");
  as_json_close_object(&writer);
  as_buffer_char(&s->out, '\n');
}

/* Begins a column: goes to it, or to the next line when what stands before has filled it. */
static void go_to_column(as_buffer *out, int used, int column) {
  if (used < column)
    as_buffer_printf(out, "%*s", column - used, "");
  else
    as_buffer_printf(out, "\n%*s", column, "");
}

/* The value; what stands for none is said in parentheses. */
static void spell_value(const as_value *value, as_buffer *out) {
  const as_option *option = value->option;
  if (option->type == AS_OPTION_FLAG)
    as_buffer_text(out, value->integer ? "yes" : "no");
  else if (value->text)
    as_buffer_columns_at_most(out, value->text, 1 << 20);
  else
    as_buffer_printf(out, "(%s)", option->required ? "required" : option->initial_note ? option->initial_note : "none");
}

/* A value that is too long for the rest of its line gets the next one. */
static void show_row(showing *s, const as_value *value, const char *place) {
  as_buffer text;
  const char *source = *place ? place : source_name(value->source);
  if (!s->headed)
    as_buffer_printf(&s->out, "%s%s:\n", s->out.length ? "\n" : "", s->command ? s->command->name : "all commands");
  s->headed = true;
  as_buffer_printf(&s->out, "  %s", value->option->name);
  go_to_column(&s->out, 2 + (int)strlen(value->option->name), SOURCE_COLUMN);
  as_buffer_columns_at_most(&s->out, source, 4096);
  as_buffer_init(&text, s->cli->ctx);
  spell_value(value, &text);
  const bool fits = as_text_columns(as_buffer_string(&text)) <= ALL_COLUMNS - VALUE_COLUMN;
  const int column = fits ? VALUE_COLUMN : SOURCE_COLUMN;
  go_to_column(&s->out, SOURCE_COLUMN + as_text_columns(source), column);
  if (value->text) {
    as_buffer_text(&s->out, as_buffer_string(&text));
    as_buffer_char(&s->out, '\n');
  } else
    as_text_wrap(&s->out, as_buffer_string(&text), (size_t)column, (size_t)column);
  if (text.failed) s->out.failed = true;
  as_buffer_free(&text);
}

static void show_value(showing *s, const as_value *value) {
  if (value->option->command_line_only || value->option->instead_of_command) return;
  if (s->changed && value->source <= AS_FROM_INITIAL) return;
  as_buffer place;
  as_buffer_init(&place, s->cli->ctx);
  write_place(s, value, &place);
  if (s->json)
    show_json(s, value, as_buffer_string(&place));
  else
    show_row(s, value, as_buffer_string(&place));
  if (place.failed) s->out.failed = true;
  as_buffer_free(&place);
}

/* The options of a command; of the global ones, unless `all`, those that only it has a value for. */
static as_status show_command(showing *s, const as_command *command, bool all) {
  as_arguments values;
  as_status status = as_options_of_command(s->cli->ctx, s->cli->arguments, command, &values);
  s->command = command;
  s->values = &values;
  s->headed = false;
  for (size_t i = 0; i < values.value_count && status == AS_OK; i++) {
    const bool is_global = i < values.table->global->count;
    const bool own = values.values[i].section > 0 && values.values[i].source < AS_FROM_COMMAND_LINE;
    if (all || !is_global || own) show_value(s, &values.values[i]);
  }
  as_arguments_free(&values);
  if (status != AS_OK && command) as_fail_prefix(s->cli->ctx, status, "%s", command->name);
  return status;
}

static int run_show(as_cli *cli) {
  selection selected;
  showing s = {
      .cli = cli, .json = as_option_flag(cli->arguments, "json"), .changed = as_option_flag(cli->arguments, "changed")};
  as_buffer_init(&s.out, cli->ctx);
  as_status status = select_commands(cli, &selected);
  if (status == AS_OK && !selected.name) status = show_command(&s, NULL, true);
  for (const as_command *const *at = selected.table->commands; *at && status == AS_OK; at++)
    if (is_selected(&selected, *at)) status = show_command(&s, *at, selected.name != NULL);
  if (status == AS_OK) status = as_buffer_status(&s.out);
  if (status == AS_OK) as_console_buffer(cli->console, &s.out);
  const char *file = cli->arguments->config_path;
  if (status == AS_OK && !file) as_console_note(cli->console, "no configuration file is read");
  if (status == AS_OK && file) as_console_note(cli->console, "the configuration file is %s", file);
  as_buffer_free(&s.out);
  as_free(cli->ctx, selected.name);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

/* clang-format off */
static const as_option show_rows[] = {
    {.name = "changed", .type = AS_OPTION_FLAG, .help = "only what is not the default"},
    {.name = "json", .type = AS_OPTION_FLAG, .help = "a line of JSON for each option"},
};
/* clang-format on */
static const as_option_group show_group = AS_OPTION_GROUP("Showing", show_rows);
static const as_option_group *const show_groups[] = {&show_group, NULL};

const as_command as_command_config_show = {
    .name = "config show",
    .operands = "[COMMAND...]",
    .max_operands = 2,
    .summary = "show what every option is set to, and where that was said",
    .description =
        "For the named command, for all whose first word is named, or for all: each option with its value and where "
        "that comes from: a line of the configuration file, a variable of the environment, the command line (global "
        "options, given here), or the built-in default. Options that stand on the command line only are left out.",
    .examples = "assistify config show --changed\nassistify config show train intent\n"
                "assistify config show --json | jq 'select(.source != \"default\")'",
    .groups = show_groups,
    .run = run_show,
};

/* ---- config check ----------------------------------------------------------------------------------------------- */

static int run_check(as_cli *cli) {
  const as_arguments *a = cli->arguments;
  as_arguments from = *a; /* the file alone: without environment and command line */
  as_arguments values;
  from.config_path = a->operand_count ? a->operands[0] : a->config_path;
  from.environment = NULL;
  if (!from.config_path) return as_cli_usage(cli, "no configuration file is read: name the one to check");
  as_status status = AS_OK;
  for (const as_command *const *at = a->table->commands; *at && status == AS_OK; at++) {
    status = as_options_of_command(cli->ctx, &from, *at, &values);
    as_arguments_free(&values);
  }
  if (status != AS_OK) return as_cli_failed(cli, status);
  as_console_print(cli->console, "%.900s: nothing is wrong\n", from.config_path);
  return AS_EXIT_DONE;
}

const as_command as_command_config_check = {
    .name = "config check",
    .operands = "[FILE]",
    .max_operands = 1,
    .operand = AS_OPERAND_FILE,
    .summary = "say whether a configuration file is right",
    .description = "Reads the file, or else the one that is in force, for every command: sections, keys, values, and "
                   "options that contradict each other. The first fault ends it, with its line.",
    .examples = "assistify config check assistify.conf",
    .run = run_check,
};

/* ---- config example --------------------------------------------------------------------------------------------- */

/* In the spelling of the configuration file. */
static void write_value(as_buffer *out, const char *text) {
  const bool plain = *text && !strpbrk(text, "\"\\#\n\t") && *text != ' ' && text[strlen(text) - 1] != ' ';
  if (plain) {
    as_buffer_text(out, text);
    return;
  }
  as_buffer_char(out, '"');
  for (; *text; text++) {
    if (strchr("\"\\", *text)) as_buffer_char(out, '\\');
    if (*text == '\n' || *text == '\t')
      as_buffer_text(out, *text == '\n' ? "\\n" : "\\t");
    else
      as_buffer_char(out, *text);
  }
  as_buffer_char(out, '"');
}

static void write_key(as_buffer *out, const as_option *option) {
  as_buffer help, lines;
  as_buffer_init(&help, out->ctx);
  as_buffer_init(&lines, out->ctx);
  as_buffer_text(&help, option->help);
  as_option_remarks(option, &help);
  as_text_wrap(&lines, as_buffer_string(&help), 2, 2);
  if (help.failed || lines.failed) out->failed = true;
  for (const char *at = as_buffer_string(&lines), *end; (end = strchr(at, '\n')); at = end + 1) {
    at += strspn(at, " ");
    as_buffer_printf(out, "# %.*s\n", (int)(end - at), at);
  }
  as_buffer_printf(out, "#%s = ", option->name);
  if (option->initial)
    write_value(out, option->initial);
  else
    as_buffer_text(out, option->type == AS_OPTION_FLAG ? "no" : option->argument ? option->argument : option->words);
  as_buffer_char(out, '\n');
  as_buffer_free(&help);
  as_buffer_free(&lines);
}

static void write_keys(as_buffer *out, const as_command_table *table, const as_command *command) {
  const as_option *option;
  bool any = false;
  for (size_t i = command ? table->global->count : 0; (option = as_command_option(table, command, i, NULL)); i++) {
    if (option->command_line_only || option->instead_of_command) continue;
    if (command && !any) as_buffer_printf(out, "\n[%s]\n", command->name);
    any = true;
    write_key(out, option);
  }
}

static int run_example(as_cli *cli) {
  selection selected;
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  as_status status = select_commands(cli, &selected);
  as_buffer_text(&out, "# Configuration of assistify: " AS_CONFIG_NAME " where the program runs, or the file\n"
                       "# that --config or ASSISTIFY_CONFIG names. Each key is an option without its\n"
                       "# dashes. What stands before the first section is for every command, what stands\n"
                       "# in [train] for all commands whose first word is train, what stands in\n"
                       "# [train intent] for that one. Take away the '#' before a key to set it.\n\n");
  write_keys(&out, selected.table, NULL);
  for (const as_command *const *at = selected.table->commands; *at; at++)
    if (is_selected(&selected, *at)) write_keys(&out, selected.table, *at);
  if (status == AS_OK) status = as_buffer_status(&out);
  if (status == AS_OK) as_console_buffer(cli->console, &out);
  as_buffer_free(&out);
  as_free(cli->ctx, selected.name);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_config_example = {
    .name = "config example",
    .operands = "[COMMAND...]",
    .max_operands = 2,
    .summary = "print a configuration file with every key, commented out",
    .description =
        "For the named command, for all whose first word is named, or for all. The keys have their defaults, "
        "or what they stand for where there is no default.",
    .examples = "assistify config example train > " AS_CONFIG_NAME,
    .run = run_example,
};
