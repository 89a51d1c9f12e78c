/* Adafactor: updates as transformers computes them, bits that do not depend on threads, failing allocations. */
#include <math.h>
#include <string.h>

#include "tests/harness.h"
#include "train/adafactor.h"

/* A matrix [3, 4] with decay and a vector [5] without, after three steps of transformers.optimization.Adafactor 5.23
 * from 0.5 sin(i + 1) with gradients 0.3 cos(i t) and weight_decay 0.1. */
static const struct {
  bool scale_parameter, relative_step, warmup_init;
  double lr;
  float matrix[12], vector[5];
} cases[] = {{false,
              false,
              false,
              0.01,
              {0.383905172f, 0.463290691f, 0.0720986128f, -0.36547929f, -0.478125393f, -0.117860705f, 0.292063653f,
               0.488993496f, 0.213421121f, -0.259672552f, -0.494616717f, -0.254556954f},
              {0.392347246f, 0.464770705f, 0.0814577192f, -0.37020582f, -0.477225125f}},
             {true,
              false,
              false,
              0.01,
              {0.40747124f, 0.45771879f, 0.0711336508f, -0.373723f, -0.478943825f, -0.131883726f, 0.31537497f,
               0.492597133f, 0.208712801f, -0.267526835f, -0.498019725f, -0.263356596f},
              {0.409711033f, 0.458539248f, 0.0748045743f, -0.375191748f, -0.478569537f}},
             {true,
              true,
              false,
              7,
              {0.40747124f, 0.45771879f, 0.0711336508f, -0.373723f, -0.478943825f, -0.131883726f, 0.31537497f,
               0.492597133f, 0.208712801f, -0.267526835f, -0.498019725f, -0.263356596f},
              {0.409711033f, 0.458539248f, 0.0748045743f, -0.375191748f, -0.478569537f}},
             {false,
              true,
              true,
              7,
              {0.420728326f, 0.454652369f, 0.0705586821f, -0.378398836f, -0.479463965f, -0.139701754f, 0.328486234f,
               0.494679868f, 0.206059813f, -0.272009164f, -0.49999553f, -0.268283665f},
              {0.420729965f, 0.454652846f, 0.0705601126f, -0.378399789f, -0.479463786f}}};

static void fill(float *x, size_t count, double scale, double (*function)(double), double factor, double offset) {
  for (size_t i = 0; i < count; i++) x[i] = (float)(scale * function((double)i * factor + offset));
}

START_TEST(updates_agree_with_transformers) {
  as_context *ctx = as_test_context(2);
  as_parameters ps;
  as_adafactor adafactor;
  as_adafactor_options options = as_adafactor_default();
  options.weight_decay = 0.1;
  options.scale_parameter = cases[_i].scale_parameter;
  options.relative_step = cases[_i].relative_step;
  options.warmup_init = cases[_i].warmup_init;
  as_parameters_init(&ps, ctx);
  int matrix = as_parameters_declare(&ps, AS_ROLE_WEIGHT, 0, 3, 4, "matrix");
  int vector = as_parameters_declare(&ps, AS_ROLE_NORM_WEIGHT, 0, 5, 0, "vector");
  ck_assert_ok(ctx, as_parameters_allocate(&ps, true));
  ck_assert_ok(ctx, as_adafactor_init(&adafactor, ctx, &ps, &options));
  fill(as_parameter_weights(&ps, matrix), 12, 0.5, sin, 1, 1);
  fill(as_parameter_weights(&ps, vector), 5, 0.5, sin, 1, 1);
  as_optimizer optimizer = as_adafactor_optimizer(&adafactor);
  for (int t = 1; t <= 3; t++) { /* gradients twice too large, and a scale that makes up for it, as after clipping */
    fill(as_parameter_gradients(&ps, matrix), 12, 0.6, cos, t, 0);
    fill(as_parameter_gradients(&ps, vector), 5, 0.6, cos, t, 0);
    double squares = 0;
    for (size_t i = 0; i < ps.elements; i++) squares += (double)ps.gradients[i] * (double)ps.gradients[i];
    ck_assert_double_eq_tol(optimizer.gradient_norm(optimizer.state), sqrt(squares), 1e-6);
    optimizer.update(optimizer.state, cases[_i].lr, 0.5);
  }
  ck_assert_int_eq(adafactor.steps, 3);
  as_assert_close("matrix", as_parameter_weights(&ps, matrix), cases[_i].matrix, 12, 2e-7, 0);
  as_assert_close("vector", as_parameter_weights(&ps, vector), cases[_i].vector, 5, 2e-7, 0);
  as_adafactor_free(&adafactor);
  as_parameters_free(&ps);
  as_test_context_free(ctx);
}
END_TEST

enum { ROWS = 700, COLUMNS = 300, LONG = 70001 };

/* Some steps over parameters of many pieces, with an embedding of which half the rows never have a gradient. */
static void train(int threads, bool sparse, float *out /* [2 ROWS COLUMNS + LONG] */) {
  as_context *ctx = as_test_context(threads);
  as_parameters ps;
  as_adafactor adafactor;
  as_adafactor_options options = as_adafactor_default();
  options.scale_parameter = true;
  options.weight_decay = 0.01;
  as_parameters_init(&ps, ctx);
  as_parameters_declare(&ps, AS_ROLE_WEIGHT, 0, ROWS, COLUMNS, "matrix");
  int table = as_parameters_declare(&ps, AS_ROLE_EMBEDDING, 0, ROWS, COLUMNS, "table");
  as_parameters_declare(&ps, AS_ROLE_BIAS, 0, LONG, 0, "vector");
  ck_assert_ok(ctx, as_parameters_allocate(&ps, true));
  ck_assert_ok(ctx, as_adafactor_init(&adafactor, ctx, &ps, &options));
  fill(ps.weights, ps.elements, 0.5, sin, 1, 1);
  for (int r = 0; r < ROWS; r++) as_parameter_touched(&ps, table)[r] = !sparse || r % 2 == 0;
  for (int t = 1; t <= 3; t++) {
    fill(ps.gradients, ps.elements, 0.3, cos, t, 0);
    for (int r = 1; r < ROWS; r += 2)
      memset(as_parameter_gradients(&ps, table) + r * COLUMNS, 0, COLUMNS * sizeof(float));
    as_adafactor_update(&adafactor, 0.01, 1);
  }
  memcpy(out, ps.weights, ps.elements * sizeof *out);
  as_adafactor_free(&adafactor);
  as_parameters_free(&ps);
  as_test_context_free(ctx);
}

START_TEST(bits_depend_neither_on_threads_nor_on_rows_left_out) {
  static float one[2 * ROWS * COLUMNS + LONG], other[2 * ROWS * COLUMNS + LONG];
  train(1, true, one);
  for (int threads = 2; threads <= 8; threads *= 2) {
    train(threads, true, other);
    ck_assert_int_eq(memcmp(one, other, sizeof one), 0);
  }
  train(2, false, other);
  ck_assert_int_eq(memcmp(one, other, sizeof one), 0);
}
END_TEST

START_TEST(failing_allocations_are_reported) {
  for (uint64_t n = 1;; n++) {
    as_context *ctx = as_test_context(1);
    as_parameters ps;
    as_adafactor adafactor;
    as_adafactor_options options = as_adafactor_default();
    as_parameters_init(&ps, ctx);
    as_parameters_declare(&ps, AS_ROLE_WEIGHT, 0, 3, 4, "matrix");
    ck_assert_ok(ctx, as_parameters_allocate(&ps, true));
    as_test_fail_at(ctx, n);
    as_status status = as_adafactor_init(&adafactor, ctx, &ps, &options);
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    as_adafactor_free(&adafactor);
    as_parameters_free(&ps);
    as_test_context_free(ctx);
    if (!failed) break;
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("adafactor");
  TCase *tcase = tcase_create("adafactor");
  tcase_add_loop_test(tcase, updates_agree_with_transformers, 0, (int)(sizeof cases / sizeof cases[0]));
  tcase_add_test(tcase, bits_depend_neither_on_threads_nor_on_rows_left_out);
  tcase_add_test(tcase, failing_allocations_are_reported);
  suite_add_tcase(suite, tcase);
  return suite;
}
