/* inspect model, run and train on two small models whose numbers PyTorch computed, and on inputs that are wrong. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/columns.h"
#include "base/json.h"
#include "models/checkpoint.h"
#include "tests/harness.h"
#include "tests/model_case.h"
#include "tests/program.h"

static const char *folder; /* of the test, empty at first */
static const char *model;  /* distilbert_a: 2 layers, 100 ids, 64 positions, 6 classes */

static void setup(void) {
  folder = as_test_folder();
  model = as_source_path("tests/golden/distilbert_a");
}
static void teardown(void) {
  as_test_folder_remove(folder);
}

/* parent/name; static memory, 8 in turn. */
static const char *path_in(const char *parent, const char *name) {
  static char paths[8][4096];
  static unsigned turn;
  char *path = paths[turn++ % 8];
  ck_assert_int_lt(snprintf(path, sizeof paths[0], "%s/%s", parent, name), (int)sizeof paths[0]);
  return path;
}

static const char *write_text(const char *name, const char *text) {
  const char *path = path_in(folder, name);
  FILE *file = fopen(path, "wb");
  ck_assert_ptr_nonnull(file);
  ck_assert_int_ge(fputs(text, file), 0);
  ck_assert_int_eq(fclose(file), 0);
  return path;
}

static const char *write_json(const char *name, const json_t *value) {
  const char *path = path_in(folder, name);
  ck_assert_int_eq(json_dump_file(value, path, 0), 0);
  return path;
}

static json_t *model_inputs(as_context *ctx) {
  json_t *inputs;
  ck_assert_ok(ctx, as_json_read(ctx, path_in(model, "inputs.json"), 1 << 20, AS_E_DATA, &inputs));
  return inputs;
}

#define RUN(ctx, ...) as_run_program(ctx, (const char *const[]){"inspect", __VA_ARGS__, NULL})

static void check_refused(as_program program, int code, const char *fragment) {
  ck_assert_msg(program.code == code, "exit code %d, expected %d: %s", program.code, code, program.err);
  ck_assert_msg(strstr(program.err, fragment), "the message lacks \"%s\": %s", fragment, program.err);
  ck_assert_str_eq(program.out, "");
  as_program_free(&program);
}

/* ---- models with parts missing or too many ------------------------------------------------------------------ */

enum { MOST_TENSORS = 64 };

/* Writes folder/name: distilbert_a's configuration and those of its tensors that `keep` wants, and `extra` ones. */
static const char *make_model(as_context *ctx, const char *name, bool (*keep)(const char *tensor),
                              const as_safetensors_item *extra, size_t extra_count) {
  as_safetensors_item items[MOST_TENSORS];
  size_t count = 0, length;
  char *config;
  static char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  ck_assert_ok(ctx, as_make_folders(ctx, path));
  as_safetensors *file = as_test_tensors(ctx, path_in(model, "model.safetensors"));
  for (size_t i = 0; i < as_safetensors_count(file); i++) {
    const as_stored_tensor *t = as_safetensors_tensor(file, i);
    if (keep && !keep(t->name)) continue;
    items[count] = (as_safetensors_item){.name = t->name, .type = t->type, .ndim = t->ndim};
    memcpy(items[count].shape, t->shape, sizeof t->shape);
    items[count++].data = as_safetensors_data(file, i);
  }
  for (size_t i = 0; i < extra_count; i++) items[count++] = extra[i];
  ck_assert_ok(ctx, as_safetensors_write(ctx, path_in(path, "model.safetensors"), items, count));
  as_safetensors_close(file);
  ck_assert_ok(ctx, as_file_read(ctx, path_in(model, "config.json"), 0, AS_E_IO, &config, &length));
  ck_assert_ok(ctx, as_file_write(ctx, path_in(path, "config.json"), config, length));
  as_free(ctx, config);
  return path;
}

static bool is_body(const char *tensor) {
  return strncmp(tensor, "distilbert.", 11) == 0;
}

/* ---- run ---------------------------------------------------------------------------------------------------- */

START_TEST(activations_losses_and_gradients_are_those_of_pytorch) {
  static const char *const cases[] = {"tests/golden/distilbert_a", "tests/golden/roberta_c_pad_inside"};
  as_context *ctx = as_test_context(2);
  as_check_run(ctx, as_source_path(cases[_i]));
  as_test_context_free(ctx);
}
END_TEST

START_TEST(training_is_that_of_pytorch) {
  static const char *const cases[] = {"tests/golden/train_distilbert", "tests/golden/train_roberta"};
  static const char *const variants[] = {"adamw", "adamw_accum2"};
  as_context *ctx = as_test_context(2);
  as_check_train(ctx, as_source_path(cases[_i / 2]), variants[_i % 2]);
  as_test_context_free(ctx);
}
END_TEST

static void assert_same_file(as_context *ctx, const char *a, const char *b) {
  char *bytes[2];
  size_t lengths[2];
  ck_assert_ok(ctx, as_file_read(ctx, a, 0, AS_E_IO, &bytes[0], &lengths[0]));
  ck_assert_ok(ctx, as_file_read(ctx, b, 0, AS_E_IO, &bytes[1], &lengths[1]));
  ck_assert_uint_eq(lengths[0], lengths[1]);
  ck_assert_mem_eq(bytes[0], bytes[1], lengths[0]);
  as_free(ctx, bytes[0]);
  as_free(ctx, bytes[1]);
}

START_TEST(bits_do_not_depend_on_the_number_of_threads) {
  as_program programs[2];
  for (int i = 0; i < 2; i++) {
    as_context *ctx = as_test_context(i ? 3 : 1);
    programs[i] = RUN(ctx, "run", model, "--inputs", path_in(model, "inputs.json"), "--gradients", "--save",
                      path_in(folder, i ? "three" : "one"));
    as_test_context_free(ctx);
  }
  ck_assert_str_eq(programs[0].out, programs[1].out);
  as_program_free(&programs[0]);
  as_program_free(&programs[1]);
  as_context *ctx = as_test_context(1);
  assert_same_file(ctx, path_in(folder, "one"), path_in(folder, "three"));
  as_test_context_free(ctx);
}
END_TEST

START_TEST(what_is_behind_the_mask_does_not_matter) {
  as_context *ctx = as_test_context(2);
  json_t *inputs = model_inputs(ctx), *row = json_array_get(json_object_get(inputs, "input_ids"), 1);
  json_array_set_new(row, 5, json_integer(-7));
  json_array_set_new(row, 6, json_string("nothing"));
  as_program plain = RUN(ctx, "run", model, "--inputs", path_in(model, "inputs.json"), "--save", path_in(folder, "a"));
  as_program other = RUN(ctx, "run", model, "--inputs", write_json("in.json", inputs), "--save", path_in(folder, "b"));
  ck_assert_int_eq(other.code, 0);
  ck_assert_str_eq(plain.out, other.out);
  assert_same_file(ctx, path_in(folder, "a"), path_in(folder, "b"));
  as_program_free(&other);
  json_object_del(inputs, "attention_mask"); /* lengths say it alone */
  other = RUN(ctx, "run", model, "--inputs", write_json("in.json", inputs));
  ck_assert_str_eq(plain.out, other.out);
  as_program_free(&plain);
  as_program_free(&other);
  json_decref(inputs);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(scalars_are_those_that_the_inputs_allow) {
  static const struct {
    const char *without[3], *printed[6];
  } rows[] = {
      {{"class_weights"}, {"loss", "loss_smooth", "loss_sum"}},
      {{"label_smoothing"}, {"loss", "loss_weighted", "loss_sum"}},
      {{"label_smoothing", "class_weights"}, {"loss", "loss_sum"}},
      {{"labels"}, {NULL}},
  };
  as_context *ctx = as_test_context(1);
  json_t *inputs = model_inputs(ctx);
  for (size_t k = 0; k < 2 && rows[_i].without[k]; k++) json_object_del(inputs, rows[_i].without[k]);
  as_program program = RUN(ctx, "run", model, "--inputs", write_json("in.json", inputs), "--gradients", "--save",
                           path_in(folder, "out"));
  json_t *printed = as_program_json(ctx, &program);
  size_t count = 0, index;
  for (; rows[_i].printed[count]; count++) ck_assert(json_is_real(json_object_get(printed, rows[_i].printed[count])));
  ck_assert_uint_eq(json_object_size(printed), count);
  as_safetensors *saved = as_test_tensors(ctx, path_in(folder, "out"));
  bool labelled = count > 0;
  ck_assert(as_safetensors_find(saved, "logits", &index) && as_safetensors_find(saved, "hidden.2", &index));
  ck_assert_int_eq(as_safetensors_find(saved, "grad.classifier.bias", &index), labelled);
  ck_assert_int_eq(as_safetensors_find(saved, "dlogits", &index), labelled);
  ck_assert_int_eq(as_safetensors_find(saved, "dlogits_smooth", &index),
                   json_object_get(printed, "loss_smooth") != NULL);
  if (!labelled) ck_assert_str_eq(program.out, "{}\n");
  as_safetensors_close(saved);
  json_decref(printed);
  json_decref(inputs);
  as_program_free(&program);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(rows_without_a_label_count_nothing) {
  as_context *ctx = as_test_context(1);
  as_program one =
      RUN(ctx, "run", model, "--inputs", write_text("one.json", "{\"input_ids\": [[5, 6, 7]], \"labels\": [4]}"));
  as_program two = RUN(ctx, "run", model, "--inputs",
                       write_text("two.json", "{\"input_ids\": [[5, 6, 7], [9, 9, 9]], \"labels\": [4, -100]}"));
  as_program none =
      RUN(ctx, "run", model, "--inputs", write_text("none.json", "{\"input_ids\": [[5, 6, 7]], \"labels\": [-100]}"));
  ck_assert_str_eq(one.out, two.out);
  ck_assert_str_eq(none.out, "{}\n");
  as_program_free(&one);
  as_program_free(&two);
  as_program_free(&none);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_body_without_a_head_has_hidden_states_only) {
  as_context *ctx = as_test_context(1);
  const char *body = make_model(ctx, "body", is_body, NULL, 0);
  const char *inputs = path_in(model, "inputs.json"),
             *train = as_source_path("tests/golden/train_distilbert/inputs.json");
  as_program whole = RUN(ctx, "run", model, "--inputs", inputs, "--save", path_in(folder, "whole"));
  as_program program = RUN(ctx, "run", body, "--inputs", inputs, "--gradients", "--save", path_in(folder, "out"));
  ck_assert_int_eq(program.code, 0);
  ck_assert_str_eq(program.out, "{}\n");
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "no classification head"));
  as_safetensors *saved = as_test_tensors(ctx, path_in(folder, "out"));
  as_safetensors *expected = as_test_tensors(ctx, path_in(folder, "whole"));
  ck_assert_uint_eq(as_safetensors_count(saved), 3);
  for (size_t i = 0; i < 3; i++) {
    const as_stored_tensor *t = as_safetensors_tensor(saved, i);
    ck_assert_str_eq(t->name, as_safetensors_tensor(expected, i)->name);
    ck_assert_mem_eq(as_safetensors_data(saved, i), as_safetensors_data(expected, i), (size_t)t->elements * 4);
  }
  as_safetensors_close(saved);
  as_safetensors_close(expected);
  as_program_free(&whole);
  as_program_free(&program);
  check_refused(RUN(ctx, "train", body, "--inputs", train, "--variant", "adamw"), 4, "no classification head");
  as_test_context_free(ctx);
}
END_TEST

/* ---- wrong inputs ------------------------------------------------------------------------------------------- */

static const struct {
  const char *text, *fragment;
} wrong_inputs[] = {
    {"{", "in.json: line 1"},
    {"[]", "in.json: is not a JSON object"},
    {"{}", "in.json: input_ids is missing, but must be a list"},
    {"{'input_ids': 5}", "input_ids is 5, but must be a list"},
    {"{'input_ids': []}", "input_ids has no rows"},
    {"{'input_ids': [[]]}", "input_ids[0] is empty"},
    {"{'input_ids': [[1], 7]}", "input_ids[1] must be a list"},
    {"{'input_ids': [[1], [1, 2]]}", "input_ids[1] has 2 elements, but rows have 1"},
    {"{'input_ids': [[1, 100]]}", "input_ids[0][1] is 100, but must be a token id from 0 to 99"},
    {"{'input_ids': [[1, -1]]}", "input_ids[0][1] is -1"},
    {"{'input_ids': [[1, 4294967297]]}", "input_ids[0][1] is 4294967297"},
    {"{'input_ids': [[1, 1.5]]}", "input_ids[0][1] is 1.5"},
    {"{'input_ids': [[1, 'x']]}", "input_ids[0][1] is \"x\""},
    {"{'input_ids': [[1, 2]], 'attention_mask': 1}", "attention_mask is 1, but must be a list"},
    {"{'input_ids': [[1, 2]], 'attention_mask': []}", "attention_mask has 0 rows, but there are 1"},
    {"{'input_ids': [[1, 2]], 'attention_mask': [[1]]}", "attention_mask[0] has 1 elements"},
    {"{'input_ids': [[1, 2]], 'attention_mask': [[1, 2]]}", "attention_mask[0][1] is 2, but must be 0 or 1"},
    {"{'input_ids': [[1, 2]], 'attention_mask': [[1, 0.5]]}", "attention_mask[0][1] is 0.5"},
    {"{'input_ids': [[1, 2]], 'attention_mask': [[0, 1]]}", "attention_mask[0][1] is 1 behind a 0"},
    {"{'input_ids': [[1, 2, 3]], 'attention_mask': [[1, 0, 1]]}", "attention_mask[0][2] is 1 behind a 0"},
    {"{'input_ids': [[1, 2]], 'attention_mask': [[0, 0]]}", "attention_mask[0] has no 1"},
    {"{'input_ids': [[1, 2]], 'lengths': [1, 2]}", "lengths has 2 elements, but there are 1 rows"},
    {"{'input_ids': [[1, 2]], 'lengths': [0]}", "lengths[0] is 0, but must be from 1"},
    {"{'input_ids': [[1, 2]], 'lengths': [3]}", "lengths[0] is 3, but must be from 1"},
    {"{'input_ids': [[1, 2]], 'lengths': [1], 'attention_mask': [[1, 1]]}", "lengths[0] is 1, but the mask has 2"},
    {"{'input_ids': [[1, 2]], 'position_ids': [[0, 2]]}", "position_ids[0][1] is 2, but must be 1"},
    {"{'input_ids': [[1, 2]], 'labels': 0}", "labels is 0, but must be a list"},
    {"{'input_ids': [[1, 2]], 'labels': [0, 1]}", "labels has 2 elements, but there are 1 rows"},
    {"{'input_ids': [[1, 2]], 'labels': [6]}", "labels[0] is 6, but must be a class from 0 to 5"},
    {"{'input_ids': [[1, 2]], 'labels': [-1]}", "labels[0] is -1"},
    {"{'input_ids': [[1, 2]], 'labels': [true]}", "labels[0] is true"},
    {"{'input_ids': [[1, 2]], 'label_smoothing': 1}", "label_smoothing must be below 1"},
    {"{'input_ids': [[1, 2]], 'label_smoothing': -0.5}", "label_smoothing is -0.5, but must be a number from 0"},
    {"{'input_ids': [[1, 2]], 'class_weights': [1]}", "class_weights has 1 elements, but the model has 6 classes"},
    {"{'input_ids': [[1, 2]], 'class_weights': [1, 1, 1, 1, 1, -1]}", "class_weights[5] is -1"},
};

/* The text with ' for ". */
static void quoted(const char *text, char *out, size_t room) {
  ck_assert_uint_lt(strlen(text), room);
  strcpy(out, text);
  for (char *c = out; (c = strchr(c, '\''));) *c = '"';
}

START_TEST(wrong_inputs_are_refused_by_field) {
  char text[4096];
  as_context *ctx = as_test_context(1);
  quoted(wrong_inputs[_i].text, text, sizeof text);
  check_refused(RUN(ctx, "run", model, "--inputs", write_text("in.json", text)), 3, wrong_inputs[_i].fragment);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_row_longer_than_the_model_takes_is_refused) {
  as_context *ctx = as_test_context(1);
  json_t *ids = json_array(), *inputs = json_object(), *mask = json_array();
  for (int i = 0; i < 65; i++) json_array_append_new(ids, json_integer(i + 1));
  for (int i = 0; i < 65; i++) json_array_append_new(mask, json_integer(i < 64));
  json_object_set_new(inputs, "input_ids", json_pack("[o]", ids));
  check_refused(RUN(ctx, "run", model, "--inputs", write_json("in.json", inputs)), 3,
                "input_ids[0] has 65 tokens, but the model takes at most 64");
  json_object_set_new(inputs, "attention_mask", json_pack("[o]", mask));
  as_program program = RUN(ctx, "run", model, "--inputs", write_json("in.json", inputs));
  ck_assert_int_eq(program.code, 0);
  as_program_free(&program);
  json_decref(inputs);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_field_that_is_not_read_gets_a_warning) {
  as_context *ctx = as_test_context(1);
  as_program program =
      RUN(ctx, "run", model, "--inputs", write_text("in.json", "{\"input_ids\": [[1]], \"label_smoothin\": 0.1}"));
  ck_assert_int_eq(program.code, 0);
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "label_smoothin is not a field"));
  as_program_free(&program);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(absent_files_folders_and_options_have_their_exit_codes) {
  as_context *ctx = as_test_context(1);
  const char *inputs = path_in(model, "inputs.json");
  check_refused(RUN(ctx, "run", model), 2, "--inputs");
  check_refused(RUN(ctx, "run", "--inputs", inputs), 2, "DIR");
  check_refused(RUN(ctx, "train", model, "--inputs", inputs), 2, "--variant");
  check_refused(RUN(ctx, "model"), 2, "DIR");
  check_refused(RUN(ctx, "run", model, "--inputs", path_in(folder, "absent")), 3, "absent");
  check_refused(RUN(ctx, "run", path_in(folder, "no_model"), "--inputs", inputs), 4, "no_model");
  check_refused(RUN(ctx, "train", model, "--inputs", inputs, "--variant", "adamw"), 3, "variants is missing");
  check_refused(RUN(ctx, "model", path_in(folder, "no_model")), 4, "no_model");
  check_refused(RUN(ctx, "run", model, "--inputs", inputs, "--save", path_in(folder, "no/where")), 1, "no/where");
  as_test_context_free(ctx);
}
END_TEST

/* ---- training ----------------------------------------------------------------------------------------------- */

static const char small_training[] =
    "{'variants': {'v': {'optimizer': 'adamw', 'lr': 0.001, 'betas': [0.9, 0.999], 'eps': 1e-8, 'weight_decay': 0.01, "
    "'schedule': 'linear', 'warmup': 1, 'steps': 2, 'accumulate': 1, 'max_grad_norm': 1.0}}, "
    "'weight_decay_parameters': ['classifier.weight'], 'no_weight_decay_parameters': ['classifier.bias'], "
    "'batches': [{'input_ids': [[1, 2], [3, 0]], 'attention_mask': [[1, 1], [1, 0]], 'labels': [0, 5]}, "
    "{'input_ids': [[4]], 'labels': [1]}]}";

/* Writes small_training with its first `from` replaced by `to`. */
static const char *write_training(const char *from, const char *to) {
  char text[4096], changed[4096];
  const char *at = strstr(small_training, from);
  ck_assert_msg(at, "small_training has no %s", from);
  snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - small_training), small_training, to, at + strlen(from));
  quoted(changed, text, sizeof text);
  return write_text("train.json", text);
}

static const struct {
  const char *from, *to, *fragment;
} wrong_trainings[] = {
    {"'v': {", "'w': {", "train.json: variants.v is missing"},
    {"'optimizer': 'adamw'", "'optimizer': 'lion'", "variants.v.optimizer is \"lion\", but only adamw"},
    {"'lr': 0.001", "'lr': -1", "variants.v.lr is -1"},
    {"'lr': 0.001", "'lr': 'high'", "variants.v.lr is \"high\""},
    {"[0.9, 0.999]", "[0.9]", "variants.v.betas has 1 elements"},
    {"[0.9, 0.999]", "[0.9, 1]", "variants.v.betas[1] must be"},
    {"'eps': 1e-8", "'eps': -1", "variants.v.eps is -1"},
    {"'linear'", "'square'", "variants.v.schedule is \"square\""},
    {"'warmup': 1", "'warmup': 1.5", "variants.v.warmup is 1.5"},
    {"'steps': 2", "'steps': 0", "variants.v.steps is 0"},
    {"'steps': 2", "'steps': 3", "batches has 2 elements, but 3 steps of 1 take 3"},
    {"'steps': 2, 'accumulate': 1", "'steps': 2147483647, 'accumulate': 2147483647", "batches has 2 elements"},
    {"'accumulate': 1", "'accumulate': 0", "variants.v.accumulate is 0"},
    {"['classifier.weight']", "['classifier.bias']",
     "weight_decay_parameters[0] \"classifier.bias\": weight decay never"},
    {"['classifier.bias']", "['classifier.weight']",
     "no_weight_decay_parameters[0] \"classifier.weight\": weight decay always"},
    {"['classifier.bias']", "['bias']", "no_weight_decay_parameters[0] \"bias\" is not a parameter"},
    {"['classifier.bias']", "[1]", "no_weight_decay_parameters[0] \"\" is not a parameter"},
    {"{'input_ids': [[4]], 'labels': [1]}", "4", "batches[1] is 4, but must be an object"},
    {"[[4]]", "[[400]]", "batches[1].input_ids[0][0] is 400"},
    {"'labels': [1]", "'labels': [9]", "batches[1].labels[0] is 9"},
};

START_TEST(wrong_trainings_are_refused_by_field) {
  as_context *ctx = as_test_context(1);
  const char *inputs = write_training(wrong_trainings[_i].from, wrong_trainings[_i].to);
  check_refused(RUN(ctx, "train", model, "--inputs", inputs, "--variant", "v"), 3, wrong_trainings[_i].fragment);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(schedules_give_their_learning_rates) {
  static const struct {
    const char *schedule;
    double second; /* learning rate of step 1 of 2, one step of warm-up before it */
  } rows[] = {{"'linear'", 0.001}, {"'cosine'", 0.001}, {"'constant'", 0.001}, {"'inverse_sqrt'", 0.001}};
  as_context *ctx = as_test_context(1);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    as_program program =
        RUN(ctx, "train", model, "--inputs", write_training("'linear'", rows[i].schedule), "--variant", "v");
    json_t *printed = as_program_json(ctx, &program), *lr = json_object_get(printed, "lr");
    ck_assert_uint_eq(json_array_size(lr), 2);
    ck_assert_double_eq(json_number_value(json_array_get(lr, 0)), 0);
    ck_assert_double_eq_tol(json_number_value(json_array_get(lr, 1)), rows[i].second, 1e-12);
    json_decref(printed);
    as_program_free(&program);
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(training_leaves_the_folder_alone_and_the_first_step_has_rate_zero) {
  as_context *ctx = as_test_context(2);
  as_program program = RUN(ctx, "train", model, "--inputs", write_training("'steps': 2", "'steps': 1"), "--variant",
                           "v", "--save", path_in(folder, "out"));
  ck_assert_int_eq(program.code, 0);
  as_safetensors *saved = as_test_tensors(ctx, path_in(folder, "out"));
  as_safetensors *before = as_test_tensors(ctx, path_in(model, "model.safetensors"));
  ck_assert_uint_eq(as_safetensors_count(saved), as_safetensors_count(before));
  for (size_t i = 0; i < as_safetensors_count(before); i++) {
    const as_stored_tensor *t = as_safetensors_tensor(before, i);
    char name[300];
    size_t index;
    snprintf(name, sizeof name, "v.final.%s", t->name);
    ck_assert_msg(as_safetensors_find(saved, name, &index), "%s was not saved", name);
    ck_assert_mem_eq(as_safetensors_data(saved, index), as_safetensors_data(before, i), (size_t)t->elements * 4);
  }
  as_safetensors_close(saved);
  as_safetensors_close(before);
  as_program_free(&program);
  as_test_context_free(ctx);
}
END_TEST

/* ---- model -------------------------------------------------------------------------------------------------- */

static const float two[2] = {1, 2}, broken[2] = {1, NAN};
static const int64_t whole[2] = {1, 2};
static const as_safetensors_item extras[] = {
    {.name = "spare.\x1b[31mfloats", .type = AS_STORED_F32, .ndim = 1, .shape = {2}, .data = two},
    {.name = "spare.integers", .type = AS_STORED_I64, .ndim = 1, .shape = {2}, .data = whole},
    {.name = "spare.broken", .type = AS_STORED_F32, .ndim = 1, .shape = {2}, .data = broken},
    {.name = "spare.empty", .type = AS_STORED_F32, .ndim = 2, .shape = {0, 3}, .data = two},
};

static json_t *row_of(json_t *printed, const char *name) {
  json_t *tensors = json_object_get(printed, "tensors");
  for (size_t i = 0; i < json_array_size(tensors); i++)
    if (strcmp(json_string_value(json_object_get(json_array_get(tensors, i), "name")), name) == 0)
      return json_array_get(tensors, i);
  ck_abort_msg("no tensor %s was printed", name);
  return NULL;
}

static double number_of(json_t *object, const char *name) {
  const json_t *value = json_object_get(object, name);
  ck_assert_msg(json_is_number(value), "%s is not a number", name);
  return json_number_value(value);
}

START_TEST(every_tensor_is_described_by_its_values) {
  as_context *ctx = as_test_context(1);
  as_program program = RUN(ctx, "model", model, "--json");
  json_t *printed = as_program_json(ctx, &program);
  as_safetensors *file = as_test_tensors(ctx, path_in(model, "model.safetensors"));
  int64_t parameters = 0;
  ck_assert_uint_eq(json_array_size(json_object_get(printed, "tensors")), as_safetensors_count(file));
  for (size_t i = 0; i < as_safetensors_count(file); i++) {
    const as_stored_tensor *t = as_safetensors_tensor(file, i);
    json_t *row = row_of(printed, t->name);
    size_t count;
    float *x = as_test_tensor(ctx, file, t->name, &count), min = x[0], max = x[0];
    double sum = 0, squares = 0;
    for (size_t k = 0; k < count; k++) {
      min = fminf(min, x[k]);
      max = fmaxf(max, x[k]);
      sum += (double)x[k];
      squares += (double)x[k] * (double)x[k];
    }
    ck_assert((float)number_of(row, "min") == min && (float)number_of(row, "max") == max);
    ck_assert_double_eq_tol(number_of(row, "mean"), sum / (double)count, 1e-12);
    ck_assert_double_eq_tol(number_of(row, "norm"), sqrt(squares), 1e-9);
    ck_assert(json_is_true(json_object_get(row, "used")));
    ck_assert_str_eq(json_string_value(json_object_get(row, "dtype")), "F32");
    ck_assert_uint_eq(json_array_size(json_object_get(row, "shape")), (size_t)t->ndim);
    parameters += t->elements;
    as_free(ctx, x);
  }
  ck_assert_int_eq(json_integer_value(json_object_get(printed, "parameters")), parameters);
  ck_assert_int_eq(json_integer_value(json_object_get(printed, "bytes_in_memory")), 4 * parameters);
  ck_assert_int_eq(json_integer_value(json_object_get(printed, "bytes_on_disk")), 98976);
  ck_assert_uint_eq(json_array_size(json_object_get(printed, "labels")), 6);
  ck_assert_int_eq((int)number_of(json_object_get(printed, "sizes"), "layers"), 2);
  ck_assert_int_eq((int)number_of(json_object_get(printed, "config"), "n_heads"), 4);
  as_safetensors_close(file);
  json_decref(printed);
  as_program_free(&program);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(tensors_that_are_not_part_of_the_model_are_told_apart) {
  as_context *ctx = as_test_context(1);
  const char *body = make_model(ctx, "spare", is_body, extras, sizeof extras / sizeof extras[0]);
  as_program program = RUN(ctx, "model", body, "--json");
  json_t *printed = as_program_json(ctx, &program);
  ck_assert(json_is_false(json_object_get(printed, "head")));
  ck_assert(json_is_null(json_object_get(printed, "labels")));
  ck_assert_ptr_nonnull(strstr(as_test_warnings(ctx), "\"spare.broken\" has NaN at [1]"));
  json_t *floats = row_of(printed, extras[0].name);
  ck_assert(json_is_false(json_object_get(floats, "used")));
  ck_assert_double_eq_tol(number_of(floats, "norm"), sqrt(5), 1e-12);
  ck_assert_double_eq(number_of(floats, "mean"), 1.5);
  for (size_t i = 1; i < sizeof extras / sizeof extras[0]; i++) {
    json_t *row = row_of(printed, extras[i].name);
    ck_assert(json_is_false(json_object_get(row, "used")));
    ck_assert(json_is_null(json_object_get(row, "norm")) && json_is_null(json_object_get(row, "min")));
  }
  json_decref(printed);
  as_program_free(&program);
  as_test_context_free(ctx);
}
END_TEST

START_TEST(the_table_fits_a_page_and_steers_no_terminal) {
  as_context *ctx = as_test_context(1);
  const char *spare = make_model(ctx, "spare", NULL, extras, sizeof extras / sizeof extras[0]);
  as_program program = RUN(ctx, "model", spare);
  ck_assert_int_eq(program.code, 0);
  ck_assert_ptr_null(strchr(program.out, '\x1b'));
  static const char *const wanted[] = {
      "distilbert, with its classification head",  "complaint", "not part of the model", "bytes on disk",
      "distilbert.transformer.layer.1.ffn.lin2\n", "[100, 32]"};
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
    ck_assert_msg(strstr(program.out, wanted[i]), "the table lacks %s:\n%s", wanted[i], program.out);
  for (char *line = strtok(program.out, "\n"); line; line = strtok(NULL, "\n"))
    ck_assert_msg(as_text_columns(line) <= 80, "%d columns: %s", as_text_columns(line), line);
  as_program_free(&program);
  as_test_context_free(ctx);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------- */

START_TEST(every_failing_allocation_is_reported) {
  const char *out = path_in(folder, "out"), *ids = "{'input_ids': [[1, 2]], 'labels': [1], 'label_smoothing': 0.1}";
  char text[200];
  quoted(ids, text, sizeof text);
  const char *const commands[][9] = {
      {"inspect", "model", model},
      {"inspect", "model", model, "--json"},
      {"inspect", "run", model, "--inputs", write_text("in.json", text), "--gradients", "--save", out},
      {"inspect", "train", model, "--inputs", write_training("'v'", "'v'"), "--variant=v", "--save", out},
  };
  as_context *ctx = as_test_context(1);
  for (uint64_t n = 1;; n++) {
    as_test_fail_at(ctx, n);
    as_program program = as_run_program(ctx, commands[_i]);
    bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    if (failed) check_refused(program, 1, "memory");
    if (failed) continue;
    ck_assert_int_eq(program.code, 0);
    ck_assert_uint_gt(n, 20);
    as_program_free(&program);
    break;
  }
  as_test_context_free(ctx);
}
END_TEST

#define COUNT(rows) (int)(sizeof(rows) / sizeof(rows)[0])

Suite *as_suite(void) {
  Suite *suite = suite_create("inspect");
  TCase *tcase = tcase_create("inspect");
  tcase_add_checked_fixture(tcase, setup, teardown);
  tcase_add_loop_test(tcase, activations_losses_and_gradients_are_those_of_pytorch, 0, 2);
  tcase_add_loop_test(tcase, training_is_that_of_pytorch, 0, 4);
  tcase_add_test(tcase, bits_do_not_depend_on_the_number_of_threads);
  tcase_add_test(tcase, what_is_behind_the_mask_does_not_matter);
  tcase_add_loop_test(tcase, scalars_are_those_that_the_inputs_allow, 0, 4);
  tcase_add_test(tcase, rows_without_a_label_count_nothing);
  tcase_add_test(tcase, a_body_without_a_head_has_hidden_states_only);
  tcase_add_loop_test(tcase, wrong_inputs_are_refused_by_field, 0, COUNT(wrong_inputs));
  tcase_add_test(tcase, a_row_longer_than_the_model_takes_is_refused);
  tcase_add_test(tcase, a_field_that_is_not_read_gets_a_warning);
  tcase_add_test(tcase, absent_files_folders_and_options_have_their_exit_codes);
  tcase_add_loop_test(tcase, wrong_trainings_are_refused_by_field, 0, COUNT(wrong_trainings));
  tcase_add_test(tcase, schedules_give_their_learning_rates);
  tcase_add_test(tcase, training_leaves_the_folder_alone_and_the_first_step_has_rate_zero);
  tcase_add_test(tcase, every_tensor_is_described_by_its_values);
  tcase_add_test(tcase, tensors_that_are_not_part_of_the_model_are_told_apart);
  tcase_add_test(tcase, the_table_fits_a_page_and_steers_no_terminal);
  tcase_add_loop_test(tcase, every_failing_allocation_is_reported, 0, 4);
  suite_add_tcase(suite, tcase);
  return suite;
}
