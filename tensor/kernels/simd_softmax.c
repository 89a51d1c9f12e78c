/* Softmax of rows, forward and backward. */
#include <math.h>

#include "tensor/kernels/simd_kernels.h"
#include "tensor/kernels/simd_math.h"

/* y = e^(x - highest); returns the sum of y. Two sums take the vectors in turn, by position. */
static float exponentials(size_t n, const float *x, float highest, float *y) {
  const vf shift = vf_set1(highest);
  vf even = vf_zero(), odd = vf_zero();
  size_t i = 0;
  for (; i + 2 * AS_LANES <= n; i += 2 * AS_LANES) {
    vf a = vf_exp(vf_sub(vf_load(x + i), shift)), b = vf_exp(vf_sub(vf_load(x + i + AS_LANES), shift));
    even = vf_add(even, a);
    odd = vf_add(odd, b);
    vf_store(y + i, a);
    vf_store(y + i + AS_LANES, b);
  }
  for (; i < n; i += AS_LANES) {
    const size_t k = n - i < AS_LANES ? n - i : AS_LANES;
    vf a = vf_exp(vf_sub(vf_read_or(x + i, k, vf_set1(-INFINITY)), shift));
    even = vf_add(even, a);
    vf_write(y + i, k, a);
  }
  return vf_hsum(vf_add(even, odd));
}

void AS_ISA(as_softmax)(size_t rows, size_t cols, const float *x, float *y, float *lse) {
  for (size_t r = 0; r < rows; r++, x += cols, y += cols) {
    const float highest = AS_ISA(as_vector_max)(cols, x);
    if (highest == -INFINITY) {
      for (size_t c = 0; c < cols; c++) y[c] = 0;
      if (lse) lse[r] = -INFINITY;
      continue;
    }
    const float total = exponentials(cols, x, highest, y);
    AS_ISA(as_vector_scale)(cols, 1 / total, y, y);
    if (lse) lse[r] = highest + logf(total);
  }
}

#define GRADIENT(i, k) vf_mul(vf_read(y + i, k), vf_sub(vf_read(dy + i, k), mean))
#define WRITE_STEP(i, k) vf_write(dx + i, k, GRADIENT(i, k))
#define ADD_STEP(i, k) vf_write(dx + i, k, vf_add(vf_read(dx + i, k), GRADIENT(i, k)))

void AS_ISA(as_softmax_backward)(size_t rows, size_t cols, const float *y, const float *dy, float *dx, bool add) {
  for (size_t r = 0; r < rows; r++, y += cols, dy += cols, dx += cols) {
    const vf mean = vf_set1(AS_ISA(as_vector_dot)(cols, y, dy)); /* of dy under the distribution y */
    if (add)
      AS_FOR_VECTORS(cols, ADD_STEP);
    else
      AS_FOR_VECTORS(cols, WRITE_STEP);
  }
}
