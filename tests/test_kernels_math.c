/* How accurate the functions of one variable are, over the whole range of float, and what they make of values out of
 * the ordinary. The bounds are those that tensor/kernels/simd_math.h and kernels.h state. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/kernels/kernels.h"
#include "tests/harness.h"

/* ---- sweeps ----------------------------------------------------------------------------------------------- */
/* A sweep goes over every STRIDE-th float of both signs. */
enum { STRIDE = 1009, BATCH = 4096 };

typedef struct bound {
  const char *name;
  as_unary number;
  bool backward;
  double ulp;      /* at most so many units in the last place of the exact result, */
  double absolute; /* or so much at all: whichever allows more */
} bound;

static const bound BOUNDS[] = {
    {"exp", AS_UNARY_EXP, false, 1.5, 0},
    {"log", AS_UNARY_LOG, false, 2, 0},
    {"tanh", AS_UNARY_TANH, false, 2, 0},
    {"sigmoid", AS_UNARY_SIGMOID, false, 3, 1.2e-38}, /* 0 instead of denormals */
    {"gelu", AS_UNARY_GELU, false, 2, 1e-7},
    {"gelu_tanh", AS_UNARY_GELU_TANH, false, 4, 5e-8},
    {"relu", AS_UNARY_RELU, false, 0.5, 0},
    {"gelu backward", AS_UNARY_GELU, true, 1.5, 1.5e-7},
    {"gelu_tanh backward", AS_UNARY_GELU_TANH, true, 4, 2e-7},
};
enum { BOUND_COUNT = sizeof BOUNDS / sizeof *BOUNDS };

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* The distance of floats at y; below the normal range that of the denormals. */
static double ulp_at(double y) {
  y = fabs(y);
  if (y < (double)FLT_MIN) return 0x1p-149;
  if (y > (double)FLT_MAX) y = (double)FLT_MAX;
  int exponent;
  frexp(y, &exponent);
  return ldexp(1, exponent - 24);
}

static void check_batch(const bound *b, const as_kernels_f32 *k, size_t n, const float *x) {
  float y[BATCH], ones[BATCH], dx[BATCH];
  double x64[BATCH], y64[BATCH], ones64[BATCH], dx64[BATCH];
  for (size_t i = 0; i < n; i++) {
    x64[i] = (double)x[i];
    ones[i] = 1;
    ones64[i] = 1;
  }
  const as_kernels_f64 *exact = as_kernels_reference_f64();
  k->unary_forward[b->number](n, x, y);
  exact->unary_forward[b->number](n, x64, y64);
  if (b->backward) {
    k->unary_backward[b->number](n, x, y, ones, dx, false);
    exact->unary_backward[b->number](n, x64, y64, ones64, dx64, false);
  }
  for (size_t i = 0; i < n; i++) {
    const double actual = (double)(b->backward ? dx : y)[i], expected = (b->backward ? dx64 : y64)[i];
    if (actual == (double)(float)expected || (isnan(actual) && isnan(expected))) continue;
    const double off = fabs(actual - expected), ulp = ulp_at(expected);
    /* A result at the edge of infinity may fall on either side, within the bound. */
    const double finite = isinf(actual) && fabs(expected) > (double)FLT_MAX * (1 - 1e-6) ? 0 : off;
    if (!(finite <= b->ulp * ulp || finite <= b->absolute))
      ck_abort_msg("%s %s(%.9g): %.9g, expected %.9g: off %.3g, %.2f ulp", k->isa, b->name, (double)x[i], actual,
                   expected, off, off / ulp);
  }
}

START_TEST(accurate_over_all_of_float) {
  const bound *b = &BOUNDS[_i];
  bool supported;
  float *x = malloc(BATCH * sizeof *x);
  for (size_t t = 0; as_kernels_at(t, &supported); t++) {
    const as_kernels_f32 *k = as_kernels_at(t, NULL);
    if (!supported) continue;
    size_t n = 0;
    for (uint64_t bits = 0; bits < 0x7f800000u; bits += STRIDE) {
      x[n++] = float_of((uint32_t)bits);
      x[n++] = float_of((uint32_t)bits | 0x80000000u);
      if (n == BATCH) {
        check_batch(b, k, n, x);
        n = 0;
      }
    }
    check_batch(b, k, n, x);
  }
  free(x);
}
END_TEST

/* ---- values out of the ordinary --------------------------------------------------------------------------- */
typedef struct special {
  as_unary number;
  float x, y, derivative;
} special;

static const special SPECIALS[] = {
    {AS_UNARY_EXP, INFINITY, INFINITY, INFINITY},
    {AS_UNARY_EXP, -INFINITY, 0, 0},
    {AS_UNARY_EXP, 0, 1, 1},
    {AS_UNARY_EXP, 100, INFINITY, INFINITY},
    {AS_UNARY_EXP, -200, 0, 0},
    {AS_UNARY_LOG, INFINITY, INFINITY, 0},
    {AS_UNARY_LOG, 0, -INFINITY, INFINITY},
    {AS_UNARY_LOG, 1, 0, 1},
    {AS_UNARY_LOG, -1, NAN, -1},
    {AS_UNARY_LOG, -INFINITY, NAN, -0.0f},
    {AS_UNARY_TANH, INFINITY, 1, 0},
    {AS_UNARY_TANH, -INFINITY, -1, 0},
    {AS_UNARY_TANH, 0, 0, 1},
    {AS_UNARY_SIGMOID, INFINITY, 1, 0},
    {AS_UNARY_SIGMOID, -INFINITY, 0, 0},
    {AS_UNARY_SIGMOID, 0, 0.5f, 0.25f},
    {AS_UNARY_RELU, INFINITY, INFINITY, 1},
    {AS_UNARY_RELU, -INFINITY, 0, 0},
    {AS_UNARY_GELU, INFINITY, INFINITY, 1},
    {AS_UNARY_GELU, 1e30f, 1e30f, 1},
    {AS_UNARY_GELU, -1e30f, 0, 0},
    {AS_UNARY_GELU, -INFINITY, 0, 0},
    {AS_UNARY_GELU, 0, 0, 0.5f},
    {AS_UNARY_GELU_TANH, 1e30f, 1e30f, 1},
    {AS_UNARY_GELU_TANH, -1e30f, 0, 0},
    {AS_UNARY_GELU_TANH, INFINITY, INFINITY, 1},
    {AS_UNARY_GELU_TANH, -INFINITY, 0, 0},
    {AS_UNARY_GELU_TANH, 0, 0, 0.5f},
};

static bool same(float a, float b) {
  return a == b || (isnan(a) && isnan(b));
}

START_TEST(takes_values_out_of_the_ordinary) {
  const special *s = &SPECIALS[_i];
  bool supported;
  for (size_t t = 0; as_kernels_at(t, &supported); t++) {
    const as_kernels_f32 *k = as_kernels_at(t, NULL);
    if (!supported) continue;
    for (size_t n = 1; n < 20; n += 6) {
      float x[20], y[20], dy[20], dx[20];
      for (size_t i = 0; i < n; i++) {
        x[i] = s->x;
        dy[i] = 1;
      }
      k->unary_forward[s->number](n, x, y);
      k->unary_backward[s->number](n, x, y, dy, dx, false);
      for (size_t i = 0; i < n; i++) {
        if (!same(y[i], s->y) || !same(dx[i], s->derivative))
          ck_abort_msg("%s function %d at %g: %g and %g, expected %g and %g", k->isa, (int)s->number, (double)s->x,
                       (double)y[i], (double)dx[i], (double)s->y, (double)s->derivative);
      }
    }
  }
}
END_TEST

START_TEST(nan_gives_nan) {
  bool supported;
  for (size_t t = 0; as_kernels_at(t, &supported); t++) {
    const as_kernels_f32 *k = as_kernels_at(t, NULL);
    if (!supported) continue;
    for (int number = 0; number < AS_UNARY_COUNT; number++) {
      for (size_t n = 1; n < 40; n++) {
        float x[40], y[40], dy[40], dx[40];
        for (size_t i = 0; i < n; i++) x[i] = dy[i] = 1;
        x[n - 1] = NAN;
        k->unary_forward[number](n, x, y);
        if (!isnan(y[n - 1])) ck_abort_msg("%s function %d of NaN is %g", k->isa, number, (double)y[n - 1]);
        dy[0] = NAN;
        k->unary_backward[number](n, x, y, dy, dx, false);
        if (!isnan(dx[0])) ck_abort_msg("%s function %d: a gradient of NaN gives %g", k->isa, number, (double)dx[0]);
        if (n > 1) ck_assert(!isnan(y[0]));
      }
    }
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("kernels_math");
  TCase *tcase = tcase_create("functions");
  tcase_add_loop_test(tcase, accurate_over_all_of_float, 0, BOUND_COUNT);
  tcase_add_loop_test(tcase, takes_values_out_of_the_ordinary, 0, sizeof SPECIALS / sizeof *SPECIALS);
  tcase_add_test(tcase, nan_gives_nan);
  suite_add_tcase(suite, tcase);
  return suite;
}
