/* Contexts, error texts, memory and buffers. */
#include "tests/harness.h"

#include <stdlib.h>
#include <string.h>

/* ---- contexts --------------------------------------------------------------------------------------------------- */

START_TEST(context_has_defaults) {
  as_context *ctx = NULL;
  ck_assert_int_eq(as_context_new(&ctx, NULL), AS_OK);
  ck_assert_int_ge(as_context_threads(ctx), 1);
  ck_assert_str_eq(as_error_text(ctx), "");
  ck_assert_uint_eq(as_warning_count(ctx), 0);
  ck_assert_uint_eq(as_memory_used(ctx), 0);
  as_warn(ctx, "counted only");
  ck_assert_uint_eq(as_warning_count(ctx), 1);
  as_context_free(ctx);
  as_context_free(NULL);
}
END_TEST

START_TEST(context_refuses_bad_thread_counts) {
  const int bad[] = {-1, 1025, 1 << 30};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    as_context_options options = {.threads = bad[i]};
    as_context *ctx = (as_context *)&options;
    ck_assert_int_eq(as_context_new(&ctx, &options), AS_E_INVALID);
    ck_assert_ptr_null(ctx);
  }
}
END_TEST

static void *refuse(void *user, size_t bytes) {
  (void)user, (void)bytes;
  return NULL;
}

START_TEST(context_without_memory_is_an_error) {
  as_allocator allocator = {refuse, NULL, NULL};
  as_context_options options = {.allocator = &allocator};
  as_context *ctx;
  ck_assert_int_eq(as_context_new(&ctx, &options), AS_E_NOMEM);
  ck_assert_ptr_null(ctx);
}
END_TEST

START_TEST(the_standard_allocator_gives_blocks_of_every_size) {
  static const size_t sizes[] = {0, 1, 4096, (4 << 20) - 65, (4 << 20) - 64, (4 << 20) - 63, 9000001};
  as_context *ctx;
  as_context_options options = {.threads = 1};
  ck_assert_int_eq(as_context_new(&ctx, &options), AS_OK);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    unsigned char *block = as_alloc(ctx, sizes[i], 1);
    ck_assert_ptr_nonnull(block);
    ck_assert_uint_eq((uintptr_t)block % 64, 0);
    memset(block, 0xa5, sizes[i]);
    as_free(ctx, block);
  }
  ck_assert_ptr_null(as_alloc(ctx, PTRDIFF_MAX - 200, 1));
  as_context_free(ctx);
}
END_TEST

START_TEST(isa_comes_from_the_option_or_the_environment) {
  as_context *ctx;
  as_context_options options = {.threads = 1, .isa = "avx2"};
  setenv("ASSISTIFY_ISA", "scalar", 1);
  ck_assert_int_eq(as_context_new(&ctx, &options), AS_OK);
  ck_assert_str_eq(as_context_isa(ctx), "avx2");
  as_context_free(ctx);
  options.isa = NULL;
  ck_assert_int_eq(as_context_new(&ctx, &options), AS_OK);
  ck_assert_str_eq(as_context_isa(ctx), "scalar");
  as_context_free(ctx);
  setenv("ASSISTIFY_ISA", "", 1);
  ck_assert_int_eq(as_context_new(&ctx, &options), AS_OK);
  ck_assert_ptr_null(as_context_isa(ctx));
  as_context_free(ctx);
}
END_TEST

START_TEST(every_status_has_a_name) {
  for (int i = AS_OK; i <= AS_E_UNSUPPORTED; i++) ck_assert_str_ne(as_status_name((as_status)i), "unknown status");
  ck_assert_str_eq(as_status_name((as_status)-1), "unknown status");
  ck_assert_str_eq(as_status_name((as_status)1000), "unknown status");
}
END_TEST

/* ---- errors and warnings ---------------------------------------------------------------------------------------- */

START_TEST(errors_replace_and_prefix) {
  as_context *ctx = as_test_context(1);
  ck_assert_int_eq(as_fail(ctx, AS_E_DATA, "line %d", 7), AS_E_DATA);
  ck_assert_str_eq(as_error_text(ctx), "line 7");
  ck_assert_int_eq(as_fail_prefix(ctx, AS_E_MODEL, "file %s", "a.csv"), AS_E_MODEL);
  ck_assert_str_eq(as_error_text(ctx), "file a.csv: line 7");
  as_fail(ctx, AS_E_IO, "new");
  ck_assert_str_eq(as_error_text(ctx), "new");
  as_fail(ctx, AS_E_IO, "it said '%s'", as_error_text(ctx)); /* quoting the old text */
  ck_assert_str_eq(as_error_text(ctx), "it said 'new'");
  as_fail_prefix(ctx, AS_E_IO, "%s", as_error_text(ctx));
  ck_assert_str_eq(as_error_text(ctx), "it said 'new': it said 'new'");
  as_test_context_free(ctx);
}
END_TEST

START_TEST(long_errors_are_cut_between_characters) {
  as_context *ctx = as_test_context(1);
  char text[9001];
  for (int shift = 0; shift < 3; shift++) {
    memset(text, 'x', 3);
    for (size_t i = (size_t)shift; i + 3 < sizeof text; i += 3) memcpy(text + i, "\xE2\x82\xAC", 4); /* euro signs */
    as_fail(ctx, AS_E_DATA, "%s", text);
    size_t length = strlen(as_error_text(ctx));
    ck_assert_uint_gt(length, 4000);
    ck_assert_uint_lt(length, 4096);
    ck_assert_str_eq(as_error_text(ctx) + length - 3, "...");
    ck_assert_uint_eq((length - 3 - (size_t)shift) % 3, 0);
    as_fail_prefix(ctx, AS_E_DATA, "prefix");
    ck_assert_int_eq(strncmp(as_error_text(ctx), "prefix: ", 8), 0);
    ck_assert_uint_lt(strlen(as_error_text(ctx)), 4096);
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(warnings_reach_the_user) {
  as_context *ctx = as_test_context(1);
  as_warn(ctx, "%d rows", 3);
  as_warn(ctx, "short");
  ck_assert_str_eq(as_test_warnings(ctx), "3 rows\nshort\n");
  ck_assert_uint_eq(as_warning_count(ctx), 2);
  ck_assert_str_eq(as_error_text(ctx), "");
  as_test_context_free(ctx);
}
END_TEST

/* ---- memory ----------------------------------------------------------------------------------------------------- */

START_TEST(memory_is_aligned_and_counted) {
  as_context *ctx = as_test_context(1);
  char *a = as_alloc(ctx, 10, 10), *b = as_alloc_zero(ctx, 3, 7), *c = as_alloc(ctx, 0, 8);
  ck_assert_ptr_nonnull(c);
  ck_assert_uint_eq((uintptr_t)a % 64, 0);
  ck_assert_uint_eq((uintptr_t)b % 64, 0);
  for (int i = 0; i < 21; i++) ck_assert_int_eq(b[i], 0);
  ck_assert_uint_eq(as_memory_used(ctx), 121);
  as_free(ctx, a);
  as_free(ctx, NULL);
  ck_assert_uint_eq(as_memory_used(ctx), 21);
  ck_assert_uint_eq(as_memory_peak(ctx), 121);
  ck_assert_uint_eq(as_allocation_count(ctx), 3);
  as_free(ctx, b);
  as_free(ctx, c);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(sizes_that_overflow_are_refused) {
  as_context *ctx = as_test_context(1);
  const size_t sizes[][2] = {{SIZE_MAX, 2}, {2, SIZE_MAX}, {SIZE_MAX / 2 + 1, 2}, {SIZE_MAX, 1}, {PTRDIFF_MAX, 1}};
  char *kept = as_alloc(ctx, 4, 1);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    as_fail(ctx, AS_E_IO, "another");
    ck_assert_ptr_null(as_alloc(ctx, sizes[i][0], sizes[i][1]));
    ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "out of memory"));
    ck_assert_ptr_null(as_alloc_zero(ctx, sizes[i][0], sizes[i][1]));
    ck_assert_ptr_null(as_realloc(ctx, kept, sizes[i][0], sizes[i][1]));
  }
  size_t capacity = 0;
  ck_assert_ptr_null(as_grow(ctx, NULL, &capacity, SIZE_MAX / 4, 8));
  ck_assert_uint_eq(capacity, 0);
  as_free(ctx, kept);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(failed_realloc_keeps_the_block) {
  as_context *ctx = as_test_context(1);
  char *text = as_strdup(ctx, "hello"), *longer;
  as_test_fail_at(ctx, 1);
  ck_assert_ptr_null(as_realloc(ctx, text, 100, 1));
  ck_assert(as_test_failed_one(ctx));
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "100 bytes"));
  ck_assert_str_eq(text, "hello");
  longer = as_realloc(ctx, text, 100, 1);
  ck_assert_str_eq(longer, "hello");
  ck_assert_uint_eq(as_memory_used(ctx), 100);
  longer = as_realloc(ctx, longer, 2, 1);
  ck_assert_int_eq(longer[1], 'e');
  ck_assert_uint_eq(as_memory_used(ctx), 2);
  as_free(ctx, longer);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(planned_failures_happen_once_or_forever) {
  as_context *once = as_test_context_failing(1, 2, false), *forever = as_test_context_failing(1, 2, true);
  void *a = as_alloc(once, 1, 1), *b = as_alloc(forever, 1, 1);
  ck_assert(a && b && !as_test_failed_one(once));
  ck_assert_ptr_null(as_alloc(once, 1, 1));
  ck_assert_ptr_null(as_alloc(forever, 1, 1));
  ck_assert_ptr_null(as_alloc(forever, 1, 1));
  void *c = as_alloc(once, 1, 1);
  ck_assert(c && as_test_failed_one(once) && as_test_failed_one(forever));
  as_free(once, a);
  as_free(once, c);
  as_free(forever, b);
  as_test_context_free(once);
  as_test_context_free(forever);
}
END_TEST

START_TEST(prefaulting_changes_nothing) {
  as_context *ctx = as_test_context(1);
  enum { BYTES = 300000 };
  unsigned char *block = as_alloc(ctx, BYTES, 1);
  for (int i = 0; i < BYTES; i++) block[i] = (unsigned char)(i * 7);
  as_prefault(block, BYTES, true);
  as_prefault(block + 5001, 100001, true);
  as_prefault(block + 3, 0, true);
  as_prefault(block, BYTES, false);
  for (int i = 0; i < BYTES; i++) ck_assert_uint_eq(block[i], (unsigned char)(i * 7));
  as_free(ctx, block);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(arrays_grow_by_doubling) {
  as_context *ctx = as_test_context(1);
  int *array = NULL;
  size_t capacity = 0;
  for (int i = 0; i < 1000; i++) {
    int *grown = as_grow(ctx, array, &capacity, (size_t)i + 1, sizeof *array);
    ck_assert_ptr_nonnull(grown);
    array = grown;
    array[i] = i;
  }
  for (int i = 0; i < 1000; i++) ck_assert_int_eq(array[i], i);
  ck_assert_uint_lt(as_allocation_count(ctx), 12);
  ck_assert_uint_eq(as_memory_used(ctx), capacity * sizeof *array);
  as_free(ctx, array);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(strings_are_copied) {
  as_context *ctx = as_test_context(1);
  char *whole = as_strdup(ctx, "abc"), *part = as_strndup(ctx, "abcdef", 2), *none = as_strndup(ctx, "x", 0);
  ck_assert_str_eq(whole, "abc");
  ck_assert_str_eq(part, "ab");
  ck_assert_str_eq(none, "");
  as_free(ctx, whole);
  as_free(ctx, part);
  as_free(ctx, none);
  as_test_context_free(ctx);
}
END_TEST

/* ---- buffers ---------------------------------------------------------------------------------------------------- */

START_TEST(buffer_holds_text_and_bytes) {
  as_context *ctx = as_test_context(1);
  as_buffer buffer;
  as_buffer_init(&buffer, ctx);
  ck_assert_str_eq(as_buffer_string(&buffer), "");
  as_buffer_text(&buffer, "ab");
  as_buffer_char(&buffer, 'c');
  as_buffer_append(&buffer, "\0d", 2);
  as_buffer_printf(&buffer, "%s-%d", "e", 42);
  as_buffer_append(&buffer, NULL, 0);
  ck_assert_uint_eq(buffer.length, 9);
  ck_assert_mem_eq(buffer.data, "abc\0de-42", 10);
  as_buffer_clear(&buffer);
  ck_assert_str_eq(as_buffer_string(&buffer), "");
  for (int i = 0; i < 5000; i++) as_buffer_printf(&buffer, "%04d", i);
  ck_assert_uint_eq(buffer.length, 20000);
  ck_assert_str_eq(buffer.data + 19996, "4999");
  ck_assert_int_eq(as_buffer_status(&buffer), AS_OK);
  as_buffer_free(&buffer);
  ck_assert_uint_eq(as_memory_used(ctx), 0);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(buffer_can_be_taken) {
  as_context *ctx = as_test_context(1);
  as_buffer buffer;
  as_buffer_init(&buffer, ctx);
  char *empty = as_buffer_take(&buffer);
  ck_assert_str_eq(empty, "");
  as_buffer_text(&buffer, "text");
  char *text = as_buffer_take(&buffer);
  ck_assert_str_eq(text, "text");
  ck_assert_ptr_null(buffer.data);
  as_buffer_text(&buffer, "again");
  ck_assert_str_eq(as_buffer_string(&buffer), "again");
  as_buffer_free(&buffer);
  as_free(ctx, empty);
  as_free(ctx, text);
  as_test_context_free(ctx);
}
END_TEST

static void fill(as_buffer *buffer) {
  for (int i = 0; i < 100; i++) {
    as_buffer_text(buffer, "some text ");
    as_buffer_printf(buffer, "%d", i);
  }
}

START_TEST(buffer_errors_stick) {
  uint64_t n = 1;
  for (bool failed = true; failed; n++) {
    as_context *ctx = as_test_context_failing(1, n, false);
    as_buffer buffer;
    as_buffer_init(&buffer, ctx);
    fill(&buffer);
    failed = as_test_failed_one(ctx);
    ck_assert_int_eq(as_buffer_status(&buffer), failed ? AS_E_NOMEM : AS_OK);
    if (failed) {
      size_t length = buffer.length;
      as_buffer_text(&buffer, "more");
      ck_assert_uint_eq(buffer.length, length);
      ck_assert_ptr_null(as_buffer_take(&buffer));
      ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "out of memory"));
      as_buffer_clear(&buffer);
      ck_assert(buffer.failed);
    }
    as_buffer_free(&buffer);
    ck_assert(!buffer.failed);
    as_test_context_free(ctx);
  }
  ck_assert_uint_gt(n, 4);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("base");
  TCase *context = tcase_create("context"), *memory = tcase_create("memory"), *buffer = tcase_create("buffer");
  tcase_add_test(context, context_has_defaults);
  tcase_add_test(context, context_refuses_bad_thread_counts);
  tcase_add_test(context, context_without_memory_is_an_error);
  tcase_add_test(context, the_standard_allocator_gives_blocks_of_every_size);
  tcase_add_test(context, isa_comes_from_the_option_or_the_environment);
  tcase_add_test(context, every_status_has_a_name);
  tcase_add_test(context, errors_replace_and_prefix);
  tcase_add_test(context, long_errors_are_cut_between_characters);
  tcase_add_test(context, warnings_reach_the_user);
  tcase_add_test(memory, memory_is_aligned_and_counted);
  tcase_add_test(memory, sizes_that_overflow_are_refused);
  tcase_add_test(memory, failed_realloc_keeps_the_block);
  tcase_add_test(memory, planned_failures_happen_once_or_forever);
  tcase_add_test(memory, prefaulting_changes_nothing);
  tcase_add_test(memory, arrays_grow_by_doubling);
  tcase_add_test(memory, strings_are_copied);
  tcase_add_test(buffer, buffer_holds_text_and_bytes);
  tcase_add_test(buffer, buffer_can_be_taken);
  tcase_add_test(buffer, buffer_errors_stick);
  suite_add_tcase(suite, context);
  suite_add_tcase(suite, memory);
  suite_add_tcase(suite, buffer);
  return suite;
}
