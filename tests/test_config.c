/* config.json: fields, labels, the encoders' configurations and what writing keeps. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "models/distilbert_config.h"
#include "models/encoder.h"
#include "models/roberta_config.h"
#include "tests/harness.h"

#define DISTILBERT &as_distilbert_config_format
#define ROBERTA &as_roberta_config_format

static const char *folder;

union any_config {
  as_distilbert_config distilbert;
  as_roberta_config roberta;
};

static void make_folder(void) {
  folder = as_test_folder();
}
static void remove_folder(void) {
  as_test_folder_remove(folder);
}

static void write_config(as_context *ctx, const char *text) {
  char *path = as_path_join(ctx, folder, "config.json");
  ck_assert_ok(ctx, as_file_write(ctx, path, text, strlen(text)));
  as_free(ctx, path);
}

static as_status read_text(as_context *ctx, const char *text, as_distilbert_config *config) {
  write_config(ctx, text);
  return as_encoder_config_read(ctx, DISTILBERT, folder, config);
}

START_TEST(fields_are_read) {
  as_context *ctx = as_test_context(1);
  as_distilbert_config config;
  ck_assert_ok(ctx, read_text(ctx,
                              "{\"model_type\":\"distilbert\",\"vocab_size\":100,\"dim\":60,\"hidden_dim\":99,"
                              "\"n_heads\":3,\"n_layers\":2,\"max_position_embeddings\":64,\"pad_token_id\":7,"
                              "\"dropout\":0,\"attention_dropout\":0.25,\"seq_classif_dropout\":0.5,"
                              "\"initializer_range\":1e-3,\"sinusoidal_pos_embds\":true,\"activation\":\"relu\","
                              "\"id2label\":{\"1\":\"b\",\"0\":\"a\",\"2\":\"\xc3\xbc\"}}",
                              &config));
  ck_assert_int_eq(config.vocab_size, 100);
  ck_assert_int_eq(config.dim, 60);
  ck_assert_int_eq(config.hidden_dim, 99);
  ck_assert_int_eq(config.n_heads, 3);
  ck_assert_int_eq(config.n_layers, 2);
  ck_assert_int_eq(config.max_position_embeddings, 64);
  ck_assert_int_eq(config.pad_token_id, 7);
  ck_assert(config.dropout == 0 && config.attention_dropout == 0.25 && config.seq_classif_dropout == 0.5);
  ck_assert(config.initializer_range == 1e-3 && config.sinusoidal_pos_embds);
  ck_assert_int_eq(config.activation, AS_UNARY_RELU);
  ck_assert_uint_eq(config.labels.count, 3);
  ck_assert(config.labels.given);
  ck_assert_str_eq(config.labels.names[0], "a");
  ck_assert_str_eq(config.labels.names[2], "\xc3\xbc");
  ck_assert_int_eq(as_labels_find(&config.labels, "b"), 1);
  ck_assert_int_eq(as_labels_find(&config.labels, "c"), -1);
  as_encoder_config_free(ctx, DISTILBERT, &config);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(absent_fields_are_what_transformers_assumes) {
  as_context *ctx = as_test_context(1);
  as_distilbert_config config, standard;
  as_encoder_config_default(DISTILBERT, &standard);
  ck_assert_int_eq(standard.dim, 768);
  ck_assert_int_eq(standard.n_layers, 6);
  ck_assert_int_eq(standard.activation, AS_UNARY_GELU);
  ck_assert(standard.seq_classif_dropout == 0.2 && standard.dropout == 0.1);
  ck_assert_ok(ctx, read_text(ctx, "{\"model_type\":\"distilbert\",\"dim\":null}", &config));
  ck_assert_int_eq(config.dim, 768);
  ck_assert_int_eq(config.vocab_size, 30522);
  ck_assert_int_eq(config.pad_token_id, 0);
  ck_assert(!config.labels.given);
  ck_assert_uint_eq(config.labels.count, 2);
  ck_assert_str_eq(config.labels.names[1], "LABEL_1");
  as_encoder_config_free(ctx, DISTILBERT, &config);
  ck_assert_ok(ctx, read_text(ctx, "{\"model_type\":\"distilbert\",\"num_labels\":11,\"pad_token_id\":null}", &config));
  ck_assert_uint_eq(config.labels.count, 11);
  ck_assert_str_eq(config.labels.names[10], "LABEL_10");
  ck_assert_int_eq(config.pad_token_id, -1);
  as_encoder_config_free(ctx, DISTILBERT, &config);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(fields_of_roberta_are_read) {
  as_context *ctx = as_test_context(1);
  as_roberta_config config;
  write_config(ctx, "{\"model_type\":\"roberta\",\"vocab_size\":100,\"hidden_size\":60,\"intermediate_size\":99,"
                    "\"num_attention_heads\":3,\"num_hidden_layers\":2,\"max_position_embeddings\":64,"
                    "\"type_vocab_size\":3,\"pad_token_id\":7,\"hidden_dropout_prob\":0,"
                    "\"attention_probs_dropout_prob\":0.25,\"classifier_dropout\":0.5,\"initializer_range\":1e-3,"
                    "\"layer_norm_eps\":1e-6,\"hidden_act\":\"relu\",\"position_embedding_type\":\"absolute\","
                    "\"is_decoder\":false,\"id2label\":{\"0\":\"a\",\"1\":\"b\"}}");
  ck_assert_ok(ctx, as_encoder_config_read(ctx, ROBERTA, folder, &config));
  ck_assert_int_eq(config.vocab_size, 100);
  ck_assert_int_eq(config.hidden_size, 60);
  ck_assert_int_eq(config.intermediate_size, 99);
  ck_assert_int_eq(config.num_attention_heads, 3);
  ck_assert_int_eq(config.num_hidden_layers, 2);
  ck_assert_int_eq(config.max_position_embeddings, 64);
  ck_assert_int_eq(config.type_vocab_size, 3);
  ck_assert_int_eq(config.pad_token_id, 7);
  ck_assert(config.hidden_dropout_prob == 0 && config.attention_probs_dropout_prob == 0.25);
  ck_assert(config.classifier_dropout == 0.5 && config.initializer_range == 1e-3 && config.layer_norm_eps == 1e-6);
  ck_assert_int_eq(config.hidden_act, AS_UNARY_RELU);
  ck_assert_str_eq(config.labels.names[1], "b");
  as_encoder_config_free(ctx, ROBERTA, &config);
  write_config(ctx, "{\"model_type\":\"roberta\"}");
  ck_assert_ok(ctx, as_encoder_config_read(ctx, ROBERTA, folder, &config));
  ck_assert_int_eq(config.vocab_size, 50265);
  ck_assert_int_eq(config.num_hidden_layers, 12);
  ck_assert_int_eq(config.pad_token_id, 1);
  ck_assert(config.layer_norm_eps == 1e-12 && config.classifier_dropout == -1);
  as_encoder_config_free(ctx, ROBERTA, &config);
  as_test_context_free(ctx);
}
END_TEST

/* null, here -1, becomes null again. */
START_TEST(what_is_none_stays_so) {
  static const struct {
    const as_encoder_config_format *format;
    const char *text, *line;
  } cases[] = {
      {ROBERTA, "{\"model_type\":\"roberta\"}", "\n  \"classifier_dropout\": null,"},
      {ROBERTA, "{\"model_type\":\"roberta\",\"classifier_dropout\":null}", "\n  \"classifier_dropout\": null,"},
      {ROBERTA, "{\"model_type\":\"roberta\",\"classifier_dropout\":0.25}", "\n  \"classifier_dropout\": 0.25,"},
      {DISTILBERT, "{\"model_type\":\"distilbert\",\"pad_token_id\":null}", "\n  \"pad_token_id\": null,"},
      {DISTILBERT, "{\"model_type\":\"distilbert\"}", "\n  \"pad_token_id\": 0,"}};
  as_context *ctx = as_test_context(1);
  char *path = as_path_join(ctx, folder, "config.json"), *text;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    union any_config config;
    size_t length;
    write_config(ctx, cases[i].text);
    ck_assert_ok(ctx, as_encoder_config_read(ctx, cases[i].format, folder, &config));
    ck_assert_ok(ctx, as_encoder_config_write(ctx, cases[i].format, &config, false, folder));
    as_encoder_config_free(ctx, cases[i].format, &config);
    ck_assert_ok(ctx, as_file_read(ctx, path, 0, AS_E_IO, &text, &length));
    ck_assert_msg(strstr(text, cases[i].line), "%s lacks %s", text, cases[i].line);
    as_free(ctx, text);
  }
  as_free(ctx, path);
  as_test_context_free(ctx);
}
END_TEST

/* Every architecture has every size, within the ranges of its own configuration, and reads 512 tokens. */
START_TEST(presets_describe_models_that_can_be_made) {
  static const char *const names[] = {"tiny", "mini", "small", "base"};
  as_context *ctx = as_test_context(1);
  for (const as_encoder_architecture *const *a = as_encoder_architectures; *a; a++) {
    ck_assert_ptr_eq(as_encoder_architecture_find((*a)->format->model_type), *a);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
      const as_encoder_preset *preset = as_encoder_preset_find(*a, names[i]);
      union any_config config;
      ck_assert_ptr_nonnull(preset);
      as_encoder_config_default((*a)->format, &config);
      (*a)->set_sizes(&config, preset, 1000, 3);
      (*a)->set_dropout(&config, 0.25);
      ck_assert_ok(ctx, as_encoder_config_check(ctx, (*a)->format, &config));
      const as_encoder_description d = (*a)->describe(&config);
      ck_assert(d.layers == preset->layers && d.block.dim == preset->dim && d.block.hidden_dim == preset->hidden_dim);
      ck_assert(d.block.heads == preset->heads && d.vocab_size == 1000 && d.pad_token_id == 3 && d.max_tokens == 512);
      ck_assert(d.embedding_dropout == 0.25 && d.block.attention_dropout == 0.25 && d.block.output_dropout == 0.25);
      ck_assert(d.head.dropout == 0.25 && d.tables[0].rows == 1000 && d.tables[0].padding_row == 3);
      ck_assert(d.first_position == (d.positions_skip_padding ? 4 : 0));
      ck_assert(d.tables[1].rows >= d.first_position + d.max_tokens);
    }
    ck_assert_ptr_null(as_encoder_preset_find(*a, "huge"));
  }
  ck_assert_int_eq(as_encoder_preset_find(&as_distilbert, "base")->layers, 6);
  ck_assert_int_eq(as_encoder_preset_find(&as_roberta, "base")->layers, 12);
  ck_assert_ptr_null(as_encoder_architecture_find("bert"));
  as_test_context_free(ctx);
}
END_TEST

#define TYPE "{\"model_type\":\"distilbert\","
static const struct {
  const char *text;
  const char *fragments[3]; /* the text names the file and these */
} wrong[] = {
    {"{\"model_type\":\"distilbert\"", {"line 1"}},
    {"[]", {"object"}},
    {"{}", {"model_type is missing"}},
    {"{\"model_type\":7}", {"model_type is 7"}},
    {"{\"model_type\":\"bert\"}", {"model_type", "\"bert\"", "\"distilbert\""}},
    {TYPE "\"pad_token_id\":-1}", {"pad_token_id is -1"}},
    {TYPE "\"dim\":0}", {"dim is 0", "from 1 to"}},
    {TYPE "\"dim\":-768}", {"dim is -768"}},
    {TYPE "\"dim\":768.5}", {"dim is 768.5"}},
    {TYPE "\"dim\":\"768\"}", {"dim is \"768\""}},
    {TYPE "\"dim\":[768]}", {"dim is a list"}},
    {TYPE "\"dim\":true}", {"dim is true"}},
    {TYPE "\"dim\":768,\"dim\":768}", {"\"dim\""}},
    {TYPE "\"n_layers\":2000000000}", {"n_layers is 2000000000"}},
    {TYPE "\"n_layers\":99999999999999999999}", {"n_layers is 1"}},
    {TYPE "\"n_heads\":7}", {"n_heads is 7", "dim 768"}},
    {TYPE "\"n_heads\":0}", {"n_heads is 0"}},
    {TYPE "\"vocab_size\":{}}", {"vocab_size is an object"}},
    {TYPE "\"pad_token_id\":30522}", {"pad_token_id is 30522", "vocab_size"}},
    {TYPE "\"dropout\":1.5}", {"dropout is 1.5"}},
    {TYPE "\"attention_dropout\":1}", {"attention_dropout is 1", "below 1"}},
    {TYPE "\"seq_classif_dropout\":-0.1}", {"seq_classif_dropout is -0.1"}},
    {TYPE "\"sinusoidal_pos_embds\":1}", {"sinusoidal_pos_embds is 1", "true or false"}},
    {TYPE "\"activation\":\"gelup\"}", {"activation is \"gelup\"", "\"gelu\"", "\"relu\""}},
    {TYPE "\"activation\":\"gelu\\u0000\"}", {"activation"}},
    {TYPE "\"id2label\":{}}", {"id2label"}},
    {TYPE "\"id2label\":[\"a\"]}", {"id2label"}},
    {TYPE "\"id2label\":{\"0\":\"a\",\"2\":\"b\"}}", {"id2label", "from 0 to 1", "\"2\""}},
    {TYPE "\"id2label\":{\"0\":\"a\",\"01\":\"b\"}}", {"id2label", "\"01\""}},
    {TYPE "\"id2label\":{\"0\":\"a\",\"-1\":\"b\"}}", {"id2label", "\"-1\""}},
    {TYPE "\"id2label\":{\"0\":\"a\",\"\":\"b\"}}", {"id2label", "\"\""}},
    {TYPE "\"id2label\":{\"0\":\"a\",\"99999999999999999999\":\"b\"}}", {"id2label"}},
    {TYPE "\"id2label\":{\"0\":\"a\",\"1\":\"a\"}}", {"id2label", "\"a\" twice"}},
    {TYPE "\"id2label\":{\"0\":\"a\",\"1\":5}}", {"id2label", "label 1 is not text"}},
    {TYPE "\"id2label\":{\"0\":\"a\\u0000\"}}", {"id2label"}},
    {TYPE "\"id2label\":{\"0\":\"\xff\"}}", {"id2label"}},
    {TYPE "\"id2label\":{\"0\":\"a\"},\"num_labels\":3}", {"num_labels is 3", "1 labels"}},
    {TYPE "\"num_labels\":0}", {"num_labels"}},
    {TYPE "\"num_labels\":1000000000000}", {"num_labels"}},
    {TYPE "\"num_labels\":\"two\"}", {"num_labels"}},
};

#define ROBERTA_TYPE "{\"model_type\":\"roberta\","
static const struct {
  const char *text;
  const char *fragments[3];
} wrong_for_roberta[] = {
    {"{\"model_type\":\"distilbert\"}", {"model_type", "\"distilbert\"", "\"roberta\""}},
    {ROBERTA_TYPE "\"hidden_size\":0}", {"hidden_size is 0", "from 1 to"}},
    {ROBERTA_TYPE "\"num_attention_heads\":7}", {"num_attention_heads is 7", "hidden_size 768"}},
    {ROBERTA_TYPE "\"num_hidden_layers\":2000000000}", {"num_hidden_layers is 2000000000"}},
    {ROBERTA_TYPE "\"type_vocab_size\":0}", {"type_vocab_size is 0"}},
    {ROBERTA_TYPE "\"pad_token_id\":50265}", {"pad_token_id is 50265", "vocab_size"}},
    {ROBERTA_TYPE "\"pad_token_id\":-1}", {"pad_token_id is -1"}},
    {ROBERTA_TYPE "\"max_position_embeddings\":2}", {"max_position_embeddings is 2", "pad_token_id 1"}},
    {ROBERTA_TYPE "\"hidden_dropout_prob\":1}", {"hidden_dropout_prob is 1", "below 1"}},
    {ROBERTA_TYPE "\"classifier_dropout\":1}", {"classifier_dropout is 1", "below 1"}},
    {ROBERTA_TYPE "\"classifier_dropout\":-1}", {"classifier_dropout is -1"}},
    {ROBERTA_TYPE "\"layer_norm_eps\":0}", {"layer_norm_eps is 0"}},
    {ROBERTA_TYPE "\"hidden_act\":\"silu\"}", {"hidden_act is \"silu\"", "\"gelu\""}},
    {ROBERTA_TYPE "\"position_embedding_type\":1}", {"position_embedding_type is 1"}},
    {ROBERTA_TYPE "\"id2label\":{\"0\":\"a\",\"1\":\"a\"}}", {"id2label", "\"a\" twice"}},
};
enum {
  WRONG = sizeof wrong / sizeof wrong[0],
  WRONG_FOR_ROBERTA = sizeof wrong_for_roberta / sizeof wrong_for_roberta[0]
};

START_TEST(wrong_fields_are_refused) {
  const bool roberta = _i >= WRONG;
  const char *const *fragments = roberta ? wrong_for_roberta[_i - WRONG].fragments : wrong[_i].fragments;
  as_context *ctx = as_test_context(1);
  union any_config config;
  write_config(ctx, roberta ? wrong_for_roberta[_i - WRONG].text : wrong[_i].text);
  for (int i = 0; i < 3 && fragments[i]; i++)
    ck_assert_refused(ctx, as_encoder_config_read(ctx, roberta ? ROBERTA : DISTILBERT, folder, &config), AS_E_MODEL,
                      fragments[i]);
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "/config.json"));
  ck_assert_uint_lt(as_memory_peak(ctx), 16384);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(other_problems_are_not_supported) {
  as_context *ctx = as_test_context(1);
  union any_config config;
  write_config(ctx, TYPE "\"problem_type\":\"regression\"}");
  ck_assert_refused(ctx, as_encoder_config_read(ctx, DISTILBERT, folder, &config), AS_E_UNSUPPORTED,
                    "problem_type is \"regression\"");
  write_config(ctx, ROBERTA_TYPE "\"position_embedding_type\":\"relative_key\"}");
  ck_assert_refused(ctx, as_encoder_config_read(ctx, ROBERTA, folder, &config), AS_E_UNSUPPORTED,
                    "position_embedding_type is \"relative_key\"");
  write_config(ctx, ROBERTA_TYPE "\"is_decoder\":true}");
  ck_assert_refused(ctx, as_encoder_config_read(ctx, ROBERTA, folder, &config), AS_E_UNSUPPORTED, "is_decoder");
  ck_assert_ok(ctx, read_text(ctx, TYPE "\"problem_type\":null}", &config.distilbert));
  as_encoder_config_free(ctx, DISTILBERT, &config);
  ck_assert_ok(ctx, read_text(ctx, TYPE "\"problem_type\":\"single_label_classification\"}", &config.distilbert));
  as_encoder_config_free(ctx, DISTILBERT, &config);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(an_absent_config_is_refused) {
  as_context *ctx = as_test_context(1);
  as_distilbert_config config;
  ck_assert_refused(ctx, as_encoder_config_read(ctx, DISTILBERT, folder, &config), AS_E_MODEL, "config.json");
  char *below = as_path_join(ctx, folder, "no-such"), *file = as_path_join(ctx, folder, "file");
  ck_assert_refused(ctx, as_encoder_config_read(ctx, DISTILBERT, below, &config), AS_E_MODEL,
                    "there is no such folder");
  ck_assert_ok(ctx, as_file_write(ctx, file, "x", 1));
  ck_assert_refused(ctx, as_encoder_config_read(ctx, DISTILBERT, file, &config), AS_E_MODEL, "is not a folder");
  as_free(ctx, below);
  as_free(ctx, file);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(id2label_holds_against_label2id) {
  as_context *ctx = as_test_context(1);
  as_distilbert_config config;
  ck_assert_ok(ctx,
               read_text(ctx, TYPE "\"id2label\":{\"0\":\"a\",\"1\":\"b\"},\"label2id\":{\"a\":0,\"b\":1}}", &config));
  as_encoder_config_free(ctx, DISTILBERT, &config);
  ck_assert_uint_eq(as_warning_count(ctx), 0);
  ck_assert_ok(ctx, read_text(ctx, TYPE "\"id2label\":{\"0\":\"a\",\"1\":\"b\"},\"label2id\":{\"a\":0,\"LABEL_1\":1}}",
                              &config));
  ck_assert_str_eq(config.labels.names[1], "b");
  as_encoder_config_free(ctx, DISTILBERT, &config);
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "label2id disagrees with id2label about \"LABEL_1\""));
  as_test_context_free(ctx);
}
END_TEST

START_TEST(labels_are_checked) {
  as_context *ctx = as_test_context(1);
  as_labels labels;
  ck_assert_refused(ctx, as_labels_set(ctx, &labels, NULL, 0), AS_E_INVALID, "label");
  ck_assert_refused(ctx, as_labels_set(ctx, &labels, (const char *[]){"a", "b", "a"}, 3), AS_E_INVALID, "\"a\"");
  ck_assert_refused(ctx, as_labels_set(ctx, &labels, (const char *[]){"a", "\xff"}, 2), AS_E_INVALID, "UTF-8");
  ck_assert_ok(ctx, as_labels_set(ctx, &labels, (const char *[]){"a", "b"}, 2));
  ck_assert(labels.given);
  as_labels_free(ctx, &labels);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(own_values_are_checked) {
  as_context *ctx = as_test_context(1);
  as_distilbert_config config;
  as_encoder_config_default(DISTILBERT, &config);
  ck_assert_ok(ctx, as_encoder_config_check(ctx, DISTILBERT, &config));
  config.n_heads = 5;
  ck_assert_refused(ctx, as_encoder_config_check(ctx, DISTILBERT, &config), AS_E_INVALID, "n_heads");
  as_encoder_config_default(DISTILBERT, &config);
  config.hidden_dim = 0;
  ck_assert_refused(ctx, as_encoder_config_check(ctx, DISTILBERT, &config), AS_E_INVALID, "hidden_dim");
  as_encoder_config_default(DISTILBERT, &config);
  config.activation = AS_UNARY_TANH;
  ck_assert_refused(ctx, as_encoder_config_check(ctx, DISTILBERT, &config), AS_E_INVALID, "activation");
  as_encoder_config_default(DISTILBERT, &config);
  config.dropout = 1;
  ck_assert_refused(ctx, as_encoder_config_check(ctx, DISTILBERT, &config), AS_E_INVALID, "dropout");
  as_test_context_free(ctx);
}
END_TEST

START_TEST(writing_replaces_what_it_knows_and_keeps_the_rest) {
  as_context *ctx = as_test_context(1);
  as_distilbert_config config;
  static const char *const names[] = {"l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7", "l8", "l9", "k10"};
  ck_assert_ok(
      ctx, read_text(ctx,
                     TYPE "\"architectures\":[\"DistilBertModel\"],\"torch_dtype\":\"float16\",\"zeta\":{\"b\":[1,2.5],"
                          "\"a\":null},\"num_labels\":2,\"dim\":32,\"n_heads\":4}",
                     &config));
  as_labels_free(ctx, &config.labels);
  ck_assert_ok(ctx, as_labels_set(ctx, &config.labels, names, 11));
  config.n_layers = 1;
  ck_assert_ok(ctx, as_encoder_config_write(ctx, DISTILBERT, &config, false, folder));
  as_encoder_config_free(ctx, DISTILBERT, &config);
  char *path = as_path_join(ctx, folder, "config.json"), *text;
  size_t length;
  ck_assert_ok(ctx, as_file_read(ctx, path, 0, AS_E_IO, &text, &length));
  ck_assert_str_eq(
      text,
      "{\n  \"activation\": \"gelu\",\n  \"architectures\": [\n    \"DistilBertForSequenceClassification\"\n  ],\n"
      "  \"attention_dropout\": 0.1,\n  \"dim\": 32,\n  \"dropout\": 0.1,\n  \"dtype\": \"float32\",\n"
      "  \"hidden_dim\": 3072,\n  \"id2label\": {\n    \"0\": \"l0\",\n    \"1\": \"l1\",\n    \"2\": \"l2\",\n"
      "    \"3\": \"l3\",\n    \"4\": \"l4\",\n    \"5\": \"l5\",\n    \"6\": \"l6\",\n    \"7\": \"l7\",\n"
      "    \"8\": \"l8\",\n    \"9\": \"l9\",\n    \"10\": \"k10\"\n  },\n  \"initializer_range\": 0.02,\n"
      "  \"label2id\": {\n    \"k10\": 10,\n    \"l0\": 0,\n    \"l1\": 1,\n    \"l2\": 2,\n    \"l3\": 3,\n"
      "    \"l4\": 4,\n    \"l5\": 5,\n    \"l6\": 6,\n    \"l7\": 7,\n    \"l8\": 8,\n    \"l9\": 9\n  },\n"
      "  \"max_position_embeddings\": 512,\n  \"model_type\": \"distilbert\",\n  \"n_heads\": 4,\n"
      "  \"n_layers\": 1,\n  \"pad_token_id\": 0,\n  \"problem_type\": \"single_label_classification\",\n"
      "  \"seq_classif_dropout\": 0.2,\n  \"sinusoidal_pos_embds\": false,\n  \"torch_dtype\": \"float32\",\n"
      "  \"vocab_size\": 30522,\n  \"zeta\": {\n    \"a\": null,\n    \"b\": [\n      1,\n      2.5\n    ]\n  }\n}\n");
  as_free(ctx, text);
  as_free(ctx, path);
  ck_assert_ok(ctx, as_encoder_config_read(ctx, DISTILBERT, folder, &config));
  ck_assert_int_eq(config.n_layers, 1);
  ck_assert_uint_eq(config.labels.count, 11);
  ck_assert_str_eq(config.labels.names[10], "k10");
  config.n_heads = 5;
  ck_assert_refused(ctx, as_encoder_config_write(ctx, DISTILBERT, &config, false, folder), AS_E_INVALID, "n_heads");
  as_encoder_config_free(ctx, DISTILBERT, &config);
  as_test_context_free(ctx);
}
END_TEST

static as_status read_and_write(as_context *ctx) {
  as_distilbert_config config;
  as_status status = as_encoder_config_read(ctx, DISTILBERT, folder, &config);
  if (status != AS_OK) return status;
  status = as_encoder_config_write(ctx, DISTILBERT, &config, false, folder);
  as_encoder_config_free(ctx, DISTILBERT, &config);
  return status;
}

START_TEST(every_allocation_may_fail) {
  as_context *ctx = as_test_context(1);
  write_config(ctx, TYPE "\"id2label\":{\"0\":\"a\",\"1\":\"b\"}}");
  uint64_t n = 1;
  for (;; n++) {
    as_test_fail_at(ctx, n);
    as_status status = read_and_write(ctx);
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    ck_assert_uint_eq(as_memory_used(ctx), 0);
    if (!failed) {
      ck_assert_ok(ctx, status);
      break;
    }
    ck_assert_int_eq(status, AS_E_NOMEM);
  }
  ck_assert_uint_gt(n, 10);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("config");
  TCase *tcase = tcase_create("config");
  tcase_add_checked_fixture(tcase, make_folder, remove_folder);
  tcase_add_test(tcase, fields_are_read);
  tcase_add_test(tcase, fields_of_roberta_are_read);
  tcase_add_test(tcase, what_is_none_stays_so);
  tcase_add_test(tcase, presets_describe_models_that_can_be_made);
  tcase_add_test(tcase, absent_fields_are_what_transformers_assumes);
  tcase_add_loop_test(tcase, wrong_fields_are_refused, 0, WRONG + WRONG_FOR_ROBERTA);
  tcase_add_test(tcase, other_problems_are_not_supported);
  tcase_add_test(tcase, an_absent_config_is_refused);
  tcase_add_test(tcase, id2label_holds_against_label2id);
  tcase_add_test(tcase, labels_are_checked);
  tcase_add_test(tcase, own_values_are_checked);
  tcase_add_test(tcase, writing_replaces_what_it_knows_and_keeps_the_rest);
  tcase_add_test(tcase, every_allocation_may_fail);
  suite_add_tcase(suite, tcase);
  return suite;
}
