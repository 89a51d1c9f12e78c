/* Layer and root mean square normalisation, forward and backward, row by row. A row stays in the first cache over the
 * passes, so memory is read and written once. */
#include <math.h>

#include "tensor/kernels/simd_kernels.h"

/* Two sums over a row, taken together. */
typedef struct pair {
  float first, second;
} pair;

/* sum(d) and sum(d^2) of d = x - centre. Two accumulators take the vectors in turn, by position. */
static pair centred_moments(size_t n, const float *x, float centre) {
  const vf c = vf_set1(centre);
  vf sum[2] = {vf_zero(), vf_zero()}, squares[2] = {vf_zero(), vf_zero()};
  size_t i = 0;
  for (; i + 2 * AS_LANES <= n; i += 2 * AS_LANES) {
    for (size_t j = 0; j < 2; j++) {
      vf d = vf_sub(vf_load(x + i + j * AS_LANES), c);
      sum[j] = vf_add(sum[j], d);
      squares[j] = vf_fma(d, d, squares[j]);
    }
  }
  for (; i < n; i += AS_LANES) {
    vf d = vf_sub(vf_read_or(x + i, n - i < AS_LANES ? n - i : AS_LANES, c), c);
    sum[0] = vf_add(sum[0], d);
    squares[0] = vf_fma(d, d, squares[0]);
  }
  return (pair){vf_hsum(vf_add(sum[0], sum[1])), vf_hsum(vf_add(squares[0], squares[1]))};
}

/* The mean of a row and 1 / sqrt(variance + eps). The mean first comes rounded to float; what that loses is seen in the
 * sum of the differences from it, which corrects both: the variance is right even where the mean is large beside it. */
static pair mean_and_rstd(size_t n, const float *x, float eps, float *correction) {
  const float count = n ? (float)n : 1;
  const float centre = AS_ISA(as_vector_sum)(n, x) / count;
  const pair moments = centred_moments(n, x, centre);
  *correction = moments.first / count;
  float variance = moments.second / count - *correction * *correction;
  if (variance < 0) variance = 0;
  return (pair){centre, 1 / sqrtf(variance + eps)};
}

/* (x - centre) is exact for x near the mean; the correction is then small beside it. */
#define NORMALISE_STEP(i, k)                                                                                           \
  vf_write(y + i, k,                                                                                                   \
           vf_fma(vf_mul(vf_sub(vf_sub(vf_read(x + i, k), centre), shift), scale), vf_read(weight + i, k),             \
                  vf_read(bias + i, k)))

void AS_ISA(as_layer_norm)(size_t rows, size_t cols, const float *x, const float *weight, const float *bias, float eps,
                           float *y, float *mean, float *rstd) {
  for (size_t r = 0; r < rows; r++, x += cols, y += cols) {
    float correction;
    const pair row = mean_and_rstd(cols, x, eps, &correction);
    const vf centre = vf_set1(row.first), shift = vf_set1(correction), scale = vf_set1(row.second);
    AS_FOR_VECTORS(cols, NORMALISE_STEP);
    mean[r] = row.first + correction;
    rstd[r] = row.second;
  }
}

/* With g = dy weight: sum(g) and sum(g (x - mean)). */
static pair gradient_sums(size_t n, const float *x, const float *weight, float mean, const float *dy) {
  const vf centre = vf_set1(mean);
  vf sum[2] = {vf_zero(), vf_zero()}, product[2] = {vf_zero(), vf_zero()};
  size_t i = 0;
  for (; i + 2 * AS_LANES <= n; i += 2 * AS_LANES) {
    for (size_t j = 0; j < 2; j++) {
      const size_t at = i + j * AS_LANES;
      vf g = vf_mul(vf_load(dy + at), vf_load(weight + at));
      sum[j] = vf_add(sum[j], g);
      product[j] = vf_fma(g, vf_sub(vf_load(x + at), centre), product[j]);
    }
  }
  for (; i < n; i += AS_LANES) {
    const size_t k = n - i < AS_LANES ? n - i : AS_LANES;
    vf g = vf_mul(vf_read(dy + i, k), vf_read(weight + i, k));
    sum[0] = vf_add(sum[0], g);
    product[0] = vf_fma(g, vf_sub(vf_read(x + i, k), centre), product[0]);
  }
  return (pair){vf_hsum(vf_add(sum[0], sum[1])), vf_hsum(vf_add(product[0], product[1]))};
}

/* dx = rstd (g - mean(g) - x' mean(g x')) with x' = (x - mean) rstd; dweight += dy x'; dbias += dy. */
#define LAYER_NORM_STEP(i, k)                                                                                          \
  do {                                                                                                                 \
    vf d = vf_read(dy + i, k), normal = vf_mul(vf_sub(vf_read(x + i, k), centre), scale);                              \
    vf gradient = vf_sub(vf_mul(d, vf_read(weight + i, k)), mean_g);                                                   \
    gradient = vf_mul(scale, vf_fnma(normal, mean_gx, gradient));                                                      \
    vf_write(dweight + i, k, vf_fma(d, normal, vf_read(dweight + i, k)));                                              \
    vf_write(dbias + i, k, vf_add(d, vf_read(dbias + i, k)));                                                          \
    vf_write(dx + i, k, add_dx ? vf_add(gradient, vf_read(dx + i, k)) : gradient);                                     \
  } while (0)

void AS_ISA(as_layer_norm_backward)(size_t rows, size_t cols, const float *x, const float *weight, const float *mean,
                                    const float *rstd, const float *dy, float *dx, bool add_dx, float *dweight,
                                    float *dbias) {
  const float count = cols ? (float)cols : 1;
  for (size_t r = 0; r < rows; r++, x += cols, dy += cols, dx += cols) {
    const pair sums = gradient_sums(cols, x, weight, mean[r], dy);
    const vf centre = vf_set1(mean[r]), scale = vf_set1(rstd[r]);
    const vf mean_g = vf_set1(sums.first / count), mean_gx = vf_set1(sums.second * rstd[r] / count);
    AS_FOR_VECTORS(cols, LAYER_NORM_STEP);
  }
}

/* ---- without the mean ------------------------------------------------------------------------------------- */
#define RMS_NORM_STEP(i, k) vf_write(y + i, k, vf_mul(vf_mul(vf_read(x + i, k), scale), vf_read(weight + i, k)))

void AS_ISA(as_rms_norm)(size_t rows, size_t cols, const float *x, const float *weight, float eps, float *y,
                         float *rstd) {
  const float count = cols ? (float)cols : 1;
  for (size_t r = 0; r < rows; r++, x += cols, y += cols) {
    rstd[r] = 1 / sqrtf(AS_ISA(as_vector_dot)(cols, x, x) / count + eps);
    const vf scale = vf_set1(rstd[r]);
    AS_FOR_VECTORS(cols, RMS_NORM_STEP);
  }
}

/* dx = rstd (g - x' mean(g x')) with x' = x rstd; dweight += dy x'. */
#define RMS_NORM_BACKWARD_STEP(i, k)                                                                                   \
  do {                                                                                                                 \
    vf d = vf_read(dy + i, k), normal = vf_mul(vf_read(x + i, k), scale);                                              \
    vf gradient = vf_mul(scale, vf_fnma(normal, mean_gx, vf_mul(d, vf_read(weight + i, k))));                          \
    vf_write(dweight + i, k, vf_fma(d, normal, vf_read(dweight + i, k)));                                              \
    vf_write(dx + i, k, add_dx ? vf_add(gradient, vf_read(dx + i, k)) : gradient);                                     \
  } while (0)

void AS_ISA(as_rms_norm_backward)(size_t rows, size_t cols, const float *x, const float *weight, const float *rstd,
                                  const float *dy, float *dx, bool add_dx, float *dweight) {
  const float count = cols ? (float)cols : 1;
  for (size_t r = 0; r < rows; r++, x += cols, dy += cols, dx += cols) {
    const pair sums = gradient_sums(cols, x, weight, 0, dy);
    const vf scale = vf_set1(rstd[r]), mean_gx = vf_set1(sums.second * rstd[r] / count);
    AS_FOR_VECTORS(cols, RMS_NORM_BACKWARD_STEP);
  }
}
