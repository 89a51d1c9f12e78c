/* Byte-level BPE: the pattern, the byte map, merging, offsets, windows, decoding, and what it costs. The expected
 * values are those of Hugging Face's tokenizers 0.23 with the same small files. */
#include "tests/bpe_files.h"
#include "tests/tokenizer_threads.h"
#include "tokenizer/bpe_word.h"
#include "tokenizer/gpt2_words.h"

static as_context *ctx;
static as_tokenizer *tokenizer;
static as_encoding encoding;

static void setup(void) {
  ctx = as_test_context(1);
  tokenizer = open_small_bpe(ctx, NULL);
  as_encoding_init(&encoding, ctx);
}

static void teardown(void) {
  as_encoding_free(&encoding);
  as_tokenizer_free(tokenizer);
  as_test_context_free(ctx);
}

static void use_config(const char *config) {
  as_tokenizer_free(tokenizer);
  tokenizer = open_small_bpe(ctx, config);
}

static void use_json(const char *members, const char *pre_tokenizer, const char *post_processor) {
  char *text = small_bpe_json(ctx, members, pre_tokenizer, post_processor);
  as_tokenizer_free(tokenizer);
  tokenizer = open_small_json(ctx, text);
  as_free(ctx, text);
}

/* "token:start-end", offsets in characters, separated by blanks, special tokens of the template left out. */
static const char *shown(size_t part) {
  static char text[4096];
  size_t used = 0;
  text[0] = 0;
  for (size_t i = encoding.part_start[part]; i < encoding.part_start[part + 1]; i++)
    if (!encoding.special[i])
      used += (size_t)snprintf(text + used, sizeof text - used, "%s%s:%u-%u", used ? " " : "",
                               as_encoding_token(tokenizer, &encoding, i, NULL), encoding.char_offsets[2 * i],
                               encoding.char_offsets[2 * i + 1]);
  return text;
}

static void encode(const char *text, const char *pair, as_encode_options options) {
  options.offsets = true;
  ck_assert_ok(ctx,
               as_tokenizer_encode(tokenizer, text, strlen(text), pair, pair ? strlen(pair) : 0, &options, &encoding));
}

/* ---- the pattern ---------------------------------------------------------------------------------------------- */

static const struct {
  const char *text, *words; /* words separated by | */
  bool spaced;
} splits[] = {
    {"Where is it", "Where| is| it", false},
    {"x's", "x|'s", false},
    {"!'s", "!'|s", false}, /* the quote is in the run of symbols before a contraction can begin */
    {" 's", " '|s", false},
    {"'s'S", "'s|'|S", false},
    {"I'll we've they're I'm he'd can't", "I|'ll| we|'ve| they|'re| I|'m| he|'d| can|'t", false},
    {"'r 'v 'l '", "'|r| '|v| '|l| '", false},
    {"I'LL", "I|'|LL", false},
    {"a1b22", "a|1|b|22", false},
    {"3.14 15", "3|.|14| 15", false},
    {"a  b", "a| | b", false},
    {"a \tb", "a| |\t|b", false},
    {"a\t b", "a|\t| b", false},
    {"a\n\nb", "a|\n|\n|b", false},
    {"a \n", "a| \n", false},
    {"   ", "   ", false},
    {" ", " ", false},
    {"\xC3\xA9 e\xCC\x81", "\xC3\xA9| e|\xCC\x81", false},                   /* a combining mark is "other" */
    {"\xC2\xA0x", "\xC2\xA0|x", false},                                      /* only U+0020 leads a word */
    {"x\xC2\x85y", "x|\xC2\x85|y", false},                                   /* U+0085 is white space, */
    {"\x1C\xE2\x80\x8B\xEF\xBB\xBF", "\x1C\xE2\x80\x8B\xEF\xBB\xBF", false}, /* these are not */
    {"\xE3\x80\x80\xE3\x80\x80\xE4\xB8\xAD", "\xE3\x80\x80|\xE3\x80\x80|\xE4\xB8\xAD", false},
    {"\xC2\xBD\xD9\xA1", "\xC2\xBD\xD9\xA1", false}, /* numbers of other kinds */
    {"\xF0\x9F\x98\x80!", "\xF0\x9F\x98\x80!", false},
    /* the same behind a space that the text has not: the first | stands behind it */
    {"ab c", "ab| c", true},
    {"'s", "'|s", true},
    {"\tx", "|\t|x", true},
    {"\t", "\t", true},
    {"\t\tx", "\t|\t|x", true},
};

START_TEST(words_follow_the_pattern) {
  const char *text = splits[_i].text;
  uint32_t length = (uint32_t)strlen(text);
  bool spaced = splits[_i].spaced;
  char words[256] = "";
  for (uint32_t at = 0; at < length || spaced; spaced = false) {
    uint32_t end = as_gpt2_word_end(text, at, length, spaced);
    ck_assert(end <= length && (end > at || spaced));
    strncat(words, text + at, end - at);
    if (end < length) strcat(words, "|");
    at = end;
  }
  ck_assert_str_eq(words, splits[_i].words);
}
END_TEST

START_TEST(bytes_and_characters_map_to_each_other) {
  bool taken[AS_BYTE_CHARACTERS] = {false};
  for (int byte = 0; byte < 256; byte++) {
    uint32_t character = as_byte_character((unsigned char)byte);
    ck_assert_uint_lt(character, AS_BYTE_CHARACTERS);
    ck_assert(!taken[character] && character > ' ');
    taken[character] = true;
    ck_assert_int_eq(as_character_byte(character), byte);
  }
  for (uint32_t c = 0; c < 0x200; c++)
    if (c >= AS_BYTE_CHARACTERS || !taken[c]) ck_assert_int_eq(as_character_byte(c), -1);
  ck_assert_uint_eq(as_byte_character(' '), 0x120);
  ck_assert_uint_eq(as_byte_character(0xAD), 0x143);
}
END_TEST

/* ---- tokens and offsets --------------------------------------------------------------------------------------- */

#define PREFIX "\"add_prefix_space\":true"
static const struct {
  const char *config, *text, *tokens;
} tokens[] = {
    {"{}", "hello world", "hello:0-5 " G "world:6-11"},
    {"{}", " hello  world ", G ":1-1 hello:1-6 " G ":7-7 " G "world:8-13 " G ":14-14"},
    {"{}", "a <mask>world", "a:0-1  <mask>:2-8 w:8-9 or:9-11 ld:11-13"},
    {"{}", "<mask> hello", "<mask>:0-6 " G ":7-7 hello:7-12"},
    {"{}", " \xC3\xA9", G ":1-1 \xC3\x83:1-2 \xC2\xA9:1-2"},
    {"{}", "\xC2\xA0<mask>a", "\xC2\xA0<mask>:1-7 a:7-8"},
    {"{}", "  ", G G ":2-2"},
    {"{}", "aaaaa", "aa:0-2 aa:2-4 a:4-5"}, /* the leftmost first */
    {"{}", "hellold", "hello:0-5 ld:5-7"},
    {"{}", "helld", "hell:0-4 d:4-5"}, /* "l l" stands before "l d" */
    {"{}", "", ""},
    {"{\"trim_offsets\":false}", " hello  world ", G ":0-1 hello:1-6 " G ":6-7 " G "world:7-13 " G ":13-14"},
    {"{\"trim_offsets\":false}", "\xC2\xA0<mask>a", "\xC2\xA0<mask>:0-7 a:7-8"},
    {"{" PREFIX "}", "hello world", G ":0-0 hello:0-5 " G "world:6-11"},
    {"{" PREFIX "}", "world", G "world:0-5"},
    {"{" PREFIX "}", " world", G "world:0-6"}, /* its own space is taken for one that was put there */
    {"{" PREFIX "}", "a <mask>world", G ":0-0 a:0-1  <mask>:2-8 " G "world:9-13"},
    {"{" PREFIX "}", " <mask>x", " <mask>:0-7 " G ":8-8 x:7-8"},
    {"{" PREFIX "}", "  <mask>", "  <mask>:2-8"},
    {"{" PREFIX "}", "\xC3\xA9 h", G ":0-0 \xC3\x83:0-1 \xC2\xA9:0-1 " G ":2-2 h:2-3"},
    {"{" PREFIX "}", "  ", G G ":2-2"},
    {"{" PREFIX "}", "", ""},
    {"{" PREFIX ",\"trim_offsets\":false}", "hello", G ":0-1 hello:0-5"},
};

START_TEST(tokens_have_the_reference_s_offsets) {
  use_config(tokens[_i].config);
  encode(tokens[_i].text, NULL, (as_encode_options){0});
  ck_assert_str_eq(shown(0), tokens[_i].tokens);
}
END_TEST

START_TEST(offsets_in_bytes_are_those_of_the_same_characters) {
  encode("\xE3\x80\x80<mask> \xC3\xA9", NULL, (as_encode_options){0});
  const uint32_t expected[] = {0, 0, 3, 9, 10, 10, 10, 12, 10, 12, 0, 0};
  ck_assert_uint_eq(encoding.length, 6);
  for (size_t i = 0; i < 12; i++) ck_assert_uint_eq(encoding.byte_offsets[i], expected[i]);
}
END_TEST

/* The first token of a window is taken for the first of the text. */
START_TEST(windows_have_offsets_of_their_own) {
  static const char *const right[] = {G ":0-0 hello:0-5", "hello:0-5 " G "world:6-11", G "world:5-11 " G ":12-12",
                                      G ":11-11 hello:12-17", "hello:12-17 " G "world:18-23"};
  static const char *const left[] = {"hello:12-17 " G "world:18-23", G ":11-11 hello:12-17", G "world:5-11 " G ":12-12",
                                     "hello:0-5 " G "world:6-11", G ":0-0 hello:0-5"};
  use_config("{" PREFIX "}");
  for (int side = 0; side < 2; side++) {
    encode("hello world hello world", NULL,
           (as_encode_options){
               .max_length = 4, .windows = true, .stride = 1, .truncation_side = side ? AS_SIDE_LEFT : AS_SIDE_RIGHT});
    ck_assert_uint_eq(encoding.parts, 5);
    for (size_t part = 0; part < 5; part++) ck_assert_str_eq(shown(part), side ? left[part] : right[part]);
  }
}
END_TEST

START_TEST(pairs_have_two_separators_and_one_type) {
  const int32_t ids[] = {0, 268, 2, 2, 4, 2}, special[] = {1, 0, 1, 1, 0, 1}, sequence[] = {-1, 0, -1, -1, 1, -1};
  encode("hello", "<mask>", (as_encode_options){0});
  ck_assert_uint_eq(encoding.length, 6);
  for (size_t i = 0; i < 6; i++) {
    ck_assert_int_eq(encoding.ids[i], ids[i]);
    ck_assert_int_eq(encoding.type_ids[i], 0);
    ck_assert_int_eq(encoding.special[i], special[i]);
    ck_assert_int_eq(encoding.sequence[i], sequence[i]);
  }
  ck_assert_uint_eq(as_tokenizer_added(tokenizer, false), 2);
  ck_assert_uint_eq(as_tokenizer_added(tokenizer, true), 4);
}
END_TEST

/* ---- other pipelines ------------------------------------------------------------------------------------------ */

static const struct {
  const char *members, *pre_tokenizer, *post_processor, *text, *tokens;
} pipelines[] = {
    {NULL, "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}", NULL, "hello's world",
     "hello:0-5 ':5-6 s:6-7 " G "world:8-13"},
    {NULL, NULL, "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}", "a world", "a:0-1 " G "world:2-7"},
    {NULL, NULL, "null", "a world", "a:0-1 " G "world:1-7"},
    {"\"ignore_merges\":true,", NULL, "null", "<pad> wor", "<:0-1 p:1-2 a:2-3 d:3-4 >:4-5 " G "wor:5-9"},
    /* BertPreTokenizer leaves what is no character of the byte map */
    {NULL, "{\"type\":\"BertPreTokenizer\"}", "null", "he\xE4\xB8\xAD", "he:0-2"},
    {"\"unk_token\":\"<unk>\",", "{\"type\":\"BertPreTokenizer\"}", "null", "\xE4\xB8\xAD\xE4\xB8\xADhe",
     "<unk>:0-1 <unk>:1-2 he:2-4"},
    {"\"unk_token\":\"<unk>\",\"fuse_unk\":true,", "{\"type\":\"BertPreTokenizer\"}", "null",
     "a\xE4\xB8\xAD\xE4\xB8\xAD\xE4\xB8\xAD"
     "a\xE4\xB8\xAD",
     "a:0-1 <unk>:1-4 a:4-5 <unk>:5-6"},
};

START_TEST(other_pipelines_are_obeyed) {
  use_json(pipelines[_i].members, pipelines[_i].pre_tokenizer, pipelines[_i].post_processor);
  encode(pipelines[_i].text, NULL, (as_encode_options){0});
  ck_assert_str_eq(shown(0), pipelines[_i].tokens);
}
END_TEST

/* ---- decoding ------------------------------------------------------------------------------------------------- */

static const struct {
  int64_t ids[8];
  size_t count;
  bool skip;
  const char *text;
} decodings[] = {
    {{0, 268, 269, 2}, 4, false, "<s>hello world</s>"},
    {{0, 268, 269, 2}, 4, true, "hello world"},
    {{268, 99999, -1, 269}, 4, false, "hello world"},
    {{0x120}, 0, false, ""},
    {{132, 107, 268}, 3, false, "\xC3\xA9hello"}, /* half a character and its other half */
    {{132, 268, 107}, 3, false, "\xEF\xBF\xBDhello\xEF\xBF\xBD"},
};

START_TEST(decoding_joins_bytes) {
  as_buffer text;
  as_buffer_init(&text, ctx);
  ck_assert_str_eq(as_tokenizer_token(tokenizer, 132, NULL), "\xC3\x83"); /* byte C3 */
  ck_assert_str_eq(as_tokenizer_token(tokenizer, 107, NULL), "\xC2\xA9"); /* byte A9 */
  ck_assert_ok(ctx, as_tokenizer_decode(tokenizer, decodings[_i].ids, decodings[_i].count, decodings[_i].skip, &text));
  ck_assert_str_eq(as_buffer_string(&text), decodings[_i].text);
  as_buffer_free(&text);
}
END_TEST

/* A token with a character that is no byte's stands for itself; also after others. */
START_TEST(foreign_tokens_are_decoded_as_they_are) {
  as_buffer text;
  use_config("{\"added_tokens_decoder\":{\"272\":{\"content\":\"a\xE4\xB8\xAD\"},\"273\":{\"content\":"
             "\"\xC3\xA9\xC3\xA9\"}}}");
  as_buffer_init(&text, ctx);
  as_buffer_text(&text, "before ");
  ck_assert_ok(ctx, as_tokenizer_decode(tokenizer, (int64_t[]){268, 272, 273, 268}, 4, false, &text));
  ck_assert_str_eq(as_buffer_string(&text), "before helloa\xE4\xB8\xAD\xEF\xBF\xBD\xEF\xBF\xBDhello");
  as_buffer_free(&text);
}
END_TEST

/* ---- cost ----------------------------------------------------------------------------------------------------- */

START_TEST(encoding_again_allocates_nothing) {
  const char *text = "Caf\xC3\xA9 <mask> hello\xFFworld  aaaaaaaaaaaaaaaaaa";
  as_encode_options options = {.max_length = 12, .windows = true, .stride = 1, .pad_to = 12};
  encode(text, "a b c", options);
  uint64_t before = as_allocation_count(ctx);
  for (int i = 0; i < 3; i++) encode(text, "a b c", options);
  encode("a", NULL, options);
  ck_assert_uint_eq(as_allocation_count(ctx), before);
}
END_TEST

/* Words without an end: hardly any merge, one at each second place, and a tower of them. */
static const char *const endless[] = {"x", "a", "hello", "aab", "llh", "\xC3\xA9", "  ", "'"};

/* The moves in the queue for a word of `size` bytes. */
static uint64_t steps_for(const char *unit, size_t size) {
  size_t length = strlen(unit);
  char *text = as_alloc(ctx, size, 1);
  for (size_t i = 0; i < size; i++) text[i] = unit[i % length];
  uint64_t before = encoding.work ? encoding.work->bpe.steps : 0;
  ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, text, size, NULL, 0, NULL, &encoding));
  as_free(ctx, text);
  return encoding.work->bpe.steps - before;
}

/* Each symbol is in at most three pairs, each of which enters and leaves the queue once, at a logarithm each. */
START_TEST(a_word_of_a_mebibyte_takes_few_steps) {
  const size_t size = 1 << 20;
  ck_assert_uint_le(steps_for(endless[_i], size), 3 * (uint64_t)size * 2 * 21);
}
END_TEST

START_TEST(steps_grow_with_the_word_not_with_its_square) {
  const size_t size = 1 << 14;
  uint64_t once = steps_for(endless[_i], size), eight_times = steps_for(endless[_i], 8 * size);
  ck_assert_uint_le(eight_times, 12 * once); /* 8 times as many and a longer logarithm; the square would be 64 */
}
END_TEST

START_TEST(threads_share_a_tokenizer) {
  teardown();
  ctx = as_test_context(4);
  tokenizer = open_small_bpe(ctx, NULL);
  as_encoding_init(&encoding, ctx);
  as_assert_threads_share(ctx, tokenizer, "hello world<mask>", 3);
}
END_TEST

#define LOOP(tcase, test, rows) tcase_add_loop_test(tcase, test, 0, (int)(sizeof(rows) / sizeof *(rows)))

Suite *as_suite(void) {
  const TTest *const tests[] = {bytes_and_characters_map_to_each_other,
                                offsets_in_bytes_are_those_of_the_same_characters,
                                windows_have_offsets_of_their_own,
                                pairs_have_two_separators_and_one_type,
                                foreign_tokens_are_decoded_as_they_are,
                                encoding_again_allocates_nothing,
                                threads_share_a_tokenizer};
  Suite *suite = suite_create("byte_bpe");
  TCase *tcase = tcase_create("byte_bpe");
  tcase_add_checked_fixture(tcase, setup, teardown);
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(tcase, tests[i]);
  LOOP(tcase, words_follow_the_pattern, splits);
  LOOP(tcase, tokens_have_the_reference_s_offsets, tokens);
  LOOP(tcase, other_pipelines_are_obeyed, pipelines);
  LOOP(tcase, decoding_joins_bytes, decodings);
  LOOP(tcase, a_word_of_a_mebibyte_takes_few_steps, endless);
  LOOP(tcase, steps_grow_with_the_word_not_with_its_square, endless);
  suite_add_tcase(suite, tcase);
  return suite;
}
