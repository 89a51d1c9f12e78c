/* AdamW in one pass: each of gradient, weight, m and v is read once and the last three written once, 28 bytes an
 * element. Memory is what limits it: the square root and the division hide behind the loads. */
#include <math.h>

#include "tensor/kernels/simd_kernels.h"

/* m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  w = decay w - size m / (sqrt(v) / root + eps) */
#define ADAMW_STEP(i, k)                                                                                               \
  do {                                                                                                                 \
    vf g = vf_mul(vf_read(gradient + i, k), scale);                                                                    \
    vf first = vf_fma(beta1, vf_read(m + i, k), vf_mul(rest1, g));                                                     \
    vf second = vf_fma(beta2, vf_read(v + i, k), vf_mul(vf_mul(rest2, g), g));                                         \
    vf denominator = vf_fma(vf_sqrt(second), inverse_root, eps);                                                       \
    vf step_taken = vf_div(vf_mul(size, first), denominator);                                                          \
    vf_write(m + i, k, first);                                                                                         \
    vf_write(v + i, k, second);                                                                                        \
    vf_write(weight + i, k, vf_sub(vf_mul(vf_read(weight + i, k), decay), step_taken));                                \
  } while (0)

/* Not inlined, so that all of it happens between the changes of mode. */
__attribute__((noinline)) static void run(size_t n, const as_adamw_step *step, const float *gradient, float *weight,
                                          float *m, float *v) {
  const vf scale = vf_set1((float)step->gradient_scale), eps = vf_set1((float)step->eps);
  const vf beta1 = vf_set1((float)step->beta1), rest1 = vf_set1((float)(1 - step->beta1));
  const vf beta2 = vf_set1((float)step->beta2), rest2 = vf_set1((float)(1 - step->beta2));
  const vf decay = vf_set1((float)(1 - step->lr * step->weight_decay));
  const vf size = vf_set1((float)(step->lr / step->bias_correction1));
  const vf inverse_root = vf_set1((float)(1 / sqrt(step->bias_correction2)));
  AS_FOR_VECTORS(n, ADAMW_STEP);
}

/* The moments of a weight that gets no gradients any more, as those of most words don't, fade until they are denormal,
 * and stay so for good: 0.9 of the least denormal number rounds to itself. Computing with those takes ten to thirty
 * times as long, and they are nothing beside eps. So what is below 1.2e-38 counts as 0. */
void AS_ISA(as_adamw)(size_t n, const as_adamw_step *step, const float *gradient, float *weight, float *m, float *v) {
  const uint64_t mode = fp_flush();
  run(n, step, gradient, weight, m, v);
  fp_restore(mode);
}
