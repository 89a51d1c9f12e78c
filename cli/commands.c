/* The table of all commands, the options that every command has, and what the exit codes mean. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/command.h"

extern const as_command as_command_bench_generate, as_command_bench_infer, as_command_bench_kernels,
    as_command_bench_recommend, as_command_bench_tokenize, as_command_bench_train;
extern const as_command as_command_config_check, as_command_config_example, as_command_config_show;
extern const as_command as_command_data_check, as_command_data_split, as_command_data_synth;
extern const as_command as_command_doctor;
extern const as_command as_command_inspect_generate, as_command_inspect_lightfm;
extern const as_command as_command_evaluate_recommend, as_command_recommend, as_command_similar, as_command_train_recommend;
extern const as_command as_command_inspect_model, as_command_inspect_run, as_command_inspect_train;
extern const as_command as_command_metrics;
extern const as_command as_command_pretrain;
extern const as_command as_command_respond;
extern const as_command as_command_monitor_drift, as_command_monitor_feedback, as_command_monitor_metrics, as_command_monitor_predictions;
extern const as_command as_command_retrain;
extern const as_command as_command_models_export, as_command_models_import, as_command_models_list,
    as_command_models_promote, as_command_models_prune, as_command_models_rollback, as_command_models_show,
    as_command_models_verify;
extern const as_command as_command_compare_intent, as_command_compare_sentiment, as_command_compare_response,
    as_command_compare_recommend;
extern const as_command as_command_train_response, as_command_evaluate_response;
extern const as_command as_command_tokenize;
extern const as_command as_command_analyze, as_command_train_all;
extern const as_command as_command_train_intent, as_command_predict_intent, as_command_evaluate_intent;
extern const as_command as_command_train_sentiment, as_command_predict_sentiment, as_command_evaluate_sentiment;

static const as_command *const commands[] = {
    &as_command_bench_generate,
    &as_command_bench_infer,
    &as_command_bench_kernels,
    &as_command_bench_recommend,
    &as_command_bench_tokenize,
    &as_command_bench_train,
    &as_command_train_all,
    &as_command_train_intent,
    &as_command_train_sentiment,
    &as_command_train_response,
    &as_command_train_recommend,
    &as_command_pretrain,
    &as_command_evaluate_intent,
    &as_command_evaluate_sentiment,
    &as_command_evaluate_recommend,
    &as_command_evaluate_response,
    &as_command_compare_intent,
    &as_command_compare_sentiment,
    &as_command_compare_response,
    &as_command_compare_recommend,
    &as_command_predict_intent,
    &as_command_predict_sentiment,
    &as_command_respond,
    &as_command_analyze,
    &as_command_retrain,
    &as_command_data_check,
    &as_command_data_split,
    &as_command_data_synth,
    &as_command_config_show,
    &as_command_config_check,
    &as_command_config_example,
    &as_command_doctor,
    &as_command_inspect_lightfm,
    &as_command_inspect_model,
    &as_command_inspect_run,
    &as_command_inspect_train,
    &as_command_inspect_generate,
    &as_command_metrics,
    &as_command_models_list,
    &as_command_models_show,
    &as_command_models_promote,
    &as_command_models_rollback,
    &as_command_models_verify,
    &as_command_models_prune,
    &as_command_models_export,
    &as_command_models_import,
    &as_command_monitor_metrics,
    &as_command_monitor_predictions,
    &as_command_monitor_feedback,
    &as_command_monitor_drift,
    &as_command_recommend,
    &as_command_similar,
    &as_command_tokenize,
    NULL,
};

/* clang-format off */
static const as_option global_rows[] = {
    {.name = "threads", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1024,
     .initial_note = "the processors that this process may use",
     .help = "threads that compute; the results do not depend on it"},
    {.name = "models", .type = AS_OPTION_FOLDER, .argument = "DIR", .initial = "trained_models",
     .help = "the model store: a folder for each model, in it its versions"},
    {.name = "quiet", .short_name = 'q', .type = AS_OPTION_FLAG,
     .help = "no progress and no notes; warnings and errors remain"},
    {.name = "config", .type = AS_OPTION_FILE, .argument = "FILE", .command_line_only = true,
     .initial_note = "ASSISTIFY_CONFIG, or else " AS_CONFIG_NAME " here, if there is one",
     .help = "configuration file with defaults for options"},
    {.name = "help", .short_name = 'h', .type = AS_OPTION_FLAG, .instead_of_command = true,
     .help = "print what can be done, or a command's options"},
    {.name = "version", .type = AS_OPTION_FLAG, .instead_of_command = true,
     .help = "print the build, the instruction set and the libraries"},
    {.name = "manual", .type = AS_OPTION_FLAG, .instead_of_command = true,
     .help = "print the manual page of the program or of a command, for man -l -"},
    {.name = "completion", .type = AS_OPTION_FLAG, .instead_of_command = true, .words = "bash|zsh|fish",
     .help = "print the completion script for a shell, bash if none is named"},
};
/* clang-format on */
static const as_option_group global = AS_OPTION_GROUP("Global options", global_rows);

const as_command_table as_commands = {.commands = commands, .global = &global};

const as_exit_code as_exit_codes[] = {
    {AS_EXIT_DONE, "done"},
    {AS_EXIT_FAILED, "failed"},
    {AS_EXIT_USAGE, "wrong usage: an unknown option, a value out of range, options that contradict each other"},
    {AS_EXIT_DATA, "a data file is absent or wrong; the message names the file and the line"},
    {AS_EXIT_MODEL, "a model folder is absent or wrong; the message names the file and the tensor or field"},
    {AS_EXIT_GATE, "a gate was not passed"},
    {AS_EXIT_DIVERGED, "training diverged: a loss or a gradient was not finite"},
    {AS_EXIT_INTERRUPTED, "interrupted by SIGINT or SIGTERM, with the state saved"},
    {0, NULL},
};

int as_exit_of(as_status status) {
  static const int codes[] = {
      [AS_OK] = AS_EXIT_DONE,
      [AS_E_NOMEM] = AS_EXIT_FAILED,
      [AS_E_INVALID] = AS_EXIT_USAGE,
      [AS_E_IO] = AS_EXIT_FAILED,
      [AS_E_DATA] = AS_EXIT_DATA,
      [AS_E_MODEL] = AS_EXIT_MODEL,
      [AS_E_LIMIT] = AS_EXIT_FAILED,
      [AS_E_DIVERGED] = AS_EXIT_DIVERGED,
      [AS_E_INTERRUPTED] = AS_EXIT_INTERRUPTED,
      [AS_E_UNSUPPORTED] = AS_EXIT_FAILED,
  };
  return (size_t)status < sizeof codes / sizeof codes[0] ? codes[status] : AS_EXIT_FAILED;
}

int as_cli_failed(as_cli *cli, as_status status) {
  const char *text = as_error_text(cli->ctx);
  if (!*text) text = as_status_name(status);
  if (status == AS_E_INTERRUPTED)
    as_console_note(cli->console, "%s", text);
  else
    as_console_error(cli->console, text);
  return as_exit_of(status);
}

int as_cli_usage(as_cli *cli, const char *format, ...) {
  char text[1024], hint[200];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  as_fail(cli->ctx, AS_E_INVALID, "%s", text); /* for a command that runs this one */
  as_console_error(cli->console, text);
  const as_command *command = cli->arguments ? cli->arguments->command : NULL;
  snprintf(hint, sizeof hint, "try 'assistify %s%s--help'", command ? command->name : "", command ? " " : "");
  as_console_error(cli->console, hint);
  return AS_EXIT_USAGE;
}

char *as_cli_model_folder(as_cli *cli, const char *option, const char *name) {
  const char *given = as_option_text(cli->arguments, option);
  if (given) return as_strdup(cli->ctx, given);
  return as_path_join(cli->ctx, as_option_text(cli->arguments, "models"), name);
}

const as_classification_task *as_cli_task(const as_cli *cli) {
  return as_classification_task_find(strchr(cli->arguments->command->name, ' ') + 1);
}
