/* The encoders against transformers: hidden states, logits, loss and the gradient of every parameter of the golden
 * cases. */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "config.h"
#include "models/encoder.h"
#include "models/safetensors.h"
#include "tests/harness.h"

/* `whole`: with losses and gradients. */
static const struct {
  const char *name;
  bool whole;
} cases[] = {{"distilbert_a", true},
             {"distilbert_b", true},
             {"distilbert_a_bf16", false},
             {"distilbert_mlm", false},
#ifdef AS_HAVE_LIBZIP
             {"roberta_a_bin_extra", false},
#endif
             {"roberta_a", true},
             {"roberta_b", true},
             {"roberta_c_pad_inside", true},
             {"roberta_a_fp16", false},
             {"roberta_mlm", false}};
enum { CASES = sizeof cases / sizeof cases[0] };

typedef struct golden {
  as_context *ctx;
  char folder[512];
  json_t *inputs, *scalars;
  as_safetensors *expected;
  as_encoder *encoder;
  as_encoder_batch batch;
  int64_t width; /* of the padded rows */
  float class_weights[64];
} golden;

static void open_golden(golden *t, as_context *ctx, const char *name) {
  char path[600];
  *t = (golden){.ctx = ctx};
  snprintf(path, sizeof path, "models/%s", name);
  snprintf(t->folder, sizeof t->folder, "%s", as_golden(path));
  snprintf(path, sizeof path, "%s/inputs.json", t->folder);
  ck_assert_ok(ctx, as_json_read(ctx, path, 1 << 20, AS_E_DATA, &t->inputs));
  snprintf(path, sizeof path, "%s/expected.json", t->folder);
  ck_assert_ok(ctx, as_json_read(ctx, path, 1 << 20, AS_E_DATA, &t->scalars));
  snprintf(path, sizeof path, "%s/expected.safetensors", t->folder);
  ck_assert_ok(ctx, as_safetensors_open(ctx, path, &t->expected));
  as_encoder_options options = {.gradients = true, .fresh_head = true, .dropout = -1};
  ck_assert_ok(ctx, as_encoder_open(ctx, t->folder, &options, &t->encoder));
  as_encoder_batch_init(&t->batch, ctx);
  json_t *rows = json_object_get(t->inputs, "input_ids"), *lengths = json_object_get(t->inputs, "lengths");
  json_t *labels = json_object_get(t->inputs, "labels");
  for (size_t i = 0; i < json_array_size(rows); i++) {
    int32_t ids[512];
    size_t count = (size_t)json_integer_value(json_array_get(lengths, i));
    for (size_t k = 0; k < count; k++) ids[k] = (int32_t)json_integer_value(json_array_get(json_array_get(rows, i), k));
    int32_t label = labels ? (int32_t)json_integer_value(json_array_get(labels, i)) : -100;
    ck_assert_ok(ctx, as_encoder_batch_add(&t->batch, ids, (int64_t)count, label));
    t->width = (int64_t)json_array_size(json_array_get(rows, i));
  }
  json_t *weights = json_object_get(t->inputs, "class_weights");
  for (size_t i = 0; i < json_array_size(weights); i++)
    t->class_weights[i] = (float)json_number_value(json_array_get(weights, i));
}

static void close_golden(golden *t) {
  json_decref(t->inputs);
  json_decref(t->scalars);
  as_safetensors_close(t->expected);
  as_encoder_free(t->encoder);
  as_encoder_batch_free(&t->batch);
}

/* Compares packed rows [tokens, cols] with a padded golden tensor [sequences, width, cols], or [rows, cols] as it
 * is. */
static void compare(const golden *t, const char *name, const float *actual, bool padded, double absolute,
                    double relative) {
  size_t index;
  ck_assert_msg(as_safetensors_find(t->expected, name, &index), "%s is not among the expected tensors", name);
  const as_stored_tensor *tensor = as_safetensors_tensor(t->expected, index);
  const unsigned char *data = as_safetensors_data(t->expected, index);
  int64_t cols = tensor->shape[tensor->ndim - 1], elements = 1;
  for (int d = 0; d < tensor->ndim; d++) elements *= tensor->shape[d];
  float *expected = as_alloc(t->ctx, (size_t)elements, sizeof *expected);
  memcpy(expected, data, (size_t)elements * sizeof *expected);
  if (!padded) as_assert_close(name, actual, expected, (size_t)elements, absolute, relative);
  for (int64_t s = 0; padded && s < t->batch.sequences; s++) {
    int64_t first = t->batch.cu_seqlens[s], count = t->batch.cu_seqlens[s + 1] - first;
    as_assert_close(name, actual + first * cols, expected + s * t->width * cols, (size_t)(count * cols), absolute,
                    relative);
  }
  as_free(t->ctx, expected);
}

static bool has(const golden *t, const char *name) {
  size_t index;
  return as_safetensors_find(t->expected, name, &index);
}

static double scalar(const golden *t, const char *name) {
  return json_number_value(json_object_get(json_object_get(t->scalars, "scalars"), name));
}

START_TEST(hidden_states_and_logits_agree) {
  as_context *ctx = as_test_context(2);
  golden t;
  open_golden(&t, ctx, cases[_i].name);
  as_graph *g = as_graph_new(ctx, AS_INFER);
  as_tensor *hidden[16];
  int64_t layers = as_encoder_describe(t.encoder)->layers;
  as_tensor *logits = as_keep(g, as_encoder_record(g, t.encoder, &t.batch, hidden));
  for (int64_t i = 0; i <= layers; i++) as_keep(g, hidden[i]);
  ck_assert_ok(ctx, as_graph_plan(g, NULL));
  as_graph_forward(g);
  for (int64_t i = 0; i <= layers; i++) {
    char name[32];
    snprintf(name, sizeof name, "hidden.%d", (int)i);
    compare(&t, name, as_tensor_f32(hidden[i]), true, 2e-5, 0);
  }
  if (has(&t, "logits")) {
    compare(&t, "logits", as_tensor_f32(logits), false, 1e-5, 0);
    as_graph_reset(g);
    logits = as_keep(g, as_encoder_record(g, t.encoder, &t.batch, NULL));
    ck_assert_ok(ctx, as_graph_plan(g, NULL));
    as_graph_forward(g);
    compare(&t, "logits", as_tensor_f32(logits), false, 1e-5, 0);
  }
  as_graph_free(g);
  close_golden(&t);
  as_test_context_free(ctx);
}
END_TEST

/* The four losses of the golden cases. */
static const struct {
  const char *loss, *dlogits;
  bool weighted, smooth;
} losses[] = {{"loss", "dlogits", false, false},
              {"loss_smooth", "dlogits_smooth", false, true},
              {"loss_weighted", "dlogits_weighted", true, false},
              {"loss_weighted_smooth", "dlogits_weighted_smooth", true, true}};

START_TEST(losses_and_gradients_agree) {
  if (!cases[_i].whole) return;
  as_context *ctx = as_test_context(2);
  golden t;
  open_golden(&t, ctx, cases[_i].name);
  for (int first_token_only = 0; first_token_only < 2; first_token_only++) {
    for (size_t l = 0; l < 4; l++) {
      as_graph *g = as_graph_new(ctx, AS_TRAIN);
      as_graph_set_evaluation(g, true);
      as_graph_set_recompute(g, (int)l % 3);
      as_tensor *hidden[16];
      as_tensor *logits = as_encoder_record(g, t.encoder, &t.batch, first_token_only ? NULL : hidden);
      as_cross_entropy_options o = {.ignore_index = -100};
      if (losses[l].weighted) o.class_weights = t.class_weights;
      if (losses[l].smooth) o.label_smoothing = json_number_value(json_object_get(t.inputs, "label_smoothing"));
      as_tensor *labels = as_input_i32(g, 1, &t.batch.sequences, t.batch.labels);
      as_keep_gradient(g, logits);
      as_tensor *loss = as_keep(g, as_cross_entropy(g, logits, labels, &o));
      ck_assert_ok(ctx, as_graph_plan(g, loss));
      as_graph_forward(g);
      as_graph_backward(g, loss);
      float expected = (float)scalar(&t, losses[l].loss);
      as_assert_close(losses[l].loss, as_tensor_f32(loss), &expected, 1, 5e-6, 0);
      compare(&t, losses[l].dlogits, as_tensor_gradient(logits), false, 1e-6, 0);
      const as_parameters *ps = as_encoder_parameters(t.encoder);
      for (size_t i = 0; l == 0 && i < ps->count; i++) {
        char name[200];
        snprintf(name, sizeof name, "grad.%s", ps->list[i].name);
        compare(&t, name, as_parameter_gradients(ps, (int)i), false, 5e-6, 1e-5);
      }
      as_graph_free(g);
    }
  }
  close_golden(&t);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  as_golden_or_skip();
  Suite *suite = suite_create("golden_encoders");
  TCase *tcase = tcase_create("golden_encoders");
  tcase_add_loop_test(tcase, hidden_states_and_logits_agree, 0, CASES);
  tcase_add_loop_test(tcase, losses_and_gradients_agree, 0, CASES);
  suite_add_tcase(suite, tcase);
  return suite;
}
