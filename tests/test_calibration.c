/* Calibration of a classifier: the temperature against reference values, when there is none, its way through training,
 * the folder and the answers, and what it must leave alone. */
#include "tests/small_training.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "eval/classifier_calibration.h"
#include "infer/classifier.h"
#include "models/task_file.h"

enum { TRAIN_ROWS = 96, VALID_ROWS = 75 };

static as_context *ctx;
static const char *folder;

static void begin(void) {
  ctx = as_test_context(1);
  folder = as_test_folder();
}

static void end(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

static const char *in_folder(const char *name) {
  return as_small_path(folder, name);
}

/* ---- against reference values ----------------------------------------------------------------------------------- */

typedef struct reference {
  int64_t rows, classes;
  double *logits;
  int32_t *truth;
  const json_t *expected;
} reference;

static reference read_reference(const json_t *line) {
  const json_t *logits = json_object_get(line, "logits");
  reference r = {.rows = (int64_t)json_array_size(logits),
                 .classes = (int64_t)json_array_size(json_array_get(logits, 0)),
                 .expected = json_object_get(line, "expected")};
  r.logits = as_alloc(ctx, (size_t)(r.rows * r.classes), sizeof *r.logits);
  r.truth = as_alloc(ctx, (size_t)r.rows, sizeof *r.truth);
  for (int64_t i = 0; i < r.rows; i++) {
    r.truth[i] = (int32_t)json_integer_value(json_array_get(json_object_get(line, "y_true"), (size_t)i));
    for (int64_t k = 0; k < r.classes; k++)
      r.logits[i * r.classes + k] = json_number_value(json_array_get(json_array_get(logits, (size_t)i), (size_t)k));
  }
  return r;
}

static void free_reference(reference *r) {
  as_free(ctx, r->logits);
  as_free(ctx, r->truth);
}

static double number(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  ck_assert_msg(json_is_number(value), "%s is no number", key);
  return json_number_value(value);
}

static void check_near(const char *what, double actual, double expected, double relative) {
  ck_assert_msg(fabs(actual - expected) <= relative * fabs(expected) + 1e-12, "%s is %.17g, expected %.17g", what,
                actual, expected);
}

static void check_reference(const reference *r, int *kept) {
  as_classifier_calibration c;
  ck_assert_ok(ctx, as_classifier_calibration_fit(ctx, r->rows, r->classes, r->logits, r->truth, &c));
  check_near("log loss before", c.before.log_loss, number(r->expected, "nll_before"), 1e-9);
  check_near("ECE before", c.before.reliability.ece, number(r->expected, "ece15_before"), 1e-7);
  if (isnan(c.temperature)) {
    ck_assert_ptr_nonnull(c.reason);
    return;
  }
  ++*kept;
  ck_assert_ptr_null(c.reason);
  ck_assert_int_eq(c.folds, AS_CALIBRATION_FOLDS);
  check_near("temperature", c.temperature, number(r->expected, "temperature"), 1e-7);
  /* No row saw its own label: so it can't be better than the fit to all of them, nor worse by much. */
  ck_assert_double_gt(c.after.log_loss, number(r->expected, "nll_after"));
  ck_assert_double_lt(c.after.log_loss, 1.1 * number(r->expected, "nll_after"));
}

START_TEST(temperatures_are_those_of_the_reference) {
  begin();
  char *text;
  size_t length;
  int lines = 0, kept = 0;
  ck_assert_ok(
      ctx, as_file_read(ctx, as_source_path("tests/golden/metrics/temperature.jsonl"), 0, AS_E_DATA, &text, &length));
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
    json_t *root = json_loads(line, 0, NULL);
    reference r = read_reference(root);
    check_reference(&r, &kept);
    free_reference(&r);
    json_decref(root);
  }
  ck_assert_int_eq(lines, 6);
  ck_assert_int_ge(kept, 3);
  as_free(ctx, text);
  end();
}
END_TEST

/* ---- when there is none ----------------------------------------------------------------------------------------- */

/* `rows` rows of two classes whose logits are +-strength for the true one; every `wrong`-th is answered wrongly. */
static as_classifier_calibration fit_two(int64_t rows, double strength, int64_t wrong) {
  double *logits = as_alloc(ctx, (size_t)(2 * rows), sizeof *logits);
  int32_t *truth = as_alloc(ctx, (size_t)rows, sizeof *truth);
  as_classifier_calibration c;
  for (int64_t i = 0; i < rows; i++) {
    const bool right = wrong == 0 || i % wrong != 0;
    truth[i] = (int32_t)(i / 2 % 2);
    logits[2 * i] = (truth[i] == 0) == right ? strength : -strength;
    logits[2 * i + 1] = -logits[2 * i];
  }
  ck_assert_ok(ctx, as_classifier_calibration_fit(ctx, rows, 2, logits, truth, &c));
  as_free(ctx, logits);
  as_free(ctx, truth);
  return c;
}

START_TEST(few_rows_and_rows_all_right_have_no_temperature) {
  begin();
  as_classifier_calibration c = fit_two(AS_CALIBRATION_ROWS - 1, 3, 7);
  ck_assert(isnan(c.temperature) && isnan(c.after.log_loss) && !isnan(c.before.log_loss) && c.folds == 0);
  ck_assert_str_eq(c.reason, "there are fewer than 50 validation rows");
  c = fit_two(AS_CALIBRATION_ROWS, 3, 7);
  ck_assert(c.temperature > 1 && c.temperature < 20 && c.after.log_loss < c.before.log_loss);
  c = fit_two(100, 3, 0);
  ck_assert(isnan(c.temperature) && strstr(c.reason, "answered right"));
  c = fit_two(100, 3, 1);
  ck_assert(isnan(c.temperature) && strstr(c.reason, "say nothing of the labels"));
  c = fit_two(0, 3, 1);
  ck_assert(isnan(c.temperature) && c.reason && isnan(c.before.log_loss));
  /* Nine of ten right, and said so: there is nothing to gain. */
  c = fit_two(1000, log(0.9 / 0.1) / 2, 10);
  ck_assert(isnan(c.temperature) && strstr(c.reason, "doesn't lower the log loss"));
  end();
}
END_TEST

START_TEST(a_logit_that_is_not_finite_is_passed_over) {
  begin();
  const double logits[] = {1, -INFINITY, 1, 0};
  const int32_t truth[] = {0, 1};
  as_classifier_calibration c;
  ck_assert_ok(ctx, as_classifier_calibration_fit(ctx, 2, 2, logits, truth, &c));
  ck_assert(isnan(c.temperature) && strstr(c.reason, "not finite"));
  ck_assert_refused(ctx, as_classifier_calibration_fit(ctx, 2, 0, logits, truth, &c), AS_E_INVALID, "0 classes");
  end();
}
END_TEST

START_TEST(failing_allocations_are_reported) {
  double logits[2 * 60];
  int32_t truth[60];
  for (int i = 0; i < 60; i++) {
    truth[i] = i % 5 == 0;
    logits[2 * i] = 2 + i % 3;
    logits[2 * i + 1] = 0;
  }
  ctx = as_test_context(1);
  const size_t used = as_memory_used(ctx);
  as_status status;
  uint64_t n = 1;
  do {
    as_classifier_calibration c;
    as_test_fail_at(ctx, n++);
    status = as_classifier_calibration_fit(ctx, 60, 2, logits, truth, &c);
  } while (as_test_failed_cleanly(ctx, status, used));
  ck_assert_uint_gt(n, 5);
  as_test_context_free(ctx);
}
END_TEST

/* ---- a row ------------------------------------------------------------------------------------------------------ */

START_TEST(a_row_keeps_its_label_at_every_temperature) {
  /* The softmax has rounded the larger logit away: the first class is the label and stays it. */
  const float logits[4] = {5, nextafterf(5, 6), -3, 4};
  for (double t = AS_TEMPERATURE_LEAST; t <= AS_TEMPERATURE_MOST; t *= 1.5) {
    float p[4] = {0.4f, 0.4f, 0.001f, 0.199f};
    ck_assert_int_eq(as_calibrate_row(logits, 4, t, p), 0);
    ck_assert(p[0] >= p[1] && p[0] >= p[3] && p[3] >= p[2]);
    ck_assert_double_eq_tol((double)(p[0] + p[1] + p[2] + p[3]), 1, 1e-6);
    ck_assert_double_eq_tol((double)p[3], exp(-1 / t) / (2 + exp(-8 / t) + exp(-1 / t)), 1e-6);
  }
}
END_TEST

/* ---- through training ------------------------------------------------------------------------------------------- */

/* Every fourth row of the validation file has another row's label, so that some temperature fits best. */
static as_recipe noisy_recipe(void) {
  static char valid[4200];
  as_recipe recipe = as_small_recipe(as_small_csv(ctx, folder, "data.csv", TRAIN_ROWS, 0));
  const char *whole = as_small_csv(ctx, folder, "whole.csv", VALID_ROWS, 1);
  static const char *const labels[3] = {"buy", "return", "track"};
  char *text;
  size_t length;
  int row = 0;
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_ok(ctx, as_file_read(ctx, whole, 0, AS_E_IO, &text, &length));
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), row++) {
    if (row > 0 && row % 4 == 0) {
      char *comma = strrchr(line, ',');
      as_buffer_printf(&out, "%.*s,%s\n", (int)(comma - line), line, labels[row % 3]);
    } else {
      as_buffer_printf(&out, "%s\n", line);
    }
  }
  snprintf(valid, sizeof valid, "%s", in_folder("valid.csv"));
  ck_assert_ok(ctx, as_file_write(ctx, valid, out.data, out.length));
  as_buffer_free(&out);
  as_free(ctx, text);
  recipe.valid = valid;
  recipe.epochs = 4;
  return recipe;
}

static double stored_temperature(const char *model) {
  as_task_file file;
  ck_assert_ok(ctx, as_task_file_read(ctx, in_folder(model), &file));
  const double temperature = file.temperature;
  as_task_file_free(ctx, &file);
  return temperature;
}

static json_t *read_calibration(const char *model) {
  json_t *root;
  ck_assert_ok(ctx, as_json_read(ctx, as_small_path(in_folder(model), "metrics.json"), 1 << 20, AS_E_MODEL, &root));
  json_t *calibration = json_incref(json_object_get(root, "calibration"));
  ck_assert_ptr_nonnull(calibration);
  json_decref(root);
  return calibration;
}

enum { MOST_CLASSES = 3 };
/* Asks about texts of its own. */
static void ask(as_classifier *c, int count, as_prediction *out, float *probabilities, float *logits) {
  static const char *const texts[4] = {"I want to buy a chair", "where is my parcel", "please take back two books", ""};
  as_text in[4];
  ck_assert_int_le(count, 4);
  for (int i = 0; i < count; i++) {
    in[i] = (as_text){texts[i], strlen(texts[i])};
    out[i].probabilities = probabilities + i * MOST_CLASSES;
  }
  ck_assert_ok(ctx, as_classifier_predict_logits(c, in, count, out, logits));
}

static as_classifier *open_folder(const char *model) {
  as_classifier *c;
  ck_assert_ok(ctx, as_classifier_open(ctx, in_folder(model), NULL, &c));
  return c;
}

START_TEST(training_stores_the_temperature_that_answers_are_made_with) {
  begin();
  as_recipe recipe = noisy_recipe();
  as_small_train(ctx, &recipe, in_folder("model"));
  const double t = stored_temperature("model");
  ck_assert_double_gt(t, AS_TEMPERATURE_LEAST);
  json_t *calibration = read_calibration("model");
  check_near("temperature", number(calibration, "temperature"), t, 0);
  ck_assert_int_eq((int)number(calibration, "rows"), VALID_ROWS);
  const json_t *before = json_object_get(calibration, "before"), *after = json_object_get(calibration, "after");
  ck_assert_double_lt(number(after, "log_loss"), number(before, "log_loss"));
  ck_assert_double_gt(number(before, "brier") + number(before, "ece15"), 0);
  json_decref(calibration);

  /* The same without the file: the model's own answers, which 1 gives to the bit. */
  as_prediction with[4], own[4], plain[4];
  float p[4 * MOST_CLASSES], p_own[4 * MOST_CLASSES], p_plain[4 * MOST_CLASSES], logits[4 * MOST_CLASSES];
  as_classifier *c = open_folder("model");
  ck_assert(as_classifier_temperature(c) == t);
  ask(c, 4, with, p, logits);
  ck_assert_ok(ctx, as_classifier_set_temperature(c, 1));
  ask(c, 4, own, p_own, NULL);
  ck_assert_refused(ctx, as_classifier_set_temperature(c, 0), AS_E_INVALID, "0.05");
  ck_assert_refused(ctx, as_classifier_set_temperature(c, (double)NAN), AS_E_INVALID, "0.05");
  as_classifier_close(c);
  ck_assert_int_eq(unlink(as_small_path(in_folder("model"), "assistify.json")), 0);
  c = open_folder("model");
  ask(c, 4, plain, p_plain, NULL);
  as_classifier_close(c);
  ck_assert_mem_eq(p_own, p_plain, sizeof p_own);
  ck_assert_mem_ne(p, p_plain, sizeof p);
  for (int i = 0; i < 4; i++) {
    double sum = 0;
    ck_assert_int_eq(with[i].label, plain[i].label);
    ck_assert(with[i].confidence == p[i * MOST_CLASSES + with[i].label]);
    for (int k = 0; k < MOST_CLASSES; k++) sum += exp((double)(logits[i * 3 + k] - logits[i * 3]) / t);
    ck_assert_double_eq_tol((double)p[i * MOST_CLASSES], 1 / sum, 1e-6);
  }
  end();
}
END_TEST

static void assert_same_files(const char *model, const char *as) {
  static const char *const files[] = {"assistify.json", "metrics.json", "model.safetensors"};
  for (size_t i = 0; i < 3; i++)
    as_assert_same_file(ctx, as_small_path(in_folder(model), files[i]), as_small_path(in_folder(as), files[i]));
}

typedef struct stop {
  int64_t asked, after;
} stop;
static bool stopping(void *user) {
  stop *s = user;
  return ++s->asked > s->after;
}

/* Stopped at every question of the end: while the rows are asked for the temperature, too. */
START_TEST(threads_and_interruptions_change_no_byte) {
  begin();
  as_recipe recipe = noisy_recipe();
  stop all = {.after = INT64_MAX};
  as_training_listener listener = {.interrupted = stopping, .user = &all};
  as_training_result result;
  ck_assert_ok(ctx, as_train_classifier(ctx, &recipe, in_folder("one"), false, &listener, &result));
  ck_assert_double_gt(stored_temperature("one"), 0);
  for (int threads = 2; threads <= 3; threads++) {
    as_context *other = as_test_context(threads);
    as_small_train(other, &recipe, in_folder(threads == 2 ? "two" : "three"));
    as_test_context_free(other);
    assert_same_files(threads == 2 ? "two" : "three", "one");
  }
  for (int64_t before_end = 1; before_end <= 4; before_end++) {
    char name[32];
    snprintf(name, sizeof name, "stop-%d", (int)before_end);
    stop s = {.after = all.asked - before_end};
    listener.user = &s;
    ck_assert_refused(ctx, as_train_classifier(ctx, &recipe, in_folder(name), false, &listener, &result),
                      AS_E_INTERRUPTED, "--resume");
    ck_assert(!as_path_exists(as_small_path(in_folder(name), "model.safetensors")));
    ck_assert_ok(ctx, as_train_classifier_resume(ctx, in_folder(name), NULL, &result));
    assert_same_files(name, "one");
  }
  end();
}
END_TEST

START_TEST(few_validation_rows_store_none_and_nothing_is_inherited) {
  begin();
  as_recipe recipe = noisy_recipe();
  as_small_train(ctx, &recipe, in_folder("first"));
  ck_assert_double_gt(stored_temperature("first"), 0);
  char from[4200];
  snprintf(from, sizeof from, "%s", in_folder("first"));
  as_recipe next = as_small_recipe(recipe.data); /* a tenth of the rows for validation: fewer than 50 */
  next.from = from;
  next.size = NULL;
  next.architecture = NULL;
  as_small_train(ctx, &next, in_folder("next"));
  ck_assert(stored_temperature("next") == 0); /* NOLINT */
  json_t *calibration = read_calibration("next");
  ck_assert(json_is_null(json_object_get(calibration, "temperature")) &&
            json_is_null(json_object_get(calibration, "after")));
  ck_assert_str_eq(json_string_value(json_object_get(calibration, "reason")),
                   "there are fewer than 50 validation rows");
  ck_assert_double_gt(number(json_object_get(calibration, "before"), "log_loss"), 0);
  json_decref(calibration);
  as_classifier *c = open_folder("first"), *copy;
  const double t = as_classifier_temperature(c);
  ck_assert_ok(ctx, as_classifier_set_temperature(c, 1)); /* what is saved is the model's, not what is asked with */
  ck_assert_ok(ctx, as_classifier_save(c, in_folder("copy")));
  as_classifier_close(c);
  copy = open_folder("copy");
  ck_assert(as_classifier_temperature(copy) == t);
  as_classifier_close(copy);
  end();
}
END_TEST

START_TEST(hostile_temperatures_are_refused) {
  static const char *const cases[] = {"{}",
                                      "3",
                                      "[]",
                                      "{\"temperature\": null}",
                                      "{\"temperature\": \"2\"}",
                                      "{\"temperature\": 0}",
                                      "{\"temperature\": -1}",
                                      "{\"temperature\": 1e999}",
                                      "{\"temperature\": 0.049}",
                                      "{\"temperature\": 20.5}",
                                      "{\"temperature\": NaN}",
                                      "{\"temperature\": 1, \"temperature\": 2}"};
  begin();
  as_recipe recipe = as_small_recipe(as_small_csv(ctx, folder, "data.csv", 48, 0));
  recipe.epochs = 1;
  as_small_train(ctx, &recipe, in_folder("model"));
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[200];
    as_classifier *c;
    snprintf(text, sizeof text, "{\"task\": \"%s\", \"calibration\": %s}", as_small_task->name, cases[i]);
    ck_assert_ok(ctx, as_file_write(ctx, as_small_path(in_folder("model"), "assistify.json"), text, strlen(text)));
    ck_assert_refused(ctx, as_classifier_open(ctx, in_folder("model"), NULL, &c), AS_E_MODEL, "assistify.json");
    ck_assert_msg(strstr(as_error_text(ctx), "temperature") || strstr(as_error_text(ctx), "line"), "%s: %s", cases[i],
                  as_error_text(ctx));
    ck_assert_ptr_null(c);
  }
  end();
}
END_TEST

Suite *as_suite(void) {
  const TTest *const plain[] = {temperatures_are_those_of_the_reference,
                                few_rows_and_rows_all_right_have_no_temperature,
                                a_logit_that_is_not_finite_is_passed_over, failing_allocations_are_reported,
                                a_row_keeps_its_label_at_every_temperature};
  const TTest *const trained[] = {
      training_stores_the_temperature_that_answers_are_made_with, threads_and_interruptions_change_no_byte,
      few_validation_rows_store_none_and_nothing_is_inherited, hostile_temperatures_are_refused};
  Suite *suite = suite_create("calibration");
  for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
    TCase *tcase = tcase_create(plain[i]->name);
    tcase_add_test(tcase, plain[i]);
    suite_add_tcase(suite, tcase);
  }
  as_small_cases(suite, trained, sizeof trained / sizeof trained[0]);
  return suite;
}
