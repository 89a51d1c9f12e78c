/* retrain in this process: memory, and failing allocations at any moment. The champion is what it was afterwards. */
#include <string.h>
#include <unistd.h>

#include "tests/program.h"
#include "tests/small_training.h"
/* last: its names are used as parameters above */
#include "tests/folder_fixture.h"

#define RUN(...) as_run_program(ctx, (const char *const[]){__VA_ARGS__, NULL})

static char data[4200], store[4200], champion[4300];

/* A champion, the data of another week, and the version that was made of it and is not promoted yet. */
static void setup_store(void) {
  setup();
  as_small_task = &as_intent_task;
  snprintf(data, sizeof data, "%s", below("data"));
  snprintf(store, sizeof store, "%s", below("store"));
  snprintf(champion, sizeof champion, "%s/intent/champion", store);
  ck_assert_ok(ctx, as_make_folders(ctx, data));
  as_program first = RUN("train", "intent", "--data", as_small_csv(ctx, data, "messages.csv", 90, 0), "--models", store,
                         "--size", "tiny", "--vocab-size", "300", "--epochs", "1", "--hold-out", "0.3");
  ck_assert_msg(first.code == 0, "%s", first.err);
  as_program_free(&first);
  as_small_csv(ctx, data, "messages.csv", 90, 1);
}

static as_program retrain(const char *promote) {
  return RUN("retrain", "intent", "--data-dir", data, "--models", store, "--hold-out", "0.3", "--least-rows", "10",
             "--min-rows", "2", "--max-loss", "none", "--max-fall", "none", "--promote", promote, "--min-free", "0",
             "--keep", "2");
}

static void expect_champion(const char *version) {
  char target[64] = "";
  ck_assert_int_gt(readlink(champion, target, sizeof target - 1), 0);
  ck_assert_str_eq(target, version);
}

static void expect_verdict(const char *promote, int code, const char *verdict) {
  as_program program = retrain(promote);
  ck_assert_msg(program.code == code && strstr(program.out, verdict), "exit %d, expected %d and \"%s\": %s%s",
                program.code, code, verdict, program.out, program.err);
  as_program_free(&program);
}

START_TEST(a_version_is_made_once_and_promoted_when_it_shall_be) {
  expect_verdict("never", 0, "waits");
  expect_champion("v0001");
  expect_verdict("auto", 0, "promoted");
  expect_champion("v0002");
  expect_verdict("auto", 0, "same");
  as_small_csv_of(ctx, data, "messages.csv", "text,buy\n");
  expect_verdict("auto", 3, "data");
  expect_champion("v0002");
}
END_TEST

START_TEST(failing_allocations_leave_the_champion) {
  expect_verdict("never", 0, "waits");
  for (uint64_t n = 1;; n += 1 + n / 40) {
    as_test_fail_at(ctx, n);
    as_program program = retrain("never");
    const bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    /* That figures are not recorded is a warning only: the comparison was made all the same. */
    ck_assert_msg(program.code == 0 || (failed && program.code == 1), "allocation %d: exit %d, %s", (int)n,
                  program.code, program.err);
    ck_assert_msg(program.code == 0 || *program.err, "allocation %d: exit 1 without a word", (int)n);
    as_program_free(&program);
    expect_champion("v0001");
    if (!failed) break;
  }
  expect_verdict("auto", 0, "promoted");
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("retrain_program");
  TCase *tests = tcase_create("retrain_program");
  tcase_set_timeout(tests, 120);
  tcase_add_checked_fixture(tests, setup_store, teardown);
  tcase_add_test(tests, a_version_is_made_once_and_promoted_when_it_shall_be);
  tcase_add_test(tests, failing_allocations_leave_the_champion);
  suite_add_tcase(suite, tests);
  return suite;
}
