/* Contexts, memory and buffers. */
#include "tests/harness.h"

START_TEST(memory_is_counted) {
  as_context *ctx = as_test_context(1);
  char *a = as_alloc(ctx, 10, 10);
  ck_assert_ptr_nonnull(a);
  ck_assert_uint_eq((uintptr_t)a % 64, 0);
  ck_assert_uint_eq(as_memory_used(ctx), 100);
  as_free(ctx, a);
  ck_assert_uint_eq(as_memory_used(ctx), 0);
  ck_assert_uint_eq(as_memory_peak(ctx), 100);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("base");
  TCase *memory = tcase_create("memory");
  tcase_add_test(memory, memory_is_counted);
  suite_add_tcase(suite, memory);
  return suite;
}
