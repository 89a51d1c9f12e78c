/* The parser of command lines, by a table of this test's own; what is made from a table; and the program's table. */
#include <stdlib.h>
#include <string.h>

#include "tests/option_table.h"

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
  TCase *parsing = tcase_create("parsing"), *made = tcase_create("made"), *own = tcase_create("table");
  TCase *const cases[] = {parsing, made, own};
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
  tcase_add_test(made, help_shows_what_the_rows_say);
  tcase_add_test(made, texts_of_the_table_are_escaped_in_the_manual);
  tcase_add_test(made, bash_completes_by_the_rows);
  tcase_add_test(own, the_table_is_consistent);
  tcase_add_test(own, contradictions_name_options_that_are_there);
  tcase_add_test(own, every_variable_means_one_thing);
  tcase_add_test(own, a_status_has_its_exit_code);
  return suite;
}
