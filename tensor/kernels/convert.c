/* Half precision and bfloat16, to and from float. Rounds to nearest, ties to even; NaN stays NaN (and becomes quiet).
 *
 * Invariant: the scalar code and the F16C instructions give the same bits. */
#include <string.h>

#include "tensor/kernels/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static uint32_t float_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static float float_from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* ---- IEEE binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits ---------------------------------------- */
static float half_to_float(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 0x1f, fraction = h & 0x3ff;
  if (exponent == 0x1f) return float_from_bits(sign | 0x7f800000 | (fraction ? 0x400000 | fraction << 13 : 0));
  if (exponent == 0) return float_from_bits(sign | float_bits((float)fraction * 0x1p-24f));
  return float_from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

static uint16_t float_to_half(float x) {
  uint32_t bits = float_bits(x), sign = (bits >> 16) & 0x8000, magnitude = bits & 0x7fffffff, half;
  if (magnitude > 0x7f800000) {
    half = 0x7e00 | ((magnitude >> 13) & 0x3ff);
  } else if (magnitude < 0x38800000) {
    /* Below 2^-14 the spacing of halves is 2^-24, which is that of floats from 0.5 on: the addition rounds. */
    half = float_bits(float_from_bits(magnitude) + 0.5f) - 0x3f000000;
  } else {
    half = ((magnitude + 0xfff + ((magnitude >> 13) & 1)) >> 13) - (112u << 10);
    if (half > 0x7c00) half = 0x7c00;
  }
  return (uint16_t)(sign | half);
}

#if defined(__x86_64__)
/* Every processor with AVX2 has F16C, and not every compiler knows "f16c" here. */
static bool has_f16c(void) {
  return __builtin_cpu_supports("avx2");
}

/* Both convert groups of 8 and return how many elements they have done. */
__attribute__((target("avx,f16c"))) static size_t f16_to_f32_f16c(size_t n, const uint16_t *x, float *y) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) _mm256_storeu_ps(y + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(x + i))));
  return i;
}

__attribute__((target("avx,f16c"))) static size_t f32_to_f16_f16c(size_t n, const float *x, uint16_t *y) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __m128i half = _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm_storeu_si128((__m128i *)(y + i), half);
  }
  return i;
}
#else
static bool has_f16c(void) {
  return false;
}

static size_t f16_to_f32_f16c(size_t n, const uint16_t *x, float *y) {
  (void)n, (void)x, (void)y;
  return 0;
}

static size_t f32_to_f16_f16c(size_t n, const float *x, uint16_t *y) {
  (void)n, (void)x, (void)y;
  return 0;
}
#endif

void as_f16_to_f32(size_t n, const uint16_t *x, float *y) {
  for (size_t i = has_f16c() ? f16_to_f32_f16c(n, x, y) : 0; i < n; i++) y[i] = half_to_float(x[i]);
}

void as_f32_to_f16(size_t n, const float *x, uint16_t *y) {
  for (size_t i = has_f16c() ? f32_to_f16_f16c(n, x, y) : 0; i < n; i++) y[i] = float_to_half(x[i]);
}

/* ---- bfloat16: the upper half of a float ------------------------------------------------------------------ */
/* In blocks of a constant size, which compilers turn into vector instructions. */
enum { BLOCK = 16 };

static uint16_t float_to_bfloat(float x) {
  const uint32_t bits = float_bits(x);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16, quiet = bits >> 16 | 0x40;
  return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded);
}

void as_bf16_to_f32(size_t n, const uint16_t *x, float *y) {
  size_t i = 0;
  for (; i + BLOCK <= n; i += BLOCK) {
    for (size_t j = 0; j < BLOCK; j++) y[i + j] = float_from_bits((uint32_t)x[i + j] << 16);
  }
  for (; i < n; i++) y[i] = float_from_bits((uint32_t)x[i] << 16);
}

void as_f32_to_bf16(size_t n, const float *x, uint16_t *y) {
  size_t i = 0;
  for (; i + BLOCK <= n; i += BLOCK) {
    for (size_t j = 0; j < BLOCK; j++) y[i + j] = float_to_bfloat(x[i + j]);
  }
  for (; i < n; i++) y[i] = float_to_bfloat(x[i]);
}
