/* How fast the kernels are that are not the matrix product: nearly all read and write arrays once, so what counts is
 * how near they come to the rate at which bytes can be moved at all. */
#include <stdio.h>

#include "base/memory.h"
#include "base/random.h"
#include "bench/bench.h"

/* What the kernels work on: four arrays [rows, cols], and vectors for the rows and the columns. */
typedef struct workload {
  const as_kernels_f32 *k;
  size_t rows, cols, n;
  float *a, *b, *c, *d;                   /* [rows, cols] */
  float *weight, *bias, *dweight, *dbias; /* [cols] */
  float *mean, *rstd;                     /* [rows] */
  uint16_t *half;                         /* [rows, cols] */
  as_dropout dropout;
  as_adamw_step step;
  volatile double result;
} workload;

typedef struct kernel_bench {
  const char *name;
  double moves; /* floats read and written for each element, counting each once */
  void (*run)(void *w);
} kernel_bench;

#define BENCH(name, call)                                                                                              \
  static void run_##name(void *argument) {                                                                             \
    workload *w = argument;                                                                                            \
    call;                                                                                                              \
  }
BENCH(add, w->k->add(w->n, w->a, w->b, w->c))
BENCH(mul_add, w->k->mul_add(w->n, w->a, w->b, w->c))
BENCH(axpy, w->k->axpy(w->n, 1e-9f, w->a, w->c))
BENCH(scale, w->k->scale(w->n, 0.5f, w->a, w->c))
BENCH(sum, w->result = (double)w->k->sum(w->n, w->a))
BENCH(max, w->result = (double)w->k->max(w->n, w->a))
BENCH(dot, w->result = (double)w->k->dot(w->n, w->a, w->b))
BENCH(sum_squares, w->result = w->k->sum_squares(w->n, w->a))
BENCH(column_sum, w->k->column_sum(w->rows, w->cols, w->a, w->cols, w->dbias, false))
BENCH(gelu, w->k->unary_forward[AS_UNARY_GELU](w->n, w->a, w->c))
BENCH(gelu_backward, w->k->unary_backward[AS_UNARY_GELU](w->n, w->a, w->a, w->b, w->c, false))
BENCH(gelu_tanh, w->k->unary_forward[AS_UNARY_GELU_TANH](w->n, w->a, w->c))
BENCH(gelu_tanh_backward, w->k->unary_backward[AS_UNARY_GELU_TANH](w->n, w->a, w->a, w->b, w->c, false))
BENCH(relu, w->k->unary_forward[AS_UNARY_RELU](w->n, w->a, w->c))
BENCH(tanh, w->k->unary_forward[AS_UNARY_TANH](w->n, w->a, w->c))
BENCH(sigmoid, w->k->unary_forward[AS_UNARY_SIGMOID](w->n, w->a, w->c))
BENCH(exp, w->k->unary_forward[AS_UNARY_EXP](w->n, w->a, w->c))
BENCH(log, w->k->unary_forward[AS_UNARY_LOG](w->n, w->d, w->c))
BENCH(softmax, w->k->softmax(w->rows, w->cols, w->a, w->c, w->mean))
BENCH(softmax_backward, w->k->softmax_backward(w->rows, w->cols, w->a, w->b, w->c, false))
BENCH(layer_norm, w->k->layer_norm(w->rows, w->cols, w->a, w->weight, w->bias, 1e-12f, w->c, w->mean, w->rstd))
BENCH(layer_norm_backward, w->k->layer_norm_backward(w->rows, w->cols, w->a, w->weight, w->mean, w->rstd, w->b, w->c,
                                                     false, w->dweight, w->dbias))
BENCH(rms_norm, w->k->rms_norm(w->rows, w->cols, w->a, w->weight, 1e-6f, w->c, w->rstd))
BENCH(rms_norm_backward,
      w->k->rms_norm_backward(w->rows, w->cols, w->a, w->weight, w->rstd, w->b, w->c, false, w->dweight))
BENCH(dropout, w->k->dropout(&w->dropout, 0, w->n, w->a, w->c))
BENCH(dropout_add, w->k->dropout_add(&w->dropout, 0, w->n, w->a, w->b, w->c))
BENCH(adamw, w->k->adamw(w->n, &w->step, w->a, w->b, w->c, w->d))
BENCH(f16_to_f32, as_f16_to_f32(w->n, w->half, w->c))
BENCH(f32_to_f16, as_f32_to_f16(w->n, w->a, w->half))
BENCH(bf16_to_f32, as_bf16_to_f32(w->n, w->half, w->c))
BENCH(f32_to_bf16, as_f32_to_bf16(w->n, w->a, w->half))

static const kernel_bench BENCHES[] = {
    {"scale", 2, run_scale},
    {"axpy", 3, run_axpy},
    {"add", 3, run_add},
    {"mul_add", 4, run_mul_add},
    {"sum", 1, run_sum},
    {"max", 1, run_max},
    {"dot", 2, run_dot},
    {"sum_squares", 1, run_sum_squares},
    {"column_sum", 1, run_column_sum},
    {"gelu", 2, run_gelu},
    {"gelu backward", 3, run_gelu_backward},
    {"gelu_tanh", 2, run_gelu_tanh},
    {"gelu_tanh backward", 3, run_gelu_tanh_backward},
    {"relu", 2, run_relu},
    {"tanh", 2, run_tanh},
    {"sigmoid", 2, run_sigmoid},
    {"exp", 2, run_exp},
    {"log", 2, run_log},
    {"softmax", 2, run_softmax},
    {"softmax backward", 3, run_softmax_backward},
    {"layer_norm", 2, run_layer_norm},
    {"layer_norm backward", 3, run_layer_norm_backward},
    {"rms_norm", 2, run_rms_norm},
    {"rms_norm backward", 3, run_rms_norm_backward},
    {"dropout", 2, run_dropout},
    {"dropout_add", 3, run_dropout_add},
    {"f16_to_f32", 1.5, run_f16_to_f32},
    {"f32_to_f16", 1.5, run_f32_to_f16},
    {"bf16_to_f32", 1.5, run_bf16_to_f32},
    {"f32_to_bf16", 1.5, run_f32_to_bf16},
    {"adamw", 7, run_adamw}, /* last: it changes its inputs */
};
enum { BENCH_COUNT = sizeof BENCHES / sizeof *BENCHES };

static void fill(float *x, size_t n, uint64_t stream) {
  /* Drawing 16 million normal numbers would take longer than measuring: a few thousand, again and again. */
  enum { PERIOD = 4093 };
  as_random random = as_random_start(1, stream);
  for (size_t i = 0; i < n; i++) x[i] = i < PERIOD ? (float)as_random_normal(&random) : x[i - PERIOD];
}

static void workload_fill(workload *w) {
  fill(w->a, w->n, 1);
  fill(w->b, w->n, 2);
  fill(w->c, w->n, 3);
  fill(w->d, w->n, 4);
  for (size_t i = 0; i < w->n; i++) w->d[i] *= w->d[i]; /* log and sqrt want no negative ones */
  fill(w->weight, w->cols, 5);
  fill(w->bias, w->cols, 6);
  fill(w->dweight, w->cols, 7);
  fill(w->dbias, w->cols, 8);
  fill(w->mean, w->rows, 9);
  for (size_t r = 0; r < w->rows; r++) w->rstd[r] = 1;
  as_f32_to_f16(w->n, w->a, w->half);
}

static as_status workload_new(as_context *ctx, size_t rows, workload *w) {
  *w = (workload){.rows = rows,
                  .cols = AS_BENCH_COLS,
                  .n = rows * AS_BENCH_COLS,
                  .dropout = {.seed = 1, .p = 0.1},
                  .step = {.lr = 1e-9,
                           .beta1 = 0.9,
                           .beta2 = 0.999,
                           .eps = 1e-8,
                           .weight_decay = 0.01,
                           .bias_correction1 = 0.1,
                           .bias_correction2 = 0.001,
                           .gradient_scale = 1}};
  float **const wanted[] = {&w->a,    &w->b,       &w->c,     &w->d,    &w->weight,
                            &w->bias, &w->dweight, &w->dbias, &w->mean, &w->rstd};
  const size_t sizes[] = {w->n, w->n, w->n, w->n, w->cols, w->cols, w->cols, w->cols, w->rows, w->rows};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    if (!(*wanted[i] = as_alloc(ctx, sizes[i], sizeof(float)))) return AS_E_NOMEM;
  }
  if (!(w->half = as_alloc(ctx, w->n, sizeof *w->half))) return AS_E_NOMEM;
  workload_fill(w);
  return AS_OK;
}

static void workload_free(as_context *ctx, workload *w) {
  float *const arrays[] = {w->a, w->b, w->c, w->d, w->weight, w->bias, w->dweight, w->dbias, w->mean, w->rstd};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) as_free(ctx, arrays[i]);
  as_free(ctx, w->half);
}

static bool measure(workload *w, const kernel_bench *bench, const char *place, double peak, as_bench_emit emit,
                    void *user) {
  as_bench_row row = {.name = bench->name, .isa = w->k->isa, .place = place, .threads = 1};
  snprintf(row.shape, sizeof row.shape, "[%zu, %zu]", w->rows, w->cols);
  row.seconds = as_bench_seconds(bench->run, w);
  row.gbytes = 1e-9 * sizeof(float) * (double)w->n * bench->moves / row.seconds;
  row.share = row.gbytes / peak;
  return emit(user, &row);
}

as_status as_bench_kernels(as_context *ctx, const as_kernels_f32 *table, const as_bench_peaks *peaks, bool memory,
                           as_bench_emit emit, void *user, bool *goes_on) {
  as_status status = AS_OK;
  *goes_on = true;
  for (int place = 0; place <= (memory ? 1 : 0) && *goes_on && status == AS_OK; place++) {
    workload w;
    status = workload_new(ctx, place ? AS_BENCH_MEMORY_ROWS : AS_BENCH_CACHE_ROWS, &w);
    w.k = table;
    for (size_t i = 0; i < BENCH_COUNT && *goes_on && status == AS_OK; i++) {
      *goes_on = measure(&w, &BENCHES[i], place ? "memory" : "cache",
                         place ? peaks->memory_gbytes : peaks->cache_gbytes, emit, user);
    }
    workload_free(ctx, &w);
  }
  return status;
}
