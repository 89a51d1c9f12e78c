/* The completion script for bash, from the table. It only reads words: completing never runs the program. */
#include <string.h>

#include "cli/command.h"

static const char head[] =
    "# Completion of assistify for bash. Made by `assistify --completion`.\n"
    "_assistify()\n"
    "{\n"
    "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "  local command='' family='' word i options='' values='' kind='' IFS=$' \\t\\n'\n"
    "  # bash cuts --name=value into three words\n"
    "  if [[ $cur == '=' ]]; then cur=''; elif [[ $prev == '=' ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
    "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "    word=${COMP_WORDS[i]}\n"
    "    case $word in\n";

static const char tail[] =
    "  COMPREPLY=()\n"
    "  case $kind in\n"
    "    words) COMPREPLY=($(compgen -W \"$values\" -- \"$cur\")); return ;;\n"
    "    none) return ;;\n"
    "  esac\n"
    "  if [[ $kind == '' && $cur == -* ]]; then COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")); return; fi\n"
    "  IFS=$'\\n'\n"
    "  compopt -o filenames 2>/dev/null\n"
    "  if [[ $kind == folder ]]; then COMPREPLY=($(compgen -d -- \"$cur\")); return; fi\n"
    "  COMPREPLY=($(compgen -f -- \"$cur\"))\n"
    "}\n"
    "complete -F _assistify assistify\n";

static const char *kind_of(const as_option *option) {
  if (option->words) return "words";
  if (option->type == AS_OPTION_FOLDER) return "folder";
  return option->type == AS_OPTION_FILE ? "file" : "none";
}

static void words(as_buffer *out, const char *text) {
  for (; *text; text++) as_buffer_char(out, *text == '|' ? ' ' : *text);
}

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
    as_buffer_printf(out, ") kind=%s", kind_of(option));
    if (option->words) {
      as_buffer_text(out, " values='");
      words(out, option->words);
      as_buffer_char(out, '\'');
    }
    as_buffer_text(out, " ;;\n");
  }
  as_buffer_printf(out, "%sesac\n", indent);
}

/* The first words of all commands, or the second ones of a family; each once. */
static void write_names(as_buffer *out, const as_command_table *table, const char *family) {
  const char *last = "";
  size_t last_length = 0;
  for (const as_command *const *at = table->commands; *at; at++) {
    const char *name = (*at)->name;
    if (family && !as_command_in_family(*at, family, strlen(family))) continue;
    if (family) name += strlen(family) + 1;
    size_t length = strcspn(name, " ");
    if (length == last_length && memcmp(name, last, length) == 0) continue;
    as_buffer_char(out, ' ');
    as_buffer_append(out, name, length);
    last = name;
    last_length = length;
  }
}

/* Calls for the first command of each family; commands of one family stand together in the table. */
static bool begins_family(const as_command *const *commands, size_t index, char family[32]) {
  const char *space = strchr(commands[index]->name, ' ');
  if (!space) return false;
  size_t length = (size_t)(space - commands[index]->name);
  if (index > 0 && as_command_in_family(commands[index - 1], commands[index]->name, length)) return false;
  memcpy(family, commands[index]->name, length);
  family[length] = 0;
  return true;
}

void as_completion_write(as_buffer *out, const as_command_table *table) {
  char family[32];
  as_buffer_text(out, head);
  as_buffer_text(out, "      ");
  const char *bar = "";
  for (size_t i = 0; i < table->global->count; i++) {
    if (table->global->options[i].type == AS_OPTION_FLAG) continue;
    as_buffer_printf(out, "%s--%s", bar, table->global->options[i].name);
    bar = "|";
  }
  as_buffer_text(out, ") i=$((i + 1)); [[ ${COMP_WORDS[i]} == '=' ]] && i=$((i + 1)) ;;\n      -*|help) ;;\n");
  for (size_t i = 0; table->commands[i]; i++)
    if (begins_family(table->commands, i, family))
      as_buffer_printf(out, "      %s) if [[ $family$command == '' ]]; then family=%s; fi ;;\n", family, family);
  as_buffer_text(out, "      *) if [[ $command == '' ]]; then command=\"${family:+$family }$word\"; fi ;;\n"
                      "    esac\n"
                      "    if [[ $command != '' ]]; then break; fi\n"
                      "  done\n");
  write_rows(out, table, NULL, 0, "  ");
  as_buffer_text(out,
                 "  case $command in\n    '')\n      if [[ $kind == '' && $cur != -* ]]; then\n        kind=words\n"
                 "        case $family in\n          '') values='help");
  write_names(out, table, NULL);
  as_buffer_text(out, "' ;;\n");
  for (size_t i = 0; table->commands[i]; i++)
    if (begins_family(table->commands, i, family)) {
      as_buffer_printf(out, "          %s) values='", family);
      write_names(out, table, family);
      as_buffer_text(out, "' ;;\n");
    }
  as_buffer_text(out, "        esac\n      fi ;;\n");
  for (const as_command *const *at = table->commands; *at; at++) {
    as_buffer_printf(out, "    '%s')\n", (*at)->name);
    write_rows(out, table, *at, table->global->count, "      ");
    if ((*at)->operand == AS_OPERAND_FOLDER)
      as_buffer_text(out, "      if [[ $kind == '' && $cur != -* ]]; then kind=folder; fi\n");
    as_buffer_text(out, "      ;;\n");
  }
  as_buffer_text(out, "  esac\n");
  as_buffer_text(out, tail);
}
