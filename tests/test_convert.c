/* Half precision and bfloat16: every value both ways, rounding to nearest even, and the same bits whether a number is
 * converted alone (scalar code) or among others (instructions of the processor, where there are some). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tensor/kernels/kernels.h"
#include "tests/harness.h"

enum { COUNT = 65536, TOGETHER = 16 };

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* The value of a finite half by its definition. */
static double half_value(uint16_t h) {
  const int exponent = (h >> 10) & 31, fraction = h & 1023;
  const double magnitude = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
  return h & 0x8000 ? -magnitude : magnitude;
}

START_TEST(every_half_becomes_its_value_and_comes_back) {
  uint16_t *halves = malloc(COUNT * sizeof *halves), *back = malloc(COUNT * sizeof *back);
  float *floats = malloc(COUNT * sizeof *floats);
  for (int i = 0; i < COUNT; i++) halves[i] = (uint16_t)i;
  as_f16_to_f32(COUNT, halves, floats);
  as_f32_to_f16(COUNT, floats, back);
  for (int i = 0; i < COUNT; i++) {
    float alone;
    uint16_t alone_back;
    as_f16_to_f32(1, &halves[i], &alone);
    as_f32_to_f16(1, &floats[i], &alone_back);
    ck_assert_uint_eq(bits_of(alone), bits_of(floats[i]));
    ck_assert_uint_eq(alone_back, back[i]);
    if ((i & 0x7c00) != 0x7c00) {
      ck_assert_double_eq((double)floats[i], half_value((uint16_t)i));
      ck_assert_uint_eq(back[i], (unsigned)i);
    } else if (i & 0x3ff) {
      ck_assert(isnan(floats[i]));
      ck_assert_uint_eq(back[i], (unsigned)i | 0x200); /* quiet */
    } else {
      ck_assert(floats[i] == (i & 0x8000 ? -INFINITY : INFINITY));
      ck_assert_uint_eq(back[i], (unsigned)i);
    }
  }
  free(halves);
  free(back);
  free(floats);
}
END_TEST

/* Nearest, and even when halfway, by trying the neighbours. */
static void assert_nearest_half(float x, uint16_t h) {
  if ((h & 0x7fff) == 0x7c00) {
    ck_assert(fabs((double)x) >= 65520); /* halfway to the next power of two */
    return;
  }
  const double off = fabs((double)x - half_value(h));
  for (int step = -1; step <= 1; step += 2) {
    const int neighbour = (h & 0x7fff) + step;
    if (neighbour < 0 || neighbour >= 0x7c00) continue;
    const double other = fabs((double)x - half_value((uint16_t)(neighbour | (h & 0x8000))));
    if (other < off || (other == off && (h & 1)))
      ck_abort_msg("%.9g became %04x, but %04x is nearer or even", (double)x, h, neighbour);
  }
}

START_TEST(floats_round_to_the_nearest_half) {
  as_random random = as_random_start(1, 1);
  for (int i = 0; i < 400000; i++) {
    uint32_t bits = as_random_u32(&random);
    /* Most lie in the range of halves, many at the middle between two. */
    if (i % 4) bits = (bits & 0x80ffffffu) | (102 + (bits >> 24 & 63)) % 145 << 23;
    if (i % 3 == 0) bits = (bits & 0xffffe000u) | 0x1000;
    float x[TOGETHER];
    uint16_t together[TOGETHER], alone;
    for (int j = 0; j < TOGETHER; j++) x[j] = float_of(bits);
    as_f32_to_f16(TOGETHER, x, together);
    as_f32_to_f16(1, x, &alone);
    ck_assert_uint_eq(together[0], alone);
    if (isnan(x[0]))
      ck_assert_uint_eq(alone & 0x7e00, 0x7e00);
    else
      assert_nearest_half(x[0], alone);
  }
}
END_TEST

START_TEST(bfloat16_is_the_upper_half_rounded) {
  for (uint32_t i = 0; i < COUNT; i++) {
    uint16_t b = (uint16_t)i, back;
    float x;
    as_bf16_to_f32(1, &b, &x);
    ck_assert_uint_eq(bits_of(x), i << 16);
    as_f32_to_bf16(1, &x, &back);
    ck_assert_uint_eq(back, isnan(x) ? i | 0x40 : i);
    if ((i & 0x7f80) == 0x7f80) continue;
    const float below = float_of(i << 16 | 0x7fff), middle = float_of(i << 16 | 0x8000),
                above = float_of(i << 16 | 0x8001);
    as_f32_to_bf16(1, &below, &back);
    ck_assert_uint_eq(back, i);
    as_f32_to_bf16(1, &middle, &back);
    ck_assert_uint_eq(back, i + (i & 1));
    as_f32_to_bf16(1, &above, &back);
    ck_assert_uint_eq(back, i + 1); /* at the end of the range this is infinity */
  }
}
END_TEST

START_TEST(any_number_of_elements) {
  for (size_t n = 0; n < 40; n++) {
    float *x = malloc(n * sizeof *x + 1), *y = malloc(n * sizeof *y + 1);
    uint16_t *h = malloc(n * sizeof *h + 1);
    for (size_t i = 0; i < n; i++) x[i] = 0.25f * (float)i - 3;
    as_f32_to_f16(n, x, h);
    as_f16_to_f32(n, h, y);
    for (size_t i = 0; i < n; i++) ck_assert_float_eq(y[i], x[i]);
    as_f32_to_bf16(n, x, h);
    as_bf16_to_f32(n, h, y);
    for (size_t i = 0; i < n; i++) ck_assert_float_eq(y[i], x[i]);
    free(x);
    free(y);
    free(h);
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("convert");
  TCase *tcase = tcase_create("convert");
  tcase_add_test(tcase, every_half_becomes_its_value_and_comes_back);
  tcase_add_test(tcase, floats_round_to_the_nearest_half);
  tcase_add_test(tcase, bfloat16_is_the_upper_half_rounded);
  tcase_add_test(tcase, any_number_of_elements);
  suite_add_tcase(suite, tcase);
  return suite;
}
