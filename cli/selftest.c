#include "cli/selftest.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "tensor/gemm.h"

#define ROWS 7
#define COLS 149
#define COUNT (ROWS * COLS) /* odd sizes, so that the ends of vectors are tried too */
#define SPEED_SIZE 384
#define SPEED_SECONDS 0.3

/* Inputs, the same values as float and as double, and what came out. */
typedef struct data {
  as_context *ctx;
  const as_kernels_f32 *kernels;
  const as_kernels_f64 *reference;
  float x[COUNT], y[COUNT], out[COUNT];
  double x64[COUNT], y64[COUNT], out64[COUNT];
} data;

static double difference(const float *a, const double *b, size_t count) {
  double worst = 0;
  for (size_t i = 0; i < count; i++) {
    double error = fabs((double)a[i] - b[i]) / (1 + fabs(b[i]));
    if (!(error <= worst)) worst = error; /* keeps a NaN from then on */
    if (isnan(worst)) return worst;
  }
  return worst;
}

/* Keeps a NaN, whichever it is. */
static double larger(double a, double b) {
  return a > b || isnan(a) ? a : b;
}

static void fill(data *d, bool positive) {
  as_random random = as_random_start(1, positive);
  for (size_t i = 0; i < COUNT; i++) {
    float x = (float)as_random_normal(&random), y = (float)as_random_normal(&random);
    d->x[i] = positive ? fabsf(x) + 0.01f : x;
    d->y[i] = y;
    d->x64[i] = (double)d->x[i];
    d->y64[i] = (double)y;
  }
}

/* ---- the tests: each returns its largest error -------------------------------------------------------------- */

static double test_functions(data *d) {
  double worst = 0;
  for (int u = 0; u < AS_UNARY_COUNT; u++) {
    fill(d, u == AS_UNARY_LOG);
    d->kernels->unary_forward[u](COUNT, d->x, d->out);
    d->reference->unary_forward[u](COUNT, d->x64, d->out64);
    worst = larger(worst, difference(d->out, d->out64, COUNT));
    d->kernels->unary_backward[u](COUNT, d->x, d->out, d->y, d->out, false);
    d->reference->unary_backward[u](COUNT, d->x64, d->out64, d->y64, d->out64, false);
    worst = larger(worst, difference(d->out, d->out64, COUNT));
  }
  return worst;
}

static double test_reductions(data *d) {
  fill(d, false);
  const as_kernels_f32 *k = d->kernels;
  const as_kernels_f64 *r = d->reference;
  float sums[3] = {k->sum(COUNT, d->x), k->max(COUNT, d->x), k->dot(COUNT, d->x, d->y)};
  double sums64[3] = {r->sum(COUNT, d->x64), r->max(COUNT, d->x64), r->dot(COUNT, d->x64, d->y64)};
  double worst = difference(sums, sums64, 3);
  k->column_sum(ROWS, COLS, d->x, COLS, d->out, false);
  r->column_sum(ROWS, COLS, d->x64, COLS, d->out64, false);
  return larger(worst, difference(d->out, d->out64, COLS));
}

static double test_softmax(data *d) {
  fill(d, false);
  d->kernels->softmax(ROWS, COLS, d->x, d->out, NULL);
  d->reference->softmax(ROWS, COLS, d->x64, d->out64, NULL);
  double worst = difference(d->out, d->out64, COUNT);
  d->kernels->softmax_backward(ROWS, COLS, d->out, d->y, d->out, false);
  d->reference->softmax_backward(ROWS, COLS, d->out64, d->y64, d->out64, false);
  return larger(worst, difference(d->out, d->out64, COUNT));
}

static double test_layer_norm(data *d) {
  fill(d, false);
  float mean[ROWS], rstd[ROWS], dweight[COLS] = {0}, dbias[COLS] = {0};
  double mean64[ROWS], rstd64[ROWS], dweight64[COLS] = {0}, dbias64[COLS] = {0};
  const float *weight = d->y, *bias = d->y + COLS;
  const double *weight64 = d->y64, *bias64 = d->y64 + COLS;
  d->kernels->layer_norm(ROWS, COLS, d->x, weight, bias, 1e-12f, d->out, mean, rstd);
  d->reference->layer_norm(ROWS, COLS, d->x64, weight64, bias64, 1e-12, d->out64, mean64, rstd64);
  double worst = difference(d->out, d->out64, COUNT);
  d->kernels->layer_norm_backward(ROWS, COLS, d->x, weight, mean, rstd, d->y, d->out, false, dweight, dbias);
  d->reference->layer_norm_backward(ROWS, COLS, d->x64, weight64, mean64, rstd64, d->y64, d->out64, false, dweight64,
                                    dbias64);
  worst = larger(worst, difference(d->out, d->out64, COUNT));
  return larger(worst, difference(dweight, dweight64, COLS));
}

static double test_adamw(data *d) {
  fill(d, false);
  float m[COUNT] = {0}, v[COUNT] = {0};
  double m64[COUNT] = {0}, v64[COUNT] = {0};
  as_adamw_step step = {1e-2, 0.9, 0.999, 1e-8, 0.01, 0.1, 0.001, 1.0};
  d->kernels->adamw(COUNT, &step, d->y, d->x, m, v);
  d->reference->adamw(COUNT, &step, d->y64, d->x64, m64, v64);
  return difference(d->x, d->x64, COUNT);
}

/* Which elements are dropped is a matter of integers: exactly the same as in the reference. */
static double test_dropout(data *d) {
  fill(d, true);
  as_dropout dropout = {.seed = 7, .step = 3, .op = 5, .p = 0.3};
  d->kernels->dropout(&dropout, 13, COUNT, d->x, d->out);
  d->reference->dropout(&dropout, 13, COUNT, d->x64, d->out64);
  double different = 0;
  for (size_t i = 0; i < COUNT; i++) different += (d->out[i] == 0) != (d->out64[i] == 0);
  return different;
}

/* ---- matrix product ----------------------------------------------------------------------------------------- */

typedef struct product {
  int64_t m, n, k;
  bool transpose_a, transpose_b;
} product;

typedef struct operands {
  float *a, *b, *c;
} operands;

static void free_operands(as_context *ctx, operands *o) {
  as_free(ctx, o->a);
  as_free(ctx, o->b);
  as_free(ctx, o->c);
}

static float *random_matrix(as_context *ctx, uint64_t stream, int64_t count) {
  float *matrix = as_alloc(ctx, (size_t)count, sizeof *matrix);
  as_random random = as_random_start(2, stream);
  for (int64_t i = 0; matrix && i < count; i++) matrix[i] = (float)as_random_normal(&random);
  return matrix;
}

static bool make_operands(as_context *ctx, const product *p, operands *o) {
  o->a = random_matrix(ctx, 1, p->m * p->k);
  o->b = random_matrix(ctx, 2, p->k * p->n);
  o->c = as_alloc_zero(ctx, (size_t)(p->m * p->n), sizeof *o->c);
  return o->a && o->b && o->c;
}

static as_status multiply(as_context *ctx, const as_kernels_f32 *kernels, const product *p, const operands *o) {
  size_t bytes =
      as_gemm_workspace_f32(kernels, p->m, p->n, p->k, p->transpose_a, p->transpose_b, as_context_threads(ctx));
  void *workspace = as_alloc(ctx, bytes, 1);
  if (!workspace) return AS_E_NOMEM;
  as_gemm_call_f32 call = {.m = p->m,
                           .n = p->n,
                           .k = p->k,
                           .transpose_a = p->transpose_a,
                           .transpose_b = p->transpose_b,
                           .a = o->a,
                           .lda = p->transpose_a ? p->m : p->k,
                           .b = o->b,
                           .ldb = p->transpose_b ? p->k : p->n,
                           .c = o->c,
                           .ldc = p->n,
                           .activation = AS_UNARY_NONE};
  as_gemm_f32(ctx, kernels, &call, workspace);
  as_free(ctx, workspace);
  return AS_OK;
}

/* The largest |c - exact| over the sum of |a b|, the exact value being the formula itself in double. A chain of k in
 * single precision stays below k 2^-24 (Higham, Accuracy and Stability of Numerical Algorithms, eq. 3.5). */
static double product_error(const product *p, const operands *o) {
  double worst = 0;
  for (int64_t i = 0; i < p->m; i++)
    for (int64_t j = 0; j < p->n; j++) {
      double sum = 0, magnitude = 0;
      for (int64_t l = 0; l < p->k; l++) {
        double a = (double)o->a[p->transpose_a ? l * p->m + i : i * p->k + l];
        double b = (double)o->b[p->transpose_b ? j * p->k + l : l * p->n + j];
        sum += a * b;
        magnitude += fabs(a * b);
      }
      worst = larger(worst, fabs((double)o->c[i * p->n + j] - sum) / magnitude);
    }
  return worst;
}

static const product PRODUCTS[] = {{1, 17, 65, false, true},
                                   {3, 64, 33, false, true},
                                   {65, 129, 71, false, false},
                                   {130, 96, 257, true, false},
                                   {40, 300, 1000, true, true}};

/* *worst: the largest error per term of the chain. */
static as_status test_product(data *d, double *worst) {
  *worst = 0;
  for (size_t i = 0; i < sizeof PRODUCTS / sizeof PRODUCTS[0]; i++) {
    const product *p = &PRODUCTS[i];
    operands o;
    as_status status = make_operands(d->ctx, p, &o) ? multiply(d->ctx, d->kernels, p, &o) : AS_E_NOMEM;
    if (status == AS_OK) *worst = larger(*worst, product_error(p, &o) / (double)p->k);
    free_operands(d->ctx, &o);
    if (status != AS_OK) return status;
  }
  return AS_OK;
}

/* *different: how many bytes differ from what one thread gives, over several numbers of threads. */
static as_status test_threads(data *d, double *different) {
  static const int threads[] = {1, 2, 3, 8};
  const product p = {130, 300, 257, false, true};
  operands o;
  float *first = as_alloc(d->ctx, (size_t)(p.m * p.n), sizeof *first);
  as_status status = make_operands(d->ctx, &p, &o) && first ? AS_OK : AS_E_NOMEM;
  *different = 0;
  for (size_t i = 0; i < sizeof threads / sizeof threads[0] && status == AS_OK; i++) {
    as_context *ctx;
    as_context_options options = {.threads = threads[i]};
    status = as_context_new(&ctx, &options);
    if (status != AS_OK) return as_fail(d->ctx, status, "%d threads could not be started", threads[i]);
    status = multiply(ctx, d->kernels, &p, &o);
    as_context_free(ctx);
    size_t bytes = (size_t)(p.m * p.n) * sizeof *first;
    if (i == 0) memcpy(first, o.c, bytes);
    for (size_t b = 0; b < bytes; b++) *different += ((const char *)first)[b] != ((const char *)o.c)[b];
  }
  free_operands(d->ctx, &o);
  as_free(d->ctx, first);
  return status;
}

/* The best of the repetitions that fit the time. */
static as_status measure_product(data *d, double *gflops) {
  const product p = {SPEED_SIZE, SPEED_SIZE, SPEED_SIZE, false, true};
  operands o;
  as_status status = make_operands(d->ctx, &p, &o) ? AS_OK : AS_E_NOMEM;
  double start = as_seconds(), best = INFINITY;
  for (double before = start; status == AS_OK && before - start < SPEED_SECONDS;) {
    status = multiply(d->ctx, d->kernels, &p, &o);
    double now = as_seconds();
    if (now - before < best) best = now - before;
    before = now;
  }
  free_operands(d->ctx, &o);
  *gflops = 2e-9 * SPEED_SIZE * SPEED_SIZE * SPEED_SIZE / best;
  return status;
}

/* ---- all of them -------------------------------------------------------------------------------------------- */

static void add(as_selftest_result *results, size_t *count, const char *name, double error, double limit) {
  results[(*count)++] = (as_selftest_result){.name = name, .error = error, .limit = limit, .ok = error <= limit};
}

as_status as_selftest_run(as_context *ctx, const as_kernels_f32 *kernels, as_selftest_result results[AS_SELFTESTS_MOST],
                          size_t *count, double *gflops) {
  static const struct {
    const char *name;
    double (*run)(data *);
    double limit;
  } kernel_tests[] = {{"functions", test_functions, 2e-6}, {"reductions", test_reductions, 1e-5},
                      {"softmax", test_softmax, 2e-6},     {"layer norm", test_layer_norm, 1e-5},
                      {"AdamW", test_adamw, 2e-6},         {"dropout", test_dropout, 0}};
  *count = 0;
  *gflops = 0;
  data *d = as_alloc(ctx, 1, sizeof *d);
  if (!d) return AS_E_NOMEM;
  d->ctx = ctx;
  d->kernels = kernels;
  d->reference = as_kernels_reference_f64();
  for (size_t i = 0; i < sizeof kernel_tests / sizeof kernel_tests[0]; i++)
    add(results, count, kernel_tests[i].name, kernel_tests[i].run(d), kernel_tests[i].limit);
  double error;
  as_status status = test_product(d, &error);
  if (status == AS_OK) {
    add(results, count, "matrix product", error, 0x1p-24);
    status = test_threads(d, &error);
  }
  if (status == AS_OK) {
    add(results, count, "threads", error, 0);
    status = measure_product(d, gflops);
  }
  as_free(ctx, d);
  return status;
}
