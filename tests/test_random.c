/* Philox against the known answers of Random123, and the streams drawn from it. */
#include "tests/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

START_TEST(philox_gives_the_known_answers) {
  static const struct {
    uint32_t counter[4], key[2], expected[4];
  } cases[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint32_t out[4];
    as_philox4x32(cases[i].counter, cases[i].key, out);
    for (int j = 0; j < 4; j++) ck_assert_uint_eq(out[j], cases[i].expected[j]);
  }
}
END_TEST

START_TEST(streams_go_on_from_any_position) {
  as_random whole = as_random_start(42, 7);
  uint32_t words[37];
  for (int i = 0; i < 37; i++) words[i] = as_random_u32(&whole);
  for (int start = 0; start < 37; start++) {
    as_random resumed = {.seed = 42, .stream = 7, .position = (uint64_t)start};
    for (int i = start; i < 37; i++) ck_assert_uint_eq(as_random_u32(&resumed), words[i]);
    ck_assert_mem_eq(&resumed, &whole, sizeof whole);
  }
}
END_TEST

START_TEST(seeds_and_streams_differ) {
  const uint64_t numbers[] = {0, 1, 2, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX};
  uint64_t first[72];
  size_t count = 0;
  for (size_t i = 0; i < 6; i++) {
    for (size_t j = 0; j < 6; j++) {
      as_random random = as_random_start(numbers[i], numbers[j]);
      first[count++] = as_random_u64(&random);
      random = (as_random){.seed = numbers[i], .stream = numbers[j], .position = UINT64_C(1) << 34};
      first[count++] = as_random_u64(&random); /* the second word of the block's number counts, too */
    }
  }
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < i; j++) ck_assert_uint_ne(first[i], first[j]);
}
END_TEST

START_TEST(below_is_within_bounds_and_even) {
  as_random random = as_random_start(3, 0);
  int counts[7] = {0};
  for (int i = 0; i < 70000; i++) counts[as_random_below(&random, 7)]++;
  double chi2 = 0;
  for (int i = 0; i < 7; i++) chi2 += (counts[i] - 10000.0) * (counts[i] - 10000.0) / 10000.0;
  ck_assert_double_lt(chi2, 22.46); /* 6 degrees of freedom, 0.1 % */
  ck_assert_uint_eq(as_random_below(&random, 1), 0);
  /* 3 * 2^62: a quarter of the draws must be rejected; without that the low third would come twice as often. */
  uint64_t bound = UINT64_C(3) << 62;
  int low = 0;
  for (int i = 0; i < 30000; i++) {
    uint64_t value = as_random_below(&random, bound);
    ck_assert_uint_lt(value, bound);
    low += value < bound / 3;
  }
  ck_assert_int_lt(abs(low - 10000), 300);
}
END_TEST

START_TEST(uniform_and_normal_have_their_moments) {
  as_random random = as_random_start(5, 1);
  enum { N = 200000 };
  double sum = 0, squares = 0, normal = 0, normal2 = 0, normal4 = 0;
  for (int i = 0; i < N; i++) {
    double u = as_random_uniform(&random), z = as_random_normal(&random);
    ck_assert(u >= 0 && u < 1 && isfinite(z));
    sum += u, squares += u * u;
    normal += z, normal2 += z * z, normal4 += z * z * z * z;
  }
  ck_assert_double_eq_tol(sum / N, 0.5, 0.003); /* about 4 standard errors each */
  ck_assert_double_eq_tol(squares / N, 1.0 / 3, 0.003);
  ck_assert_double_eq_tol(normal / N, 0, 0.009);
  ck_assert_double_eq_tol(normal2 / N, 1, 0.013);
  ck_assert_double_eq_tol(normal4 / N, 3, 0.09);
}
END_TEST

START_TEST(shuffle_is_an_even_permutation_of_all) {
  as_random random = as_random_start(9, 2), again = random;
  int places[4][4] = {{0}};
  for (int repeat = 0; repeat < 24000; repeat++) {
    int64_t indices[4] = {0, 1, 2, 3}, same[4] = {0, 1, 2, 3};
    as_random_shuffle(&random, indices, 4);
    as_random_shuffle(&again, same, 4);
    ck_assert_mem_eq(indices, same, sizeof same);
    int seen = 0;
    for (int i = 0; i < 4; i++) seen |= 1 << indices[i], places[i][indices[i]]++;
    ck_assert_int_eq(seen, 15);
  }
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) ck_assert_int_lt(abs(places[i][j] - 6000), 300);
  as_random_shuffle(&random, NULL, 0);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("random");
  TCase *tcase = tcase_create("random");
  tcase_add_test(tcase, philox_gives_the_known_answers);
  tcase_add_test(tcase, streams_go_on_from_any_position);
  tcase_add_test(tcase, seeds_and_streams_differ);
  tcase_add_test(tcase, below_is_within_bounds_and_even);
  tcase_add_test(tcase, uniform_and_normal_have_their_moments);
  tcase_add_test(tcase, shuffle_is_an_even_permutation_of_all);
  suite_add_tcase(suite, tcase);
  return suite;
}
