/* Two systems' replies beside each other: the paired bootstrap against sacrebleu's numbers for the same resamples
 * (tests/golden/make_paired_replies.py), threads, no rows, failing allocations. */
#include "tests/harness.h"

#include <math.h>
#include <string.h>

#include "eval/replies_comparison.h"

enum { MOST = 64 };

typedef struct fixture {
  json_t *root;
  as_string_view references[MOST], replies[2][MOST];
  int32_t indices[MOST * MOST];
  as_reply_comparison_input input;
} fixture;

static void read_texts(const json_t *list, as_string_view *out) {
  for (size_t i = 0; i < json_array_size(list); i++)
    out[i] = as_string_view_of(json_string_value(json_array_get(list, i)));
}

static void read_fixture(as_context *ctx, fixture *f) {
  ck_assert_ok(ctx,
               as_json_read(ctx, as_source_path("tests/golden/paired_replies.json"), 1 << 20, AS_E_DATA, &f->root));
  const json_t *resamples = json_object_get(f->root, "resamples");
  const size_t rows = json_array_size(json_object_get(f->root, "refs"));
  ck_assert(rows > 1 && rows <= MOST && json_array_size(resamples) <= MOST);
  read_texts(json_object_get(f->root, "refs"), f->references);
  read_texts(json_object_get(f->root, "hyp_a"), f->replies[0]);
  read_texts(json_object_get(f->root, "hyp_b"), f->replies[1]);
  for (size_t r = 0; r < json_array_size(resamples); r++)
    for (size_t i = 0; i < rows; i++)
      f->indices[r * rows + i] = (int32_t)json_integer_value(json_array_get(json_array_get(resamples, r), i));
  f->input = (as_reply_comparison_input){.rows = (int64_t)rows,
                                         .references = f->references,
                                         .replies = {f->replies[0], f->replies[1]},
                                         .resamples = (int64_t)json_array_size(resamples),
                                         .indices = f->indices};
}

#define ck_assert_relative(actual, expected, relative)                                                                 \
  do {                                                                                                                 \
    const double a_ = (actual), e_ = (expected);                                                                       \
    ck_assert_msg(fabs(a_ - e_) <= (relative)*fabs(e_), "%s is %.17g, expected %.17g", #actual, a_, e_);               \
  } while (0)

/* The sums of every row, [2, rows, AS_REPLY_SUMS], as the comparison makes them. */
static void make_sums(as_context *ctx, const fixture *f, double *sums) {
  for (int model = 0; model < 2; model++)
    for (int64_t row = 0; row < f->input.rows; row++)
      ck_assert_ok(ctx, as_reply_row_sums(ctx, f->replies[model][row], f->references[row],
                                          sums + (model * f->input.rows + row) * AS_REPLY_SUMS));
}

START_TEST(each_resample_scores_as_sacrebleu) {
  static double sums[2 * MOST * AS_REPLY_SUMS];
  static const char *const keys[] = {"bleu", "chrf"};
  static const as_reply_figure figures[] = {AS_REPLY_BLEU, AS_REPLY_CHRF};
  as_context *ctx = as_test_context(2);
  fixture f;
  as_paired_score scores[AS_REPLY_FIGURES];
  as_reply_comparison c;
  read_fixture(ctx, &f);
  make_sums(ctx, &f, sums);
  const as_paired_sums job = {
      f.input.rows, AS_REPLY_SUMS, AS_REPLY_FIGURES, sums, sums + f.input.rows * AS_REPLY_SUMS, as_reply_figures_of};
  ck_assert_ok(ctx, as_paired_sums_measure(ctx, &job, f.input.resamples, f.indices, 0, scores));
  ck_assert_ok(ctx, as_reply_comparison_measure(ctx, &f.input, &c));
  for (int k = 0; k < 2; k++) {
    const json_t *expected = json_object_get(json_object_get(f.root, "expected"), keys[k]);
    const json_t *a = json_object_get(expected, "resamples_a"), *b = json_object_get(expected, "resamples_b");
    const as_paired_score *score = &scores[figures[k]];
    ck_assert_relative(score->first, json_number_value(json_object_get(expected, "a")), 1e-12);
    ck_assert_relative(score->second, json_number_value(json_object_get(expected, "b")), 1e-12);
    for (int64_t r = 0; r < f.input.resamples; r++) {
      const double first = json_number_value(json_array_get(a, (size_t)r));
      const double second = json_number_value(json_array_get(b, (size_t)r));
      ck_assert_msg(fabs(score->delta.deltas[r] - (second - first)) <= 1e-10, "%s, resample %d: %.17g, not %.17g",
                    keys[k], (int)r, score->delta.deltas[r], second - first);
    }
    const as_paired_score *whole = &c.figures[figures[k]].score;
    ck_assert(memcmp(&whole->delta.ci95, &score->delta.ci95, sizeof whole->delta.ci95) == 0);
  }
  ck_assert_relative(c.scores[0].bleu, c.figures[AS_REPLY_BLEU].score.first, 0);
  ck_assert_relative(c.scores[1].rouge_l, c.figures[AS_REPLY_ROUGE_L].score.second, 0);
  ck_assert_relative((double)c.scores[1].placeholders_kept / (double)c.scores[1].placeholders,
                     c.figures[AS_REPLY_KEPT].score.second, 0);
  ck_assert_int_eq(c.alike, 1);
  ck_assert(c.better > 0 && c.worse > 0 && c.better + c.worse < f.input.rows);
  as_reply_comparison_free(ctx, &c);
  as_paired_scores_free(ctx, scores, AS_REPLY_FIGURES);
  json_decref(f.root);
  as_test_context_free(ctx);
}
END_TEST

/* JSON and table; caller frees the buffer. */
static as_status compare(as_context *ctx, const as_reply_comparison_input *input, as_buffer *out) {
  as_reply_comparison c;
  as_buffer_init(out, ctx);
  as_status status = as_reply_comparison_measure(ctx, input, &c);
  if (status != AS_OK) return status;
  as_json_writer w = as_json_writer_start(out, 0);
  as_json_open_object(&w, NULL);
  as_reply_comparison_json(&w, &c);
  as_json_close_object(&w);
  as_report report = as_report_start(out, false);
  as_reply_comparison_report(&report, &c);
  as_reply_comparison_free(ctx, &c);
  return as_buffer_status(out);
}

START_TEST(the_same_text_for_any_number_of_threads) {
  as_context *contexts[3];
  as_buffer texts[3];
  for (int i = 0; i < 3; i++) {
    fixture f;
    contexts[i] = as_test_context(i + 1);
    read_fixture(contexts[i], &f);
    f.input.indices = NULL;
    f.input.resamples = 300;
    ck_assert_ok(contexts[i], compare(contexts[i], &f.input, &texts[i]));
    ck_assert_str_eq(as_buffer_string(&texts[i]), as_buffer_string(&texts[0]));
    json_decref(f.root);
  }
  for (int i = 0; i < 3; i++) {
    as_buffer_free(&texts[i]);
    as_test_context_free(contexts[i]);
  }
}
END_TEST

START_TEST(no_rows_have_no_figures) {
  as_context *ctx = as_test_context(1);
  const as_reply_comparison_input input = {.resamples = 100};
  as_buffer out;
  ck_assert_ok(ctx, compare(ctx, &input, &out));
  ck_assert(strstr(out.data, "{\"n\":0,\"bleu\":{\"first\":null,\"second\":null,\"difference\":null}"));
  as_buffer_free(&out);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(failing_allocations_are_reported) {
  as_context *ctx = as_test_context(1);
  fixture f;
  as_buffer out;
  read_fixture(ctx, &f);
  f.input.rows = 2;
  f.input.resamples = 3;
  f.input.indices = NULL;
  const size_t used = as_memory_used(ctx);
  bool goes_on = true;
  for (uint64_t n = 1; goes_on; n++) {
    as_test_fail_at(ctx, n);
    const as_status status = compare(ctx, &f.input, &out);
    as_buffer_free(&out);
    goes_on = as_test_failed_cleanly(ctx, status, used);
  }
  json_decref(f.root);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  const TTest *const tests[] = {each_resample_scores_as_sacrebleu, the_same_text_for_any_number_of_threads,
                                no_rows_have_no_figures, failing_allocations_are_reported};
  Suite *suite = suite_create("replies_comparison");
  for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
    TCase *tcase = tcase_create(tests[i]->name);
    tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
  }
  return suite;
}
