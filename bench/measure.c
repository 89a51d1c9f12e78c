/* The clock of the benchmarks, the machine's peaks, and how a row is printed. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "bench/bench.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/* A run is as many calls as take RUN seconds, so that the clock's own cost does not count. */
static const double RUN = 1e-3;
enum { RUNS = 7, MOST_CALLS = 1 << 22 };

double as_bench_seconds(void (*function)(void *argument), void *argument) {
  double fastest = 0;
  int64_t calls = 1;
  function(argument);
  for (int run = 0; run < RUNS;) {
    const double start = as_seconds();
    for (int64_t i = 0; i < calls; i++) function(argument);
    const double seconds = as_seconds() - start;
    if (seconds < RUN && calls < MOST_CALLS) { /* too short to tell: not a run yet */
      calls *= seconds < RUN / 16 ? 8 : 2;
      continue;
    }
    if (run == 0 || seconds / (double)calls < fastest) fastest = seconds / (double)calls;
    run++;
  }
  return fastest;
}

/* ---- arithmetic ------------------------------------------------------------------------------------------- */
enum { CHAINS = 12, ROUNDS = 2000 };

/* Twelve chains keep two units busy that take up to six cycles for a step. They start apart, or a compiler would
 * see that they are one. */
#define FMA_LOOP(name, attribute, vector, set1, step, first_lane)                                                      \
  attribute static float name(void) {                                                                                  \
    const vector b = set1(0.999999f), c = set1(1e-6f);                                                                 \
    vector a0 = set1(1), a1 = set1(2), a2 = set1(3), a3 = set1(4), a4 = set1(5), a5 = set1(6), a6 = set1(7);           \
    vector a7 = set1(8), a8 = set1(9), a9 = set1(10), a10 = set1(11), a11 = set1(12);                                  \
    for (int i = 0; i < ROUNDS; i++) {                                                                                 \
      a0 = step(a0, b, c), a1 = step(a1, b, c), a2 = step(a2, b, c), a3 = step(a3, b, c);                              \
      a4 = step(a4, b, c), a5 = step(a5, b, c), a6 = step(a6, b, c), a7 = step(a7, b, c);                              \
      a8 = step(a8, b, c), a9 = step(a9, b, c), a10 = step(a10, b, c), a11 = step(a11, b, c);                          \
    }                                                                                                                  \
    return first_lane(a0) + first_lane(a1) + first_lane(a2) + first_lane(a3) + first_lane(a4) + first_lane(a5) +       \
           first_lane(a6) + first_lane(a7) + first_lane(a8) + first_lane(a9) + first_lane(a10) + first_lane(a11);      \
  }

#if defined(__x86_64__)
#define SSE2_STEP(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
FMA_LOOP(fma_baseline, , __m128, _mm_set1_ps, SSE2_STEP, _mm_cvtss_f32)
FMA_LOOP(fma_avx2, __attribute__((target("avx2,fma"))), __m256, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_cvtss_f32)
FMA_LOOP(fma_avx512, __attribute__((target("avx512f"))), __m512, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_cvtss_f32)
#elif defined(__aarch64__)
#define NEON_STEP(a, b, c) vfmaq_f32(c, a, b)
#define NEON_FIRST(a) vgetq_lane_f32(a, 0)
FMA_LOOP(fma_neon, , float32x4_t, vdupq_n_f32, NEON_STEP, NEON_FIRST)
#endif

typedef struct fma_loop {
  const char *isa;
  float (*run)(void);
  int lanes;
} fma_loop;

/* "scalar" is not there: what it could reach is what the instructions that every processor of the kind has can do. */
static const fma_loop LOOPS[] = {
#if defined(__x86_64__)
    {"avx512", fma_avx512, 16},
    {"avx2", fma_avx2, 8},
    {"baseline", fma_baseline, 4},
#elif defined(__aarch64__)
    {"neon", fma_neon, 4},
#endif
    {NULL, NULL, 0},
};

typedef struct fma_call {
  const fma_loop *loop;
  volatile float result;
} fma_call;

static void run_fma(void *argument) {
  fma_call *call = argument;
  call->result = call->loop->run();
}

double as_bench_fma_gflops(const char *isa) {
  const fma_loop *loop = LOOPS, *last = NULL;
  for (; loop->isa && strcmp(loop->isa, isa) != 0; loop++) last = loop;
  if (!loop->isa) loop = last;
  if (!loop) return 0;
  fma_call call = {.loop = loop};
  return 2e-9 * loop->lanes * CHAINS * ROUNDS / as_bench_seconds(run_fma, &call);
}

/* ---- bandwidth -------------------------------------------------------------------------------------------- */
typedef struct stream {
  const as_kernels_f32 *table;
  size_t n;
  float *x[3];
  volatile float result;
} stream;

static void run_dot(void *argument) {
  stream *s = argument;
  s->result = s->table->dot(s->n, s->x[0], s->x[1]);
}

static void run_scale(void *argument) {
  stream *s = argument;
  s->table->scale(s->n, 0.5f, s->x[0], s->x[2]);
}

static void run_mul_add(void *argument) {
  stream *s = argument;
  s->table->mul_add(s->n, s->x[0], s->x[1], s->x[2]);
}

/* The greatest rate that kernels reach which do hardly anything but read and write, in different proportions. */
static double measure_bandwidth(stream *s, size_t rows) {
  s->n = rows * AS_BENCH_COLS;
  const double bytes = 1e-9 * (double)(s->n * sizeof(float));
  const double rates[] = {2 * bytes / as_bench_seconds(run_dot, s), 2 * bytes / as_bench_seconds(run_scale, s),
                          4 * bytes / as_bench_seconds(run_mul_add, s)};
  double best = 0;
  for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) best = rates[i] > best ? rates[i] : best;
  return best;
}

as_status as_bench_measure_peaks(as_context *ctx, const as_kernels_f32 *best, as_bench_peaks *out) {
  const size_t n = (size_t)AS_BENCH_MEMORY_ROWS * AS_BENCH_COLS;
  stream s = {.table = best};
  bool allocated = true;
  for (int i = 0; i < 3; i++) allocated = (s.x[i] = as_alloc_zero(ctx, n, sizeof(float))) && allocated;
  if (allocated) {
    out->fma_gflops = as_bench_fma_gflops(best->isa);
    out->cache_gbytes = measure_bandwidth(&s, AS_BENCH_CACHE_ROWS);
    out->memory_gbytes = measure_bandwidth(&s, AS_BENCH_MEMORY_ROWS);
  }
  for (int i = 0; i < 3; i++) as_free(ctx, s.x[i]);
  return allocated ? AS_OK : AS_E_NOMEM;
}

/* ---- printing --------------------------------------------------------------------------------------------- */
void as_bench_peaks_write(as_buffer *out, const as_kernels_f32 *table, const as_bench_peaks *peaks, bool json) {
  if (!json) {
    as_buffer_printf(out, "%s, one thread: %.1f GF/s of multiply-adds, %.1f GB/s in the cache, %.1f GB/s in memory\n",
                     table->isa, peaks->fma_gflops, peaks->cache_gbytes, peaks->memory_gbytes);
    return;
  }
  as_json_writer w = as_json_writer_start(out, 0);
  as_json_open_object(&w, NULL);
  as_json_open_object(&w, "peaks");
  as_json_string(&w, "isa", table->isa);
  as_json_double(&w, "fma_gflops", peaks->fma_gflops);
  as_json_double(&w, "cache_gbytes", peaks->cache_gbytes);
  as_json_double(&w, "memory_gbytes", peaks->memory_gbytes);
  as_json_close_object(&w);
  as_json_close_object(&w);
  as_buffer_char(out, '\n');
}

void as_bench_heading_text(as_buffer *out) {
  as_buffer_printf(out, "%-22s %-9s %-7s %7s %-28s %11s %9s %9s %8s\n", "kernel", "isa", "place", "threads", "shape",
                   "time", "GF/s", "GB/s", "of peak");
}

static void put_rate(as_buffer *out, double rate) {
  if (rate > 0)
    as_buffer_printf(out, " %9.1f", rate);
  else
    as_buffer_printf(out, " %9s", "");
}

void as_bench_row_text(as_buffer *out, const as_bench_row *row) {
  as_buffer_printf(out, "%-22s %-9s %-7s %7d %-28s %8.2f us", row->name, row->isa, row->place, row->threads, row->shape,
                   1e6 * row->seconds);
  put_rate(out, row->gflops);
  put_rate(out, row->gbytes);
  as_buffer_printf(out, " %6.0f %%\n", 100 * row->share);
}

void as_bench_row_json(as_buffer *out, const as_bench_row *row) {
  as_json_writer w = as_json_writer_start(out, 0);
  as_json_open_object(&w, NULL);
  as_json_string(&w, "kernel", row->name);
  as_json_string(&w, "isa", row->isa);
  as_json_string(&w, "place", row->place);
  as_json_int(&w, "threads", row->threads);
  as_json_string(&w, "shape", row->shape);
  as_json_double(&w, "seconds", row->seconds);
  if (row->gflops > 0) as_json_double(&w, "gflops", row->gflops);
  if (row->gbytes > 0) as_json_double(&w, "gbytes", row->gbytes);
  as_json_double(&w, "share", row->share);
  as_json_close_object(&w);
  as_buffer_char(out, '\n');
}
