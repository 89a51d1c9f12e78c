/* The benchmarks measure something, stop when they are told to, and leave nothing behind. What the figures are is not a
 * test's business. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "bench/bench.h"
#include "bench/recommend.h"
#include "bench/t5.h"
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

/* On a machine as slow as this the large products are left out. */
static const as_bench_peaks SLOW = {.fma_gflops = 10};

/* The rate and the share follow from the shape, the time and the threads. */
static bool look_at_product(void *user, const as_bench_row *row) {
  seen *s = user;
  int m, n, k;
  s->rows++;
  ck_assert_int_eq(sscanf(row->shape, "m %d, n %d, k %d", &m, &n, &k), 3);
  ck_assert_double_eq_tol(row->gflops * row->seconds, 2e-9 * m * n * k, 1e-9);
  ck_assert_double_eq_tol(row->share, row->gflops / (SLOW.fma_gflops * row->threads), 1e-12);
  return s->rows != s->stop_after;
}

START_TEST(measures_the_matrix_product_with_one_thread_and_with_all) {
  seen s = {.ctx = as_test_context(2)};
  const as_kernels_f32 *table;
  bool goes_on = false;
  ck_assert_ok(s.ctx, as_kernels_select(s.ctx, &table));
  ck_assert_ok(s.ctx, as_bench_gemm(s.ctx, table, &SLOW, true, look_at_product, &s, &goes_on));
  ck_assert(goes_on);
  ck_assert_int_ge(s.rows, 2 * 8);
  s = (seen){.ctx = s.ctx, .stop_after = 3};
  ck_assert_ok(s.ctx, as_bench_gemm(s.ctx, table, &SLOW, false, look_at_product, &s, &goes_on));
  ck_assert(!goes_on);
  ck_assert_int_eq(s.rows, 3);
  for (uint64_t n = 1; n <= 5; n++) {
    as_test_fail_at(s.ctx, n);
    ck_assert_int_eq(as_bench_gemm(s.ctx, table, &SLOW, false, look_at_product, &s, &goes_on), AS_E_NOMEM);
  }
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

/* ---- models ------------------------------------------------------------------------------------------------- */

START_TEST(a_spread_is_made_of_values_in_order) {
  double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2}, many[20];
  for (int i = 0; i < 20; i++) many[i] = 20 - i;
  const as_spread a = as_spread_of(odd, 3), b = as_spread_of(even, 4), c = as_spread_of(many, 20);
  ck_assert(a.median == 3 && a.min == 1 && a.max == 5 && a.count == 3);
  ck_assert_double_eq(b.median, 2.5);
  ck_assert(c.median == 10.5 && c.p10 == 3 && c.p90 == 19); /* places 2 and 18 of 1, 2, ..., 20 */
}
END_TEST

static const char WORKLOAD[] = "6\t4,6,3\t2,0,80\n9\t9\t0\n";

/* A file with the workload; the folder is to be removed. */
static const char *workload_file(as_context *ctx, char **path) {
  const char *folder = as_test_folder();
  *path = as_path_join(ctx, folder, "lengths.txt");
  ck_assert_ptr_nonnull(*path);
  ck_assert_ok(ctx, as_file_write(ctx, *path, WORKLOAD, sizeof WORKLOAD - 1));
  return folder;
}

START_TEST(a_workload_becomes_batches_and_rows) {
  as_context *ctx = as_test_context(1);
  char *path;
  const char *folder = workload_file(ctx, &path);
  as_workload w;
  as_encoder_batch *batches;
  as_token_rows rows;
  ck_assert_ok(ctx, as_workload_read(ctx, path, 0, 9, &w));
  ck_assert(w.batches == 2 && w.rows == 4 && w.tokens == 22 && w.padded == 27);
  ck_assert_ok(ctx, as_workload_batches(&w, 7, 100, 77, &batches));
  as_token_rows_init(&rows, ctx);
  ck_assert_ok(ctx, as_workload_rows(&w, 7, 100, &rows));
  ck_assert(batches[0].sequences == 3 && batches[0].tokens == 13 && batches[1].sequences == 1);
  ck_assert(batches[0].labels[0] == 2 && batches[0].labels[1] == 0 && batches[0].labels[2] == 80 % 77);
  ck_assert_int_eq(rows.count, 4);
  ck_assert_mem_eq(rows.ids, batches[0].ids, 13 * sizeof(int32_t));
  ck_assert_mem_eq(batches[0].ids + 4, batches[1].ids, 6 * sizeof(int32_t)); /* both row 0 */
  for (int64_t i = 0; i < w.tokens; i++) ck_assert(rows.ids[i] >= 0 && rows.ids[i] < 100);
  for (int b = 0; b < 2; b++) as_encoder_batch_free(&batches[b]);
  as_free(ctx, batches);
  as_token_rows_free(&rows);
  as_workload_free(&w);
  ck_assert_refused(ctx, as_workload_read(ctx, path, 0, 8, &w), AS_E_DATA, "line 2");
  as_workload_free(&w);
  ck_assert_ok(ctx, as_workload_read(ctx, path, 1, 8, &w)); /* the second line is not read */
  as_workload_free(&w);
  as_free(ctx, path);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

/* Everything that bench train does; true if no allocation failed. */
static bool trains(as_context *ctx, const char *path, uint64_t failing) {
  const as_bench_model model = {.architecture = "roberta", .size = "tiny", .seed = 1};
  as_workload w;
  as_bench_training training;
  as_test_fail_at(ctx, failing);
  as_status status = as_workload_read(ctx, path, 0, AS_BENCH_POSITIONS, &w);
  if (status == AS_OK) status = as_bench_train(ctx, &model, &w, 2, &training);
  const bool failed = as_test_failed_one(ctx);
  as_test_fail_at(ctx, 0);
  as_workload_free(&w);
  if (failed) {
    ck_assert_int_eq(status, AS_E_NOMEM);
  } else {
    ck_assert_ok(ctx, status);
    ck_assert(training.steps == 4 && training.rows_per_second.count == 2 && training.step_seconds.count == 4);
    ck_assert(training.rows_per_second.min > 0 && training.loss > 0);
    ck_assert_uint_gt(training.planned_bytes, 16 * (size_t)training.parameters);
  }
  return !failed;
}

START_TEST(training_is_measured_or_memory_is_short) {
  as_context *ctx = as_test_context(1);
  char *path;
  const char *folder = workload_file(ctx, &path);
  ck_assert(trains(ctx, path, 0));
  for (uint64_t n = 1; n <= 8; n++) ck_assert(!trains(ctx, path, n)); /* the file's */
  for (uint64_t n = 9; n < 400 && !trains(ctx, path, n);) n += n / 4;
  as_free(ctx, path);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(answers_are_measured_or_memory_is_short) {
  as_context *ctx = as_test_context(1);
  const as_bench_model model = {.architecture = "distilbert", .size = "tiny", .seed = 1};
  const as_bench_model none = {.architecture = "roberta", .size = "huge"}, unknown = {.architecture = "bert"};
  as_encoder *encoder;
  as_spread seconds;
  ck_assert_refused(ctx, as_bench_encoder_new(ctx, &none, false, &encoder), AS_E_INVALID, "huge");
  ck_assert_refused(ctx, as_bench_encoder_new(ctx, &unknown, false, &encoder), AS_E_INVALID, "bert");
  ck_assert_ok(ctx, as_bench_encoder_new(ctx, &model, false, &encoder));
  ck_assert_ok(ctx, as_encoder_pack(encoder));
  ck_assert_ok(ctx, as_bench_latency(ctx, encoder, 1, 8, 3, &seconds));
  ck_assert(seconds.count == 3 && seconds.min > 0 && seconds.min <= seconds.median);
  for (uint64_t n = 1;; n++) {
    as_test_fail_at(ctx, n);
    as_status status = as_bench_latency(ctx, encoder, 1, 8, 3, &seconds);
    const bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    if (!failed) break;
  }
  as_encoder_free(encoder);
  as_test_context_free(ctx);
}
END_TEST

/* ---- T5 --------------------------------------------------------------------------------------------------------- */

static const char PAIRS[] = "6,4\t4,6,3\t4,1,2\t2,0,5\n9,12\t9\t12\t1\n";

START_TEST(a_workload_of_pairs_becomes_sources_and_targets) {
  static const struct {
    const char *text, *fragment;
  } wrong[] = {{"6\t4\t4\t2\n", "where a comma should"},
               {"6,4\t4\t5\t2\n", "a row of 5 tokens in a batch padded to 4"},
               {"6,4\t4,2\t4\t2,1\n", "1 lengths, but 2 rows"},
               {"6,4\t4\t2\n", "where a tab should"},
               {"6,0\t4\t1\t2\n", "must begin with the length"}};
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  char *path = as_path_join(ctx, folder, "pairs.txt");
  as_workload w;
  as_t5_batch *batches;
  ck_assert_ok(ctx, as_file_write(ctx, path, PAIRS, sizeof PAIRS - 1));
  ck_assert_ok(ctx, as_workload_read_pairs(ctx, path, 0, 20, &w));
  ck_assert(w.batches == 2 && w.rows == 4 && w.tokens == 22 + 19 && w.padded == 3 * 10 + 21);
  ck_assert_ok(ctx, as_workload_pairs(&w, 7, 100, &batches));
  ck_assert(batches[0].source.tokens == 13 && batches[0].target.tokens == 7 && batches[1].target.tokens == 12);
  ck_assert(batches[0].target.ids[0] == 0 && batches[0].target.ids[1] == batches[0].labels[0]);
  for (int b = 0; b < 2; b++) as_t5_batch_free(&batches[b]);
  as_free(ctx, batches);
  as_workload_free(&w);
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    ck_assert_ok(ctx, as_file_write(ctx, path, wrong[i].text, strlen(wrong[i].text)));
    ck_assert_refused(ctx, as_workload_read_pairs(ctx, path, 0, 20, &w), AS_E_DATA, wrong[i].fragment);
    as_workload_free(&w);
  }
  as_free(ctx, path);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

/* Trains and generates; true if no allocation failed. */
static bool t5_works(as_context *ctx, const char *path, uint64_t failing) {
  const as_bench_model model = {.architecture = "t5", .size = "tiny", .seed = 1};
  as_bench_generation g = {.batch = 2, .prompt_tokens = 5, .new_tokens = 4, .beams = 2};
  as_workload w;
  as_bench_training training;
  as_t5 *t5 = NULL;
  as_test_fail_at(ctx, failing);
  as_status status = as_workload_read_pairs(ctx, path, 0, AS_BENCH_POSITIONS, &w);
  if (status == AS_OK) status = as_bench_train(ctx, &model, &w, 1, &training);
  if (status == AS_OK) status = as_bench_t5_new(ctx, &model, false, &t5);
  if (status == AS_OK) status = as_bench_generate(ctx, t5, 1, 2, &g);
  const bool failed = as_test_failed_one(ctx);
  as_test_fail_at(ctx, 0);
  as_t5_free(t5);
  as_workload_free(&w);
  ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
  if (failed) return false;
  ck_assert(training.steps == 2 && training.loss > 0);
  ck_assert(g.seconds.count == 2 && g.first_token_seconds.count == 2 && g.seconds.min > 0);
  ck_assert(g.first_token_seconds.median < g.seconds.median);
  return true;
}

START_TEST(t5_is_measured_or_memory_is_short) {
  as_context *ctx = as_test_context(1);
  const as_bench_model none = {.architecture = "t5", .size = "huge"};
  const char *folder = as_test_folder();
  char *path = as_path_join(ctx, folder, "pairs.txt");
  as_t5 *t5;
  ck_assert_ok(ctx, as_file_write(ctx, path, PAIRS, sizeof PAIRS - 1));
  ck_assert_refused(ctx, as_bench_t5_new(ctx, &none, false, &t5), AS_E_INVALID, "huge");
  for (uint64_t n = 1; !t5_works(ctx, path, n);) n += 1 + n / 3;
  as_free(ctx, path);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

/* Each pair once, in order, as many as asked for, the same for a seed; few products have most of the pairs. */
START_TEST(pairs_are_made_up_as_described) {
  static const int64_t sizes[][3] = {{300, 100, 4000}, {1, 2, 1}, {7, 11, 35}, {1000, 20, 9999}};
  as_context *ctx = as_test_context(1);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    as_bench_pairs p, again;
    ck_assert_ok(ctx, as_bench_pairs_make(ctx, sizes[i][0], sizes[i][1], sizes[i][2], 5, &p));
    ck_assert_ok(ctx, as_bench_pairs_make(ctx, sizes[i][0], sizes[i][1], sizes[i][2], 5, &again));
    ck_assert_int_eq(p.count, sizes[i][2]);
    ck_assert_int_eq(p.starts[p.customers], p.count);
    ck_assert_mem_eq(p.items, again.items, (size_t)p.count * sizeof *p.items);
    for (int64_t c = 0; c < p.customers; c++)
      for (int64_t j = p.starts[c]; j < p.starts[c + 1]; j++) {
        ck_assert_int_eq(p.users[j], c);
        ck_assert(p.items[j] >= 0 && p.items[j] < p.products);
        ck_assert(j == p.starts[c] || p.items[j - 1] < p.items[j]);
      }
    int64_t most = 0, *met = as_alloc_zero(ctx, (size_t)p.products, sizeof *met);
    for (int64_t j = 0; j < p.count; j++)
      if (++met[p.items[j]] > most) most = met[p.items[j]];
    if (i == 0) ck_assert_int_gt(most, 3 * p.count / p.products);
    as_free(ctx, met);
    as_bench_pairs_free(&p);
    as_bench_pairs_free(&again);
  }
  as_bench_pairs p;
  ck_assert_refused(ctx, as_bench_pairs_make(ctx, 10, 10, 51, 1, &p), AS_E_INVALID, "half of the possible");
  as_test_context_free(ctx);
}
END_TEST

/* A measurement with the n-th allocation failing; true when there were so many. Everything being wanted, the first ten
 * are hits. */
static bool recommending_fails(uint64_t n, bool als) {
  const as_bench_recommend_options options = {.als = als, .dim = 3, .epochs = 2, .repeats = 2, .asked = 9, .n = 4};
  as_context *ctx = as_test_context(1);
  as_bench_pairs pairs = {0};
  as_bench_recommending r;
  as_test_fail_at(ctx, n);
  as_status status = as_bench_pairs_make(ctx, 30, 40, 300, 1, &pairs);
  if (status == AS_OK) status = as_bench_recommend(&pairs, &options, &r);
  const bool failed = as_test_failed_one(ctx);
  ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
  if (!failed) {
    ck_assert(r.precision == 1.0);
    ck_assert_int_gt(r.ranks, 9 * 20);
    ck_assert_double_gt(r.rows_per_second.min, 0);
  }
  as_bench_pairs_free(&pairs);
  as_test_context_free(ctx);
  return failed;
}

START_TEST(recommending_is_measured_or_memory_is_short) {
  for (uint64_t n = 1; recommending_fails(n, false);) n++;
  for (uint64_t n = 1; recommending_fails(n, true);) n++;
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("bench");
  TCase *tcase = tcase_create("bench");
  tcase_add_test(tcase, times_a_function_by_many_calls);
  tcase_add_test(tcase, a_wider_isa_has_a_higher_peak);
  tcase_add_test(tcase, measures_every_kernel_of_the_best_table);
  tcase_add_test(tcase, measures_the_matrix_product_with_one_thread_and_with_all);
  tcase_add_test(tcase, stops_when_nobody_reads);
  tcase_add_test(tcase, reports_that_memory_is_short);
  tcase_add_test(tcase, a_spread_is_made_of_values_in_order);
  tcase_add_test(tcase, a_workload_becomes_batches_and_rows);
  tcase_add_test(tcase, training_is_measured_or_memory_is_short);
  tcase_add_test(tcase, answers_are_measured_or_memory_is_short);
  tcase_add_test(tcase, a_workload_of_pairs_becomes_sources_and_targets);
  tcase_add_test(tcase, t5_is_measured_or_memory_is_short);
  tcase_add_test(tcase, pairs_are_made_up_as_described);
  tcase_add_test(tcase, recommending_is_measured_or_memory_is_short);
  suite_add_tcase(suite, tcase);
  return suite;
}
