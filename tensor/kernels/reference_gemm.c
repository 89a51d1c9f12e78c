/* The parts of the matrix product, scalar: the oracle of the tests, and what the double table computes with. Compiled
 * for float and for double (tensor/real.h). The layouts are those of table.h. */
#include "tensor/kernels/tables.h"
#include "tensor/real.h"

void AS_REAL(as_reference_gemm_pack_a)(int64_t rows, int64_t depth, const real *a, int64_t row_stride, int64_t k_stride,
                                       real *packed) {
  for (int64_t k = 0; k < depth; k++) {
    for (int64_t i = 0; i < rows; i++) *packed++ = a[i * row_stride + k * k_stride];
  }
}

void AS_REAL(as_reference_gemm_pack_b)(int64_t columns, int64_t depth, const real *b, int64_t k_stride,
                                       int64_t column_stride, real *packed) {
  for (int64_t panel = 0; panel < columns; panel += AS_REFERENCE_GEMM_NR) {
    for (int64_t k = 0; k < depth; k++) {
      for (int64_t j = panel; j < panel + AS_REFERENCE_GEMM_NR; j++)
        *packed++ = j < columns ? b[k * k_stride + j * column_stride] : 0;
    }
  }
}

void AS_REAL(as_reference_gemm_tile)(const AS_REAL(as_gemm_tile) * t) {
  for (int64_t i = 0; i < t->rows; i++) {
    for (int64_t j = 0; j < t->columns; j++) {
      real *c = t->c + i * t->ldc + j;
      real sum = t->into == AS_GEMM_CONTINUE ? *c : 0;
      for (int64_t k = 0; k < t->depth; k++) sum += t->a[i * t->a_row + k * t->a_k] * t->b[k * t->b_k + j];
      sum *= t->alpha;
      if (t->bias) sum += t->bias[j];
      *c = t->into == AS_GEMM_ADD ? *c + sum : sum;
    }
  }
}
