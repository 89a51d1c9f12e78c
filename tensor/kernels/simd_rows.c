/* Products of one vector with chosen rows: what attention of a single query over a cache is made of.
 *
 * The order of every sum is fixed by its size: a dot product goes through its row in whole vectors, a sum of rows
 * through the rows in their order. */
#include "tensor/kernels/simd_kernels.h"

enum { GROUP = 4 }; /* rows, or vectors of a row, side by side in registers */

static inline const float *row_at(const float *rows, size_t stride, const int32_t *index, size_t i) {
  return rows + (index ? (size_t)index[i] : i) * stride;
}

/* The dot products of `count` rows, GROUP at most. */
static inline void dot_group(const size_t count, size_t n, float alpha, const float *x, const float *const row[GROUP],
                             float *y) {
  vf sum[GROUP];
  for (size_t r = 0; r < count; r++) sum[r] = vf_zero();
  size_t i = 0;
  for (; i + AS_LANES <= n; i += AS_LANES) {
    const vf a = vf_load(x + i);
    for (size_t r = 0; r < count; r++) sum[r] = vf_fma(a, vf_load(row[r] + i), sum[r]);
  }
  if (i < n) {
    const vf a = vf_load_n(x + i, n - i);
    for (size_t r = 0; r < count; r++) sum[r] = vf_fma(a, vf_load_n(row[r] + i, n - i), sum[r]);
  }
  for (size_t r = 0; r < count; r++) y[r] = alpha * vf_hsum(sum[r]);
}

void AS_ISA(as_dot_rows)(size_t count, size_t n, float alpha, const float *x, const float *rows, size_t stride,
                         const int32_t *index, float *y) {
  const float *row[GROUP];
  size_t i = 0;
  for (; i + GROUP <= count; i += GROUP) {
    for (size_t r = 0; r < GROUP; r++) row[r] = row_at(rows, stride, index, i + r);
    dot_group(GROUP, n, alpha, x, row, y + i);
  }
  for (; i < count; i++) {
    row[0] = row_at(rows, stride, index, i);
    dot_group(1, n, alpha, x, row, y + i);
  }
}

/* `vectors` vectors of all rows from column `column` on, k elements of each. */
static inline void sum_strip(size_t count, size_t k, const float *weights, const float *rows, size_t stride,
                             const int32_t *index, float *y, const size_t vectors) {
  vf sum[GROUP];
  for (size_t v = 0; v < vectors; v++) sum[v] = vf_zero();
  for (size_t i = 0; i < count; i++) {
    const float *row = row_at(rows, stride, index, i);
    const vf weight = vf_set1(weights[i]);
    for (size_t v = 0; v < vectors; v++) sum[v] = vf_fma(weight, vf_read(row + v * AS_LANES, k), sum[v]);
  }
  for (size_t v = 0; v < vectors; v++) vf_write(y + v * AS_LANES, k, sum[v]);
}

void AS_ISA(as_sum_rows)(size_t count, size_t n, const float *weights, const float *rows, size_t stride,
                         const int32_t *index, float *y) {
  size_t c = 0;
  for (; c + GROUP * AS_LANES <= n; c += GROUP * AS_LANES)
    sum_strip(count, AS_LANES, weights, rows + c, stride, index, y + c, GROUP);
  for (; c + AS_LANES <= n; c += AS_LANES) sum_strip(count, AS_LANES, weights, rows + c, stride, index, y + c, 1);
  if (c < n) sum_strip(count, n - c, weights, rows + c, stride, index, y + c, 1);
}
