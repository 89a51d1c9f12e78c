/* The benchmarks measure something, stop when they are told to, and leave nothing behind. What the figures are is not a
 * test's business. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "bench/bench.h"
#include "tests/harness.h"

static const as_bench_peaks PEAKS = {.fma_gflops = 100, .cache_gbytes = 100, .memory_gbytes = 10};

static void count_call(void *argument) {
  (*(int64_t *)argument)++;
}

START_TEST(times_a_function_by_many_calls) {
  int64_t calls = 0;
  const double seconds = as_bench_seconds(count_call, &calls);
  ck_assert_double_gt(seconds, 0);
  ck_assert_double_lt(seconds, 1e-3);
  ck_assert_int_gt(calls, 1000);
}
END_TEST

START_TEST(a_wider_isa_has_a_higher_peak) {
  double last = 0;
  bool supported;
  for (size_t i = 1; as_kernels_at(i, &supported); i++) { /* from the first that is not "scalar" */
    if (!supported) continue;
    const double peak = as_bench_fma_gflops(as_kernels_at(i, NULL)->isa);
    ck_assert_double_gt(peak, 0.9 * last);
    ck_assert_double_lt(peak, 2000);
    last = peak;
  }
}
END_TEST

typedef struct seen {
  int rows, stop_after;
  as_context *ctx;
} seen;

/* A row says what it is and reads back as JSON. */
static bool look(void *user, const as_bench_row *row) {
  seen *s = user;
  s->rows++;
  ck_assert(row->name && row->isa && row->place && row->shape[0]);
  ck_assert_double_gt(row->seconds, 0);
  ck_assert_double_gt(row->gbytes, 0);
  ck_assert_double_eq_tol(row->share, row->gbytes / PEAKS.cache_gbytes, 1e-12);
  as_buffer text;
  json_t *json;
  as_buffer_init(&text, s->ctx);
  as_bench_row_json(&text, row);
  ck_assert_ok(s->ctx, as_json_parse(s->ctx, text.data, text.length, "row", AS_E_DATA, &json));
  ck_assert_str_eq(json_string_value(json_object_get(json, "kernel")), row->name);
  ck_assert_double_eq(json_number_value(json_object_get(json, "seconds")), row->seconds);
  json_decref(json);
  as_buffer_clear(&text);
  as_bench_row_text(&text, row);
  ck_assert_ptr_nonnull(strstr(text.data, row->name));
  as_buffer_free(&text);
  return s->rows != s->stop_after;
}

START_TEST(measures_every_kernel_of_the_best_table) {
  seen s = {.ctx = as_test_context(1)};
  const as_kernels_f32 *table;
  bool goes_on = false;
  ck_assert_ok(s.ctx, as_kernels_select(s.ctx, &table));
  ck_assert_ok(s.ctx, as_bench_kernels(s.ctx, table, &PEAKS, false, look, &s, &goes_on));
  ck_assert(goes_on);
  ck_assert_int_ge(s.rows, 30);
  as_test_context_free(s.ctx);
}
END_TEST

START_TEST(stops_when_nobody_reads) {
  seen s = {.ctx = as_test_context(1), .stop_after = 2};
  const as_kernels_f32 *table;
  bool goes_on = true;
  ck_assert_ok(s.ctx, as_kernels_select(s.ctx, &table));
  ck_assert_ok(s.ctx, as_bench_kernels(s.ctx, table, &PEAKS, true, look, &s, &goes_on));
  ck_assert(!goes_on);
  ck_assert_int_eq(s.rows, 2);
  as_test_context_free(s.ctx);
}
END_TEST

START_TEST(reports_that_memory_is_short) {
  for (uint64_t n = 1; n <= 11; n++) {
    seen s = {.ctx = as_test_context(1), .stop_after = 1};
    const as_kernels_f32 *table;
    bool goes_on;
    ck_assert_ok(s.ctx, as_kernels_select(s.ctx, &table));
    as_test_fail_at(s.ctx, n);
    ck_assert_int_eq(as_bench_kernels(s.ctx, table, &PEAKS, false, look, &s, &goes_on), AS_E_NOMEM);
    ck_assert_int_eq(s.rows, 0);
    as_test_context_free(s.ctx);
  }
  as_context *ctx = as_test_context(1);
  const as_kernels_f32 *table;
  as_bench_peaks peaks;
  ck_assert_ok(ctx, as_kernels_select(ctx, &table));
  as_test_fail_at(ctx, 2);
  ck_assert_int_eq(as_bench_measure_peaks(ctx, table, &peaks), AS_E_NOMEM);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("bench");
  TCase *tcase = tcase_create("bench");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, times_a_function_by_many_calls);
  tcase_add_test(tcase, a_wider_isa_has_a_higher_peak);
  tcase_add_test(tcase, measures_every_kernel_of_the_best_table);
  tcase_add_test(tcase, stops_when_nobody_reads);
  tcase_add_test(tcase, reports_that_memory_is_short);
  suite_add_tcase(suite, tcase);
  return suite;
}
