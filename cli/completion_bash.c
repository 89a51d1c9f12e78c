/* The completion script for bash, from the table. */
#include <string.h>

#include "cli/completion.h"

/* bash cuts words at '=' and '@', so --name=value and model@alias come in three; of the latter it replaces "@alias". */
static const char head[] =
    "_assistify_models() # the models below a store: intent intent@champion intent/1\n"
    "{\n"
    "  local version model\n"
    "  for version in \"$1\"/*/v[0-9]* \"$1\"/*/{champion,challenger,previous}; do\n"
    "    [[ -d $version ]] || continue\n"
    "    model=${version%/*} version=${version##*/}\n"
    "    model=${model##*/}\n"
    "    if [[ $version == v* ]]; then echo \"$model\" \"$model/$((10#${version#v}))\"; else echo \"$model@$version\"; "
    "fi\n"
    "  done\n"
    "}\n"
    "_assistify()\n"
    "{\n"
    "  local cur=${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1)) before='' store=${ASSISTIFY_MODELS:-trained_models}\n"
    "  local command='' family='' word prev i options='' values='' kind='' IFS=$' \\t\\n'\n"
    "  if [[ $cur == '@' ]]; then cur='' at=$((at + 1)); fi\n"
    "  if [[ ${COMP_WORDS[at]} == '@' ]]; then before=${COMP_WORDS[at-1]}@ at=$((at - 2)); fi\n"
    "  if [[ $cur == '=' ]]; then cur='' at=$((at + 1)); fi\n"
    "  if [[ ${COMP_WORDS[at]} == '=' ]]; then at=$((at - 1)); fi\n"
    "  prev=${COMP_WORDS[at]}\n"
    "  for ((i = 1; i < at; i++)); do\n"
    "    if [[ ${COMP_WORDS[i]} == --models ]]; then\n"
    "      store=${COMP_WORDS[i+1]}\n"
    "      [[ $store == '=' ]] && store=${COMP_WORDS[i+2]}\n"
    "      store=${store/#\\~/$HOME}\n"
    "    fi\n"
    "  done\n"
    "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "    word=${COMP_WORDS[i]}\n"
    "    case $word in\n";

static const char tail[] =
    "  COMPREPLY=()\n"
    "  case $kind in\n"
    "    words) COMPREPLY=($(compgen -W \"$values\" -- \"$cur\")); return ;;\n"
    "    none) return ;;\n"
    "    model)\n"
    "      COMPREPLY=($(compgen -W \"$(_assistify_models \"$store\" | tr ' ' '\\n' | sort -u)\" -- \"$before$cur\"))\n"
    "      COMPREPLY=(\"${COMPREPLY[@]#\"${before%@}\"}\")\n"
    "      [[ ${#COMPREPLY[@]} -gt 0 || $before != '' ]] && return\n"
    "      kind=folder ;;\n"
    "  esac\n"
    "  if [[ $kind == '' && $cur == -* ]]; then COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")); return; fi\n"
    "  IFS=$'\\n'\n"
    "  compopt -o filenames 2>/dev/null\n"
    "  if [[ $kind == folder ]]; then COMPREPLY=($(compgen -d -- \"$cur\")); return; fi\n"
    "  COMPREPLY=($(compgen -f -- \"$cur\"))\n"
    "}\n"
    "complete -F _assistify assistify\n";

static const char *const kinds[] = {[AS_COMPLETE_NOTHING] = "none",
                                    [AS_COMPLETE_WORDS] = "words",
                                    [AS_COMPLETE_FILE] = "file",
                                    [AS_COMPLETE_FOLDER] = "folder",
                                    [AS_COMPLETE_MODEL] = "model"};

/* options='...' and the kinds of values for the rows from `first` on. */
static void write_rows(as_buffer *out, const as_command_table *table, const as_command *command, size_t first,
                       const char *indent) {
  const as_option *option;
  as_buffer_printf(out, "%soptions+='", indent);
  for (size_t i = first; (option = as_command_option(table, command, i, NULL)); i++)
    as_buffer_printf(out, " --%s", option->name);
  as_buffer_printf(out, "'\n%scase $prev in\n", indent);
  for (size_t i = first; (option = as_command_option(table, command, i, NULL)); i++) {
    if (option->type == AS_OPTION_FLAG) continue;
    as_buffer_printf(out, "%s  --%s", indent, option->name);
    if (option->short_name) as_buffer_printf(out, "|-%c", option->short_name);
    as_buffer_printf(out, ") kind=%s", kinds[as_completion_of_option(option)]);
    if (option->words) {
      as_buffer_text(out, " values='");
      as_completion_words(out, option->words);
      as_buffer_char(out, '\'');
    }
    as_buffer_text(out, " ;;\n");
  }
  as_buffer_printf(out, "%sesac\n", indent);
}

/* _assistify_commands FAMILY: the second words of a family, or else the first words of all commands. */
static void write_command_words(as_buffer *out, const as_command_table *table) {
  char word[AS_COMMAND_WORD];
  bool is_family;
  as_buffer_text(out, "_assistify_commands()\n{\n  case $1 in\n");
  for (size_t i = 0; as_completion_first_word(table, &i, word, &is_family);) {
    const size_t length = strlen(word);
    if (!is_family) continue;
    as_buffer_printf(out, "    %s) echo '", word);
    for (const as_command *const *at = table->commands; *at; at++)
      if (as_command_in_family(*at, word, length)) as_buffer_printf(out, " %s", (*at)->name + length + 1);
    as_buffer_text(out, "' ;;\n");
  }
  as_buffer_text(out, "    *) echo '");
  for (size_t i = 0; as_completion_first_word(table, &i, word, &is_family);) as_buffer_printf(out, " %s", word);
  as_buffer_text(out, "' ;;\n  esac\n}\n");
}

/* The words of the command line, until the command is known. */
static void write_search(as_buffer *out, const as_command_table *table) {
  char word[AS_COMMAND_WORD];
  bool is_family;
  as_buffer_text(out, "      ");
  as_completion_value_options(out, table, "|");
  as_buffer_text(out, ") i=$((i + 1)); [[ ${COMP_WORDS[i]} == '=' ]] && i=$((i + 1)) ;;\n      -*|help) ;;\n");
  for (size_t i = 0; as_completion_first_word(table, &i, word, &is_family);)
    if (is_family)
      as_buffer_printf(out, "      %s) if [[ $family == '' ]]; then family=%s; else command=\"$family $word\"; fi ;;\n",
                       word, word);
  as_buffer_text(out, "      *) command=\"${family:+$family }$word\" ;;\n"
                      "    esac\n"
                      "    if [[ $command != '' ]]; then break; fi\n"
                      "  done\n");
}

/* What is offered for an operand. */
static void write_operand(as_buffer *out, const as_command *command) {
  const as_completion_kind kind = as_completion_of_operand(command);
  if (kind == AS_COMPLETE_NOTHING || kind == AS_COMPLETE_FILE) return;
  as_buffer_text(out, "      if [[ $kind == '' && $cur != -* ]]; then ");
  if (kind == AS_COMPLETE_WORDS) {
    as_buffer_text(out, "kind=words values='");
    as_completion_words(out, command->operands);
    as_buffer_char(out, '\'');
  } else if (kind == AS_COMPLETE_COMMAND)
    as_buffer_text(out, "kind=words values=$(_assistify_commands \"$prev\")");
  else
    as_buffer_printf(out, "kind=%s", kinds[kind]);
  as_buffer_text(out, "; fi\n");
}

void as_completion_write_bash(as_buffer *out, const as_command_table *table) {
  as_buffer_text(out, "# Completion of assistify for bash. Made by `assistify --completion`.\n");
  write_command_words(out, table);
  as_buffer_text(out, head);
  write_search(out, table);
  write_rows(out, table, NULL, 0, "  ");
  as_buffer_text(out, "  case $command in\n"
                      "    '')\n"
                      "      if [[ $kind == '' && $cur != -* ]]; then\n"
                      "        kind=words values=$(_assistify_commands \"$family\")\n"
                      "        if [[ $family == '' ]]; then values+=' help'; fi\n"
                      "      fi ;;\n");
  for (const as_command *const *at = table->commands; *at; at++) {
    as_buffer_printf(out, "    '%s')\n", (*at)->name);
    write_rows(out, table, *at, table->global->count, "      ");
    write_operand(out, *at);
    as_buffer_text(out, "      ;;\n");
  }
  as_buffer_text(out, "  esac\n");
  as_buffer_text(out, tail);
}
