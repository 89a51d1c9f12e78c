/* compare intent and compare response in this process: every failing allocation ends with a message, rows of labels
 * that only one model knows, and files that are written. */
#include <string.h>

#include "infer/changed_rows.h"
#include "models/task_file.h"
#include "tests/program.h"
#include "tests/small_responder.h"
#include "tests/small_training.h"
/* last: its names are used as parameters above */
#include "tests/folder_fixture.h"

#define RUN(...) as_run_program(ctx, (const char *const[]){__VA_ARGS__, NULL})

static const char *test_rows;

static char *read_text(const char *path) {
  char *text;
  size_t length;
  ck_assert_ok(ctx, as_file_read(ctx, path, 0, AS_E_DATA, &text, &length));
  return text;
}

/* "first" knows buy, return and track; "second" calls what is tracked "follow". */
static void setup_classifiers(void) {
  setup();
  as_small_task = &as_intent_task;
  const char *first = as_small_csv(ctx, folder, "first.csv", 60, 0), *second = below("second.csv");
  as_recipe recipe = as_small_recipe(first);
  as_small_train(ctx, &recipe, below("first"));
  char *text = read_text(first);
  as_buffer other;
  as_buffer_init(&other, ctx);
  for (const char *at = text, *found; *at; at = found + (*found ? 6 : 0)) {
    found = strstr(at, ",track");
    if (!found) found = at + strlen(at);
    as_buffer_append(&other, at, (size_t)(found - at));
    if (*found) as_buffer_text(&other, ",follow");
  }
  ck_assert_ok(ctx, as_file_write(ctx, second, other.data, other.length));
  as_buffer_free(&other);
  as_free(ctx, text);
  recipe = as_small_recipe(second);
  recipe.epochs = 4;
  as_small_train(ctx, &recipe, below("second"));
  static char path[4200];
  snprintf(path, sizeof path, "%s", as_small_csv(ctx, folder, "test.csv", 30, 1));
  test_rows = path;
}

START_TEST(labels_that_one_does_not_know_are_counted_wrong) {
  as_program program = RUN("compare", "intent", below("first"), below("second"), "--data", test_rows, "--json",
                           "--min-rows", "1", "--max-loss", "none", "--max-class-loss", "none");
  ck_assert_int_eq(program.code, 0);
  json_t *answer = json_loads(program.out, 0, NULL);
  const json_t *second_only = json_object_get(answer, "only_second_knows");
  ck_assert_str_eq(json_string_value(json_array_get(second_only, 0)), "follow");
  ck_assert_uint_eq(json_array_size(json_object_get(answer, "labels")), 4);
  size_t i;
  json_t *class;
  bool tracked = false;
  json_array_foreach(json_object_get(answer, "classes"), i, class) {
    if (strcmp(json_string_value(json_object_get(class, "label")), "track") != 0) continue;
    tracked = true;
    ck_assert_int_eq(json_integer_value(json_object_get(class, "support")), 10);
    ck_assert(json_real_value(json_object_get(class, "f1_second")) <= 0);
  }
  ck_assert(tracked);
  json_decref(answer);
  as_program_free(&program);
}
END_TEST

static bool stops(void *user, int64_t done, int64_t count) {
  *(int64_t *)user = done * 1000 + count;
  return false;
}

START_TEST(changed_rows_have_both_answers) {
  as_classifier *classifiers[2];
  as_labels labels;
  as_messages *messages;
  as_labelled_rows rows;
  int32_t predicted[2][30];
  double probabilities[2][30 * 4];
  as_buffer out;
  const as_column_request column = {.name = "intent", .kind = AS_COLUMN_LABEL};
  const as_message_options options = {.columns = &column, .column_count = 1};
  ck_assert_ok(ctx, as_classifier_open(ctx, below("first"), &as_intent_task, &classifiers[0]));
  ck_assert_ok(ctx, as_classifier_open(ctx, below("second"), &as_intent_task, &classifiers[1]));
  ck_assert_ok(
      ctx, as_labels_join(ctx, as_classifier_labels(classifiers[0]), as_classifier_labels(classifiers[1]), &labels));
  ck_assert_ok(ctx, as_messages_read(ctx, test_rows, &options, NULL, &messages));
  ck_assert_ok(ctx, as_labelled_rows_make(ctx, messages, &labels, false, "nobody knows the", &rows));
  for (int i = 0; i < 2; i++)
    ck_assert_ok(ctx, as_labelled_rows_answer(&rows, classifiers[i], &labels, predicted[i], probabilities[i], NULL, NULL));
  int64_t heard = 0;
  const as_answer_listener listener = {stops, &heard};
  ck_assert_int_eq(as_labelled_rows_answer(&rows, classifiers[0], &labels, predicted[0], probabilities[0], NULL, &listener),
                   AS_E_INTERRUPTED);
  ck_assert_int_eq(heard, 30030);
  const int64_t follow = as_labels_find(&labels, "follow");
  double known = 0;
  for (int row = 0; row < 30; row++) {
    double sum = 0;
    for (size_t k = 0; k < labels.count; k++) sum += probabilities[1][(size_t)row * labels.count + k];
    ck_assert_msg(sum > 1 - 1e-5 && sum < 1 + 1e-5, "row %d: %g", row, sum);
    ck_assert(probabilities[0][(size_t)row * labels.count + (size_t)follow] <= 0);
    known += probabilities[1][(size_t)row * labels.count + (size_t)follow];
  }
  ck_assert(known > 0);
  /* Answers by hand: right and wrong, wrong and right, twice wrong. */
  for (int row = 0; row < 30; row++) predicted[0][row] = predicted[1][row] = rows.truth[row];
  predicted[1][4] = (rows.truth[4] + 1) % 3;
  predicted[0][2] = (rows.truth[2] + 1) % 3;
  predicted[0][1] = (rows.truth[1] + 1) % 3;
  predicted[1][1] = (rows.truth[1] + 2) % 3;
  as_buffer_init(&out, ctx);
  const as_answer_pair pair = {&rows, &labels, {predicted[0], predicted[1]}, {probabilities[0], probabilities[1]}};
  ck_assert_ok(ctx, as_changed_rows_csv(ctx, &pair, &out));
  const char *broken = strstr(out.data, ",broken\n"), *fixed = strstr(out.data, ",fixed\n");
  ck_assert(broken && fixed && broken < fixed && fixed < strstr(out.data, ",both wrong\n"));
  ck_assert(strstr(out.data, "change\n6,") && strstr(broken, "\n4,") && strstr(fixed, "\n3,"));
  as_buffer_free(&out);
  as_labelled_rows_free(&rows);
  /* The first alone knows nothing of "follow". */
  as_messages_free(messages);
  ck_assert_ok(ctx, as_messages_read(ctx, below("second.csv"), &options, NULL, &messages));
  ck_assert_refused(ctx,
                    as_labelled_rows_make(ctx, messages, as_classifier_labels(classifiers[0]), false, "unknown", &rows),
                    AS_E_DATA, "unknown label \"follow\"");
  as_labelled_rows_free(&rows);
  ck_assert_ok(ctx, as_labelled_rows_make(ctx, messages, as_classifier_labels(classifiers[0]), true, "unknown", &rows));
  ck_assert_int_eq(rows.unknown, 20);
  ck_assert_int_eq(rows.count, 40);
  as_labelled_rows_free(&rows);
  as_messages_free(messages);
  as_labels_free(ctx, &labels);
  for (int i = 0; i < 2; i++) as_classifier_close(classifiers[i]);
}
END_TEST

START_TEST(failing_allocations_end_with_a_message) {
  char changed[4200], report[4200], database[4200];
  snprintf(changed, sizeof changed, "%s", below("changed.csv"));
  snprintf(report, sizeof report, "%s", below("report.md"));
  snprintf(database, sizeof database, "%s", below("figures.db"));
  const char *data = test_rows;
  for (uint64_t n = 1;; n += 1 + n / 20) {
    as_test_fail_at(ctx, n);
    as_program program = RUN("compare", _i ? "response" : "intent", below("first"), below("second"), "--data", data,
                             "--changed", changed, "--report", report, "--db", database, "--resamples", "100",
                             "--latency", "2", "--max-drop", "90", "--min-rows", "2", "--max-loss", "none");
    const bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_msg(failed ? program.code == 1 : program.code == 0 || program.code == 5, "allocation %d: exit %d, %s",
                  (int)n, program.code, program.err);
    as_program_free(&program);
    if (!failed) break;
  }
  char *text = read_text(report);
  ck_assert(strstr(text, _i ? "| BLEU |" : "| macro F1 |") && strstr(text, "    assistify compare "));
  as_free(ctx, text);
}
END_TEST

static void write_task(const char *to) {
  char task[] = "response";
  as_task_file file = {.task = task};
  ck_assert_ok(ctx, as_task_file_write(ctx, to, &file));
}

/* Two copies of a model that has learned nothing. */
static void setup_responders(void) {
  static const char rows[] = "content,response\nwhere is it,Your order is on its way\ncancel it,We have cancelled it\n"
                             "hello,Your order is here\n";
  setup();
  ck_assert_ok(ctx, as_make_folders(ctx, below("first")));
  ck_assert_ok(ctx, as_make_folders(ctx, below("second")));
  as_write_small_responder(ctx, below("first"));
  as_write_small_responder(ctx, below("second"));
  write_task(below("first"));
  write_task(below("second"));
  static char path[4200];
  snprintf(path, sizeof path, "%s", below("replies.csv"));
  ck_assert_ok(ctx, as_file_write(ctx, path, rows, strlen(rows)));
  test_rows = path;
}

Suite *as_suite(void) {
  Suite *suite = suite_create("compare_program");
  TCase *classifiers = tcase_create("classifiers"), *replies = tcase_create("replies");
  tcase_set_timeout(classifiers, 120);
  tcase_set_timeout(replies, 120);
  tcase_add_checked_fixture(classifiers, setup_classifiers, teardown);
  tcase_add_checked_fixture(replies, setup_responders, teardown);
  tcase_add_test(classifiers, labels_that_one_does_not_know_are_counted_wrong);
  tcase_add_test(classifiers, changed_rows_have_both_answers);
  tcase_add_loop_test(classifiers, failing_allocations_end_with_a_message, 0, 1);
  tcase_add_loop_test(replies, failing_allocations_end_with_a_message, 1, 2);
  suite_add_tcase(suite, classifiers);
  suite_add_tcase(suite, replies);
  return suite;
}
