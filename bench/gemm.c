/* How fast the matrix product is in the shapes of the models, beside OpenBLAS where it is there. */
#include <stdio.h>

#include "config.h"

#include "base/memory.h"
#include "base/threads.h"
#include "bench/bench.h"
#include "tensor/gemm.h"

#ifdef AS_HAVE_OPENBLAS
#include <cblas.h>
#endif

typedef struct gemm_bench {
  const char *name;
  int64_t m, n, k;
  bool transpose_a, transpose_b, packed;
} gemm_bench;

/* Forward products from one token to a large batch, with the weight packed before and not; then what backward does: the
 * gradient of the input, and of the weight. */
static const gemm_bench BENCHES[] = {
    {"gemm NT packed", 1, 768, 768, false, true, true},  {"gemm NT packed", 8, 768, 768, false, true, true},
    {"gemm NT packed", 32, 768, 768, false, true, true}, {"gemm NT packed", 128, 768, 768, false, true, true},
    {"gemm NT", 16, 768, 768, false, true, false},       {"gemm NT", 64, 768, 768, false, true, false},
    {"gemm NT", 240, 768, 768, false, true, false},      {"gemm NT", 240, 3072, 768, false, true, false},
    {"gemm NT", 240, 768, 3072, false, true, false},     {"gemm NT", 1024, 768, 768, false, true, false},
    {"gemm NN", 240, 768, 768, false, false, false},     {"gemm NN", 240, 768, 3072, false, false, false},
    {"gemm TN", 768, 768, 240, true, false, false},      {"gemm TN", 3072, 768, 240, true, false, false},
    {"gemm NT", 240, 1536, 384, false, true, false},     {"gemm NT", 240, 512, 128, false, true, false},
};
enum { BENCH_COUNT = sizeof BENCHES / sizeof *BENCHES };

/* Products that would take longer than this at the peak are left out: the table without SIMD would take seconds. */
static const double LONGEST = 0.03;

typedef struct product {
  as_context *threads; /* whose threads compute */
  const as_kernels_f32 *table;
  as_gemm_call_f32 call;
  float *a, *b, *c, *packed;
  void *workspace;
} product;

static void product_free(as_context *ctx, product *p) {
  as_free(ctx, p->a);
  as_free(ctx, p->b);
  as_free(ctx, p->c);
  as_free(ctx, p->packed);
  as_free(ctx, p->workspace);
}

static void fill(float *x, int64_t n) {
  for (int64_t i = 0; i < n; i++) x[i] = (float)(i * 31 % 101) / 101 - 0.5f;
}

static as_status product_new(as_context *ctx, as_context *threads, const as_kernels_f32 *table, const gemm_bench *bench,
                             product *p) {
  const int64_t m = bench->m, n = bench->n, k = bench->k;
  const size_t bytes =
      as_gemm_workspace_f32(table, m, n, k, bench->transpose_a, bench->transpose_b, as_context_threads(threads));
  *p = (product){.threads = threads, .table = table};
  p->a = as_alloc(ctx, (size_t)(m * k), sizeof(float));
  if (p->a) p->b = as_alloc(ctx, (size_t)(n * k), sizeof(float));
  if (p->b) p->c = as_alloc(ctx, (size_t)(m * n), sizeof(float));
  if (p->c) p->packed = as_alloc(ctx, as_gemm_packed_b_elements_f32(table, n, k), sizeof(float));
  if (p->packed) p->workspace = as_alloc(ctx, bytes, 1);
  if (!p->workspace) return AS_E_NOMEM;
  fill(p->a, m * k);
  fill(p->b, n * k);
  p->call = (as_gemm_call_f32){.m = m,
                               .n = n,
                               .k = k,
                               .transpose_a = bench->transpose_a,
                               .transpose_b = bench->transpose_b,
                               .a = p->a,
                               .lda = bench->transpose_a ? m : k,
                               .b = p->b,
                               .ldb = bench->transpose_b ? k : n,
                               .c = p->c,
                               .ldc = n,
                               .activation = AS_UNARY_NONE};
  if (bench->packed) {
    as_gemm_pack_b_f32(threads, table, n, k, bench->transpose_b, p->b, p->call.ldb, p->packed);
    p->call.packed_b = p->packed;
  }
  return AS_OK;
}

static void run_ours(void *argument) {
  const product *p = argument;
  as_gemm_f32(p->threads, p->table, &p->call, p->workspace);
}

static bool emit_row(const char *name, const char *isa, const product *p, double seconds, double peak,
                     as_bench_emit emit, void *user) {
  const as_gemm_call_f32 *call = &p->call;
  const int threads = as_context_threads(p->threads);
  as_bench_row row = {.name = name, .isa = isa, .place = "cache", .threads = threads, .seconds = seconds};
  snprintf(row.shape, sizeof row.shape, "m %d, n %d, k %d", (int)call->m, (int)call->n, (int)call->k);
  row.gflops = 2e-9 * (double)call->m * (double)call->n * (double)call->k / seconds;
  row.share = row.gflops / (peak * threads);
  return emit(user, &row);
}

#ifdef AS_HAVE_OPENBLAS
static void run_openblas(void *argument) {
  const as_gemm_call_f32 *call = &((const product *)argument)->call;
  cblas_sgemm(CblasRowMajor, call->transpose_a ? CblasTrans : CblasNoTrans,
              call->transpose_b ? CblasTrans : CblasNoTrans, (blasint)call->m, (blasint)call->n, (blasint)call->k, 1,
              call->a, (blasint)call->lda, call->b, (blasint)call->ldb, 0, call->c, (blasint)call->ldc);
}

static bool measure_openblas(product *p, double peak, as_bench_emit emit, void *user) {
  const int before = openblas_get_num_threads();
  openblas_set_num_threads(as_context_threads(p->threads));
  const double seconds = as_bench_seconds(run_openblas, p);
  openblas_set_num_threads(before);
  return emit_row("sgemm of OpenBLAS", openblas_get_corename(), p, seconds, peak, emit, user);
}
#else
static bool measure_openblas(product *p, double peak, as_bench_emit emit, void *user) {
  (void)p, (void)peak, (void)emit, (void)user;
  return true;
}
#endif

static as_status measure_all(as_context *ctx, as_context *threads, const as_kernels_f32 *table, double peak,
                             bool openblas, as_bench_emit emit, void *user, bool *goes_on) {
  as_status status = AS_OK;
  for (int i = 0; i < BENCH_COUNT && *goes_on && status == AS_OK; i++) {
    const gemm_bench *bench = &BENCHES[i];
    product p;
    if (2e-9 * (double)(bench->m * bench->n * bench->k) > LONGEST * peak) continue;
    status = product_new(ctx, threads, table, bench, &p);
    if (status == AS_OK) {
      *goes_on = emit_row(bench->name, table->isa, &p, as_bench_seconds(run_ours, &p), peak, emit, user);
      if (*goes_on && openblas) *goes_on = measure_openblas(&p, peak, emit, user);
    }
    product_free(ctx, &p);
  }
  return status;
}

as_status as_bench_gemm(as_context *ctx, const as_kernels_f32 *table, const as_bench_peaks *peaks, bool openblas,
                        as_bench_emit emit, void *user, bool *goes_on) {
  as_context_options options = {.threads = 1};
  as_context *one;
  *goes_on = true;
  if (as_context_new(&one, &options) != AS_OK)
    return as_fail(ctx, AS_E_NOMEM, "cannot make a context with one thread to measure with");
  as_status status = measure_all(ctx, one, table, peaks->fma_gflops, openblas, emit, user, goes_on);
  as_context_free(one);
  if (status == AS_OK && *goes_on && as_context_threads(ctx) > 1)
    status = measure_all(ctx, ctx, table, peaks->fma_gflops, openblas, emit, user, goes_on);
  return status;
}
