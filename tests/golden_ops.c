/* The kernels against golden/ops: results and gradients that PyTorch computed in double. Every table of this processor.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/safetensors.h"
#include "tensor/kernels/kernels.h"
#include "tensor/ops.h"
#include "tests/harness.h"

/* ---- reading ---------------------------------------------------------------------------------------------- */
typedef struct golden_file {
  as_context *ctx;
  as_safetensors *file;
  const char *name;
} golden_file;

static golden_file golden_open(const char *operation) {
  char path[64];
  golden_file f = {.ctx = as_test_context(1), .name = operation};
  snprintf(path, sizeof path, "ops/%s.safetensors", operation);
  ck_assert_ok(f.ctx, as_safetensors_open(f.ctx, as_golden(path), &f.file));
  return f;
}

static void golden_close(golden_file *f) {
  as_safetensors_close(f->file);
  as_test_context_free(f->ctx);
}

/* One tensor of a case; the last dimension is `cols`. */
typedef struct golden_tensor {
  float *data; /* [rows, cols]; freed by the caller */
  size_t rows, cols, n;
} golden_tensor;

static golden_tensor read_tensor(const golden_file *f, const char *case_name, const char *role) {
  char name[128];
  size_t index;
  snprintf(name, sizeof name, "%s.%s", case_name, role);
  if (!as_safetensors_find(f->file, name, &index)) ck_abort_msg("%s has no tensor %s", f->name, name);
  const as_stored_tensor *tensor = as_safetensors_tensor(f->file, index);
  ck_assert_int_eq(tensor->type, AS_STORED_F32);
  golden_tensor t = {.n = 1};
  for (int d = 0; d < tensor->ndim; d++) t.n *= (size_t)tensor->shape[d];
  t.cols = tensor->ndim ? (size_t)tensor->shape[tensor->ndim - 1] : 1;
  t.rows = t.cols ? t.n / t.cols : 0;
  t.data = malloc(t.n * sizeof(float) + 1);
  memcpy(t.data, as_safetensors_data(f->file, index), t.n * sizeof(float));
  return t;
}

/* Calls check(f, k, case) for every case of the file and every table; a case is what stands before ".x". */
static void for_each_case(const char *operation,
                          void (*check)(const golden_file *, const as_kernels_f32 *, const char *)) {
  golden_file f = golden_open(operation);
  int cases = 0;
  for (size_t i = 0; i < as_safetensors_count(f.file); i++) {
    char name[128];
    snprintf(name, sizeof name, "%s", as_safetensors_tensor(f.file, i)->name);
    const size_t length = strlen(name);
    if (length < 3 || strcmp(name + length - 2, ".x") != 0) continue;
    name[length - 2] = '\0';
    bool supported;
    for (size_t t = 0; as_kernels_at(t, &supported); t++) {
      if (supported) check(&f, as_kernels_at(t, NULL), name);
    }
    cases++;
  }
  ck_assert_int_gt(cases, 3);
  golden_close(&f);
}

static double greatest_of(const float *x, size_t n) {
  double greatest = 0;
  for (size_t i = 0; i < n; i++) {
    if (isfinite(x[i]) && fabs((double)x[i]) > greatest) greatest = fabs((double)x[i]);
  }
  return greatest;
}

/* Off by at most `tolerance` of the greatest magnitude there, or of `terms` where that is more: the magnitude of what
 * is summed up, as much as all of which may cancel. */
static void compare(const golden_file *f, const as_kernels_f32 *k, const char *case_name, const char *role,
                    const float *actual, double tolerance, double terms) {
  golden_tensor expected = read_tensor(f, case_name, role);
  const double greatest = fmax(greatest_of(expected.data, expected.n), terms);
  for (size_t i = 0; i < expected.n; i++) {
    const double a = (double)actual[i], e = (double)expected.data[i];
    if (a == e || (isnan(a) && isnan(e))) continue;
    if (!(fabs(a - e) <= tolerance * greatest))
      ck_abort_msg("%s %s %s.%s[%zu]: %.9g, expected %.9g (off %.2g of %.2g)", k->isa, f->name, case_name, role, i, a,
                   e, fabs(a - e), greatest);
  }
  free(expected.data);
}

static float *room(size_t n) {
  return calloc(n + 1, sizeof(float));
}

/* ---- functions of one variable ---------------------------------------------------------------------------- */
static void check_unary(as_unary number, const golden_file *f, const as_kernels_f32 *k, const char *case_name) {
  golden_tensor x = read_tensor(f, case_name, "x"), dy = read_tensor(f, case_name, "dy");
  float *y = room(x.n), *dx = room(x.n);
  k->unary_forward[number](x.n, x.data, y);
  compare(f, k, case_name, "y", y, 2e-7, 0);
  k->unary_backward[number](x.n, x.data, y, dy.data, dx, false);
  compare(f, k, case_name, "dx", dx, 3e-7, 0);
  free(x.data), free(dy.data), free(y), free(dx);
}

static void check_gelu(const golden_file *f, const as_kernels_f32 *k, const char *name) {
  check_unary(AS_UNARY_GELU, f, k, name);
}
static void check_gelu_new(const golden_file *f, const as_kernels_f32 *k, const char *name) {
  check_unary(AS_UNARY_GELU_TANH, f, k, name);
}
static void check_relu(const golden_file *f, const as_kernels_f32 *k, const char *name) {
  check_unary(AS_UNARY_RELU, f, k, name);
}
static void check_tanh(const golden_file *f, const as_kernels_f32 *k, const char *name) {
  check_unary(AS_UNARY_TANH, f, k, name);
}

START_TEST(gelu) {
  for_each_case("gelu", check_gelu);
}
END_TEST
START_TEST(gelu_new) {
  for_each_case("gelu_new", check_gelu_new);
}
END_TEST
START_TEST(relu) {
  for_each_case("relu", check_relu);
}
END_TEST
START_TEST(hyperbolic_tangent) {
  for_each_case("tanh", check_tanh);
}
END_TEST

/* ---- softmax ---------------------------------------------------------------------------------------------- */
static void check_softmax(const golden_file *f, const as_kernels_f32 *k, const char *case_name) {
  golden_tensor x = read_tensor(f, case_name, "x"), dy = read_tensor(f, case_name, "dy");
  float *y = room(x.n), *dx = room(x.n);
  k->softmax(x.rows, x.cols, x.data, y, NULL);
  compare(f, k, case_name, "y", y, 3e-7, 0);
  k->softmax_backward(x.rows, x.cols, y, dy.data, dx, false);
  compare(f, k, case_name, "dx", dx, 1e-6, greatest_of(y, x.n) * greatest_of(dy.data, x.n));
  free(x.data), free(dy.data), free(y), free(dx);
}

/* log softmax = x - lse; its gradient is dy - softmax * sum(dy). */
static void check_log_softmax(const golden_file *f, const as_kernels_f32 *k, const char *case_name) {
  golden_tensor x = read_tensor(f, case_name, "x"), dy = read_tensor(f, case_name, "dy");
  float *y = room(x.n), *dx = room(x.n), *lse = room(x.rows);
  k->softmax(x.rows, x.cols, x.data, y, lse);
  for (size_t r = 0; r < x.rows; r++) {
    const size_t at = r * x.cols;
    k->scale(x.cols, -k->sum(x.cols, dy.data + at), y + at, dx + at);
    k->add(x.cols, dx + at, dy.data + at, dx + at);
    k->add_scalar(x.cols, -lse[r], x.data + at, y + at);
  }
  compare(f, k, case_name, "y", y, 3e-7, 0);
  compare(f, k, case_name, "dx", dx, 1e-6, 0);
  free(x.data), free(dy.data), free(y), free(dx), free(lse);
}

START_TEST(softmax) {
  for_each_case("softmax", check_softmax);
}
END_TEST
START_TEST(log_softmax) {
  for_each_case("log_softmax", check_log_softmax);
}
END_TEST

/* ---- normalisation ---------------------------------------------------------------------------------------- */
static void check_layer_norm(const golden_file *f, const as_kernels_f32 *k, const char *case_name) {
  golden_tensor x = read_tensor(f, case_name, "x"), dy = read_tensor(f, case_name, "dy");
  golden_tensor w = read_tensor(f, case_name, "w"), b = read_tensor(f, case_name, "b");
  float *y = room(x.n), *dx = room(x.n), *mean = room(x.rows), *rstd = room(x.rows), *dw = room(x.cols),
        *db = room(x.cols);
  const char *eps = strstr(case_name, "eps"); /* cases are named <case>_eps<value> */
  ck_assert_ptr_nonnull(eps);
  k->layer_norm(x.rows, x.cols, x.data, w.data, b.data, strtof(eps + 3, NULL), y, mean, rstd);
  compare(f, k, case_name, "y", y, 1e-6, 0);
  k->layer_norm_backward(x.rows, x.cols, x.data, w.data, mean, rstd, dy.data, dx, false, dw, db);
  const double of_dy = greatest_of(dy.data, x.n), of_rstd = greatest_of(rstd, x.rows);
  compare(f, k, case_name, "dx", dx, 3e-6, of_dy * greatest_of(w.data, x.cols) * of_rstd);
  /* The mean that backward reads is a float, 6e-8 of itself off, and counts in deviations. */
  compare(f, k, case_name, "dw", dw, 3e-6, of_dy * (1 + 0.02 * greatest_of(mean, x.rows) * of_rstd));
  compare(f, k, case_name, "db", db, 1e-6, 0);
  free(x.data), free(dy.data), free(w.data), free(b.data);
  free(y), free(dx), free(mean), free(rstd), free(dw), free(db);
}

static void check_rms_norm(const golden_file *f, const as_kernels_f32 *k, const char *case_name) {
  golden_tensor x = read_tensor(f, case_name, "x"), dy = read_tensor(f, case_name, "dy"),
                w = read_tensor(f, case_name, "w");
  float *y = room(x.n), *dx = room(x.n), *rstd = room(x.rows), *dw = room(x.cols);
  k->rms_norm(x.rows, x.cols, x.data, w.data, 1e-6f, y, rstd);
  compare(f, k, case_name, "y", y, 1e-6, 0);
  k->rms_norm_backward(x.rows, x.cols, x.data, w.data, rstd, dy.data, dx, false, dw);
  const double of_dy = greatest_of(dy.data, x.n), of_rstd = greatest_of(rstd, x.rows);
  compare(f, k, case_name, "dx", dx, 3e-6, of_dy * greatest_of(w.data, x.cols) * of_rstd);
  compare(f, k, case_name, "dw", dw, 3e-6, of_dy);
  free(x.data), free(dy.data), free(w.data), free(y), free(dx), free(rstd), free(dw);
}

START_TEST(layer_norm) {
  for_each_case("layernorm", check_layer_norm);
}
END_TEST
START_TEST(rms_norm) {
  for_each_case("rmsnorm", check_rms_norm);
}
END_TEST

/* ---- cross entropy: with the identity as weight the logits are x ------------------------------------------------ */
static void check_cross_entropy(const golden_file *f, const as_kernels_f32 *k, const char *case_name) {
  (void)k; /* the graph takes the context's table, which the test of instruction sets forces one after the other */
  char name[128];
  size_t index;
  if (strstr(case_name, "weighted")) return; /* linear_cross_entropy has no class weights */
  golden_tensor x = read_tensor(f, case_name, "x");
  int32_t *labels = calloc(x.rows + 1, sizeof *labels);
  snprintf(name, sizeof name, "%s.target", case_name);
  ck_assert(as_safetensors_find(f->file, name, &index));
  for (size_t i = 0; i < x.rows; i++) {
    int64_t label;
    memcpy(&label, as_safetensors_data(f->file, index) + i * sizeof label, sizeof label);
    labels[i] = (int32_t)label;
  }
  float *identity = room(x.cols * x.cols), *dx = room(x.n);
  for (size_t c = 0; c < x.cols; c++) identity[c * x.cols + c] = 1;
  const bool smoothed = strstr(case_name, "smooth") || strstr(case_name, "ls0.1");
  as_linear_cross_entropy_options o = {1, smoothed ? 0.1 : 0, -100, strstr(case_name, "sum") ? 1 : 0};
  as_graph *g = as_graph_new(f->ctx, AS_TRAIN);
  int64_t rows = (int64_t)x.rows, cols = (int64_t)x.cols;
  as_tensor *loss = as_linear_cross_entropy(g, as_leaf(g, 2, (int64_t[]){rows, cols}, x.data, dx),
                                            as_leaf(g, 2, (int64_t[]){cols, cols}, identity, NULL), NULL, false,
                                            as_input_i32(g, 1, &rows, labels), &o);
  as_context *ctx = f->ctx;
  ck_assert_ok(ctx, as_graph_plan(g, loss));
  as_graph_forward(g);
  float y = *as_tensor_f32(loss);
  as_graph_backward(g, loss);
  compare(f, k, case_name, "y", &y, 2e-7, greatest_of(x.data, x.n)); /* the difference of two logits' magnitude */
  compare(f, k, case_name, "dx", dx, 3e-7, 1);                        /* of probabilities */
  as_graph_free(g);
  free(x.data), free(labels), free(identity), free(dx);
}

START_TEST(cross_entropy) {
  for_each_case("cross_entropy", check_cross_entropy);
}
END_TEST

Suite *as_suite(void) {
  as_golden_or_skip();
  Suite *suite = suite_create("golden_ops");
  TCase *tcase = tcase_create("kernels");
  tcase_add_test(tcase, gelu);
  tcase_add_test(tcase, gelu_new);
  tcase_add_test(tcase, relu);
  tcase_add_test(tcase, hyperbolic_tangent);
  tcase_add_test(tcase, softmax);
  tcase_add_test(tcase, log_softmax);
  tcase_add_test(tcase, layer_norm);
  tcase_add_test(tcase, rms_norm);
  tcase_add_test(tcase, cross_entropy);
  suite_add_tcase(suite, tcase);
  return suite;
}
