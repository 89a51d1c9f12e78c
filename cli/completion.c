/* See completion.h. */
#include "cli/completion.h"

#include <stdio.h>
#include <string.h>

as_completion_kind as_completion_of_option(const as_option *option) {
  if (option->words) return AS_COMPLETE_WORDS;
  if (option->argument && strcmp(option->argument, "MODEL") == 0) return AS_COMPLETE_MODEL;
  if (option->type == AS_OPTION_FOLDER) return AS_COMPLETE_FOLDER;
  return option->type == AS_OPTION_FILE ? AS_COMPLETE_FILE : AS_COMPLETE_NOTHING;
}

as_completion_kind as_completion_of_operand(const as_command *command) {
  if (!command->operands) return AS_COMPLETE_NOTHING;
  if (command->operand == AS_OPERAND_MODEL || strstr(command->operands, "MODEL")) return AS_COMPLETE_MODEL;
  if (strstr(command->operands, "COMMAND")) return AS_COMPLETE_COMMAND;
  if (strchr(command->operands, '|')) return AS_COMPLETE_WORDS;
  return command->operand == AS_OPERAND_FOLDER ? AS_COMPLETE_FOLDER : AS_COMPLETE_FILE;
}

const char *as_completion_first_word(const as_command_table *table, size_t *index, char word[AS_COMMAND_WORD],
                                     bool *is_family) {
  const as_command *command = table->commands[*index];
  if (!command) return NULL;
  const size_t length = strcspn(command->name, " ");
  snprintf(word, AS_COMMAND_WORD, "%.*s", (int)length, command->name);
  *is_family = command->name[length] == ' ';
  /* Commands of one first word stand together in the table. */
  do ++*index;
  while (table->commands[*index] && *is_family && as_command_in_family(table->commands[*index], word, length));
  return word;
}

void as_completion_value_options(as_buffer *out, const as_command_table *table, const char *between) {
  const char *before = "";
  for (size_t i = 0; i < table->global->count; i++) {
    if (table->global->options[i].type == AS_OPTION_FLAG) continue;
    as_buffer_printf(out, "%s--%s", before, table->global->options[i].name);
    before = between;
  }
}

void as_completion_words(as_buffer *out, const char *words) {
  for (; *words; words++)
    if (!strchr("[].", *words)) as_buffer_char(out, *words == '|' ? ' ' : *words);
}

void as_completion_write(as_buffer *out, const as_command_table *table, const char *shell) {
  if (strcmp(shell, "zsh") == 0)
    as_completion_write_zsh(out, table);
  else if (strcmp(shell, "fish") == 0)
    as_completion_write_fish(out, table);
  else
    as_completion_write_bash(out, table);
}
