/* Encoders with the head of a masked language model against the numbers of transformers in golden/masked_lm_*
 * (make_masked_lm.py): logits, loss and every gradient; and what their folders may be like. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "models/encoder.h"
#include "models/safetensors.h"
#include "tests/harness.h"

static const char *const kinds[] = {"distilbert", "roberta"};
enum { KINDS = 2 };

static as_context *ctx;
static as_encoder *encoder;
static as_encoder_batch batch;
static as_masked_tokens masked;
static int32_t rows[64], labels[64], cu_seqlens[16];

static const char *golden(int kind, const char *name) {
  static char relative[2][128];
  static int turn;
  char *out = relative[turn ^= 1];
  snprintf(out, sizeof relative[0], "tests/golden/masked_lm_%s%s%s", kinds[kind], *name ? "/" : "", name);
  return as_source_path(out);
}

/* The batch of inputs.json, its padding left out. */
static void read_inputs(int kind) {
  json_t *root;
  ck_assert_ok(ctx, as_json_read(ctx, golden(kind, "inputs.json"), 1 << 16, AS_E_DATA, &root));
  const json_t *all_ids = json_object_get(root, "input_ids"), *all_labels = json_object_get(root, "labels");
  as_encoder_batch_init(&batch, ctx);
  int32_t count = 0;
  for (size_t s = 0; s < json_array_size(all_ids); s++) {
    int32_t ids[64];
    size_t length = (size_t)json_integer_value(json_array_get(json_object_get(root, "lengths"), s));
    cu_seqlens[s] = count;
    for (size_t i = 0; i < length; i++) {
      json_int_t label = json_integer_value(json_array_get(json_array_get(all_labels, s), i));
      ids[i] = (int32_t)json_integer_value(json_array_get(json_array_get(all_ids, s), i));
      if (label < 0) continue;
      rows[count] = (int32_t)(batch.tokens + (int64_t)i);
      labels[count++] = (int32_t)label;
    }
    ck_assert_ok(ctx, as_encoder_batch_add(&batch, ids, (int64_t)length, -100));
  }
  cu_seqlens[batch.sequences] = count;
  masked = (as_masked_tokens){count, rows, labels, {batch.sequences, cu_seqlens}};
  json_decref(root);
}

static void open_folder(const char *folder) {
  as_encoder_options options = {.gradients = true, .masked_lm = true, .dropout = -1};
  ck_assert_ok(ctx, as_encoder_open(ctx, folder, &options, &encoder));
}

static void begin(int kind) {
  ctx = as_test_context(2);
  open_folder(golden(kind, ""));
  read_inputs(kind);
}

static void end(void) {
  as_encoder_batch_free(&batch);
  as_encoder_free(encoder);
  as_test_context_free(ctx);
}

static float *logits(void) {
  as_graph *g = as_graph_new(ctx, AS_INFER);
  as_tensor *t = as_keep(g, as_encoder_record_token_logits(g, encoder, &batch, &masked));
  ck_assert_ok(ctx, as_graph_plan(g, NULL));
  as_graph_forward(g);
  ck_assert_int_eq(as_tensor_shape(t)[0], masked.count);
  size_t bytes = (size_t)as_tensor_elements(t) * sizeof(float);
  float *copy = as_alloc(ctx, bytes, 1);
  memcpy(copy, as_tensor_f32(t), bytes);
  as_graph_free(g);
  return copy;
}

/* Gradients go to the encoder's parameters. */
static float loss_and_gradients(int recompute) {
  as_graph *g = as_graph_new(ctx, AS_TRAIN);
  as_graph_set_recompute(g, recompute);
  as_graph_set_debug(g, true);
  as_tensor *t = as_keep(g, as_encoder_record_masked_loss(g, encoder, &batch, &masked, 0, 0));
  ck_assert_ok(ctx, as_graph_plan(g, t));
  as_graph_forward(g);
  as_graph_backward(g, t);
  ck_assert_str_eq(as_graph_debug_text(g), "");
  float loss = *as_tensor_f32(t);
  as_graph_free(g);
  return loss;
}

static const float *expected(const as_safetensors *file, const char *name) {
  size_t index;
  ck_assert_msg(as_safetensors_find(file, name, &index), "there is no %s", name);
  ck_assert_int_eq(as_safetensors_tensor(file, index)->type, AS_STORED_F32);
  return (const float *)(const void *)as_safetensors_data(file, index);
}

START_TEST(logits_loss_and_gradients_are_those_of_transformers) {
  as_safetensors *file;
  begin(_i);
  ck_assert_ok(ctx, as_safetensors_open(ctx, golden(_i, "expected.safetensors"), &file));
  float *own = logits();
  as_assert_close("logits", own, expected(file, "logits"),
                  (size_t)(masked.count * as_encoder_describe(encoder)->vocab_size), 1e-5, 0);
  as_free(ctx, own);
  for (int recompute = 0; recompute <= 2; recompute++) {
    float loss = loss_and_gradients(recompute);
    as_assert_close("loss", &loss, expected(file, "loss"), 1, 5e-6, 0);
    const as_parameters *ps = as_encoder_parameters(encoder);
    for (size_t i = 0; i < ps->count; i++) {
      char name[160];
      snprintf(name, sizeof name, "grad.%s", ps->list[i].name);
      as_assert_close(name, as_parameter_gradients(ps, (int)i), expected(file, name), ps->list[i].elements, 5e-6, 1e-5);
    }
  }
  as_safetensors_close(file);
  end();
}
END_TEST

START_TEST(a_saved_folder_gives_the_same_logits) {
  begin(_i);
  const char *folder = as_test_folder();
  float *before = logits();
  ck_assert_ok(ctx, as_encoder_save(encoder, folder));
  as_encoder_free(encoder);
  open_folder(folder);
  ck_assert_int_eq(as_encoder_head_origin(encoder), AS_HEAD_LOADED);
  float *after = logits();
  size_t bytes = (size_t)(masked.count * as_encoder_describe(encoder)->vocab_size) * sizeof *after;
  ck_assert(memcmp(before, after, bytes) == 0);
  as_free(ctx, before);
  as_free(ctx, after);
  char *path = as_path_join(ctx, folder, "config.json"), *text;
  size_t length;
  ck_assert_ok(ctx, as_file_read(ctx, path, 0, AS_E_IO, &text, &length));
  ck_assert_ptr_nonnull(strstr(text, "ForMaskedLM"));
  ck_assert_ptr_null(strstr(text, "id2label"));
  as_free(ctx, text);
  as_free(ctx, path);
  as_test_folder_remove(folder);
  end();
}
END_TEST

/* No token of a batch may have been chosen: nothing is learned of it, and nothing breaks. */
START_TEST(a_batch_without_a_chosen_token_has_no_loss_and_no_gradient) {
  begin(_i);
  loss_and_gradients(0);
  memset(cu_seqlens, 0, sizeof cu_seqlens);
  masked.count = 0;
  for (int recompute = 0; recompute <= 2; recompute++) {
    ck_assert(loss_and_gradients(recompute) == 0.0f);
    const as_parameters *ps = as_encoder_parameters(encoder);
    for (size_t i = 0; i < ps->elements; i++) ck_assert_msg(ps->gradients[i] == 0.0f, "gradient %zu", i);
  }
  end();
}
END_TEST

/* Copies a golden folder with a replacement in config.json. */
static const char *altered(int kind, const char *from, const char *to) {
  const char *folder = as_test_folder(), *names[] = {"config.json", "model.safetensors"};
  for (int i = 0; i < 2; i++) {
    char *bytes, *path = as_path_join(ctx, folder, names[i]);
    size_t length;
    ck_assert_ok(ctx, as_file_read(ctx, golden(kind, names[i]), 0, AS_E_IO, &bytes, &length));
    as_buffer out;
    as_buffer_init(&out, ctx);
    const char *at = i == 0 ? strstr(bytes, from) : NULL;
    as_buffer_append(&out, bytes, at ? (size_t)(at - bytes) : length);
    if (at) as_buffer_printf(&out, "%s%s", to, at + strlen(from));
    ck_assert_int_eq(at != NULL, i == 0);
    ck_assert_ok(ctx, as_file_write(ctx, path, out.data, out.length));
    as_buffer_free(&out);
    as_free(ctx, bytes);
    as_free(ctx, path);
  }
  return folder;
}

START_TEST(an_output_layer_of_its_own_is_refused) {
  ctx = as_test_context(1);
  const char *folder = altered(_i, "\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false");
  as_encoder_options options = {.masked_lm = true, .dropout = -1};
  ck_assert_refused(ctx, as_encoder_open(ctx, folder, &options, &encoder), AS_E_UNSUPPORTED,
                    "config.json: tie_word_embeddings is false");
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_classifier_takes_the_body_and_a_masked_model_that_of_a_classifier) {
  ctx = as_test_context(1);
  const char *folder = as_test_folder();
  char *names[] = {(char[]){"a"}, (char[]){"b"}, (char[]){"c"}};
  as_labels classes = {.names = names, .count = 3, .given = true};
  as_encoder_options options = {.fresh_head = true, .labels = &classes, .dropout = -1};
  as_encoder *classifier;
  ck_assert_ok(ctx, as_encoder_open(ctx, golden(_i, ""), &options, &classifier));
  ck_assert_int_eq(as_encoder_head_origin(classifier), AS_HEAD_ABSENT);
  ck_assert_ok(ctx, as_encoder_save(classifier, folder));
  as_encoder_options masked_lm = {.masked_lm = true, .dropout = -1};
  ck_assert_refused(ctx, as_encoder_open(ctx, folder, &masked_lm, &encoder), AS_E_MODEL,
                    "no masked-language-model head");
  masked_lm.fresh_head = true;
  ck_assert_ok(ctx, as_encoder_open(ctx, folder, &masked_lm, &encoder));
  ck_assert_int_eq(as_encoder_head_origin(encoder), AS_HEAD_ABSENT);
  ck_assert_str_eq(as_test_warnings(ctx), ""); /* heads of the other kind are no news */
  as_encoder_free(encoder);
  as_encoder_free(classifier);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("masked language models");
  TCase *tcase = tcase_create("masked language models");
  tcase_add_loop_test(tcase, logits_loss_and_gradients_are_those_of_transformers, 0, KINDS);
  tcase_add_loop_test(tcase, a_saved_folder_gives_the_same_logits, 0, KINDS);
  tcase_add_loop_test(tcase, a_batch_without_a_chosen_token_has_no_loss_and_no_gradient, 0, KINDS);
  tcase_add_loop_test(tcase, an_output_layer_of_its_own_is_refused, 0, KINDS);
  tcase_add_loop_test(tcase, a_classifier_takes_the_body_and_a_masked_model_that_of_a_classifier, 0, KINDS);
  suite_add_tcase(suite, tcase);
  return suite;
}
