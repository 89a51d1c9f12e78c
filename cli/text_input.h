/* Where a command takes texts from that it answers one by one: the command line, the lines of standard input, or the
 * rows of a CSV.
 *
 * Texts come in their order. One that can't be answered is handed over as the reason, so that the command can put it in
 * the answer's place and go on. A person who types gets each answer at once. */
#ifndef AS_CLI_TEXT_INPUT_H
#define AS_CLI_TEXT_INPUT_H

#include "cli/command.h"

enum { AS_TEXT_INPUT_COLUMNS = 4 };

typedef struct as_text_input {
  const char *columns[AS_TEXT_INPUT_COLUMNS]; /* further columns of a CSV, which may be absent; ended by NULL */
  /* A text that is not blank, [length], and its values in these columns: NULL where absent or blank, as from elsewhere.
   * All is borrowed for the call. */
  as_status (*take)(void *user, const char *text, size_t length, const char *const *values);
  as_status (*refuse)(void *user, const char *why); /* a text that can't be answered */
  as_status (*answer)(void *user);                  /* somebody waits for the answers to what was taken */
  const bool *closed;                               /* nobody reads the answers any more: stops */
  void *user;
} as_text_input;

/* What commands say about it. */
#define AS_TEXT_INPUT_HELP "Without TEXT and --input, each line of standard input is a text."

/* Reads the command's operands, or what --input names ("-": a CSV from standard input; with the options of
 * as_options_csv), or with neither standard input, to the end; what was taken since the last `answer` is left to the
 * caller. The first failure of a callback is returned. */
AS_MUST_CHECK as_status as_text_input_read(as_cli *cli, const as_text_input *input);

#endif
