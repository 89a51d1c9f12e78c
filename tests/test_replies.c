/* The evaluation of replies: placeholders, lengths, agreement, what is said plainly, table and JSON. */
#include <string.h>

#include "eval/replies.h"
#include "tests/harness.h"

static as_context *ctx;

static as_reply_scores measure(const char *reply, const char *reference) {
  as_string_view a = as_string_view_of(reply), b = as_string_view_of(reference);
  as_reply_scores scores;
  ck_assert_ok(ctx, as_reply_scores_measure(ctx, &a, &b, 1, &scores));
  return scores;
}

static void assert_placeholders(const char *reply, const char *reference, int64_t all, int64_t kept) {
  as_reply_scores s = measure(reply, reference);
  ck_assert_msg(s.placeholders == all && s.placeholders_kept == kept, "\"%s\" for \"%s\": %d of %d", reply, reference,
                (int)s.placeholders_kept, (int)s.placeholders);
}

START_TEST(placeholders_are_counted_once_a_row) {
  ctx = as_test_context(1);
  assert_placeholders("your {{Order Number}} left", "order {{Order Number}} and {{Name}}, {{Name}}", 2, 1);
  assert_placeholders("", "{{a}}{{b}}{{a}}", 2, 0);
  assert_placeholders("{{b}}{{a}}", "{{a}}{{b}}{{a}}", 2, 2);
  assert_placeholders("{{Order Numbers}} {Order Number} {{order number}}", "{{Order Number}}", 1, 0);
  assert_placeholders("x", "no {one} {{}} {{ {{x} }} {{", 0, 0);
  assert_placeholders("{{x}}", "{{{x}}} {{", 1, 1);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(scores_are_of_the_whole) {
  static const char *const replies[] = {"the cat sat on the mat", "", "a b c"};
  static const char *const references[] = {"the cat sat on the mat", "one two", "A, b c!"};
  as_string_view a[3], b[3];
  as_reply_scores s;
  ctx = as_test_context(1);
  for (int i = 0; i < 3; i++) a[i] = as_string_view_of(replies[i]), b[i] = as_string_view_of(references[i]);
  ck_assert_ok(ctx, as_reply_scores_measure(ctx, a, b, 3, &s));
  ck_assert_int_eq(s.rows, 3);
  ck_assert(s.bleu > 20 && s.bleu < 100 && s.chrf > 20 && s.chrf < 100);
  ck_assert_double_eq_tol(s.exact_match, 1.0 / 3, 1e-15);
  ck_assert_double_eq_tol(s.exact_match_normalized, 2.0 / 3, 1e-15);
  ck_assert_double_eq_tol(s.distinct1, 8.0 / 9, 1e-15);
  ck_assert(s.length.shortest == 0 && s.length.median == 3 && s.length.longest == 6 && s.length.mean == 3);
  ck_assert(s.reference_length.shortest == 2 && s.reference_length.median == 3 && s.reference_length.longest == 6);
  ck_assert_refused(ctx, as_reply_scores_measure(ctx, a, b, 0, &s), AS_E_INVALID, "no replies");
  as_test_context_free(ctx);
}
END_TEST

static void assert_verdict(double model, double nearest, double frequent, const char *has, const char *has_not) {
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_reply_verdict(model, nearest, frequent, &out);
  const char *text = as_buffer_string(&out);
  ck_assert_msg(has ? strstr(text, has) != NULL : !*text, "%s", text);
  if (has_not) ck_assert_msg(!strstr(text, has_not), "%s", text);
  as_buffer_free(&out);
}

START_TEST(a_better_baseline_is_named) {
  ctx = as_test_context(1);
  assert_verdict(10, 10, 9, NULL, NULL);
  assert_verdict(2.5, 14.07, 1, "the most similar training message is better than the model's: BLEU 14.07 against 2.50",
                 "fixed reply");
  assert_verdict(2.5, 14, 2.8, "Even one fixed reply for everything reaches BLEU 2.80, the model 2.50", NULL);
  assert_verdict(2.5, 1, 2.8, "one fixed reply", "most similar");
  as_test_context_free(ctx);
}
END_TEST

static void write(const as_reply_evaluation *e, as_buffer *out, bool json) {
  as_buffer_init(out, ctx);
  if (!json) {
    as_reply_evaluation_table(e, out);
    return;
  }
  as_json_writer w = as_json_writer_start(out, 0);
  as_json_open_object(&w, NULL);
  as_reply_evaluation_json(&w, e);
  as_json_close_object(&w);
}

START_TEST(table_and_json_have_what_there_is) {
  as_buffer out;
  ctx = as_test_context(1);
  as_reply_evaluation e = {.model = measure("see {{a}}", "see {{a}} now"), .loss = 1, .perplexity = 2.7, .tokens = 4};
  write(&e, &out, false);
  ck_assert_ptr_nonnull(strstr(as_buffer_string(&out), "no nearest_replies.csv"));
  ck_assert_ptr_null(strstr(as_buffer_string(&out), "Plainly"));
  as_buffer_free(&out);
  write(&e, &out, true);
  ck_assert_ptr_nonnull(
      strstr(as_buffer_string(&out), "\"baselines\":{\"most_frequent\":null,\"nearest\":null},\"verdict\":null}"));
  as_buffer_free(&out);
  e.has_baselines = true;
  e.nearest = e.frequent = measure("no", "see {{a}} now");
  write(&e, &out, false);
  const char *text = as_buffer_string(&out);
  ck_assert_ptr_nonnull(strstr(text, "nearest reply   fixed reply"));
  ck_assert_ptr_null(strstr(text, "Plainly")); /* neither is better */
  for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
    ck_assert_uint_le(strcspn(line, "\n"), 80);
  as_buffer_free(&out);
  e.nearest.bleu = 99;
  write(&e, &out, false);
  ck_assert_ptr_nonnull(strstr(as_buffer_string(&out), "\nPlainly: the reply of the most similar"));
  as_buffer_free(&out);
  write(&e, &out, true);
  ck_assert_ptr_nonnull(strstr(as_buffer_string(&out), "\"verdict\":\"the reply of the most similar"));
  as_buffer_free(&out);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(failing_allocations_are_reported) {
  ctx = as_test_context(1);
  as_string_view a[2] = {as_string_view_of("good day to you"), as_string_view_of("bye")}, b[2] = {a[1], a[0]};
  as_reply_scores scores;
  bool failed = true;
  for (uint64_t n = 1; failed; n++) {
    as_test_fail_at(ctx, n);
    as_status status = as_reply_scores_measure(ctx, a, b, 2, &scores);
    failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_int_eq(status, failed ? AS_E_NOMEM : AS_OK);
    ck_assert_uint_eq(as_memory_used(ctx), 0);
  }
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  const TTest *const tests[] = {placeholders_are_counted_once_a_row, scores_are_of_the_whole,
                                a_better_baseline_is_named, table_and_json_have_what_there_is,
                                failing_allocations_are_reported};
  Suite *suite = suite_create("replies");
  for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
    TCase *tcase = tcase_create(tests[i]->name);
    tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
  }
  return suite;
}
