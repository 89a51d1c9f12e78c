/* Functions of vectors: exp, log, tanh, the logistic function and the tail of the normal distribution.
 *
 * Each reduces its argument to a short interval and evaluates a polynomial there: the one whose greatest weighted error
 * over the interval is least, rounded to float. The accuracy said is that of the result, in units of its last place
 * (ulp), as tests/test_kernels.c measures it. NaN gives NaN. */
#ifndef AS_TENSOR_KERNELS_SIMD_MATH_H
#define AS_TENSOR_KERNELS_SIMD_MATH_H

#include <math.h>

#include "tensor/kernels/simd.h"

/* c[0] + c[1] x + ... in groups of four (after Estrin): what depends on what is a short chain, so the processor finds
 * enough to do at the same time. `terms` is a constant, and the loops are unrolled. */
static inline vf vf_polynomial(vf x, const float *c, int terms) {
  const vf x2 = vf_mul(x, x), x4 = vf_mul(x2, x2);
  vf y = vf_zero();
  for (int i = (terms - 1) / 4 * 4; i >= 0; i -= 4) {
    vf group = vf_set1(c[i]);
    if (i + 1 < terms) group = vf_fma(vf_set1(c[i + 1]), x, group);
    if (i + 3 < terms)
      group = vf_fma(vf_fma(vf_set1(c[i + 3]), x, vf_set1(c[i + 2])), x2, group);
    else if (i + 2 < terms)
      group = vf_fma(vf_set1(c[i + 2]), x2, group);
    y = i + 4 < terms ? vf_fma(y, x4, group) : group;
  }
  return y;
}
#define VF_POLYNOMIAL(x, c) vf_polynomial(x, c, (int)(sizeof(c) / sizeof *(c)))

/* e^x within 1.5 ulp (1 with fused multiply-add); infinity above 88.72, denormals and 0 below -87.3. x = n log 2 + r,
 * e^r = 1 + r + r^2 P(r). */
static inline vf vf_exp(vf x) {
  static const float P[] = {0.49999994f, 0.166665196f, 0.0416684002f, 0.00836885162f, 0.00138143206f};
  x = vf_max(vf_set1(-104.0f), vf_min(vf_set1(89.0f), x));
  vf n = vf_round(vf_mul(x, vf_set1(1.44269504f)));
  /* log 2 in two parts: the first has few bits, so that n times it is exact. */
  vf r = vf_fnma(n, vf_set1(-2.12194440e-4f), vf_fnma(n, vf_set1(0.693359375f), x));
  vf y = vf_fma(vf_mul(r, r), VF_POLYNOMIAL(r, P), vf_add(r, vf_set1(1)));
  return vf_scale2(y, n);
}

/* 2^x within 1e-7 of itself, for x in [-126, 126]. */
static inline vf vf_exp2(vf x) {
  static const float P[] = {1, 0.693147004f, 0.240222424f, 0.0555073358f, 0.00967151299f, 0.00132647273f};
  vf n = vf_round(x);
  return vf_scale2(VF_POLYNOMIAL(vf_sub(x, n), P), n);
}

/* log x within 2 ulp; -infinity at 0, NaN below. x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)) and
 * log(1 + f) = f - f^2 / 2 + f^3 P(f). */
static inline vf vf_log(vf x) {
  static const float P[] = {0.333333313f, -0.250008225f, 0.200012386f, -0.166232526f,
                            0.142013937f, -0.131608918f, 0.127646819f, -0.0763655156f};
  const vi sqrt_half = vi_set1(0x3f3504f3), fraction = vi_set1(0x007fffff);
  vm denormal = vf_lt(x, vf_set1(0x1p-126f));
  vf scaled = vf_select(denormal, vf_mul(x, vf_set1(0x1p23f)), x);
  /* Counting from sqrt(1/2), the exponent's field is e. The bias keeps the shifted number positive. */
  vi bits = vi_sub(vi_add(vf_to_bits(scaled), vi_set1(127u << 23)), sqrt_half);
  vf e = vf_from_int(vi_sub(vi_shr(bits, 23), vi_set1(127)));
  e = vf_sub(e, vf_select(denormal, vf_set1(23), vf_zero()));
  vf f = vf_sub(vf_from_bits(vi_add(vi_and(bits, fraction), sqrt_half)), vf_set1(1));
  vf square = vf_mul(f, f);
  vf y = vf_mul(vf_mul(square, f), VF_POLYNOMIAL(f, P));
  y = vf_fma(e, vf_set1(-2.12194440e-4f), y);
  y = vf_add(f, vf_fnma(vf_set1(0.5f), square, y));
  y = vf_fma(e, vf_set1(0.693359375f), y);
  y = vf_select(vf_lt(x, vf_set1(INFINITY)), y, x); /* infinity and NaN stay */
  y = vf_select(vf_eq(x, vf_zero()), vf_set1(-INFINITY), y);
  return vf_select(vf_lt(x, vf_zero()), vf_set1(NAN), y);
}

/* tanh x within 2 ulp. Near 0: x + x^3 P(x^2); else 1 - 2 / (e^2|x| + 1), with the sign of x. */
static inline vf vf_tanh(vf x) {
  static const float P[] = {-0.333332837f, 0.133314565f, -0.0537404418f, 0.0206400901f, -0.00570477545f};
  const vf one = vf_set1(1);
  vf a = vf_abs(x), square = vf_mul(x, x);
  vf near_zero = vf_fma(vf_mul(x, square), VF_POLYNOMIAL(square, P), x);
  vf e = vf_exp(vf_add(a, a));
  vf far = vf_copysign(vf_sub(one, vf_div(vf_set1(2), vf_add(e, one))), x);
  return vf_select(vf_lt(a, vf_set1(0.625f)), near_zero, far);
}

/* 1 / (1 + e^-x), within 3 ulp. */
static inline vf vf_sigmoid(vf x) {
  const vf one = vf_set1(1);
  return vf_div(one, vf_add(one, vf_exp(vf_neg(x))));
}

/* The largest a that the next function is made for; the tail there is 1.3e-12. */
#define VF_NORMAL_TAIL_END 7.0f

/* Phi(-a) = (1 - erf(a / sqrt(2))) / 2 for a in [0, 7], within 3e-8 absolutely and within 5e-5 of itself. As 2^P(a):
 * the logarithm of the tail is nearly a parabola, and so the tail keeps its relative accuracy without a division. */
static inline vf vf_normal_tail(vf a) {
  static const float P[] = {-1.0f,
                            -1.15110517f,
                            -0.459211856f,
                            -0.0524713174f,
                            0.00699706934f,
                            -4.74022527e-05f,
                            -0.000252896134f,
                            6.73355098e-05f,
                            -9.15017336e-06f,
                            6.6570675e-07f,
                            -2.0423764e-08f};
  return vf_exp2(VF_POLYNOMIAL(a, P));
}

#endif
