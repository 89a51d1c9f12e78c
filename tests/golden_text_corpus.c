/* Corpus scores of texts: BLEU, chrF, mean ROUGE, exact match and distinct-n over the golden lists of segments. */
#include "tests/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "eval/bleu.h"
#include "eval/chrf.h"
#include "eval/replies.h"
#include "eval/rouge.h"
#include "eval/text_match.h"

enum { MOST_SEGMENTS = 1000, MOST_REFERENCES = 8 };

typedef struct segment {
  as_string_view hypothesis;
  as_string_view references[MOST_REFERENCES];
} segment;

/* The JSON lines of a golden file as an array of objects. */
static json_t *read_lines(as_context *ctx, const char *name) {
  char *text;
  size_t length;
  ck_assert_ok(ctx, as_file_read(ctx, as_golden(name), 0, AS_E_DATA, &text, &length));
  json_t *rows = json_array();
  for (char *line = text, *end; (end = memchr(line, '\n', (size_t)(text + length - line))) != NULL; line = end + 1) {
    json_t *row = json_loadb(line, (size_t)(end - line), 0, NULL);
    ck_assert_msg(row != NULL, "%s is not JSON lines", name);
    json_array_append_new(rows, row);
  }
  as_free(ctx, text);
  return rows;
}

static as_string_view view_of_json(const json_t *value) {
  return (as_string_view){json_string_value(value), json_string_length(value)};
}

/* The segments that `row` names, with its number of references. Borrowed from `all`. */
static size_t pick_segments(const json_t *all, const json_t *row, size_t references, segment *out) {
  const json_t *ids = json_object_get(row, "segments");
  const size_t count = json_array_size(ids);
  ck_assert_uint_le(count, MOST_SEGMENTS);
  ck_assert_uint_le(references, MOST_REFERENCES);
  for (size_t i = 0; i < count; i++) {
    /* Segments stand at the place that their id tells: "g017" is the eighteenth. */
    const json_t *found = json_array_get(all, (size_t)atoi(json_string_value(json_array_get(ids, i)) + 1));
    ck_assert_str_eq(json_string_value(json_object_get(found, "id")), json_string_value(json_array_get(ids, i)));
    out[i].hypothesis = view_of_json(json_object_get(found, "hyp"));
    for (size_t r = 0; r < references; r++) {
      out[i].references[r] = view_of_json(json_array_get(json_object_get(found, "refs"), r));
    }
  }
  return count;
}

static void check(const json_t *row, const char *field, double actual, const json_t *expected, double relative) {
  const double value = json_number_value(expected);
  ck_assert_msg(json_is_number(expected), "%s has no number %s", json_string_value(json_object_get(row, "id")), field);
  ck_assert_msg(fabs(actual - value) <= relative * fabs(value), "%s.%s is %.17g, expected %.17g",
                json_string_value(json_object_get(row, "id")), field, actual, value);
}

static void check_bleu(as_context *ctx, const json_t *row, const json_t *expected, const segment *s, size_t count,
                       size_t references) {
  as_bleu_counts counts = {0}, lower = {0};
  for (size_t i = 0; i < count; i++) {
    ck_assert_ok(ctx, as_bleu_add(ctx, &counts, s[i].hypothesis, s[i].references, references, false));
    ck_assert_ok(ctx, as_bleu_add(ctx, &lower, s[i].hypothesis, s[i].references, references, true));
  }
  const as_bleu bleu = as_bleu_score(&counts, false);
  const json_t *fields = json_object_get(expected, "bleu");
  check(row, "bleu", bleu.score, json_object_get(fields, "score"), 1e-9);
  check(row, "bp", bleu.brevity_penalty, json_object_get(fields, "bp"), 1e-12);
  check(row, "sys_len", (double)counts.hypothesis_length, json_object_get(fields, "sys_len"), 0);
  check(row, "ref_len", (double)counts.reference_length, json_object_get(fields, "ref_len"), 0);
  for (size_t n = 0; n < AS_BLEU_ORDER; n++) {
    check(row, "precision", bleu.precisions[n], json_array_get(json_object_get(fields, "precisions"), n), 1e-12);
    check(row, "counts", (double)counts.matches[n], json_array_get(json_object_get(fields, "counts"), n), 0);
    check(row, "totals", (double)counts.totals[n], json_array_get(json_object_get(fields, "totals"), n), 0);
  }
  check(row, "bleu_lowercase", as_bleu_score(&lower, false).score, json_object_get(expected, "bleu_lowercase"), 1e-9);
}

static void check_chrf(as_context *ctx, const json_t *row, const json_t *expected, const segment *s, size_t count,
                       size_t references) {
  as_chrf_counts characters = {0}, words = {0};
  for (size_t i = 0; i < count; i++) {
    ck_assert_ok(ctx, as_chrf_add(ctx, &characters, s[i].hypothesis, s[i].references, references, false));
    ck_assert_ok(ctx, as_chrf_add(ctx, &words, s[i].hypothesis, s[i].references, references, true));
  }
  check(row, "chrf", as_chrf_score(&characters, false), json_object_get(expected, "chrf"), 1e-9);
  check(row, "chrf_pp", as_chrf_score(&words, true), json_object_get(expected, "chrf_pp"), 1e-9);
}

static void check_rouge(as_context *ctx, const json_t *row, const json_t *expected, const segment *s, size_t count,
                        bool stemmer) {
  double sums[AS_ROUGE_MEASURES] = {0};
  const char *field = stemmer ? "rouge_mean_f_stemmer" : "rouge_mean_f_no_stemmer";
  for (size_t i = 0; i < count; i++) {
    as_rouge_score scores[AS_ROUGE_MEASURES];
    ck_assert_ok(ctx, as_rouge_measure_text(ctx, s[i].hypothesis, s[i].references[0], stemmer, scores));
    for (int k = 0; k < AS_ROUGE_MEASURES; k++) sums[k] += scores[k].f;
  }
  for (int k = 0; k < AS_ROUGE_MEASURES; k++) {
    const char *name = as_rouge_name((as_rouge_measure)k);
    check(row, name, sums[k] / (double)count, json_object_get(json_object_get(expected, field), name), 1e-9);
  }
}

static void check_matches(as_context *ctx, const json_t *row, const json_t *expected, const segment *s, size_t count) {
  static as_string_view hypotheses[MOST_SEGMENTS];
  double exact = 0, normalized = 0;
  for (size_t i = 0; i < count; i++) {
    bool same;
    hypotheses[i] = s[i].hypothesis;
    exact += as_exact_match(s[i].hypothesis, s[i].references[0]);
    ck_assert_ok(ctx, as_exact_match_normalized(ctx, s[i].hypothesis, s[i].references[0], &same));
    normalized += same;
  }
  check(row, "exact_match", exact / (double)count, json_object_get(expected, "exact_match"), 1e-12);
  check(row, "normalized", normalized / (double)count, json_object_get(expected, "exact_match_normalized"), 1e-12);
  for (size_t n = 1; n <= 2; n++) {
    as_distinct distinct;
    ck_assert_ok(ctx, as_distinct_measure(ctx, hypotheses, count, n, &distinct));
    const json_t *fields = json_object_get(expected, n == 1 ? "distinct1" : "distinct2");
    check(row, "distinct", distinct.value, json_object_get(fields, "value"), 1e-12);
    check(row, "unique", (double)distinct.unique, json_object_get(fields, "unique"), 0);
    check(row, "total", (double)distinct.total, json_object_get(fields, "total"), 0);
  }
}

/* All of it in one call, as responses are evaluated. */
static void check_replies(as_context *ctx, const json_t *row, const json_t *expected, const segment *s, size_t count) {
  static as_string_view replies[MOST_SEGMENTS], references[MOST_SEGMENTS];
  const json_t *rouge = json_object_get(expected, "rouge_mean_f_no_stemmer");
  as_reply_scores scores;
  for (size_t i = 0; i < count; i++) {
    replies[i] = s[i].hypothesis;
    references[i] = s[i].references[0];
  }
  ck_assert_ok(ctx, as_reply_scores_measure(ctx, replies, references, (int64_t)count, &scores));
  check(row, "replies: bleu", scores.bleu, json_object_get(json_object_get(expected, "bleu"), "score"), 1e-9);
  check(row, "replies: chrf", scores.chrf, json_object_get(expected, "chrf"), 1e-9);
  check(row, "replies: rouge1", scores.rouge1, json_object_get(rouge, "rouge1"), 1e-9);
  check(row, "replies: rouge2", scores.rouge2, json_object_get(rouge, "rouge2"), 1e-9);
  check(row, "replies: rougeL", scores.rouge_l, json_object_get(rouge, "rougeL"), 1e-9);
  check(row, "replies: exact_match", scores.exact_match, json_object_get(expected, "exact_match"), 1e-12);
  check(row, "replies: normalized", scores.exact_match_normalized, json_object_get(expected, "exact_match_normalized"),
        1e-12);
  check(row, "replies: distinct1", scores.distinct1, json_object_get(json_object_get(expected, "distinct1"), "value"),
        1e-12);
  check(row, "replies: distinct2", scores.distinct2, json_object_get(json_object_get(expected, "distinct2"), "value"),
        1e-12);
}

START_TEST(every_corpus) {
  static segment segments[MOST_SEGMENTS];
  as_context *ctx = as_test_context(1);
  json_t *all = read_lines(ctx, "metrics/generation_segments.jsonl");
  json_t *rows = read_lines(ctx, "metrics/generation_corpus.jsonl");
  ck_assert_uint_ge(json_array_size(rows), 12);
  for (size_t i = 0; i < json_array_size(rows); i++) {
    const json_t *row = json_array_get(rows, i), *expected = json_object_get(row, "expected");
    const size_t references = (size_t)json_integer_value(json_object_get(row, "n_refs"));
    const size_t count = pick_segments(all, row, references, segments);
    check_bleu(ctx, row, expected, segments, count, references);
    check_chrf(ctx, row, expected, segments, count, references);
    check_rouge(ctx, row, expected, segments, count, false);
    check_rouge(ctx, row, expected, segments, count, true);
    check_matches(ctx, row, expected, segments, count);
    if (references == 1) check_replies(ctx, row, expected, segments, count);
  }
  json_decref(all);
  json_decref(rows);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  as_golden_or_skip();
  Suite *suite = suite_create("golden text corpora");
  TCase *tests = tcase_create("corpora");
  tcase_add_test(tests, every_corpus);
  suite_add_tcase(suite, tests);
  return suite;
}
