/* Options from the environment: a variable for every key of the configuration file, and more for its sections.
 *
 *   ASSISTIFY_THREADS            threads, of every command that has it
 *   ASSISTIFY_TRAIN_EPOCHS       epochs, of every command whose first word is train
 *   ASSISTIFY_TRAIN_INTENT_OUT   out, of train intent; the nearer name wins, as the nearer section does in the file
 *
 * The environment is everybody's, so what is no option is nobody's mistake: it is passed over, and only a name that is
 * nearly an option's gets a warning. A variable that is set to nothing counts as not set. */
#include <stdio.h>
#include <string.h>

#include "cli/options.h"

#define PREFIX "ASSISTIFY_"

const as_variable as_variables[] = {
    {"ASSISTIFY_CONFIG", "a configuration file, if --config names none; set to nothing: none is read"},
    {"ASSISTIFY_ISA",
     "the instruction set of the kernels, in place of the best that the processor has; 'assistify doctor' "
     "lists them"},
    /* Of the tests: */
    {"ASSISTIFY_BUILD", NULL},
    {"ASSISTIFY_GOLDEN", NULL},
    {"ASSISTIFY_SHOW", NULL},
    {"ASSISTIFY_SOURCE", NULL},
    {NULL, NULL},
};

/* The section of the configuration file that `rank` of as_value.section stands for. */
static const char *section_of(const as_command *command, int rank, size_t *length) {
  *length = rank == 0 ? 0 : rank == 1 ? strcspn(command->name, " ") : strlen(command->name);
  return rank == 0 ? "" : command->name;
}

static bool has_rank(const as_command *command, int rank) {
  return rank == 0 || (command && (rank == 2 || strchr(command->name, ' ')));
}

bool as_option_variable(const as_command *command, const as_option *option, int rank, char *name, size_t size) {
  size_t length;
  if (!has_rank(command, rank)) return false;
  const char *section = section_of(command, rank, &length);
  const int n = snprintf(name, size, PREFIX "%.*s%s%s", (int)length, section, length ? "_" : "", option->name);
  for (char *at = name; *at; at++)
    if (*at == '-' || *at == ' ')
      *at = '_';
    else if (*at >= 'a' && *at <= 'z')
      *at = (char)(*at - 'a' + 'A');
  return n >= 0 && (size_t)n < size && !option->command_line_only && !option->instead_of_command;
}

/* The value of a variable; NULL: it is not set, or set to nothing. */
static const char *find_variable(const char *const *environment, const char *name) {
  const size_t length = strlen(name);
  for (; environment && *environment; environment++)
    if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
      return (*environment)[length + 1] ? *environment + length + 1 : NULL;
  return NULL;
}

as_status as_environment_apply(as_arguments *arguments) {
  char name[AS_VARIABLE_NAME];
  for (size_t i = 0; i < arguments->value_count; i++)
    for (int rank = 0; rank <= 2; rank++) {
      as_value *value = &arguments->values[i];
      if (!as_option_variable(arguments->command, value->option, rank, name, sizeof name)) continue;
      const char *text = find_variable(arguments->environment, name);
      if (!text) continue;
      as_value read = {.option = value->option, .source = AS_FROM_ENVIRONMENT, .section = rank};
      as_status status = as_value_set(arguments->ctx, &read, text, name);
      if (status != AS_OK) return as_fail_prefix(arguments->ctx, status, "the environment");
      if (value->source != AS_FROM_COMMAND_LINE) *value = read;
    }
  return AS_OK;
}

/* Calls visit(user, name) for the variables of all options until it returns true; whether it did. */
static bool any_variable(const as_command_table *table, bool (*visit)(void *user, const char *name), void *user) {
  char name[AS_VARIABLE_NAME];
  for (const as_command *const *at = table->commands; *at; at++) {
    const as_option *option;
    for (size_t i = 0; (option = as_command_option(table, *at, i, NULL)); i++)
      for (int rank = 0; rank <= 2; rank++)
        if (as_option_variable(*at, option, rank, name, sizeof name) && visit(user, name)) return true;
  }
  return false;
}

static bool is_same(void *user, const char *name) {
  return strcmp(user, name) == 0;
}

static bool is_known(const as_command_table *table, char *name) {
  for (const as_variable *at = as_variables; at->name; at++)
    if (strcmp(at->name, name) == 0) return true;
  return any_variable(table, is_same, name);
}

typedef struct nearest {
  as_suggestion suggestion;
  char name[AS_VARIABLE_NAME];
} nearest;

/* A name that only begins like an option's is taken for somebody else's: ASSISTIFY_TRAIN. */
static bool offer(void *user, const char *name) {
  nearest *near = user;
  const char *word = near->suggestion.word, *candidate = name + strlen(PREFIX);
  const size_t before = near->suggestion.distance;
  if (strncmp(candidate, word, strlen(word)) != 0 || strlen(candidate) == strlen(word) + 1)
    as_suggestion_offer(&near->suggestion, candidate);
  if (near->suggestion.distance < before) snprintf(near->name, sizeof near->name, "%s", name);
  return false;
}

void as_environment_warn(as_context *ctx, const as_command_table *table, const char *const *environment) {
  for (; environment && *environment; environment++) {
    char name[AS_VARIABLE_NAME];
    const size_t length = strcspn(*environment, "=");
    if (strncmp(*environment, PREFIX, strlen(PREFIX)) != 0 || length >= sizeof name) continue;
    snprintf(name, sizeof name, "%.*s", (int)length, *environment);
    if (is_known(table, name)) continue;
    nearest near = {.suggestion = as_suggestion_start(name + strlen(PREFIX))};
    near.suggestion.distance = 2 + (length - strlen(PREFIX)) / 8; /* one slip, in long names two */
    any_variable(table, offer, &near);
    if (near.suggestion.best)
      as_warn(ctx, "the environment variable %s belongs to no option and is passed over (did you mean %s?)", name,
              near.name);
  }
}
