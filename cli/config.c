/* The configuration file: `key = value`, one a line, the keys being the names of options.
 *
 *   # a comment
 *   threads = 2
 *   [train]            # for every command that begins with this word
 *   epochs = 5
 *   [train intent]     # for this command alone; wins over [train], which wins over what stands before all sections
 *   out = "runs/no 7"  # quotes keep blanks and '#'; in them \" \\ \n \t
 *
 * A key that no command knows is an error, with its line; one that another command knows is passed over. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/options.h"

#define LARGEST_CONFIG (1u << 20)

typedef struct reader {
  as_arguments *arguments;
  const char *path;
  size_t line;
  const char *section; /* NULL before the first */
  int rank;            /* of the section for the command: as as_value.section; -1: not for this command */
} reader;

static bool blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

static char *trim(char *text) {
  while (blank(*text)) text++;
  size_t length = strlen(text);
  while (length && blank(text[length - 1])) text[--length] = 0;
  return text;
}

static bool in_section(const as_command *command, const char *section) {
  return !section || strcmp(command->name, section) == 0 || as_command_in_family(command, section, strlen(section));
}

static as_status open_section(reader *r, char *text) {
  as_context *ctx = r->arguments->ctx;
  const as_command_table *table = r->arguments->table;
  size_t length = strlen(text);
  if (text[length - 1] != ']')
    return as_fail(ctx, AS_E_INVALID, "%s: line %zu: the section has no closing ']'", r->path, r->line);
  text[length - 1] = 0;
  r->section = trim(text + 1);
  as_suggestion near = as_suggestion_start(r->section);
  bool known = false;
  for (const as_command *const *at = table->commands; *at; at++) {
    known = known || in_section(*at, r->section);
    as_suggestion_offer(&near, (*at)->name);
  }
  const as_command *command = r->arguments->command;
  r->rank = !command || !in_section(command, r->section) ? -1 : strcmp(command->name, r->section) == 0 ? 2 : 1;
  if (known) return AS_OK;
  if (near.best)
    return as_fail(ctx, AS_E_INVALID, "%s: line %zu: [%s] is no command (did you mean [%s]?)", r->path, r->line,
                   r->section, near.best);
  return as_fail(ctx, AS_E_INVALID, "%s: line %zu: [%s] is no command", r->path, r->line, r->section);
}

/* The row of the key for some command of the section, or an error. */
static as_status find_key(const reader *r, const char *key, const as_option **out) {
  as_context *ctx = r->arguments->ctx;
  const as_command_table *table = r->arguments->table;
  as_suggestion near = as_suggestion_start(key);
  for (const as_command *const *at = table->commands; *at; at++) {
    if (!in_section(*at, r->section)) continue;
    for (size_t i = 0; (*out = as_command_option(table, *at, i, NULL)); i++) {
      bool allowed = !(*out)->command_line_only && !(*out)->instead_of_command;
      if (strcmp((*out)->name, key) == 0) {
        if (allowed) return AS_OK;
        return as_fail(ctx, AS_E_INVALID, "%s: line %zu: %s stands on the command line only", r->path, r->line, key);
      }
      if (allowed) as_suggestion_offer(&near, (*out)->name);
    }
  }
  if (near.best)
    return as_fail(ctx, AS_E_INVALID, "%s: line %zu: no option is called '%s' (did you mean '%s'?)", r->path, r->line,
                   key, near.best);
  return as_fail(ctx, AS_E_INVALID, "%s: line %zu: no option is called '%s'%s%s%s", r->path, r->line, key,
                 r->section ? " in [" : "", r->section ? r->section : "", r->section ? "]" : "");
}

/* Takes quotes or a comment away, in place. */
static as_status read_value(const reader *r, char *text, char **out) {
  as_context *ctx = r->arguments->ctx;
  *out = text;
  if (*text != '"') {
    char *comment = text;
    while (*comment && !(*comment == '#' && (comment == text || blank(comment[-1])))) comment++;
    *comment = 0;
    *out = trim(text);
    return AS_OK;
  }
  char *to = text, *at = text + 1;
  for (; *at && *at != '"'; at++) {
    if (*at == '\\') {
      static const char letters[] = "\"\\nt", meant[] = "\"\\\n\t";
      const char *letter = at[1] ? strchr(letters, at[1]) : NULL;
      if (!letter)
        return as_fail(ctx, AS_E_INVALID, "%s: line %zu: in quotes '\\' goes before \", \\, n or t", r->path, r->line);
      *to++ = meant[letter - letters];
      at++;
    } else
      *to++ = *at;
  }
  if (*at != '"') return as_fail(ctx, AS_E_INVALID, "%s: line %zu: the quote is not closed", r->path, r->line);
  at = trim(at + 1);
  if (*at && *at != '#')
    return as_fail(ctx, AS_E_INVALID, "%s: line %zu: '%s' after the closing quote", r->path, r->line, at);
  *to = 0;
  return AS_OK;
}

static as_status store(const reader *r, const as_option *option, const char *text) {
  as_arguments *a = r->arguments;
  as_value *value = NULL;
  for (size_t i = 0; i < a->value_count && !value; i++)
    if (a->values[i].option == option || strcmp(a->values[i].option->name, option->name) == 0) value = &a->values[i];
  if (!value || r->rank < 0) return AS_OK;
  if (value->source == AS_FROM_CONFIG && value->section == r->rank)
    return as_fail(a->ctx, AS_E_INVALID, "%s: line %zu: %s was given in line %zu already", r->path, r->line,
                   option->name, value->line);
  char who[600];
  snprintf(who, sizeof who, "%.400s: line %zu: %s", r->path, r->line, option->name);
  as_value read = {.option = value->option, .source = AS_FROM_CONFIG, .line = r->line, .section = r->rank};
  as_status status = as_value_set(a->ctx, &read, text, who);
  if (status != AS_OK) return status;
  bool weaker = value->source == AS_FROM_COMMAND_LINE || (value->source == AS_FROM_CONFIG && value->section > r->rank);
  if (!weaker) *value = read;
  return AS_OK;
}

static as_status read_line(reader *r, char *line) {
  as_context *ctx = r->arguments->ctx;
  line = trim(line);
  if (*line == 0 || *line == '#') return AS_OK;
  if (*line == '[') {
    char *end = strchr(line, ']');
    if (end) {
      char *rest = trim(end + 1);
      if (*rest && *rest != '#')
        return as_fail(ctx, AS_E_INVALID, "%s: line %zu: '%s' after the section's ']'", r->path, r->line, rest);
      end[1] = 0;
    }
    return open_section(r, line);
  }
  char *equals = strchr(line, '=');
  if (!equals) return as_fail(ctx, AS_E_INVALID, "%s: line %zu: 'key = value' is expected", r->path, r->line);
  *equals = 0;
  char *key = trim(line), *value;
  const as_option *option;
  as_status status = find_key(r, key, &option);
  if (status == AS_OK) status = read_value(r, trim(equals + 1), &value);
  return status == AS_OK ? store(r, option, value) : status;
}

as_status as_config_apply(as_arguments *arguments, const char *path) {
  size_t length;
  as_status status = as_file_read(arguments->ctx, path, LARGEST_CONFIG, AS_E_INVALID, &arguments->config_text, &length);
  if (status != AS_OK) return as_fail_prefix(arguments->ctx, status, "the configuration file");
  arguments->config_path = path;
  char *text = arguments->config_text;
  if (strlen(text) != length)
    return as_fail(arguments->ctx, AS_E_INVALID, "%s: holds a NUL byte: this is no configuration file", path);
  if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3;
  reader r = {.arguments = arguments, .path = path};
  while (status == AS_OK && text) {
    char *end = strchr(text, '\n');
    if (end) *end++ = 0;
    r.line++;
    status = read_line(&r, text);
    text = end;
  }
  return status;
}
