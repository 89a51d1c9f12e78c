/* The completion script for zsh, from the table: a function for _arguments, with the help of every option. */
#include <string.h>

#include "cli/completion.h"

static const char head[] =
    "_assistify_model() {\n"
    "  local store=${${opt_args[--models]:-${ASSISTIFY_MODELS:-trained_models}}/#\\~/$HOME} version\n"
    "  local -aU models\n"
    "  for version in $store/*/v<->(N/:A) $store/*/(champion|challenger|previous)(N); do\n"
    "    case ${version:t} in\n"
    "      v*) models+=(${version:h:t} ${version:h:t}/$((10#${${version:t}#v}))) ;;\n"
    "      *) models+=(${version:h:t}@${version:t}) ;;\n"
    "    esac\n"
    "  done\n"
    "  _alternative 'models:model:compadd -a models' 'folders:folder:_files -/'\n"
    "}\n"
    "_assistify() {\n"
    "  local -a globals options\n"
    "  local command='' family='' word=''\n"
    "  local -i i\n"
    "  for ((i = 2; i < CURRENT; i++)); do\n"
    "    word=$words[i]\n"
    "    case $word in\n";

static const char tail[] =
    "  words=(assistify \"${(@)words[i+1,-1]}\")\n"
    "  (( CURRENT -= i - 1 ))\n"
    "  _arguments -s -S : $globals $options\n"
    "}\n"
    "if [[ $funcstack[1] == _assistify ]]; then _assistify \"$@\"; else compdef _assistify assistify; fi\n";

/* Within single quotes and brackets of a specification. */
static void write_quoted(as_buffer *out, const char *text) {
  for (; *text; text++) {
    if (*text == '\'') {
      as_buffer_text(out, "'\\''");
      continue;
    }
    if (strchr("[]:\\", *text)) as_buffer_char(out, '\\');
    as_buffer_char(out, *text);
  }
}

static const char *const actions[] = {[AS_COMPLETE_NOTHING] = " ",
                                      [AS_COMPLETE_FILE] = "_files",
                                      [AS_COMPLETE_FOLDER] = "_files -/",
                                      [AS_COMPLETE_MODEL] = "_assistify_model",
                                      [AS_COMPLETE_COMMAND] = "{_assistify_commands $words[CURRENT-1]}"};

/* '--epochs=[help]:N: ' */
static void write_specification(as_buffer *out, const as_option *option, const char *name, bool takes_value) {
  as_buffer_printf(out, "    '%s%s[", name, takes_value && name[1] == '-' ? "=" : "");
  write_quoted(out, option->help);
  as_buffer_char(out, ']');
  if (takes_value) {
    const as_completion_kind kind = as_completion_of_option(option);
    as_buffer_char(out, ':');
    write_quoted(out, option->argument ? option->argument : option->name);
    as_buffer_char(out, ':');
    if (kind == AS_COMPLETE_WORDS) {
      as_buffer_char(out, '(');
      as_completion_words(out, option->words);
      as_buffer_char(out, ')');
    } else
      as_buffer_text(out, actions[kind]);
  }
  as_buffer_text(out, "'\n");
}

static void write_options(as_buffer *out, const as_command_table *table, const as_command *command, size_t first) {
  const as_option *option;
  as_buffer name;
  as_buffer_init(&name, out->ctx);
  for (size_t i = first; (option = as_command_option(table, command, i, NULL)); i++) {
    const bool takes_value = option->type != AS_OPTION_FLAG;
    as_buffer_clear(&name);
    as_buffer_printf(&name, "--%s", option->name);
    write_specification(out, option, as_buffer_string(&name), takes_value);
    if (!option->short_name) continue;
    const char letter[3] = {'-', option->short_name, 0};
    write_specification(out, option, letter, takes_value);
  }
  if (name.failed) out->failed = true;
  as_buffer_free(&name);
}

/* 'name:summary' of the commands of a family, or of all first words. */
static void write_names(as_buffer *out, const as_command_table *table, const char *family) {
  char word[AS_COMMAND_WORD];
  bool is_family;
  if (!family) {
    for (size_t i = 0, at = 0; as_completion_first_word(table, &i, word, &is_family); at = i) {
      as_buffer_printf(out, "        '%s", word);
      if (!is_family) as_buffer_char(out, ':');
      if (!is_family) write_quoted(out, table->commands[at]->summary);
      as_buffer_text(out, "'\n");
    }
    return;
  }
  for (const as_command *const *at = table->commands; *at; at++) {
    if (!as_command_in_family(*at, family, strlen(family))) continue;
    as_buffer_printf(out, "        '%s:", (*at)->name + strlen(family) + 1);
    write_quoted(out, (*at)->summary);
    as_buffer_text(out, "'\n");
  }
}

/* _assistify_commands FAMILY: the second words of a family, or else the first words of all commands. */
static void write_command_words(as_buffer *out, const as_command_table *table) {
  char word[AS_COMMAND_WORD];
  bool is_family;
  as_buffer_text(out, "_assistify_commands() {\n  local -a names\n  case $1 in\n");
  for (size_t i = 0; as_completion_first_word(table, &i, word, &is_family);) {
    if (!is_family) continue;
    as_buffer_printf(out, "    %s) names=(\n", word);
    write_names(out, table, word);
    as_buffer_text(out, "      ) ;;\n");
  }
  as_buffer_text(out, "    *) names=(\n");
  write_names(out, table, NULL);
  as_buffer_text(out, "      ) ;;\n  esac\n  _describe command names\n}\n");
}

void as_completion_write_zsh(as_buffer *out, const as_command_table *table) {
  char word[AS_COMMAND_WORD];
  bool is_family;
  as_buffer_text(out, "#compdef assistify\n"
                      "# Completion of assistify for zsh. Made by `assistify --completion=zsh`.\n");
  write_command_words(out, table);
  as_buffer_text(out, head);
  as_buffer_text(out, "      ");
  as_completion_value_options(out, table, "|");
  as_buffer_text(out, ") (( i++ )) ;;\n      -*|help) ;;\n");
  for (size_t i = 0; as_completion_first_word(table, &i, word, &is_family);)
    if (is_family)
      as_buffer_printf(out, "      %s) if [[ -z $family ]]; then family=%s; else command=\"$family $word\"; fi ;;\n",
                       word, word);
  as_buffer_text(out, "      *) command=\"${family:+$family }$word\" ;;\n"
                      "    esac\n    [[ -n $command ]] && break\n  done\n  globals=(\n");
  write_options(out, table, NULL, 0);
  as_buffer_text(out, "  )\n  case $command in\n    '')\n"
                      "      if [[ $words[CURRENT] == -* ]]; then _arguments -s : $globals; return; fi\n"
                      "      case $words[CURRENT-1] in\n        --models) _files -/; return ;;\n"
                      "        --config) _files; return ;;\n      esac\n"
                      "      _assistify_commands \"$family\"\n      return ;;\n");
  for (const as_command *const *at = table->commands; *at; at++) {
    as_buffer_printf(out, "    '%s') options=(\n", (*at)->name);
    write_options(out, table, *at, table->global->count);
    const as_completion_kind operand = as_completion_of_operand(*at);
    if (operand != AS_COMPLETE_NOTHING) {
      as_buffer_text(out, "    '*:");
      write_quoted(out, (*at)->operands);
      as_buffer_text(out, operand == AS_COMPLETE_WORDS ? ":(" : ":");
      if (operand == AS_COMPLETE_WORDS)
        as_completion_words(out, (*at)->operands);
      else
        as_buffer_text(out, actions[operand]);
      as_buffer_text(out, operand == AS_COMPLETE_WORDS ? ")'\n" : "'\n");
    }
    as_buffer_text(out, "    ) ;;\n");
  }
  as_buffer_text(out, "  esac\n");
  as_buffer_text(out, tail);
}
