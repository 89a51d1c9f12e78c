/* simd.h for AArch64: NEON with fused multiply-add, four lanes. The contract is in simd.h, which includes this. */
#include <arm_neon.h>

/* clang-format off */
#define AS_LANES 4
typedef float32x4_t vf;
typedef uint32x4_t vi;
typedef uint32x4_t vm;
typedef float64x2_t vd;

static inline vf vf_load(const float *p) { return vld1q_f32(p); }
static inline void vf_store(float *p, vf a) { vst1q_f32(p, a); }
static inline vf vf_zero(void) { return vdupq_n_f32(0); }
static inline vf vf_set1(float a) { return vdupq_n_f32(a); }

static inline vf vf_load_n(const float *p, size_t n) {
  vf a = vdupq_n_f32(0);
  if (n > 0) a = vld1q_lane_f32(p, a, 0);
  if (n > 1) a = vld1q_lane_f32(p + 1, a, 1);
  if (n > 2) a = vld1q_lane_f32(p + 2, a, 2);
  return a;
}

static inline void vf_store_n(float *p, size_t n, vf a) {
  if (n > 0) vst1q_lane_f32(p, a, 0);
  if (n > 1) vst1q_lane_f32(p + 1, a, 1);
  if (n > 2) vst1q_lane_f32(p + 2, a, 2);
}

static inline vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
static inline vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
static inline vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
static inline vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
static inline vf vf_sqrt(vf a) { return vsqrtq_f32(a); }
static inline vf vf_min(vf a, vf b) { return vminq_f32(a, b); }
static inline vf vf_max(vf a, vf b) { return vmaxq_f32(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
static inline vf vf_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
static inline vf vf_abs(vf a) { return vabsq_f32(a); }
static inline vf vf_neg(vf a) { return vnegq_f32(a); }
static inline vf vf_rsqrt(vf a) { return vf_div(vf_set1(1.0f), vf_sqrt(a)); }

static inline vf vf_copysign(vf a, vf b) { return vbslq_f32(vdupq_n_u32(0x80000000u), b, a); }

static inline vm vf_lt(vf a, vf b) { return vcltq_f32(a, b); }
static inline vm vf_le(vf a, vf b) { return vcleq_f32(a, b); }
static inline vm vf_eq(vf a, vf b) { return vceqq_f32(a, b); }
static inline vm vf_is_nan(vf a) { return vmvnq_u32(vceqq_f32(a, a)); }
static inline vm vm_or(vm a, vm b) { return vorrq_u32(a, b); }
static inline bool vm_any(vm a) { return vmaxvq_u32(a) != 0; }

static inline vm vm_first(size_t n) {
  static const uint32_t lane[4] = {0, 1, 2, 3};
  return vcltq_u32(vld1q_u32(lane), vdupq_n_u32((uint32_t)n));
}

static inline vf vf_select(vm m, vf a, vf b) { return vbslq_f32(m, a, b); }

static inline float vf_hsum(vf a) {
  float32x2_t b = vadd_f32(vget_low_f32(a), vget_high_f32(a));
  return vget_lane_f32(b, 0) + vget_lane_f32(b, 1);
}

static inline float vf_hmax(vf a) { return vmaxvq_f32(a); }

static inline vi vf_to_bits(vf a) { return vreinterpretq_u32_f32(a); }
static inline vf vf_from_bits(vi a) { return vreinterpretq_f32_u32(a); }
static inline vf vf_from_int(vi a) { return vcvtq_f32_s32(vreinterpretq_s32_u32(a)); }

static inline vi vi_load(const uint32_t *p) { return vld1q_u32(p); }
static inline void vi_store(uint32_t *p, vi a) { vst1q_u32(p, a); }
static inline vi vi_set1(uint32_t a) { return vdupq_n_u32(a); }
static inline vi vi_add(vi a, vi b) { return vaddq_u32(a, b); }
static inline vi vi_sub(vi a, vi b) { return vsubq_u32(a, b); }
static inline vi vi_and(vi a, vi b) { return vandq_u32(a, b); }
static inline vi vi_or(vi a, vi b) { return vorrq_u32(a, b); }
static inline vi vi_xor(vi a, vi b) { return veorq_u32(a, b); }
#define vi_shl(a, bits) vshlq_n_u32(a, bits)
#define vi_shr(a, bits) vshrq_n_u32(a, bits)
static inline vi vi_select(vm m, vi a, vi b) { return vbslq_u32(m, a, b); }
static inline vm vi_lt_u32(vi a, vi b) { return vcltq_u32(a, b); }

static inline void vi_mul_wide(vi a, vi b, vi *high, vi *low) {
  uint32x4_t lower = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(a), vget_low_u32(b)));
  uint32x4_t upper = vreinterpretq_u32_u64(vmull_high_u32(a, b));
  *high = vuzp2q_u32(lower, upper);
  *low = vuzp1q_u32(lower, upper);
}

static inline void vi_transpose4(vi v[4]) {
  uint64x2_t a = vreinterpretq_u64_u32(vtrn1q_u32(v[0], v[1])), b = vreinterpretq_u64_u32(vtrn2q_u32(v[0], v[1]));
  uint64x2_t c = vreinterpretq_u64_u32(vtrn1q_u32(v[2], v[3])), d = vreinterpretq_u64_u32(vtrn2q_u32(v[2], v[3]));
  v[0] = vreinterpretq_u32_u64(vtrn1q_u64(a, c));
  v[1] = vreinterpretq_u32_u64(vtrn1q_u64(b, d));
  v[2] = vreinterpretq_u32_u64(vtrn2q_u64(a, c));
  v[3] = vreinterpretq_u32_u64(vtrn2q_u64(b, d));
}

static inline vf vf_round(vf a) { return vrndnq_f32(a); }

/* In two steps, as 2^n alone may be out of range; only the second one rounds. */
static inline vf vf_scale2(vf a, vf n) {
  const int32x4_t bias = vdupq_n_s32(127);
  int32x4_t all = vcvtnq_s32_f32(n), half = vshrq_n_s32(all, 1), rest = vsubq_s32(all, half);
  a = vmulq_f32(a, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(half, bias), 23)));
  return vmulq_f32(a, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(rest, bias), 23)));
}

static inline vd vf_low_d(vf a) { return vcvt_f64_f32(vget_low_f32(a)); }
static inline vd vf_high_d(vf a) { return vcvt_high_f64_f32(a); }
static inline vd vd_zero(void) { return vdupq_n_f64(0); }
static inline vd vd_add(vd a, vd b) { return vaddq_f64(a, b); }
static inline vd vd_fma(vd a, vd b, vd c) { return vfmaq_f64(c, a, b); }
static inline double vd_hsum(vd a) { return vgetq_lane_f64(a, 0) + vgetq_lane_f64(a, 1); }

static inline uint64_t fp_flush(void) {
  uint64_t saved;
  __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
  __asm__ volatile("msr fpcr, %0" : : "r"(saved | 1u << 24)); /* FZ */
  return saved;
}

static inline void fp_restore(uint64_t saved) { __asm__ volatile("msr fpcr, %0" : : "r"(saved)); }
/* clang-format on */
