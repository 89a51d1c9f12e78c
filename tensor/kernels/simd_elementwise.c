/* Elementwise arithmetic. One pass over memory: from the second-level cache on, its speed is the memory's. */
#include "tensor/kernels/simd_kernels.h"

/* y[i] = EXPRESSION(a, b) of the vectors at i; the tail goes through the same instructions. */
#define BINARY(name, expression)                                                                                       \
  void AS_ISA(name)(size_t n, const float *x1, const float *x2, float *y) {                                            \
    size_t i = 0;                                                                                                      \
    for (; i + AS_LANES <= n; i += AS_LANES) {                                                                         \
      vf a = vf_load(x1 + i), b = vf_load(x2 + i);                                                                     \
      vf_store(y + i, expression);                                                                                     \
    }                                                                                                                  \
    if (i < n) {                                                                                                       \
      vf a = vf_load_n(x1 + i, n - i), b = vf_load_n(x2 + i, n - i);                                                   \
      vf_store_n(y + i, n - i, expression);                                                                            \
    }                                                                                                                  \
  }
BINARY(as_vector_add, vf_add(a, b))
BINARY(as_vector_sub, vf_sub(a, b))
BINARY(as_vector_mul, vf_mul(a, b))
BINARY(as_vector_div, vf_div(a, b))

void AS_ISA(as_vector_mul_add)(size_t n, const float *a, const float *b, float *y) {
  size_t i = 0;
  for (; i + AS_LANES <= n; i += AS_LANES) vf_store(y + i, vf_fma(vf_load(a + i), vf_load(b + i), vf_load(y + i)));
  if (i < n) {
    const size_t k = n - i;
    vf_store_n(y + i, k, vf_fma(vf_load_n(a + i, k), vf_load_n(b + i, k), vf_load_n(y + i, k)));
  }
}

void AS_ISA(as_vector_axpy)(size_t n, float alpha, const float *x, float *y) {
  const vf factor = vf_set1(alpha);
  size_t i = 0;
  for (; i + AS_LANES <= n; i += AS_LANES) vf_store(y + i, vf_fma(factor, vf_load(x + i), vf_load(y + i)));
  if (i < n) vf_store_n(y + i, n - i, vf_fma(factor, vf_load_n(x + i, n - i), vf_load_n(y + i, n - i)));
}

void AS_ISA(as_vector_scale)(size_t n, float alpha, const float *x, float *y) {
  const vf factor = vf_set1(alpha);
  size_t i = 0;
  for (; i + AS_LANES <= n; i += AS_LANES) vf_store(y + i, vf_mul(factor, vf_load(x + i)));
  if (i < n) vf_store_n(y + i, n - i, vf_mul(factor, vf_load_n(x + i, n - i)));
}

void AS_ISA(as_vector_add_scalar)(size_t n, float alpha, const float *x, float *y) {
  const vf term = vf_set1(alpha);
  size_t i = 0;
  for (; i + AS_LANES <= n; i += AS_LANES) vf_store(y + i, vf_add(term, vf_load(x + i)));
  if (i < n) vf_store_n(y + i, n - i, vf_add(term, vf_load_n(x + i, n - i)));
}
