/* What holds for every trainer of tokenizers: its limits, and that the order of the texts is nothing to it. And the
 * rule of byte-level BPE. */
#include <stdlib.h>

#include "base/random.h"
#include "tests/text_source.h"
#include "tokenizer/bpe.h"
#include "tokenizer/byte_bpe_trainer.h"

static as_context *ctx;

static void setup(void) {
  ctx = as_test_context(1);
}
static void teardown(void) {
  as_test_context_free(ctx);
}

static const struct {
  const char *model;
  size_t alphabet; /* tokens of the text "abc" before anything is joined */
  bool has_unknown;
} kinds[] = {{"WordPiece", 5 + 3 + 2, true}, {"BPE", 5 + 256, false}};
enum { KINDS = 2 };

static as_tokenizer *train(int kind, const char *const *lines, size_t vocab_size) {
  as_tokenizer *tokenizer;
  as_lines_source from = {.lines = lines};
  ck_assert_ok(ctx, as_tokenizer_train(ctx, kinds[kind].model, vocab_size, as_next_line, &from, &tokenizer));
  ck_assert_str_eq(as_tokenizer_model(tokenizer), kinds[kind].model);
  return tokenizer;
}

/* ---- limits --------------------------------------------------------------------------------------------------- */

START_TEST(an_alphabet_over_the_size_is_kept_and_warned_of) {
  char warning[64];
  as_tokenizer *tokenizer = train(_i, (const char *const[]){"abc", NULL}, 6);
  ck_assert_uint_eq(as_tokenizer_vocab_size(tokenizer), kinds[_i].alphabet);
  snprintf(warning, sizeof warning, "%zu tokens, more than the 6 asked for", kinds[_i].alphabet);
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), warning));
  as_tokenizer_free(tokenizer);
}
END_TEST

START_TEST(what_cannot_be_trained_is_refused) {
  as_tokenizer *tokenizer;
  as_lines_source from = {.lines = (const char *const[]){"", NULL}};
  ck_assert_refused(ctx, as_tokenizer_train(ctx, kinds[_i].model, 4, as_next_line, &from, &tokenizer), AS_E_INVALID,
                    "no room");
  ck_assert_refused(ctx, as_tokenizer_train(ctx, kinds[_i].model, 1000, as_next_line, &from, &tokenizer), AS_E_DATA,
                    "no word");
  ck_assert_ptr_null(tokenizer);
}
END_TEST

START_TEST(an_unknown_kind_is_refused) {
  as_tokenizer *tokenizer;
  as_lines_source from = {.lines = (const char *const[]){NULL}};
  ck_assert_refused(ctx, as_tokenizer_train(ctx, "WordLevel", 100, as_next_line, &from, &tokenizer), AS_E_INVALID,
                    "no tokenizer of the kind \"WordLevel\" can be trained");
  ck_assert_ptr_null(tokenizer);
}
END_TEST

static as_status broken_source(void *user, const char **text, size_t *length) {
  int *left = user;
  *text = "a b";
  *length = 3;
  return --*left ? AS_OK : as_fail(ctx, AS_E_IO, "the source broke");
}

START_TEST(a_source_that_fails_ends_the_training) {
  as_tokenizer *tokenizer;
  int left = 3;
  ck_assert_refused(ctx, as_tokenizer_train(ctx, kinds[_i].model, 500, broken_source, &left, &tokenizer), AS_E_IO,
                    "broke");
}
END_TEST

/* Every merge would go through the long word again. */
START_TEST(endless_words_cost_nothing) {
  size_t size = 1 << 20;
  char *word = as_alloc(ctx, size + 1, 1);
  for (size_t i = 0; i < size; i++) word[i] = (char)('a' + (i * i / 7) % 26);
  word[size] = 0;
  as_tokenizer *tokenizer = train(_i, (const char *const[]){word, "ab", NULL}, 1000);
  ck_assert_int_ge(as_tokenizer_id(tokenizer, "ab", 2), 0);
  ck_assert_uint_eq(as_tokenizer_vocab_size(tokenizer), kinds[_i].has_unknown ? 5 + 4 : 5 + 256 + 1);
  as_tokenizer_free(tokenizer);
  as_free(ctx, word);
}
END_TEST

/* ---- real sentences ------------------------------------------------------------------------------------------- */

enum { SENTENCES = 300 };

typedef struct sentences {
  char *text;
  const char *lines[SENTENCES + 1];
} sentences;

static void read_sentences(sentences *all) {
  size_t length, count = 0;
  ck_assert_ok(ctx,
               as_file_read(ctx, as_source_path("tests/golden/own_sentences.txt"), 0, AS_E_DATA, &all->text, &length));
  for (char *line = strtok(all->text, "\n"); line; line = strtok(NULL, "\n")) {
    ck_assert_uint_lt(count, SENTENCES);
    all->lines[count++] = line;
  }
  ck_assert_uint_eq(count, SENTENCES);
  all->lines[count] = NULL;
}

/* tokenizer.json as it is written; ends the tokenizer. The caller frees the text. */
static char *written(as_tokenizer *tokenizer) {
  const char *folder = as_test_folder();
  char *path = as_path_join(ctx, folder, "tokenizer.json"), *text;
  size_t length;
  ck_assert_ok(ctx, as_tokenizer_save(tokenizer, folder, 0));
  ck_assert_ok(ctx, as_file_read(ctx, path, 0, AS_E_MODEL, &text, &length));
  as_free(ctx, path);
  as_test_folder_remove(folder);
  as_tokenizer_free(tokenizer);
  return text;
}

START_TEST(the_order_of_texts_does_not_matter) {
  sentences all;
  int64_t order[SENTENCES];
  const char *shuffled[SENTENCES + 1] = {0};
  read_sentences(&all);
  char *first = written(train(_i, all.lines, 500)), *second;
  for (int64_t i = 0; i < SENTENCES; i++) order[i] = i;
  as_random random = as_random_start(1, 2);
  as_random_shuffle(&random, order, SENTENCES);
  for (int i = 0; i < SENTENCES; i++) shuffled[i] = all.lines[order[i]];
  second = written(train(_i, shuffled, 500));
  ck_assert_str_eq(second, first);
  as_free(ctx, first);
  as_free(ctx, second);
  as_free(ctx, all.text);
}
END_TEST

START_TEST(trained_tokens_spell_the_texts) {
  sentences all;
  read_sentences(&all);
  as_tokenizer *tokenizer = train(_i, all.lines, 800);
  ck_assert_uint_eq(as_tokenizer_vocab_size(tokenizer), 800);
  as_encoding encoding;
  as_buffer text;
  as_encoding_init(&encoding, ctx);
  as_buffer_init(&text, ctx);
  size_t tokens = 0, words = 0;
  for (int i = 0; i < SENTENCES; i++) {
    int64_t ids[512];
    ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, all.lines[i], strlen(all.lines[i]), NULL, 0, NULL, &encoding));
    ck_assert_uint_le(encoding.length, 512);
    for (size_t k = 0; k < encoding.length; k++) {
      ck_assert_int_ne(encoding.ids[k], as_tokenizer_special(tokenizer, AS_TOKEN_UNK));
      ids[k] = encoding.ids[k];
    }
    tokens += encoding.length - 2;
    for (const char *c = all.lines[i]; *c; c++) words += *c == ' ';
    words++;
    if (kinds[_i].has_unknown) continue; /* bytes come back as they were */
    as_buffer_clear(&text);
    ck_assert_ok(ctx, as_tokenizer_decode(tokenizer, ids, encoding.length, true, &text));
    ck_assert_str_eq(text.data, all.lines[i]);
  }
  ck_assert_uint_lt(tokens, 2 * words); /* characters alone would be about 5 a word */
  as_encoding_free(&encoding);
  as_buffer_free(&text);
  as_tokenizer_free(tokenizer);
  as_free(ctx, all.text);
}
END_TEST

/* ---- the rule of byte-level BPE ------------------------------------------------------------------------------- */

#define G "\xC4\xA0" /* the byte map's space */
static const struct {
  const char *lines[4];
  as_byte_bpe_training options;
  const char *merges; /* "left+right", separated by blanks */
} cases[] = {
    {{"ab ab ab xcd xcd"}, {.vocab_size = 300}, "a+b c+d x+cd " G "+ab " G "+xcd"},
    {{"ab ab ab xcd xcd"}, {.vocab_size = 263}, "a+b c+d"},
    {{"aaaa"}, {.vocab_size = 300}, "a+a aa+aa"}, /* overlapping pairs count at each position, replaced from the left */
    {{"ab", "cd", "ba"}, {.vocab_size = 300}, "a+b b+a c+d"}, /* ties go to the smaller left id */
    {{"ab ab"}, {.vocab_size = 300, .min_frequency = 2}, "a+b"},
    {{"ab"}, {.vocab_size = 300, .min_frequency = 2}, ""},
    {{"ab"}, {.vocab_size = 300, .add_prefix_space = true}, "a+b " G "+ab"},
    {{"\xC3\xA9"}, {.vocab_size = 300}, "\xC3\x83+\xC2\xA9"},
    {{"a\xFF"}, {.vocab_size = 300}, "\xC2\xBF+\xC2\xBD \xC3\xAF+\xC2\xBF\xC2\xBD"}, /* what is no UTF-8 is U+FFFD */
};

START_TEST(the_rule_is_followed) {
  as_tokenizer *tokenizer;
  as_lines_source from = {.lines = cases[_i].lines};
  char text[256] = "";
  ck_assert_ok(ctx, as_byte_bpe_train(ctx, &cases[_i].options, as_next_line, &from, &tokenizer));
  const as_bpe *bpe = tokenizer->stages[AS_STAGE_MODEL].state;
  for (size_t i = 0, used = 0; i < bpe->merges.count; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s+%s", i ? " " : "",
                             as_tokenizer_token(tokenizer, bpe->merges.rules[i].left, NULL),
                             as_tokenizer_token(tokenizer, bpe->merges.rules[i].right, NULL));
  ck_assert_str_eq(text, cases[_i].merges);
  ck_assert_uint_eq(as_tokenizer_vocab_size(tokenizer), 5 + 256 + bpe->merges.count);
  as_tokenizer_free(tokenizer);
}
END_TEST

START_TEST(special_tokens_are_roberta_s) {
  static const char *const names[] = {"<s>", "<pad>", "</s>", "<unk>", "<mask>"};
  static const as_special_token uses[] = {AS_TOKEN_CLS, AS_TOKEN_PAD, AS_TOKEN_SEP, AS_TOKEN_UNK, AS_TOKEN_MASK};
  as_tokenizer *tokenizer = train(1, (const char *const[]){"ab", NULL}, 300);
  for (int i = 0; i < 5; i++) {
    ck_assert_str_eq(as_tokenizer_token(tokenizer, i, NULL), names[i]);
    ck_assert_int_eq(as_tokenizer_special(tokenizer, uses[i]), i);
    ck_assert(as_tokenizer_is_special(tokenizer, i));
  }
  as_encoding encoding;
  as_encoding_init(&encoding, ctx);
  ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, "ab <mask>", 9, "ab", 2, NULL, &encoding));
  const int32_t ids[] = {0, 261, 4, 2, 2, 261, 2};
  ck_assert_uint_eq(encoding.length, 7);
  for (size_t i = 0; i < 7; i++) ck_assert_int_eq(encoding.ids[i], ids[i]);
  as_encoding_free(&encoding);
  as_tokenizer_free(tokenizer);
}
END_TEST

Suite *as_suite(void) {
  const TTest *const both[] = {an_alphabet_over_the_size_is_kept_and_warned_of,
                               what_cannot_be_trained_is_refused,
                               a_source_that_fails_ends_the_training,
                               endless_words_cost_nothing,
                               the_order_of_texts_does_not_matter,
                               trained_tokens_spell_the_texts};
  Suite *suite = suite_create("trainers");
  TCase *tcase = tcase_create("training");
  tcase_add_checked_fixture(tcase, setup, teardown);
  for (size_t i = 0; i < sizeof both / sizeof *both; i++) tcase_add_loop_test(tcase, both[i], 0, KINDS);
  tcase_add_test(tcase, an_unknown_kind_is_refused);
  tcase_add_loop_test(tcase, the_rule_is_followed, 0, (int)(sizeof cases / sizeof *cases));
  tcase_add_test(tcase, special_tokens_are_roberta_s);
  suite_add_tcase(suite, tcase);
  return suite;
}
