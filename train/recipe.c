/* See recipe.h. One table of numbers and one of texts serve presets, reading, writing and checking. */
#include "train/recipe.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "models/encoder.h"
#include "models/input_template.h"
#include "models/t5.h"

#define MAX_RECIPE ((size_t)1 << 20)

static const as_config_choice kinds[] = {
    {"classifier", AS_TRAIN_CLASSIFIER}, {"pretraining", AS_TRAIN_PRETRAINING}, {"response", AS_TRAIN_RESPONSE}, {NULL, 0}};
static const as_config_choice schedules[] = {{"linear", AS_SCHEDULE_LINEAR},
                                             {"cosine", AS_SCHEDULE_COSINE},
                                             {"constant", AS_SCHEDULE_CONSTANT},
                                             {"inverse_sqrt", AS_SCHEDULE_INVERSE_SQRT},
                                             {NULL, 0}};
static const as_config_choice weightings[] = {
    {"none", AS_WEIGHTS_NONE}, {"balanced", AS_WEIGHTS_BALANCED}, {"given", AS_WEIGHTS_GIVEN}, {NULL, 0}};
static const as_config_choice metrics[] = {
    {"macro_f1", AS_METRIC_MACRO_F1}, {"accuracy", AS_METRIC_ACCURACY}, {"loss", AS_METRIC_LOSS}, {"bleu", AS_METRIC_BLEU}, {NULL, 0}};

static const as_config_choice optimizers[] = {
    {"adamw", AS_OPTIMIZER_ADAMW}, {"adafactor", AS_OPTIMIZER_ADAFACTOR}, {NULL, 0}};

#define AT(field) offsetof(as_recipe, field)
static const as_config_field fields[] = {
    {"epochs", AS_CONFIG_INT, AT(epochs), 4, 1, 1e6, NULL},
    {"batch_rows", AS_CONFIG_INT, AT(batch_rows), 32, 0, 1e6, NULL},
    {"batch_tokens", AS_CONFIG_INT, AT(batch_tokens), 0, 0, 1e7, NULL},
    {"accumulate", AS_CONFIG_INT, AT(accumulate), 1, 1, 65536, NULL},
    {"max_length", AS_CONFIG_INT, AT(max_length), 128, 3, 65536, NULL},
    {"max_target_length", AS_CONFIG_INT, AT(max_target_length), 128, 2, 65536, NULL},
    {"freeze", AS_CONFIG_INT, AT(freeze), 0, 0, 1000, NULL},
    {"patience", AS_CONFIG_INT, AT(patience), 3, 0, 1e6, NULL},
    {"seed", AS_CONFIG_INT, AT(seed), 1, 0, 9e15, NULL},
    {"save_every", AS_CONFIG_INT, AT(save_every), 600, 1, 1e9, NULL},
    {"recompute", AS_CONFIG_INT, AT(recompute), 0, 0, 2, NULL},
    {"memory_limit", AS_CONFIG_INT, AT(memory_limit), 0, 0, 9e15, NULL},
    {"vocab_size", AS_CONFIG_INT, AT(vocab_size), 8000, 100, 1e7, NULL},
    {"lr", AS_CONFIG_FLOAT, AT(lr), 5e-5, 0, 10, NULL},
    {"warmup", AS_CONFIG_FLOAT, AT(warmup), 0.06, 0, 1e9, NULL},
    {"weight_decay", AS_CONFIG_FLOAT, AT(weight_decay), 0.01, 0, 10, NULL},
    {"max_grad_norm", AS_CONFIG_FLOAT, AT(max_grad_norm), 1, 0, 1e9, NULL},
    {"dropout", AS_CONFIG_FLOAT, AT(dropout), -1, -1, 0.99, NULL},
    {"label_smoothing", AS_CONFIG_FLOAT, AT(label_smoothing), 0, 0, 0.99, NULL},
    {"valid_share", AS_CONFIG_FLOAT, AT(valid_share), 0.1, 0.001, 0.9, NULL},
    {"hold_out", AS_CONFIG_FLOAT, AT(hold_out), 0, 0, 0.9, NULL},
    {"memory_auto", AS_CONFIG_BOOL, AT(memory_auto), 0, 0, 0, NULL},
    {"valid_none", AS_CONFIG_BOOL, AT(valid_none), 0, 0, 0, NULL},
    {"skip_bad_rows", AS_CONFIG_BOOL, AT(skip_bad_rows), 0, 0, 0, NULL},
    {"scale_parameter", AS_CONFIG_BOOL, AT(scale_parameter), 0, 0, 0, NULL},
    {"relative_step", AS_CONFIG_BOOL, AT(relative_step), 0, 0, 0, NULL},
    {"warmup_init", AS_CONFIG_BOOL, AT(warmup_init), 0, 0, 0, NULL},
    {"optimizer", AS_CONFIG_CHOICE, AT(optimizer), AS_OPTIMIZER_ADAMW, 0, 0, optimizers},
    {"kind", AS_CONFIG_CHOICE, AT(kind), AS_TRAIN_CLASSIFIER, 0, 0, kinds},
    {"schedule", AS_CONFIG_CHOICE, AT(schedule), AS_SCHEDULE_LINEAR, 0, 0, schedules},
    {"class_weights", AS_CONFIG_CHOICE, AT(class_weights), AS_WEIGHTS_NONE, 0, 0, weightings},
    {"metric", AS_CONFIG_CHOICE, AT(metric), AS_METRIC_MACRO_F1, 0, 0, metrics},
};
#define FIELDS (sizeof fields / sizeof fields[0])

static const struct {
  const char *name;
  size_t offset;
} texts[] = {{"from", AT(from)},
             {"size", AT(size)},
             {"architecture", AT(architecture)},
             {"data", AT(data)},
             {"valid", AT(valid)},
             {"text_column", AT(text_column)},
             {"label_column", AT(label_column)},
             {"encoding", AT(encoding)},
             {"delimiter", AT(delimiter)},
             {"given_weights", AT(given_weights)},
             {"task", AT(task)},
             {"input_template", AT(input_template)}};
#define TEXTS (sizeof texts / sizeof texts[0])

static char **text_at(const as_recipe *recipe, size_t i) {
  return (char **)(void *)((char *)(uintptr_t)recipe + texts[i].offset);
}

/* What differs by size: smaller models from nothing want more epochs and a higher learning rate. */
static const as_size_recipe presets[] = {
    {"tiny", 10, 1e-3}, {"mini", 8, 5e-4}, {"small", 6, 3e-4}, {"base", 6, 1e-4}};

as_recipe as_recipe_preset(const char *size) {
  as_recipe recipe = {0};
  as_config_defaults(fields, FIELDS, &recipe);
  as_recipe_set_size(&recipe, size, presets, sizeof presets / sizeof presets[0]);
  return recipe;
}

void as_recipe_set_size(as_recipe *recipe, const char *size, const as_size_recipe *table, size_t count) {
  for (size_t i = 0; size && i < count; i++) {
    if (strcmp(table[i].size, size) != 0) continue;
    recipe->epochs = table[i].epochs;
    recipe->lr = table[i].lr;
  }
}

const char *as_training_kind_name(as_training_kind kind) {
  return kinds[kind].name;
}

as_status as_recipe_copy(as_context *ctx, const as_recipe *recipe, as_recipe *copy) {
  as_status status = AS_OK;
  *copy = *recipe;
  for (size_t i = 0; i < TEXTS; i++) {
    const char *given = *text_at(recipe, i);
    *text_at(copy, i) = given ? as_strdup(ctx, given) : NULL;
    if (given && !*text_at(copy, i)) status = AS_E_NOMEM;
  }
  return status;
}

void as_recipe_free(as_context *ctx, as_recipe *recipe) {
  for (size_t i = 0; i < TEXTS; i++) {
    as_free(ctx, *text_at(recipe, i));
    *text_at(recipe, i) = NULL;
  }
}

static as_status check_response(as_context *ctx, const as_recipe *recipe) {
  if (recipe->metric != AS_METRIC_LOSS && recipe->metric != AS_METRIC_BLEU)
    return as_fail(ctx, AS_E_INVALID, "a response model is watched by loss or bleu");
  if (!recipe->input_template) return AS_OK;
  return as_input_template_check(ctx, recipe->input_template, AS_E_INVALID, "template");
}

static as_status check_fresh_response(as_context *ctx, const as_recipe *recipe) {
  if (strcmp(recipe->architecture, "t5") != 0 && strcmp(recipe->architecture, "t5-v1.1") != 0)
    return as_fail(ctx, AS_E_INVALID, "there is no architecture \"%.60s\" for replies; there are t5 and t5-v1.1",
                   recipe->architecture);
  if (as_t5_preset_find(recipe->size)) return AS_OK;
  return as_fail(ctx, AS_E_INVALID, "there is no size \"%.60s\"", recipe->size);
}

/* A fresh model has an architecture and one of its sizes. */
static as_status check_fresh(as_context *ctx, const as_recipe *recipe) {
  if (!recipe->architecture) return as_fail(ctx, AS_E_INVALID, "a fresh model needs an architecture");
  if (recipe->kind == AS_TRAIN_RESPONSE) return check_fresh_response(ctx, recipe);
  const as_encoder_architecture *architecture = as_encoder_architecture_find(recipe->architecture);
  if (!architecture)
    return as_fail(ctx, AS_E_INVALID, "there is no architecture \"%.60s\"", recipe->architecture);
  if (as_encoder_preset_find(architecture, recipe->size)) return AS_OK;
  return as_fail(ctx, AS_E_INVALID, "there is no size \"%.60s\"", recipe->size);
}

as_status as_recipe_check(as_context *ctx, const as_recipe *recipe) {
  as_status status = as_config_check_fields(ctx, fields, FIELDS, recipe);
  if (status != AS_OK) return status;
  if ((recipe->batch_rows > 0) == (recipe->batch_tokens > 0))
    return as_fail(ctx, AS_E_INVALID, "batches are bounded by rows or by tokens: give one of batch and batch-tokens");
  if (!recipe->from == !recipe->size)
    return as_fail(ctx, AS_E_INVALID, "give a folder to start from or the size of a fresh model, not both");
  if ((recipe->scale_parameter || recipe->relative_step) && recipe->optimizer != AS_OPTIMIZER_ADAFACTOR)
    return as_fail(ctx, AS_E_INVALID, "scale_parameter and relative_step are Adafactor's: give optimizer adafactor");
  if (recipe->warmup_init && !recipe->relative_step)
    return as_fail(ctx, AS_E_INVALID, "warmup_init is a warm-up of relative_step, which is not asked for");
  if (!recipe->data) return as_fail(ctx, AS_E_INVALID, "there is no data file to train on");
  if (recipe->kind != AS_TRAIN_RESPONSE && recipe->metric == AS_METRIC_BLEU)
    return as_fail(ctx, AS_E_INVALID, "bleu is a metric of replies");
  if (recipe->kind == AS_TRAIN_RESPONSE) status = check_response(ctx, recipe);
  if (status != AS_OK) return status;
  return recipe->size ? check_fresh(ctx, recipe) : AS_OK;
}

as_status as_recipe_write(as_context *ctx, const as_recipe *recipe, const char *path) {
  json_t *root = json_object();
  bool stored = root && as_config_store_fields(root, fields, FIELDS, recipe);
  for (size_t i = 0; stored && i < TEXTS; i++)
    if (*text_at(recipe, i)) stored = json_object_set_new(root, texts[i].name, json_string(*text_at(recipe, i))) == 0;
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_json_writer writer = as_json_writer_start(&out, 2);
  if (stored) as_json_value(&writer, NULL, root);
  as_buffer_char(&out, '\n');
  as_status status = stored ? as_buffer_status(&out)
                            : as_fail(ctx, AS_E_NOMEM, "%s: out of memory, or a path that is not UTF-8", path);
  if (status == AS_OK) status = as_file_write(ctx, path, out.data, out.length);
  as_buffer_free(&out);
  json_decref(root);
  return status;
}

as_status as_recipe_read(as_context *ctx, const char *path, as_recipe *recipe) {
  as_model_config file = {.ctx = ctx, .path = as_strdup(ctx, path)};
  *recipe = (as_recipe){0};
  as_status status = file.path ? as_json_read(ctx, path, MAX_RECIPE, AS_E_MODEL, &file.root) : AS_E_NOMEM;
  if (status == AS_OK && !json_is_object(file.root))
    status = as_fail(ctx, AS_E_MODEL, "%s: is not a JSON object", path);
  if (status == AS_OK) status = as_config_read_fields(&file, fields, FIELDS, recipe);
  for (size_t i = 0; status == AS_OK && i < TEXTS; i++) {
    const char *text = NULL;
    if (!json_object_get(file.root, texts[i].name)) continue;
    status = as_model_config_text(&file, texts[i].name, &text);
    if (status == AS_OK && !(*text_at(recipe, i) = as_strdup(ctx, text))) status = AS_E_NOMEM;
  }
  if (status == AS_OK && as_recipe_check(ctx, recipe) != AS_OK) status = as_fail_prefix(ctx, AS_E_MODEL, "%s", path);
  as_model_config_free(&file);
  if (status != AS_OK) as_recipe_free(ctx, recipe);
  return status;
}
