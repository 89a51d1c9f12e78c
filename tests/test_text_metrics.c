/* Text metrics: tokens, stems, lower-casing, BLEU, chrF, ROUGE and matches on small cases of our own. */
#include "tests/harness.h"

#include <math.h>
#include <string.h>

#include "eval/bleu.h"
#include "eval/chrf.h"
#include "eval/porter.h"
#include "eval/rouge.h"
#include "eval/text_match.h"
#include "eval/tokens.h"

#define ck_assert_near(actual, expected)                                                                               \
  do {                                                                                                                 \
    const double a_ = (actual), e_ = (expected);                                                                       \
    ck_assert_msg(fabs(a_ - e_) <= 1e-12 * (1 + fabs(e_)), "%s is %.17g, expected %.17g", #actual, a_, e_);            \
  } while (0)

/* The tokens joined by '|'. */
static void check_tokens(as_tokens *tokens, const char *expected) {
  as_buffer joined;
  as_buffer_init(&joined, tokens->ctx);
  ck_assert_ok(tokens->ctx, as_tokens_status(tokens));
  for (size_t i = 0; i < tokens->count; i++) {
    const as_string_view token = as_tokens_at(tokens, i);
    if (i > 0) as_buffer_char(&joined, '|');
    as_buffer_append(&joined, token.text, token.length);
  }
  ck_assert_str_eq(as_buffer_string(&joined), expected);
  as_buffer_free(&joined);
  as_tokens_free(tokens);
}

static const struct {
  const char *text, *bleu, *rouge, *chrf;
} tokenized[] = {
    {"", "", "", ""},
    {"It costs $1,234.50 (20% off)!", "It|costs|$|1,234.50|(|20|%|off|)|!", "it|costs|1|234|50|20|off",
     "It|costs|$|1,234.50|(20|%|off)|!"},
    {"x...y 5. .5 1-2 a-b", "x|.|.|.|y|5|.|.|5|1|-|2|a-b", "x|y|5|5|1|2|a|b", "x...y|5|.|.|5|1-2|a-b"},
    {"don't&amp;lt;&quot;<skipped>now-\nhere", "don't|<|\"|nowhere", "don|t|amp|lt|quot|skipped|now|here",
     "don't&amp;lt;&quot;<skipped>now|-|here"},
    {"\xe6\xb3\xa8\xe6\x96\x87\xc2\xa0"
     "caf\xc3\xa9. ",
     "\xe6\xb3\xa8\xe6\x96\x87|caf\xc3\xa9|.", "caf", "\xe6\xb3\xa8\xe6\x96\x87|caf\xc3\xa9|."},
    {"\xe2\x84\xaaing", "\xe2\x84\xaaing", "king", "\xe2\x84\xaaing"}, /* the Kelvin sign */
    {"\xff.\xff", "\xff|.|\xff", "", "\xff.\xff"},                     /* not UTF-8 */
};

START_TEST(tokens_of_each_kind) {
  as_context *ctx = as_test_context(1);
  as_tokens tokens;
  as_tokens_init(&tokens, ctx);
  const as_string_view text = as_string_view_of(tokenized[_i].text);
  as_tokenize_13a(&tokens, text, false);
  check_tokens(&tokens, tokenized[_i].bleu);
  as_tokenize_rouge(&tokens, text, false);
  check_tokens(&tokens, tokenized[_i].rouge);
  as_tokenize_chrf(&tokens, text);
  check_tokens(&tokens, tokenized[_i].chrf);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(stems_as_nltk_gives_them) {
  static const char *const pairs[][2] = {{"dies", "die"},
                                         {"flies", "fli"},
                                         {"died", "die"},
                                         {"spied", "spi"},
                                         {"dying", "die"},
                                         {"skies", "sky"},
                                         {"caresses", "caress"},
                                         {"ponies", "poni"},
                                         {"hopping", "hop"},
                                         {"falling", "fall"},
                                         {"hoping", "hope"},
                                         {"agreed", "agre"},
                                         {"feed", "feed"},
                                         {"plastered", "plaster"},
                                         {"sized", "size"},
                                         {"controlling", "control"},
                                         {"roll", "roll"},
                                         {"rationally", "ration"},
                                         {"conditionally", "condit"},
                                         {"geology", "geolog"},
                                         {"theology", "theolog"},
                                         {"happy", "happi"},
                                         {"say", "say"},
                                         {"yyyy", "yyyi"},
                                         {"enjoy", "enjoy"},
                                         {"adoption", "adopt"},
                                         {"replacement", "replac"},
                                         {"abc123ing", "abc123"},
                                         {"inning", "inning"},
                                         {"possibly", "possibl"},
                                         {"hopefully", "hope"},
                                         {"relational", "relat"},
                                         {"oed", "o"},
                                         {"by", "by"},
                                         {"vietnamization", "vietnam"}};
  as_context *ctx = as_test_context(1);
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    as_buffer stem;
    as_buffer_init(&stem, ctx);
    as_porter_stem(&stem, pairs[i][0], strlen(pairs[i][0]));
    ck_assert_str_eq(as_buffer_string(&stem), pairs[i][1]);
    as_buffer_free(&stem);
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(lower_case_knows_the_final_sigma_and_the_dotted_i) {
  static const char *const pairs[][2] = {
      {"\xce\x91\xce\xa3", "\xce\xb1\xcf\x82"},                                   /* at the end of a word: final */
      {"\xce\xa3", "\xcf\x83"},                                                   /* alone: not */
      {"\xce\x91\xce\xa3.\xce\x91", "\xce\xb1\xcf\x83.\xce\xb1"},                 /* a full stop does not end a word */
      {"\xce\x91\xcc\x81\xce\xa3 \xce\x91", "\xce\xb1\xcc\x81\xcf\x82 \xce\xb1"}, /* a space does */
      {"\xc4\xb0I", "i\xcc\x87i"},
      {"ABC\xc3\x84", "abc\xc3\xa4"},
      {"\xff", "\xef\xbf\xbd"}};
  as_context *ctx = as_test_context(1);
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    as_buffer lower;
    as_buffer_init(&lower, ctx);
    as_append_lower(&lower, as_string_view_of(pairs[i][0]));
    ck_assert_str_eq(as_buffer_string(&lower), pairs[i][1]);
    as_buffer_free(&lower);
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(bleu_by_hand) {
  as_context *ctx = as_test_context(1);
  as_bleu_counts counts = {0};
  const as_string_view references[] = {as_string_view_of("a b c d e"), as_string_view_of("a b c d e f g")};
  ck_assert_ok(ctx, as_bleu_add(ctx, &counts, as_string_view_of("a b c d x"), references, 1, false));
  ck_assert_near(as_bleu_score(&counts, false).score, 100 * pow(0.8 * 0.75 * (2.0 / 3) * 0.5, 0.25));
  /* Six words stand between references of five and seven: the shorter counts. */
  counts = (as_bleu_counts){0};
  ck_assert_ok(ctx, as_bleu_add(ctx, &counts, as_string_view_of("a b c d e f"), references, 2, false));
  ck_assert_int_eq(counts.reference_length, 5);
  ck_assert_int_eq(counts.matches[0], 6);
  ck_assert_near(as_bleu_score(&counts, false).score, 100);
  /* Two words: no trigram, so 0, unless such orders are left out. */
  counts = (as_bleu_counts){0};
  ck_assert_ok(ctx, as_bleu_add(ctx, &counts, as_string_view_of("A B"), references, 1, true));
  ck_assert_near(as_bleu_score(&counts, false).score, 0);
  ck_assert_near(as_bleu_score(&counts, true).score, 100 * exp(1 - 5.0 / 2));
  counts = (as_bleu_counts){0};
  ck_assert_near(as_bleu_score(&counts, false).score, 0);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(chrf_by_hand) {
  as_context *ctx = as_test_context(1);
  as_chrf_counts counts = {0};
  const as_string_view references[] = {as_string_view_of("zzz"), as_string_view_of("a bd")};
  ck_assert_ok(ctx, as_chrf_add(ctx, &counts, as_string_view_of("ab c"), references, 2, false));
  /* Of "abc" against "abd": 2 of 3 characters, 1 of 2 pairs, 0 of 1 triples; precision and recall are equal. */
  ck_assert_near(as_chrf_score(&counts, false), 100 * (2.0 / 3 + 0.5 + 0) / 3);
  counts = (as_chrf_counts){0};
  ck_assert_ok(ctx, as_chrf_add(ctx, &counts, as_string_view_of(""), references, 1, true));
  ck_assert_near(as_chrf_score(&counts, true), 0);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(rouge_by_hand) {
  as_context *ctx = as_test_context(1);
  as_rouge_score s[AS_ROUGE_MEASURES];
  ck_assert_ok(ctx, as_rouge_measure_text(ctx, as_string_view_of("a b c d"), as_string_view_of("b x d a e"), false, s));
  ck_assert_near(s[AS_ROUGE_1].precision, 0.75);
  ck_assert_near(s[AS_ROUGE_1].recall, 0.6);
  ck_assert_near(s[AS_ROUGE_2].f, 0);
  ck_assert_near(s[AS_ROUGE_L].precision, 0.5); /* b d */
  /* Lin's example of the union: w1 w2 and w1 w3 w5 hit four of the five words of the reference. */
  ck_assert_ok(ctx, as_rouge_measure_text(ctx, as_string_view_of("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5\n\n"),
                                          as_string_view_of("w1 w2 w3 w4 w5"), false, s));
  ck_assert_near(s[AS_ROUGE_LSUM].recall, 0.8);
  ck_assert_near(s[AS_ROUGE_LSUM].precision, 0.4);
  ck_assert_near(s[AS_ROUGE_L].recall, 0.8);
  ck_assert_ok(ctx, as_rouge_measure_text(ctx, as_string_view_of("\n.\n"), as_string_view_of("word"), false, s));
  ck_assert_near(s[AS_ROUGE_LSUM].f, 0);
  const as_string_view references[] = {as_string_view_of("nothing"), as_string_view_of("running fast"),
                                       as_string_view_of("runs fast")};
  ck_assert_ok(ctx, as_rouge_measure_best(ctx, as_string_view_of("runs fast"), references, 3, false, s));
  ck_assert_near(s[AS_ROUGE_2].f, 1);
  ck_assert_ok(ctx, as_rouge_measure_text(ctx, as_string_view_of("runs fast"), references[1], true, s));
  ck_assert_near(s[AS_ROUGE_L].f, 1);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(texts_too_long_for_a_table_are_refused) {
  as_context *ctx = as_test_context(1);
  as_buffer words;
  as_buffer_init(&words, ctx);
  for (int i = 0; i < 50000; i++) as_buffer_text(&words, "w ");
  as_rouge_score s[AS_ROUGE_MEASURES];
  const as_string_view text = {words.data, words.length};
  ck_assert_refused(ctx, as_rouge_measure_text(ctx, text, text, false, s), AS_E_LIMIT, "50000 and 50000 words");
  as_buffer_free(&words);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(matches) {
  static const char *const same[][2] = {
      {"The answer!", "answer"},
      {"an  Owl_and the a cat", "owland cat"},
      {"a\xcc\x81 b", "\xcc\x81 b"}, /* a combining mark is no letter: "a" stands alone */
      {" the ", ""},
      {"\xc3\x84", "\xc3\xa4"}};
  static const char *const different[][2] = {{"a1", "1"}, {"then", "n"}, {"x y", "xy"}, {"\xc3\xa1", "\xcc\x81"}};
  as_context *ctx = as_test_context(1);
  bool equal;
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    ck_assert_ok(ctx,
                 as_exact_match_normalized(ctx, as_string_view_of(same[i][0]), as_string_view_of(same[i][1]), &equal));
    ck_assert_msg(equal, "\"%s\" and \"%s\" should be the same", same[i][0], same[i][1]);
  }
  for (size_t i = 0; i < sizeof different / sizeof *different; i++) {
    ck_assert_ok(ctx, as_exact_match_normalized(ctx, as_string_view_of(different[i][0]),
                                                as_string_view_of(different[i][1]), &equal));
    ck_assert_msg(!equal, "\"%s\" and \"%s\" should differ", different[i][0], different[i][1]);
  }
  ck_assert(as_exact_match(as_string_view_of(""), as_string_view_of("")) &&
            !as_exact_match(as_string_view_of("a"), as_string_view_of("A")));
  as_test_context_free(ctx);
}
END_TEST

START_TEST(distinct_ngrams) {
  const as_string_view texts[] = {as_string_view_of("a b a b"), as_string_view_of("b a"), as_string_view_of("")};
  as_context *ctx = as_test_context(1);
  as_distinct d;
  ck_assert_ok(ctx, as_distinct_measure(ctx, texts, 3, 1, &d));
  ck_assert(d.unique == 2 && d.total == 6);
  ck_assert_ok(ctx, as_distinct_measure(ctx, texts, 3, 2, &d));
  ck_assert(d.unique == 2 && d.total == 4); /* pairs do not cross texts */
  ck_assert_near(d.value, 0.5);
  ck_assert_ok(ctx, as_distinct_measure(ctx, texts, 3, 1000000000, &d));
  ck_assert(d.unique == 0 && d.total == 0);
  ck_assert_ok(ctx, as_distinct_measure(ctx, texts, 0, 1, &d));
  ck_assert_near(d.value, 0);
  ck_assert_refused(ctx, as_distinct_measure(ctx, texts, 3, 0, &d), AS_E_INVALID, "at least 1");
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("text metrics");
  TCase *tests = tcase_create("texts");
  tcase_add_loop_test(tests, tokens_of_each_kind, 0, (int)(sizeof tokenized / sizeof *tokenized));
  tcase_add_test(tests, stems_as_nltk_gives_them);
  tcase_add_test(tests, lower_case_knows_the_final_sigma_and_the_dotted_i);
  tcase_add_test(tests, bleu_by_hand);
  tcase_add_test(tests, chrf_by_hand);
  tcase_add_test(tests, rouge_by_hand);
  tcase_add_test(tests, texts_too_long_for_a_table_are_refused);
  tcase_add_test(tests, matches);
  tcase_add_test(tests, distinct_ngrams);
  suite_add_tcase(suite, tests);
  return suite;
}
