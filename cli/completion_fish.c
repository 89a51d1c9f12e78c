/* The completion script for fish, from the table: a line for each option, with its help. */
#include <string.h>

#include "cli/completion.h"

static const char head[] =
    "# Completion of assistify for fish. Made by `assistify --completion=fish`.\n"
    "function __assistify_models # the models below a store: intent intent@champion intent/1\n"
    "  set -l words (commandline -opc)\n"
    "  set -l store trained_models\n"
    "  set -q ASSISTIFY_MODELS; and set store $ASSISTIFY_MODELS\n"
    "  set -l at (contains -i -- --models $words); and set store $words[(math $at + 1)]\n"
    "  set store (string replace -r '^~' $HOME -- $store)\n"
    "  for entry in $store/*/v* $store/*/champion $store/*/challenger $store/*/previous\n"
    "    test -d $entry; or continue\n"
    "    set -l parts (string split / -- $entry)\n"
    "    set -l number (string replace -rf '^v0*([0-9]+)$' '$1' -- $parts[-1])\n"
    "    if test -n \"$number\"; echo $parts[-2]; echo $parts[-2]/$number; else; echo $parts[-2]@$parts[-1]; end\n"
    "  end | sort -u\n"
    "  __fish_complete_directories (commandline -ct)\n"
    "end\n"
    "function __assistify_command # the words of the command, as far as they are there\n"
    "  set -l family\n"
    "  set -l skip 0\n"
    "  for word in (commandline -opc)[2..]\n"
    "    if test $skip = 1\n"
    "      set skip 0\n"
    "      continue\n"
    "    end\n"
    "    switch $word\n"
    "      case ";

static const char middle[] =
    "        if test -z \"$family\"; set family \"$word \"; else; echo \"$family$word\"; return; end\n"
    "      case '*'\n"
    "        echo \"$family$word\"\n"
    "        return\n"
    "    end\n"
    "  end\n"
    "  echo \"$family\"\n"
    "end\n"
    "function __assistify_is\n"
    "  test (__assistify_command | string collect -N) = \"$argv[1]\"\\n\n"
    "end\n"
    "complete -c assistify -f\n";

static void write_quoted(as_buffer *out, const char *text) {
  as_buffer_char(out, '\'');
  for (; *text; text++) {
    if (*text == '\'' || *text == '\\') as_buffer_char(out, '\\');
    as_buffer_char(out, *text);
  }
  as_buffer_char(out, '\'');
}

static void begin(as_buffer *out, const char *command) {
  as_buffer_text(out, "complete -c assistify");
  if (command) as_buffer_printf(out, " -n \"__assistify_is '%s'\"", command);
}

/* `words`: what AS_COMPLETE_WORDS offers. */
static void write_action(as_buffer *out, as_completion_kind kind, const char *words) {
  switch (kind) {
  case AS_COMPLETE_NOTHING:
    as_buffer_text(out, " -x");
    break;
  case AS_COMPLETE_WORDS:
    as_buffer_text(out, " -x -a '");
    as_completion_words(out, words);
    as_buffer_char(out, '\'');
    break;
  case AS_COMPLETE_FILE:
    as_buffer_text(out, " -r -F");
    break;
  case AS_COMPLETE_FOLDER:
    as_buffer_text(out, " -x -a '(__fish_complete_directories (commandline -ct))'");
    break;
  case AS_COMPLETE_MODEL:
    as_buffer_text(out, " -x -a '(__assistify_models)'");
    break;
  case AS_COMPLETE_COMMAND:
    as_buffer_text(out, " -x -a '(__assistify_commands)'");
    break;
  }
}

static void write_options(as_buffer *out, const as_command_table *table, const as_command *command, size_t first) {
  const as_option *option;
  for (size_t i = first; (option = as_command_option(table, command, i, NULL)); i++) {
    begin(out, command ? command->name : NULL);
    as_buffer_printf(out, " -l %s", option->name);
    if (option->short_name) as_buffer_printf(out, " -s %c", option->short_name);
    if (option->type != AS_OPTION_FLAG) write_action(out, as_completion_of_option(option), option->words);
    as_buffer_text(out, " -d ");
    write_quoted(out, option->help);
    as_buffer_char(out, '\n');
  }
}

static void write_operand(as_buffer *out, const as_command *command) {
  const as_completion_kind kind = as_completion_of_operand(command);
  if (kind == AS_COMPLETE_NOTHING) return;
  begin(out, command->name);
  if (kind == AS_COMPLETE_FILE)
    as_buffer_text(out, " -F");
  else
    write_action(out, kind, command->operands);
  as_buffer_char(out, '\n');
}

/* Prints the words that go on after the one before the cursor: those of its family, or else the first words. */
static void write_command_words(as_buffer *out, const as_command_table *table) {
  char word[AS_COMMAND_WORD];
  bool is_family;
  as_buffer_text(out, "function __assistify_commands\n  switch (commandline -opc)[-1]\n");
  for (size_t i = 0; as_completion_first_word(table, &i, word, &is_family);) {
    const size_t length = strlen(word);
    if (!is_family) continue;
    as_buffer_printf(out, "    case %s\n      printf '%%s\\n'", word);
    for (const as_command *const *at = table->commands; *at; at++)
      if (as_command_in_family(*at, word, length)) as_buffer_printf(out, " %s", (*at)->name + length + 1);
    as_buffer_char(out, '\n');
  }
  as_buffer_text(out, "    case '*'\n      printf '%s\\n'");
  for (size_t i = 0; as_completion_first_word(table, &i, word, &is_family);) as_buffer_printf(out, " %s", word);
  as_buffer_text(out, "\n  end\nend\n");
}

/* What may stand for the word of a command that comes next. */
static void write_words(as_buffer *out, const as_command_table *table) {
  char word[AS_COMMAND_WORD];
  bool is_family;
  for (size_t i = 0, at = 0; as_completion_first_word(table, &i, word, &is_family); at = i) {
    begin(out, "");
    as_buffer_printf(out, " -a %s", word);
    if (!is_family) as_buffer_text(out, " -d ");
    if (!is_family) write_quoted(out, table->commands[at]->summary);
    as_buffer_char(out, '\n');
  }
  for (const as_command *const *at = table->commands; *at; at++) {
    const char *second = strchr((*at)->name, ' ');
    if (!second) continue;
    as_buffer_printf(out, "complete -c assistify -n \"__assistify_is '%.*s '\" -a %s -d ", (int)(second - (*at)->name),
                     (*at)->name, second + 1);
    write_quoted(out, (*at)->summary);
    as_buffer_char(out, '\n');
  }
}

void as_completion_write_fish(as_buffer *out, const as_command_table *table) {
  char word[AS_COMMAND_WORD];
  bool is_family;
  as_buffer_text(out, head);
  as_completion_value_options(out, table, " ");
  as_buffer_text(out, "\n        set skip 1\n      case '-*' help\n      case");
  for (size_t i = 0; as_completion_first_word(table, &i, word, &is_family);)
    if (is_family) as_buffer_printf(out, " %s", word);
  as_buffer_char(out, '\n');
  as_buffer_text(out, middle);
  write_command_words(out, table);
  write_words(out, table);
  write_options(out, table, NULL, 0);
  for (const as_command *const *at = table->commands; *at; at++) {
    write_options(out, table, *at, table->global->count);
    write_operand(out, *at);
  }
}
