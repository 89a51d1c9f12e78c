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

void AS_REAL(as_reference_gemm_tile)(int64_t rows, int64_t columns, int64_t depth, const real *a, int64_t a_row,
                                     int64_t a_k, const real *b, int64_t b_k, real *c, int64_t ldc, as_gemm_into into,
                                     real alpha, const real *bias) {
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < columns; j++) {
      real *element = c + i * ldc + j;
      real sum = into == AS_GEMM_CONTINUE ? *element : 0;
      for (int64_t k = 0; k < depth; k++) sum += a[i * a_row + k * a_k] * b[k * b_k + j];
      sum *= alpha;
      if (bias) sum += bias[j];
      *element = into == AS_GEMM_ADD ? *element + sum : sum;
    }
  }
}
