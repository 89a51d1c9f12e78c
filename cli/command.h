/* How a command of the program is made.
 *
 * A command is one file, cli/<name>.c, with three parts:
 *
 *   static const as_option rows[] = {                              // 1. its options, one row each; see cli/options.h
 *       {.name = "tokenizer", .type = AS_OPTION_FILE, .argument = "DIR|FILE", .required = true,
 *        .help = "model folder, tokenizer.json, vocab.txt or spiece.model"},
 *       {.name = "max-length", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e6,
 *        .help = "tokens kept of each text"},
 *       {.name = "decode", .type = AS_OPTION_FLAG, .help = "from ids back to text"},
 *   };
 *   static const as_option_group tokenizing = AS_OPTION_GROUP("Tokenizing", rows);
 *   static const as_option_group *const groups[] = {&tokenizing, &as_options_input, NULL};   // own and shared groups
 *
 *   static int run(as_cli *cli) {                                  // 2. what it does
 *     if (...two options that cannot go together...) return as_cli_usage(cli, "--decode needs --input");
 *     as_status status = as_tokenizer_open(cli->ctx, as_option_text(cli->arguments, "tokenizer"), &tokenizer);
 *     if (status != AS_OK) return as_cli_failed(cli, status);
 *     while (...) if (!as_console_buffer(cli->console, &line)) break;      // results; false: nobody reads any more
 *     ...
 *     return AS_EXIT_DONE;
 *   }
 *
 *   const as_command as_command_tokenize = {                       // 3. its row in the table of commands
 *       .name = "tokenize", .summary = "show what a tokenizer makes of texts", .groups = groups, .run = run};
 *
 * and one line in cli/commands.c, one in cli/local.mk. Nothing else: --help, the manual pages, completion, the
 * environment and the configuration file follow from the rows, and tests/test_cli.sh checks them. A command of two words ("train intent")
 * is a row like any other. A command that does not work yet is not in the table.
 *
 * Rules: usage is checked before the first file is opened (exit 2). Results go through cli->console to standard output,
 * everything else to standard error (as_console_note for a person, as_warn for what is wrong but not fatal). A command
 * with `.catches_signals` polls as_interrupted (cli/signals.h), saves and returns AS_EXIT_INTERRUPTED. */
#ifndef AS_CLI_COMMAND_H
#define AS_CLI_COMMAND_H

#include "base/context.h"
#include "cli/console.h"
#include "cli/options.h"
#include "models/classification_task.h"

typedef struct as_cli {
  as_context *ctx; /* with --threads; warnings go to the console */
  const as_arguments *arguments;
  as_console *console;
} as_cli;

typedef enum as_exit {
  AS_EXIT_DONE = 0,
  AS_EXIT_FAILED = 1,
  AS_EXIT_USAGE = 2,
  AS_EXIT_DATA = 3,
  AS_EXIT_MODEL = 4,
  AS_EXIT_GATE = 5,
  AS_EXIT_DIVERGED = 6,
  AS_EXIT_INTERRUPTED = 130
} as_exit;

/* What the program ends with, and what that means to the user; the row after the last has text NULL. */
typedef struct as_exit_code {
  int code;
  const char *text;
} as_exit_code;
extern const as_exit_code as_exit_codes[];

/* The exit code for a status. AS_E_INVALID is the user's to mend on the command line, so it is 2. */
int as_exit_of(as_status status);

/* Prints the context's error and returns its exit code: a command ends with `return as_cli_failed(cli, status)`. An
 * interruption is the user's wish: it prints the text as a note. */
int as_cli_failed(as_cli *cli, as_status status);
/* Prints a usage error with a hint at --help; returns AS_EXIT_USAGE. */
int as_cli_usage(as_cli *cli, const char *format, ...) AS_PRINTF(2, 3);

/* The path given with `option`, or else `name` ("intent_classifier") below --models. NULL on failure; caller frees with
 * as_free. */
char *as_cli_model_folder(as_cli *cli, const char *option, const char *name);

/* The task that the command's second word names: "train intent". */
const as_classification_task *as_cli_task(const as_cli *cli);

/* The configuration file that is read where the program runs, unless another is named. */
#define AS_CONFIG_NAME "assistify.conf"

/* All commands, and the global options. */
extern const as_command_table as_commands;

/* ---- what help.c, manual.c, completion*.c and version.c print ----------------------------------------------- */
/* The list of commands (command and family NULL), of those of a family, or a command's own page. At most 80 columns. */
void as_help_write(as_buffer *out, const as_command_table *table, const as_command *command, const char *family);
/* A manual page in man(7): a command's own, or assistify(1) with `command` NULL. */
void as_manual_write(as_buffer *out, const as_command_table *table, const as_command *command);
#define AS_MANUAL_NAME 96 /* bytes with the NUL */
/* "assistify-train-intent"; "assistify" with `command` NULL. */
void as_manual_name(const as_command *command, char *name, size_t size);
/* The completion script for "bash", "zsh" or "fish". */
void as_completion_write(as_buffer *out, const as_command_table *table, const char *shell);
void as_version_write(as_buffer *out, as_context *ctx);
/* Appends `text` broken at blanks to lines of at most 79 columns; `column` is where it begins, `indent` where the
 * following lines do. An empty line in the text stays. */
void as_text_wrap(as_buffer *out, const char *text, size_t column, size_t indent);
/* "N (default 3)", "one of a, b or c": what help and manual add to an option's text. */
void as_option_remarks(const as_option *option, as_buffer *out);
/* "--batch N", "--json", "--schedule linear|cosine": an option with its value. */
void as_option_label(const as_option *option, as_buffer *out);

#endif
