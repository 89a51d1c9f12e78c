/* Sums and maxima. The order of every sum is fixed by its size: four accumulators take whole vectors in turn, each
 * block of BLOCK elements is added up in float, and the blocks in double, so that a long sum is as accurate as a short
 * one. */
#include <math.h>

#include "tensor/kernels/simd_kernels.h"

enum { BLOCK = 4096 }; /* a multiple of four vectors */

/* The lanes of four accumulators, in a fixed order. */
static inline float finish(const vf a[4]) {
  return vf_hsum(vf_add(vf_add(a[0], a[1]), vf_add(a[2], a[3])));
}

/* At most BLOCK elements. Vector number j goes to accumulator j % 4, the incomplete last one included. */
static float sum_block(size_t n, const float *x) {
  vf a[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
  size_t i = 0;
  for (; i + 4 * AS_LANES <= n; i += 4 * AS_LANES) {
    for (size_t j = 0; j < 4; j++) a[j] = vf_add(a[j], vf_load(x + i + j * AS_LANES));
  }
  for (size_t j = 0; i < n; i += AS_LANES, j++)
    a[j] = vf_add(a[j], n - i >= AS_LANES ? vf_load(x + i) : vf_load_n(x + i, n - i));
  return finish(a);
}

float AS_ISA(as_vector_sum)(size_t n, const float *x) {
  double total = 0;
  for (; n > BLOCK; n -= BLOCK, x += BLOCK) total += (double)sum_block(BLOCK, x);
  return (float)(total + (double)sum_block(n, x));
}

static float dot_block(size_t n, const float *x, const float *y) {
  vf a[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
  size_t i = 0;
  for (; i + 4 * AS_LANES <= n; i += 4 * AS_LANES) {
    for (size_t j = 0; j < 4; j++) {
      const size_t at = i + j * AS_LANES;
      a[j] = vf_fma(vf_load(x + at), vf_load(y + at), a[j]);
    }
  }
  for (size_t j = 0; i < n; i += AS_LANES, j++) {
    const size_t k = n - i < AS_LANES ? n - i : AS_LANES;
    a[j] = vf_fma(vf_read(x + i, k), vf_read(y + i, k), a[j]);
  }
  return finish(a);
}

float AS_ISA(as_vector_dot)(size_t n, const float *a, const float *b) {
  double total = 0;
  for (; n > BLOCK; n -= BLOCK, a += BLOCK, b += BLOCK) total += (double)dot_block(BLOCK, a, b);
  return (float)(total + (double)dot_block(n, a, b));
}

double AS_ISA(as_vector_sum_squares)(size_t n, const float *x) {
  vd a[4] = {vd_zero(), vd_zero(), vd_zero(), vd_zero()};
  size_t i = 0;
  for (; i + 2 * AS_LANES <= n; i += 2 * AS_LANES) {
    for (size_t j = 0; j < 2; j++) {
      vf v = vf_load(x + i + j * AS_LANES);
      vd low = vf_low_d(v), high = vf_high_d(v);
      a[2 * j] = vd_fma(low, low, a[2 * j]);
      a[2 * j + 1] = vd_fma(high, high, a[2 * j + 1]);
    }
  }
  for (size_t j = 0; i < n; i += AS_LANES, j++) {
    vf v = vf_read(x + i, n - i < AS_LANES ? n - i : AS_LANES);
    vd low = vf_low_d(v), high = vf_high_d(v);
    a[2 * j] = vd_fma(low, low, a[2 * j]);
    a[2 * j + 1] = vd_fma(high, high, a[2 * j + 1]);
  }
  return vd_hsum(vd_add(vd_add(a[0], a[1]), vd_add(a[2], a[3])));
}

float AS_ISA(as_vector_max)(size_t n, const float *x) {
  const vf lowest = vf_set1(-INFINITY);
  vf a[4] = {lowest, lowest, lowest, lowest};
  vm nan = vm_first(0);
  size_t i = 0;
  for (; i + 4 * AS_LANES <= n; i += 4 * AS_LANES) {
    for (size_t j = 0; j < 4; j++) {
      vf v = vf_load(x + i + j * AS_LANES);
      nan = vm_or(nan, vf_is_nan(v));
      a[j] = vf_max(a[j], v);
    }
  }
  for (; i < n; i += AS_LANES) {
    vf v = vf_read_or(x + i, n - i < AS_LANES ? n - i : AS_LANES, lowest);
    nan = vm_or(nan, vf_is_nan(v));
    a[0] = vf_max(a[0], v);
  }
  return vm_any(nan) ? NAN : vf_hmax(vf_max(vf_max(a[0], a[1]), vf_max(a[2], a[3])));
}

/* ---- columns ---------------------------------------------------------------------------------------------- */
/* So many vectors of columns are summed side by side, in registers, in so many rows at a time: a sum over many rows is
 * one of short sums. */
enum { STRIP = 4, ROW_BLOCK = 64 };

static inline void column_sum_strip(size_t rows, size_t k, const float *x, size_t ld, float *y, bool add,
                                    size_t vectors) {
  vf total[STRIP];
  for (size_t v = 0; v < vectors; v++) total[v] = add ? vf_read(y + v * AS_LANES, k) : vf_zero();
  while (rows) {
    const size_t block = rows < ROW_BLOCK ? rows : ROW_BLOCK;
    vf part[STRIP];
    for (size_t v = 0; v < vectors; v++) part[v] = vf_zero();
    for (size_t r = 0; r < block; r++, x += ld) {
      for (size_t v = 0; v < vectors; v++) part[v] = vf_add(part[v], vf_read(x + v * AS_LANES, k));
    }
    for (size_t v = 0; v < vectors; v++) total[v] = vf_add(total[v], part[v]);
    rows -= block;
  }
  for (size_t v = 0; v < vectors; v++) vf_write(y + v * AS_LANES, k, total[v]);
}

void AS_ISA(as_column_sum)(size_t rows, size_t cols, const float *x, size_t ld, float *y, bool add) {
  size_t c = 0;
  for (; c + STRIP * AS_LANES <= cols; c += STRIP * AS_LANES)
    column_sum_strip(rows, AS_LANES, x + c, ld, y + c, add, STRIP);
  for (; c + AS_LANES <= cols; c += AS_LANES) column_sum_strip(rows, AS_LANES, x + c, ld, y + c, add, 1);
  if (c < cols) column_sum_strip(rows, cols - c, x + c, ld, y + c, add, 1);
}
