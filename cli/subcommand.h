/* A command run by another one, in this process: "train all" runs "train intent", "retrain" runs "compare".
 *
 * Invariant: what the user said for all commands (configuration file, --models, --quiet ...) holds for the one that is
 * run too, and it is parsed and refused as if it had been typed. */
#ifndef AS_CLI_SUBCOMMAND_H
#define AS_CLI_SUBCOMMAND_H

#include "cli/command.h"

/* Runs the command that the words are, without the program's name: {"train", "intent", "--data", "x.csv"}. Its options
 * come from the words, then from the configuration file and the environment as for `cli`, whose global options from
 * the command line go before them: a word "--quiet" makes just this command quiet. Context and console are the
 * caller's, so the number of threads is too, whatever the words say.
 *
 * Returns the command's exit code; AS_EXIT_USAGE, with the error told, when the words are no command that can run. On
 * a failure that was told as an error as_error_text(cli->ctx) says why. The first SIGINT only sets the flag of
 * as_interrupted when either command catches signals, so a caller looks at it between two commands. */
int as_cli_run_command(as_cli *cli, const char *const *words, size_t count);

/* The same in two steps, for a caller that wants to see the options first. */
typedef struct as_subcommand {
  as_cli cli; /* with the command's arguments, as its `run` gets it; good after AS_EXIT_DONE */
  as_arguments arguments;
  const char **line; /* private, as all that follows */
  char **made;
  size_t length, made_count;
} as_subcommand;

/* Parses the words, which must outlive it, without running anything. AS_EXIT_DONE, or the exit code with the error
 * told. End with as_subcommand_end in any case; it must not be moved or copied. */
int as_subcommand_parse(as_cli *cli, const char *const *words, size_t count, as_subcommand *out);
int as_subcommand_run(as_subcommand *subcommand);
void as_subcommand_end(as_subcommand *subcommand);

#endif
