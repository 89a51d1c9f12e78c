/* The inspect commands on every golden case of the encoders that there are: activations, losses, gradients, training;
 * and on every damaged folder. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "config.h"
#include "tests/harness.h"
#include "tests/model_case.h"
#include "tests/program.h"

static const char *const runs[] = {"distilbert_a",      "distilbert_b",
                                   "distilbert_a_bf16",
#ifdef AS_HAVE_LIBZIP
                                   "distilbert_a_bin",  "distilbert_b_bin_sharded",
#endif
                                   "distilbert_mlm",
                                   "roberta_a",         "roberta_b",
                                   "roberta_a_fp16",
#ifdef AS_HAVE_LIBZIP
                                   "roberta_a_bin_extra",
#endif
                                   "roberta_c_pad_inside", "roberta_mlm",
                                   "t5_v10_a",          "t5_v10_b",
                                   "t5_v10_a_bf16",     "t5_v11_a",
                                   "t5_v11_a_sharded",  "t5_v11_b_legacy_config",
#ifdef AS_HAVE_LIBZIP
                                   "t5_v10_a_bin",
#endif
};

static const struct {
  const char *name, *variant;
} trainings[] = {{"train_distilbert", "adamw"},
                 {"train_distilbert", "adamw_accum2"},
                 {"train_roberta", "adamw"},
                 {"train_roberta", "adamw_accum2"},
                 {"train_t5", "adamw"},
                 {"train_t5", "adamw_accum2"},
                 {"train_t5", "adafactor"}};

static const char *case_folder(const char *name) {
  char path[200];
  snprintf(path, sizeof path, "models/%s", name);
  return as_golden(path);
}

START_TEST(activations_losses_and_gradients_agree) {
  as_context *ctx = as_test_context(2);
  as_check_run(ctx, case_folder(runs[_i]));
  as_test_context_free(ctx);
}
END_TEST

START_TEST(training_agrees) {
  as_context *ctx = as_test_context(2);
  as_check_train(ctx, case_folder(trainings[_i].name), trainings[_i].variant);
  as_test_context_free(ctx);
}
END_TEST

static const char *const generations[] = {"t5_gen_random", "t5_gen_trained", "t5_gen_v10", "t5_gen_v11"};

START_TEST(generation_agrees) {
  as_context *ctx = as_test_context(2);
  as_check_generate(ctx, case_folder(generations[_i]));
  as_test_context_free(ctx);
}
END_TEST

/* ---- damaged folders ---------------------------------------------------------------------------------------- */

/* The message must name what the case is about. */
static void check_refusal(const json_t *item, const as_program *program) {
  const char *name = json_string_value(json_object_get(item, "case"));
  const json_t *fragments = json_object_get(item, "error_names");
  ck_assert_msg(program->code == 4, "%s: exit code %d, expected 4: %s", name, program->code, program->err);
  ck_assert_msg(program->out[0] == 0, "%s: printed something: %s", name, program->out);
  for (size_t i = 0; i < json_array_size(fragments); i++) {
    const char *fragment = json_string_value(json_array_get(fragments, i));
    ck_assert_msg(strstr(program->err, fragment), "%s: the message does not name \"%s\": %s", name, fragment,
                  program->err);
  }
}

static void check_verdict(const json_t *item) {
  const char *name = json_string_value(json_object_get(item, "case"));
  const char *verdict = json_string_value(json_object_get(item, "verdict"));
  char path[300];
  as_context *ctx = as_test_context(2);
  snprintf(path, sizeof path, "malformed/%s", name);
  as_program program = as_run_program(ctx, (const char *const[]){"inspect", "model", as_golden(path), NULL});
  bool needs_libzip = strstr(program.err, "libzip") != NULL; /* a build without it */
  if (strcmp(verdict, "accept") == 0 && !needs_libzip)
    ck_assert_msg(program.code == 0, "%s: exit code %d: %s", name, program.code, program.err);
  else if (!needs_libzip && (program.code != 0 || strcmp(verdict, "refuse") == 0))
    check_refusal(item, &program);
  as_program_free(&program);
  as_test_context_free(ctx);
}

START_TEST(damaged_folders_are_refused_with_exit_code_4) {
  json_t *index;
  as_context *ctx = as_test_context(1);
  ck_assert_ok(ctx, as_json_read(ctx, as_golden("malformed/index.json"), 1 << 20, AS_E_DATA, &index));
  const json_t *cases = json_object_get(index, "cases");
  ck_assert_uint_gt(json_array_size(cases), 50);
  for (size_t i = 0; i < json_array_size(cases); i++) check_verdict(json_array_get(cases, i));
  json_decref(index);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  as_golden_or_skip();
  Suite *suite = suite_create("golden_inspect");
  TCase *tcase = tcase_create("golden_inspect");
  tcase_add_loop_test(tcase, activations_losses_and_gradients_agree, 0, (int)(sizeof runs / sizeof runs[0]));
  tcase_add_loop_test(tcase, training_agrees, 0, (int)(sizeof trainings / sizeof trainings[0]));
  tcase_add_loop_test(tcase, generation_agrees, 0, (int)(sizeof generations / sizeof generations[0]));
  tcase_add_test(tcase, damaged_folders_are_refused_with_exit_code_4);
  suite_add_tcase(suite, tcase);
  return suite;
}
