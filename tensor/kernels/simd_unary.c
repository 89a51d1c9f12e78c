/* Functions of one variable and their derivatives. */
#include "tensor/kernels/simd_kernels.h"
#include "tensor/kernels/simd_math.h"

/* ---- GELU by the normal distribution ---------------------------------------------------------------------- */
/* x Phi(x) = max(x, 0) - |x| Phi(-|x|): the tail is subtracted from what is exact, so nothing cancels. */
static inline vf gelu(vf x) {
  const vf end = vf_set1(VF_NORMAL_TAIL_END);
  vf a = vf_min(end, vf_abs(x));
  vf rest = vf_mul(a, vf_normal_tail(a));
  return vf_sub(vf_max(vf_zero(), x), vf_select(vf_eq(a, end), vf_zero(), rest));
}

/* Phi(x) + x phi(x), phi being the density: D(|x|) for x <= 0 and 1 - D(|x|) for x > 0, where D(a) = Phi(-a) - a phi(a)
 * = e^(-a^2 / 2) P(a), within 1e-7. */
static inline vf gelu_gradient(vf x, vf y, vf dy) {
  static const float P[] = {
      0.5f,           -0.797881484f,   0.249945462f,    -0.132646188f,   0.0614804663f,   -0.0247870907f,
      0.00836864393f, -0.00222351658f, 0.000431669527f, -5.6071287e-05f, 4.27566874e-06f, -1.42838999e-07f};
  (void)y;
  const vf end = vf_set1(VF_NORMAL_TAIL_END);
  vf a = vf_min(end, vf_abs(x));
  vf d = vf_mul(vf_exp2(vf_mul(vf_mul(a, a), vf_set1(-0.721347520f))), VF_POLYNOMIAL(a, P)); /* log2(e) / 2 */
  d = vf_select(vf_eq(a, end), vf_zero(), d);
  return vf_mul(vf_select(vf_lt(vf_zero(), x), vf_sub(vf_set1(1), d), d), dy);
}

/* ---- GELU by tanh, written with the logistic function: (1 + tanh u) / 2 = 1 / (1 + e^-2u) ----------------- */
#define TWO_SQRT_2_OVER_PI 1.59576912f
#define GELU_CUBIC 0.044715f

static inline vf gelu_tanh(vf x) {
  x = vf_max(vf_set1(-40), x); /* where it is 0 already: an infinite x must not meet an infinite exponential */
  vf square = vf_mul(x, x);
  vf minus_2u = vf_mul(vf_mul(x, vf_set1(-TWO_SQRT_2_OVER_PI)), vf_fma(square, vf_set1(GELU_CUBIC), vf_set1(1)));
  return vf_div(x, vf_add(vf_set1(1), vf_exp(minus_2u)));
}

/* s + x s (1 - s) 2u'. From |x| = 8 on it is 0 (within 5e-20) or 1, and that bound keeps the exponential finite. */
static inline vf gelu_tanh_gradient(vf x, vf y, vf dy) {
  (void)y;
  const vf one = vf_set1(1), least = vf_set1(-8);
  x = vf_max(least, vf_min(vf_set1(8), x));
  vf square = vf_mul(x, x);
  vf minus_2u = vf_mul(vf_mul(x, vf_set1(-TWO_SQRT_2_OVER_PI)), vf_fma(square, vf_set1(GELU_CUBIC), one));
  vf slope = vf_mul(vf_set1(TWO_SQRT_2_OVER_PI), vf_fma(square, vf_set1(3 * GELU_CUBIC), one));
  vf e = vf_exp(minus_2u), s = vf_div(one, vf_add(one, e));
  vf d = vf_fma(vf_mul(vf_mul(x, s), vf_mul(e, s)), slope, s);
  return vf_mul(vf_select(vf_eq(x, least), vf_zero(), d), dy);
}

/* ---- the others ------------------------------------------------------------------------------------------- */
static inline vf relu(vf x) {
  return vf_max(vf_zero(), x);
}

/* Not a product: what is 0 is 0 whatever dy is; and NaN passes. */
static inline vf relu_gradient(vf x, vf y, vf dy) {
  (void)y;
  return vf_select(vf_le(x, vf_zero()), vf_zero(), dy);
}

static inline vf tanh_gradient(vf x, vf y, vf dy) {
  (void)x;
  return vf_mul(vf_fnma(y, y, vf_set1(1)), dy);
}

static inline vf sigmoid_gradient(vf x, vf y, vf dy) {
  (void)x;
  return vf_mul(vf_mul(y, vf_sub(vf_set1(1), y)), dy);
}

static inline vf exp_gradient(vf x, vf y, vf dy) {
  (void)x;
  return vf_mul(y, dy);
}

static inline vf log_gradient(vf x, vf y, vf dy) {
  (void)y;
  return vf_div(dy, x);
}

/* ---- the kernels ------------------------------------------------------------------------------------------ */
/* The function is a constant where these are called, so it is compiled into the loop. */
#define FORWARD_STEP(i, k) vf_write(y + i, k, function(vf_read(x + i, k)))
__attribute__((always_inline)) static inline void forward(size_t n, const float *x, float *y, vf (*function)(vf)) {
  AS_FOR_VECTORS(n, FORWARD_STEP);
}

#define GRADIENT(i, k) gradient(vf_read(x + i, k), vf_read(y + i, k), vf_read(dy + i, k))
#define WRITE_STEP(i, k) vf_write(dx + i, k, GRADIENT(i, k))
#define ADD_STEP(i, k) vf_write(dx + i, k, vf_add(vf_read(dx + i, k), GRADIENT(i, k)))
__attribute__((always_inline)) static inline void backward(size_t n, const float *x, const float *y, const float *dy,
                                                           float *dx, bool add, vf (*gradient)(vf, vf, vf)) {
  if (add)
    AS_FOR_VECTORS(n, ADD_STEP);
  else
    AS_FOR_VECTORS(n, WRITE_STEP);
}

#define UNARY(name, function, gradient)                                                                                \
  void AS_ISA(as_vector_##name)(size_t n, const float *x, float *y) {                                                  \
    forward(n, x, y, function);                                                                                        \
  }                                                                                                                    \
  void AS_ISA(as_vector_##name##_backward)(size_t n, const float *x, const float *y, const float *dy, float *dx,       \
                                           bool add) {                                                                 \
    backward(n, x, y, dy, dx, add, gradient);                                                                          \
  }
UNARY(gelu, gelu, gelu_gradient)
UNARY(gelu_tanh, gelu_tanh, gelu_tanh_gradient)
UNARY(relu, relu, relu_gradient)
UNARY(tanh, vf_tanh, tanh_gradient)
UNARY(sigmoid, vf_sigmoid, sigmoid_gradient)
UNARY(exp, vf_exp, exp_gradient)
UNARY(log, vf_log, log_gradient)
