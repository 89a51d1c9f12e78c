/* Elementwise arithmetic. One pass over memory: from the second-level cache on, its speed is the memory's. */
#include "tensor/kernels/simd_kernels.h"

/* What happens at element i, for k elements; the names are those of the function that uses it. */
#define ADD_STEP(i, k) vf_write(y + i, k, vf_add(vf_read(a + i, k), vf_read(b + i, k)))
#define SUB_STEP(i, k) vf_write(y + i, k, vf_sub(vf_read(a + i, k), vf_read(b + i, k)))
#define MUL_STEP(i, k) vf_write(y + i, k, vf_mul(vf_read(a + i, k), vf_read(b + i, k)))
#define DIV_STEP(i, k) vf_write(y + i, k, vf_div(vf_read(a + i, k), vf_read(b + i, k)))
#define MUL_ADD_STEP(i, k) vf_write(y + i, k, vf_fma(vf_read(a + i, k), vf_read(b + i, k), vf_read(y + i, k)))
#define AXPY_STEP(i, k) vf_write(y + i, k, vf_fma(factor, vf_read(x + i, k), vf_read(y + i, k)))
#define SCALE_STEP(i, k) vf_write(y + i, k, vf_mul(factor, vf_read(x + i, k)))
#define ADD_SCALAR_STEP(i, k) vf_write(y + i, k, vf_add(term, vf_read(x + i, k)))

void AS_ISA(as_vector_add)(size_t n, const float *a, const float *b, float *y) {
  AS_FOR_VECTORS(n, ADD_STEP);
}

void AS_ISA(as_vector_sub)(size_t n, const float *a, const float *b, float *y) {
  AS_FOR_VECTORS(n, SUB_STEP);
}

void AS_ISA(as_vector_mul)(size_t n, const float *a, const float *b, float *y) {
  AS_FOR_VECTORS(n, MUL_STEP);
}

void AS_ISA(as_vector_div)(size_t n, const float *a, const float *b, float *y) {
  AS_FOR_VECTORS(n, DIV_STEP);
}

void AS_ISA(as_vector_mul_add)(size_t n, const float *a, const float *b, float *y) {
  AS_FOR_VECTORS(n, MUL_ADD_STEP);
}

void AS_ISA(as_vector_axpy)(size_t n, float alpha, const float *x, float *y) {
  const vf factor = vf_set1(alpha);
  AS_FOR_VECTORS(n, AXPY_STEP);
}

void AS_ISA(as_vector_scale)(size_t n, float alpha, const float *x, float *y) {
  const vf factor = vf_set1(alpha);
  AS_FOR_VECTORS(n, SCALE_STEP);
}

void AS_ISA(as_vector_add_scalar)(size_t n, float alpha, const float *x, float *y) {
  const vf term = vf_set1(alpha);
  AS_FOR_VECTORS(n, ADD_SCALAR_STEP);
}
