/* The sizes of the matrix product's tile for the instruction set that a file is compiled for. See simd_gemm.c. */
#ifndef AS_TENSOR_KERNELS_SIMD_GEMM_H
#define AS_TENSOR_KERNELS_SIMD_GEMM_H

#include "tensor/kernels/simd.h"

/* Rows and vectors of a tile: rows * vectors accumulators, the vectors of B and two registers of A have to fit. `kc`
 * rows of a panel and `mc` rows of A stay in the second cache together (about 1 MiB). */
#if AS_LANES == 16
#define AS_TILE_ROWS 14 /* 28 + 2 + 2 of 32 registers */
#define AS_TILE_VECTORS 2
#define AS_SIMD_GEMM_SHAPE {AS_TILE_ROWS, AS_TILE_VECTORS * AS_LANES, 512, 532, 128}
#elif AS_LANES == 8
#define AS_TILE_ROWS 6 /* 12 + 2 + 2 of 16 */
#define AS_TILE_VECTORS 2
#define AS_SIMD_GEMM_SHAPE {AS_TILE_ROWS, AS_TILE_VECTORS * AS_LANES, 384, 504, 128}
#elif defined(AS_ISA_NEON)
#define AS_TILE_ROWS 8 /* 24 + 3 + 2 of 32 */
#define AS_TILE_VECTORS 3
#define AS_SIMD_GEMM_SHAPE {AS_TILE_ROWS, AS_TILE_VECTORS * AS_LANES, 384, 240, 96}
#else
#define AS_TILE_ROWS 5 /* 10 + 2 + 2 of 16: a product needs a register before it is added */
#define AS_TILE_VECTORS 2
#define AS_SIMD_GEMM_SHAPE {AS_TILE_ROWS, AS_TILE_VECTORS * AS_LANES, 384, 240, 128}
#endif

#endif
