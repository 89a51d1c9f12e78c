#include "cli/subcommand.h"

#include <limits.h>

#include "base/memory.h"
#include "cli/signals.h"

/* "--models=DIR" for each global option that stood on the caller's command line, then the words. The first *made of
 * the list are the caller's to free. */
static as_status make_line(const as_cli *cli, const char *const *words, size_t count, const char **line, size_t *length,
                           char **made, size_t *made_count) {
  const as_arguments *a = cli->arguments;
  line[(*length)++] = "assistify";
  for (size_t i = 0; i < a->table->global->count && i < a->value_count; i++) {
    const as_value *value = &a->values[i];
    if (value->source != AS_FROM_COMMAND_LINE || value->option->instead_of_command) continue;
    as_buffer text;
    as_buffer_init(&text, cli->ctx);
    as_buffer_printf(&text, "--%s=%s", value->option->name, value->text);
    char *option = as_buffer_take(&text);
    if (!option) return AS_E_NOMEM;
    made[(*made_count)++] = option;
    line[(*length)++] = option;
  }
  for (size_t i = 0; i < count; i++) line[(*length)++] = words[i];
  return AS_OK;
}

/* --help and --version stand instead of a command: with them the rest was not checked. */
static bool is_complete(const as_arguments *a) {
  if (!a->command || a->help) return false;
  for (size_t i = 0; i < a->table->global->count; i++)
    if (a->values[i].option->instead_of_command && a->values[i].integer) return false;
  return true;
}

static int run_parsed(as_cli *cli) {
  const bool quiet = cli->console->quiet;
  if (!is_complete(cli->arguments))
    return as_cli_usage(cli, "a command was to be run, and no other option stands for it");
  if (cli->arguments->command->catches_signals && !as_interrupted(NULL)) as_signals_catch();
  cli->console->quiet = as_option_flag(cli->arguments, "quiet");
  int code = cli->arguments->command->run(cli);
  as_console_progress(cli->console, "");
  cli->console->quiet = quiet;
  return code;
}

int as_cli_run_command(as_cli *cli, const char *const *words, size_t count) {
  const as_command_table *table = cli->arguments->table;
  const size_t globals = table->global->count;
  const char **line = count < INT_MAX / 2 ? as_alloc(cli->ctx, 1 + globals + count, sizeof *line) : NULL;
  char **made = as_alloc(cli->ctx, globals + 1, sizeof *made);
  size_t length = 0, made_count = 0;
  const as_option_sources sources = {cli->arguments->config_path, cli->arguments->environment};
  as_arguments arguments = {0};
  as_status status = line && made ? make_line(cli, words, count, line, &length, made, &made_count) : AS_E_NOMEM;
  if (status == AS_OK)
    status = as_options_parse(cli->ctx, table, (int)length, line, &sources, &arguments);
  as_cli inner = {
      .ctx = cli->ctx, .arguments = status == AS_OK || arguments.ctx ? &arguments : NULL, .console = cli->console};
  int code;
  if (status == AS_OK)
    code = run_parsed(&inner);
  else
    code = status == AS_E_INVALID ? as_cli_usage(&inner, "%s", as_error_text(cli->ctx)) : as_cli_failed(&inner, status);
  if (arguments.ctx) as_arguments_free(&arguments);
  for (size_t i = 0; i < made_count; i++) as_free(cli->ctx, made[i]);
  as_free(cli->ctx, made);
  as_free(cli->ctx, line);
  return code;
}
