/* The parts of the matrix product, scalar: the oracle of the tests, and what the double table computes with. Compiled for
 * float and for double (tensor/real.h). The layouts are those of table.h. */
#include "tensor/kernels/tables.h"
#include "tensor/real.h"

/* Groups of `width` vectors, each `depth` long, interleaved: element (i, k) goes to
 * packed[(i / width) * width * depth + k * width + i % width]; what is beyond `count` is zero. */
static void pack(int64_t count, int64_t depth, int width, const real *x, int64_t stride, int64_t k_stride,
                 real *packed) {
  for (int64_t group = 0; group < count; group += width) {
    for (int64_t k = 0; k < depth; k++) {
      for (int i = 0; i < width; i++)
        *packed++ = group + i < count ? x[(group + i) * stride + k * k_stride] : (real)0;
    }
  }
}

void AS_REAL(as_reference_gemm_pack_a)(int64_t rows, int64_t depth, const real *a, int64_t row_stride,
                                       int64_t k_stride, real *packed) {
  pack(rows, depth, AS_REFERENCE_GEMM_MR, a, row_stride, k_stride, packed);
}

void AS_REAL(as_reference_gemm_pack_b)(int64_t columns, int64_t depth, const real *b, int64_t k_stride,
                                       int64_t column_stride, real *packed) {
  pack(columns, depth, AS_REFERENCE_GEMM_NR, b, column_stride, k_stride, packed);
}

void AS_REAL(as_reference_gemm_tile)(int64_t rows, int64_t columns, int64_t depth, const real *a, int64_t a_row,
                                     int64_t a_k, const real *b, real *c, int64_t ldc, bool load) {
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < columns; j++) {
      real sum = load ? c[i * ldc + j] : (real)0;
      for (int64_t k = 0; k < depth; k++) sum += a[i * a_row + k * a_k] * b[k * AS_REFERENCE_GEMM_NR + j];
      c[i * ldc + j] = sum;
    }
  }
}
