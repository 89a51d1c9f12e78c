/* The plan of train all, in this process: what it says in JSON, and every failing allocation. tests/test_train_all.sh
 * has the rest. */
#include <stdlib.h>
#include <string.h>

#include "tests/program.h"
#include "tests/small_training.h"

static as_context *ctx;
static const char *folder;

static void setup(void) {
  ctx = as_test_context(1);
  folder = as_test_folder();
  as_small_task = &as_intent_task;
  as_small_csv(ctx, folder, "messages.csv", 40, 0);
}
static void teardown(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

static as_program plan(const char *option) {
  return as_run_program(ctx, (const char *const[]){"train", "all", "--data-dir", folder, "--models",
                                                   as_small_path(folder, "store"), "--size", "tiny", "--dry-run",
                                                   "--epochs", "3", option, NULL});
}

START_TEST(a_plan_as_json) {
  as_program program = plan("--json");
  json_t *all = as_program_json(ctx, &program), *models = json_object_get(all, "models");
  as_program_free(&program);
  const json_t *intent = json_array_get(models, 0), *sentiment = json_array_get(models, 1);
  ck_assert_uint_eq(json_array_size(models), 4);
  ck_assert_int_eq((int)json_integer_value(json_object_get(all, "exit_code")), 0);
  ck_assert_str_eq(json_string_value(json_object_get(intent, "state")), "waiting");
  ck_assert_int_eq((int)json_integer_value(json_object_get(intent, "rows")), 37);
  ck_assert_int_eq((int)json_integer_value(json_object_get(intent, "validation_rows")), 3);
  ck_assert_int_eq((int)json_integer_value(json_object_get(intent, "epochs")), 3);
  ck_assert(json_number_value(json_object_get(intent, "expected_seconds")) > 0);
  ck_assert_str_eq(json_string_value(json_object_get(sentiment, "state")), "left out");
  ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(sentiment, "why")), "has no column sentiment"));
  json_decref(all);
  ck_assert(!as_path_exists(as_small_path(folder, "store")));
}
END_TEST

START_TEST(failing_allocations_end_with_a_message) {
  for (uint64_t n = 1;; n += 1 + n / 15) {
    as_test_fail_at(ctx, n);
    as_program program = plan(_i ? "--json" : "--only=intent");
    const bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_msg(program.code == (failed ? 1 : 0), "allocation %d: exit %d, %s", (int)n, program.code, program.err);
    as_program_free(&program);
    if (!failed) break;
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("plan");
  TCase *tests = tcase_create("plan");
  tcase_set_timeout(tests, 120);
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, a_plan_as_json);
  tcase_add_loop_test(tests, failing_allocations_end_with_a_message, 0, 2);
  suite_add_tcase(suite, tests);
  return suite;
}
