/* The program: reads the command line by the table, runs the command, and turns what came of it into an exit code. */
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/signals.h"

/* Prints what stands instead of a command; false if nothing does. */
static bool print_instead(as_console *console, const as_arguments *arguments) {
  as_buffer text;
  as_buffer_init(&text, arguments->ctx);
  const as_value *completion = as_option_value(arguments, "completion");
  bool found = true;
  if (arguments->help)
    as_help_write(&text, &as_commands, arguments->command, arguments->family);
  else if (as_option_flag(arguments, "version"))
    as_version_write(&text, arguments->ctx);
  else if (as_option_flag(arguments, "manual"))
    as_manual_write(&text, &as_commands, arguments->command);
  else if (completion->word || completion->integer)
    as_completion_write(&text, &as_commands, completion->word ? completion->text : "bash");
  else
    found = false;
  if (found) as_console_buffer(console, &text);
  as_buffer_free(&text);
  return found;
}

/* Runs the command with a context of its own, which has the threads that the user asked for. */
static int run_command(as_console *console, const as_arguments *arguments) {
  as_cli cli = {.arguments = arguments, .console = console};
  as_context_options options = {.threads = (int)as_option_int(arguments, "threads"),
                                .warn = as_console_warn,
                                .warn_user = console,
                                .large_pages = arguments->command->works_long};
  as_status status = as_context_new(&cli.ctx, &options);
  if (status != AS_OK) {
    as_console_error(console, status == AS_E_NOMEM ? "out of memory" : "the threads could not be started");
    return as_exit_of(status);
  }
  if (arguments->command->catches_signals) as_signals_catch();
  int code = arguments->command->run(&cli);
  as_console_progress(console, "");
  as_context_free(cli.ctx);
  return code;
}

/* The configuration file: the one that is named, or else the one that lies here. */
static as_option_sources find_sources(void) {
  const char *named = getenv("ASSISTIFY_CONFIG");
  if (!named && as_path_exists(AS_CONFIG_NAME)) named = AS_CONFIG_NAME;
  return (as_option_sources){.config = named, .environment = (const char *const *)environ};
}

/* `setup` lives as long as the arguments, which are read before the number of threads is known. */
static int run(as_console *console, as_context *setup, int argc, const char *const *argv) {
  as_arguments arguments;
  const as_option_sources sources = find_sources();
  as_status status = as_options_parse(setup, &as_commands, argc, argv, &sources, &arguments);
  int code = AS_EXIT_DONE;
  if (status != AS_OK) {
    as_cli cli = {.ctx = setup, .arguments = &arguments, .console = console};
    code = status == AS_E_INVALID ? as_cli_usage(&cli, "%s", as_error_text(setup)) : as_cli_failed(&cli, status);
  } else if (!print_instead(console, &arguments)) {
    console->quiet = as_option_flag(&arguments, "quiet");
    as_environment_warn(setup, &as_commands, sources.environment);
    code = run_command(console, &arguments);
  }
  as_arguments_free(&arguments);
  return code;
}

int main(int argc, char **argv) {
  as_console console;
  as_context *setup;
  as_signals_start();
  as_console_start(&console, stdout, stderr);
  as_context_options options = {.threads = 1, .warn = as_console_warn, .warn_user = &console};
  int code = AS_EXIT_FAILED;
  if (as_context_new(&setup, &options) == AS_OK) {
    code = run(&console, setup, argc, (const char *const *)argv);
    as_context_free(setup);
  } else
    as_console_error(&console, "out of memory");
  return as_console_finish(&console, code);
}
