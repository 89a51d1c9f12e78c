/* Every kernel of every table this processor can run, against the double reference: all sizes from 0 on, arrays at the
 * very end and the very start of readable memory, with guards around what is written, in place, and at any alignment
 * with the same bits. A new kernel needs a line in CASES. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/random.h"
#include "tensor/kernels/kernels.h"
#include "tests/harness.h"

/* ---- arrays between forbidden pages ----------------------------------------------------------------------- */
/* `bytes` bytes that end where the readable memory ends, or start where it starts; the rest of it is filled with GUARD.
 */
typedef struct fenced {
  unsigned char *map, *inside, *data;
  size_t map_bytes, inside_bytes, bytes;
} fenced;

enum { GUARD = 0xa5 };

static fenced fence(size_t bytes, bool at_end) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  fenced f = {.bytes = bytes, .inside_bytes = (bytes / page + 1) * page};
  f.map_bytes = f.inside_bytes + 2 * page;
  f.map = mmap(NULL, f.map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ck_assert(f.map != MAP_FAILED);
  f.inside = f.map + page;
  ck_assert_int_eq(mprotect(f.inside, f.inside_bytes, PROT_READ | PROT_WRITE), 0);
  memset(f.inside, GUARD, f.inside_bytes);
  f.data = at_end ? f.inside + f.inside_bytes - bytes : f.inside;
  return f;
}

static void unfence(fenced *f, const char *what) {
  for (unsigned char *p = f->inside; p < f->inside + f->inside_bytes; p++) {
    if ((p < f->data || p >= f->data + f->bytes) && *p != GUARD)
      ck_abort_msg("%s: wrote %td bytes from the start of an array of %zu", what, p - f->data, f->bytes);
  }
  munmap(f->map, f->map_bytes);
}

/* ---- the cases -------------------------------------------------------------------------------------------- */
typedef struct dims {
  size_t rows, cols, ld;
} dims;

/* An array of a case is three letters. What it is: i input, o output, u both. Its size: n rows * cols, c cols, r rows,
 * 1, s rows with stride ld. Its values: * normal, m near zero, + positive, 1 near one, p in (0, 1). */
typedef struct kernel_case {
  const char *name;
  const char *arrays[10];
  double absolute, relative; /* what the float result may be off by: rounding, times what is summed */
  void (*f32)(const as_kernels_f32 *k, dims d, float **a);
  void (*f64)(const as_kernels_f64 *k, dims d, double **a);
  bool rowwise;      /* wants several rows */
  const char *alias; /* "02": array 0 may be the same as array 2; more pairs may follow */
} kernel_case;

static const as_dropout DROPOUT = {.seed = 0x123456789abcdef0, .step = 77, .op = 5, .p = 0.3};
static const as_adamw_step STEP = {.lr = 0.01,
                                   .beta1 = 0.9,
                                   .beta2 = 0.999,
                                   .eps = 1e-8,
                                   .weight_decay = 0.1,
                                   .bias_correction1 = 0.271,
                                   .bias_correction2 = 0.002997,
                                   .gradient_scale = 0.25};

/* Rows in another order, some of them twice and some not at all. */
static const int32_t *chosen(size_t rows) {
  static int32_t index[4096];
  for (size_t i = 0; i < rows; i++) index[i] = (int32_t)((rows - 1 - i) / 3 * 2);
  return index;
}

/* The call, written once for both types: n = rows * cols, a[] the arrays. */
#define CASE(name, call)                                                                                               \
  static void name##_f32(const as_kernels_f32 *k, dims d, float **a) {                                                 \
    const size_t n = d.rows * d.cols;                                                                                  \
    (void)n;                                                                                                           \
    call;                                                                                                              \
  }                                                                                                                    \
  static void name##_f64(const as_kernels_f64 *k, dims d, double **a) {                                                \
    const size_t n = d.rows * d.cols;                                                                                  \
    (void)n;                                                                                                           \
    call;                                                                                                              \
  }
#define UNARY_CASES(name, number)                                                                                      \
  CASE(name, k->unary_forward[number](n, a[0], a[1]))                                                                  \
  CASE(name##_backward, k->unary_backward[number](n, a[0], a[1], a[2], a[3], false))                                   \
  CASE(name##_backward_add, k->unary_backward[number](n, a[0], a[1], a[2], a[3], true))
UNARY_CASES(gelu, AS_UNARY_GELU)
UNARY_CASES(gelu_tanh, AS_UNARY_GELU_TANH)
UNARY_CASES(relu, AS_UNARY_RELU)
UNARY_CASES(tanh, AS_UNARY_TANH)
UNARY_CASES(sigmoid, AS_UNARY_SIGMOID)
UNARY_CASES(exp, AS_UNARY_EXP)
UNARY_CASES(log, AS_UNARY_LOG)
CASE(add, k->add(n, a[0], a[1], a[2]))
CASE(sub, k->sub(n, a[0], a[1], a[2]))
CASE(mul, k->mul(n, a[0], a[1], a[2]))
CASE(div, k->div(n, a[0], a[1], a[2]))
CASE(mul_add, k->mul_add(n, a[0], a[1], a[2]))
CASE(axpy, k->axpy(n, 1.7f, a[0], a[1]))
CASE(scale, k->scale(n, 1.7f, a[0], a[1]))
CASE(add_scalar, k->add_scalar(n, 1.7f, a[0], a[1]))
CASE(sum, a[1][0] = k->sum(n, a[0]))
CASE(max, a[1][0] = k->max(n, a[0]))
CASE(dot, a[2][0] = k->dot(n, a[0], a[1]))
CASE(column_sum, k->column_sum(d.rows, d.cols, a[0], d.ld, a[1], false))
CASE(column_sum_add, k->column_sum(d.rows, d.cols, a[0], d.ld, a[1], true))
CASE(dot_rows, k->dot_rows(d.rows, d.cols, 0.5f, a[0], a[1], d.ld, NULL, a[2]))
CASE(sum_rows, k->sum_rows(d.rows, d.cols, a[0], a[1], d.ld, NULL, a[2]))
CASE(dot_rows_chosen, k->dot_rows(d.rows, d.cols, 0.5f, a[0], a[1], d.ld, chosen(d.rows), a[2]))
CASE(sum_rows_chosen, k->sum_rows(d.rows, d.cols, a[0], a[1], d.ld, chosen(d.rows), a[2]))
CASE(softmax, k->softmax(d.rows, d.cols, a[0], a[1], a[2]))
CASE(softmax_alone, k->softmax(d.rows, d.cols, a[0], a[1], NULL))
CASE(softmax_backward, k->softmax_backward(d.rows, d.cols, a[0], a[1], a[2], false))
CASE(softmax_backward_add, k->softmax_backward(d.rows, d.cols, a[0], a[1], a[2], true))
CASE(layer_norm, k->layer_norm(d.rows, d.cols, a[0], a[1], a[2], 1e-5f, a[3], a[4], a[5]))
CASE(layer_norm_backward, k->layer_norm_backward(d.rows, d.cols, a[0], a[1], a[2], a[3], a[4], a[5], false, a[6], a[7]))
CASE(layer_norm_backward_add,
     k->layer_norm_backward(d.rows, d.cols, a[0], a[1], a[2], a[3], a[4], a[5], true, a[6], a[7]))
CASE(rms_norm, k->rms_norm(d.rows, d.cols, a[0], a[1], 1e-6f, a[2], a[3]))
CASE(rms_norm_backward, k->rms_norm_backward(d.rows, d.cols, a[0], a[1], a[2], a[3], a[4], false, a[5]))
CASE(rms_norm_backward_add, k->rms_norm_backward(d.rows, d.cols, a[0], a[1], a[2], a[3], a[4], true, a[5]))
CASE(dropout, k->dropout(&DROPOUT, 3, n, a[0], a[1]))
CASE(dropout_add, k->dropout_add(&DROPOUT, 3, n, a[0], a[1], a[2]))
CASE(adamw, k->adamw(n, &STEP, a[0], a[1], a[2], a[3]))

static void sum_squares_f32(const as_kernels_f32 *k, dims d, float **a) {
  a[1][0] = (float)k->sum_squares(d.rows * d.cols, a[0]);
}
static void sum_squares_f64(const as_kernels_f64 *k, dims d, double **a) {
  a[1][0] = k->sum_squares(d.rows * d.cols, a[0]);
}

/* clang-format off */
#define ROW(name) #name, .f32 = name##_f32, .f64 = name##_f64
#define UNARY_ROWS(name, x, y, off)                                                                                    \
  {ROW(name), .arrays = {"in" x, "on"}, .absolute = off, .relative = 4e-7, .alias = "10"},                             \
      {ROW(name##_backward), .arrays = {"in" x, "in" y, "in*", "on"}, .absolute = 3 * off, .relative = 1e-6,           \
       .alias = "32"},                                                                                                 \
      {ROW(name##_backward_add), .arrays = {"in" x, "in" y, "in*", "un*"}, .absolute = 4 * off, .relative = 1e-6}

static const kernel_case CASES[] = {
    UNARY_ROWS(gelu, "*", "*", 3e-7),
    UNARY_ROWS(gelu_tanh, "*", "*", 3e-7),
    UNARY_ROWS(relu, "*", "*", 1e-7),
    UNARY_ROWS(tanh, "*", "p", 1e-7),
    UNARY_ROWS(sigmoid, "*", "p", 1e-7),
    UNARY_ROWS(exp, "*", "+", 1e-7),
    UNARY_ROWS(log, "+", "*", 1e-7),
    {ROW(add), .arrays = {"in*", "in*", "on"}, .relative = 6e-8, .alias = "2021"},
    {ROW(sub), .arrays = {"in*", "in*", "on"}, .relative = 6e-8, .alias = "2021"},
    {ROW(mul), .arrays = {"in*", "in*", "on"}, .relative = 6e-8, .alias = "2021"},
    {ROW(div), .arrays = {"in*", "in1", "on"}, .relative = 6e-8, .alias = "2021"},
    {ROW(mul_add), .arrays = {"in*", "in*", "un*"}, .absolute = 1e-6, .relative = 1e-7},
    {ROW(axpy), .arrays = {"in*", "un*"}, .absolute = 1e-6, .relative = 1e-7},
    {ROW(scale), .arrays = {"in*", "on"}, .relative = 6e-8, .alias = "10"},
    {ROW(add_scalar), .arrays = {"in*", "on"}, .relative = 6e-8, .alias = "10"},
    {ROW(sum), .arrays = {"in*", "o1"}, .absolute = 1e-5, .relative = 1e-6},
    {ROW(max), .arrays = {"in*", "o1"}},
    {ROW(dot), .arrays = {"in*", "in*", "o1"}, .absolute = 3e-5, .relative = 1e-6},
    {ROW(sum_squares), .arrays = {"in*", "o1"}, .relative = 6e-8},
    {ROW(column_sum), .arrays = {"is*", "oc"}, .absolute = 2e-5, .relative = 1e-6, .rowwise = true},
    {ROW(column_sum_add), .arrays = {"is*", "uc*"}, .absolute = 2e-5, .relative = 1e-6, .rowwise = true},
    {ROW(dot_rows), .arrays = {"ic*", "is*", "or"}, .absolute = 1e-4, .relative = 1e-6, .rowwise = true},
    {ROW(sum_rows), .arrays = {"ir*", "is*", "oc"}, .absolute = 1e-4, .relative = 1e-6, .rowwise = true},
    {ROW(dot_rows_chosen), .arrays = {"ic*", "is*", "or"}, .absolute = 1e-4, .relative = 1e-6, .rowwise = true},
    {ROW(sum_rows_chosen), .arrays = {"ir*", "is*", "oc"}, .absolute = 1e-4, .relative = 1e-6, .rowwise = true},
    {ROW(softmax), .arrays = {"in*", "on", "or"}, .relative = 1e-6, .absolute = 3e-7, .rowwise = true, .alias = "10"},
    {ROW(softmax_alone), .arrays = {"in*", "on"}, .relative = 1e-6, .rowwise = true, .alias = "10"},
    {ROW(softmax_backward), .arrays = {"inp", "in*", "on"}, .absolute = 3e-5, .rowwise = true, .alias = "21"},
    {ROW(softmax_backward_add), .arrays = {"inp", "in*", "un*"}, .absolute = 3e-5, .rowwise = true},
    {ROW(layer_norm), .arrays = {"in*", "ic1", "ic*", "on", "or", "or"}, .absolute = 2e-6, .relative = 1e-6,
     .rowwise = true, .alias = "30"},
    {ROW(layer_norm_backward), .arrays = {"in*", "ic1", "irm", "ir1", "in*", "on", "uc*", "uc*"}, .absolute = 2e-5,
     .relative = 2e-6, .rowwise = true, .alias = "54"},
    {ROW(layer_norm_backward_add), .arrays = {"in*", "ic1", "irm", "ir1", "in*", "un*", "uc*", "uc*"},
     .absolute = 2e-5, .relative = 2e-6, .rowwise = true},
    {ROW(rms_norm), .arrays = {"in*", "ic1", "on", "or"}, .absolute = 1e-6, .relative = 1e-6, .rowwise = true,
     .alias = "20"},
    {ROW(rms_norm_backward), .arrays = {"in*", "ic1", "ir1", "in*", "on", "uc*"}, .absolute = 2e-5, .relative = 2e-6,
     .rowwise = true, .alias = "43"},
    {ROW(rms_norm_backward_add), .arrays = {"in*", "ic1", "ir1", "in*", "un*", "uc*"}, .absolute = 2e-5,
     .relative = 2e-6, .rowwise = true},
    {ROW(dropout), .arrays = {"in*", "on"}, .relative = 2e-7, .alias = "10"},
    {ROW(dropout_add), .arrays = {"in*", "in*", "on"}, .absolute = 1e-6, .relative = 2e-7, .alias = "2021"},
    {ROW(adamw), .arrays = {"in*", "un*", "un*", "un+"}, .absolute = 3e-7, .relative = 1e-6},
};
/* clang-format on */
enum { CASE_COUNT = sizeof CASES / sizeof *CASES, MOST_ARRAYS = 10, MOST_ROWS = 130 };

static size_t elements(const char *array, dims d) {
  switch (array[1]) {
  case 'n':
    return d.rows * d.cols;
  case 'c':
    return d.cols;
  case 'r':
    return d.rows;
  case 's':
    return d.rows ? (d.rows - 1) * d.ld + d.cols : 0;
  default:
    return 1;
  }
}

static float draw(as_random *random, char kind) {
  double x = as_random_normal(random);
  switch (kind) {
  case 'm':
    return (float)(0.2 * x);
  case '+':
    return (float)(fabs(x) + 0.01);
  case '1':
    return (float)(1 + 0.2 * x);
  case 'p':
    return (float)(0.001 + 0.998 * as_random_uniform(random));
  default:
    return (float)(2 * x);
  }
}

/* ---- running them ----------------------------------------------------------------------------------------- */
/* One call with fenced arrays; array number `alias[0]` is array number `alias[1]`, when given. results[i] gets a copy
 * of every array that is written (caller frees), and inputs are seen to be left alone. */
static void run_f32(const kernel_case *c, const as_kernels_f32 *k, dims d, float *const inputs[], bool at_end,
                    const char *alias, float *results[]) {
  fenced arrays[MOST_ARRAYS];
  float *a[MOST_ARRAYS] = {NULL};
  int count = 0;
  for (; count < MOST_ARRAYS && c->arrays[count]; count++) {
    const size_t bytes = elements(c->arrays[count], d) * sizeof(float);
    arrays[count] = fence(bytes, at_end);
    a[count] = (float *)(void *)arrays[count].data;
    if (c->arrays[count][0] != 'o' && bytes) memcpy(a[count], inputs[count], bytes);
  }
  if (alias) a[alias[0] - '0'] = a[alias[1] - '0'];
  c->f32(k, d, a);
  for (int i = 0; i < count; i++) {
    const size_t bytes = elements(c->arrays[i], d) * sizeof(float);
    results[i] = NULL;
    if (c->arrays[i][0] != 'i') {
      results[i] = malloc(bytes + 1);
      if (bytes) memcpy(results[i], a[i], bytes);
    } else if (!(alias && alias[1] - '0' == i) && bytes && memcmp(a[i], inputs[i], bytes) != 0) {
      ck_abort_msg("%s %s: changed its input %d", k->isa, c->name, i);
    }
  }
  for (int i = 0; i < count; i++) unfence(&arrays[i], c->name);
}

static void run_f64(const kernel_case *c, dims d, float *const inputs[], double *results[]) {
  for (int i = 0; i < MOST_ARRAYS && c->arrays[i]; i++) {
    const size_t n = elements(c->arrays[i], d);
    results[i] = malloc(n * sizeof(double) + 1);
    for (size_t j = 0; j < n; j++) results[i][j] = c->arrays[i][0] == 'o' ? NAN : (double)inputs[i][j];
  }
  c->f64(as_kernels_reference_f64(), d, results);
}

static void assert_same_bits(const kernel_case *c, const char *isa, dims d, float *const a[], float *const b[],
                             const char *what) {
  for (int i = 0; i < MOST_ARRAYS && c->arrays[i]; i++) {
    if (a[i] && memcmp(a[i], b[i], elements(c->arrays[i], d) * sizeof(float)) != 0)
      ck_abort_msg("%s %s [%zu, %zu]: %s gives other bits in array %d", isa, c->name, d.rows, d.cols, what, i);
  }
}

static void free_all(void *const results[], int count) {
  for (int i = 0; i < count; i++) free(results[i]);
}

static void check_case(const kernel_case *c, const as_kernels_f32 *k, dims d) {
  float *inputs[MOST_ARRAYS] = {NULL}, *results[MOST_ARRAYS] = {NULL}, *others[MOST_ARRAYS] = {NULL};
  double *expected[MOST_ARRAYS] = {NULL};
  as_random random = as_random_start(d.rows * 1000 + d.cols, (uint64_t)(c - CASES));
  for (int i = 0; i < MOST_ARRAYS && c->arrays[i]; i++) {
    const size_t n = elements(c->arrays[i], d);
    inputs[i] = malloc(n * sizeof(float) + 1);
    for (size_t j = 0; j < n; j++) inputs[i][j] = draw(&random, c->arrays[i][2]);
  }
  run_f64(c, d, inputs, expected);
  run_f32(c, k, d, inputs, true, NULL, results);
  for (int i = 0; i < MOST_ARRAYS && c->arrays[i]; i++) {
    for (size_t j = 0; results[i] && j < elements(c->arrays[i], d); j++) {
      const double off = fabs((double)results[i][j] - expected[i][j]);
      const bool equal = (double)results[i][j] == expected[i][j]; /* infinities */
      if (!equal && !(off <= c->absolute + c->relative * fabs(expected[i][j])))
        ck_abort_msg("%s %s [%zu, %zu]: array %d[%zu] is %.9g, expected %.9g (off %.2g)", k->isa, c->name, d.rows,
                     d.cols, i, j, (double)results[i][j], expected[i][j], off);
    }
  }
  run_f32(c, k, d, inputs, false, NULL, others);
  assert_same_bits(c, k->isa, d, results, others, "another alignment");
  free_all((void **)others, MOST_ARRAYS);
  for (const char *alias = c->alias; alias && *alias; alias += 2) {
    run_f32(c, k, d, inputs, true, alias, others);
    assert_same_bits(c, k->isa, d, results, others, "in place");
    free_all((void **)others, MOST_ARRAYS);
  }
  free_all((void **)results, MOST_ARRAYS);
  free_all((void **)expected, MOST_ARRAYS);
  free_all((void **)inputs, MOST_ARRAYS);
}

/* Calls `f` for every table that can run here. */
#define FOR_EACH_TABLE(k)                                                                                              \
  for (size_t table_ = 0; as_kernels_at(table_, NULL); table_++)                                                       \
    for (bool run_ = true; run_; run_ = false)                                                                         \
      for (const as_kernels_f32 *k = supported_table(table_); k; k = NULL)

static const as_kernels_f32 *supported_table(size_t index) {
  bool supported;
  const as_kernels_f32 *k = as_kernels_at(index, &supported);
  return supported ? k : NULL;
}

START_TEST(agrees_with_the_double_reference) {
  static const size_t SIZES[] = {0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 129, 1000};
  static const size_t ROWS[] = {0, 1, 3, MOST_ROWS};
  const kernel_case *c = &CASES[_i];
  FOR_EACH_TABLE(k) {
    for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++) {
      for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        if (!c->rowwise && ROWS[r] != 1) continue;
        if (ROWS[r] == MOST_ROWS && SIZES[s] > 129) continue;
        check_case(c, k, (dims){ROWS[r], SIZES[s], SIZES[s] + 5});
      }
    }
  }
}
END_TEST

START_TEST(long_sums_stay_accurate) {
  const size_t n = 1000003;
  float *x = malloc(n * sizeof *x);
  double sum = 0, squares = 0;
  as_random random = as_random_start(3, 1);
  for (size_t i = 0; i < n; i++) {
    x[i] = (float)(1 + as_random_uniform(&random));
    sum += (double)x[i];
    squares += (double)x[i] * (double)x[i];
  }
  FOR_EACH_TABLE(k) {
    ck_assert_double_eq_tol((double)k->sum(n, x), sum, 3e-7 * sum);
    ck_assert_double_eq_tol((double)k->dot(n, x, x), squares, 3e-7 * squares);
    ck_assert_double_eq_tol(k->sum_squares(n, x), squares, 1e-11 * squares);
    float column;
    k->column_sum(n, 1, x, 1, &column, false);
    ck_assert_double_eq_tol((double)column, sum, 1e-4 * sum);
  }
  free(x);
}
END_TEST

/* ---- values out of the ordinary --------------------------------------------------------------------------- */
START_TEST(maximum_sees_nan_and_infinity) {
  FOR_EACH_TABLE(k) {
    ck_assert(k->max(0, NULL) == -INFINITY);
    for (size_t n = 1; n < 150; n++) {
      float x[150];
      for (size_t i = 0; i < n; i++) x[i] = -INFINITY;
      ck_assert(k->max(n, x) == -INFINITY);
      for (size_t at = 0; at < n; at += 7) {
        x[at] = -3;
        ck_assert_float_eq(k->max(n, x), -3.0f);
        x[at] = NAN;
        ck_assert(isnan(k->max(n, x)));
        x[at] = -INFINITY;
      }
    }
  }
}
END_TEST

START_TEST(softmax_of_infinities) {
  FOR_EACH_TABLE(k) {
    for (size_t n = 1; n < 70; n++) {
      float x[70], y[70], lse;
      for (size_t i = 0; i < n; i++) x[i] = -INFINITY;
      k->softmax(1, n, x, y, &lse);
      for (size_t i = 0; i < n; i++) ck_assert_float_eq(y[i], 0.0f);
      ck_assert(lse == -INFINITY);
      x[n / 2] = 1000; /* far beyond what exp can take */
      k->softmax(1, n, x, y, &lse);
      for (size_t i = 0; i < n; i++) ck_assert_float_eq(y[i], i == n / 2 ? 1.0f : 0.0f);
      ck_assert_float_eq(lse, 1000.0f);
      x[n - 1] = NAN;
      k->softmax(1, n, x, y, &lse);
      for (size_t i = 0; i < n; i++) ck_assert(isnan(y[i]));
      ck_assert(isnan(lse));
    }
  }
}
END_TEST

/* Rows whose spread is far below their mean, and below what eps hides. */
START_TEST(layer_norm_keeps_a_small_variance) {
  const float eps = 1e-12f;
  float weight[768], bias[768], x[768], y[768], mean, rstd;
  as_random random = as_random_start(1, 1);
  for (size_t i = 0; i < 768; i++) {
    weight[i] = 1;
    bias[i] = 0;
  }
  FOR_EACH_TABLE(k) {
    for (float offset = 0; offset < 1e5f; offset = offset * 10 + 1) {
      double sum = 0, squares = 0;
      for (size_t i = 0; i < 768; i++) sum += (double)(x[i] = offset + 0.01f * (float)as_random_normal(&random));
      for (size_t i = 0; i < 768; i++) squares += ((double)x[i] - sum / 768) * ((double)x[i] - sum / 768);
      const double scale = 1 / sqrt(squares / 768 + (double)eps);
      k->layer_norm(1, 768, x, weight, bias, eps, y, &mean, &rstd);
      ck_assert_double_eq_tol((double)rstd, scale, 2e-6 * scale);
      for (size_t i = 0; i < 768; i++) ck_assert_double_eq_tol((double)y[i], ((double)x[i] - sum / 768) * scale, 4e-6);
    }
    for (size_t i = 0; i < 768; i++) x[i] = 12345.678f; /* no spread at all */
    k->layer_norm(1, 768, x, weight, bias, eps, y, &mean, &rstd);
    for (size_t i = 0; i < 768; i++) ck_assert_float_eq(y[i], 0.0f);
  }
}
END_TEST

START_TEST(norms_pass_nan_on) {
  float weight[33], x[33], y[33], mean, rstd;
  for (size_t i = 0; i < 33; i++) weight[i] = x[i] = 1;
  x[32] = NAN;
  FOR_EACH_TABLE(k) {
    k->layer_norm(1, 33, x, weight, weight, 1e-5f, y, &mean, &rstd);
    ck_assert(isnan(y[0]) && isnan(y[32]));
    k->rms_norm(1, 33, x, weight, 1e-5f, y, &rstd);
    ck_assert(isnan(y[0]) && isnan(y[32]));
  }
}
END_TEST

/* ---- optimizer -------------------------------------------------------------------------------------------- */
/* Moments without gradients fade to nothing; and denormal numbers are what they were after the call. */
START_TEST(adamw_lets_moments_fade) {
  enum { N = 37 };
  FOR_EACH_TABLE(k) {
    float gradient[N], weight[N], m[N], v[N];
    for (size_t i = 0; i < N; i++) {
      gradient[i] = 0;
      weight[i] = 1;
      m[i] = v[i] = 1e-40f;
    }
    as_adamw_step step = STEP;
    step.weight_decay = 0;
    for (int t = 0; t < 3; t++) k->adamw(N, &step, gradient, weight, m, v);
    for (size_t i = 0; i < N; i++) {
      ck_assert(m[i] >= 0 && m[i] < 1e-40f && v[i] >= 0 && v[i] <= 1e-40f);
      ck_assert_float_eq(weight[i], 1);
    }
    float denormal = 0x1p-130f, doubled;
    k->add(1, &denormal, &denormal, &doubled);
    ck_assert_float_eq(doubled, 0x1p-129f);
  }
}
END_TEST

/* ---- dropout ---------------------------------------------------------------------------------------------- */
static bool keeps(const as_dropout *dropout, uint64_t i) {
  uint32_t counter[4] = {(uint32_t)(i / 4), (uint32_t)((i / 4) >> 32), dropout->op, dropout->step}, word[4];
  uint32_t key[2] = {(uint32_t)dropout->seed, (uint32_t)(dropout->seed >> 32)};
  as_philox4x32(counter, key, word);
  return (double)word[i % 4] >= dropout->p * 4294967296.0;
}

START_TEST(dropout_draws_the_words_of_its_definition) {
  enum { N = 333 };
  /* The last ones carry from the low word of the counter into the high one, in the middle of a group. */
  static const uint64_t FIRST[] = {0,
                                   1,
                                   2,
                                   3,
                                   4,
                                   5,
                                   62,
                                   63,
                                   64,
                                   127,
                                   1000003,
                                   4 * 0xffffffffull,
                                   4 * 0x100000000ull - 61,
                                   4 * 0x700000000ull - 130,
                                   (1ull << 60) + 7};
  static const double P[] = {0, 1e-12, 0.1, 0.5, 0.9, 1 - 1e-12, 1};
  float x[N], y[N], residual[N], sum[N];
  for (size_t i = 0; i < N; i++) {
    x[i] = 1 + (float)i;
    residual[i] = -(float)i;
  }
  FOR_EACH_TABLE(k) {
    for (size_t f = 0; f < sizeof FIRST / sizeof *FIRST; f++) {
      for (size_t p = 0; p < sizeof P / sizeof *P; p++) {
        const as_dropout dropout = {.seed = 0xfedcba9876543210 + f, .step = 4000000000u, .op = 31, .p = P[p]};
        const float scale = (float)(1 / (1 - P[p]));
        const size_t n = N - (size_t)(f % 7) * 41;
        k->dropout(&dropout, FIRST[f], n, x, y);
        k->dropout_add(&dropout, FIRST[f], n, x, residual, sum);
        for (size_t i = 0; i < n; i++) {
          const bool keep = P[p] == 0 || keeps(&dropout, FIRST[f] + i);
          const float expected = keep ? x[i] * scale : 0;
          if (y[i] != expected || sum[i] != residual[i] + expected)
            ck_abort_msg("%s: p %g, element %zu from %llu: %g, expected %g", k->isa, P[p], i,
                         (unsigned long long)FIRST[f], (double)y[i], (double)expected);
        }
      }
    }
  }
}
END_TEST

/* ---- the choice of a table -------------------------------------------------------------------------------- */
START_TEST(selects_the_table_asked_for) {
  const as_kernels_f32 *table, *best = NULL;
  as_context *ctx;
  for (size_t i = 0; as_kernels_at(i, NULL); i++) {
    bool supported;
    const as_kernels_f32 *k = as_kernels_at(i, &supported);
    as_context_options options = {.threads = 1, .isa = k->isa};
    ck_assert_int_eq(as_context_new(&ctx, &options), AS_OK);
    if (supported) {
      ck_assert_ok(ctx, as_kernels_select(ctx, &table));
      ck_assert_ptr_eq(table, k);
      best = k;
    } else {
      ck_assert_refused(ctx, as_kernels_select(ctx, &table), AS_E_UNSUPPORTED, "not supported by this processor");
    }
    as_context_free(ctx);
  }
  unsetenv("ASSISTIFY_ISA");
  ctx = as_test_context(1);
  ck_assert_ok(ctx, as_kernels_select(ctx, &table));
  ck_assert_ptr_eq(table, best);
  as_test_context_free(ctx);
  setenv("ASSISTIFY_ISA", "scalar", 1);
  ctx = as_test_context(1);
  ck_assert_ok(ctx, as_kernels_select(ctx, &table));
  ck_assert_str_eq(table->isa, "scalar");
  as_test_context_free(ctx);
  unsetenv("ASSISTIFY_ISA");
}
END_TEST

START_TEST(refuses_an_unknown_table_and_names_those_there) {
  const as_kernels_f32 *table;
  setenv("ASSISTIFY_ISA", "mmx", 1);
  as_context *ctx = as_test_context(1);
  ck_assert_refused(ctx, as_kernels_select(ctx, &table), AS_E_UNSUPPORTED, "\"mmx\" is unknown");
  ck_assert_ptr_null(table);
  FOR_EACH_TABLE(k) ck_assert_ptr_nonnull(strstr(as_error_text(ctx), k->isa));
  as_test_context_free(ctx);
  unsetenv("ASSISTIFY_ISA");
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("kernels");
  TCase *tcase = tcase_create("kernels");
  tcase_add_loop_test(tcase, agrees_with_the_double_reference, 0, CASE_COUNT);
  tcase_add_test(tcase, long_sums_stay_accurate);
  tcase_add_test(tcase, maximum_sees_nan_and_infinity);
  tcase_add_test(tcase, softmax_of_infinities);
  tcase_add_test(tcase, layer_norm_keeps_a_small_variance);
  tcase_add_test(tcase, norms_pass_nan_on);
  tcase_add_test(tcase, adamw_lets_moments_fade);
  tcase_add_test(tcase, dropout_draws_the_words_of_its_definition);
  tcase_add_test(tcase, selects_the_table_asked_for);
  tcase_add_test(tcase, refuses_an_unknown_table_and_names_those_there);
  suite_add_tcase(suite, tcase);
  return suite;
}
