/* The order of things in a classifier's training run. See classifier.h. */
#include "train/classifier.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "eval/classification.h"
#include "train/classifier_run.h"

double as_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

bool as_run_interrupted(const as_classifier_run *run) {
  return run->listener->interrupted && run->listener->interrupted(run->listener->user);
}

void as_run_note(const as_classifier_run *run, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (run->listener->note) run->listener->note(run->listener->user, text);
}

as_step_options as_run_step_options(const as_classifier_run *run) {
  const as_recipe *r = &run->recipe;
  return (as_step_options){.class_weights = run->class_weights,
                           .label_smoothing = r->label_smoothing,
                           .max_grad_norm = r->max_grad_norm,
                           .seed = (uint64_t)r->seed,
                           .recompute = (int)r->recompute};
}

static char *recipe_path(const as_classifier_run *run) {
  return as_path_join(run->ctx, run->files.training, "recipe.json");
}

/* ---- preparing -------------------------------------------------------------------------------------------------- */
static as_status stop_here(as_classifier_run *run) {
  return as_fail(run->ctx, AS_E_INTERRUPTED, "interrupted; go on with --resume %s", run->files.out);
}

static as_status make_encoder(as_classifier_run *run, const char *checkpoint) {
  const as_recipe *r = &run->recipe;
  as_encoder_options options = {.gradients = true,
                                .fresh_head = true,
                                .labels = &run->data.labels,
                                .seed = (uint64_t)r->seed,
                                .dropout = r->dropout};
  if (checkpoint || r->from)
    return as_encoder_open(run->ctx, checkpoint ? checkpoint : r->from, &options, &run->encoder);
  const as_encoder_architecture *architecture = as_encoder_architecture_find(r->architecture);
  return as_encoder_new(run->ctx, architecture, as_encoder_preset_find(architecture, r->size),
                        (int64_t)as_tokenizer_vocab_size(run->data.tokenizer),
                        as_tokenizer_special(run->data.tokenizer, AS_TOKEN_PAD), &options, &run->encoder);
}

static as_status check_vocabulary(as_classifier_run *run) {
  int64_t ids = (int64_t)as_tokenizer_vocab_size(run->data.tokenizer);
  int64_t rows = as_encoder_describe(run->encoder)->vocab_size;
  if (ids <= rows) return AS_OK;
  return as_fail(run->ctx, AS_E_MODEL,
                 "%s: the tokenizer has %lld ids and the model's vocab_size is %lld; they do not belong together",
                 run->recipe.from ? run->recipe.from : run->files.out, (long long)ids, (long long)rows);
}

static as_status freeze(as_classifier_run *run) {
  int64_t layers = as_encoder_describe(run->encoder)->layers;
  if (run->recipe.freeze > layers + 1)
    return as_fail(run->ctx, AS_E_INVALID,
                   "freeze: the model has %lld layers, so %lld keeps all but the head; %lld leaves nothing to train",
                   (long long)layers, (long long)layers + 1, (long long)run->recipe.freeze);
  if (run->recipe.freeze > 0) as_parameters_freeze(as_encoder_parameters(run->encoder), (int)run->recipe.freeze);
  return AS_OK;
}

/* Data, tokenizer and model; from the newest checkpoint if there is one. */
static as_status prepare(as_classifier_run *run) {
  as_status status;
  as_recipe *r = &run->recipe;
  char *checkpoint = as_training_latest(&run->files, &status);
  as_run_note(run, "reading %s", r->data);
  if (status == AS_OK) status = as_classifier_data_read(&run->data, run->ctx, r);
  if (status == AS_OK) status = as_run_check_digests(run);
  if (status == AS_OK && as_run_interrupted(run)) status = stop_here(run);
  if (status == AS_OK && !checkpoint && !r->from)
    as_run_note(run, "training a vocabulary of %lld", (long long)r->vocab_size);
  if (status == AS_OK) status = as_classifier_data_tokenizer(&run->data, r, checkpoint ? checkpoint : r->from);
  if (status == AS_OK) status = make_encoder(run, checkpoint);
  if (status == AS_OK) status = check_vocabulary(run);
  if (status == AS_OK && as_run_interrupted(run)) status = stop_here(run);
  if (status == AS_OK)
    status = as_classifier_data_tokenize(&run->data, r, as_encoder_labels(run->encoder),
                                         as_encoder_describe(run->encoder)->max_tokens);
  if (status == AS_OK) status = freeze(run);
  as_adamw_options options = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = r->weight_decay};
  if (status == AS_OK) status = as_adamw_init(&run->optimizer, run->ctx, as_encoder_parameters(run->encoder), &options);
  if (status == AS_OK && checkpoint)
    status = as_training_load(&run->files, checkpoint, &run->optimizer, &run->position);
  if (status == AS_OK && checkpoint) {
    r->batch_rows = run->position.batch_rows;
    r->batch_tokens = run->position.batch_tokens;
    r->accumulate = run->position.accumulate;
    r->recompute = run->position.recompute;
  }
  as_free(run->ctx, checkpoint);
  return status;
}

static as_status prepare_graphs(as_classifier_run *run) {
  run->graph = as_graph_new(run->ctx, AS_TRAIN);
  if (!run->graph) return AS_E_NOMEM;
  as_status status = as_run_class_weights(run);
  if (status == AS_OK) status = as_run_plan(run);
  if (status == AS_OK) status = as_encoder_predictor_init(&run->predictor, run->ctx, run->encoder);
  size_t classes = as_encoder_labels(run->encoder)->count;
  if (status == AS_OK && run->data.valid_rows.count) {
    run->probabilities = as_alloc(run->ctx, (size_t)run->data.valid_rows.count * classes, sizeof *run->probabilities);
    if (!run->probabilities) status = AS_E_NOMEM;
  }
  return status == AS_OK ? as_run_summary(run) : status;
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------ */
static as_status save(as_classifier_run *run) {
  as_training_position *p = &run->position;
  const as_recipe *r = &run->recipe;
  p->batch_rows = r->batch_rows;
  p->batch_tokens = r->batch_tokens;
  p->accumulate = r->accumulate;
  p->recompute = r->recompute;
  run->last_save = as_seconds();
  return as_training_save(&run->files, run->encoder, run->data.tokenizer, &run->optimizer, p);
}

/* ---- divergence ---------------------------------------------------------------------------------------- */
/* Lines of the rows that the step of `count` batches from `first` read, for the message of a run that diverged. */
static as_status name_rows(as_classifier_run *run, int64_t first, int64_t count) {
  char text[256];
  size_t used = 0;
  for (int64_t i = run->batches.start[first]; i < run->batches.start[first + count] && used + 32 < sizeof text; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, used ? ", %lld" : "%lld",
                             (long long)run->data.train_lines[run->batches.order[i]]);
  return as_fail_prefix(run->ctx, AS_E_DIVERGED, "%s: training diverged on the rows of lines %s", run->recipe.data,
                        text);
}

/* After the last step of an epoch: huge weights show in no loss before the next step, which there may not be. */
static as_status name_last_rows(as_classifier_run *run) {
  int64_t count = run->batches.count % run->recipe.accumulate;
  if (count == 0) count = run->recipe.accumulate;
  return name_rows(run, run->batches.count - count, count);
}

static bool all_finite(const float *x, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!isfinite(x[i])) return false;
  return true;
}

/* ---- validation ------------------------------------------------------------------------------------------------- */
static as_status measure(as_classifier_run *run, as_training_epoch *epoch) {
  const as_token_rows *rows = &run->data.valid_rows;
  int64_t classes = (int64_t)as_encoder_labels(run->encoder)->count;
  as_encoder_predict_options options = {.interrupted = run->listener->interrupted, .user = run->listener->user};
  as_status status = as_encoder_predict(&run->predictor, rows, &options, run->probabilities);
  if (status != AS_OK) return status;
  if (!all_finite(run->probabilities, (size_t)(rows->count * classes)))
    return as_fail(run->ctx, AS_E_DIVERGED,
                   "step %lld: after it the probabilities of the validation rows are no numbers; a lower learning rate "
                   "may help",
                   (long long)run->position.step);
  double *probabilities = as_alloc(run->ctx, (size_t)(rows->count * classes), sizeof *probabilities);
  int32_t *predicted = as_alloc(run->ctx, (size_t)rows->count, sizeof *predicted);
  as_classification scores = {0};
  status = probabilities && predicted ? AS_OK : AS_E_NOMEM;
  for (int64_t i = 0; status == AS_OK && i < rows->count * classes; i++)
    probabilities[i] = (double)run->probabilities[i];
  for (int64_t i = 0; status == AS_OK && i < rows->count; i++)
    predicted[i] = as_argmax(probabilities + i * classes, classes);
  if (status == AS_OK)
    status = as_classification_measure(run->ctx, rows->count, classes, rows->labels, predicted, probabilities, &scores);
  epoch->validated = true;
  epoch->valid_loss = scores.log_loss;
  epoch->accuracy = scores.accuracy;
  epoch->macro_f1 = scores.f1.macro_seen;
  as_classification_free(run->ctx, &scores);
  as_free(run->ctx, predicted);
  as_free(run->ctx, probabilities);
  return status;
}

/* The watched metric, larger being better. */
static double watched(const as_classifier_run *run, const as_training_epoch *epoch) {
  switch ((as_watched_metric)run->recipe.metric) {
  case AS_METRIC_ACCURACY:
    return epoch->accuracy;
  case AS_METRIC_LOSS:
    return -epoch->valid_loss;
  default:
    return epoch->macro_f1;
  }
}

static as_status end_epoch(as_classifier_run *run) {
  as_training_position *p = &run->position;
  as_training_epoch epoch = {
      .epoch = p->epoch + 1, .epochs = run->recipe.epochs, .train_loss = p->epoch_loss / (double)p->epoch_steps};
  as_status status = run->data.valid_rows.count ? measure(run, &epoch) : AS_OK;
  if (status == AS_E_DIVERGED) return name_last_rows(run);
  if (status != AS_OK) return status;
  bool keeps_best = epoch.validated && run->recipe.patience > 0;
  epoch.is_best = epoch.validated && (!p->has_best || watched(run, &epoch) > p->best);
  p->epochs_without_gain = epoch.is_best ? 0 : p->epochs_without_gain + 1;
  if (epoch.is_best) {
    p->has_best = true;
    p->best = watched(run, &epoch);
    p->best_epoch = p->epoch + 1;
    p->best_step = p->step;
    if (keeps_best) status = as_training_save_best(&run->files, run->encoder, run->data.tokenizer, p->step);
  }
  if (status == AS_OK) status = as_run_log_epoch(run, &epoch);
  if (status == AS_OK && run->listener->epoch) run->listener->epoch(run->listener->user, &epoch);
  p->epoch++;
  p->batch = p->epoch_steps = 0;
  p->unvalidated = false;
  p->epoch_loss = 0;
  p->finished = p->epoch >= run->recipe.epochs || (keeps_best && p->epochs_without_gain >= run->recipe.patience);
  return status == AS_OK ? save(run) : status;
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */
static as_status do_step(as_classifier_run *run) {
  as_training_position *p = &run->position;
  int64_t left = run->batches.count - p->batch, count = run->recipe.accumulate < left ? run->recipe.accumulate : left;
  as_training_step report = {.step = p->step + 1,
                             .steps = run->schedule.steps,
                             .epoch = p->epoch + 1,
                             .epochs = run->recipe.epochs,
                             .lr = as_schedule_lr(&run->schedule, p->step)};
  as_step_options options = as_run_step_options(run);
  as_step_result result;
  for (int64_t i = 0; i < count; i++) {
    as_status status = as_batches_fill(&run->batches, p->batch + i, &run->micro[i]);
    if (status != AS_OK) return status;
    report.tokens += run->micro[i].tokens;
  }
  as_status status = as_encoder_step(run->graph, run->encoder, &run->optimizer, run->micro, count, &options, p->step,
                                     report.lr, &result);
  if (status == AS_E_DIVERGED) return name_rows(run, p->batch, count);
  if (status != AS_OK) return status;
  p->step++;
  p->batch += count;
  p->epoch_steps++;
  p->epoch_loss += result.loss;
  p->tokens += report.tokens;
  report.loss = result.loss;
  report.grad_norm = result.grad_norm;
  double seconds = as_seconds() - run->started;
  report.tokens_per_second = seconds > 0 ? (double)(p->tokens - run->started_tokens) / seconds : 0;
  report.seconds_left = seconds / (double)(p->step - run->started_step) * (double)(run->schedule.steps - p->step);
  status = as_run_log_step(run, &report);
  if (status == AS_OK && run->listener->step) run->listener->step(run->listener->user, &report);
  return status;
}

/* A step count in the middle of an epoch must not be saved as the end of one: epochs end here, before anything else. */
static as_status run_epochs(as_classifier_run *run) {
  while (!run->position.finished) {
    as_status status = as_batches_epoch(&run->batches, run->position.epoch);
    while (status == AS_OK && run->position.batch < run->batches.count) {
      if (as_run_interrupted(run)) {
        status = run->position.step > 0 ? save(run) : AS_OK;
        return status == AS_OK ? stop_here(run) : status;
      }
      status = do_step(run);
      bool more = run->position.batch < run->batches.count;
      if (status == AS_OK && more && as_seconds() - run->last_save >= (double)run->recipe.save_every)
        status = save(run);
    }
    if (status == AS_OK) status = end_epoch(run);
    if (status == AS_E_INTERRUPTED) { /* while validating: its end will be gone through again */
      run->position.unvalidated = true;
      as_status saved = save(run);
      return saved == AS_OK ? stop_here(run) : saved;
    }
    if (status != AS_OK) return status;
  }
  return AS_OK;
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */
/* Puts the final model in place. The weights come last: a folder with weights is a whole model. */
static as_status finish(as_classifier_run *run, as_training_result *result) {
  const as_training_position *p = &run->position;
  as_encoder *best = NULL, *final = run->encoder;
  as_status status = AS_OK;
  if (p->has_best && run->recipe.patience > 0 && p->best_step != p->step) {
    char *path = as_training_best(&run->files, p->best_step);
    as_encoder_options options = {.dropout = -1};
    status = path ? as_encoder_open(run->ctx, path, &options, &best) : AS_E_NOMEM;
    as_free(run->ctx, path);
    final = best;
  }
  if (status == AS_OK)
    status =
        as_tokenizer_save(run->data.tokenizer, run->files.out, (size_t)as_encoder_describe(run->encoder)->max_tokens);
  char *recipe = as_path_join(run->ctx, run->files.out, "recipe.json");
  if (status == AS_OK) status = recipe ? as_recipe_write(run->ctx, &run->recipe, recipe) : AS_E_NOMEM;
  as_free(run->ctx, recipe);
  if (status == AS_OK) status = as_encoder_save(final, run->files.out);
  as_encoder_free(best);
  if (status == AS_OK) status = as_training_remove(&run->files);
  bool stopped_early = p->epoch<run->recipe.epochs, kept_best = run->recipe.patience> 0 && p->has_best;
  *result = (as_training_result){.steps = p->step,
                                 .epochs = p->epoch,
                                 .stopped_early = stopped_early,
                                 .best_epoch = kept_best ? p->best_epoch : p->epoch,
                                 .seconds = as_seconds() - run->started};
  result->tokens_per_second = result->seconds > 0 ? (double)(p->tokens - run->started_tokens) / result->seconds : 0;
  return status;
}

static void release(as_classifier_run *run) {
  as_run_log_close(run);
  for (int64_t i = 0; run->micro && i < run->recipe.accumulate; i++) as_encoder_batch_free(&run->micro[i]);
  as_free(run->ctx, run->micro);
  as_free(run->ctx, run->class_weights);
  as_free(run->ctx, run->probabilities);
  if (run->predictor.graph) as_encoder_predictor_free(&run->predictor);
  as_batches_free(&run->batches);
  as_graph_free(run->graph);
  as_adamw_free(&run->optimizer);
  as_encoder_free(run->encoder);
  as_classifier_data_free(&run->data);
  as_training_files_free(&run->files);
  as_recipe_free(run->ctx, &run->recipe);
}

static as_status run_recorded(as_classifier_run *run, as_training_result *result) {
  as_status status = prepare(run);
  if (status == AS_OK) status = prepare_graphs(run);
  if (status == AS_OK && !run->position.finished)
    status = as_training_check_room(&run->files, as_encoder_parameters(run->encoder)->elements);
  if (status == AS_OK) status = as_run_log_open(run);
  run->started = run->last_save = as_seconds();
  run->started_step = run->position.step;
  run->started_tokens = run->position.tokens;
  if (status == AS_OK) status = run_epochs(run);
  if (status == AS_OK) status = finish(run, result);
  return status;
}

/* A run is there from the moment its recipe is: what was stopped before that is in nobody's way. */
static as_status check_folder(const as_classifier_run *run, bool overwrite) {
  as_context *ctx = run->ctx;
  const as_training_files *files = &run->files;
  char *weights = as_path_join(ctx, files->out, "model.safetensors"), *recipe = recipe_path(run);
  as_status status = weights && recipe ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK && !overwrite && as_path_exists(recipe))
    status = as_fail(ctx, AS_E_INVALID,
                     "%s holds an unfinished training; go on with --resume %s, or give --overwrite or another --out",
                     files->out, files->out);
  else if (status == AS_OK && !overwrite && as_path_exists(weights))
    status =
        as_fail(ctx, AS_E_INVALID, "%s holds a model; give --overwrite to replace it, or another --out", files->out);
  else if (status == AS_OK && as_path_exists(files->out) && !as_path_is_folder(files->out))
    status = as_fail(ctx, AS_E_INVALID, "%s is not a folder; give another --out", files->out);
  if (status == AS_OK) status = as_training_remove(files);
  as_free(ctx, weights);
  as_free(ctx, recipe);
  return status;
}

static as_status copy_recipe(as_context *ctx, const as_recipe *recipe, as_recipe *copy) {
  *copy = *recipe;
  char **const texts[] = {&copy->from,      &copy->size,         &copy->architecture, &copy->data,
                          &copy->valid,     &copy->text_column,  &copy->label_column, &copy->encoding,
                          &copy->delimiter, &copy->given_weights};
  as_status status = AS_OK;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    const char *given = *texts[i];
    *texts[i] = given ? as_strdup(ctx, given) : NULL;
    if (given && !*texts[i]) status = AS_E_NOMEM;
  }
  return status;
}

/* After a failure that no resuming would go round (a wrong column, too little memory), with nothing done yet: there is
 * no run, and the folder is free for the next try. Of folders the first `made` bytes of the path named a new one. */
static void forget_failed_start(as_classifier_run *run, as_status failure, size_t made) {
  as_status status = AS_OK;
  if (failure == AS_OK || failure == AS_E_INTERRUPTED) return;
  char *checkpoint = as_training_latest(&run->files, &status);
  if (!checkpoint && status == AS_OK) status = as_training_remove(&run->files);
  if (!checkpoint && status == AS_OK) status = as_run_log_forget(run);
  if (status != AS_OK) as_warn(run->ctx, "%s: what is left of the failed start cannot be removed", run->files.training);
  if (!checkpoint) as_unmake_folders(run->ctx, run->files.training, made);
  as_free(run->ctx, checkpoint);
}

as_status as_train_classifier(as_context *ctx, const as_recipe *recipe, const char *out, bool overwrite,
                              const as_training_listener *listener, as_training_result *result) {
  static const as_training_listener silent;
  as_classifier_run run = {.ctx = ctx, .listener = listener ? listener : &silent};
  as_status status = as_recipe_check(ctx, recipe);
  if (status != AS_OK) return status;
  status = copy_recipe(ctx, recipe, &run.recipe);
  if (status == AS_OK) status = as_training_files_init(&run.files, ctx, out);
  if (status == AS_OK) status = check_folder(&run, overwrite);
  if (status == AS_OK) {
    size_t made = 0;
    char *path = recipe_path(&run);
    status = path ? as_make_folders_for_now(ctx, run.files.training, &made) : AS_E_NOMEM;
    if (status == AS_OK) status = as_recipe_write(ctx, &run.recipe, path);
    as_free(ctx, path);
    if (status == AS_OK) status = run_recorded(&run, result);
    forget_failed_start(&run, status, made);
  }
  release(&run);
  return status;
}

as_status as_train_task(as_context *ctx, const as_classification_task *task, const as_recipe *recipe, const char *out,
                        bool overwrite, const as_training_listener *listener, as_training_result *result) {
  char label_column[64], architecture[64]; /* a recipe's texts are not constant */
  as_recipe filled = *recipe;
  snprintf(label_column, sizeof label_column, "%s", task->label_column);
  snprintf(architecture, sizeof architecture, "%s", task->architecture);
  if (!filled.label_column) filled.label_column = label_column;
  if (!filled.architecture && !filled.from) filled.architecture = architecture;
  return as_train_classifier(ctx, &filled, out, overwrite, listener, result);
}

as_status as_train_classifier_resume(as_context *ctx, const char *out, const as_training_listener *listener,
                                     as_training_result *result) {
  static const as_training_listener silent;
  as_classifier_run run = {.ctx = ctx, .listener = listener ? listener : &silent};
  as_status status = as_training_files_init(&run.files, ctx, out);
  char *path = status == AS_OK ? recipe_path(&run) : NULL;
  if (status == AS_OK && !path) status = AS_E_NOMEM;
  if (status == AS_OK && !as_path_exists(path))
    status =
        as_fail(ctx, AS_E_MODEL, "%s: there is no unfinished training here (training/recipe.json is missing)", out);
  if (status == AS_OK) status = as_recipe_read(ctx, path, &run.recipe);
  as_free(ctx, path);
  if (status == AS_OK) status = run_recorded(&run, result);
  release(&run);
  return status;
}
