/* Tokenizer files: what is read, what is refused and in which words, what is written. */
#include "base/json.h"
#include "tests/tokenizer_folder.h"

/* ---- reading -------------------------------------------------------------------------------------------------- */

START_TEST(a_folder_gives_its_json_before_its_vocabulary) {
  as_tokenizer *tokenizer;
  put_text("vocab.txt", SMALL_VOCAB);
  put_text("tokenizer_config.json", "{\"model_max_length\": 77}");
  ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &tokenizer));
  expect_ids(tokenizer, "where is my order", (int32_t[]){2, 8, 9, 10, 11, 3}, 6);
  ck_assert_str_eq(as_tokenizer_model(tokenizer), "WordPiece");
  ck_assert_uint_eq(as_tokenizer_model_max_length(tokenizer), 77);
  ck_assert_uint_eq(as_tokenizer_vocab_size(tokenizer), 39);
  ck_assert_int_eq(as_tokenizer_special(tokenizer, AS_TOKEN_MASK), 4);
  ck_assert_int_eq(as_tokenizer_special(tokenizer, AS_TOKEN_BOS), -1);
  ck_assert_int_eq(as_tokenizer_id(tokenizer, "##able", 6), 14);
  ck_assert_int_eq(as_tokenizer_id(tokenizer, "able", 4), -1);
  as_tokenizer_free(tokenizer);
  char *json = small_json(ctx, NULL, "{\"type\":\"BertNormalizer\",\"lowercase\":false}", NULL);
  put_text("tokenizer.json", json);
  as_free(ctx, json);
  ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &tokenizer));
  expect_ids(tokenizer, "WHERE is", (int32_t[]){2, 1, 9, 3}, 4); /* the file's truncation to 4 is not taken over */
  expect_ids(tokenizer, "where is my order", (int32_t[]){2, 8, 9, 10, 11, 3}, 6);
  as_tokenizer_free(tokenizer);
  ck_assert_ok(ctx, as_tokenizer_open(ctx, path_of("vocab.txt"), &tokenizer));
  expect_ids(tokenizer, "WHERE", (int32_t[]){2, 8, 3}, 3);
  as_tokenizer_free(tokenizer);
}
END_TEST

START_TEST(special_tokens_may_have_other_names) {
  as_tokenizer *tokenizer;
  const char vocab[] = "<p>\r\n<u>\r\n<c>\r\n<s>\r\n\r\na\r\nb"; /* an empty line keeps its id */
  const char config[] =
      "{\"cls_token\": {\"content\": \"<c>\", \"lstrip\": false}, \"sep_token\": \"<s>\", \"pad_token\": \"<p>\","
      "\"added_tokens_decoder\": {\"7\": {\"content\": \"NEW\", \"special\": false, \"normalized\": false}}}";
  put_text("vocab.txt", vocab);
  put_text("special_tokens_map.json", "{\"unk_token\": \"<u>\", \"cls_token\": \"<wrong>\"}");
  put_text("tokenizer_config.json", config);
  ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &tokenizer));
  expect_ids(tokenizer, "a <s> z NEW b", (int32_t[]){2, 5, 3, 1, 7, 6, 3}, 7);
  as_tokenizer_free(tokenizer);
}
END_TEST

static const struct {
  const char *text, *fragment;
} bad_json[] = {
    {"", "not valid JSON"},
    {"{\"version\": \"1.0\"", "not valid JSON"},
    {"[]", "must be an object"},
    {"{\"version\": \"2.0\"}", "version \"2.0\""},
    {"{\"version\": 1}", "version must be a text"},
    {"{}", "model is missing"},
    {"{\"model\": []}", "model must be an object"},
    {"{\"model\": {\"type\": \"WordLevel\"}}", "model.type \"WordLevel\" is not supported; supported: WordPiece"},
    {"{\"model\": {\"type\": 7}}", "model.type must be a text"},
    {"{\"model\": {}}", "model.type \"\" is not supported"},
    {"{\"model\": {\"type\": \"WordPiece\"}}", "model.vocab must be an object"},
    {"{\"model\": {\"type\": \"WordPiece\", \"vocab\": {}}}", "unk_token \"[UNK]\" is not in the vocabulary"},
    {"{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": \"0\"}}}", "model.vocab gives \"a\" an id that is not"},
    {"{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": -1}}}", "model.vocab gives \"a\" an id"},
    {"{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 2147483648}}}", "model.vocab gives \"a\" an id"},
    {"{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 1000000}}}", "twice the number of tokens"},
    {"{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 0, \"b\": 0}}}", "id 0 to both \"a\" and \"b\""},
    {"{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 0, \"a\": 1}}}", "duplicate"},
    {"{\"model\": {\"type\": \"WordPiece\", \"unk_token\": 5, \"vocab\": {}}}", "model.unk_token must be a text"},
    {"{\"model\": {\"type\": \"WordPiece\", \"max_input_chars_per_word\": 0, \"vocab\": {}}}", "from 1 to 65536"},
    {"{\"model\": {\"type\": \"WordPiece\", \"max_input_chars_per_word\": \"x\", \"vocab\": {}}}",
     "must be an integer"},
    {"{\"model\": {\"type\": \"WordPiece\", \"continuing_subword_prefix\": \"a\\u0000b\", \"vocab\": {}}}",
     "without NUL"},
};

static void refuse_json(const char *text, const char *fragment) {
  as_tokenizer *tokenizer;
  put_text("tokenizer.json", text);
  ck_assert_refused(ctx, as_tokenizer_open(ctx, folder, &tokenizer), AS_E_MODEL, fragment);
  ck_assert_ptr_null(tokenizer);
  if (!strstr(as_error_text(ctx), "/tokenizer.json: ")) ck_abort_msg("the file is not named: %s", as_error_text(ctx));
}

START_TEST(bad_json_is_refused) {
  refuse_json(bad_json[_i].text, bad_json[_i].fragment);
}
END_TEST

/* A good file with one stage replaced. */
static const struct {
  const char *added, *normalizer, *post_processor, *fragment;
} bad_stages[] = {
    {NULL, "{\"type\":\"NFC\"}", NULL, "normalizer.type \"NFC\" is not supported; supported: BertNormalizer"},
    {NULL, "[]", NULL, "normalizer must be an object"},
    {NULL, "{\"type\":\"BertNormalizer\",\"lowercase\":1}", NULL, "normalizer.lowercase must be true or false"},
    {NULL, "{\"type\":\"BertNormalizer\",\"strip_accents\":\"no\"}", NULL, "normalizer.strip_accents must be"},
    {NULL, NULL, "{\"type\":\"Sequence\"}", "post_processor.type \"Sequence\""},
    {NULL, NULL, "{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",3]}",
     "post_processor.cls must be a token and its id"},
    {NULL, NULL, "{\"type\":\"BertProcessing\",\"sep\":[3,\"[SEP]\"],\"cls\":[\"a\",2]}", "post_processor.sep must be"},
    {NULL, NULL, "{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",333],\"cls\":[\"a\",2]}",
     "the id 333, which no token has"},
    {NULL, NULL, "{\"type\":\"TemplateProcessing\"}", "post_processor.single must be a list"},
    {NULL, NULL, "{\"type\":\"TemplateProcessing\",\"single\":[],\"pair\":[]}", "must have A once"},
    {NULL, NULL, "{\"type\":\"TemplateProcessing\",\"single\":[{}],\"pair\":[]}", "neither SpecialToken nor Sequence"},
    {NULL, NULL, "{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"C\"}}],\"pair\":[]}",
     "must be A or B"},
    {NULL, NULL, "{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"type_id\":0}}],\"pair\":[]}",
     "id is missing"},
    {NULL, NULL,
     "{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":-1}}],\"pair\":[]}",
     "type_id must be an integer"},
    {NULL, NULL, "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"x\"}}],\"pair\":[]}",
     "names x, which is not in special_tokens"},
    {NULL, NULL,
     "{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\"}}],"
     "\"pair\":[{\"Sequence\":{\"id\":\"B\"}},{\"Sequence\":{\"id\":\"A\"}}]}",
     "B before A"},
    {NULL, NULL, "{\"type\":\"TemplateProcessing\",\"special_tokens\":{\"x\":{\"ids\":[]}}}", "x needs a list"},
    {NULL, NULL, "{\"type\":\"TemplateProcessing\",\"special_tokens\":{\"x\":{\"ids\":[-2]}}}", "not a token's"},
    {NULL, NULL, "{\"type\":\"TemplateProcessing\",\"special_tokens\":[]}", "special_tokens must be an object"},
    {",5", NULL, NULL, "added_tokens must be an object"},
    {",{\"id\":\"x\",\"content\":\"y\"}", NULL, NULL, "added_tokens.id must be an integer"},
    {",{\"id\":39}", NULL, NULL, "added_tokens.content is missing"},
    {",{\"id\":39,\"content\":5}", NULL, NULL, "added_tokens.content must be a text"},
    {",{\"id\":39,\"content\":\"y\",\"lstrip\":0}", NULL, NULL, "added_tokens.lstrip must be"},
};

START_TEST(bad_stages_are_refused) {
  char *text = small_json(ctx, bad_stages[_i].added, bad_stages[_i].normalizer, bad_stages[_i].post_processor);
  refuse_json(text, bad_stages[_i].fragment);
  as_free(ctx, text);
}
END_TEST

static const struct {
  const char *vocab;
  size_t length;
  const char *config, *fragment;
} bad_vocab[] = {
    {"", 0, NULL, "vocab.txt: holds no token"},
    {"\n\n\n", 3, NULL, "unk_token"},
    {"[UNK]\na\xFF\n", 9, NULL, "vocab.txt: line 2 is not a token in UTF-8"},
    {"[UNK]\na\0b\n", 10, NULL, "line 2 is not a token"},
    {"a\nb\n", 4, NULL, "unk_token \"[UNK]\" is not in the vocabulary"},
    {"[UNK]\n[SEP]\n", 12, NULL, "cls_token \"[CLS]\" is not in the vocabulary"},
    {"[UNK]\n[CLS]\n", 12, NULL, "sep_token \"[SEP]\" is not in the vocabulary"},
    {"[UNK]\n[CLS]\n[SEP]\n", 18, "{\"do_lower_case\": \"yes\"}", "do_lower_case must be true or false"},
    {"[UNK]\n[CLS]\n[SEP]\n", 18, "{\"unk_token\": 5}", "tokenizer_config.json: unk_token must be a text"},
    {"[UNK]\n[CLS]\n[SEP]\n", 18, "{\"unk_token\": {\"content\": 5}}", "unk_token.content must be a text"},
    {"[UNK]\n[CLS]\n[SEP]\n", 18, "[]", "tokenizer_config.json: must be an object"},
    {"[UNK]\n[CLS]\n[SEP]\n", 18, "{", "tokenizer_config.json: line 1"},
    {"[UNK]\n[CLS]\n[SEP]\n", 18, "{\"added_tokens_decoder\": []}", "added_tokens_decoder must be an object"},
    {"[UNK]\n[CLS]\n[SEP]\n", 18, "{\"added_tokens_decoder\": {\"x\": {}}}", "added_tokens_decoder.x is not an id"},
};

START_TEST(bad_vocabularies_are_refused) {
  as_tokenizer *tokenizer;
  put_file("vocab.txt", bad_vocab[_i].vocab, bad_vocab[_i].length);
  if (bad_vocab[_i].config) put_text("tokenizer_config.json", bad_vocab[_i].config);
  ck_assert_refused(ctx, as_tokenizer_open(ctx, folder, &tokenizer), AS_E_MODEL, bad_vocab[_i].fragment);
  ck_assert_ptr_null(tokenizer);
}
END_TEST

START_TEST(absent_files_are_named) {
  as_tokenizer *tokenizer;
  ck_assert_refused(ctx, as_tokenizer_open(ctx, folder, &tokenizer), AS_E_MODEL, folder);
  ck_assert_refused(ctx, as_tokenizer_open(ctx, path_of("vocab.txt"), &tokenizer), AS_E_MODEL, "vocab.txt");
  ck_assert_refused(ctx, as_tokenizer_open(ctx, path_of("x.bin"), &tokenizer), AS_E_MODEL, "there is no such");
  ck_assert_ok(ctx, as_file_write(ctx, path_of("x.bin"), "x", 1));
  ck_assert_refused(ctx, as_tokenizer_open(ctx, path_of("x.bin"), &tokenizer), AS_E_MODEL,
                    "not a tokenizer file by its name");
}
END_TEST

START_TEST(a_sparse_vocabulary_cannot_ask_for_memory) {
  as_tokenizer *tokenizer;
  char text[5000];
  memset(text, '\n', sizeof text);
  memcpy(text + sizeof text - 8, "[UNK]\n", 6);
  put_file("vocab.txt", text, sizeof text);
  ck_assert_refused(ctx, as_tokenizer_open(ctx, folder, &tokenizer), AS_E_MODEL, "most lines before it are empty");
}
END_TEST

START_TEST(a_long_added_token_is_refused) {
  char added[700] = ",{\"id\":39,\"content\":\"";
  size_t used = strlen(added);
  memset(added + used, 'x', 600);
  strcpy(added + used + 600, "\"}");
  char *text = small_json(ctx, added, NULL, NULL);
  refuse_json(text, "added_tokens.content is longer than 512 bytes");
  as_free(ctx, text);
}
END_TEST

START_TEST(repeated_tokens_and_odd_ids_are_warned_of) {
  as_tokenizer *tokenizer;
  const char vocab[] = "[UNK]\n[CLS]\n[SEP]\na\na\n[SEP]\n[UNK]\n";
  put_text("vocab.txt", vocab);
  ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &tokenizer));
  expect_ids(tokenizer, "a", (int32_t[]){1, 4, 5}, 3);
  ck_assert_ptr_null(as_tokenizer_token(tokenizer, 3, NULL));
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "line 5 repeats the token of line 4"));
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "2 more lines repeat a token"));
  as_tokenizer_free(tokenizer);
  char *text =
      small_json(ctx, ",{\"id\":99,\"content\":\"new\"},{\"id\":7,\"content\":\"order\"},{\"id\":99,\"content\":\"\"}",
                 NULL, NULL);
  tokenizer = open_small_json(ctx, text);
  as_free(ctx, text);
  expect_ids(tokenizer, "new", (int32_t[]){2, 39, 3}, 3); /* the reference numbers them itself */
  expect_ids(tokenizer, "order", (int32_t[]){2, 11, 3}, 3);
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "\"new\" id 99, but it has id 39"));
  as_tokenizer_free(tokenizer);
}
END_TEST

START_TEST(a_model_without_type_is_recognised) {
  as_tokenizer *tokenizer;
  char *text = small_json(ctx, NULL, NULL, NULL), *type = strstr(text, "\"type\":\"WordPiece\",\"unk_token\"");
  memcpy(type, "\"tape\"", 6);
  put_text("tokenizer.json", text);
  as_free(ctx, text);
  ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &tokenizer));
  expect_ids(tokenizer, "a", (int32_t[]){2, 5, 3}, 3);
  as_tokenizer_free(tokenizer);
}
END_TEST

/* The vocabulary is read in two ways; both must understand the same. */
static const struct {
  const char *members;
  const char *tokens[4]; /* after [UNK] */
} spellings[] = {
    {"\"[UNK]\":0,\"a\":1", {"a"}},
    {" \n \"[UNK]\" :\t0 , \"\\u0061\\n\\\"\\\\\\/\"\r: 1 ", {"a\n\"\\/"}},
    {"\"\\u00E9\":1,\"\\ud83D\\uDe00x\":2,\"[UNK]\":0", {"\xC3\xA9", "\xF0\x9F\x98\x80x"}},
    {"\"{[\":2,\",,,\":1,\"[UNK]\":0,\"}\":3", {",,,", "{[", "}"}},
    {"\"\":1,\"[UNK]\":0,\"\xE4\xB8\xAD\":2", {"", "\xE4\xB8\xAD"}},
};

START_TEST(vocabularies_read_the_same_in_both_ways) {
  static const char *const keys[] = {"model", "\\u006dodel"}; /* the scanner passes over a key with an escape */
  for (int way = 0; way < 2; way++) {
    char text[512];
    as_tokenizer *tokenizer;
    snprintf(
        text, sizeof text,
        "{\"x\": [{\"model\": \"}\"}, -1.5e3, null],\n \"%s\" : {\"type\":\"WordPiece\", \"vocab\" : {%s}, \"y\": {}}}",
        keys[way], spellings[_i].members);
    put_text("tokenizer.json", text);
    ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &tokenizer));
    size_t count = 1;
    for (int i = 0; i < 4 && spellings[_i].tokens[i]; i++, count++) {
      ck_assert_str_eq(as_tokenizer_token(tokenizer, i + 1, NULL), spellings[_i].tokens[i]);
      ck_assert_int_eq(as_tokenizer_id(tokenizer, spellings[_i].tokens[i], strlen(spellings[_i].tokens[i])), i + 1);
    }
    ck_assert_uint_eq(as_tokenizer_vocab_size(tokenizer), count);
    as_tokenizer_free(tokenizer);
  }
}
END_TEST

static const struct {
  const char *members, *fragment;
} bad_members[] = {
    {"\"a\":0,\"a\":0", "duplicate"},
    {"\"a\":0,\"a\":1", "duplicate"},
    {"\"a\":01", "not valid JSON"},
    {"\"a\":0,", "not valid JSON"},
    {"\"a\":1.0", "an id that is not"},
    {"\"a\":-1", "an id that is not"},
    {"\"a\":99999999999", "an id that is"},
    {"\"a\\x\":0", "not valid JSON"},
    {"\"\\ud800\":0", "not valid JSON"},
    {"\"\\ud800\\u0041\":0", "not valid"},
    {"\"\\udc00\":0", "not valid JSON"},
    {"\"a\\u0000\":0", "not valid JSON"},
    {"\"a\xFF\":0", "not valid JSON"},
    {"\"a\nb\":0", "not valid JSON"},
    {"\"a\":0 \"b\":1", "not valid JSON"},
    {"\"a\":{}", "an id that is not"},
    {"\"a\":\"0\"", "an id that is not"},
    {"\"\\u12\":0", "not valid JSON"},
    {"\"a\":0]", "not valid JSON"},
    {"\"a", "not valid JSON"},
    {"\"a\\", "not valid JSON"},
};

START_TEST(bad_vocabulary_members_are_refused) {
  char text[256];
  snprintf(text, sizeof text, "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{%s}}}", bad_members[_i].members);
  refuse_json(text, bad_members[_i].fragment);
}
END_TEST

START_TEST(errors_behind_the_vocabulary_keep_their_lines) {
  refuse_json("{\"model\": {\"type\": \"WordPiece\",\n\"vocab\": {\"[UNK]\": 0,\n\"a\": 1},\n \"x\" 5}}",
              "line 4, column 6");
}
END_TEST

/* ---- writing -------------------------------------------------------------------------------------------------- */

static char *read_file(const char *name) {
  char *text;
  size_t length;
  ck_assert_ok(ctx, as_file_read(ctx, path_of(name), 0, AS_E_MODEL, &text, &length));
  return text;
}

START_TEST(what_is_saved_reads_back_the_same) {
  char *text = small_json(ctx,
                          ",{\"id\":39,\"content\":\"X Y\",\"rstrip\":true,\"single_word\":true},"
                          "{\"id\":40,\"content\":\"\xC3\x89\",\"special\":true,\"normalized\":true,\"lstrip\":true}",
                          "{\"type\":\"BertNormalizer\",\"strip_accents\":false,\"lowercase\":true}", NULL);
  as_tokenizer *tokenizer = open_small_json(ctx, text), *again;
  as_free(ctx, text);
  ck_assert_ok(ctx, as_tokenizer_save(tokenizer, folder, 512));
  ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &again));
  ck_assert_uint_eq(as_tokenizer_model_max_length(again), 512);
  for (int64_t id = 0; id < 42; id++) {
    const char *a = as_tokenizer_token(tokenizer, id, NULL), *b = as_tokenizer_token(again, id, NULL);
    ck_assert_int_eq(a != NULL, b != NULL);
    if (a) ck_assert_str_eq(a, b);
    ck_assert_int_eq(as_tokenizer_is_special(tokenizer, id), as_tokenizer_is_special(again, id));
  }
  static const char *const names[] = {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                                      "vocab.txt"};
  char *first[4];
  for (int i = 0; i < 4; i++) first[i] = read_file(names[i]);
  ck_assert_str_eq(first[3], SMALL_VOCAB);
  ck_assert_ok(ctx, as_tokenizer_save(again, folder, 0));
  for (int i = 0; i < 4; i++) {
    char *second = read_file(names[i]);
    ck_assert_str_eq(first[i], second);
    as_free(ctx, first[i]);
    as_free(ctx, second);
  }
  as_tokenizer_free(again);
  as_tokenizer_free(tokenizer);
}
END_TEST

/* transformers makes a BertTokenizer of switches; a pipeline that these can't say must not claim to be one. */
START_TEST(the_class_fits_the_pipeline) {
  static const struct {
    const char *normalizer, *post_processor, *tokenizer_class;
  } cases[] = {
      {NULL, NULL, "BertTokenizer"},
      {"{\"type\":\"BertNormalizer\",\"lowercase\":false,\"handle_chinese_chars\":false}", NULL, "BertTokenizer"},
      {"{\"type\":\"BertNormalizer\",\"clean_text\":false}", NULL, "PreTrainedTokenizerFast"},
      {"null", NULL, "PreTrainedTokenizerFast"},
      {NULL, "null", "PreTrainedTokenizerFast"},
      {NULL, "{\"type\":\"BertProcessing\",\"sep\":[\"[CLS]\",2],\"cls\":[\"[SEP]\",3]}", "PreTrainedTokenizerFast"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text = small_json(ctx, NULL, cases[i].normalizer, cases[i].post_processor);
    as_tokenizer *tokenizer = open_small_json(ctx, text);
    json_t *config;
    as_free(ctx, text);
    ck_assert_ok(ctx, as_tokenizer_save(tokenizer, folder, 0));
    ck_assert_ok(ctx, as_json_read(ctx, path_of("tokenizer_config.json"), 0, AS_E_MODEL, &config));
    ck_assert_str_eq(json_string_value(json_object_get(config, "tokenizer_class")), cases[i].tokenizer_class);
    ck_assert_str_eq(json_string_value(json_object_get(config, "mask_token")), "[MASK]");
    json_decref(config);
    as_tokenizer_free(tokenizer);
  }
}
END_TEST

Suite *as_suite(void) {
  const TTest *const tests[] = {a_folder_gives_its_json_before_its_vocabulary,
                                special_tokens_may_have_other_names,
                                absent_files_are_named,
                                a_sparse_vocabulary_cannot_ask_for_memory,
                                a_long_added_token_is_refused,
                                repeated_tokens_and_odd_ids_are_warned_of,
                                a_model_without_type_is_recognised,
                                errors_behind_the_vocabulary_keep_their_lines,
                                what_is_saved_reads_back_the_same,
                                the_class_fits_the_pipeline};
  Suite *suite = suite_create("tokenizer_files");
  TCase *tcase = tcase_create("files");
  tcase_add_checked_fixture(tcase, setup, teardown);
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(tcase, tests[i]);
  tcase_add_loop_test(tcase, vocabularies_read_the_same_in_both_ways, 0, sizeof spellings / sizeof *spellings);
  tcase_add_loop_test(tcase, bad_vocabulary_members_are_refused, 0, sizeof bad_members / sizeof *bad_members);
  tcase_add_loop_test(tcase, bad_json_is_refused, 0, sizeof bad_json / sizeof *bad_json);
  tcase_add_loop_test(tcase, bad_stages_are_refused, 0, sizeof bad_stages / sizeof *bad_stages);
  tcase_add_loop_test(tcase, bad_vocabularies_are_refused, 0, sizeof bad_vocab / sizeof *bad_vocab);
  suite_add_tcase(suite, tcase);
  return suite;
}
