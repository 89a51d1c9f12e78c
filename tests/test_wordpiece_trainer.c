/* Training a WordPiece vocabulary: the rule's order and ties, and merging by itself. */
#include <stdlib.h>

#include "tests/text_source.h"
#include "tokenizer/merge_trainer.h"
#include "tokenizer/wordpiece_trainer.h"

static as_context *ctx;

static void setup(void) {
  ctx = as_test_context(1);
}
static void teardown(void) {
  as_test_context_free(ctx);
}

static as_tokenizer *train(const char *const *lines, as_wordpiece_training options) {
  as_tokenizer *tokenizer;
  as_lines_source from = {.lines = lines};
  ck_assert_ok(ctx, as_wordpiece_train(ctx, &options, as_next_line, &from, &tokenizer));
  return tokenizer;
}

/* The tokens after the special ones, separated by blanks; ends the tokenizer. */
static const char *tokens_of(as_tokenizer *tokenizer) {
  static char text[65536];
  size_t used = 0;
  text[0] = 0;
  for (size_t id = 5; id < as_tokenizer_vocab_size(tokenizer); id++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", id > 5 ? " " : "",
                             as_tokenizer_token(tokenizer, (int64_t)id, NULL));
  as_tokenizer_free(tokenizer);
  return text;
}

static const struct {
  const char *lines[4];
  as_wordpiece_training options;
  const char *tokens;
} cases[] = {
    /* characters, continuing characters, then merges: (a, ##b) three times, then (x, ##c) */
    {{"ab ab ab xcd xcd"}, {.vocab_size = 100}, "a b c d x ##b ##c ##d ab xc xcd"},
    /* ties go to the smaller left id, then the smaller right id */
    {{"ab cd ba dc"}, {.vocab_size = 15}, "a b c d ##a ##b ##c ##d ab ba"},
    /* overlapping pairs count at each position, and are replaced from the left: a ##a ##a ##a has (##a, ##a) twice */
    {{"aaaa"}, {.vocab_size = 9}, "a ##a ##aa aaa"},
    {{"abab abab", "ab"}, {.vocab_size = 100, .min_frequency = 3}, "a b ##a ##b ab"},
    {{"abab abab", "ab"}, {.vocab_size = 100, .min_frequency = 6}, "a b ##a ##b"},
    {{"Caf\xC3\xA9, CAFE!"}, {.vocab_size = 13}, "! , a c e f ##a ##e ##f"},
    {{"Ab ab"}, {.vocab_size = 100, .cased = true}, "A a b ##b Ab ab"},
    {{"\xE4\xB8\xAD\xE6\x96\x87 \xE4\xB8\xAD"}, {.vocab_size = 100}, "\xE4\xB8\xAD \xE6\x96\x87"},
    {{"a", "", " "}, {.vocab_size = 5}, "a"},
};

START_TEST(the_rule_is_followed) {
  ck_assert_str_eq(tokens_of(train(cases[_i].lines, cases[_i].options)), cases[_i].tokens);
}
END_TEST

/* ---- the merges by themselves, without a prefix --------------------------------------------------------------- */

static char merges[1024];

static void note_merge(void *user, int32_t left, int32_t right, int32_t joined) {
  as_vocabulary *vocabulary = user;
  size_t used = strlen(merges);
  snprintf(merges + used, sizeof merges - used, "%s+%s=%s ", as_vocabulary_token(vocabulary, left, NULL),
           as_vocabulary_token(vocabulary, right, NULL), as_vocabulary_token(vocabulary, joined, NULL));
}

/* Trains on words of the letters a to d. `extra` is a token that the vocabulary has beside them. Returns its size. */
static size_t merge_words(const char *extra, const char *const *words, const int64_t *counts, size_t word_count) {
  as_vocabulary vocabulary;
  as_vocabulary_init(&vocabulary, ctx);
  for (int32_t c = 0; c < 4; c++) ck_assert_ok(ctx, as_vocabulary_add(&vocabulary, &"abcd"[c], 1, c));
  if (extra) ck_assert_ok(ctx, as_vocabulary_add(&vocabulary, extra, strlen(extra), 4));
  int32_t symbols[64];
  as_merge_word list[8];
  size_t used = 0;
  for (size_t i = 0; i < word_count; i++) {
    list[i] = (as_merge_word){.start = used, .length = (uint32_t)strlen(words[i]), .count = counts[i]};
    for (const char *c = words[i]; *c; c++) symbols[used++] = *c - 'a';
  }
  as_merge_training task = {.vocabulary = &vocabulary,
                            .symbols = symbols,
                            .words = list,
                            .word_count = word_count,
                            .vocab_size = 100,
                            .prefix = "",
                            .merged = note_merge,
                            .user = &vocabulary};
  merges[0] = 0;
  ck_assert_ok(ctx, as_train_merges(&task));
  size_t size = vocabulary.count;
  as_vocabulary_free(&vocabulary);
  return size;
}

START_TEST(merges_are_told_in_order) {
  const char *const words[] = {"abab", "ba", "cd"};
  ck_assert_uint_eq(merge_words(NULL, words, (int64_t[]){2, 3, 4}, 3), 8);
  ck_assert_str_eq(merges, "b+a=ba c+d=cd a+ba=aba aba+b=abab ");
}
END_TEST

START_TEST(a_string_that_is_a_token_is_used_again) {
  const char *const words[] = {"abc", "abd"};
  ck_assert_uint_eq(merge_words("ab", words, (int64_t[]){2, 1}, 2), 7); /* a b c d ab abc abd */
  ck_assert_str_eq(merges, "a+b=ab ab+c=abc ab+d=abd ");
}
END_TEST

Suite *as_suite(void) {
  const TTest *const tests[] = {merges_are_told_in_order, a_string_that_is_a_token_is_used_again};
  Suite *suite = suite_create("wordpiece_trainer");
  TCase *tcase = tcase_create("training");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_loop_test(tcase, the_rule_is_followed, 0, sizeof cases / sizeof *cases);
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(tcase, tests[i]);
  suite_add_tcase(suite, tcase);
  return suite;
}
