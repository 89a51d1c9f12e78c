/* The parser of command lines and configuration files, by a table of this test's own; and the program's table itself.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "tests/harness.h"

static int run_nothing(as_cli *cli) {
  (void)cli;
  return 0;
}

static as_status even_length(as_context *ctx, const char *value) {
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
/* clang-format on */
/* clang-format off */
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

static void setup(void) {
  ctx = as_test_context(1);
}
static void teardown(void) {
  as_arguments_free(&arguments);
  as_test_context_free(ctx);
}

/* Splits at blanks; "~" stands for an empty argument. */
static as_status parse_from(const char *line, const as_option_sources *sources) {
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
static as_status parse_with(const char *line, const char *config) {
  const as_option_sources sources = {.config = config};
  return parse_from(line, &sources);
}
static as_status parse(const char *line) {
  return parse_with(line, NULL);
}

START_TEST(values_of_every_type) {
  ck_assert_ok(ctx, parse("--threads 2 train intent --data a.csv --epochs=7 --dropout 0 --lr 1e-4 --limit 1.5G "
                          "--schedule cosine --label ab --json -q --seed -5"));
  ck_assert_ptr_eq(arguments.command, &train);
  ck_assert_int_eq(as_option_int(&arguments, "threads"), 2);
  ck_assert_str_eq(as_option_text(&arguments, "data"), "a.csv");
  ck_assert_int_eq(as_option_int(&arguments, "epochs"), 7);
  ck_assert_double_eq(as_option_number(&arguments, "dropout"), 0);
  ck_assert(as_option_given(&arguments, "dropout"));
  ck_assert_double_eq(as_option_number(&arguments, "lr"), 1e-4);
  ck_assert_int_eq(as_option_int(&arguments, "limit"), INT64_C(1610612736));
  ck_assert(as_option_is(&arguments, "schedule", "cosine"));
  ck_assert(!as_option_is(&arguments, "schedule", "cos"));
  ck_assert(as_option_flag(&arguments, "json"));
  ck_assert(as_option_flag(&arguments, "quiet"));
  ck_assert_int_eq(as_option_int(&arguments, "seed"), -5);
}
END_TEST

START_TEST(defaults_stand_where_nothing_is_said) {
  ck_assert_ok(ctx, parse("train intent --data a.csv"));
  ck_assert_int_eq(as_option_int(&arguments, "epochs"), 3);
  ck_assert(!as_option_given(&arguments, "epochs"));
  ck_assert(as_option_is(&arguments, "schedule", "linear"));
  ck_assert_ptr_null(as_option_text(&arguments, "lr"));
  ck_assert(!as_option_flag(&arguments, "json"));
}
END_TEST

START_TEST(the_last_of_repeated_options_counts) {
  ck_assert_ok(ctx, parse("train intent --epochs 4 --data a -e5 --data b"));
  ck_assert_int_eq(as_option_int(&arguments, "epochs"), 5);
  ck_assert_str_eq(as_option_text(&arguments, "data"), "b");
  ck_assert_ok(ctx, parse("train intent --data a --json --json=no"));
  ck_assert(!as_option_flag(&arguments, "json"));
}
END_TEST

START_TEST(words_beside_a_size) {
  ck_assert_ok(ctx, parse("train intent --data a --limit auto"));
  ck_assert(as_option_is(&arguments, "limit", "auto"));
  ck_assert_int_eq(as_option_int(&arguments, "limit"), 0);
  ck_assert_ok(ctx, parse("train intent --data a --limit 512M"));
  ck_assert(!as_option_is(&arguments, "limit", "auto"));
  ck_assert_int_eq(as_option_int(&arguments, "limit"), 512 << 20);
}
END_TEST

typedef struct refusal {
  const char *line, *fragment;
} refusal;

static const refusal refusals[] = {
    {"", "no command was given"},
    {"trian intent", "there is no command 'trian' (did you mean 'train intent'?)"},
    {"train intnet", "(did you mean 'train intent'?)"},
    {"xylophone", "there is no command 'xylophone'"},
    {"train", "'train' needs to know what: intent"},
    {"train --epochs 3 intent", "option '--epochs' goes after the command"},
    {"train intent", "train intent needs --data F: messages"},
    {"train intent --data", "option --data needs a file after it"},
    {"train intent --data --epochs 3", "needs a file, but '--epochs' follows"},
    {"train intent --data ~", "option --data needs a file, not ''"},
    {"train intent --data a --epohcs 3", "train intent has no option '--epohcs' (did you mean '--epochs'?)"},
    {"train intent --data a -x", "there is no option '-x'"},
    {"train intent --data a --epochs 0", "a whole number from 1 to 1000, not '0'"},
    {"train intent --data a --epochs 1001", "a whole number from 1 to 1000, not '1001'"},
    {"train intent --data a --epochs 3.5", "not '3.5'"},
    {"train intent --data a --epochs 0x10", "not '0x10'"},
    {"train intent --data a --epochs 99999999999999999999", "not '99999999999999999999'"},
    {"train intent --data a --epochs ~", "not ''"},
    {"train intent --data a --dropout 1", "a number from 0 below 1, not '1'"},
    {"train intent --data a --dropout nan", "not 'nan'"},
    {"train intent --data a --lr 0", "a number above 0 to 1, not '0'"},
    {"train intent --data a --lr 1e-4x", "not '1e-4x'"},
    {"train intent --data a --lr 1e999", "not '1e999'"},
    {"train intent --data a --limit 5X", "a size such as 512M or 2G, or auto, not '5X'"},
    {"train intent --data a --limit 99999999T", "not '99999999T'"},
    {"train intent --data a --limit -1", "not '-1'"},
    {"train intent --data a --schedule cosin", "linear, cosine or constant, not 'cosin' (did you mean 'cosine'?)"},
    {"train intent --data a --label abc", "option --label: 'abc' has an odd length"},
    {"train intent --data a --json=perhaps", "option --json needs yes or no, not 'perhaps'"},
    {"train intent --data a --batch 8 --batch-tokens 99", "--batch and --batch-tokens contradict each other"},
    {"train intent --resume d --epochs 3", "--resume and --epochs contradict each other"},
    {"train intent --data a b", "train intent takes options only, not 'b'"},
    {"show", "show needs TEXT... after it"},
    {"show a b c", "'c' is too much"},
    {"show --threads 65 a", "a whole number from 1 to 64"},
    {"--config", "option --config needs a file after it"},
    {"help nothing", "there is no command 'nothing'"},
};

START_TEST(refused_with_what_and_why) {
  const refusal *r = &refusals[_i];
  ck_assert_refused(ctx, parse(r->line), AS_E_INVALID, r->fragment);
}
END_TEST

START_TEST(two_dashes_end_the_options) {
  ck_assert_ok(ctx, parse("show -q -- --threads -"));
  ck_assert_uint_eq(arguments.operand_count, 2);
  ck_assert_str_eq(arguments.operands[0], "--threads");
  ck_assert_str_eq(arguments.operands[1], "-");
  ck_assert(as_option_flag(&arguments, "quiet"));
}
END_TEST

START_TEST(resume_waives_what_it_excludes) {
  ck_assert_ok(ctx, parse("--quiet train intent --resume d --threads 2"));
  ck_assert_str_eq(as_option_text(&arguments, "resume"), "d");
}
END_TEST

START_TEST(help_stands_before_after_and_as_a_command) {
  static const char *const lines[] = {"--help train intent", "train intent --help", "help train intent",
                                      "train intent -h --bogus"};
  for (size_t i = 0; i < 4; i++) {
    ck_assert_ok(ctx, parse(lines[i]));
    ck_assert_msg(arguments.help && arguments.command == &train, "%s", lines[i]);
  }
  ck_assert_ok(ctx, parse("help train"));
  ck_assert(arguments.help);
  ck_assert_str_eq(arguments.family, "train");
  ck_assert_ok(ctx, parse("help"));
  ck_assert(arguments.help && !arguments.command && !arguments.family);
}
END_TEST

/* ---- configuration file ------------------------------------------------------------------------------------- */

static const char *config_path;
static const char *config_folder;

static void write_config(const char *text, size_t length) {
  static char path[4200];
  config_folder = as_test_folder();
  snprintf(path, sizeof path, "%s/my.conf", config_folder);
  config_path = path;
  ck_assert_ok(ctx, as_file_write(ctx, path, text, length));
}

static as_status parse_config(const char *text, const char *line) {
  write_config(text, strlen(text));
  as_status status = parse_with(line, config_path);
  as_test_folder_remove(config_folder);
  return status;
}

START_TEST(configuration_gives_way_to_the_command_line) {
  ck_assert_ok(ctx, parse_config("\xEF\xBB\xBF# mine\r\nthreads = 4\r\nepochs=9 # nine\r\nquiet = yes\nlr = 0.5\n"
                                 "data = \"my # \\\"data\\\".csv\"\n",
                                 "train intent --epochs 2 --quiet=no"));
  ck_assert_int_eq(as_option_int(&arguments, "threads"), 4);
  ck_assert_int_eq(as_option_int(&arguments, "epochs"), 2);
  ck_assert(!as_option_flag(&arguments, "quiet"));
  ck_assert_double_eq(as_option_number(&arguments, "lr"), 0.5);
  ck_assert_str_eq(as_option_text(&arguments, "data"), "my # \"data\".csv");
  ck_assert(as_option_given(&arguments, "lr"));
}
END_TEST

START_TEST(nearer_sections_win) {
  const char *text = "[train intent]\nepochs = 30\n[train]\nepochs = 20\nseed = 20\n[show]\nthreads = 9\n";
  ck_assert_ok(ctx, parse_config(text, "train intent --data a"));
  ck_assert_int_eq(as_option_int(&arguments, "epochs"), 30);
  ck_assert_int_eq(as_option_int(&arguments, "seed"), 20);
  ck_assert(!as_option_given(&arguments, "threads"));
  ck_assert_ok(ctx, parse_config(text, "show x"));
  ck_assert_int_eq(as_option_int(&arguments, "threads"), 9);
}
END_TEST

START_TEST(a_contradiction_in_the_configuration_gives_way) {
  ck_assert_ok(ctx, parse_config("batch = 8\n", "train intent --data a --batch-tokens 500"));
  ck_assert_int_eq(as_option_int(&arguments, "batch"), 16);
  ck_assert(!as_option_given(&arguments, "batch"));
  ck_assert_int_eq(as_option_int(&arguments, "batch-tokens"), 500);
  ck_assert_ok(ctx, parse_config("data = x\nepochs = 5\n", "train intent --resume d"));
  ck_assert_ptr_null(as_option_text(&arguments, "data"));
  ck_assert_int_eq(as_option_int(&arguments, "epochs"), 3);
}
END_TEST

static const refusal config_refusals[] = {
    {"threads = 2\nepohcs = 3\n", "my.conf: line 2: no option is called 'epohcs' (did you mean 'epochs'?)"},
    {"\n\nthreads = many\n", "my.conf: line 3: threads needs a whole number from 1 to 64, not 'many'"},
    {"threads\n", "my.conf: line 1: 'key = value' is expected"},
    {"[trian]\n", "my.conf: line 1: [trian] is no command"},
    {"[train intnt]\n", "(did you mean [train intent]?)"},
    {"[train\n", "my.conf: line 1: the section has no closing ']'"},
    {"[train] x\n", "my.conf: line 1: 'x' after the section's ']'"},
    {"[show]\nepochs = 3\n", "my.conf: line 2: no option is called 'epochs'"},
    {"epochs = 3\nepochs = 4\n", "my.conf: line 2: epochs was given in line 1 already"},
    {"help = yes\n", "my.conf: line 1: help stands on the command line only"},
    {"config = a\n", "my.conf: line 1: config stands on the command line only"},
    {"label = \"ab\n", "my.conf: line 1: the quote is not closed"},
    {"label = \"a\\q\"\n", "my.conf: line 1: in quotes"},
    {"label = \"ab\" c\n", "my.conf: line 1: 'c' after the closing quote"},
    {"label = abc\n", "my.conf: line 1: label: 'abc' has an odd length"},
    {"epochs =\n", "my.conf: line 1: epochs needs a whole number"},
    {"batch = 1\nbatch-tokens = 2\n", "--batch and --batch-tokens contradict each other"},
    {"epochs = 5000\n", "my.conf: line 1: epochs"},
};

START_TEST(configuration_refused_with_its_line) {
  const refusal *r = &config_refusals[_i];
  ck_assert_refused(ctx, parse_config(r->line, "train intent --data a"), AS_E_INVALID, r->fragment);
}
END_TEST

START_TEST(configuration_that_is_none) {
  ck_assert_refused(ctx, parse_with("show x", "/nonexistent/file.conf"), AS_E_INVALID, "/nonexistent/file.conf");
  write_config("a\0b\n", 4);
  ck_assert_refused(ctx, parse_with("show x", config_path), AS_E_INVALID, "NUL byte");
  as_test_folder_remove(config_folder);
  ck_assert_ok(ctx, parse_with("show x", ""));
}
END_TEST

START_TEST(the_wrong_value_of_the_configuration_is_said_even_if_overridden) {
  ck_assert_refused(ctx, parse_config("epochs = x\n", "train intent --data a --epochs 2"), AS_E_INVALID, "line 1");
}
END_TEST

START_TEST(every_failing_allocation_is_an_error) {
  write_config("[train]\nepochs = 5\n", 19);
  bool failed = true;
  for (uint64_t n = 1; failed; n++) {
    as_test_fail_at(ctx, n);
    as_status status = parse_with("train intent --data a", config_path);
    failed = as_test_failed_one(ctx);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    ck_assert_uint_lt(n, 100);
  }
  failed = true;
  as_test_fail_at(ctx, 0);
  ck_assert_ok(ctx, parse_with("show x", config_path));
  for (uint64_t n = 1; failed; n++) {
    as_arguments other;
    as_test_fail_at(ctx, n);
    as_status status = as_options_of_command(ctx, &arguments, &train, &other);
    failed = as_test_failed_one(ctx);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    as_arguments_free(&other);
    ck_assert_uint_lt(n, 100);
  }
  as_test_fail_at(ctx, 0);
  as_test_folder_remove(config_folder);
}
END_TEST

/* ---- environment -------------------------------------------------------------------------------------------- */

/* Parses with an environment of at most seven variables. */
static as_status parse_environment(const char *const variables[8], const char *config, const char *line) {
  if (config) write_config(config, strlen(config));
  const as_option_sources sources = {.config = config ? config_path : NULL, .environment = variables};
  as_status status = parse_from(line, &sources);
  if (config) as_test_folder_remove(config_folder);
  return status;
}
#define ENVIRONMENT(...) ((const char *const[8]){__VA_ARGS__})

START_TEST(environment_stands_between_command_line_and_file) {
  ck_assert_ok(
      ctx, parse_environment(ENVIRONMENT("PATH=/bin", "ASSISTIFY_EPOCHS=5", "ASSISTIFY_SEED=6",
                                         "ASSISTIFY_BATCH_TOKENS=7", "ASSISTIFY_QUIET=yes", "ASSISTIFY_DATA=a b.csv"),
                             "epochs = 8\nlr = 0.5\nseed = 8\n", "train intent --seed 9"));
  ck_assert_int_eq(as_option_int(&arguments, "epochs"), 5);
  ck_assert_int_eq(as_option_value(&arguments, "epochs")->source, AS_FROM_ENVIRONMENT);
  ck_assert_int_eq(as_option_int(&arguments, "seed"), 9);
  ck_assert_int_eq(as_option_int(&arguments, "batch-tokens"), 7);
  ck_assert_double_eq(as_option_number(&arguments, "lr"), 0.5);
  ck_assert_int_eq(as_option_value(&arguments, "lr")->source, AS_FROM_CONFIG);
  ck_assert(as_option_flag(&arguments, "quiet"));
  ck_assert_str_eq(as_option_text(&arguments, "data"), "a b.csv"); /* required, and given here */
}
END_TEST

START_TEST(nearer_variables_win) {
  ck_assert_ok(ctx, parse_environment(ENVIRONMENT("ASSISTIFY_TRAIN_INTENT_EPOCHS=30", "ASSISTIFY_TRAIN_EPOCHS=20",
                                                  "ASSISTIFY_EPOCHS=10", "ASSISTIFY_TRAIN_SEED=20", "ASSISTIFY_SEED=10",
                                                  "ASSISTIFY_SHOW_THREADS=9", "ASSISTIFY_LIMIT=1K"),
                                      "[train intent]\nepochs = 40\n", "train intent --data a"));
  ck_assert_int_eq(as_option_int(&arguments, "epochs"), 30);
  ck_assert_int_eq(as_option_int(&arguments, "seed"), 20);
  ck_assert_int_eq(as_option_int(&arguments, "limit"), 1024);
  ck_assert(!as_option_given(&arguments, "threads"));
  ck_assert_ok(ctx,
               parse_environment(ENVIRONMENT("ASSISTIFY_SHOW_THREADS=9", "ASSISTIFY_EPOCHS=none"), NULL, "show x"));
  ck_assert_int_eq(as_option_int(&arguments, "threads"), 9);
}
END_TEST

START_TEST(of_two_that_contradict_the_stronger_source_stands) {
  ck_assert_ok(ctx,
               parse_environment(ENVIRONMENT("ASSISTIFY_BATCH=8"), "batch-tokens = 500\n", "train intent --data a"));
  ck_assert_int_eq(as_option_int(&arguments, "batch"), 8);
  ck_assert(!as_option_given(&arguments, "batch-tokens"));
  ck_assert_ok(ctx,
               parse_environment(ENVIRONMENT("ASSISTIFY_BATCH=8"), NULL, "train intent --data a --batch-tokens 500"));
  ck_assert(!as_option_given(&arguments, "batch"));
  ck_assert_ok(
      ctx, parse_environment(ENVIRONMENT("ASSISTIFY_DATA=a", "ASSISTIFY_EPOCHS=5"), NULL, "train intent --resume d"));
  ck_assert_ptr_null(as_option_text(&arguments, "data"));
  ck_assert_int_eq(as_option_int(&arguments, "epochs"), 3);
  ck_assert_refused(
      ctx,
      parse_environment(ENVIRONMENT("ASSISTIFY_BATCH=8", "ASSISTIFY_BATCH_TOKENS=9"), NULL, "train intent --data a"),
      AS_E_INVALID, "--batch and --batch-tokens contradict each other");
}
END_TEST

START_TEST(a_wrong_variable_is_named) {
  static const refusal wrong[] = {
      {"ASSISTIFY_THREADS=many", "the environment: ASSISTIFY_THREADS needs a whole number from 1 to 64, not 'many'"},
      {"ASSISTIFY_TRAIN_SCHEDULE=cosin", "ASSISTIFY_TRAIN_SCHEDULE needs linear, cosine or constant, not 'cosin'"},
      {"ASSISTIFY_TRAIN_INTENT_LABEL=abc", "ASSISTIFY_TRAIN_INTENT_LABEL: 'abc' has an odd length"},
      {"ASSISTIFY_EPOCHS=5 ", "not '5 '"},
      {"ASSISTIFY_LR=\xff\xfe", "ASSISTIFY_LR needs a number"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    ck_assert_refused(ctx, parse_environment(ENVIRONMENT(wrong[i].line), NULL, "train intent --data a --epochs 2"),
                      AS_E_INVALID, wrong[i].fragment);
  static char huge[1 << 17];
  memset(huge, '9', sizeof huge - 1);
  memcpy(huge, "ASSISTIFY_SEED=", 15);
  ck_assert_refused(ctx, parse_environment(ENVIRONMENT(huge), NULL, "train intent --data a"), AS_E_INVALID,
                    "ASSISTIFY_SEED needs a whole number");
}
END_TEST

START_TEST(variables_that_set_nothing) {
  ck_assert_ok(ctx, parse_environment(ENVIRONMENT("ASSISTIFY_EPOCHS=", "ASSISTIFY_CONFIG=nowhere", "ASSISTIFY_HELP=yes",
                                                  "ASSISTIFY_", "ASSISTIFY", "=", "ASSISTIFY_EPOCHSX=9"),
                                      NULL, "train intent --data a"));
  ck_assert(!as_option_given(&arguments, "epochs"));
  ck_assert(!arguments.config_path);
}
END_TEST

START_TEST(only_near_misses_get_a_warning) {
  static const char *const strangers[] = {
      "ASSISTIFY_HOME=x", "ASSISTIFY_TRAIN=x",  "ASSISTIFY_ISA=scalar", "ASSISTIFY_=x",
      "EPOHCS=3",         "ASSISTIFY_EPOCHS=x", "ASSISTIFY_GOLDEN=x",   NULL};
  as_environment_warn(ctx, &table, strangers);
  ck_assert_uint_eq(as_warning_count(ctx), 0);
  as_environment_warn(ctx, &table, ENVIRONMENT("ASSISTIFY_EPOHCS=3"));
  ck_assert_uint_eq(as_warning_count(ctx), 1);
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "did you mean ASSISTIFY_EPOCHS?"));
  as_environment_warn(ctx, &table, ENVIRONMENT("ASSISTIFY_TRAIN_INTENT_BATCHTOKENS=3", "ASSISTIFY_THREAD=3"));
  ck_assert_uint_eq(as_warning_count(ctx), 3);
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "did you mean ASSISTIFY_TRAIN_INTENT_BATCH_TOKENS?"));
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "did you mean ASSISTIFY_THREADS?"));
}
END_TEST

START_TEST(values_of_another_command) {
  const char *text = "threads = 3\n[train]\nepochs = 5\n";
  write_config(text, strlen(text));
  const as_option_sources sources = {.config = config_path, .environment = ENVIRONMENT("ASSISTIFY_TRAIN_SEED=6")};
  ck_assert_ok(ctx, parse_from("show x --quiet", &sources));
  as_arguments other;
  ck_assert_ok(ctx, as_options_of_command(ctx, &arguments, &train, &other));
  ck_assert_int_eq(as_option_int(&other, "threads"), 3);
  ck_assert_int_eq(as_option_int(&other, "epochs"), 5);
  ck_assert_int_eq(as_option_int(&other, "seed"), 6);
  ck_assert(as_option_flag(&other, "quiet"));
  ck_assert_int_eq(as_option_value(&other, "data")->source, AS_FROM_NOWHERE);
  as_arguments_free(&other);
  ck_assert_ok(ctx, as_options_of_command(ctx, &arguments, NULL, &other));
  ck_assert_int_eq(as_option_int(&other, "threads"), 3);
  as_arguments_free(&other);
  as_test_folder_remove(config_folder);
}
END_TEST

/* ---- what is made from the table ---------------------------------------------------------------------------- */

START_TEST(help_shows_what_the_rows_say) {
  as_buffer text;
  as_buffer_init(&text, ctx);
  as_help_write(&text, &table, &train, NULL);
  const char *help = as_buffer_string(&text);
  static const char *const fragments[] = {
      "Usage: assistify train intent [OPTIONS]\n\nTrain.\n\nTraining:\n  --data F              messages (required)\n",
      "  -e, --epochs N        epochs (from 1 to 1000; default: 3)\n",
      "  --dropout P           dropout (from 0 below 1)\n",
      "  --lr X                learning rate (above 0 to 1)\n",
      "  --limit SIZE          memory (or auto)\n",
      "  --schedule linear|cosine|constant\n                        schedule (default: linear)\n",
      "\nGlobal:\n  --threads N           threads (from 1 to 64)\n"};
  for (size_t i = 0; i < sizeof fragments / sizeof fragments[0]; i++)
    ck_assert_msg(strstr(help, fragments[i]) != NULL, "\"%s\" is not in:\n%s", fragments[i], help);
  ck_assert_ptr_null(strstr(help, "--help"));
  as_buffer_clear(&text);
  as_help_write(&text, &table, NULL, "train");
  ck_assert_str_eq(as_buffer_string(&text),
                   "Usage: assistify train [OPTIONS] ...\n\nCommands:\n  train intent          train\n");
  as_buffer_free(&text);
}
END_TEST

START_TEST(texts_of_the_table_are_escaped_in_the_manual) {
  static const as_option hostile[] = {
      {.name = "delimiter", .type = AS_OPTION_TEXT, .argument = "C", .initial = "\\t", .help = "a \\ or -"}};
  static const as_option_group group = AS_OPTION_GROUP("Input", hostile);
  static const as_option_group *const groups[] = {&group, NULL};
  static const as_command odd = {
      .name = "odd", .summary = "odd", .description = ".TH x\n'y\n\nnext", .groups = groups, .run = run_nothing};
  static const as_command *const odd_rows[] = {&odd, NULL};
  static const as_command_table odd_table = {.commands = odd_rows, .global = &global};
  as_buffer text;
  as_buffer_init(&text, ctx);
  as_manual_write(&text, &odd_table, &odd);
  ck_assert_ptr_nonnull(strstr(as_buffer_string(&text), "\n\\&.TH x\n\\&'y\n.PP\nnext\n"));
  ck_assert_ptr_nonnull(strstr(as_buffer_string(&text), "a \\e or \\- (default: \\et)\n"));
  as_buffer_free(&text);
}
END_TEST

/* What bash offers for the last of the words. */
static void expect_offer(const char *folder, const char *words, const char *expected) {
  char command[9000], got[1024] = "";
  snprintf(
      command, sizeof command,
      "bash -c 'source %s/completion; COMP_WORDS=(assistify %s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _assistify; "
      "echo \"${COMPREPLY[*]}\"' 2>/dev/null",
      folder, words);
  FILE *pipe = popen(command, "r");
  ck_assert_ptr_nonnull(pipe);
  if (!fgets(got, sizeof got, pipe)) got[0] = 0;
  ck_assert_int_eq(pclose(pipe), 0);
  got[strcspn(got, "\n")] = 0;
  ck_assert_msg(strcmp(got, expected) == 0, "for \"%s\" bash offers \"%s\", not \"%s\"", words, got, expected);
}

START_TEST(bash_completes_by_the_rows) {
  if (system("bash --version >/dev/null 2>&1") != 0) return; /* no bash here */
  as_buffer text;
  as_buffer_init(&text, ctx);
  as_completion_write(&text, &table, "bash");
  char path[4200];
  const char *folder = as_test_folder();
  snprintf(path, sizeof path, "%s/completion", folder);
  ck_assert_ok(ctx, as_file_write(ctx, path, text.data, text.length));
  as_buffer_free(&text);
  expect_offer(folder, "t", "train");
  expect_offer(folder, "train \"\"", "intent");
  expect_offer(folder, "help \"\"", "train show help");
  expect_offer(folder, "--threads 2 train i", "intent");
  expect_offer(folder, "--threads = 2 --quiet tr", "train");
  expect_offer(folder, "train intent --sch", "--schedule");
  expect_offer(folder, "train intent --schedule co", "cosine constant");
  expect_offer(folder, "train intent --schedule = lin", "linear");
  expect_offer(folder, "train intent --limit \"\"", "auto");
  expect_offer(folder, "train intent --epochs \"\"", "");
  expect_offer(folder, "train intent -e \"\"", "");
  expect_offer(folder, "show --thr", "--threads");
  as_test_folder_remove(folder);
}
END_TEST

/* ---- the program's own table -------------------------------------------------------------------------------- */

static void check_option(const as_command *command, const as_option *option) {
  const char *name = command ? command->name : "(global)";
  ck_assert_msg(option->name && option->help && *option->help, "%s: an option without name or help", name);
  ck_assert_msg(option->help[strlen(option->help) - 1] != '.', "%s --%s: a full stop ends the help", name,
                option->name);
  bool shows_value = option->argument || (option->type == AS_OPTION_CHOICE && option->words);
  ck_assert_msg(option->type == AS_OPTION_FLAG ? !option->argument : shows_value, "%s --%s: argument", name,
                option->name);
  ck_assert_msg(option->type != AS_OPTION_CHOICE || option->words, "%s --%s: a choice of nothing", name, option->name);
  ck_assert_msg(!option->check || option->type == AS_OPTION_TEXT, "%s --%s: check is for texts", name, option->name);
  ck_assert_msg(option->minimum <= option->maximum, "%s --%s: the range is empty", name, option->name);
  ck_assert_msg(!(option->required && option->initial), "%s --%s: required and has a default", name, option->name);
  if (!option->initial) return;
  as_value value = {.option = option};
  ck_assert_ok(ctx, as_value_set(ctx, &value, option->initial, option->name));
}

START_TEST(the_table_is_consistent) {
  ck_assert_int_gt(as_commands.global->count, 0);
  const char *last_family = "";
  size_t last_length = 0;
  for (const as_command *const *at = as_commands.commands; *at; at++) {
    const as_command *command = *at;
    ck_assert_msg(command->name && command->summary && command->run, "a command without name, summary or function");
    ck_assert_msg((command->max_operands != 0) == (command->operands != NULL), "%s: operands", command->name);
    const char *space = strchr(command->name, ' ');
    size_t length = space ? (size_t)(space - command->name) : strlen(command->name);
    bool same = length == last_length && memcmp(command->name, last_family, length) == 0;
    for (const as_command *const *other = as_commands.commands; other < at; other++) {
      ck_assert_str_ne((*other)->name, command->name);
      bool in_family = as_command_in_family(*other, command->name, length);
      ck_assert_msg(!in_family || (space && same), "%s: commands of one first word stand together, and it is none",
                    command->name);
    }
    last_family = command->name;
    last_length = length;
    const as_option *option, *other;
    for (size_t i = 0; (option = as_command_option(&as_commands, command, i, NULL)); i++) {
      check_option(command, option);
      for (size_t j = 0; j < i; j++) {
        other = as_command_option(&as_commands, command, j, NULL);
        ck_assert_msg(strcmp(option->name, other->name) != 0, "%s: --%s twice", command->name, option->name);
        ck_assert_msg(!option->short_name || option->short_name != other->short_name, "%s: -%c twice", command->name,
                      option->short_name);
      }
    }
  }
}
END_TEST

/* Every name that `excludes` gives is an option of the same command. */
START_TEST(contradictions_name_options_that_are_there) {
  for (const as_command *const *at = as_commands.commands; *at; at++) {
    const as_option *option, *other;
    for (size_t i = 0; (option = as_command_option(&as_commands, *at, i, NULL)); i++) {
      if (!option->excludes || strcmp(option->excludes, "*") == 0) continue;
      char names[256];
      snprintf(names, sizeof names, "%s", option->excludes);
      for (char *name = strtok(names, " "); name; name = strtok(NULL, " ")) {
        bool found = false;
        for (size_t j = 0; (other = as_command_option(&as_commands, *at, j, NULL)); j++)
          found = found || strcmp(other->name, name) == 0;
        ck_assert_msg(found, "%s --%s excludes --%s, which is not there", (*at)->name, option->name, name);
      }
    }
  }
}
END_TEST

/* `all` has a line "VARIABLE option type" for each variable's first option; `own` those of the command. */
static void add_variable(as_buffer *all, as_buffer *own, const as_command *command, const as_option *option, int rank) {
  char name[AS_VARIABLE_NAME], line[3 * AS_VARIABLE_NAME], other[AS_VARIABLE_NAME] = "";
  int type = -1;
  if (!as_option_variable(command, option, rank, name, sizeof name)) return;
  snprintf(line, sizeof line, "\n%s\n", name);
  ck_assert_msg(!strstr(as_buffer_string(own), line), "%s: %s is the variable of two options", command->name, name);
  as_buffer_text(own, line);
  snprintf(line, sizeof line, "\n%s ", name);
  const char *found = strstr(as_buffer_string(all), line);
  if (!found) {
    as_buffer_printf(all, "\n%s %s %d\n", name, option->name, (int)option->type);
    return;
  }
  ck_assert_int_eq(sscanf(found + strlen(line), "%95s %d", other, &type), 2);
  ck_assert_msg(strcmp(other, option->name) == 0 || type == (int)option->type,
                "%s: %s is the variable of --%s elsewhere, whose values are of another kind", command->name, name,
                other);
}

/* ASSISTIFY_RECOMMEND_MODEL is recommend-model of analyze and model of recommend: that's well, since both are models.
 * But no command may have two options of one variable, and the values must be of one kind. */
START_TEST(every_variable_means_one_thing) {
  as_buffer all, own;
  as_buffer_init(&all, ctx);
  as_buffer_init(&own, ctx);
  for (const as_variable *at = as_variables; at->name; at++) as_buffer_printf(&all, "\n%s (none) -1\n", at->name);
  for (const as_command *const *at = as_commands.commands; *at; at++) {
    const as_option *option;
    as_buffer_clear(&own);
    for (size_t i = 0; (option = as_command_option(&as_commands, *at, i, NULL)); i++)
      for (int rank = 0; rank <= 2; rank++) add_variable(&all, &own, *at, option, rank);
  }
  as_buffer_free(&all);
  as_buffer_free(&own);
}
END_TEST

START_TEST(a_status_has_its_exit_code) {
  static const struct {
    as_status status;
    int code;
  } codes[] = {{AS_OK, 0},           {AS_E_NOMEM, 1},    {AS_E_INVALID, 2},
               {AS_E_IO, 1},         {AS_E_DATA, 3},     {AS_E_MODEL, 4},
               {AS_E_LIMIT, 1},      {AS_E_DIVERGED, 6}, {AS_E_INTERRUPTED, 130},
               {AS_E_UNSUPPORTED, 1}};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
    ck_assert_int_eq(as_exit_of(codes[i].status), codes[i].code);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("options");
  TCase *parsing = tcase_create("parsing"), *config = tcase_create("configuration"), *made = tcase_create("made");
  TCase *environment = tcase_create("environment");
  TCase *own = tcase_create("table"), *cases[] = {parsing, config, environment, made, own};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    tcase_add_checked_fixture(cases[i], setup, teardown);
    suite_add_tcase(suite, cases[i]);
  }
  tcase_add_test(parsing, values_of_every_type);
  tcase_add_test(parsing, defaults_stand_where_nothing_is_said);
  tcase_add_test(parsing, the_last_of_repeated_options_counts);
  tcase_add_test(parsing, words_beside_a_size);
  tcase_add_loop_test(parsing, refused_with_what_and_why, 0, (int)(sizeof refusals / sizeof refusals[0]));
  tcase_add_test(parsing, two_dashes_end_the_options);
  tcase_add_test(parsing, resume_waives_what_it_excludes);
  tcase_add_test(parsing, help_stands_before_after_and_as_a_command);
  tcase_add_test(config, configuration_gives_way_to_the_command_line);
  tcase_add_test(config, nearer_sections_win);
  tcase_add_test(config, a_contradiction_in_the_configuration_gives_way);
  tcase_add_loop_test(config, configuration_refused_with_its_line, 0,
                      (int)(sizeof config_refusals / sizeof config_refusals[0]));
  tcase_add_test(config, configuration_that_is_none);
  tcase_add_test(config, the_wrong_value_of_the_configuration_is_said_even_if_overridden);
  tcase_add_test(config, every_failing_allocation_is_an_error);
  tcase_add_test(environment, environment_stands_between_command_line_and_file);
  tcase_add_test(environment, nearer_variables_win);
  tcase_add_test(environment, of_two_that_contradict_the_stronger_source_stands);
  tcase_add_test(environment, a_wrong_variable_is_named);
  tcase_add_test(environment, variables_that_set_nothing);
  tcase_add_test(environment, only_near_misses_get_a_warning);
  tcase_add_test(environment, values_of_another_command);
  tcase_add_test(made, help_shows_what_the_rows_say);
  tcase_add_test(made, texts_of_the_table_are_escaped_in_the_manual);
  tcase_add_test(made, bash_completes_by_the_rows);
  tcase_add_test(own, the_table_is_consistent);
  tcase_add_test(own, contradictions_name_options_that_are_there);
  tcase_add_test(own, every_variable_means_one_thing);
  tcase_add_test(own, a_status_has_its_exit_code);
  return suite;
}
