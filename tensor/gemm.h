/* Matrix products of any size, in parallel, with the bias and the activation in the same pass.
 *
 * Invariant: an element of C is one chain of fused multiply-adds (multiply, then add in the tables "scalar" and
 * "baseline") in the order of k. So the bits do not depend on the number of threads, on the tiles, on whether B came
 * packed, nor on which other rows are in the batch: a row alone gives what it gives among others. */
#ifndef AS_TENSOR_GEMM_H
#define AS_TENSOR_GEMM_H

#include "tensor/kernels/kernels.h"

#define real float
#define AS_SUFFIX(name) name##_f32
#include "tensor/gemm_typed.h"
#undef real
#undef AS_SUFFIX
#define real double
#define AS_SUFFIX(name) name##_f64
#include "tensor/gemm_typed.h"
#undef real
#undef AS_SUFFIX

#endif
