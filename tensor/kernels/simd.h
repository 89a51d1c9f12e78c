/* A small vector header: the kernels are written once over it and compiled for each instruction set, chosen by the
 * macro the file is compiled with: AS_ISA_BASELINE (x86-64, that is SSE2), AS_ISA_AVX2 (with FMA), AS_ISA_AVX512 (F,
 * BW, DQ, VL) or AS_ISA_NEON (AArch64).
 *
 *   vf  AS_LANES floats          vi  AS_LANES 32-bit integers       vm  one truth value per lane
 *   vd  AS_LANES / 2 doubles, for the sums that want them
 *
 * What every header gives, and the rules:
 *   vf_load, vf_store            need no alignment
 *   vf_load_n, vf_store_n        touch the first n < AS_LANES elements only and never beyond; the other lanes read as 0
 *   vf_zero, vf_set1, vf_add, vf_sub, vf_mul, vf_div, vf_sqrt, vf_abs, vf_neg
 *   vf_rsqrt(a)                  1 / sqrt(a) within 2 units of the last place, for normal a > 0
 *   vf_min(a, b), vf_max(a, b)   a NaN in b comes out; of a NaN in a nothing is promised
 *   vf_fma(a, b, c)              a * b + c, fused where the ISA can (not in the baseline)
 *   vf_fnma(a, b, c)             c - a * b
 *   vf_copysign(a, b)            the magnitude of a with the sign of b
 *   vf_lt, vf_le, vf_eq, vf_is_nan, vm_or, vm_any, vm_first(n) (true in the first n lanes, n <= AS_LANES)
 *   vf_select(m, a, b), vi_select   m ? a : b in each lane
 *   vf_hsum                      the sum of the lanes: always halves onto halves, so ((0+2)+(1+3)) for four
 *   vf_hmax                      the greatest lane (no NaN)
 *   vi_load, vi_store, vi_set1, vi_add, vi_sub, vi_and, vi_or, vi_xor, vi_shl(a, constant), vi_shr(a, constant) (zeros
 *   come in), vi_lt_u32 (unsigned)
 *   vi_mul_wide(a, b, &high, &low)  32 x 32 -> 64 bits, unsigned; b must be the same in every lane
 *   vi_transpose4(v)             in each group of four lanes: lane j of v[i] becomes lane i of v[j]
 *   vf_to_bits, vf_from_bits     the same bits, other type
 *   vf_from_int                  of signed integers
 *   vf_round(a)                  to the nearest integer, ties to even, |a| < 2^31
 *   vf_scale2(a, n)              a * 2^n for integral n in [-252, 252], rounded once (denormal results too)
 *   vf_low_d, vf_high_d          the lanes as doubles;  vd_zero, vd_add, vd_fma, vd_hsum
 *   fp_flush                     from now on this thread takes denormal numbers for 0; returns what fp_restore wants */
#ifndef AS_TENSOR_KERNELS_SIMD_H
#define AS_TENSOR_KERNELS_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

/* AS_ISA(name) is the name with the suffix of the instruction set: non-static functions are called so. */
#if defined(AS_ISA_BASELINE)
#define AS_ISA(name) name##_baseline
#define AS_ISA_NAME "baseline"
#include "tensor/kernels/simd_sse2.h"
#elif defined(AS_ISA_AVX2)
#define AS_ISA(name) name##_avx2
#define AS_ISA_NAME "avx2"
#include "tensor/kernels/simd_avx2.h"
#elif defined(AS_ISA_AVX512)
#define AS_ISA(name) name##_avx512
#define AS_ISA_NAME "avx512"
#include "tensor/kernels/simd_avx512.h"
#elif defined(AS_ISA_NEON)
#define AS_ISA(name) name##_neon
#define AS_ISA_NAME "neon"
#include "tensor/kernels/simd_neon.h"
#else
#error compile with one of AS_ISA_BASELINE, AS_ISA_AVX2, AS_ISA_AVX512, AS_ISA_NEON
#endif

/* k elements, k <= AS_LANES; the lanes beyond read as 0, or as `fill`. For a constant k these are vf_load and vf_store.
 */
static inline vf vf_read(const float *p, size_t k) {
  return k == AS_LANES ? vf_load(p) : vf_load_n(p, k);
}
static inline void vf_write(float *p, size_t k, vf a) {
  if (k == AS_LANES)
    vf_store(p, a);
  else
    vf_store_n(p, k, a);
}
static inline vf vf_read_or(const float *p, size_t k, vf fill) {
  return k == AS_LANES ? vf_load(p) : vf_select(vm_first(k), vf_load_n(p, k), fill);
}

/* Goes over [0, n) in vectors: `step(i, k)`, a macro, is given the place and the number of elements there, the constant
 * AS_LANES but at the end. So the tail runs through the very instructions of the rest. */
#define AS_FOR_VECTORS(n, step)                                                                                        \
  do {                                                                                                                 \
    size_t at_ = 0;                                                                                                    \
    for (; at_ + AS_LANES <= (n); at_ += AS_LANES) {                                                                   \
      step(at_, AS_LANES);                                                                                             \
    }                                                                                                                  \
    if (at_ < (n)) {                                                                                                   \
      step(at_, (n)-at_);                                                                                              \
    }                                                                                                                  \
  } while (0)

#endif
