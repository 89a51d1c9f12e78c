/* The kernels over simd.h, as they are called for the instruction set a file is compiled for: declared here so that
 * each subject has its file, gathered into one table by simd_table.c. Their contracts are in table.h. */
#ifndef AS_TENSOR_KERNELS_SIMD_KERNELS_H
#define AS_TENSOR_KERNELS_SIMD_KERNELS_H

#include "tensor/kernels/kernels.h"
#include "tensor/kernels/simd.h"

/* simd_elementwise.c */
void AS_ISA(as_vector_add)(size_t n, const float *a, const float *b, float *y);
void AS_ISA(as_vector_sub)(size_t n, const float *a, const float *b, float *y);
void AS_ISA(as_vector_mul)(size_t n, const float *a, const float *b, float *y);
void AS_ISA(as_vector_div)(size_t n, const float *a, const float *b, float *y);
void AS_ISA(as_vector_mul_add)(size_t n, const float *a, const float *b, float *y);
void AS_ISA(as_vector_axpy)(size_t n, float alpha, const float *x, float *y);
void AS_ISA(as_vector_scale)(size_t n, float alpha, const float *x, float *y);
void AS_ISA(as_vector_add_scalar)(size_t n, float alpha, const float *x, float *y);

/* simd_unary.c */
#define AS_UNARY_KERNEL(name)                                                                                          \
  void AS_ISA(as_vector_##name)(size_t n, const float *x, float *y);                                                   \
  void AS_ISA(as_vector_##name##_backward)(size_t n, const float *x, const float *y, const float *dy, float *dx,       \
                                           bool add);
AS_UNARY_KERNEL(gelu)
AS_UNARY_KERNEL(gelu_tanh)
AS_UNARY_KERNEL(relu)
AS_UNARY_KERNEL(tanh)
AS_UNARY_KERNEL(sigmoid)
AS_UNARY_KERNEL(exp)
AS_UNARY_KERNEL(log)
#undef AS_UNARY_KERNEL

/* simd_reduce.c */
float AS_ISA(as_vector_sum)(size_t n, const float *x);
float AS_ISA(as_vector_max)(size_t n, const float *x);
float AS_ISA(as_vector_dot)(size_t n, const float *a, const float *b);
double AS_ISA(as_vector_sum_squares)(size_t n, const float *x);
void AS_ISA(as_column_sum)(size_t rows, size_t cols, const float *x, size_t ld, float *y, bool add);

/* simd_rows.c */
void AS_ISA(as_dot_rows)(size_t count, size_t n, float alpha, const float *x, const float *rows, size_t stride,
                         const int32_t *index, float *y);
void AS_ISA(as_sum_rows)(size_t count, size_t n, const float *weights, const float *rows, size_t stride,
                         const int32_t *index, float *y);

/* simd_softmax.c */
void AS_ISA(as_softmax)(size_t rows, size_t cols, const float *x, float *y, float *lse);
void AS_ISA(as_softmax_backward)(size_t rows, size_t cols, const float *y, const float *dy, float *dx, bool add);

/* simd_norm.c */
void AS_ISA(as_layer_norm)(size_t rows, size_t cols, const float *x, const float *weight, const float *bias, float eps,
                           float *y, float *mean, float *rstd);
void AS_ISA(as_layer_norm_backward)(size_t rows, size_t cols, const float *x, const float *weight, const float *mean,
                                    const float *rstd, const float *dy, float *dx, bool add_dx, float *dweight,
                                    float *dbias);
void AS_ISA(as_rms_norm)(size_t rows, size_t cols, const float *x, const float *weight, float eps, float *y,
                         float *rstd);
void AS_ISA(as_rms_norm_backward)(size_t rows, size_t cols, const float *x, const float *weight, const float *rstd,
                                  const float *dy, float *dx, bool add_dx, float *dweight);

/* simd_dropout.c */
void AS_ISA(as_dropout)(const as_dropout *dropout, uint64_t first, size_t n, const float *x, float *y);
void AS_ISA(as_dropout_add)(const as_dropout *dropout, uint64_t first, size_t n, const float *x, const float *residual,
                            float *y);

/* simd_gemm.c */
void AS_ISA(as_gemm_pack_a)(int64_t rows, int64_t depth, const float *a, int64_t row_stride, int64_t k_stride,
                            float *packed);
void AS_ISA(as_gemm_pack_b)(int64_t columns, int64_t depth, const float *b, int64_t k_stride, int64_t column_stride,
                            float *packed);
void AS_ISA(as_gemm_tile)(const as_gemm_tile_f32 *tile);

/* simd_adamw.c */
void AS_ISA(as_adamw)(size_t n, const as_adamw_step *step, const float *gradient, float *weight, float *m, float *v);

#endif
