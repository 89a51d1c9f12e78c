/* Rows of reference metrics, through the same functions that `assistify metrics` uses for a line. */
#include "tests/metrics_rows.h"

#include "tests/harness.h"

#include <math.h>
#include <string.h>

#include "eval/metrics_json.h"

/* How near a number must come, by the task and by the field that it is or stands in. */
typedef struct tolerance {
  const char *task, *field;
  double absolute, relative;
} tolerance;

static const tolerance ratio_tolerance = {"", "", 1e-12, 0};
static const tolerance tolerances[] = {
    {"classification", "log_loss", 0, 1e-9},
    {"mcnemar", "exact_p", 0, 1e-7},
    {"mcnemar", "midp", 0, 1e-7},
    {"mcnemar", "chi2_p", 0, 1e-7},
    {"mcnemar", "chi2_cc_p", 0, 1e-7},
    {"temperature", "temperature", 0, 1e-7},
    {"temperature", "nll_before", 0, 1e-9},
    {"temperature", "nll_after", 0, 1e-9},
    {"temperature", "ece15_after", 0, 1e-7},
    {"text", "bleu", 0, 1e-9},
    {"text", "bleu_no_effective_order", 0, 1e-9},
    {"text", "chrf", 0, 1e-9},
    {"text", "chrf_pp", 0, 1e-9},
    {"text", "rouge", 0, 1e-9},
    {"text", "rouge_best_of_refs_no_stemmer", 0, 1e-9},
    {"psi", "psi", 0, 1e-9},
    {"proportions", "p_two_sided", 0, 1e-7},
};

static const tolerance *tolerance_of(const char *task, const char *field, const tolerance *inherited) {
  for (size_t i = 0; i < sizeof tolerances / sizeof *tolerances; i++) {
    if (strcmp(tolerances[i].task, task) == 0 && strcmp(tolerances[i].field, field) == 0) return &tolerances[i];
  }
  return inherited;
}

/* Where the comparison stands. */
typedef struct place {
  const char *task;
  const char *path;
  const tolerance *near;
} place;

static void compare(place at, const json_t *actual, const json_t *expected);

static void compare_objects(place at, const json_t *actual, const json_t *expected) {
  ck_assert_msg(json_is_object(actual), "%s: not an object", at.path);
  const char *key;
  json_t *value;
  char inner[300];
  json_object_foreach((json_t *)expected, key, value) {
    if (strcmp(key, "note") == 0) continue;
    snprintf(inner, sizeof inner, "%s.%s", at.path, key);
    ck_assert_msg(json_object_get(actual, key) != NULL, "%s is missing", inner);
    compare((place){at.task, inner, tolerance_of(at.task, key, at.near)}, json_object_get(actual, key), value);
  }
}

static void compare_arrays(place at, const json_t *actual, const json_t *expected) {
  ck_assert_msg(json_is_array(actual), "%s: not an array", at.path);
  ck_assert_msg(json_array_size(actual) == json_array_size(expected), "%s has %zu elements, expected %zu", at.path,
                json_array_size(actual), json_array_size(expected));
  char inner[300];
  for (size_t i = 0; i < json_array_size(expected); i++) {
    snprintf(inner, sizeof inner, "%s[%zu]", at.path, i);
    compare((place){at.task, inner, at.near}, json_array_get(actual, i), json_array_get(expected, i));
  }
}

static void compare(place at, const json_t *actual, const json_t *expected) {
  if (json_is_object(expected)) {
    compare_objects(at, actual, expected);
  } else if (json_is_array(expected)) {
    compare_arrays(at, actual, expected);
  } else if (json_is_number(expected)) {
    const double a = json_number_value(actual), b = json_number_value(expected);
    ck_assert_msg(json_is_number(actual) && fabs(a - b) <= at.near->absolute + at.near->relative * fabs(b),
                  "%s is %.17g, expected %.17g", at.path, json_is_number(actual) ? a : NAN, b);
  } else {
    ck_assert_msg(json_equal(actual, expected), "%s is %s, expected %s", at.path,
                  json_is_string(actual) ? json_string_value(actual) : "of another kind",
                  json_is_string(expected) ? json_string_value(expected) : "null or a truth value");
  }
}

/* Measures one line and compares with its "expected", or, without one, with the fields of the same name. */
static void check_line(as_context *ctx, const as_metrics_task *task, const char *line, size_t length, int64_t number) {
  as_buffer out;
  as_buffer_init(&out, ctx);
  ck_assert_ok(ctx, as_metrics_line(ctx, task, line, length, number, &out));
  json_t *row = json_loadb(line, length, 0, NULL), *actual = json_loads(as_buffer_string(&out), 0, NULL);
  ck_assert_msg(row && actual, "%s line %lld: no JSON: %s", task->name, (long long)number, as_buffer_string(&out));
  const char *id = json_string_value(json_object_get(row, "id"));
  const json_t *expected = json_object_get(row, "expected");
  if (!expected) {
    json_object_del(row, "text");
    expected = row;
  }
  char path[100];
  snprintf(path, sizeof path, "%s line %lld (%s)", task->name, (long long)number, id ? id : "no id");
  compare((place){task->name, path, &ratio_tolerance}, actual, expected);
  json_decref(row);
  json_decref(actual);
  as_buffer_free(&out);
}

void as_check_metrics_rows(const char *path, const char *task_name, int64_t least_rows) {
  as_context *ctx = as_test_context(2);
  const as_metrics_task *task = as_metrics_task_find(task_name);
  ck_assert_msg(task != NULL, "no task %s", task_name);
  char *text;
  size_t length;
  ck_assert_ok(ctx, as_file_read(ctx, path, 0, AS_E_DATA, &text, &length));
  int64_t number = 0;
  for (const char *line = text; line < text + length;) {
    const char *end = memchr(line, '\n', (size_t)(text + length - line));
    ck_assert_msg(end != NULL, "%s: the last line has no end", path);
    check_line(ctx, task, line, (size_t)(end - line), ++number);
    line = end + 1;
  }
  ck_assert_msg(number >= least_rows, "%s has %lld rows only", path, (long long)number);
  as_free(ctx, text);
  as_test_context_free(ctx);
}
