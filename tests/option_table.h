/* A small table of commands and options, and parsing by it: the fixture of the tests of the parser. */
#ifndef AS_TESTS_OPTION_TABLE_H
#define AS_TESTS_OPTION_TABLE_H

#include <string.h>

#include "cli/command.h"
#include "tests/harness.h"

static inline int run_nothing(as_cli *cli) {
  (void)cli;
  return 0;
}

static inline as_status even_length(as_context *ctx, const char *value) {
  if (strlen(value) % 2 == 0) return AS_OK;
  return as_fail(ctx, AS_E_INVALID, "'%s' has an odd length", value);
}

/* clang-format off */
static const as_option global_rows[] = {
    {.name = "threads", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 64, .help = "threads"},
    {.name = "quiet", .short_name = 'q', .type = AS_OPTION_FLAG, .help = "quiet"},
    {.name = "config", .type = AS_OPTION_FILE, .argument = "FILE", .command_line_only = true, .help = "configuration"},
    {.name = "help", .short_name = 'h', .type = AS_OPTION_FLAG, .instead_of_command = true, .help = "help"},
};
static const as_option train_rows[] = {
    {.name = "data", .type = AS_OPTION_FILE, .argument = "F", .required = true, .help = "messages"},
    {.name = "epochs", .short_name = 'e', .type = AS_OPTION_INT, .argument = "N", .initial = "3", .minimum = 1,
     .maximum = 1000, .help = "epochs"},
    {.name = "dropout", .type = AS_OPTION_NUMBER, .argument = "P", .maximum = 1, .open_maximum = true,
     .help = "dropout"},
    {.name = "lr", .type = AS_OPTION_NUMBER, .argument = "X", .maximum = 1, .open_minimum = true,
     .help = "learning rate"},
    {.name = "limit", .type = AS_OPTION_SIZE, .argument = "SIZE", .words = "auto", .help = "memory"},
    {.name = "schedule", .type = AS_OPTION_CHOICE, .words = "linear|cosine|constant", .initial = "linear",
     .help = "schedule"},
    {.name = "label", .type = AS_OPTION_TEXT, .argument = "T", .check = even_length, .help = "label"},
    {.name = "batch", .type = AS_OPTION_INT, .argument = "N", .initial = "16", .minimum = 1, .maximum = 1e6,
     .excludes = "batch-tokens", .help = "rows"},
    {.name = "batch-tokens", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e9, .help = "tokens"},
    {.name = "resume", .type = AS_OPTION_FOLDER, .argument = "DIR", .excludes = "*", .help = "go on"},
    {.name = "seed", .type = AS_OPTION_INT, .argument = "N", .initial = "42", .help = "seed"},
    {.name = "json", .type = AS_OPTION_FLAG, .help = "JSON"},
};
/* clang-format on */
static const as_option_group global = AS_OPTION_GROUP("Global", global_rows);
static const as_option_group training = AS_OPTION_GROUP("Training", train_rows);
static const as_option_group *const train_groups[] = {&training, NULL};
static const as_command train = {
    .name = "train intent", .summary = "train", .groups = train_groups, .run = run_nothing};
static const as_command show = {
    .name = "show", .operands = "TEXT...", .min_operands = 1, .max_operands = 2, .summary = "show", .run = run_nothing};
static const as_command *const rows[] = {&train, &show, NULL};
static const as_command_table table = {.commands = rows, .global = &global};

static as_context *ctx;
static as_arguments arguments;

static inline void setup(void) {
  ctx = as_test_context(1);
}
static inline void teardown(void) {
  as_arguments_free(&arguments);
  as_test_context_free(ctx);
}

/* Splits at blanks; "~" stands for an empty argument. */
static inline as_status parse_from(const char *line, const as_option_sources *sources) {
  static char copy[1024];
  static const char *argv[64];
  int argc = 0;
  argv[argc++] = "assistify";
  snprintf(copy, sizeof copy, "%s", line);
  for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
    argv[argc++] = strcmp(word, "~") == 0 ? "" : word;
  if (arguments.ctx) as_arguments_free(&arguments);
  return as_options_parse(ctx, &table, argc, argv, sources, &arguments);
}
static inline as_status parse_with(const char *line, const char *config) {
  const as_option_sources sources = {.config = config};
  return parse_from(line, &sources);
}
typedef struct refusal {
  const char *line, *fragment;
} refusal;

#endif
