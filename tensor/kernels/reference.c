/* The scalar kernels: each formula written down once, plainly, in double, and rounded when it is stored. Compiled for
 * float and for double (tensor/real.h). The float table is the oracle of the SIMD kernels' tests and what runs where
 * there are none; the double table is what gradients are checked with.
 *
 * Invariant: nothing here is clever. Speed belongs to the SIMD kernels. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "tensor/kernels/tables.h"
#include "tensor/real.h"

static const double SQRT_HALF = 0.70710678118654752440;      /* 1 / sqrt(2) */
static const double INV_SQRT_2PI = 0.39894228040143267794;   /* 1 / sqrt(2 pi) */
static const double SQRT_2_OVER_PI = 0.79788456080286535588; /* sqrt(2 / pi) */
static const double GELU_CUBIC = 0.044715;

/* ---- elementwise functions and their derivatives ---------------------------------------------------------- */
/* Beyond this both GELUs and their derivatives are those of ReLU, to the last bit of a double. Asked first, so that an
 * infinite x gives the limit. */
static const double GELU_END = 40;

static double gelu(double x) {
  if (fabs(x) > GELU_END) return x > 0 ? x : 0;
  return x * 0.5 * erfc(-x * SQRT_HALF);
}

/* The gradients: f'(x) dy, from x, y = f(x) and dy. */
static double gelu_gradient(double x, double y, double dy) {
  (void)y;
  if (fabs(x) > GELU_END) return x > 0 ? dy : 0;
  return (0.5 * erfc(-x * SQRT_HALF) + x * INV_SQRT_2PI * exp(-0.5 * x * x)) * dy;
}

static double gelu_tanh(double x) {
  if (fabs(x) > GELU_END) return x > 0 ? x : 0;
  return 0.5 * x * (1 + tanh(SQRT_2_OVER_PI * (x + GELU_CUBIC * x * x * x)));
}

static double gelu_tanh_gradient(double x, double y, double dy) {
  (void)y;
  if (fabs(x) > GELU_END) return x > 0 ? dy : 0;
  double t = tanh(SQRT_2_OVER_PI * (x + GELU_CUBIC * x * x * x));
  double slope = SQRT_2_OVER_PI * (1 + 3 * GELU_CUBIC * x * x);
  return (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope) * dy;
}

/* Written so that NaN passes. */
static double relu(double x) {
  return x < 0 ? 0 : x;
}

static double relu_gradient(double x, double y, double dy) {
  (void)y;
  return x <= 0 ? 0 : dy;
}

static double tanh_gradient(double x, double y, double dy) {
  (void)x;
  return (1 - y * y) * dy;
}

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

static double sigmoid_gradient(double x, double y, double dy) {
  (void)x;
  return y * (1 - y) * dy;
}

static double exp_gradient(double x, double y, double dy) {
  (void)x;
  return y * dy;
}

static double log_gradient(double x, double y, double dy) {
  (void)y;
  return dy / x;
}

#define UNARY(name, function)                                                                                          \
  static void name##_forward(size_t n, const real *x, real *y) {                                                       \
    for (size_t i = 0; i < n; i++) y[i] = (real)function((double)x[i]);                                                \
  }                                                                                                                    \
  static void name##_backward(size_t n, const real *x, const real *y, const real *dy, real *dx, bool add) {            \
    for (size_t i = 0; i < n; i++) {                                                                                   \
      double d = name##_gradient((double)x[i], (double)y[i], (double)dy[i]);                                           \
      dx[i] = (real)(add ? (double)dx[i] + d : d);                                                                     \
    }                                                                                                                  \
  }
UNARY(gelu, gelu)
UNARY(gelu_tanh, gelu_tanh)
UNARY(relu, relu)
UNARY(tanh, tanh)
UNARY(sigmoid, sigmoid)
UNARY(exp, exp)
UNARY(log, log)

#define BINARY(name, expression)                                                                                       \
  static void name(size_t n, const real *a, const real *b, real *y) {                                                  \
    for (size_t i = 0; i < n; i++) y[i] = (expression);                                                                \
  }
BINARY(elementwise_add, a[i] + b[i])
BINARY(elementwise_sub, a[i] - b[i])
BINARY(elementwise_mul, a[i] * b[i])
BINARY(elementwise_div, a[i] / b[i])
BINARY(elementwise_mul_add, (real)((double)y[i] + (double)a[i] * (double)b[i]))

#define SCALAR(name, expression)                                                                                       \
  static void name(size_t n, real alpha, const real *x, real *y) {                                                     \
    for (size_t i = 0; i < n; i++) y[i] = (expression);                                                                \
  }
SCALAR(axpy, (real)((double)y[i] + (double)alpha * (double)x[i]))
SCALAR(scale, alpha *x[i])
SCALAR(add_scalar, x[i] + alpha)

/* ---- reductions ------------------------------------------------------------------------------------------- */
static real sum(size_t n, const real *x) {
  double total = 0;
  for (size_t i = 0; i < n; i++) total += (double)x[i];
  return (real)total;
}

static real maximum(size_t n, const real *x) {
  real best = (real)-INFINITY;
  for (size_t i = 0; i < n; i++) {
    if (x[i] > best || isnan(x[i])) best = x[i];
    if (isnan(best)) break;
  }
  return best;
}

static real dot(size_t n, const real *a, const real *b) {
  double total = 0;
  for (size_t i = 0; i < n; i++) total += (double)a[i] * (double)b[i];
  return (real)total;
}

static double sum_squares(size_t n, const real *x) {
  double total = 0;
  for (size_t i = 0; i < n; i++) total += (double)x[i] * (double)x[i];
  return total;
}

static void column_sum(size_t rows, size_t cols, const real *x, size_t ld, real *y, bool add) {
  for (size_t c = 0; c < cols; c++) {
    double total = add ? (double)y[c] : 0;
    for (size_t r = 0; r < rows; r++) total += (double)x[r * ld + c];
    y[c] = (real)total;
  }
}

static void dot_rows(size_t count, size_t n, real alpha, const real *x, const real *rows, size_t stride,
                     const int32_t *index, real *y) {
  for (size_t i = 0; i < count; i++) y[i] = alpha * dot(n, x, rows + (index ? (size_t)index[i] : i) * stride);
}

static void sum_rows(size_t count, size_t n, const real *weights, const real *rows, size_t stride, const int32_t *index,
                     real *y) {
  for (size_t c = 0; c < n; c++) {
    double total = 0;
    for (size_t i = 0; i < count; i++)
      total += (double)weights[i] * (double)rows[(index ? (size_t)index[i] : i) * stride + c];
    y[c] = (real)total;
  }
}

/* ---- softmax ---------------------------------------------------------------------------------------------- */
static void softmax(size_t rows, size_t cols, const real *x, real *y, real *lse) {
  for (size_t r = 0; r < rows; r++, x += cols, y += cols) {
    double highest = (double)maximum(cols, x), total = 0;
    if (highest == -INFINITY) {
      for (size_t c = 0; c < cols; c++) y[c] = 0;
      if (lse) lse[r] = (real)-INFINITY;
      continue;
    }
    for (size_t c = 0; c < cols; c++) total += exp((double)x[c] - highest);
    for (size_t c = 0; c < cols; c++) y[c] = (real)(exp((double)x[c] - highest) / total);
    if (lse) lse[r] = (real)(highest + log(total));
  }
}

static void softmax_backward(size_t rows, size_t cols, const real *y, const real *dy, real *dx, bool add) {
  for (size_t r = 0; r < rows; r++, y += cols, dy += cols, dx += cols) {
    double total = 0;
    for (size_t c = 0; c < cols; c++) total += (double)y[c] * (double)dy[c];
    for (size_t c = 0; c < cols; c++) {
      double d = (double)y[c] * ((double)dy[c] - total);
      dx[c] = (real)(add ? (double)dx[c] + d : d);
    }
  }
}

/* ---- normalisation ---------------------------------------------------------------------------------------- */
static void layer_norm(size_t rows, size_t cols, const real *x, const real *weight, const real *bias, real eps, real *y,
                       real *mean, real *rstd) {
  double n = cols ? (double)cols : 1;
  for (size_t r = 0; r < rows; r++, x += cols, y += cols) {
    double total = 0, squares = 0;
    for (size_t c = 0; c < cols; c++) total += (double)x[c];
    double centre = total / n;
    for (size_t c = 0; c < cols; c++) squares += ((double)x[c] - centre) * ((double)x[c] - centre);
    double scale = 1 / sqrt(squares / n + (double)eps);
    for (size_t c = 0; c < cols; c++)
      y[c] = (real)(((double)x[c] - centre) * scale * (double)weight[c] + (double)bias[c]);
    mean[r] = (real)centre;
    rstd[r] = (real)scale;
  }
}

/* With x' = (x - mean) rstd and g = dy weight:  dx = rstd (g - mean(g) - x' mean(g x')). */
static void layer_norm_backward(size_t rows, size_t cols, const real *x, const real *weight, const real *mean,
                                const real *rstd, const real *dy, real *dx, bool add_dx, real *dweight, real *dbias) {
  double n = cols ? (double)cols : 1;
  for (size_t r = 0; r < rows; r++, x += cols, dy += cols, dx += cols) {
    double centre = (double)mean[r], scale = (double)rstd[r], sum_g = 0, sum_gx = 0;
    for (size_t c = 0; c < cols; c++) {
      double g = (double)dy[c] * (double)weight[c];
      sum_g += g;
      sum_gx += g * ((double)x[c] - centre) * scale;
    }
    for (size_t c = 0; c < cols; c++) {
      double xhat = ((double)x[c] - centre) * scale, d = (double)dy[c];
      double gradient = scale * (d * (double)weight[c] - sum_g / n - xhat * (sum_gx / n));
      dweight[c] = (real)((double)dweight[c] + d * xhat);
      dbias[c] = (real)((double)dbias[c] + d);
      dx[c] = (real)(add_dx ? (double)dx[c] + gradient : gradient);
    }
  }
}

static void rms_norm(size_t rows, size_t cols, const real *x, const real *weight, real eps, real *y, real *rstd) {
  double n = cols ? (double)cols : 1;
  for (size_t r = 0; r < rows; r++, x += cols, y += cols) {
    double scale = 1 / sqrt(sum_squares(cols, x) / n + (double)eps);
    for (size_t c = 0; c < cols; c++) y[c] = (real)((double)x[c] * scale * (double)weight[c]);
    rstd[r] = (real)scale;
  }
}

/* With x' = x rstd and g = dy weight:  dx = rstd (g - x' mean(g x')). */
static void rms_norm_backward(size_t rows, size_t cols, const real *x, const real *weight, const real *rstd,
                              const real *dy, real *dx, bool add_dx, real *dweight) {
  double n = cols ? (double)cols : 1;
  for (size_t r = 0; r < rows; r++, x += cols, dy += cols, dx += cols) {
    double scale = (double)rstd[r], sum_gx = 0;
    for (size_t c = 0; c < cols; c++) sum_gx += (double)dy[c] * (double)weight[c] * (double)x[c] * scale;
    for (size_t c = 0; c < cols; c++) {
      double xhat = (double)x[c] * scale, d = (double)dy[c];
      double gradient = scale * (d * (double)weight[c] - xhat * (sum_gx / n));
      dweight[c] = (real)((double)dweight[c] + d * xhat);
      dx[c] = (real)(add_dx ? (double)dx[c] + gradient : gradient);
    }
  }
}

/* ---- dropout ---------------------------------------------------------------------------------------------- */
/* The 32-bit word `i` of the operation. */
static uint32_t dropout_word(const as_dropout *dropout, uint64_t i) {
  uint64_t block = i / 4;
  uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), dropout->op, dropout->step};
  uint32_t key[2] = {(uint32_t)dropout->seed, (uint32_t)(dropout->seed >> 32)}, word[4];
  as_philox4x32(counter, key, word);
  return word[i % 4];
}

static void dropout_add(const as_dropout *dropout, uint64_t first, size_t n, const real *x, const real *residual,
                        real *y) {
  const double threshold = dropout->p * 4294967296.0;
  const real keep_scale = (real)(1 / (1 - dropout->p));
  for (size_t j = 0; j < n; j++) {
    bool keep = dropout->p <= 0 || (double)dropout_word(dropout, first + j) >= threshold;
    real kept = keep ? x[j] * keep_scale : (real)0;
    y[j] = residual ? residual[j] + kept : kept;
  }
}

static void dropout_only(const as_dropout *dropout, uint64_t first, size_t n, const real *x, real *y) {
  dropout_add(dropout, first, n, x, NULL, y);
}

/* ---- optimizer -------------------------------------------------------------------------------------------- */
static void adamw(size_t n, const as_adamw_step *step, const real *gradient, real *weight, real *m, real *v) {
  const double decay = (double)(real)(1 - step->lr * step->weight_decay), step_size = step->lr / step->bias_correction1;
  const double root = sqrt(step->bias_correction2);
  for (size_t i = 0; i < n; i++) {
    double g = (double)gradient[i] * step->gradient_scale;
    double first = step->beta1 * (double)m[i] + (1 - step->beta1) * g;
    double second = step->beta2 * (double)v[i] + (1 - step->beta2) * g * g;
    weight[i] = (real)((double)weight[i] * decay - step_size * first / (sqrt(second) / root + step->eps));
    m[i] = (real)first;
    v[i] = (real)second;
  }
}

const AS_REAL(as_kernels) AS_REAL(as_kernels_scalar) = {
    .isa = "scalar",
    .unary_forward = {[AS_UNARY_GELU] = gelu_forward,
                      [AS_UNARY_GELU_TANH] = gelu_tanh_forward,
                      [AS_UNARY_RELU] = relu_forward,
                      [AS_UNARY_TANH] = tanh_forward,
                      [AS_UNARY_SIGMOID] = sigmoid_forward,
                      [AS_UNARY_EXP] = exp_forward,
                      [AS_UNARY_LOG] = log_forward},
    .unary_backward = {[AS_UNARY_GELU] = gelu_backward,
                       [AS_UNARY_GELU_TANH] = gelu_tanh_backward,
                       [AS_UNARY_RELU] = relu_backward,
                       [AS_UNARY_TANH] = tanh_backward,
                       [AS_UNARY_SIGMOID] = sigmoid_backward,
                       [AS_UNARY_EXP] = exp_backward,
                       [AS_UNARY_LOG] = log_backward},
    .add = elementwise_add,
    .sub = elementwise_sub,
    .mul = elementwise_mul,
    .div = elementwise_div,
    .mul_add = elementwise_mul_add,
    .axpy = axpy,
    .scale = scale,
    .add_scalar = add_scalar,
    .sum = sum,
    .max = maximum,
    .dot = dot,
    .sum_squares = sum_squares,
    .column_sum = column_sum,
    .dot_rows = dot_rows,
    .sum_rows = sum_rows,
    .softmax = softmax,
    .softmax_backward = softmax_backward,
    .layer_norm = layer_norm,
    .layer_norm_backward = layer_norm_backward,
    .rms_norm = rms_norm,
    .rms_norm_backward = rms_norm_backward,
    .dropout = dropout_only,
    .dropout_add = dropout_add,
    .adamw = adamw,
    .gemm_shape = AS_REFERENCE_GEMM_SHAPE,
    .gemm_pack_a = AS_REAL(as_reference_gemm_pack_a),
    .gemm_pack_b = AS_REAL(as_reference_gemm_pack_b),
    .gemm_tile = AS_REAL(as_reference_gemm_tile),
};
