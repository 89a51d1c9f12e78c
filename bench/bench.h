/* Measuring: how fast the machine can compute and move data, and how near to that the kernels and the matrix product
 * come.
 *
 * A time is that of the fastest of several runs, after one that is not counted: what the code can do, not what other
 * programs left of the machine meanwhile. Rates count the arithmetic and the bytes that the task needs, not those that
 * an implementation happens to use. */
#ifndef AS_BENCH_BENCH_H
#define AS_BENCH_BENCH_H

#include "base/buffer.h"
#include "tensor/kernels/kernels.h"

/* What the machine can do, measured with one thread. */
typedef struct as_bench_peaks {
  double fma_gflops;    /* 10^9 operations a second in multiply-adds (two each) of the table's ISA */
  double cache_gbytes;  /* 10^9 bytes a second, read and written, of arrays of AS_BENCH_CACHE_ROWS rows */
  double memory_gbytes; /* the same for AS_BENCH_MEMORY_ROWS rows */
} as_bench_peaks;

/* Arrays of benchmarks are [rows, AS_BENCH_COLS]: a few of the small ones lie in the second-level cache together, the
 * large ones don't. */
#define AS_BENCH_COLS 768
#define AS_BENCH_CACHE_ROWS 32     /* 96 KiB an array */
#define AS_BENCH_MEMORY_ROWS 21846 /* 64 MiB an array */

typedef struct as_bench_row {
  const char *name;  /* of the kernel or the product; static */
  const char *isa;   /* static */
  char shape[48];    /* "[32, 768]", "m 512, n 768, k 768" */
  const char *place; /* where the data are: "cache", "memory"; static */
  int threads;
  double seconds; /* of one call */
  double gflops;  /* 10^9 operations a second; 0: not counted */
  double gbytes;  /* 10^9 bytes read or written a second; 0: not counted */
  double share;   /* of the peak of what is counted, arithmetic before bytes */
} as_bench_row;

/* Takes a row as soon as it is measured; false stops the measuring. */
typedef bool (*as_bench_emit)(void *user, const as_bench_row *row);

/* Seconds of one call of function(argument). */
double as_bench_seconds(void (*function)(void *argument), void *argument);

/* Multiply-adds in a row, independent of one another, in the ISA of this name; 10^9 operations a second. */
double as_bench_fma_gflops(const char *isa);

/* Fails only without memory (AS_E_NOMEM). The bandwidths are measured with the kernels of `best`. */
AS_MUST_CHECK as_status as_bench_measure_peaks(as_context *ctx, const as_kernels_f32 *best, as_bench_peaks *out);

/* Measures every kernel of the table but the matrix product's, with data in the cache and, when `memory`, in memory.
 * *goes_on is set to what the last emit answered. */
AS_MUST_CHECK as_status as_bench_kernels(as_context *ctx, const as_kernels_f32 *table, const as_bench_peaks *peaks,
                                         bool memory, as_bench_emit emit, void *user, bool *goes_on);

/* Measures the matrix product with the table, with one thread and with all of ctx; and after each row, when `openblas`
 * and the build has it, OpenBLAS with as many threads on the same operands. *goes_on is set to what the last emit
 * answered. */
AS_MUST_CHECK as_status as_bench_gemm(as_context *ctx, const as_kernels_f32 *table, const as_bench_peaks *peaks,
                                      bool openblas, as_bench_emit emit, void *user, bool *goes_on);

/* The peaks as a line of text or of JSON. */
void as_bench_peaks_write(as_buffer *out, const as_kernels_f32 *table, const as_bench_peaks *peaks, bool json);
/* A row as one line of a table, with the heading that fits; and as one line of JSON. */
void as_bench_heading_text(as_buffer *out);
void as_bench_row_text(as_buffer *out, const as_bench_row *row);
void as_bench_row_json(as_buffer *out, const as_bench_row *row);

#endif
