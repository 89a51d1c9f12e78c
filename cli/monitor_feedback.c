/* monitor feedback: what was true for a request that was answered. */
#include "base/file.h"
#include "base/memory.h"
#include "cli/command.h"
#include "lifecycle/predictions.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "model", .type = AS_OPTION_TEXT, .argument = "MODEL",
     .help = "whose answer it is about, when several models were asked for the request"},
    {.name = "any-label", .type = AS_OPTION_FLAG, .help = "take a label that the version does not know"},
    {.name = "db", .type = AS_OPTION_FILE, .argument = "F.db", .initial_note = AS_DATABASE_NAME " below --models",
     .help = "database that has the table predictions"},
};
/* clang-format on */
static const as_option_group group = AS_OPTION_GROUP("Feedback", rows);
static const as_option_group *const groups[] = {&group, NULL};

static int run(as_cli *cli) {
  const as_arguments *a = cli->arguments;
  const char *given = as_option_text(a, "db");
  as_database *database = NULL;
  char *path =
      given ? as_strdup(cli->ctx, given) : as_path_join(cli->ctx, as_option_text(a, "models"), AS_DATABASE_NAME);
  as_status status = path ? as_database_open(cli->ctx, path, false, &database) : AS_E_NOMEM;
  if (status == AS_OK)
    status = as_prediction_feedback(database, a->operands[0], as_option_text(a, "model"), a->operands[1],
                                    as_option_flag(a, "any-label"));
  if (status == AS_OK) as_console_note(cli->console, "%s is recorded for request %s", a->operands[1], a->operands[0]);
  as_database_close(database);
  as_free(cli->ctx, path);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_monitor_feedback = {
    .name = "monitor feedback",
    .operands = "REQUEST_ID LABEL",
    .min_operands = 2,
    .max_operands = 2,
    .operand = AS_OPERAND_TEXT,
    .summary = "record what was true for an answer that was logged",
    .groups = groups,
    .run = run,
    .description =
        "Answers that are logged (--log) have a request_id; its first 6 digits or more are enough when no other begins "
        "so. LABEL is what the answer should have been; it replaces what was recorded before. `monitor predictions` "
        "measures the models by it. Exit 3 when there is no such request, 2 for a label that the model does not know.",
    .examples = "assistify monitor feedback 38a411e909b4375362294cdd26765023 tracking\n"
                "assistify monitor feedback 38a411 angry --model sentiment --any-label"};
