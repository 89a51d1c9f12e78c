/* See program.h. */
#include "tests/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/command.h"
#include "tests/harness.h"

enum { MOST_WORDS = 32 };

static int run(as_context *ctx, as_console *console, int argc, const char *const *argv) {
  as_arguments arguments;
  as_status status = as_options_parse(ctx, &as_commands, argc, argv, NULL, &arguments);
  as_cli cli = {.ctx = ctx, .arguments = &arguments, .console = console};
  int code = status != AS_OK ? as_cli_failed(&cli, status) : arguments.command->run(&cli);
  as_arguments_free(&arguments);
  return code;
}

as_program as_run_program(as_context *ctx, const char *const *words) {
  const char *argv[MOST_WORDS + 2] = {"assistify"};
  as_program program = {0};
  size_t out_length, err_length;
  int argc = 1;
  for (; words[argc - 1]; argc++) {
    ck_assert_int_lt(argc, MOST_WORDS);
    argv[argc] = words[argc - 1];
  }
  FILE *out = open_memstream(&program.out, &out_length), *err = open_memstream(&program.err, &err_length);
  ck_assert(out && err);
  as_console console;
  as_console_start(&console, out, err);
  program.code = run(ctx, &console, argc, argv);
  program.code = as_console_finish(&console, program.code);
  fclose(out);
  fclose(err);
  return program;
}

void as_program_free(as_program *program) {
  free(program->out);
  free(program->err);
  *program = (as_program){0};
}

json_t *as_program_json(as_context *ctx, const as_program *program) {
  json_t *value;
  ck_assert_msg(program->code == 0, "exit %d: %s", program->code, program->err);
  const char *end = strchr(program->out, '\n');
  ck_assert_msg(end && end[1] == 0, "standard output is not one line: %s", program->out);
  ck_assert_ok(ctx, as_json_parse(ctx, program->out, strlen(program->out), "standard output", AS_E_DATA, &value));
  return value;
}
