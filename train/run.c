/* The order of things in a training run. See run.h. */
#include "train/run.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

double as_training_epoch_metric(const as_training_epoch *epoch, const char *name) {
  for (int i = 0; i < epoch->metric_count; i++)
    if (strcmp(epoch->metrics[i].name, name) == 0) return epoch->metrics[i].value;
  return NAN;
}

bool as_run_interrupted(const as_training_run *run) {
  return run->listener->interrupted && run->listener->interrupted(run->listener->user);
}

void as_run_note(const as_training_run *run, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (run->listener->note) run->listener->note(run->listener->user, text);
}

static as_status stop_here(as_training_run *run) {
  return as_fail(run->ctx, AS_E_INTERRUPTED, "interrupted; go on with --resume %s", run->files.out);
}

as_status as_run_check(as_training_run *run) {
  return as_run_interrupted(run) ? stop_here(run) : AS_OK;
}

as_status as_run_freeze(as_training_run *run, int64_t layers) {
  int64_t wanted = run->recipe.freeze;
  if (wanted > layers + 1)
    return as_fail(run->ctx, AS_E_INVALID,
                   "freeze: the model has %lld layers, so %lld keeps all but the head; %lld leaves nothing to train",
                   (long long)layers, (long long)layers + 1, (long long)wanted);
  if (wanted > 0) as_parameters_freeze(run->task->parameters(run->self), (int)wanted);
  return AS_OK;
}

as_step_options as_run_step_options(const as_training_run *run) {
  const as_recipe *r = &run->recipe;
  return (as_step_options){
      .max_grad_norm = r->max_grad_norm, .seed = (uint64_t)r->seed, .recompute = (int)r->recompute};
}

/* ---- preparing -------------------------------------------------------------------------------------------------- */
/* Data, tokenizer and model; from the newest checkpoint if there is one. */
static as_status prepare(as_training_run *run) {
  as_status status;
  as_recipe *r = &run->recipe;
  char *checkpoint = as_training_latest(&run->files, &status);
  as_run_note(run, "reading %s", r->data);
  if (status == AS_OK) status = run->task->read(run->self, run);
  if (status == AS_OK) status = as_run_check_files(run);
  if (status == AS_OK) status = as_run_check(run);
  if (status == AS_OK) status = run->task->prepare(run->self, run, checkpoint);
  if (status == AS_OK) status = as_run_optimizer_init(run);
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

static as_status prepare_graph(as_training_run *run) {
  run->graph = as_graph_new(run->ctx, AS_TRAIN);
  if (!run->graph) return AS_E_NOMEM;
  as_status status = as_run_plan(run);
  return status == AS_OK ? as_run_summary(run) : status;
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------ */
static as_model_writer writer(const as_training_run *run) {
  return (as_model_writer){run->task->save, run->self};
}

static as_status save(as_training_run *run) {
  as_training_position *p = &run->position;
  const as_recipe *r = &run->recipe;
  as_model_writer model = writer(run);
  p->batch_rows = r->batch_rows;
  p->batch_tokens = r->batch_tokens;
  p->accumulate = r->accumulate;
  p->recompute = r->recompute;
  run->last_save = as_seconds();
  return as_training_save(&run->files, &model, run->task->parameters(run->self), &run->optimizer, p);
}

/* ---- divergence ------------------------------------------------------------------------------------------------- */
/* Lines of the rows that the step of `count` batches from `first` read, for the message of a run that diverged. */
static as_status name_rows(as_training_run *run, int64_t first, int64_t count) {
  char text[256];
  size_t used = 0;
  for (int64_t i = run->batches.start[first]; i < run->batches.start[first + count] && used + 32 < sizeof text; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, used ? ", %lld" : "%lld",
                             (long long)run->task->line(run->self, run->batches.order[i]));
  return as_fail_prefix(run->ctx, AS_E_DIVERGED, "%s: training diverged on the rows of lines %s", run->recipe.data,
                        text);
}

/* After the last step of an epoch: huge weights show in no loss before the next step, which there may not be. */
static as_status name_last_rows(as_training_run *run) {
  int64_t count = run->batches.count % run->recipe.accumulate;
  if (count == 0) count = run->recipe.accumulate;
  return name_rows(run, run->batches.count - count, count);
}

/* ---- epochs ----------------------------------------------------------------------------------------------------- */
static as_status end_epoch(as_training_run *run) {
  as_training_position *p = &run->position;
  as_training_epoch epoch = {
      .epoch = p->epoch + 1, .epochs = run->recipe.epochs, .train_loss = p->epoch_loss / (double)p->epoch_steps};
  double watched = 0;
  epoch.validated = run->task->valid_rows(run->self) > 0;
  as_status status = epoch.validated ? run->task->measure(run->self, run, &epoch, &watched) : AS_OK;
  if (status == AS_E_DIVERGED) return name_last_rows(run);
  if (status != AS_OK) return status;
  if (epoch.validated) run->last_watched = watched;
  bool keeps_best = epoch.validated && run->recipe.patience > 0;
  epoch.is_best = epoch.validated && (!p->has_best || watched > p->best);
  p->epochs_without_gain = epoch.is_best ? 0 : p->epochs_without_gain + 1;
  if (epoch.is_best) {
    as_model_writer model = writer(run);
    p->has_best = true;
    p->best = watched;
    p->best_epoch = p->epoch + 1;
    p->best_step = p->step;
    if (keeps_best) status = as_training_save_best(&run->files, &model, p->step);
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
static as_tensor *record(as_graph *g, void *argument, int64_t micro, double denominator) {
  const as_training_run *run = argument;
  return run->task->record(run->self, g, micro, denominator);
}

/* Fills the micro-batches of a step and adds up what their losses are divided by. */
static as_status fill(as_training_run *run, int64_t count, double *denominator, int64_t *tokens) {
  *tokens = 0;
  for (int64_t i = 0; i < count; i++) {
    const int64_t *start = &run->batches.start[run->position.batch + i];
    int64_t own = 0;
    as_status status =
        run->task->fill(run->self, i, run->position.epoch, run->batches.order + start[0], start[1] - start[0], &own);
    if (status != AS_OK) return status;
    *tokens += own;
    *denominator += run->task->items(run->self, i);
  }
  return AS_OK;
}

as_status as_run_try_step(as_training_run *run, int64_t count, double lr, as_step_result *result, int64_t *tokens) {
  as_step_options options = as_run_step_options(run);
  as_step_task task = {.user = run, .record_loss = record};
  as_status status = fill(run, count, &task.denominator, tokens);
  if (status != AS_OK) return status;
  return as_step(run->graph, &task, &run->optimizer, count, &options, run->position.step, lr, result);
}

static as_status do_step(as_training_run *run) {
  as_training_position *p = &run->position;
  int64_t left = run->batches.count - p->batch, count = run->recipe.accumulate < left ? run->recipe.accumulate : left;
  as_training_step report = {.step = p->step + 1,
                             .steps = run->schedule.steps,
                             .epoch = p->epoch + 1,
                             .epochs = run->recipe.epochs,
                             .lr = as_schedule_lr(&run->schedule, p->step)};
  report.lr = run->optimizer.next_lr(run->optimizer.state, report.lr);
  as_step_result result;
  as_status status = as_run_try_step(run, count, report.lr, &result, &report.tokens);
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
static as_status run_epochs(as_training_run *run) {
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
/* metrics.json; one of a model that was here before goes in any case. */
static as_status write_metrics(as_training_run *run) {
  as_buffer out;
  as_buffer_init(&out, run->ctx);
  as_json_writer writer = as_json_writer_start(&out, 2);
  char *path = as_path_join(run->ctx, run->files.out, "metrics.json");
  as_status status = path ? AS_OK : AS_E_NOMEM;
  if (path && unlink(path) != 0 && errno != ENOENT)
    status = as_fail(run->ctx, AS_E_IO, "%s: cannot be replaced: %s", path, strerror(errno));
  if (status == AS_OK && run->task->report && run->task->valid_rows(run->self) > 0) {
    as_json_open_object(&writer, NULL);
    status = run->task->report(run->self, &writer);
    as_json_close_object(&writer);
    as_buffer_char(&out, '\n');
    if (status == AS_OK) status = as_file_write_into(run->ctx, run->files.out, "metrics.json", &out);
  }
  as_free(run->ctx, path);
  as_buffer_free(&out);
  return status;
}

/* Puts the final model in place. The weights come last: a folder with weights is a whole model. */
static as_status finish(as_training_run *run, as_training_result *result) {
  const as_training_position *p = &run->position;
  as_status status = AS_OK;
  if (p->has_best && run->recipe.patience > 0 && p->best_step != p->step) {
    char *path = as_training_best(&run->files, p->best_step);
    status = path ? run->task->reload(run->self, path) : AS_E_NOMEM;
    as_free(run->ctx, path);
  }
  if (status == AS_OK && run->task->conclude) status = run->task->conclude(run->self, run);
  if (status == AS_E_INTERRUPTED) status = stop_here(run);
  if (status == AS_OK) status = write_metrics(run);
  char *recipe = as_path_join(run->ctx, run->files.out, "recipe.json");
  if (status == AS_OK) status = recipe ? as_recipe_write(run->ctx, &run->recipe, recipe) : AS_E_NOMEM;
  as_free(run->ctx, recipe);
  if (status == AS_OK) status = run->task->save(run->self, run->files.out);
  if (status == AS_OK) status = as_training_remove(&run->files);
  bool stopped_early = p->epoch<run->recipe.epochs, kept_best = run->recipe.patience> 0 && p->has_best;
  *result = (as_training_result){.steps = p->step,
                                 .epochs = p->epoch,
                                 .stopped_early = stopped_early,
                                 .best_epoch = kept_best ? p->best_epoch : p->epoch,
                                 .watched = kept_best ? p->best : run->last_watched,
                                 .seconds = as_seconds() - run->started};
  result->tokens_per_second = result->seconds > 0 ? (double)(p->tokens - run->started_tokens) / result->seconds : 0;
  return status;
}

void as_run_release(as_training_run *run) {
  as_run_log_close(run);
  as_batches_free(&run->batches);
  as_graph_free(run->graph);
  as_run_optimizer_free(run);
  run->task->release(run->self);
  as_training_files_free(&run->files);
  as_recipe_free(run->ctx, &run->recipe);
}

static as_status run_recorded(as_training_run *run, as_training_result *result) {
  as_status status = prepare(run);
  if (status == AS_OK) status = prepare_graph(run);
  if (status == AS_OK && !run->position.finished)
    status = as_training_check_room(&run->files, as_run_checkpoint_numbers(run));
  if (status == AS_OK) status = as_run_log_open(run);
  run->started = run->last_save = as_seconds();
  run->started_step = run->position.step;
  run->started_tokens = run->position.tokens;
  if (status == AS_OK) status = run_epochs(run);
  if (status == AS_OK) status = finish(run, result);
  return status;
}

/* A run is there from the moment its recipe is: what was stopped before that is in nobody's way. */
static as_status check_folder(const as_training_run *run, bool overwrite) {
  as_context *ctx = run->ctx;
  const as_training_files *files = &run->files;
  char *weights = as_path_join(ctx, files->out, "model.safetensors"), *recipe = as_run_recipe_path(run);
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

/* After a failure that no resuming would go round (a wrong column, too little memory), with nothing done yet: there is
 * no run, and the folder is free for the next try. Of folders the first `made` bytes of the path named a new one. */
static void forget_failed_start(as_training_run *run, as_status failure, size_t made) {
  as_status status = AS_OK;
  if (failure == AS_OK || failure == AS_E_INTERRUPTED) return;
  char *checkpoint = as_training_latest(&run->files, &status);
  if (!checkpoint && status == AS_OK) status = as_training_remove(&run->files);
  if (!checkpoint && status == AS_OK) status = as_run_log_forget(run);
  if (status != AS_OK) as_warn(run->ctx, "%s: what is left of the failed start cannot be removed", run->files.training);
  if (!checkpoint) as_unmake_folders(run->ctx, run->files.training, made);
  as_free(run->ctx, checkpoint);
}

static const as_training_listener silent;

static as_training_run start(as_context *ctx, const as_training_task *task, void *self,
                             const as_training_listener *listener) {
  return (as_training_run){.ctx = ctx,
                           .task = task,
                           .self = self,
                           .listener = listener ? listener : &silent,
                           .last_watched = NAN,
                           .every = 1};
}

as_status as_run_start(as_training_run *run, as_context *ctx, const as_training_task *task, void *self,
                       const as_recipe *recipe, const char *out, const as_training_listener *listener) {
  as_recipe checked = *recipe;
  *run = start(ctx, task, self, listener);
  checked.kind = task->kind;
  as_status status = as_recipe_check(ctx, &checked);
  if (status == AS_OK) status = as_recipe_copy(ctx, &checked, &run->recipe);
  return status == AS_OK ? as_training_files_init(&run->files, ctx, out) : status;
}

as_status as_run_train(as_context *ctx, const as_training_task *task, void *self, const as_recipe *recipe,
                       const char *out, bool overwrite, const as_training_listener *listener,
                       as_training_result *result) {
  as_training_run run;
  as_status status = as_run_start(&run, ctx, task, self, recipe, out, listener);
  if (status == AS_OK) status = check_folder(&run, overwrite);
  if (status == AS_OK) {
    size_t made = 0;
    char *path = as_run_recipe_path(&run);
    status = path ? as_make_folders_for_now(ctx, run.files.training, &made) : AS_E_NOMEM;
    if (status == AS_OK) status = as_recipe_write(ctx, &run.recipe, path);
    as_free(ctx, path);
    if (status == AS_OK) status = run_recorded(&run, result);
    forget_failed_start(&run, status, made);
  }
  as_run_release(&run);
  return status;
}

as_status as_run_resume(as_context *ctx, const as_training_task *task, void *self, const char *out,
                        const as_training_listener *listener, as_training_result *result) {
  as_training_run run = start(ctx, task, self, listener);
  as_status status = as_training_files_init(&run.files, ctx, out);
  char *path = status == AS_OK ? as_run_recipe_path(&run) : NULL;
  if (status == AS_OK && !path) status = AS_E_NOMEM;
  if (status == AS_OK && !as_path_exists(path))
    status =
        as_fail(ctx, AS_E_MODEL, "%s: there is no unfinished training here (training/recipe.json is missing)", out);
  if (status == AS_OK) status = as_recipe_read(ctx, path, &run.recipe);
  if (status == AS_OK && run.recipe.kind != (int)task->kind)
    status = as_fail(ctx, AS_E_MODEL,
                     "%s: the unfinished training here is of another kind (%s); resume it with its own command", path,
                     as_training_kind_name((as_training_kind)run.recipe.kind));
  as_free(ctx, path);
  if (status == AS_OK) status = run_recorded(&run, result);
  as_run_release(&run);
  return status;
}
