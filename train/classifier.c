/* Classification as a training task (train/run.h): data, model, loss, and what is measured on the validation rows. */
#include "train/classifier.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "eval/classification.h"
#include "eval/evaluation.h"
#include "models/encoder_predict.h"
#include "models/task_file.h"
#include "train/class_weights.h"
#include "train/text_data.h"
#include "train/training_reference.h"
#include "train/micro_batches.h"
#include "train/run.h"

#define RESAMPLES 1000 /* of the bootstrap intervals in metrics.json */

typedef struct classifier {
  as_context *ctx;
  const as_recipe *recipe;
  const char *expected; /* the task that a run to go on with must be of; NULL: any */
  as_text_data data;
  as_encoder *encoder;
  as_encoder_predictor predictor;
  as_micro_batches micro;
  float *class_weights; /* [classes], or NULL */
  float *probabilities; /* [valid rows, classes] */
  int32_t *predicted;   /* [valid rows] */
  int64_t *label_rows;  /* [classes], for the summary */
  as_classifier_calibration calibration; /* of the final model, once `conclude` has fitted it */
} classifier;

/* ---- data and model --------------------------------------------------------------------------------------------- */
static as_status read_data(void *self, as_training_run *run) {
  classifier *c = self;
  c->recipe = &run->recipe;
  if (c->expected && c->recipe->task && strcmp(c->expected, c->recipe->task) != 0)
    return as_fail(c->ctx, AS_E_MODEL, "%s: the unfinished training here is for %s, not for %s; resume it as such",
                   run->files.training, c->recipe->task, c->expected);
  as_status status = as_text_data_read(&c->data, c->ctx, c->recipe);
  if (status == AS_OK) as_text_data_name_files(&c->data, run);
  return status;
}

static as_status make_encoder(classifier *c, const char *checkpoint) {
  const as_recipe *r = c->recipe;
  as_encoder_options options = {.gradients = true,
                                .fresh_head = true,
                                .labels = &c->data.labels,
                                .seed = (uint64_t)r->seed,
                                .dropout = r->dropout};
  if (checkpoint || r->from) return as_encoder_open(c->ctx, checkpoint ? checkpoint : r->from, &options, &c->encoder);
  const as_encoder_architecture *architecture = as_encoder_architecture_find(r->architecture);
  return as_encoder_new(c->ctx, architecture, as_encoder_preset_find(architecture, r->size),
                        (int64_t)as_tokenizer_vocab_size(c->data.tokenizer),
                        as_tokenizer_special(c->data.tokenizer, AS_TOKEN_PAD), &options, &c->encoder);
}

/* What validation and summary will need. */
static as_status make_room(classifier *c) {
  const as_labels *labels = as_encoder_labels(c->encoder);
  const as_token_rows *train = &c->data.train_rows, *valid = &c->data.valid_rows;
  as_status status = as_class_weights_make(c->ctx, c->recipe, labels, train, &c->class_weights);
  if (status == AS_OK) status = as_encoder_predictor_init(&c->predictor, c->ctx, c->encoder);
  if (status != AS_OK) return status;
  c->label_rows = as_alloc_zero(c->ctx, labels->count, sizeof *c->label_rows);
  if (!c->label_rows) return AS_E_NOMEM;
  for (int64_t i = 0; i < train->count; i++) c->label_rows[train->labels[i]]++;
  if (!valid->count) return AS_OK;
  c->probabilities = as_alloc(c->ctx, (size_t)valid->count * labels->count, sizeof *c->probabilities);
  c->predicted = as_alloc(c->ctx, (size_t)valid->count, sizeof *c->predicted);
  return c->probabilities && c->predicted ? AS_OK : AS_E_NOMEM;
}

static as_status prepare(void *self, as_training_run *run, const char *checkpoint) {
  classifier *c = self;
  const as_recipe *r = c->recipe;
  const char *folder = checkpoint ? checkpoint : r->from;
  if (!folder) as_run_note(run, "training a vocabulary of %lld", (long long)r->vocab_size);
  as_status status = as_text_data_tokenizer(&c->data, r, folder);
  if (status == AS_OK) status = make_encoder(c, checkpoint);
  if (status == AS_OK)
    status = as_text_data_check_tokenizer(&c->data, c->encoder, r->from ? r->from : run->files.out);
  if (status == AS_OK) status = as_run_check(run);
  if (status == AS_OK)
    status =
        as_text_data_tokenize(&c->data, r, as_encoder_labels(c->encoder), as_encoder_describe(c->encoder)->max_tokens);
  if (status == AS_OK) status = as_run_freeze(run, as_encoder_describe(c->encoder)->layers);
  return status == AS_OK ? make_room(c) : status;
}

static as_parameters *parameters(void *self) {
  return as_encoder_parameters(((classifier *)self)->encoder);
}

/* ---- batches and loss ------------------------------------------------------------------------------------------- */
static const int64_t *rows(void *self, int64_t *count) {
  const as_token_rows *train = &((classifier *)self)->data.train_rows;
  *count = train->count;
  return train->offsets;
}

static as_status set_micro_batches(void *self, int64_t count) {
  classifier *c = self;
  return as_micro_batches_set(&c->micro, c->ctx, count);
}

static void survey(void *self, int64_t epoch, const int64_t *which, int64_t count) {
  classifier *c = self;
  (void)epoch;
  as_micro_batches_survey(&c->micro, &c->data.train_rows, which, count);
}

static as_status fill_largest(void *self) {
  return as_micro_batches_fill_largest(&((classifier *)self)->micro);
}

static as_status fill(void *self, int64_t micro, int64_t epoch, const int64_t *which, int64_t count, int64_t *tokens) {
  classifier *c = self;
  (void)epoch;
  as_status status = as_encoder_batch_fill(&c->micro.list[micro], &c->data.train_rows, which, count);
  *tokens = c->micro.list[micro].tokens;
  return status;
}

static double items(void *self, int64_t micro) {
  const classifier *c = self;
  return as_step_denominator(&c->micro.list[micro], 1, c->class_weights);
}

static as_tensor *record(void *self, as_graph *g, int64_t micro, double denominator) {
  classifier *c = self;
  as_step_options options = {.class_weights = c->class_weights, .label_smoothing = c->recipe->label_smoothing};
  return as_encoder_record_loss(g, c->encoder, &c->micro.list[micro], &options, denominator);
}

/* ---- validation ------------------------------------------------------------------------------------------------- */
static int64_t valid_rows(void *self) {
  return ((classifier *)self)->data.valid_rows.count;
}

/* The probabilities as the metrics take them; caller frees. */
static as_status widen(const classifier *c, double **probabilities) {
  const int64_t count = c->data.valid_rows.count * (int64_t)as_encoder_labels(c->encoder)->count;
  *probabilities = as_alloc(c->ctx, (size_t)count, sizeof **probabilities);
  for (int64_t i = 0; *probabilities && i < count; i++) (*probabilities)[i] = (double)c->probabilities[i];
  return *probabilities ? AS_OK : AS_E_NOMEM;
}

/* Takes the most probable class of each row for the prediction. */
static as_status score(const classifier *c, as_classification *scores) {
  const as_token_rows *valid = &c->data.valid_rows;
  const int64_t classes = (int64_t)as_encoder_labels(c->encoder)->count;
  double *probabilities;
  as_status status = widen(c, &probabilities);
  for (int64_t i = 0; status == AS_OK && i < valid->count; i++)
    c->predicted[i] = as_argmax(probabilities + i * classes, classes);
  if (status == AS_OK)
    status =
        as_classification_measure(c->ctx, valid->count, classes, valid->labels, c->predicted, probabilities, scores);
  as_free(c->ctx, probabilities);
  return status;
}

static bool all_finite(const float *x, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!isfinite(x[i])) return false;
  return true;
}

static as_status measure(void *self, as_training_run *run, as_training_epoch *epoch, double *watched) {
  classifier *c = self;
  as_encoder_predict_options options = {.interrupted = run->listener->interrupted, .user = run->listener->user};
  as_classification scores = {0};
  as_status status = as_encoder_predict(&c->predictor, &c->data.valid_rows, &options, c->probabilities);
  if (status == AS_OK &&
      !all_finite(c->probabilities, (size_t)c->data.valid_rows.count * as_encoder_labels(c->encoder)->count))
    status = as_fail(c->ctx, AS_E_DIVERGED,
                     "step %lld: after it the probabilities of the validation rows are no numbers; a lower learning "
                     "rate may help",
                     (long long)run->position.step);
  if (status == AS_OK) status = score(c, &scores);
  epoch->valid_loss = scores.log_loss;
  epoch->metrics[epoch->metric_count++] = (as_training_metric){"accuracy", "accuracy", scores.accuracy, true};
  epoch->metrics[epoch->metric_count++] = (as_training_metric){"macro_f1", "macro-F1", scores.f1.macro_seen, true};
  *watched = c->recipe->metric == AS_METRIC_ACCURACY ? scores.accuracy
             : c->recipe->metric == AS_METRIC_LOSS   ? -scores.log_loss
                                                     : scores.f1.macro_seen;
  as_classification_free(c->ctx, &scores);
  return status;
}

/* ---- the final model -------------------------------------------------------------------------------------------- */
/* What it answers before calibration: `logits` is room for [valid rows, classes]. The final model may be another than
 * was measured last, so its rows are asked anew. */
static as_status ask_again(classifier *c, as_training_run *run, float *logits) {
  const as_encoder_predict_options options = {
      .interrupted = run->listener->interrupted, .user = run->listener->user, .logits = logits};
  return as_encoder_predict(&c->predictor, &c->data.valid_rows, &options, c->probabilities);
}

static void note_calibration(const as_training_run *run, const as_classifier_calibration *c) {
  if (isnan(c->temperature))
    as_run_note(run, "calibration: no temperature is kept: %s", c->reason);
  else
    as_run_note(run,
                "calibration: temperature %.4g; on rows that it was not fitted on, ECE %.4f -> %.4f, log loss %.4f -> "
                "%.4f",
                c->temperature, c->before.reliability.ece, c->after.reliability.ece, c->before.log_loss,
                c->after.log_loss);
}

/* From here on the answers are those that the finished model will give. */
static void apply_calibration(classifier *c, const float *logits) {
  const int64_t classes = (int64_t)as_encoder_labels(c->encoder)->count;
  for (int64_t row = 0; row < c->data.valid_rows.count; row++) {
    float *p = c->probabilities + row * classes;
    c->predicted[row] = c->calibration.temperature > 0
                            ? as_calibrate_row(logits + row * classes, classes, c->calibration.temperature, p)
                            : as_argmax_float(p, classes);
  }
}

/* Fits the temperature on the validation rows. */
static as_status calibrate(classifier *c, as_training_run *run) {
  const as_token_rows *valid = &c->data.valid_rows;
  const int64_t classes = (int64_t)as_encoder_labels(c->encoder)->count, count = valid->count * classes;
  float *logits = as_alloc(c->ctx, (size_t)count, sizeof *logits);
  double *wide = as_alloc(c->ctx, (size_t)count, sizeof *wide);
  as_status status = logits && wide ? ask_again(c, run, logits) : AS_E_NOMEM;
  for (int64_t i = 0; status == AS_OK && i < count; i++) wide[i] = (double)logits[i];
  if (status == AS_OK)
    status = as_classifier_calibration_fit(c->ctx, valid->count, classes, wide, valid->labels, &c->calibration);
  if (status == AS_OK) apply_calibration(c, logits);
  if (status == AS_OK) note_calibration(run, &c->calibration);
  as_free(c->ctx, logits);
  as_free(c->ctx, wide);
  return status;
}

/* What drift will be measured against. */
static as_status write_reference(classifier *c, as_training_run *run) {
  const as_encoder_predict_options options = {.interrupted = run->listener->interrupted, .user = run->listener->user};
  const int64_t most = as_encoder_describe(c->encoder)->max_tokens;
  const as_training_reference trained = {.labels = as_encoder_labels(c->encoder),
                                         .tokenizer = c->data.tokenizer,
                                         .training = &c->data.train_rows,
                                         .max_length = c->recipe->max_length < most ? c->recipe->max_length : most,
                                         .answers = c->data.valid_rows.count,
                                         .predicted = c->predicted,
                                         .probabilities = c->probabilities};
  return as_training_reference_write(c->ctx, &trained, &c->predictor, &options, run->files.out);
}

static as_status conclude(void *self, as_training_run *run) {
  classifier *c = self;
  as_encoder_predictor_free(&c->predictor);
  as_status status = as_encoder_predictor_init(&c->predictor, c->ctx, c->encoder);
  if (status == AS_OK && c->data.valid_rows.count) status = calibrate(c, run);
  return status == AS_OK ? write_reference(c, run) : status;
}

static as_status report(void *self, as_json_writer *out) {
  classifier *c = self;
  const as_labels *labels = as_encoder_labels(c->encoder);
  as_evaluation evaluation = {0};
  double *probabilities;
  as_status status = widen(c, &probabilities);
  if (status == AS_OK) {
    const as_evaluation_input input = {.rows = c->data.valid_rows.count,
                                       .classes = (int64_t)labels->count,
                                       .labels = (const char *const *)labels->names,
                                       .truth = c->data.valid_rows.labels,
                                       .predicted = c->predicted,
                                       .probabilities = probabilities,
                                       .resamples = RESAMPLES,
                                       .seed = (uint64_t)c->recipe->seed,
                                       .calibration = &c->calibration};
    status = as_evaluation_measure(c->ctx, &input, &evaluation);
  }
  if (status == AS_OK) as_evaluation_json(out, &evaluation);
  as_evaluation_free(c->ctx, &evaluation);
  as_free(c->ctx, probabilities);
  return status;
}

/* ---- the rest --------------------------------------------------------------------------------------------------- */
static as_status summarize(void *self, as_training_summary *s) {
  const classifier *c = self;
  s->architecture = as_encoder_get_architecture(c->encoder)->format->model_type;
  as_text_data_summarize(&c->data, s);
  s->labels = as_encoder_labels(c->encoder);
  s->label_rows = c->label_rows;
  s->vocab_size = as_encoder_describe(c->encoder)->vocab_size;
  s->head_replaced = as_encoder_head_origin(c->encoder) == AS_HEAD_REPLACED;
  s->head_absent = as_encoder_head_origin(c->encoder) == AS_HEAD_ABSENT;
  return AS_OK;
}

static as_status save(void *self, const char *folder) {
  const classifier *c = self;
  size_t most = (size_t)as_encoder_describe(c->encoder)->max_tokens;
  as_task_file file = {.task = c->recipe->task};
  if (c->calibration.temperature > 0) file.temperature = c->calibration.temperature;
  as_status status = as_tokenizer_save(c->data.tokenizer, folder, most);
  if (status == AS_OK) status = as_task_file_write(c->ctx, folder, &file);
  return status == AS_OK ? as_encoder_save(c->encoder, folder) : status;
}

static as_status reload(void *self, const char *folder) {
  classifier *c = self;
  as_encoder_options options = {.dropout = -1};
  as_encoder *best;
  as_status status = as_encoder_open(c->ctx, folder, &options, &best);
  if (status != AS_OK) return status;
  as_encoder_free(c->encoder);
  c->encoder = best;
  return AS_OK;
}

static int64_t line(void *self, int64_t row) {
  return ((classifier *)self)->data.train_lines[row];
}

static void release(void *self) {
  classifier *c = self;
  as_micro_batches_free(&c->micro);
  as_free(c->ctx, c->class_weights);
  as_free(c->ctx, c->probabilities);
  as_free(c->ctx, c->predicted);
  as_free(c->ctx, c->label_rows);
  if (c->predictor.graph) as_encoder_predictor_free(&c->predictor);
  as_encoder_free(c->encoder);
  as_text_data_free(&c->data);
}

static const as_training_task task = {.kind = AS_TRAIN_CLASSIFIER,
                                      .read = read_data,
                                      .prepare = prepare,
                                      .parameters = parameters,
                                      .rows = rows,
                                      .set_micro_batches = set_micro_batches,
                                      .survey = survey,
                                      .fill_largest = fill_largest,
                                      .fill = fill,
                                      .items = items,
                                      .record = record,
                                      .valid_rows = valid_rows,
                                      .measure = measure,
                                      .report = report,
                                      .summarize = summarize,
                                      .save = save,
                                      .conclude = conclude,
                                      .reload = reload,
                                      .line = line,
                                      .release = release};

as_status as_train_classifier(as_context *ctx, const as_recipe *recipe, const char *out, bool overwrite,
                              const as_training_listener *listener, as_training_result *result) {
  classifier self = {.ctx = ctx};
  return as_run_train(ctx, &task, &self, recipe, out, overwrite, listener, result);
}

/* A recipe with what it leaves to the task; its texts are not constant, so they need a place. */
typedef struct task_recipe {
  as_recipe recipe;
  char label_column[64], architecture[64], name[64];
} task_recipe;

static const as_recipe *fill_recipe(const as_classification_task *of, const as_recipe *recipe, task_recipe *filled) {
  as_recipe *r = &filled->recipe;
  *r = *recipe;
  snprintf(filled->label_column, sizeof filled->label_column, "%s", of->label_column);
  snprintf(filled->architecture, sizeof filled->architecture, "%s", of->architecture);
  snprintf(filled->name, sizeof filled->name, "%s", of->name);
  r->task = filled->name;
  if (!r->label_column) r->label_column = filled->label_column;
  if (!r->architecture && !r->from) r->architecture = filled->architecture;
  return r;
}

as_status as_train_task(as_context *ctx, const as_classification_task *of, const as_recipe *recipe, const char *out,
                        bool overwrite, const as_training_listener *listener, as_training_result *result) {
  task_recipe filled;
  return as_train_classifier(ctx, fill_recipe(of, recipe, &filled), out, overwrite, listener, result);
}

as_status as_train_task_estimate(as_context *ctx, const as_classification_task *of, const as_recipe *recipe,
                                 const as_training_listener *listener, as_training_estimate *estimate) {
  classifier self = {.ctx = ctx};
  task_recipe filled;
  return as_run_estimate(ctx, &task, &self, fill_recipe(of, recipe, &filled), listener, estimate);
}

as_status as_train_classifier_resume(as_context *ctx, const char *out, const as_training_listener *listener,
                                     as_training_result *result) {
  classifier self = {.ctx = ctx};
  return as_run_resume(ctx, &task, &self, out, listener, result);
}

as_status as_train_task_resume(as_context *ctx, const as_classification_task *of, const char *out,
                               const as_training_listener *listener, as_training_result *result) {
  classifier self = {.ctx = ctx, .expected = of->name};
  return as_run_resume(ctx, &task, &self, out, listener, result);
}
