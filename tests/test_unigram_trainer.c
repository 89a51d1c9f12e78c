/* Training a Unigram vocabulary: what is always kept, that threads and the order of the texts are nothing to it, that
 * what is saved reads back the same, its limits, and failing allocations. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/harness.h"
#include "tokenizer/nfkc_rules.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/script.h"
#include "tokenizer/seed_pieces.h"
#include "tokenizer/stages.h"
#include "tokenizer/unigram_trainer.h"

static as_context *ctx;

static void setup(void) {
  ctx = as_test_context(2);
}
static void teardown(void) {
  as_test_context_free(ctx);
}

/* Texts ended by NULL, forwards or backwards. */
typedef struct source {
  const char *const *lines;
  size_t next, count;
  bool backwards;
} source;

static as_status next_line(void *user, const char **text, size_t *length) {
  source *from = user;
  if (from->next == from->count) return AS_OK;
  size_t at = from->backwards ? from->count - 1 - from->next : from->next;
  from->next++;
  *text = from->lines[at];
  *length = strlen(*text);
  return AS_OK;
}

static source texts_of(const char *const *lines) {
  source from = {.lines = lines};
  while (lines[from.count]) from.count++;
  return from;
}

static const char *const SHOP[] = {"Where is my order?",
                                   "where is my new order now",
                                   "Please cancel my order and refund the order total.",
                                   "The delivery of my orders is late, the delivery was promised for today.",
                                   "refund my delivery, please",
                                   "I don't want the refunded order: I want a new delivery.",
                                   "caf\xC3\xA9 orders 123 and 1234, today and today",
                                   "Where are the orders? Where is the refund? Where?",
                                   NULL};

static as_tokenizer *train_with(as_context *context, as_unigram_training options, bool backwards) {
  as_tokenizer *tokenizer = NULL;
  source from = texts_of(SHOP);
  from.backwards = backwards;
  ck_assert_ok(context, as_unigram_train(context, &options, next_line, &from, &tokenizer));
  return tokenizer;
}

/* All pieces and scores as one text; the caller's, with as_buffer_free. */
static as_buffer listing(const as_tokenizer *tokenizer) {
  as_buffer out;
  as_buffer_init(&out, ctx);
  for (size_t id = 0; id < as_tokenizer_vocab_size(tokenizer); id++)
    as_buffer_printf(&out, "%s %a\n", as_tokenizer_token(tokenizer, (int64_t)id, NULL),
                     tokenizer->vocabulary.scores[id]);
  return out;
}

START_TEST(special_tokens_characters_and_frequent_words_are_there) {
  as_tokenizer *tokenizer = train_with(ctx, (as_unigram_training){.vocab_size = 60, .character_coverage = 1}, false);
  static const char *const wanted[] = {"\xE2\x96\x81",
                                       "\xC3\xA9",
                                       "4",
                                       "?",
                                       "\xE2\x96\x81order",
                                       "\xE2\x96\x81my",
                                       "s",
                                       ",",
                                       ("\xE2\x96\x81" "delivery")};
  static const char *const special[] = {"<pad>", "</s>", "<unk>"};
  ck_assert_uint_eq(as_tokenizer_vocab_size(tokenizer), 60);
  for (int32_t i = 0; i < 3; i++) ck_assert_int_eq(as_tokenizer_id(tokenizer, special[i], strlen(special[i])), i);
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    if (as_tokenizer_id(tokenizer, wanted[i], strlen(wanted[i])) < 3) ck_abort_msg("%s is missing", wanted[i]);
  for (size_t id = 4; id < 60; id++) {
    ck_assert_double_le(tokenizer->vocabulary.scores[id], tokenizer->vocabulary.scores[id - 1]);
    double steps = tokenizer->vocabulary.scores[id] * 1024;
    ck_assert_double_eq(steps, round(steps));
  }
  as_tokenizer_free(tokenizer);
}
END_TEST

/* No piece has two scripts, U+2581 inside, or more than 16 characters. */
START_TEST(pieces_are_of_one_script) {
  as_tokenizer *tokenizer = train_with(ctx, (as_unigram_training){.vocab_size = 400}, false);
  for (size_t id = 3; id < as_tokenizer_vocab_size(tokenizer); id++) {
    const char *piece = as_tokenizer_token(tokenizer, (int64_t)id, NULL);
    bool letter = false, other = false;
    for (const char *c = piece; *c; c++) {
      letter = letter || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
      other = other || (*c > ' ' && !((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')));
    }
    if (letter && other) ck_abort_msg("piece %s", piece);
    ck_assert_uint_le(as_utf8_count(piece, strlen(piece)), 16);
    ck_assert_ptr_null(strstr(piece + 1, "\xE2\x96\x81"));
  }
  as_tokenizer_free(tokenizer);
}
END_TEST

START_TEST(neither_threads_nor_order_matter) {
  as_unigram_training options = {.vocab_size = 80};
  as_tokenizer *first = train_with(ctx, options, false);
  as_buffer expected = listing(first);
  as_tokenizer_free(first);
  static const int threads[] = {1, 2, 3, 8};
  for (size_t i = 0; i < 4; i++) {
    as_context *other = as_test_context(threads[i]);
    as_tokenizer *tokenizer = train_with(other, options, i % 2);
    as_buffer mine = listing(tokenizer);
    ck_assert_str_eq(as_buffer_string(&mine), as_buffer_string(&expected));
    as_buffer_free(&mine);
    as_tokenizer_free(tokenizer);
    as_test_context_free(other);
  }
  as_buffer_free(&expected);
}
END_TEST

static void expect_same(const as_tokenizer *a, const as_tokenizer *b, const char *text) {
  as_encoding first, second;
  as_encoding_init(&first, ctx);
  as_encoding_init(&second, ctx);
  ck_assert_ok(ctx, as_tokenizer_encode(a, text, strlen(text), NULL, 0, NULL, &first));
  ck_assert_ok(ctx, as_tokenizer_encode(b, text, strlen(text), NULL, 0, NULL, &second));
  ck_assert_uint_eq(first.length, second.length);
  for (size_t i = 0; i < first.length; i++) ck_assert_int_eq(first.ids[i], second.ids[i]);
  as_encoding_free(&first);
  as_encoding_free(&second);
}

START_TEST(what_is_saved_reads_the_same) {
  const char *folder = as_test_folder();
  char path[512];
  as_tokenizer *trained = train_with(ctx, (as_unigram_training){.vocab_size = 65, .extra_ids = 5}, false), *json,
               *piece;
  ck_assert_ok(ctx, as_tokenizer_save(trained, folder, 256));
  ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &json));
  snprintf(path, sizeof path, "%s/spiece.model", folder);
  ck_assert_ok(ctx, as_tokenizer_open(ctx, path, &piece));
  as_test_folder_remove(folder);
  ck_assert_str_eq(as_test_warnings(ctx), "");
  ck_assert_uint_eq(as_tokenizer_model_max_length(json), 256);
  for (int i = 0; i < 3; i++) {
    const as_tokenizer *tokenizer = i == 0 ? trained : i == 1 ? json : piece;
    ck_assert_uint_eq(as_tokenizer_vocab_size(tokenizer), 65);
    ck_assert_int_eq(as_tokenizer_id(tokenizer, "<extra_id_0>", 12), 64);
    ck_assert_int_eq(as_tokenizer_id(tokenizer, "<extra_id_4>", 12), 60);
    ck_assert(as_tokenizer_is_special(tokenizer, 60));
    ck_assert_int_eq(as_tokenizer_special(tokenizer, AS_TOKEN_EOS), 1);
    ck_assert_int_eq(as_tokenizer_special(tokenizer, AS_TOKEN_PAD), 0);
  }
  as_buffer a = listing(trained), b = listing(json);
  ck_assert_str_eq(as_buffer_string(&a), as_buffer_string(&b));
  as_buffer_free(&a);
  as_buffer_free(&b);
  static const char *const probes[] = {"Where is  my\torder? ", "", "  ", "unknown \xE4\xB8\xAD characters",
                                       "orders\n\n1234"};
  for (size_t i = 0; i < sizeof probes / sizeof *probes; i++) {
    expect_same(trained, json, probes[i]);
    expect_same(trained, piece, probes[i]);
  }
  as_tokenizer_free(trained);
  as_tokenizer_free(json);
  as_tokenizer_free(piece);
}
END_TEST

START_TEST(rare_characters_have_no_piece_below_full_coverage) {
  as_tokenizer *tokenizer = train_with(ctx, (as_unigram_training){.vocab_size = 90, .character_coverage = 0.9}, false);
  ck_assert_int_eq(as_tokenizer_id(tokenizer, "\xC3\xA9", 2), -1);
  ck_assert_int_eq(as_tokenizer_id(tokenizer, "4", 1), -1);
  ck_assert_int_gt(as_tokenizer_id(tokenizer, "e", 1), 2);
  as_tokenizer_free(tokenizer);
}
END_TEST

START_TEST(characters_over_the_size_are_kept_and_warned_of) {
  as_tokenizer *tokenizer = train_with(ctx, (as_unigram_training){.vocab_size = 10, .character_coverage = 1}, false);
  ck_assert_uint_gt(as_tokenizer_vocab_size(tokenizer), 30);
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "more than the 10 asked for"));
  as_tokenizer_free(tokenizer);
}
END_TEST

START_TEST(fewer_pieces_than_asked_for_are_warned_of) {
  as_tokenizer *tokenizer = train_with(ctx, (as_unigram_training){.vocab_size = 5000}, false);
  ck_assert_uint_lt(as_tokenizer_vocab_size(tokenizer), 200);
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "fewer than the 5000 asked for"));
  as_tokenizer_free(tokenizer);
}
END_TEST

static const struct {
  const char *lines[3];
  as_unigram_training options;
  as_status status;
  const char *text;
} refused[] = {
    {{"a"}, {.vocab_size = 3}, AS_E_INVALID, "3 pieces has no room"},
    {{"a"}, {.vocab_size = 50, .extra_ids = 47}, AS_E_INVALID, "no room beside the 50"},
    {{"a"}, {.vocab_size = 50, .character_coverage = 1.5}, AS_E_INVALID, "from 0 to 1"},
    {{"a"}, {.vocab_size = 50, .character_coverage = NAN}, AS_E_INVALID, "from 0 to 1"},
    {{"", " \t\n"}, {.vocab_size = 50}, AS_E_DATA, ""},
    {{NULL}, {.vocab_size = 50}, AS_E_DATA, ""},
};

START_TEST(wrong_options_and_empty_texts_are_refused) {
  as_tokenizer *tokenizer = (as_tokenizer *)1;
  source from = texts_of(refused[_i].lines);
  ck_assert_refused(ctx, as_unigram_train(ctx, &refused[_i].options, next_line, &from, &tokenizer), refused[_i].status,
                    refused[_i].text);
  ck_assert_ptr_null(tokenizer);
}
END_TEST

/* Odd texts: one character, one word without end, only what has no piece before or after it. */
START_TEST(odd_texts_train) {
  static char endless[5000];
  for (size_t i = 0; i + 1 < sizeof endless; i++) endless[i] = "abcab"[i % 5];
  static const char *const lines[][3] = {{"a"}, {endless}, {"\xF0\x9F\x98\x80"}, {"<unk> </s> <unk>"}, {"x\xFFy\xC3"}};
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    as_tokenizer *tokenizer;
    source from = texts_of(lines[i]);
    as_unigram_training options = {.vocab_size = 30, .character_coverage = 1};
    ck_assert_ok(ctx, as_unigram_train(ctx, &options, next_line, &from, &tokenizer));
    ck_assert_uint_gt(as_tokenizer_vocab_size(tokenizer), 4);
    expect_same(tokenizer, tokenizer, lines[i][0]);
    as_tokenizer_free(tokenizer);
  }
}
END_TEST

START_TEST(failing_allocations_are_survived) {
  for (uint64_t n = 1;; n += 1 + n / 6) {
    as_tokenizer *tokenizer = NULL;
    source from = texts_of(SHOP);
    as_context *failing = as_test_context(1);
    as_test_fail_at(failing, n);
    as_status status =
        as_unigram_train(failing, &(as_unigram_training){.vocab_size = 60}, next_line, &from, &tokenizer);
    bool failed = as_test_failed_one(failing);
    if (failed) ck_assert_int_eq(status, AS_E_NOMEM);
    as_test_fail_at(failing, 0);
    as_tokenizer_free(tokenizer);
    as_test_context_free(failing);
    if (!failed) {
      ck_assert_int_eq(status, AS_OK);
      ck_assert_uint_gt(n, 50);
      return;
    }
  }
}
END_TEST

/* ---- parts ---------------------------------------------------------------------------------------------------- */

static const struct {
  const char *words[4]; /* the count is the digit in front */
  const char *pieces;   /* with their counts, in order */
} seeds[] = {
    {{"3abc", "2abd"}, "ab5 abc3 abd2 bc3 bd2"},
    {{"1abc", "1abd"}, "ab2"},
    {{"1abc", "1xabc", "1yab"}, "ab3 abc2 bc2"},
    {{"2a1", "2aa"}, "aa2"}, /* two scripts, so not a1 */
    {{"4ab12"},
     "12"
     "4 ab4"}, /* as far as the script goes */
    {{"9a"}, ""},
};

/* Substrings as SentencePiece's trainer counts them, but that the end of a word is an end. */
START_TEST(seeds_are_the_repeated_substrings) {
  as_buffer pool, found;
  as_training_piece words[4], *pieces;
  size_t count = 0, piece_count;
  as_buffer_init(&pool, ctx);
  as_buffer_init(&found, ctx);
  for (; count < 4 && seeds[_i].words[count]; count++) {
    const char *word = seeds[_i].words[count];
    uint32_t length = (uint32_t)strlen(word) - 1;
    words[count] =
        (as_training_piece){.start = pool.length, .length = length, .characters = length, .count = word[0] - '0'};
    as_buffer_text(&pool, word + 1);
  }
  ck_assert_ok(ctx, as_seed_pieces(ctx, pool.data, words, count, 100, &pieces, &piece_count));
  for (size_t i = 0; i < piece_count; i++)
    as_buffer_printf(&found, "%s%.*s%d", i ? " " : "", (int)pieces[i].length, pool.data + pieces[i].start,
                     (int)pieces[i].count);
  const char *text = as_buffer_string(&found);
  size_t matched = 0;
  for (const char *at = seeds[_i].pieces; *at;) { /* in whatever order */
    size_t length = strcspn(at, " ");
    char piece[16];
    snprintf(piece, sizeof piece, "%.*s", (int)length, at);
    if (!strstr(text, piece)) ck_abort_msg("no %s in %s", piece, text);
    matched++;
    at += length + (at[length] == ' ');
  }
  if (matched != piece_count) ck_abort_msg("%s: %zu pieces, expected %zu", text, piece_count, matched);
  as_free(ctx, pieces);
  ck_assert_ok(ctx, as_seed_pieces(ctx, pool.data, words, count, 1, &pieces, &piece_count));
  ck_assert_uint_eq(piece_count, matched > 0);
  as_free(ctx, pieces);
  as_buffer_free(&pool);
  as_buffer_free(&found);
}
END_TEST

static const struct {
  const char *text, *to;
  size_t matched;
} rules[] = {
    {"e\xCC\x81x", "\xC3\xA9", 3}, /* e and an acute accent */
    {"\xEF\xAC\x81", "fi", 3},     /* a ligature */
    {"\xC2\xBD",
     "1\xE2\x81\x84"
     "2",
     2}, /* a half */
    {"\xC2\xA0x", " ", 2},
    {"\t", " ", 1},
    {"\x07", "", 1},
    {"\xE2\x96\x81", " ", 3},
    {"\xEF\xBD\x81", "a", 3},                /* full width */
    {"\xC3\xAA\xCC\x81", "\xE1\xBA\xBF", 4}, /* e with a circumflex, and an acute accent */
    {"e\xCC\x82\xCC\x81", "\xE1\xBA\xBF", 5},
    {"a", NULL, 0},
    {" ", NULL, 0},
    {"\xC3\xA9", NULL, 0},
    {"\xEA\xB0\x80", NULL, 0}, /* a Hangul syllable */
};

START_TEST(nfkc_is_in_the_rules) {
  as_buffer blob;
  as_charsmap map;
  as_buffer_init(&blob, ctx);
  ck_assert_ok(ctx, as_nfkc_rules(ctx, &blob));
  ck_assert_ok(ctx, as_charsmap_read(ctx, blob.data, blob.length, &map));
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
    size_t matched = 0;
    const char *to = as_charsmap_longest(&map, rules[i].text, strlen(rules[i].text), &matched);
    if (!to != !rules[i].to || (to && (strcmp(to, rules[i].to) != 0 || matched != rules[i].matched)))
      ck_abort_msg("rule %zu gives \"%s\" for %zu bytes", i, to ? to : "(none)", matched);
  }
  as_charsmap_free(&map);
  as_buffer_free(&blob);
}
END_TEST

START_TEST(scripts) {
  ck_assert_int_eq(as_script('a'), as_script(0xE9));
  ck_assert_int_eq(as_script(0x3042), as_script(0x4E2D));
  ck_assert_int_ne(as_script('a'), as_script(0x430));
  ck_assert_int_eq(as_script('1'), AS_SCRIPT_COMMON);
  ck_assert_int_eq(as_script(','), AS_SCRIPT_COMMON);
  ck_assert_int_eq(as_script(0x301), AS_SCRIPT_INHERITED);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("unigram_trainer");
  TCase *tests = tcase_create("training");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, special_tokens_characters_and_frequent_words_are_there);
  tcase_add_test(tests, pieces_are_of_one_script);
  tcase_add_test(tests, neither_threads_nor_order_matter);
  tcase_add_test(tests, what_is_saved_reads_the_same);
  tcase_add_test(tests, rare_characters_have_no_piece_below_full_coverage);
  tcase_add_test(tests, characters_over_the_size_are_kept_and_warned_of);
  tcase_add_test(tests, fewer_pieces_than_asked_for_are_warned_of);
  tcase_add_loop_test(tests, wrong_options_and_empty_texts_are_refused, 0, sizeof refused / sizeof *refused);
  tcase_add_test(tests, odd_texts_train);
  tcase_add_test(tests, failing_allocations_are_survived);
  tcase_add_loop_test(tests, seeds_are_the_repeated_substrings, 0, sizeof seeds / sizeof *seeds);
  tcase_add_test(tests, nfkc_is_in_the_rules);
  tcase_add_test(tests, scripts);
  suite_add_tcase(suite, tests);
  return suite;
}
