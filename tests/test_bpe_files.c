/* Files of byte-level BPE tokenizers: what is read, what is refused and in which words, what is written. */
#include "tests/bpe_files.h"
#include "tests/tokenizer_folder.h"
#include "tokenizer/bpe.h"

static const as_bpe *model_of(const as_tokenizer *tokenizer) {
  return tokenizer->stages[AS_STAGE_MODEL].state;
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

START_TEST(a_vocabulary_is_read_with_its_merges) {
  as_tokenizer *tokenizer;
  write_small_bpe(ctx, folder);
  for (int i = 0; i < 2; i++) {
    ck_assert_ok(ctx, as_tokenizer_open(ctx, i ? path_of("vocab.json") : folder, &tokenizer));
    expect_ids(tokenizer, "hello world", (int32_t[]){0, 268, 269, 2}, 4);
    ck_assert_str_eq(as_tokenizer_model(tokenizer), "BPE");
    ck_assert_uint_eq(as_tokenizer_vocab_size(tokenizer), SMALL_BPE_TOKENS);
    ck_assert_int_eq(as_tokenizer_special(tokenizer, AS_TOKEN_CLS), 0);
    ck_assert_int_eq(as_tokenizer_special(tokenizer, AS_TOKEN_BOS), 0);
    ck_assert_int_eq(as_tokenizer_special(tokenizer, AS_TOKEN_PAD), 1);
    ck_assert_int_eq(as_tokenizer_special(tokenizer, AS_TOKEN_SEP), 2);
    ck_assert_int_eq(as_tokenizer_special(tokenizer, AS_TOKEN_EOS), 2);
    ck_assert_int_eq(as_tokenizer_special(tokenizer, AS_TOKEN_UNK), 3);
    ck_assert_int_eq(as_tokenizer_special(tokenizer, AS_TOKEN_MASK), 4);
    as_tokenizer_free(tokenizer);
  }
}
END_TEST

START_TEST(the_configuration_is_obeyed) {
  as_tokenizer *tokenizer;
  write_small_bpe(ctx, folder);
  put_text("tokenizer_config.json",
           "{\"add_prefix_space\": true, \"sep_token\": \"<pad>\", \"model_max_length\": 77,"
           "\"added_tokens_decoder\": {\"4\": {\"content\": \"<mask>\", \"special\": true, \"lstrip\": false}}}");
  put_text("special_tokens_map.json", "{\"cls_token\": {\"content\": \"<unk>\"}}");
  ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &tokenizer));
  expect_ids(tokenizer, "world <mask>", (int32_t[]){3, 269, as_tokenizer_id(tokenizer, G, 2), 4, 1}, 5);
  ck_assert_uint_eq(as_tokenizer_model_max_length(tokenizer), 77);
  as_tokenizer_free(tokenizer);
}
END_TEST

/* Merges as pairs, and as texts; a model that does not say its type; a rule that stands twice counts where it stands
 * last. */
START_TEST(merges_have_several_forms) {
  static const struct {
    const char *type, *merges;
    int32_t ids[3];
    size_t count;
  } forms[] = {
      {"\"type\":\"BPE\",", "[[\"a\",\"b\"],[\"b\",\"c\"]]", {3, 2}, 2},
      {"\"type\":\"BPE\",", "[\"b c\",\"a b\"]", {0, 4}, 2},
      {"", "[\"a b\",\"b c\"]", {3, 2}, 2},
      {"", "[\"a b\",\"b c\",\"a b\"]", {0, 4}, 2},
      {"", "[\"a b\",\"ab c\"]", {5}, 1},
      {"\"dropout\":0.0,", "[]", {0, 1, 2}, 3},
  };
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    char text[512];
    as_tokenizer *tokenizer;
    snprintf(text, sizeof text,
             "{\"model\":{%s\"vocab\":{\"a\":0,\"b\":1,\"c\":2,\"ab\":3,\"bc\":4,\"abc\":5},\"merges\":%s}}",
             forms[i].type, forms[i].merges);
    put_text("tokenizer.json", text);
    ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &tokenizer));
    expect_ids(tokenizer, "abc", forms[i].ids, forms[i].count);
    as_tokenizer_free(tokenizer);
  }
}
END_TEST

#define MODEL(members) "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2}" members "}}"
static const struct {
  const char *text, *fragment;
} bad_json[] = {
    {MODEL(""), "model.merges must be a list"},
    {MODEL(",\"merges\":{}"), "model.merges must be a list"},
    {MODEL(",\"merges\":[7]"), "model.merges[0] must be two tokens"},
    {MODEL(",\"merges\":[\"a b\",\"ab\"]"), "model.merges[1] must be two tokens with a space between, but is \"ab\""},
    {MODEL(",\"merges\":[\"a b \"]"), "model.merges[0] must be two tokens with a space between"},
    {MODEL(",\"merges\":[\" b\"]"), "model.merges[0] must be two tokens with a space between"},
    {MODEL(",\"merges\":[\"a b b\"]"), "model.merges[0] must be two tokens with a space between"},
    {MODEL(",\"merges\":[[\"a\"]]"), "model.merges[0] must be two tokens"},
    {MODEL(",\"merges\":[[\"a\",1]]"), "model.merges[0] must be two tokens"},
    {MODEL(",\"merges\":[[\"a\",\"b\",\"c\"]]"), "model.merges[0] must be two tokens"},
    {MODEL(",\"merges\":[\"a x\"]"), "model.merges[0] merges \"x\", which is not in the vocabulary"},
    {MODEL(",\"merges\":[\"xy b\"]"), "model.merges[0] merges \"xy\", which is not in the vocabulary"},
    {MODEL(",\"merges\":[\"b a\"]"), "model.merges[0] merges \"b\" and \"a\" to what is not in the vocabulary"},
    {MODEL(",\"merges\":[\"a ab\"]"), "model.merges[0] merges \"a\" and \"ab\" to what is not in the vocabulary"},
    {MODEL(",\"merges\":[],\"dropout\":0.1"), "model.dropout is for training and is not supported"},
    {MODEL(",\"merges\":[],\"continuing_subword_prefix\":\"##\""), "model.continuing_subword_prefix \"##\" is not"},
    {MODEL(",\"merges\":[],\"end_of_word_suffix\":\"</w>\""), "model.end_of_word_suffix \"</w>\" is not supported"},
    {MODEL(",\"merges\":[],\"byte_fallback\":true"), "model.byte_fallback is not supported"},
    {MODEL(",\"merges\":[],\"fuse_unk\":1"), "model.fuse_unk must be true or false"},
    {MODEL(",\"merges\":[],\"unk_token\":\"[UNK]\""), "model.unk_token \"[UNK]\" is not in the vocabulary"},
    {MODEL(",\"merges\":[],\"unk_token\":3"), "model.unk_token must be a text"},
    {"{\"model\":{\"type\":\"BPE\",\"merges\":[]}}", "model.vocab must be an object"},
    {"{\"model\":{\"type\":\"BPE\",\"merges\":[],\"vocab\":{\"a\":9999}}}", "model.vocab gives \"a\" an id"},
};

static void refuse(const char *file, const char *fragment) {
  as_tokenizer *tokenizer;
  ck_assert_refused(ctx, as_tokenizer_open(ctx, folder, &tokenizer), AS_E_MODEL, fragment);
  ck_assert_ptr_null(tokenizer);
  if (!strstr(as_error_text(ctx), file)) ck_abort_msg("%s is not named: %s", file, as_error_text(ctx));
}

START_TEST(bad_json_is_refused) {
  put_text("tokenizer.json", bad_json[_i].text);
  refuse("/tokenizer.json: ", bad_json[_i].fragment);
}
END_TEST

static const struct {
  const char *pre_tokenizer, *post_processor, *fragment;
} bad_stages[] = {
    {"{\"type\":\"ByteLevel\",\"add_prefix_space\":1}", NULL, "pre_tokenizer.add_prefix_space must be true or false"},
    {"{\"type\":\"ByteLevel\",\"use_regex\":\"no\"}", NULL, "pre_tokenizer.use_regex must be true or false"},
    {NULL, "{\"type\":\"ByteLevel\",\"trim_offsets\":\"\"}", "post_processor.trim_offsets must be true or false"},
    {NULL, "{\"type\":\"RobertaProcessing\",\"sep\":[\"</s>\",2]}", "post_processor.cls must be a token and its id"},
    {NULL, "{\"type\":\"RobertaProcessing\",\"sep\":[\"</s>\",-2],\"cls\":[\"<s>\",0]}", "post_processor.sep must be"},
    {NULL, "{\"type\":\"RobertaProcessing\",\"sep\":[\"</s>\",9999],\"cls\":[\"<s>\",0]}",
     "gives \"</s>\" the id 9999, which no token has"},
    {NULL, "{\"type\":\"RobertaProcessing\",\"trim_offsets\":0,\"sep\":[\"</s>\",2],\"cls\":[\"<s>\",0]}",
     "post_processor.trim_offsets must be true or false"},
};

START_TEST(bad_stages_are_refused) {
  char *text = small_bpe_json(ctx, NULL, bad_stages[_i].pre_tokenizer, bad_stages[_i].post_processor);
  put_text("tokenizer.json", text);
  as_free(ctx, text);
  refuse("/tokenizer.json: ", bad_stages[_i].fragment);
}
END_TEST

/* A good folder with one file replaced; NULL: removed. */
static const struct {
  const char *file, *text, *fragment;
} bad_files[] = {
    {"vocab.json", "", "not valid JSON"},
    {"vocab.json", "{\"a\": 0", "not valid JSON"},
    {"vocab.json", "{\"a\": 0} {}", "not valid JSON"},
    {"vocab.json", "[\"a\"]", "must be an object"},
    {"vocab.json", "{\"a\": 0, \"b\": 0}", "gives id 0 to both \"a\" and \"b\""},
    {"vocab.json", "{\"a\": 0, \"a\": 1}", "duplicate"},
    {"vocab.json", "{\"a\": 99999}", "gives \"a\" an id that is not an integer from 0 to"},
    {"vocab.json", "{\"a\": -1}", "gives \"a\" an id"},
    {"vocab.json", "{\"\xFF\": 0}", "not valid JSON"},
    {"merges.txt", NULL, "No such file"},
    {"merges.txt", "#version: 0.2\nh e\nhe\n", "line 3 must be two tokens with a space between, but is \"he\""},
    {"merges.txt", "h e\n\nl l\n", "line 2 must be two tokens"},
    {"merges.txt", "h  e\n", "line 1 must be two tokens"},
    {"merges.txt", "h e l\n", "line 1 must be two tokens"},
    {"merges.txt", "h e\n#version: 0.2\n", "line 2 merges \"#version:\", which is not in the vocabulary"},
    {"merges.txt", "h \xFF\n", "line 1 merges"},
    {"merges.txt", "h zz\n", "line 1 merges \"zz\", which is not in the vocabulary"},
    {"merges.txt", "h l", "line 1 merges \"h\" and \"l\" to what is not in the vocabulary"},
    {"tokenizer_config.json", "{\"add_prefix_space\": \"yes\"}", "add_prefix_space must be true or false"},
    {"tokenizer_config.json", "{\"sep_token\": \"[SEP]\"}", "sep_token \"[SEP]\" is not in the vocabulary"},
    {"tokenizer_config.json", "{\"added_tokens_decoder\": {\"x\": {}}}", "added_tokens_decoder.x is not an id"},
    {"tokenizer_config.json", "{", "not valid JSON"},
};

START_TEST(bad_files_are_refused) {
  char name[64];
  bool in_vocabulary = strstr(bad_files[_i].fragment, "sep_token") != NULL;
  write_small_bpe(ctx, folder);
  if (bad_files[_i].text)
    put_text(bad_files[_i].file, bad_files[_i].text);
  else
    ck_assert_int_eq(remove(path_of(bad_files[_i].file)), 0);
  snprintf(name, sizeof name, "/%s: ", in_vocabulary ? "vocab.json" : bad_files[_i].file);
  refuse(name, bad_files[_i].fragment);
}
END_TEST

START_TEST(line_ends_and_a_version_are_no_rules) {
  static const char *const texts[] = {"#version: 0.2\r\nh e\r\nl l\r\n", "#version\nh e\nl l", "h e\nl l\n"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    as_tokenizer *tokenizer;
    write_small_bpe(ctx, folder);
    put_text("merges.txt", texts[i]);
    ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &tokenizer));
    ck_assert_uint_eq(model_of(tokenizer)->merges.count, 2);
    expect_ids(tokenizer, "hell", (int32_t[]){0, 261, 262, 2}, 4);
    as_tokenizer_free(tokenizer);
  }
}
END_TEST

/* ---- writing -------------------------------------------------------------------------------------------------- */

static const char *const WRITTEN[] = {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                                      "vocab.json", "merges.txt"};
enum { FILES = 5 };

static char *read_file(const char *name) {
  char *text;
  size_t length;
  ck_assert_ok(ctx, as_file_read(ctx, path_of(name), 0, AS_E_MODEL, &text, &length));
  return text;
}

/* From tokenizer.json, and from the vocabulary alone. */
START_TEST(what_is_saved_reads_back_the_same) {
  as_tokenizer *tokenizer = open_small_bpe(ctx, "{\"add_prefix_space\":true,\"trim_offsets\":false}"), *again;
  char *first[FILES];
  ck_assert_ok(ctx, as_tokenizer_save(tokenizer, folder, 512));
  for (int i = 0; i < FILES; i++) first[i] = read_file(WRITTEN[i]);
  for (int without_json = 0; without_json < 2; without_json++) {
    if (without_json) ck_assert_int_eq(remove(path_of("tokenizer.json")), 0);
    ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &again));
    ck_assert_uint_eq(as_tokenizer_model_max_length(again), 512);
    ck_assert_uint_eq(model_of(again)->merges.count, SMALL_BPE_MERGES);
    expect_ids(again, "world a <mask>", (int32_t[]){0, 269, as_tokenizer_id(tokenizer, G, 2), 69, 4, 2}, 6);
    ck_assert_ok(ctx, as_tokenizer_save(again, folder, 0));
    for (int i = 0; i < FILES; i++) {
      char *second = read_file(WRITTEN[i]);
      ck_assert_str_eq(first[i], second);
      as_free(ctx, second);
    }
    as_tokenizer_free(again);
  }
  for (int i = 0; i < FILES; i++) as_free(ctx, first[i]);
  as_tokenizer_free(tokenizer);
}
END_TEST

/* A token with a space in it cannot stand in a rule that is a text. */
START_TEST(merges_with_spaces_are_written_as_pairs) {
  as_tokenizer *tokenizer;
  put_text("tokenizer.json",
           "{\"model\":{\"type\":\"BPE\",\"unk_token\":\"a\",\"fuse_unk\":true,\"ignore_merges\":true,"
           "\"vocab\":{\"a\":0,\" \":1,\"a \":2},\"merges\":[[\"a\",\" \"]]}}");
  for (int i = 0; i < 2; i++) {
    ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &tokenizer));
    expect_ids(tokenizer, "a a", (int32_t[]){2, 0}, 2);
    ck_assert(model_of(tokenizer)->fuse_unk && model_of(tokenizer)->ignore_merges);
    ck_assert_str_eq(model_of(tokenizer)->unk_token, "a");
    ck_assert_ok(ctx, as_tokenizer_save(tokenizer, folder, 0));
    as_tokenizer_free(tokenizer);
  }
}
END_TEST

/* transformers makes a RobertaTokenizer of switches; a pipeline that these can't say must not claim to be one. */
START_TEST(the_class_fits_the_pipeline) {
  static const struct {
    const char *members, *pre_tokenizer, *post_processor, *tokenizer_class;
  } cases[] = {
      {NULL, NULL, NULL, "RobertaTokenizer"},
      {"\"unk_token\":\"<unk>\",", NULL, NULL, "PreTrainedTokenizerFast"},
      {"\"ignore_merges\":true,", NULL, NULL, "PreTrainedTokenizerFast"},
      {NULL, "{\"type\":\"ByteLevel\",\"add_prefix_space\":true}", NULL, "PreTrainedTokenizerFast"},
      {NULL, "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}", NULL,
       "PreTrainedTokenizerFast"},
      {NULL, "{\"type\":\"BertPreTokenizer\"}", NULL, "PreTrainedTokenizerFast"},
      {NULL, NULL, "null", "PreTrainedTokenizerFast"},
      {NULL, NULL, "{\"type\":\"BertProcessing\",\"sep\":[\"</s>\",2],\"cls\":[\"<s>\",0]}", "PreTrainedTokenizerFast"},
      {NULL, NULL,
       "{\"type\":\"RobertaProcessing\",\"sep\":[\"<s>\",0],\"cls\":[\"</s>\",2],\"add_prefix_space\":false}",
       "PreTrainedTokenizerFast"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text = small_bpe_json(ctx, cases[i].members, cases[i].pre_tokenizer, cases[i].post_processor);
    as_tokenizer *tokenizer = open_small_json(ctx, text);
    json_t *config;
    as_free(ctx, text);
    ck_assert_ok(ctx, as_tokenizer_save(tokenizer, folder, 0));
    ck_assert_ok(ctx, as_json_read(ctx, path_of("tokenizer_config.json"), 0, AS_E_MODEL, &config));
    ck_assert_str_eq(json_string_value(json_object_get(config, "tokenizer_class")), cases[i].tokenizer_class);
    ck_assert_int_eq(json_object_get(config, "trim_offsets") != NULL, i == 0);
    ck_assert_str_eq(json_string_value(json_object_get(config, "mask_token")), "<mask>");
    json_decref(config);
    as_tokenizer_free(tokenizer);
  }
}
END_TEST

#define LOOP(tcase, test, rows) tcase_add_loop_test(tcase, test, 0, (int)(sizeof(rows) / sizeof *(rows)))

Suite *as_suite(void) {
  const TTest *const tests[] = {
      a_vocabulary_is_read_with_its_merges, the_configuration_is_obeyed,       merges_have_several_forms,
      line_ends_and_a_version_are_no_rules, what_is_saved_reads_back_the_same, merges_with_spaces_are_written_as_pairs,
      the_class_fits_the_pipeline};
  Suite *suite = suite_create("bpe_files");
  TCase *tcase = tcase_create("files");
  tcase_add_checked_fixture(tcase, setup, teardown);
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(tcase, tests[i]);
  LOOP(tcase, bad_json_is_refused, bad_json);
  LOOP(tcase, bad_stages_are_refused, bad_stages);
  LOOP(tcase, bad_files_are_refused, bad_files);
  suite_add_tcase(suite, tcase);
  return suite;
}
