/* T5 as a whole: gradients that depend neither on threads nor on recomputing, the chunked loss, saving and opening,
 * packed weights, configurations, failing allocations. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/machine.h"
#include "models/checkpoint.h"
#include "models/t5.h"
#include "tensor/ops.h"
#include "tests/harness.h"
#include "train/step.h"

/* Three pairs with a label left out; sizes that no vector length divides, and one that all do. */
static const int32_t source_ids[] = {5, 9, 3, 1, 7, 1, 2, 30, 31, 8, 6, 4, 11, 1};
static const int64_t source_lengths[] = {4, 2, 8};
static const int32_t target_labels[] = {8, 1, 12, 30, -100, 9, 1, 3, 1};
static const int64_t target_lengths[] = {2, 5, 2};

static as_t5_config small_config(bool v1_1, bool odd) {
  as_t5_config c = as_t5_config_default();
  c.vocab_size = odd ? 37 : 64;
  c.d_model = odd ? 18 : 32;
  c.d_kv = odd ? 5 : 16;
  c.num_heads = odd ? 3 : 2;
  c.d_ff = odd ? 23 : 64;
  c.num_layers = 2;
  c.num_decoder_layers = odd ? 1 : 2;
  c.relative_attention_num_buckets = 8;
  c.relative_attention_max_distance = 20;
  c.dropout_rate = 0.2;
  c.feed_forward_proj = v1_1 ? AS_T5_GATED_GELU : AS_T5_RELU;
  c.scale_decoder_outputs = !v1_1;
  return c;
}

static as_t5 *new_t5(as_context *ctx, bool v1_1, bool odd, as_t5_options options) {
  as_t5 *t5;
  as_t5_config config = small_config(v1_1, odd);
  ck_assert_ok(ctx, as_t5_new(ctx, &config, !v1_1, &options, &t5));
  return t5;
}

static void fill_batch(as_context *ctx, as_t5_batch *batch) {
  const int32_t *ids = source_ids, *labels = target_labels;
  as_t5_batch_init(batch, ctx);
  for (int i = 0; i < 3; i++) {
    ck_assert_ok(ctx, as_t5_batch_add(batch, ids, source_lengths[i], labels, target_lengths[i], 0, 0));
    ids += source_lengths[i];
    labels += target_lengths[i];
  }
}

START_TEST(labels_are_shifted_right) {
  static const int32_t expected[] = {0, 8, 0, 12, 30, 0, 9, 0, 3};
  as_context *ctx = as_test_context(1);
  as_t5_batch batch;
  fill_batch(ctx, &batch);
  ck_assert_int_eq(batch.target.tokens, 9);
  ck_assert_int_eq(memcmp(batch.target.ids, expected, sizeof expected), 0);
  ck_assert_int_eq(memcmp(batch.labels, target_labels, sizeof target_labels), 0);
  ck_assert_int_eq(as_t5_batch_label_count(&batch), 8);
  ck_assert_refused(ctx, as_t5_batch_add(&batch, source_ids, 0, target_labels, 1, 0, 0), AS_E_INVALID,
                    "at least one token");
  as_t5_batch_free(&batch);
  as_test_context_free(ctx);
}
END_TEST

/* Loss and gradients of one pass with dropout; the gradients stay in the parameters. */
static float pass(as_context *ctx, as_t5 *t5, const as_t5_batch *batch, int recompute) {
  as_graph *g = as_graph_new(ctx, AS_TRAIN);
  as_graph_set_recompute(g, recompute);
  as_graph_set_dropout(g, 3, 5);
  as_graph_set_debug(g, true);
  as_tensor *loss = as_keep(g, as_t5_record_loss(g, t5, batch, 0.1, 0));
  ck_assert_ok(ctx, as_graph_plan(g, loss));
  as_graph_forward(g);
  as_graph_backward(g, loss);
  ck_assert_str_eq(as_graph_debug_text(g), "");
  float value = *as_tensor_f32(loss);
  as_graph_free(g);
  return value;
}

START_TEST(gradients_are_the_same_bits_for_any_threads_and_recompute_mode) {
  bool v1_1 = _i % 2, odd = _i / 2;
  static float expected[100000];
  float expected_loss = 0;
  for (int run = 0; run < 9; run++) {
    static const int threads[] = {1, 2, 8};
    as_context *ctx = as_test_context(threads[run % 3]);
    as_t5_batch batch;
    as_t5 *t5 = new_t5(ctx, v1_1, odd, (as_t5_options){.gradients = true, .seed = 7, .dropout = -1});
    const as_parameters *ps = as_t5_parameters(t5);
    fill_batch(ctx, &batch);
    ck_assert_uint_le(ps->elements, 100000);
    float loss = pass(ctx, t5, &batch, run / 3);
    ck_assert_msg(isfinite(loss) && loss > 0, "loss %g", (double)loss);
    if (run == 0) {
      expected_loss = loss;
      memcpy(expected, ps->gradients, ps->elements * sizeof *expected);
    }
    ck_assert_msg(memcmp(&loss, &expected_loss, sizeof loss) == 0, "loss %.9g, expected %.9g", (double)loss,
                  (double)expected_loss);
    for (size_t i = 0; i < ps->elements; i++)
      ck_assert_msg(memcmp(&ps->gradients[i], &expected[i], sizeof *expected) == 0,
                    "gradient %zu is %.9g, expected %.9g (run %d)", i, (double)ps->gradients[i], (double)expected[i],
                    run);
    as_t5_batch_free(&batch);
    as_t5_free(t5);
    as_test_context_free(ctx);
  }
}
END_TEST

/* Logits [9, vocab_size] of the batch, without dropout. Caller frees. */
static float *logits_of(as_context *ctx, const as_t5 *t5, const as_t5_batch *batch, double *loss) {
  as_graph *g = as_graph_new(ctx, AS_INFER);
  as_tensor *encoded = as_t5_record_encoder(g, t5, &batch->source, NULL);
  as_tensor *decoded = as_t5_record_decoder(g, t5, &batch->target, encoded, &batch->source, NULL);
  as_tensor *logits = as_keep(g, as_t5_record_logits(g, t5, decoded));
  as_tensor *labels = as_input_i32(g, 1, &batch->target.tokens, batch->labels);
  as_cross_entropy_options options = {.ignore_index = -100};
  as_tensor *mean = as_keep(g, as_cross_entropy(g, logits, labels, &options));
  ck_assert_ok(ctx, as_graph_plan(g, NULL));
  as_graph_forward(g);
  size_t count = (size_t)as_tensor_elements(logits);
  float *copy = as_alloc(ctx, count, sizeof *copy);
  ck_assert_ptr_nonnull(copy);
  memcpy(copy, as_tensor_f32(logits), count * sizeof *copy);
  if (loss) *loss = (double)*as_tensor_f32(mean);
  as_graph_free(g);
  return copy;
}

START_TEST(the_loss_in_chunks_is_that_of_all_logits) {
  as_context *ctx = as_test_context(2);
  as_t5_batch batch;
  double expected;
  as_t5 *t5 = new_t5(ctx, _i == 1, true, (as_t5_options){.gradients = true, .seed = 7, .dropout = 0});
  fill_batch(ctx, &batch);
  as_free(ctx, logits_of(ctx, t5, &batch, &expected));
  as_graph *g = as_graph_new(ctx, AS_TRAIN);
  as_tensor *loss = as_keep(g, as_t5_record_loss(g, t5, &batch, 0, 0));
  ck_assert_ok(ctx, as_graph_plan(g, loss));
  as_graph_forward(g);
  ck_assert_double_eq_tol((double)*as_tensor_f32(loss), expected, 2e-6);
  as_graph_free(g);
  as_t5_batch_free(&batch);
  as_t5_free(t5);
  as_test_context_free(ctx);
}
END_TEST

static void assert_same(const float *a, const float *b, size_t count) {
  for (size_t i = 0; i < count; i++)
    ck_assert_msg(memcmp(&a[i], &b[i], sizeof *a) == 0, "%zu: %.9g, expected %.9g", i, (double)a[i], (double)b[i]);
}

/* What the folder holds gives the same logits. */
static void assert_reopens(as_context *ctx, const char *folder, const as_t5_batch *batch, const float *expected,
                           size_t count) {
  as_t5 *t5;
  ck_assert_ok(ctx, as_t5_open(ctx, folder, &(as_t5_options){.dropout = -1}, &t5));
  float *logits = logits_of(ctx, t5, batch, NULL);
  assert_same(logits, expected, count);
  as_free(ctx, logits);
  as_t5_free(t5);
}

START_TEST(what_is_saved_opens_with_the_same_bits_packed_or_not) {
  bool v1_1 = _i % 2, odd = _i / 2;
  as_context *ctx = as_test_context(2);
  const char *folder = as_test_folder();
  as_t5_batch batch;
  as_t5 *t5 = new_t5(ctx, v1_1, odd, (as_t5_options){.seed = 11, .dropout = -1}), *plain, *packed;
  size_t count = (size_t)(9 * as_t5_get_config(t5)->vocab_size);
  fill_batch(ctx, &batch);
  ck_assert_ok(ctx, as_t5_save(t5, folder));
  ck_assert_ok(ctx, as_t5_open(ctx, folder, &(as_t5_options){.dropout = -1}, &plain));
  ck_assert_ok(ctx, as_t5_open(ctx, folder, &(as_t5_options){.dropout = -1, .packed = true}, &packed));
  ck_assert(as_t5_is_tied(plain) == !v1_1);
  ck_assert(as_t5_get_config(plain)->scale_decoder_outputs == !v1_1);
  ck_assert_double_eq(as_t5_get_config(plain)->dropout_rate, 0.2);
  float *expected = logits_of(ctx, t5, &batch, NULL), *again = logits_of(ctx, plain, &batch, NULL);
  float *fast = logits_of(ctx, packed, &batch, NULL);
  assert_same(again, expected, count);
  assert_same(fast, expected, count);
  ck_assert_ok(ctx, as_t5_save(packed, folder));
  assert_reopens(ctx, folder, &batch, expected, count);
  as_free(ctx, expected);
  as_free(ctx, again);
  as_free(ctx, fast);
  as_t5_batch_free(&batch);
  as_t5_free(packed);
  as_t5_free(plain);
  as_t5_free(t5);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

/* Also on the way: from a fresh model, and from a mapped file. */
START_TEST(packed_weights_are_held_once) {
  as_context *ctx = as_test_context(2);
  const as_t5_config config = as_t5_config_preset(&as_t5_presets[1], 32000, false);
  const char *folder = as_test_folder();
  as_t5 *t5;
  ck_assert_ok(ctx, as_t5_new(ctx, &config, true, &(as_t5_options){.seed = 3}, &t5));
  const size_t weights = as_t5_parameters(t5)->elements * sizeof(float);
  ck_assert_ok(ctx, as_t5_save(t5, folder));
  as_t5_free(t5);
  const uint64_t before = as_peak_resident_bytes(); /* of a model that is plain */
  for (int saved = 0; saved < 2; saved++) {
    const as_t5_options options = {.packed = true, .dropout = -1};
    ck_assert_ok(ctx, saved ? as_t5_open(ctx, folder, &options, &t5) : as_t5_new(ctx, &config, true, &options, &t5));
    ck_assert_uint_lt(as_memory_used(ctx), weights + 200000);
#ifndef __SANITIZE_ADDRESS__ /* which keeps for a while what was freed */
    ck_assert_uint_lt(as_peak_resident_bytes() - before, weights / 4);
#else
    (void)before;
#endif
    as_t5_free(t5);
  }
  ck_assert_refused(ctx, as_t5_new(ctx, &config, true, &(as_t5_options){.packed = true, .gradients = true}, &t5),
                    AS_E_INVALID, "can't be trained");
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(fresh_weights_are_spread_as_in_transformers) {
  as_context *ctx = as_test_context(2);
  as_t5_config config = as_t5_config_preset(&as_t5_presets[1], 1000, true);
  static const struct {
    const char *name;
    double deviation;
  } wanted[] = {{"shared.weight", 1},
                {"lm_head.weight", 1},
                {"encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", 1 / 16.0},
                {"encoder.block.3.layer.0.SelfAttention.q.weight", 1 / 128.0},
                {"decoder.block.1.layer.1.EncDecAttention.v.weight", 1 / 16.0},
                {"decoder.block.1.layer.1.EncDecAttention.o.weight", 1 / 16.0},
                {"decoder.block.2.layer.2.DenseReluDense.wi_1.weight", 1 / 16.0},
                {"encoder.block.2.layer.1.DenseReluDense.wo.weight", 1 / 32.0}};
  as_t5 *t5;
  ck_assert_ok(ctx, as_t5_new(ctx, &config, false, &(as_t5_options){.seed = 1}, &t5));
  const as_parameters *ps = as_t5_parameters(t5);
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
    int index = as_parameters_find(ps, wanted[i].name);
    ck_assert_msg(index >= 0, "there is no %s", wanted[i].name);
    double squares = 0, count = (double)ps->list[index].elements;
    for (size_t k = 0; k < ps->list[index].elements; k++)
      squares += (double)as_parameter_weights(ps, index)[k] * (double)as_parameter_weights(ps, index)[k];
    double deviation = sqrt(squares / count);
    ck_assert_msg(fabs(deviation / wanted[i].deviation - 1) < 4 / sqrt(2 * count), "%s: deviation %g, expected %g",
                  wanted[i].name, deviation, wanted[i].deviation);
  }
  int norm = as_parameters_find(ps, "decoder.final_layer_norm.weight");
  ck_assert(as_parameter_weights(ps, norm)[5] == 1);
  ck_assert(!as_parameter_decays(&ps->list[as_parameters_find(ps, wanted[2].name)]));
  as_t5_free(t5);
  as_test_context_free(ctx);
}
END_TEST

/* ---- configurations --------------------------------------------------------------------------------------------- */

static void write_text(const char *folder, const char *name, const char *text) {
  char path[600];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  fclose(file);
}

#define T5 "{\"model_type\":\"t5\","
static const struct {
  const char *json, *fragment;
} wrong[] = {{"{\"model_type\":\"mt5\"}", "must be \"t5\""},
             {T5 "\"is_encoder_decoder\":false}", "is_encoder_decoder is false"},
             {T5 "\"d_kv\":0}", "d_kv"},
             {T5 "\"num_layers\":99999}", "num_layers"},
             {T5 "\"feed_forward_proj\":\"gated-silu\"}", "feed_forward_proj"},
             {T5 "\"pad_token_id\":40000}", "pad_token_id is 40000, but vocab_size is 32128"},
             {T5 "\"eos_token_id\":[1,2]}", "eos_token_id"},
             {T5 "\"relative_attention_max_distance\":16}", "must be more than half"},
             {T5 "\"dropout_rate\":1}", "below 1"},
             {T5 "\"scale_decoder_outputs\":3}", "scale_decoder_outputs must be true or false"},
             {T5 "\"tie_word_embeddings\":\"no\"}", "tie_word_embeddings must be true or false"}};

START_TEST(wrong_configurations_are_refused) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  as_t5_config config;
  write_text(folder, "config.json", wrong[_i].json);
  as_status status = as_t5_config_read(ctx, folder, &config);
  ck_assert_msg(status == AS_E_MODEL || status == AS_E_UNSUPPORTED, "status %s", as_status_name(status));
  ck_assert_msg(strstr(as_error_text(ctx), wrong[_i].fragment), "\"%s\" lacks \"%s\"", as_error_text(ctx),
                wrong[_i].fragment);
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "config.json"));
  as_t5_config_free(&config);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(configurations_of_both_versions_of_transformers_are_read) {
  static const struct {
    const char *json;
    bool scaled;
    int64_t decoder_layers, start;
  } files[] = {
      {T5 "\"num_layers\":3,\"pad_token_id\":4,\"unknown\":{\"a\":1}}", true, 3, 4},
      {T5 "\"tie_word_embeddings\":false,\"num_decoder_layers\":null,\"decoder_start_token_id\":2}", false, 6, 2},
      {T5 "\"tie_word_embeddings\":true,\"scale_decoder_outputs\":false,\"num_decoder_layers\":2}", false, 2, 0}};
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    as_t5_config config, again;
    write_text(folder, "config.json", files[i].json);
    ck_assert_ok(ctx, as_t5_config_read(ctx, folder, &config));
    ck_assert_ok(ctx, as_t5_config_write(ctx, &config, folder));
    ck_assert_ok(ctx, as_t5_config_read(ctx, folder, &again));
    ck_assert(again.scale_decoder_outputs == files[i].scaled);
    ck_assert_int_eq(again.num_decoder_layers, files[i].decoder_layers);
    ck_assert_int_eq(again.decoder_start_token_id, files[i].start);
    if (i == 0) ck_assert_ptr_nonnull(json_object_get(again.source, "unknown"));
    as_t5_config_free(&config);
    as_t5_config_free(&again);
  }
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(missing_and_misshapen_tensors_are_named) {
  as_context *ctx = as_test_context(1);
  const char *folder = as_test_folder();
  as_t5 *t5 = new_t5(ctx, false, false, (as_t5_options){.dropout = -1}), *other;
  as_t5_config config = *as_t5_get_config(t5);
  ck_assert_ok(ctx, as_t5_save(t5, folder));
  config.num_layers = 3;
  config.d_ff = 65;
  ck_assert_ok(ctx, as_t5_config_write(ctx, &config, folder));
  ck_assert_refused(ctx, as_t5_open(ctx, folder, &(as_t5_options){.dropout = -1}, &other), AS_E_MODEL,
                    "encoder.block.2.layer.0.SelfAttention.q.weight");
  ck_assert_ptr_nonnull(strstr(as_error_text(ctx), "encoder.block.0.layer.1.DenseReluDense.wi.weight"));
  ck_assert_ptr_null(other);
  as_t5_free(t5);
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(failing_allocations_are_reported) {
  const char *folder = as_test_folder();
  as_context *ctx = as_test_context(1);
  as_t5 *t5 = new_t5(ctx, true, true, (as_t5_options){.dropout = -1});
  ck_assert_ok(ctx, as_t5_save(t5, folder));
  as_t5_free(t5);
  as_test_context_free(ctx);
  for (uint64_t n = 1;; n++) {
    ctx = as_test_context(1);
    as_test_fail_at(ctx, n);
    as_t5_options options = {.packed = n % 2, .gradients = n % 2 == 0, .dropout = -1};
    as_status status = as_t5_open(ctx, folder, &options, &t5);
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    if (failed) ck_assert_int_eq(status, AS_E_NOMEM);
    as_t5_free(t5);
    as_test_context_free(ctx);
    if (!failed) {
      ck_assert_int_eq(status, AS_OK);
      break;
    }
  }
  as_test_folder_remove(folder);
}
END_TEST

START_TEST(a_step_after_the_first_allocates_nothing_and_trains) {
  as_context *ctx = as_test_context(2);
  as_t5_batch batch;
  as_adamw adamw;
  as_step_result first, last;
  as_t5 *t5 = new_t5(ctx, true, false, (as_t5_options){.gradients = true, .seed = 3, .dropout = 0});
  as_graph *g = as_graph_new(ctx, AS_TRAIN);
  as_adamw_options options = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  as_step_options step = {.max_grad_norm = 1};
  ck_assert_ok(ctx, as_adamw_init(&adamw, ctx, as_t5_parameters(t5), &options));
  as_optimizer optimizer = as_adamw_optimizer(&adamw);
  fill_batch(ctx, &batch);
  ck_assert_ok(ctx, as_t5_step(g, t5, &optimizer, &batch, 1, &step, 0, 1e-2, &first));
  uint64_t allocations = as_allocation_count(ctx);
  for (int64_t i = 1; i < 30; i++) ck_assert_ok(ctx, as_t5_step(g, t5, &optimizer, &batch, 1, &step, i, 1e-2, &last));
  ck_assert_uint_eq(as_allocation_count(ctx), allocations);
  ck_assert_msg(last.loss < 0.5 * first.loss, "loss %g after %g", last.loss, first.loss);
  as_adamw_free(&adamw);
  as_graph_free(g);
  as_t5_batch_free(&batch);
  as_t5_free(t5);
  as_test_context_free(ctx);
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("t5");
  TCase *tcase = tcase_create("t5");
  tcase_add_test(tcase, labels_are_shifted_right);
  tcase_add_loop_test(tcase, gradients_are_the_same_bits_for_any_threads_and_recompute_mode, 0, 4);
  tcase_add_loop_test(tcase, the_loss_in_chunks_is_that_of_all_logits, 0, 2);
  tcase_add_loop_test(tcase, what_is_saved_opens_with_the_same_bits_packed_or_not, 0, 4);
  tcase_add_test(tcase, packed_weights_are_held_once);
  tcase_add_test(tcase, fresh_weights_are_spread_as_in_transformers);
  tcase_add_loop_test(tcase, wrong_configurations_are_refused, 0, (int)(sizeof wrong / sizeof wrong[0]));
  tcase_add_test(tcase, configurations_of_both_versions_of_transformers_are_read);
  tcase_add_test(tcase, missing_and_misshapen_tensors_are_named);
  tcase_add_test(tcase, failing_allocations_are_reported);
  tcase_add_test(tcase, a_step_after_the_first_allocates_nothing_and_trains);
  suite_add_tcase(suite, tcase);
  return suite;
}
