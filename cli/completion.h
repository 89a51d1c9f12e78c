/* What the completion scripts of all shells have in common. They only read words and the names in the model store:
 * completing never runs the program. */
#ifndef AS_CLI_COMPLETION_H
#define AS_CLI_COMPLETION_H

#include "cli/command.h"

#define AS_COMMAND_WORD 32 /* bytes of a command's first word with its NUL */

typedef enum as_completion_kind {
  AS_COMPLETE_NOTHING,
  AS_COMPLETE_WORDS, /* the option's, or those that the operands are */
  AS_COMPLETE_FILE,
  AS_COMPLETE_FOLDER,
  AS_COMPLETE_MODEL,  /* a model of the store, or a folder */
  AS_COMPLETE_COMMAND /* the words of a command; of operands only */
} as_completion_kind;

as_completion_kind as_completion_of_option(const as_option *option);
as_completion_kind as_completion_of_operand(const as_command *command);

/* The next of the first words of all commands, each once, from *index on: "train", "doctor". NULL at the end.
 * *is_family: commands of two words begin with it. `word` holds it. */
const char *as_completion_first_word(const as_command_table *table, size_t *index, char word[AS_COMMAND_WORD],
                                     bool *is_family);
/* Appends the names of the global options that take a value, "--" before and `between` between them. */
void as_completion_value_options(as_buffer *out, const as_command_table *table, const char *between);
/* Appends "a b c" for "a|b|c" and "[a|b|c]...". */
void as_completion_words(as_buffer *out, const char *words);

void as_completion_write_bash(as_buffer *out, const as_command_table *table);
void as_completion_write_zsh(as_buffer *out, const as_command_table *table);
void as_completion_write_fish(as_buffer *out, const as_command_table *table);

#endif
