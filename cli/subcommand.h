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

#endif
