/* See model_case.h. */
#include "tests/model_case.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "tests/harness.h"
#include "tests/program.h"

/* How far a tensor may be off, by the beginning of its name. The first row that fits holds. */
static const struct {
  const char *beginning;
  double absolute, relative;
} tolerances[] = {{"hidden.", 2e-5, 0},        {"encoder.", 2e-5, 0},       {"decoder.", 2e-5, 0},
                  {"logits", 1e-5, 0},         {"grad.encoder.", 2e-6, 1e-5}, {"grad.decoder.", 2e-6, 1e-5},
                  {"grad.shared.", 2e-6, 1e-5}, {"grad.lm_head.", 2e-6, 1e-5}, {"grad.", 5e-6, 1e-5},
                  {"dlogits", 1e-6, 0},        {"", 2e-5, 0}};

typedef struct model_case {
  as_context *ctx;
  const char *folder, *scratch;
  char inputs[4096], saved[4096];
  json_t *expected;
  as_safetensors *tensors;
} model_case;

static void open_case(model_case *c, as_context *ctx, const char *folder) {
  char path[4096];
  *c = (model_case){.ctx = ctx, .folder = folder, .scratch = as_test_folder()};
  snprintf(c->inputs, sizeof c->inputs, "%s/inputs.json", folder);
  snprintf(c->saved, sizeof c->saved, "%s/out.safetensors", c->scratch);
  snprintf(path, sizeof path, "%s/expected.json", folder);
  ck_assert_ok(ctx, as_json_read(ctx, path, 1 << 20, AS_E_DATA, &c->expected));
  snprintf(path, sizeof path, "%s/expected.safetensors", folder);
  c->tensors = as_test_tensors(ctx, path);
}

static void close_case(model_case *c) {
  json_decref(c->expected);
  as_safetensors_close(c->tensors);
  as_test_folder_remove(c->scratch);
}

as_safetensors *as_test_tensors(as_context *ctx, const char *path) {
  as_safetensors *file;
  ck_assert_ok(ctx, as_safetensors_open(ctx, path, &file));
  return file;
}

float *as_test_tensor(as_context *ctx, const as_safetensors *file, const char *name, size_t *elements) {
  size_t index;
  ck_assert_msg(as_safetensors_find(file, name, &index), "there is no tensor %s", name);
  const as_stored_tensor *tensor = as_safetensors_tensor(file, index);
  ck_assert_int_eq(tensor->type, AS_STORED_F32);
  *elements = (size_t)tensor->elements;
  float *copy = as_alloc(ctx, *elements, sizeof *copy);
  ck_assert_ptr_nonnull(copy);
  memcpy(copy, as_safetensors_data(file, index), *elements * sizeof *copy);
  return copy;
}

static bool starts_with(const char *text, const char *beginning) {
  return strncmp(text, beginning, strlen(beginning)) == 0;
}

static bool has_gradients(const as_safetensors *file) {
  for (size_t i = 0; i < as_safetensors_count(file); i++)
    if (starts_with(as_safetensors_tensor(file, i)->name, "grad.")) return true;
  return false;
}

/* One expected tensor against the saved one: shape and values. `absolute` above 0 replaces the usual tolerance. */
static void compare_tensor(const model_case *c, const as_safetensors *saved, const char *name, double absolute) {
  size_t index, count, expected_count, row = 0;
  ck_assert(as_safetensors_find(c->tensors, name, &index));
  const as_stored_tensor *wanted = as_safetensors_tensor(c->tensors, index);
  ck_assert_msg(as_safetensors_find(saved, name, &index), "%s was not saved", name);
  const as_stored_tensor *got = as_safetensors_tensor(saved, index);
  ck_assert_msg(as_shape_equal(got->ndim, got->shape, wanted->ndim, wanted->shape), "%s has another shape", name);
  float *actual = as_test_tensor(c->ctx, saved, name, &count);
  float *expected = as_test_tensor(c->ctx, c->tensors, name, &expected_count);
  while (!starts_with(name, tolerances[row].beginning)) row++;
  as_assert_close(name, actual, expected, count, absolute > 0 ? absolute : tolerances[row].absolute,
                  tolerances[row].relative);
  as_free(c->ctx, actual);
  as_free(c->ctx, expected);
}

/* Scalars of a run: all that are expected. A sum over rows (or target tokens) is off by as many times as there are. */
static void compare_scalars(const model_case *c, json_t *printed) {
  const char *name;
  json_t *wanted, *scalars = json_object_get(c->expected, "scalars");
  double terms = json_number_value(json_object_get(scalars, "target_tokens"));
  if (terms < 5) terms = 5;
  json_object_foreach(scalars, name, wanted) {
    const json_t *value = json_object_get(printed, name);
    ck_assert_msg(json_is_number(value), "%s was not printed", name);
    float actual = (float)json_number_value(value), expected = (float)json_number_value(wanted);
    as_assert_close(name, &actual, &expected, 1, strcmp(name, "loss_sum") == 0 ? 5e-6 * terms : 5e-6, 0);
  }
  if (json_object_size(scalars) == 0) ck_assert_uint_eq(json_object_size(printed), 0);
}

void as_check_run(as_context *ctx, const char *folder) {
  model_case c;
  open_case(&c, ctx, folder);
  const char *words[] = {"inspect", "run", folder, "--inputs", c.inputs, "--save", c.saved, "--gradients", NULL};
  if (!has_gradients(c.tensors)) words[7] = NULL;
  as_program program = as_run_program(ctx, words);
  json_t *printed = as_program_json(ctx, &program);
  compare_scalars(&c, printed);
  as_safetensors *saved = as_test_tensors(ctx, c.saved);
  for (size_t i = 0; i < as_safetensors_count(c.tensors); i++)
    compare_tensor(&c, saved, as_safetensors_tensor(c.tensors, i)->name, 0);
  size_t index,
      more = as_safetensors_find(saved, "dlogits", &index) && !as_safetensors_find(c.tensors, "dlogits", &index);
  ck_assert_uint_eq(as_safetensors_count(saved), as_safetensors_count(c.tensors) + more);
  as_safetensors_close(saved);
  json_decref(printed);
  as_program_free(&program);
  close_case(&c);
}

/* A list of the trajectory: each number within the tolerance. */
static void compare_list(json_t *printed, json_t *expected, const char *name, double tolerance) {
  json_t *got = json_object_get(printed, name), *wanted = json_object_get(expected, name);
  ck_assert_msg(json_array_size(wanted) > 0, "no %s is expected", name);
  ck_assert_uint_eq(json_array_size(got), json_array_size(wanted));
  for (size_t i = 0; i < json_array_size(wanted); i++) {
    double a = json_number_value(json_array_get(got, i)), b = json_number_value(json_array_get(wanted, i));
    ck_assert_msg(fabs(a - b) <= tolerance, "%s[%zu] is %.9g, expected %.9g", name, i, a, b);
  }
}

/* Whether the gradient of this parameter is zero but for rounding, which AdamW blows up to steps of full size. */
static bool is_noise(const model_case *c, const char *parameter) {
  const json_t *list = json_object_get(c->expected, "zero_gradient_in_exact_arithmetic");
  for (size_t i = 0; i < json_array_size(list); i++)
    if (strcmp(json_string_value(json_array_get(list, i)), parameter) == 0) return true;
  return false;
}

static double sum_of(const json_t *list) {
  double sum = 0;
  for (size_t i = 0; i < json_array_size(list); i++) sum += json_number_value(json_array_get(list, i));
  return sum;
}

static void compare_parameters(const model_case *c, const char *variant, json_t *expected) {
  as_safetensors *saved = as_test_tensors(c->ctx, c->saved);
  double steps = sum_of(json_object_get(expected, "lr"));
  char beginning[200];
  size_t compared = 0;
  int length = snprintf(beginning, sizeof beginning, "%s.final.", variant);
  for (size_t i = 0; i < as_safetensors_count(c->tensors); i++) {
    const char *name = as_safetensors_tensor(c->tensors, i)->name;
    if (!starts_with(name, beginning)) continue;
    compare_tensor(c, saved, name, is_noise(c, name + length) ? steps : 0);
    compared++;
  }
  ck_assert_uint_gt(compared, 0);
  ck_assert_uint_eq(as_safetensors_count(saved), compared);
  as_safetensors_close(saved);
}

void as_check_train(as_context *ctx, const char *folder, const char *variant) {
  model_case c;
  open_case(&c, ctx, folder);
  const char *words[] = {"inspect",   "train", folder,   "--inputs", c.inputs,
                         "--variant", variant, "--save", c.saved,    NULL};
  as_program program = as_run_program(ctx, words);
  json_t *printed = as_program_json(ctx, &program);
  json_t *expected = json_object_get(json_object_get(c.expected, "scalars"), variant);
  compare_list(printed, expected, "loss", 2e-5);
  compare_list(printed, expected, "grad_norm", 1e-4);
  compare_list(printed, expected, "lr", 1e-15);
  ck_assert_uint_eq(json_object_size(printed), 3);
  compare_parameters(&c, variant, expected);
  json_decref(printed);
  as_program_free(&program);
  close_case(&c);
}

/* The ids up to and with the first end token; what is behind it is filling. */
static void compare_ids(const char *run, size_t row, const json_t *got, const json_t *wanted) {
  char a[600] = "", b[600] = "";
  for (int side = 0; side < 2; side++) {
    const json_t *ids = side ? wanted : got;
    char *text = side ? b : a;
    size_t used = 0;
    for (size_t i = 0; i < json_array_size(ids) && used < 500; i++) {
      int id = (int)json_integer_value(json_array_get(ids, i));
      used += (size_t)snprintf(text + used, 600 - used, "%d ", id);
      if (i > 0 && id == 1) break;
    }
  }
  ck_assert_msg(strcmp(a, b) == 0, "%s, row %zu: %s, expected %s", run, row, a, b);
}

void as_check_generate(as_context *ctx, const char *folder) {
  char inputs[4096], file[4096];
  json_t *expected;
  snprintf(inputs, sizeof inputs, "%s/inputs.json", folder);
  snprintf(file, sizeof file, "%s/generation.json", folder);
  ck_assert_ok(ctx, as_json_read(ctx, file, 1 << 20, AS_E_DATA, &expected));
  const json_t *runs = json_object_get(expected, "runs");
  ck_assert_int_eq(json_integer_value(json_object_get(expected, "eos_token_id")), 1);
  as_program program = as_run_program(
      ctx, (const char *const[]){"inspect", "generate", folder, "--inputs", inputs, "--runs", file, NULL});
  json_t *printed = as_program_json(ctx, &program);
  ck_assert_uint_gt(json_array_size(runs), 20);
  ck_assert_uint_eq(json_array_size(printed), json_array_size(runs));
  for (size_t i = 0; i < json_array_size(runs); i++) {
    const json_t *wanted = json_array_get(runs, i), *got = json_array_get(printed, i);
    const char *name = json_string_value(json_object_get(wanted, "name"));
    const json_t *sequences = json_object_get(wanted, "sequences"), *scores = json_object_get(wanted, "scores");
    ck_assert_str_eq(json_string_value(json_object_get(got, "name")), name);
    ck_assert_uint_eq(json_array_size(json_object_get(got, "sequences")), json_array_size(sequences));
    for (size_t k = 0; k < json_array_size(sequences); k++) {
      compare_ids(name, k, json_array_get(json_object_get(got, "sequences"), k), json_array_get(sequences, k));
      double a = json_number_value(json_array_get(json_object_get(got, "scores"), k));
      double b = json_number_value(json_array_get(scores, k));
      ck_assert_msg(fabs(a - b) <= 1e-4, "%s, row %zu: score %.9g, expected %.9g", name, k, a, b);
    }
  }
  json_decref(printed);
  json_decref(expected);
  as_program_free(&program);
}
