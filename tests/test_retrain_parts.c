/* The parts of a retraining: commands taken apart, data that is fit and data that is not, the log, what a training
 * left.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lifecycle/data_gate.h"
#include "lifecycle/retrain_log.h"
#include "lifecycle/training_words.h"
#include "tests/folder_fixture.h"
#include "tests/store_fixture.h"

/* ---- words ------------------------------------------------------------------------------------------------------ */
static json_t *words_of(const char *line) {
  json_t *words = json_array();
  char copy[512];
  snprintf(copy, sizeof copy, "%s", line);
  for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) json_array_append_new(words, json_string(word));
  return words;
}

static const char *const none[] = {NULL};

START_TEST(options_of_a_command_are_found) {
  json_t *words = words_of("assistify train intent --data m.csv --size=tiny --relative-step --lr 0.1 --lr 0.2 --seed");
  ck_assert_str_eq(as_training_words_value(words, "data"), "m.csv");
  ck_assert_str_eq(as_training_words_value(words, "size"), "tiny");
  ck_assert_str_eq(as_training_words_value(words, "relative-step"), "");
  ck_assert_str_eq(as_training_words_value(words, "lr"), "0.2");
  ck_assert_str_eq(as_training_words_value(words, "seed"), "");
  ck_assert_ptr_null(as_training_words_value(words, "siz"));
  ck_assert_ptr_null(as_training_words_value(words, "intent"));
  ck_assert_ptr_null(as_training_words_value(NULL, "data"));
  json_decref(words);
}
END_TEST

START_TEST(options_are_copied_without_some_and_added) {
  static const char *const without[] = {"data", "flag", NULL};
  json_t *from = words_of("assistify train intent --data m.csv --size tiny --flag --lr=0.1"), *to = json_array();
  json_t *expected = words_of("--size tiny --lr=0.1 --hold-out 0.2 --overwrite");
  ck_assert_ok(ctx, as_training_words_copy(ctx, from, without, to));
  ck_assert_ok(ctx, as_training_words_add(ctx, to, "hold-out", "0.2"));
  ck_assert_ok(ctx, as_training_words_add(ctx, to, "overwrite", NULL));
  ck_assert(json_equal(to, expected));
  json_decref(from);
  json_decref(to);
  json_decref(expected);
}
END_TEST

START_TEST(commands_are_the_same_in_any_order) {
  static const char *const without[] = {"data", NULL};
  json_t *a = words_of("assistify train intent --data m.csv --size tiny --lr 0.1 --flag");
  json_t *b = words_of("--flag --lr=0.1 --size tiny --data n.csv"),
         *more = words_of("--flag --lr 0.1 --size tiny --seed 2");
  json_t *other = words_of("--flag --lr 0.1 --size mini");
  ck_assert(as_training_words_same(a, b, without));
  ck_assert(!as_training_words_same(a, b, none));
  ck_assert(!as_training_words_same(a, more, without) && !as_training_words_same(more, a, without));
  ck_assert(as_training_words_within(a, more, without) && !as_training_words_within(more, a, without));
  ck_assert(!as_training_words_same(a, other, without));
  json_t *all[] = {a, b, more, other};
  for (int i = 0; i < 4; i++) json_decref(all[i]);
}
END_TEST

/* ---- data ------------------------------------------------------------------------------------------------------- */
static const as_column_request intent = {.name = "intent"};
static const as_message_options reading = {.columns = &intent, .column_count = 1};

/* 60 messages of each of the classes a and b; every `broken`-th row lacks a field, every `repeated`-th has the text of
 * the row before and the other class. 0: none. */
static const char *write_messages(int broken, int repeated) {
  as_buffer text;
  as_buffer_init(&text, ctx);
  as_buffer_text(&text, "content,intent\n");
  for (int i = 0; i < 120; i++) {
    const bool again = repeated && i % repeated == repeated - 1;
    as_buffer_printf(&text, "message number %d%s%s\n", again ? i - 1 : i, broken && i % broken == 0 ? "" : ",",
                     broken && i % broken == 0 ? ""
                     : i % 2                   ? "a"
                                               : "b");
  }
  ck_assert_ok(ctx, as_file_write(ctx, below("m.csv"), text.data, text.length));
  as_buffer_free(&text);
  return below("m.csv");
}

static void expect_faults(const char *path, const as_data_limits *limits, const as_data_before *before,
                          const char *fragment /* NULL: none */) {
  as_data_verdict v = {0};
  as_buffer_init(&v.faults, ctx);
  ck_assert_ok(ctx, as_data_gate_messages(ctx, path, &reading, limits, before, &v));
  const char *faults = as_buffer_string(&v.faults);
  if (fragment)
    ck_assert_msg(strstr(faults, fragment) != NULL, "\"%s\" lacks \"%s\"", faults, fragment);
  else
    ck_assert_str_eq(faults, "");
  as_buffer_free(&v.faults);
}

START_TEST(messages_are_fit_or_their_faults_are_named) {
  static const char *const classes[] = {"a", "c"};
  const as_data_limits usual = as_data_limits_usual();
  const as_data_before nothing = {0}, two = {classes, 2, 0}, large = {NULL, 0, 100000};
  as_data_limits strict = usual;
  expect_faults(write_messages(0, 0), &usual, &nothing, NULL);
  expect_faults(write_messages(50, 0), &usual, &nothing, NULL); /* 3 of 120 */
  expect_faults(write_messages(10, 0), &usual, &nothing, "12 of 120 rows can't be used (10.0 %; at most 5.0 %)");
  expect_faults(write_messages(0, 10), &usual, &nothing, "12 of 120 rows have a text that stood before with another");
  const char *sound = write_messages(0, 0);
  expect_faults(sound, &usual, &two, "no row has the intent \"c\" any more");
  expect_faults(sound, &usual, &large, "smaller; at most 34 %");
  strict.least_rows = 121;
  expect_faults(sound, &strict, &nothing, "has 120 usable rows; at least 121 are wanted");
  strict = usual;
  strict.least_class_rows = 61;
  expect_faults(sound, &strict, &nothing, "2 of 2 values of intent have fewer than 61 rows, \"a\" among them");
  expect_faults(below("absent.csv"), &usual, &nothing, "absent.csv");
}
END_TEST

START_TEST(interactions_are_fit_or_their_faults_are_named) {
  const as_data_limits limits = {.least_rows = 4, .most_unusable = 0.2, .most_shrinkage = 1};
  const as_interaction_types types = as_interaction_types_usual();
  const as_csv_options csv = {0};
  const as_data_before before = {0};
  static const char products[] = "product_id\n1\n2\n", rows[] = "customer_id,product_id,interaction_type,timestamp\n"
                                                                "1,1,view,5\n1,2,view,6\n2,1,view,7\n2,9,view,8\n";
  as_data_verdict v = {0};
  ck_assert_ok(ctx, as_file_write(ctx, below("p.csv"), products, strlen(products)));
  ck_assert_ok(ctx, as_file_write(ctx, below("i.csv"), rows, strlen(rows)));
  as_buffer_init(&v.faults, ctx);
  ck_assert_ok(ctx, as_data_gate_interactions(ctx, below("i.csv"), below("p.csv"), &csv, &types, &limits, &before, &v));
  ck_assert_int_eq(v.rows, 4);
  ck_assert_int_eq(v.usable, 3);
  ck_assert_ptr_nonnull(strstr(as_buffer_string(&v.faults), "1 of 4 rows name a product that the catalogue lacks"));
  ck_assert_ptr_nonnull(strstr(as_buffer_string(&v.faults), "has 3 usable rows; at least 4 are wanted"));
  as_buffer_free(&v.faults);
}
END_TEST

/* ---- the log ---------------------------------------------------------------------------------------------------- */
static as_retrain_entry entry_of(const char *model, as_retrain_verdict verdict) {
  return (as_retrain_entry){.model = model,
                            .verdict = verdict,
                            .reason = "\"why\"\nnot",
                            .champion = 1,
                            .version = 2,
                            .metric = "macro_f1",
                            .of_champion = 0.5,
                            .of_version = NAN,
                            .rows = 10,
                            .usable = 9,
                            .seconds = 1.5};
}

START_TEST(what_came_of_it_is_kept_and_bounded) {
  as_buffer report;
  json_t *log;
  int64_t number;
  as_buffer_init(&report, ctx);
  as_buffer_text(&report, "# report\n");
  ck_assert_ok(ctx, as_retrain_log_read(ctx, folder, &log));
  ck_assert_uint_eq(json_array_size(log), 0);
  json_decref(log);
  for (int i = 1; i <= AS_RETRAIN_LINES + 5; i++) {
    const as_retrain_entry entry = entry_of("intent", AS_RETRAIN_PROMOTED);
    ck_assert_ok(ctx, as_retrain_log_add(ctx, folder, &entry, &report, 3, &number));
    ck_assert_int_eq(number, i);
    if (i == 10) i = AS_RETRAIN_LINES; /* from here on by a number of its own */
    if (i == AS_RETRAIN_LINES) ck_assert_ok(ctx, as_file_write(ctx, below("reports/001000-intent.md"), "x", 1));
  }
  ck_assert_ok(ctx, as_retrain_log_read(ctx, folder, &log));
  ck_assert_uint_eq(json_array_size(log), 15);
  const json_t *last = json_array_get(log, 14);
  ck_assert_str_eq(json_string_value(json_object_get(last, "verdict")), "promoted");
  ck_assert_str_eq(json_string_value(json_object_get(last, "reason")), "\"why\"\nnot");
  ck_assert(json_is_null(json_object_get(last, "of_version")));
  json_decref(log);
  ck_assert(as_path_exists(below("reports/001005-intent.md")) && as_path_exists(below("reports/001003-intent.md")));
  ck_assert(!as_path_exists(below("reports/001002-intent.md")) && !as_path_exists(below("reports/000001-intent.md")));
  as_buffer_free(&report);
}
END_TEST

START_TEST(the_log_forgets_its_oldest_lines_and_bears_a_broken_one) {
  as_buffer text, report;
  json_t *log;
  as_buffer_init(&text, ctx);
  as_buffer_init(&report, ctx);
  for (int i = 1; i <= AS_RETRAIN_LINES; i++) as_buffer_printf(&text, "{\"number\":%d,\"model\":\"x\"}\n", i);
  as_buffer_text(&text, "{\"number\":10"); /* cut short by hand */
  ck_assert_ok(ctx, as_file_write(ctx, below(AS_RETRAIN_LOG), text.data, text.length));
  const as_retrain_entry entry = entry_of("intent", AS_RETRAIN_REFUSED);
  int64_t number;
  ck_assert_ok(ctx, as_retrain_log_add(ctx, folder, &entry, &report, 3, &number));
  ck_assert_int_eq(number, AS_RETRAIN_LINES + 1);
  ck_assert_ok(ctx, as_retrain_log_read(ctx, folder, &log));
  ck_assert_uint_eq(json_array_size(log), AS_RETRAIN_LINES - 1); /* and the broken line */
  ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(log, 0), "number")), 3);
  json_decref(log);
  as_buffer_free(&text);
  as_buffer_free(&report);
}
END_TEST

START_TEST(a_number_that_no_log_has_is_passed_over) {
  static const char line[] = "{\"number\":9223372036854775807,\"model\":\"x\"}\n";
  as_buffer report;
  int64_t number;
  as_buffer_init(&report, ctx);
  ck_assert_ok(ctx, as_file_write(ctx, below(AS_RETRAIN_LOG), line, sizeof line - 1));
  const as_retrain_entry entry = entry_of("intent", AS_RETRAIN_REFUSED);
  for (int i = 1; i <= 2; i++) {
    ck_assert_ok(ctx, as_retrain_log_add(ctx, folder, &entry, &report, 3, &number));
    ck_assert_int_eq(number, i);
  }
  as_buffer_free(&report);
}
END_TEST

/* ---- the store -------------------------------------------------------------------------------------------------- */
START_TEST(a_version_with_an_alias_is_not_removed) {
  as_store *store = as_fixture_store(ctx, folder);
  for (int i = 0; i < 4; i++) as_fixture_add(ctx, store, "intent", "weights");
  as_version version = {"intent", 1};
  ck_assert_refused(ctx, as_store_remove(store, &version), AS_E_INVALID, "intent/1 is the champion");
  version.number = 4;
  ck_assert_refused(ctx, as_store_remove(store, &version), AS_E_INVALID, "intent/4 is the challenger");
  version.number = 9;
  ck_assert_refused(ctx, as_store_remove(store, &version), AS_E_MODEL, "no such version");
  version.number = 3;
  ck_assert_ok(ctx, as_store_remove(store, &version));
  ck_assert_refused(ctx, as_store_remove(store, &version), AS_E_MODEL, "no such version");
  version.number = 0;
  ck_assert_ok(ctx, as_store_verify(store, &version, NULL, NULL));
  as_store_close(store);
}
END_TEST

START_TEST(an_unfinished_training_says_what_it_is_made_from) {
  static const char *const command[] = {"assistify", "train", "intent", "--size", "tiny"};
  as_store *store = as_fixture_store(ctx, folder);
  json_t *origin;
  as_store_work work;
  ck_assert_ok(ctx, as_store_unfinished(store, "intent", &origin));
  ck_assert_ptr_null(origin);
  ck_assert_ok(ctx, as_store_begin_training(store, "intent", &work));
  const as_origin made = {.command = command, .words = 5};
  ck_assert_ok(ctx, as_store_describe(&work, &made));
  ck_assert_ok(ctx, as_make_folders(ctx, work.folder));
  ck_assert_ok(ctx, as_store_unfinished(store, "intent", &origin));
  ck_assert_str_eq(as_training_words_value(json_object_get(origin, "command"), "size"), "tiny");
  json_decref(origin);
  as_store_work_end(&work);
  const char *path = below("trained_models/intent/unfinished.json");
  static const char *const wrong[] = {"[]", "{\"command\":[\"a\",\"b\"],\"files\":[]}",
                                      "{\"command\":[\"a\",\"b\",1],\"files\":[]}", "{\"command\":[\"a\",\"b\",\"c\"]}",
                                      "{\"command\":[\"a\",\"b\",\"c\"],\"files\":[{\"option\":\"data\"}]}"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    ck_assert_ok(ctx, as_file_write(ctx, path, wrong[i], strlen(wrong[i])));
    ck_assert_refused(ctx, as_store_unfinished(store, "intent", &origin), AS_E_MODEL, "unfinished.json");
  }
  as_store_close(store);
}
END_TEST

START_TEST(every_failing_allocation_is_an_error_without_a_leak) {
  const as_data_limits limits = as_data_limits_usual();
  const as_data_before before = {0};
  const char *path = write_messages(10, 10);
  bool failed = true;
  for (uint64_t n = 1; failed; n++) {
    as_data_verdict v = {0};
    as_buffer_init(&v.faults, ctx);
    as_test_fail_at(ctx, n);
    as_status status = as_data_gate_messages(ctx, path, &reading, &limits, &before, &v);
    as_buffer_free(&v.faults);
    failed = as_test_failed_cleanly(ctx, status, 0);
  }
  const as_retrain_entry entry = entry_of("intent", AS_RETRAIN_WAITS);
  as_buffer report;
  as_buffer_init(&report, ctx);
  failed = true;
  for (uint64_t n = 1; failed; n++) {
    as_test_fail_at(ctx, n);
    failed = as_test_failed_cleanly(ctx, as_retrain_log_add(ctx, folder, &entry, &report, 2, NULL), 0);
  }
}
END_TEST

Suite *as_suite(void) {
  as_fixture_folders_in_memory();
  Suite *suite = suite_create("retrain_parts");
  TCase *tests = tcase_create("retrain_parts");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, options_of_a_command_are_found);
  tcase_add_test(tests, options_are_copied_without_some_and_added);
  tcase_add_test(tests, commands_are_the_same_in_any_order);
  tcase_add_test(tests, messages_are_fit_or_their_faults_are_named);
  tcase_add_test(tests, interactions_are_fit_or_their_faults_are_named);
  tcase_add_test(tests, what_came_of_it_is_kept_and_bounded);
  tcase_add_test(tests, the_log_forgets_its_oldest_lines_and_bears_a_broken_one);
  tcase_add_test(tests, a_number_that_no_log_has_is_passed_over);
  tcase_add_test(tests, a_version_with_an_alias_is_not_removed);
  tcase_add_test(tests, an_unfinished_training_says_what_it_is_made_from);
  tcase_add_test(tests, every_failing_allocation_is_an_error_without_a_leak);
  suite_add_tcase(suite, tests);
  return suite;
}
