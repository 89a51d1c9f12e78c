/* A test of the arithmetic on this very machine, in about a second: kernels and matrix product against the reference in
 * double precision, and the same bits whatever the number of threads. */
#ifndef AS_CLI_SELFTEST_H
#define AS_CLI_SELFTEST_H

#include "tensor/kernels/kernels.h"

typedef struct as_selftest_result {
  const char *name;
  double error, limit; /* the largest difference |a - b| / (1 + |b|), and the most that is right; 0: the same bits */
  bool ok;             /* a NaN is not */
} as_selftest_result;

#define AS_SELFTESTS_MOST 12
/* Runs all tests with the table `kernels`, which this processor must support; *gflops is the speed of the matrix
 * product with the context's threads. Fails only if there is no memory. */
AS_MUST_CHECK as_status as_selftest_run(as_context *ctx, const as_kernels_f32 *kernels,
                                        as_selftest_result results[AS_SELFTESTS_MOST], size_t *count, double *gflops);

#endif
