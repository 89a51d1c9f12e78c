/* A command that runs others: what reaches them of the command line and the configuration file, and what comes back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "cli/subcommand.h"
#include "tests/harness.h"

static as_context *ctx;
static as_console console;
static FILE *streams[2];
static char *out, *err;
static size_t out_length, err_length;

/* ---- a table: "show" prints its options, "outer" runs the words below ------------------------------------------- */
static const char *const *inner_words;
static size_t inner_count;
static int inner_code;

static int run_show(as_cli *cli) {
  const as_arguments *a = cli->arguments;
  as_console_print(cli->console, "store %s level %lld colour %s operands %zu quiet %d\n", as_option_text(a, "store"),
                   (long long)as_option_int(a, "level"), as_option_text(a, "colour"), a->operand_count,
                   cli->console->quiet);
  as_console_note(cli->console, "a note");
  return (int)as_option_int(a, "level");
}

static int run_refuse(as_cli *cli) {
  return as_cli_usage(cli, "refuse refuses");
}

static int run_outer(as_cli *cli) {
  inner_code = as_cli_run_command(cli, inner_words, inner_count);
  as_console_note(cli->console, "after");
  return 0;
}

/* clang-format off */
static const as_option global_rows[] = {
    {.name = "store", .type = AS_OPTION_FOLDER, .argument = "DIR", .initial = "here", .help = "store"},
    {.name = "quiet", .short_name = 'q', .type = AS_OPTION_FLAG, .help = "quiet"},
    {.name = "config", .type = AS_OPTION_FILE, .argument = "FILE", .command_line_only = true, .help = "configuration"},
    {.name = "help", .short_name = 'h', .type = AS_OPTION_FLAG, .instead_of_command = true, .help = "help"},
};
static const as_option show_rows[] = {
    {.name = "level", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 200, .help = "level"},
    {.name = "colour", .type = AS_OPTION_CHOICE, .words = "red|green", .required = true, .help = "colour"},
};
/* clang-format on */
static const as_option_group global = AS_OPTION_GROUP("Global", global_rows), showing = AS_OPTION_GROUP("S", show_rows);
static const as_option_group *const show_groups[] = {&showing, NULL};
static const as_command show = {.name = "show it",
                                .operands = "[TEXT...]",
                                .max_operands = -1,
                                .summary = "show",
                                .groups = show_groups,
                                .run = run_show};
static const as_command refuse = {.name = "refuse", .summary = "refuse", .run = run_refuse};
static const as_command outer = {.name = "outer", .summary = "outer", .run = run_outer};
static const as_command *const commands[] = {&show, &refuse, &outer, NULL};
static const as_command_table table = {.commands = commands, .global = &global};

static void setup(void) {
  ctx = as_test_context(1);
  streams[0] = open_memstream(&out, &out_length);
  streams[1] = open_memstream(&err, &err_length);
  as_console_start(&console, streams[0], streams[1]);
}
static void teardown(void) {
  as_console_finish(&console, 0);
  fclose(streams[0]);
  fclose(streams[1]);
  free(out);
  free(err);
  as_test_context_free(ctx);
}

/* Runs `outer` with these options, and in it the words, both split at blanks. */
static void run_both(const char *options, const char *words, const char *config) {
  static char copies[2][400];
  static const char *line[32], *inner[32];
  int count = 1;
  line[0] = "assistify";
  inner_count = 0;
  snprintf(copies[0], sizeof copies[0], "%s", options);
  snprintf(copies[1], sizeof copies[1], "%s", words);
  for (char *word = strtok(copies[0], " "); word; word = strtok(NULL, " ")) line[count++] = word;
  line[count++] = "outer";
  for (char *word = strtok(copies[1], " "); word; word = strtok(NULL, " ")) inner[inner_count++] = word;
  inner_words = inner;
  as_arguments arguments;
  const as_option_sources sources = {.config = config};
  ck_assert_ok(ctx, as_options_parse(ctx, &table, count, line, &sources, &arguments));
  as_cli cli = {.ctx = ctx, .arguments = &arguments, .console = &console};
  console.quiet = as_option_flag(&arguments, "quiet");
  ck_assert_int_eq(run_outer(&cli), 0);
  as_arguments_free(&arguments);
  fflush(streams[0]);
  fflush(streams[1]);
}

START_TEST(words_become_a_command) {
  run_both("", "show it --level 7 --colour red one two", NULL);
  ck_assert_int_eq(inner_code, 7);
  ck_assert_str_eq(out, "store here level 7 colour red operands 2 quiet 0\n");
  ck_assert_str_eq(err, "a note\nafter\n");
}
END_TEST

START_TEST(global_options_of_the_caller_hold) {
  run_both("--store there -q", "show it --colour green", NULL);
  ck_assert_int_eq(inner_code, 0);
  ck_assert_str_eq(out, "store there level 0 colour green operands 0 quiet 1\n");
  ck_assert_str_eq(err, "");
}
END_TEST

START_TEST(words_win_over_the_caller_and_end_with_the_command) {
  run_both("--store there", "show it --store elsewhere --quiet --colour red", NULL);
  ck_assert_str_eq(out, "store elsewhere level 0 colour red operands 0 quiet 1\n");
  ck_assert_str_eq(err, "after\n");
}
END_TEST

START_TEST(the_configuration_file_of_the_caller_holds) {
  char path[] = "/tmp/test_subcommand.XXXXXX";
  const char *text = "store = filed\n[show it]\ncolour = green\nlevel = 3\n";
  int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
  run_both("", "show it --level 4", path); /* as ASSISTIFY_CONFIG gives it */
  ck_assert_int_eq(inner_code, 4);
  char options[100];
  snprintf(options, sizeof options, "--config %s --store there", path);
  run_both(options, "show it", NULL);
  ck_assert_int_eq(inner_code, 3);
  unlink(path);
  ck_assert_str_eq(out, "store filed level 4 colour green operands 0 quiet 0\n"
                        "store there level 3 colour green operands 0 quiet 0\n");
}
END_TEST

static const struct {
  const char *words, *error;
} wrong[] = {
    {"", "no command was given"},
    {"show", "'show' needs to know what: it"},
    {"shwo it", "there is no command 'shwo' (did you mean 'show it'?)"},
    {"show it", "show it needs --colour"},
    {"show it --colour blue", "option --colour needs red or green, not 'blue'"},
    {"show it --level 1000 --colour red", "option --level needs a whole number from 0 to 200, not '1000'"},
    {"show it --help", "a command was to be run"},
    {"help show it", "a command was to be run"},
    {"--help", "a command was to be run"},
    {"refuse", "refuse refuses"},
    {"refuse --colour red", "refuse has no option '--colour'"},
};

START_TEST(what_is_no_command_is_refused_and_told) {
  run_both("", wrong[_i].words, NULL);
  ck_assert_int_eq(inner_code, AS_EXIT_USAGE);
  ck_assert_str_eq(out, "");
  ck_assert_msg(strstr(err, wrong[_i].error) != NULL, "%s", err);
  ck_assert_msg(strstr(as_error_text(ctx), wrong[_i].error) != NULL, "%s", as_error_text(ctx));
  ck_assert_ptr_nonnull(strstr(err, "try 'assistify "));
}
END_TEST

START_TEST(failing_allocations) {
  int code = -1, failures = 0;
  for (uint64_t n = 1; n < 60 && code != 3; n++) {
    as_test_fail_at(ctx, n);
    const char *line[] = {"assistify", "--store=there", "outer"};
    as_arguments arguments;
    as_status status = as_options_parse(ctx, &table, 3, line, NULL, &arguments);
    if (status == AS_OK) {
      as_cli cli = {.ctx = ctx, .arguments = &arguments, .console = &console};
      static const char *const words[] = {"show", "it", "--level=3", "--colour=red"};
      code = as_cli_run_command(&cli, words, 4);
      ck_assert(code == AS_EXIT_FAILED || code == 3);
      failures += code == AS_EXIT_FAILED;
    }
    as_arguments_free(&arguments);
  }
  as_test_fail_at(ctx, 0);
  ck_assert_int_eq(code, 3);
  ck_assert_int_gt(failures, 4);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("subcommand");
  TCase *one = tcase_create("running");
  tcase_add_checked_fixture(one, setup, teardown);
  tcase_add_test(one, words_become_a_command);
  tcase_add_test(one, global_options_of_the_caller_hold);
  tcase_add_test(one, words_win_over_the_caller_and_end_with_the_command);
  tcase_add_test(one, the_configuration_file_of_the_caller_holds);
  tcase_add_loop_test(one, what_is_no_command_is_refused_and_told, 0, (int)(sizeof wrong / sizeof wrong[0]));
  tcase_add_test(one, failing_allocations);
  suite_add_tcase(suite, one);
  return suite;
}
