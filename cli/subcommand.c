#include "cli/subcommand.h"

#include <limits.h>

#include "base/memory.h"
#include "cli/signals.h"

/* "--models=DIR" for each global option that stood on the caller's command line, then the words. */
static as_status make_line(as_subcommand *s, const as_arguments *a, const char *const *words, size_t count) {
  as_context *ctx = s->cli.ctx;
  const size_t globals = a->table->global->count;
  s->line = count < INT_MAX / 2 ? as_alloc(ctx, 1 + globals + count, sizeof *s->line) : NULL;
  s->made = as_alloc(ctx, globals + 1, sizeof *s->made);
  if (!s->line || !s->made) return AS_E_NOMEM;
  s->line[s->length++] = "assistify";
  for (size_t i = 0; i < globals && i < a->value_count; i++) {
    const as_value *value = &a->values[i];
    if (value->source != AS_FROM_COMMAND_LINE || value->option->instead_of_command) continue;
    as_buffer text;
    as_buffer_init(&text, ctx);
    as_buffer_printf(&text, "--%s=%s", value->option->name, value->text);
    char *option = as_buffer_take(&text);
    if (!option) return AS_E_NOMEM;
    s->line[s->length++] = s->made[s->made_count++] = option;
  }
  for (size_t i = 0; i < count; i++) s->line[s->length++] = words[i];
  return AS_OK;
}

/* --help and --version stand instead of a command: with them the rest was not checked. */
static bool is_complete(const as_arguments *a) {
  if (!a->command || a->help) return false;
  for (size_t i = 0; i < a->table->global->count; i++)
    if (a->values[i].option->instead_of_command && (a->values[i].integer || a->values[i].word)) return false;
  return true;
}

int as_subcommand_parse(as_cli *cli, const char *const *words, size_t count, as_subcommand *out) {
  const as_option_sources sources = {cli->arguments->config_path, cli->arguments->environment};
  *out = (as_subcommand){.cli = {.ctx = cli->ctx, .console = cli->console}};
  as_status status = make_line(out, cli->arguments, words, count);
  if (status == AS_OK)
    status = as_options_parse(cli->ctx, cli->arguments->table, (int)out->length, out->line, &sources, &out->arguments);
  if (out->arguments.ctx) out->cli.arguments = &out->arguments;
  if (status == AS_E_INVALID) return as_cli_usage(&out->cli, "%s", as_error_text(cli->ctx));
  if (status != AS_OK) return as_cli_failed(&out->cli, status);
  if (!is_complete(&out->arguments))
    return as_cli_usage(&out->cli, "a command was to be run, and no other option stands for it");
  return AS_EXIT_DONE;
}

int as_subcommand_run(as_subcommand *s) {
  as_console *console = s->cli.console;
  const as_command *command = s->arguments.command;
  const bool quiet = console->quiet;
  if (command->catches_signals && !as_interrupted(NULL)) as_signals_catch();
  console->quiet = as_option_flag(&s->arguments, "quiet");
  int code = command->run(&s->cli);
  as_console_progress(console, "");
  console->quiet = quiet;
  return code;
}

void as_subcommand_end(as_subcommand *s) {
  if (s->arguments.ctx) as_arguments_free(&s->arguments);
  for (size_t i = 0; i < s->made_count; i++) as_free(s->cli.ctx, s->made[i]);
  as_free(s->cli.ctx, s->made);
  as_free(s->cli.ctx, s->line);
  *s = (as_subcommand){0};
}

int as_cli_run_command(as_cli *cli, const char *const *words, size_t count) {
  as_subcommand subcommand;
  int code = as_subcommand_parse(cli, words, count, &subcommand);
  if (code == AS_EXIT_DONE) code = as_subcommand_run(&subcommand);
  as_subcommand_end(&subcommand);
  return code;
}
