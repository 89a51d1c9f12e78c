/* doctor: what the program found on this machine, and whether its arithmetic is right here. */
#include "base/threads.h"
#include "cli/command.h"
#include "cli/version.h"

static const as_option rows[] = {
    {.name = "json", .type = AS_OPTION_FLAG, .help = "one JSON object"},
};
static const as_option_group output = AS_OPTION_GROUP("Output", rows);
static const as_option_group *const groups[] = {&output, NULL};

static int run(as_cli *cli) {
  as_library_version libraries[AS_LIBRARIES_MOST];
  size_t count = as_library_versions(libraries);
  for (size_t i = 0; i < count; i++) as_console_print(cli->console, "%-12s %s\n", libraries[i].name, libraries[i].version);
  as_console_print(cli->console, "%-12s %d\n", "threads", as_context_threads(cli->ctx));
  return AS_EXIT_DONE;
}

const as_command as_command_doctor = {
    .name = "doctor", .summary = "look at this machine and test the arithmetic on it", .groups = groups, .run = run};
