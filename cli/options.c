/* The command line, read by the table.
 *
 * Two passes: the first finds the command, which may stand after global options; the second reads every argument by the
 * rows of that command. What contradicts or is missing is looked for last, when the configuration is known. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "cli/options.h"

const as_option *as_command_option(const as_command_table *table, const as_command *command, size_t index,
                                   const as_option_group **group) {
  const as_option_group *const *groups = command && command->groups ? command->groups : NULL;
  const as_option_group *at = table->global;
  for (size_t g = 0; at; at = groups ? groups[g++] : NULL) {
    if (index < at->count) {
      if (group) *group = at;
      return &at->options[index];
    }
    index -= at->count;
  }
  return NULL;
}

const as_command *as_command_find(const as_command_table *table, const char *name, size_t length) {
  for (const as_command *const *at = table->commands; *at; at++)
    if (strlen((*at)->name) == length && memcmp((*at)->name, name, length) == 0) return *at;
  return NULL;
}

bool as_command_in_family(const as_command *command, const char *family, size_t length) {
  return strncmp(command->name, family, length) == 0 && command->name[length] == ' ';
}

static bool family_exists(const as_command_table *table, const char *family) {
  for (const as_command *const *at = table->commands; *at; at++)
    if (as_command_in_family(*at, family, strlen(family))) return true;
  return false;
}

/* ---- finding the command ------------------------------------------------------------------------------------ */

typedef struct place {
  int words[3]; /* indices in argv of "help" and of the command's words; 0: none */
  int count;
  bool help; /* the first word is "help" */
} place;

static const as_option *find_global(const as_command_table *table, const char *argument) {
  for (size_t i = 0; i < table->global->count; i++) {
    const as_option *option = &table->global->options[i];
    size_t length = strlen(option->name);
    if (strncmp(argument, "--", 2) == 0) {
      if (strncmp(argument + 2, option->name, length) == 0 &&
          (argument[2 + length] == 0 || argument[2 + length] == '='))
        return option;
    } else if (option->short_name && argument[1] == option->short_name)
      return option;
  }
  return NULL;
}

/* Whether `argument`, an option's own, takes the next one as its value. */
static bool takes_next(const as_option *option, const char *argument) {
  if (option->type == AS_OPTION_FLAG) return false;
  return argument[1] == '-' ? strchr(argument, '=') == NULL : argument[2] == 0;
}

static place find_words(const as_command_table *table, int argc, const char *const *argv) {
  place at = {{0}, 0, false};
  int wanted = 1;
  for (int i = 1; i < argc && at.count < wanted; i++) {
    if (argv[i][0] != '-' || argv[i][1] == 0) {
      at.words[at.count++] = i;
      if (at.count == 1 && strcmp(argv[i], "help") == 0) {
        at.help = true;
        wanted = 2;
      } else if (at.count == 1 + at.help && family_exists(table, argv[i]))
        wanted = at.count + 1;
      continue;
    }
    const as_option *option = find_global(table, argv[i]);
    if (!option) break; /* the second pass says what is wrong with it */
    if (takes_next(option, argv[i])) i++;
  }
  return at;
}

static as_status unknown_command(as_context *ctx, const as_command_table *table, const char *name) {
  as_suggestion near = as_suggestion_start(name);
  for (const as_command *const *at = table->commands; *at; at++) {
    as_suggestion_offer(&near, (*at)->name);
    const char *space = strchr((*at)->name, ' ');
    char first[32];
    if (!space || strchr(name, ' ')) continue;
    snprintf(first, sizeof first, "%.*s", (int)(space - (*at)->name), (*at)->name);
    size_t before = near.distance;
    as_suggestion_offer(&near, first);
    if (near.distance < before) near.best = (*at)->name; /* the whole name lives on, the first word alone does not */
  }
  if (near.best) return as_fail(ctx, AS_E_INVALID, "there is no command '%s' (did you mean '%s'?)", name, near.best);
  return as_fail(ctx, AS_E_INVALID, "there is no command '%s'", name);
}

static as_status missing_word(as_context *ctx, const as_command_table *table, const char *family) {
  char names[400] = "";
  size_t used = 0;
  for (const as_command *const *at = table->commands; *at; at++)
    if (as_command_in_family(*at, family, strlen(family)) && used < sizeof names)
      used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                               (*at)->name + strlen(family) + 1);
  return as_fail(ctx, AS_E_INVALID, "'%s' needs to know what: %s", family, names);
}

/* Sets out->command, or out->family if only its first word is there; neither if no word is there. */
static as_status resolve(as_context *ctx, const char *const *argv, const place *at, as_arguments *out) {
  int first = at->help ? 1 : 0, words = at->count - first;
  if (words == 0) return AS_OK;
  const char *word = argv[at->words[first]];
  if (words == 1) {
    out->command = as_command_find(out->table, word, strlen(word));
    if (out->command) return AS_OK;
    if (!family_exists(out->table, word)) return unknown_command(ctx, out->table, word);
    out->family = word;
    return AS_OK;
  }
  char name[80];
  if ((size_t)snprintf(name, sizeof name, "%s %s", word, argv[at->words[first + 1]]) < sizeof name)
    out->command = as_command_find(out->table, name, strlen(name));
  return out->command ? AS_OK : unknown_command(ctx, out->table, name);
}

/* ---- reading options ---------------------------------------------------------------------------------------- */

static as_status no_such_option(const as_arguments *a, const char *argument, bool before_command) {
  as_context *ctx = a->ctx;
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)strcspn(argument, "="), argument);
  if (name[1] != '-')
    return as_fail(ctx, AS_E_INVALID, "there is no option '%s' (a text that begins with '-' goes after '--')",
                   argument);
  as_suggestion near = as_suggestion_start(name + 2);
  for (size_t i = 0; i < a->value_count; i++) as_suggestion_offer(&near, a->values[i].option->name);
  if (before_command)
    for (const as_command *const *at = a->table->commands; *at; at++) {
      const as_option *option;
      for (size_t i = 0; (option = as_command_option(a->table, *at, i, NULL)); i++)
        if (strcmp(option->name, name + 2) == 0)
          return as_fail(ctx, AS_E_INVALID, "option '%s' goes after the command it belongs to", name);
    }
  const char *command = a->command ? a->command->name : "assistify";
  if (near.best)
    return as_fail(ctx, AS_E_INVALID, "%s has no option '%s' (did you mean '--%s'?)", command, name, near.best);
  return as_fail(ctx, AS_E_INVALID, "%s has no option '%s'", command, name);
}

static as_value *find_value(const as_arguments *a, const char *name, size_t length, size_t limit) {
  for (size_t i = 0; i < limit; i++)
    if (strlen(a->values[i].option->name) == length && memcmp(a->values[i].option->name, name, length) == 0)
      return &a->values[i];
  return NULL;
}

static as_value *find_short(const as_arguments *a, char letter, size_t limit) {
  for (size_t i = 0; i < limit; i++)
    if (letter && a->values[i].option->short_name == letter) return &a->values[i];
  return NULL;
}

/* Puts what was given before in front of *text. */
static as_status join_values(as_context *ctx, as_value *value, const char **text) {
  as_buffer both;
  as_buffer_init(&both, ctx);
  as_buffer_printf(&both, "%s,%s", value->text, *text);
  char *joined = as_buffer_take(&both);
  if (!joined) return AS_E_NOMEM;
  as_free(ctx, value->joined);
  *text = value->joined = joined;
  return AS_OK;
}

/* Reads the option at argv[*index] and its value, moving *index to the last argument read. */
static as_status read_option(as_arguments *a, int argc, const char *const *argv, int *index, bool before_command) {
  const char *argument = argv[*index], *text = NULL;
  size_t limit = before_command ? a->table->global->count : a->value_count;
  as_value *value;
  char who[80];
  if (argument[1] == '-') {
    size_t length = strcspn(argument + 2, "=");
    value = find_value(a, argument + 2, length, limit);
    if (argument[2 + length]) text = argument + 3 + length;
  } else {
    value = find_short(a, argument[1], limit);
    if (value && argument[2]) {
      if (value->option->type == AS_OPTION_FLAG) return no_such_option(a, argument, before_command);
      text = argument + 2;
    }
  }
  if (!value) return no_such_option(a, argument, before_command);
  snprintf(who, sizeof who, "option --%s", value->option->name);
  if (!text && value->option->type == AS_OPTION_FLAG) text = "yes";
  if (!text) {
    const char *next = *index + 1 < argc ? argv[*index + 1] : NULL;
    bool is_option = next && strncmp(next, "--", 2) == 0 &&
                     (next[2] == 0 || find_value(a, next + 2, strcspn(next + 2, "="), a->value_count));
    if (!next || is_option) {
      char expects[600];
      as_option_expects(value->option, expects, sizeof expects);
      return as_fail(a->ctx, AS_E_INVALID, "%s needs %s%s%s%s", who, expects, next ? ", but '" : " after it",
                     next ? next : "", next ? "' follows" : "");
    }
    text = next;
    ++*index;
  }
  if (value->option->repeats && value->source == AS_FROM_COMMAND_LINE) {
    as_status status = join_values(a->ctx, value, &text);
    if (status != AS_OK) return status;
  }
  value->source = AS_FROM_COMMAND_LINE;
  return as_value_set(a->ctx, value, text, who);
}

static as_status start_values(as_arguments *a) {
  size_t count = 0;
  while (as_command_option(a->table, a->command, count, NULL)) count++;
  a->values = as_alloc_zero(a->ctx, count, sizeof *a->values);
  if (!a->values) return AS_E_NOMEM;
  for (size_t i = 0; i < count; i++) {
    a->values[i].option = as_command_option(a->table, a->command, i, NULL);
    if (!a->values[i].option->initial) continue;
    a->values[i].source = AS_FROM_INITIAL;
    as_status status = as_value_set(a->ctx, &a->values[i], a->values[i].option->initial, a->values[i].option->name);
    if (status != AS_OK) return status;
  }
  a->value_count = count;
  return AS_OK;
}

static bool is_command_word(const place *at, int index) {
  for (int i = 0; i < at->count; i++)
    if (at->words[i] == index) return true;
  return false;
}

/* Sets *alone when an option was read that stands instead of a command. */
static as_status read_all(as_arguments *a, const place *at, int argc, const char *const *argv, bool *alone) {
  int command_index = at->count ? at->words[at->count - 1] : argc;
  bool only_operands = false;
  for (int i = 1; i < argc; i++) {
    if (is_command_word(at, i)) continue;
    if (only_operands || argv[i][0] != '-' || argv[i][1] == 0) {
      a->operands[a->operand_count++] = argv[i];
      continue;
    }
    if (strcmp(argv[i], "--") == 0) {
      only_operands = true;
      continue;
    }
    as_status status = read_option(a, argc, argv, &i, i < command_index || !a->command);
    if (status != AS_OK) return status;
    for (size_t v = 0; v < a->table->global->count; v++) {
      const as_value *value = &a->values[v];
      if (!value->option->instead_of_command || !(value->integer || value->word)) continue;
      *alone = true;
      if (strcmp(value->option->name, "help") != 0) continue;
      a->help = true;
      return AS_OK;
    }
  }
  return AS_OK;
}

/* ---- what only the whole can show --------------------------------------------------------------------------- */

static bool names_option(const char *names, const char *name) {
  size_t length = strlen(name);
  for (const char *at = names; at && *at;) {
    size_t here = strcspn(at, " ");
    if (here == length && memcmp(at, name, here) == 0) return true;
    at += here + (at[here] == ' ');
  }
  return false;
}

static bool excludes(const as_arguments *a, const as_value *value, const as_value *other) {
  if (value == other || !value->option->excludes) return false;
  if (strcmp(value->option->excludes, "*") == 0) return (size_t)(other - a->values) >= a->table->global->count;
  return names_option(value->option->excludes, other->option->name);
}

/* A flag that was taken back excludes nothing. */
static bool is_set(const as_value *value) {
  return value->source > AS_FROM_INITIAL && !(value->option->type == AS_OPTION_FLAG && value->integer == 0);
}

/* Of two that contradict, the one from the stronger source stands and the other gives way. */
static as_status check_contradictions(as_arguments *a) {
  for (size_t i = 0; i < a->value_count; i++)
    for (size_t j = 0; j < a->value_count; j++) {
      as_value *one = &a->values[i], *other = &a->values[j];
      if (!is_set(one) || !is_set(other) || !excludes(a, one, other)) continue;
      if (one->source == other->source)
        return as_fail(a->ctx, AS_E_INVALID, "options --%s and --%s contradict each other: give one of them",
                       one->option->name, other->option->name);
      as_value *weaker = one->source < other->source ? one : other;
      const as_option *option = weaker->option;
      *weaker = (as_value){.option = option, .source = option->initial ? AS_FROM_INITIAL : AS_FROM_NOWHERE};
      as_status status = option->initial ? as_value_set(a->ctx, weaker, option->initial, option->name) : AS_OK;
      if (status != AS_OK) return status;
    }
  return AS_OK;
}

static as_status check_required(const as_arguments *a) {
  for (size_t i = 0; i < a->value_count; i++) {
    const as_value *value = &a->values[i];
    if (!value->option->required || value->source != AS_FROM_NOWHERE) continue;
    bool waived = false;
    for (size_t j = 0; j < a->value_count; j++)
      waived =
          waived || (is_set(&a->values[j]) && (excludes(a, &a->values[j], value) || excludes(a, value, &a->values[j])));
    if (!waived)
      return as_fail(a->ctx, AS_E_INVALID, "%s needs --%s %s: %s", a->command->name, value->option->name,
                     value->option->argument, value->option->help);
  }
  return AS_OK;
}

static as_status check_operands(const as_arguments *a) {
  const as_command *command = a->command;
  if (a->operand_count < (size_t)command->min_operands)
    return as_fail(a->ctx, AS_E_INVALID, "%s needs %s after it", command->name, command->operands);
  if (command->max_operands >= 0 && a->operand_count > (size_t)command->max_operands) {
    const char *extra = a->operands[command->max_operands];
    if (!command->operands)
      return as_fail(a->ctx, AS_E_INVALID, "%s takes options only, not '%s'", command->name, extra);
    return as_fail(a->ctx, AS_E_INVALID, "%s takes %s only; '%s' is too much", command->name, command->operands, extra);
  }
  return AS_OK;
}

/* What the file and the environment say, under what the command line said. */
static as_status read_sources(as_arguments *a, const char *config) {
  as_status status = config && *config ? as_config_apply(a, config) : AS_OK;
  if (status == AS_OK) status = as_environment_apply(a);
  return status == AS_OK ? check_contradictions(a) : status;
}

as_status as_options_parse(as_context *ctx, const as_command_table *table, int argc, const char *const *argv,
                           const as_option_sources *sources, as_arguments *out) {
  *out = (as_arguments){.ctx = ctx, .table = table, .environment = sources ? sources->environment : NULL};
  place at = find_words(table, argc, argv);
  as_status status = resolve(ctx, argv, &at, out);
  if (status != AS_OK) return status;
  status = start_values(out);
  if (status != AS_OK) return status;
  out->operands = as_alloc(ctx, argc > 0 ? (size_t)argc : 1, sizeof *out->operands);
  if (!out->operands) return AS_E_NOMEM;
  bool alone = false;
  status = read_all(out, &at, argc, argv, &alone);
  if (status != AS_OK) return status;
  out->help = out->help || at.help;
  if (out->help || alone) return AS_OK;
  if (out->family) return missing_word(ctx, table, out->family);
  if (!out->command) return as_fail(ctx, AS_E_INVALID, "no command was given");
  const char *named = as_option_text(out, "config");
  status = read_sources(out, named ? named : sources ? sources->config : NULL);
  if (status == AS_OK) status = check_required(out);
  if (status == AS_OK) status = check_operands(out);
  return status;
}

as_status as_options_of_command(as_context *ctx, const as_arguments *from, const as_command *command,
                                as_arguments *out) {
  *out = (as_arguments){
      .ctx = ctx, .table = from->table, .command = command, .environment = from->environment};
  as_status status = start_values(out);
  for (size_t i = 0; i < from->table->global->count && status == AS_OK; i++) {
    if (from->values[i].source != AS_FROM_COMMAND_LINE) continue;
    out->values[i] = from->values[i];
    out->values[i].joined = NULL; /* stays with `from` */
  }
  return status == AS_OK ? read_sources(out, from->config_path) : status;
}

void as_arguments_free(as_arguments *arguments) {
  for (size_t i = 0; i < arguments->value_count; i++) as_free(arguments->ctx, arguments->values[i].joined);
  as_free(arguments->ctx, arguments->values);
  as_free(arguments->ctx, arguments->operands);
  as_free(arguments->ctx, arguments->config_text);
  arguments->values = NULL;
  arguments->value_count = arguments->operand_count = 0;
  arguments->operands = NULL;
  arguments->config_text = NULL;
}

/* ---- reading values ----------------------------------------------------------------------------------------- */

const as_value *as_option_value(const as_arguments *arguments, const char *name) {
  const as_value *value = find_value(arguments, name, strlen(name), arguments->value_count);
  if (value) return value;
  fprintf(stderr, "assistify: mistake in the program: %s has no option --%s\n",
          arguments->command ? arguments->command->name : "this", name);
  abort();
}

bool as_option_given(const as_arguments *arguments, const char *name) {
  return as_option_value(arguments, name)->source > AS_FROM_INITIAL;
}
bool as_option_flag(const as_arguments *arguments, const char *name) {
  return as_option_value(arguments, name)->integer != 0;
}
int64_t as_option_int(const as_arguments *arguments, const char *name) {
  return as_option_value(arguments, name)->integer;
}
double as_option_number(const as_arguments *arguments, const char *name) {
  return as_option_value(arguments, name)->number;
}
const char *as_option_text(const as_arguments *arguments, const char *name) {
  return as_option_value(arguments, name)->text;
}
bool as_option_is(const as_arguments *arguments, const char *name, const char *word) {
  const as_value *value = as_option_value(arguments, name);
  size_t length = strlen(word);
  return value->word && strncmp(value->word, word, length) == 0 &&
         (value->word[length] == '|' || value->word[length] == 0);
}
