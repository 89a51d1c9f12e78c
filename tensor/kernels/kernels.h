/* The backend: a table of kernels that take plain pointers and sizes. Another instruction set, or another device, is
 * another table. The f64 table holds the scalar reference compiled for double; the f32 tables hold the same reference
 * (isa "scalar", the oracle of the tests) and the SIMD kernels.
 *
 * Rules for every kernel: serial, no allocation, no global state; pointers need no alignment; sizes may be 0 or odd;
 * output may not overlap input unless the comment says "in place"; the result for an element depends only on the
 * values and sizes given, never on alignment or on what lies beyond; reductions run in a fixed order. */
#ifndef AS_TENSOR_KERNELS_H
#define AS_TENSOR_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/context.h"

/* y = f(x). The number is the index into unary_forward and unary_backward. */
typedef enum as_unary {
  AS_UNARY_GELU,      /* x * Phi(x), Phi by erf (Hendrycks and Gimpel 2016, eq. 2) */
  AS_UNARY_GELU_TANH, /* 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), "gelu_new" of transformers */
  AS_UNARY_RELU,
  AS_UNARY_TANH,
  AS_UNARY_SIGMOID,
  AS_UNARY_EXP,
  AS_UNARY_LOG,
  AS_UNARY_COUNT,
  AS_UNARY_NONE = AS_UNARY_COUNT
} as_unary;

/* AdamW (Loshchilov and Hutter 2019) as torch.optim.AdamW computes it:
 *   w *= 1 - lr * weight_decay;  m = beta1 m + (1-beta1) g;  v = beta2 v + (1-beta2) g^2
 *   w -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps),     g = gradient_scale * gradient
 * Values below the normal range of float may count as 0 in it. */
typedef struct as_adamw_step {
  double lr, beta1, beta2, eps, weight_decay;
  double bias_correction1, bias_correction2; /* 1 - beta^t */
  double gradient_scale;                     /* clipping and the division by the step's item count */
} as_adamw_step;

/* Where the bits of a dropout come from: element i of the operation is dropped when the 32-bit word i of the Philox
 * stream with key (seed) and counter (i / 4, op, step) is below p * 2^32; what is kept is divided by 1 - p.
 *   counter = { (uint32_t)(i / 4), (uint32_t)((i / 4) >> 32), op, step }, key = { seed low, seed high }, word i % 4 */
typedef struct as_dropout {
  uint64_t seed;
  uint32_t step, op;
  double p; /* 0: keep all, and no bits are drawn */
} as_dropout;

/* Sizes of the matrix product's parts in one table: a tile has up to `mr` rows and `nr` columns; B is packed in panels
 * of `nr` columns; a panel of `kc` rows and `mc` rows of A fit the second cache together; a chunk of work has at most
 * `nc` columns. */
typedef struct as_gemm_shape {
  int mr, nr;
  int64_t kc, mc, nc;
} as_gemm_shape;

/* What a tile does with the elements that it computes. */
typedef enum as_gemm_into {
  AS_GEMM_WRITE,    /* the chain starts from zero and is written */
  AS_GEMM_CONTINUE, /* the chain starts from what C holds */
  AS_GEMM_ADD       /* the chain starts from zero and is added to C when all else is done */
} as_gemm_into;

#define real float
#define AS_KERNELS as_kernels_f32
#define AS_GEMM_TILE as_gemm_tile_f32
#include "tensor/kernels/table.h"
#undef real
#undef AS_KERNELS
#undef AS_GEMM_TILE
#define real double
#define AS_KERNELS as_kernels_f64
#define AS_GEMM_TILE as_gemm_tile_f64
#include "tensor/kernels/table.h"
#undef real
#undef AS_KERNELS
#undef AS_GEMM_TILE

/* The f32 table for the context: the ISA it names, or the best of this processor. An ISA that is unknown, not built or
 * not supported by the processor is refused with AS_E_UNSUPPORTED and the list of those that are there. */
AS_MUST_CHECK as_status as_kernels_select(as_context *ctx, const as_kernels_f32 **out);
/* The double table; always the scalar reference. */
const as_kernels_f64 *as_kernels_reference_f64(void);
/* The float tables that are built, best last ("scalar", "baseline", "avx2", "avx512"; "scalar", "neon"); NULL after the
 * last. `supported` says whether this processor can run it; may be NULL. */
const as_kernels_f32 *as_kernels_at(size_t index, bool *supported);

/* Storage types, rounding to nearest even; n elements. NaN stays NaN. */
void as_f16_to_f32(size_t n, const uint16_t *x, float *y);
void as_bf16_to_f32(size_t n, const uint16_t *x, float *y);
void as_f32_to_f16(size_t n, const float *x, uint16_t *y);
void as_f32_to_bf16(size_t n, const float *x, uint16_t *y);

#endif
