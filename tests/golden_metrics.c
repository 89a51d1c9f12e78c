/* Every row of every golden file of metrics, through the same functions that `assistify metrics` uses for a line. */
#include "tests/harness.h"

#include <math.h>
#include <string.h>

#include "eval/metrics_json.h"

/* How near a number must come, by the name of the field it stands in or under. */
typedef struct tolerance {
  const char *field;
  double absolute, relative;
} tolerance;

static const tolerance ratio_tolerance = {"", 1e-12, 0};
static const tolerance tolerances[] = {
    {"log_loss", 0, 1e-9},
    {"brier", 1e-12, 1e-9},
};

static const tolerance *tolerance_of(const char *field, const tolerance *inherited) {
  for (size_t i = 0; i < sizeof tolerances / sizeof *tolerances; i++) {
    if (strcmp(tolerances[i].field, field) == 0) return &tolerances[i];
  }
  return inherited;
}

static void compare(const char *path, const json_t *actual, const json_t *expected, const tolerance *near);

static void compare_objects(const char *path, const json_t *actual, const json_t *expected, const tolerance *near) {
  ck_assert_msg(json_is_object(actual), "%s: not an object", path);
  const char *key;
  json_t *value;
  char inner[300];
  json_object_foreach((json_t *)expected, key, value) {
    if (strcmp(key, "note") == 0) continue;
    snprintf(inner, sizeof inner, "%s.%s", path, key);
    ck_assert_msg(json_object_get(actual, key) != NULL, "%s is missing", inner);
    compare(inner, json_object_get(actual, key), value, tolerance_of(key, near));
  }
}

static void compare_arrays(const char *path, const json_t *actual, const json_t *expected, const tolerance *near) {
  ck_assert_msg(json_is_array(actual), "%s: not an array", path);
  ck_assert_msg(json_array_size(actual) == json_array_size(expected), "%s has %zu elements, expected %zu", path,
                json_array_size(actual), json_array_size(expected));
  char inner[300];
  for (size_t i = 0; i < json_array_size(expected); i++) {
    snprintf(inner, sizeof inner, "%s[%zu]", path, i);
    compare(inner, json_array_get(actual, i), json_array_get(expected, i), near);
  }
}

static void compare(const char *path, const json_t *actual, const json_t *expected, const tolerance *near) {
  if (json_is_object(expected)) {
    compare_objects(path, actual, expected, near);
  } else if (json_is_array(expected)) {
    compare_arrays(path, actual, expected, near);
  } else if (json_is_number(expected)) {
    const double a = json_number_value(actual), b = json_number_value(expected);
    ck_assert_msg(json_is_number(actual) && fabs(a - b) <= near->absolute + near->relative * fabs(b),
                  "%s is %.17g, expected %.17g", path, json_is_number(actual) ? a : NAN, b);
  } else {
    ck_assert_msg(json_equal(actual, expected), "%s is %s, expected %s", path,
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
  compare(path, actual, expected, &ratio_tolerance);
  json_decref(row);
  json_decref(actual);
  as_buffer_free(&out);
}

static void check_file(const char *name, const char *task_name, int64_t least_rows) {
  as_context *ctx = as_test_context(1);
  const as_metrics_task *task = as_metrics_task_find(task_name);
  ck_assert_msg(task != NULL, "no task %s", task_name);
  char *text;
  size_t length;
  ck_assert_ok(ctx, as_file_read(ctx, as_golden(name), 0, AS_E_DATA, &text, &length));
  int64_t number = 0;
  for (const char *line = text; line < text + length;) {
    const char *end = memchr(line, '\n', (size_t)(text + length - line));
    ck_assert_msg(end != NULL, "%s: the last line has no end", name);
    check_line(ctx, task, line, (size_t)(end - line), ++number);
    line = end + 1;
  }
  ck_assert_msg(number >= least_rows, "%s has %lld rows only", name, (long long)number);
  as_free(ctx, text);
  as_test_context_free(ctx);
}

START_TEST(classification) {
  check_file("metrics/classification.jsonl", "classification", 39);
}
END_TEST

Suite *as_suite(void) {
  as_golden_or_skip();
  Suite *suite = suite_create("golden metrics");
  TCase *tests = tcase_create("rows");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, classification);
  suite_add_tcase(suite, tests);
  return suite;
}
