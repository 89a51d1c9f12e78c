/* simd.h for plain x86-64: SSE2, four lanes, no fused multiply-add. The contract is in simd.h, which includes this. */
#include <emmintrin.h>

/* clang-format off */
#define AS_LANES 4
typedef __m128 vf;
typedef __m128i vi;
typedef __m128 vm;
typedef __m128d vd;

static inline vf vf_load(const float *p) { return _mm_loadu_ps(p); }
static inline void vf_store(float *p, vf a) { _mm_storeu_ps(p, a); }
static inline vf vf_zero(void) { return _mm_setzero_ps(); }
static inline vf vf_set1(float a) { return _mm_set1_ps(a); }

static inline vf vf_load_n(const float *p, size_t n) {
  switch (n) {
  case 0: return _mm_setzero_ps();
  case 1: return _mm_load_ss(p);
  case 2: return _mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)p));
  default: return _mm_movelh_ps(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)p)), _mm_load_ss(p + 2));
  }
}

static inline void vf_store_n(float *p, size_t n, vf a) {
  if (n >= 2) {
    _mm_storel_epi64((__m128i *)p, _mm_castps_si128(a));
    a = _mm_movehl_ps(a, a);
  }
  if (n & 1) _mm_store_ss(p + (n & 2), a);
}

static inline vf vf_add(vf a, vf b) { return _mm_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm_div_ps(a, b); }
static inline vf vf_sqrt(vf a) { return _mm_sqrt_ps(a); }
static inline vf vf_min(vf a, vf b) { return _mm_min_ps(a, b); }
static inline vf vf_max(vf a, vf b) { return _mm_max_ps(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
static inline vf vf_fnma(vf a, vf b, vf c) { return _mm_sub_ps(c, _mm_mul_ps(a, b)); }
static inline vf vf_abs(vf a) { return _mm_andnot_ps(_mm_set1_ps(-0.0f), a); }
static inline vf vf_neg(vf a) { return _mm_xor_ps(_mm_set1_ps(-0.0f), a); }

static inline vf vf_rsqrt(vf a) { return vf_div(vf_set1(1.0f), vf_sqrt(a)); }

static inline vf vf_copysign(vf a, vf b) {
  const vf sign = _mm_set1_ps(-0.0f);
  return _mm_or_ps(_mm_andnot_ps(sign, a), _mm_and_ps(sign, b));
}

static inline vm vf_lt(vf a, vf b) { return _mm_cmplt_ps(a, b); }
static inline vm vf_le(vf a, vf b) { return _mm_cmple_ps(a, b); }
static inline vm vf_eq(vf a, vf b) { return _mm_cmpeq_ps(a, b); }
static inline vm vf_is_nan(vf a) { return _mm_cmpunord_ps(a, a); }
static inline vm vm_or(vm a, vm b) { return _mm_or_ps(a, b); }
static inline bool vm_any(vm a) { return _mm_movemask_ps(a) != 0; }

static inline vm vm_first(size_t n) {
  return _mm_castsi128_ps(_mm_cmplt_epi32(_mm_setr_epi32(0, 1, 2, 3), _mm_set1_epi32((int)n)));
}

static inline vf vf_select(vm m, vf a, vf b) { return _mm_or_ps(_mm_and_ps(m, a), _mm_andnot_ps(m, b)); }

static inline float vf_hsum(vf a) {
  a = _mm_add_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_add_ss(a, _mm_shuffle_ps(a, a, 1)));
}

static inline float vf_hmax(vf a) {
  a = _mm_max_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_max_ss(a, _mm_shuffle_ps(a, a, 1)));
}

static inline vi vf_to_bits(vf a) { return _mm_castps_si128(a); }
static inline vf vf_from_bits(vi a) { return _mm_castsi128_ps(a); }
static inline vf vf_from_int(vi a) { return _mm_cvtepi32_ps(a); }

static inline vi vi_load(const uint32_t *p) { return _mm_loadu_si128((const __m128i *)p); }
static inline void vi_store(uint32_t *p, vi a) { _mm_storeu_si128((__m128i *)p, a); }
static inline vi vi_set1(uint32_t a) { return _mm_set1_epi32((int)a); }
static inline vi vi_add(vi a, vi b) { return _mm_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm_sub_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm_and_si128(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm_or_si128(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm_xor_si128(a, b); }
#define vi_shl(a, bits) _mm_slli_epi32(a, bits)
#define vi_shr(a, bits) _mm_srli_epi32(a, bits)

static inline vi vi_select(vm m, vi a, vi b) { return vf_to_bits(vf_select(m, vf_from_bits(a), vf_from_bits(b))); }

static inline vm vi_lt_u32(vi a, vi b) {
  const vi top = _mm_set1_epi32((int)0x80000000u);
  return _mm_castsi128_ps(_mm_cmplt_epi32(_mm_xor_si128(a, top), _mm_xor_si128(b, top)));
}

static inline void vi_mul_wide(vi a, vi b, vi *high, vi *low) {
  const vi lower = _mm_set1_epi64x(0xffffffff);
  vi even = _mm_mul_epu32(a, b), odd = _mm_mul_epu32(_mm_srli_epi64(a, 32), b);
  *high = _mm_or_si128(_mm_srli_epi64(even, 32), _mm_andnot_si128(lower, odd));
  *low = _mm_or_si128(_mm_and_si128(even, lower), _mm_slli_epi64(odd, 32));
}

static inline void vi_transpose4(vi v[4]) {
  vi a = _mm_unpacklo_epi32(v[0], v[1]), b = _mm_unpackhi_epi32(v[0], v[1]);
  vi c = _mm_unpacklo_epi32(v[2], v[3]), d = _mm_unpackhi_epi32(v[2], v[3]);
  v[0] = _mm_unpacklo_epi64(a, c);
  v[1] = _mm_unpackhi_epi64(a, c);
  v[2] = _mm_unpacklo_epi64(b, d);
  v[3] = _mm_unpackhi_epi64(b, d);
}

static inline vf vf_round(vf a) { return _mm_cvtepi32_ps(_mm_cvtps_epi32(a)); }

/* In two steps, as 2^n alone may be out of range; only the second one rounds. */
static inline vf vf_scale2(vf a, vf n) {
  const vi bias = _mm_set1_epi32(127);
  vi all = _mm_cvtps_epi32(n), half = _mm_srai_epi32(all, 1), rest = _mm_sub_epi32(all, half);
  a = _mm_mul_ps(a, _mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(half, bias), 23)));
  return _mm_mul_ps(a, _mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(rest, bias), 23)));
}

static inline vd vf_low_d(vf a) { return _mm_cvtps_pd(a); }
static inline vd vf_high_d(vf a) { return _mm_cvtps_pd(_mm_movehl_ps(a, a)); }
static inline vd vd_zero(void) { return _mm_setzero_pd(); }
static inline vd vd_add(vd a, vd b) { return _mm_add_pd(a, b); }
static inline vd vd_fma(vd a, vd b, vd c) { return _mm_add_pd(_mm_mul_pd(a, b), c); }
static inline double vd_hsum(vd a) { return _mm_cvtsd_f64(_mm_add_sd(a, _mm_unpackhi_pd(a, a))); }

static inline uint64_t fp_flush(void) {
  const unsigned saved = _mm_getcsr();
  _mm_setcsr(saved | 0x8040); /* flush to zero, denormals are zero */
  return saved;
}

static inline void fp_restore(uint64_t saved) { _mm_setcsr((unsigned)saved); }
/* clang-format on */
