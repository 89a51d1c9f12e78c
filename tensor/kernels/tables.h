/* The kernel tables that are built, for the files that fill and choose them; everybody else asks kernels.h.
 *
 * Which tables exist is decided by configure (AS_HAVE_*); whether the processor can run one is asked at run time. */
#ifndef AS_TENSOR_KERNELS_TABLES_H
#define AS_TENSOR_KERNELS_TABLES_H

#include "tensor/kernels/kernels.h"

extern const as_kernels_f32 as_kernels_scalar_f32;
extern const as_kernels_f64 as_kernels_scalar_f64;
/* simd_table.c, once for each instruction set */
extern const as_kernels_f32 as_kernels_baseline, as_kernels_avx2, as_kernels_avx512, as_kernels_neon;

/* The matrix product's parts of the two scalar tables (reference_gemm.c); their gemm_shape is AS_REFERENCE_GEMM_SHAPE.
 */
#define AS_REFERENCE_GEMM_MR 4
#define AS_REFERENCE_GEMM_NR 4
#define AS_REFERENCE_GEMM_SHAPE                                                                                        \
  { AS_REFERENCE_GEMM_MR, AS_REFERENCE_GEMM_NR, 128, 64, 256 }
void as_reference_gemm_pack_a_f32(int64_t rows, int64_t depth, const float *a, int64_t row_stride, int64_t k_stride,
                                  float *packed);
void as_reference_gemm_pack_a_f64(int64_t rows, int64_t depth, const double *a, int64_t row_stride, int64_t k_stride,
                                  double *packed);
void as_reference_gemm_pack_b_f32(int64_t columns, int64_t depth, const float *b, int64_t k_stride,
                                  int64_t column_stride, float *packed);
void as_reference_gemm_pack_b_f64(int64_t columns, int64_t depth, const double *b, int64_t k_stride,
                                  int64_t column_stride, double *packed);
void as_reference_gemm_tile_f32(const as_gemm_tile_f32 *tile);
void as_reference_gemm_tile_f64(const as_gemm_tile_f64 *tile);

#endif
