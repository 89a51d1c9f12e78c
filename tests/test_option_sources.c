/* Values that the configuration file and the environment give, and which source wins. */
#include <stdlib.h>
#include <string.h>

#include "tests/option_table.h"

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

Suite *as_suite(void) {
  Suite *suite = suite_create("option_sources");
  TCase *config = tcase_create("configuration"), *environment = tcase_create("environment");
  tcase_add_checked_fixture(config, setup, teardown);
  tcase_add_checked_fixture(environment, setup, teardown);
  suite_add_tcase(suite, config);
  suite_add_tcase(suite, environment);
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
  return suite;
}
