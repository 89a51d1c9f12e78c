/* What a run will take: it is prepared as ever, on a sample of the rows where there are many, and some steps are tried.
 *
 * Invariant: nothing is written to disk, and the time does not grow with the data beyond AS_ESTIMATE_ROWS rows but for
 * reading the files. */
#include <stdlib.h>

#include "train/run.h"
#include "base/clock.h"

#define TRIED_SECONDS 1.0 /* of steps, after the first */
#define SLOW_STEP 2.0     /* seconds: then the first step is enough, though it meets its memory for the first time */
#define FORWARD_PASSES 3
enum { MOST_STEPS = 256 };

/* ---- steps ------------------------------------------------------------------------------------------------------ */
static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Steps of the first epoch until TRIED_SECONDS are over, with learning rate 0: what they take, by the token. The median
 * of them, which does not care when the machine is called away for a moment. */
static as_status time_steps(as_training_run *run, double *per_token) {
  as_training_position *p = &run->position;
  as_step_result result;
  double seconds = 0, costs[MOST_STEPS];
  size_t steps = 0;
  as_status status = as_batches_epoch(&run->batches, 0);
  for (p->batch = 0; status == AS_OK && p->batch < run->batches.count && seconds < TRIED_SECONDS;) {
    int64_t left = run->batches.count - p->batch, tokens;
    int64_t count = run->recipe.accumulate < left ? run->recipe.accumulate : left;
    double begun = as_seconds();
    status = as_run_check(run);
    if (status == AS_OK) status = as_run_try_step(run, count, 0, &result, &tokens);
    double took = as_seconds() - begun;
    p->batch += count;
    bool warms_up = p->step++ == 0 && took < SLOW_STEP && p->batch < run->batches.count;
    if (status != AS_OK || warms_up || tokens == 0) continue;
    seconds += took;
    costs[steps++] = took / (double)tokens;
    if (steps == MOST_STEPS) break;
  }
  qsort(costs, steps, sizeof *costs, by_value);
  *per_token = steps > 0 ? costs[steps / 2] : 0;
  return status;
}

/* A forward pass over the first micro-batch, as the last step left it; the fastest counts, for they are few. */
static as_status time_forward(as_training_run *run, double *per_token) {
  double least = 0;
  int64_t tokens = 0;
  const int64_t *start = run->batches.start;
  as_status status = run->task->fill(run->self, 0, 0, run->batches.order, start[1] - start[0], &tokens);
  for (int i = 0; status == AS_OK && i < FORWARD_PASSES; i++) {
    double begun = as_seconds();
    as_graph_reset(run->graph);
    as_graph_set_dropout(run->graph, 0, 0);
    as_tensor *loss = run->task->record(run->self, run->graph, 0, 1);
    status = as_graph_plan(run->graph, loss);
    if (status == AS_OK) as_graph_forward(run->graph);
    double took = as_seconds() - begun;
    if (i == 0 || took < least) least = took;
    if (took > SLOW_STEP) break;
  }
  as_graph_reset(run->graph);
  *per_token = tokens > 0 ? least / (double)tokens : 0;
  return status;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */
static as_status prepare(as_training_run *run, as_training_estimate *e) {
  double begun = as_seconds();
  as_status status = run->task->read(run->self, run);
  double read = as_seconds();
  if (status == AS_OK) status = as_run_check(run);
  if (status == AS_OK) status = run->task->prepare(run->self, run, NULL);
  if (status == AS_OK) status = as_run_optimizer_init(run);
  if (status == AS_OK) run->graph = as_graph_new(run->ctx, AS_TRAIN);
  if (status == AS_OK && !run->graph) status = AS_E_NOMEM;
  if (status == AS_OK) status = as_run_plan(run);
  e->preparing = read - begun + (as_seconds() - read) * (double)run->every;
  return status;
}

static as_status measure(as_training_run *run, as_training_estimate *e) {
  double step = 0, forward = 0, concluding = 0, measuring = 0;
  int64_t rows;
  const int64_t *offsets = run->task->rows(run->self, &rows);
  const as_parameters *ps = run->task->parameters(run->self);
  as_status status = time_steps(run, &step);
  e->valid_rows = run->task->valid_rows(run->self) * run->every;
  if (status == AS_OK && e->valid_rows > 0) status = time_forward(run, &forward);
  if (status == AS_OK && run->task->rehearse) status = run->task->rehearse(run->self, run, &concluding, &measuring);
  const double tokens = (double)offsets[rows], epochs = (double)run->recipe.epochs;
  const double valid_tokens = tokens / (double)rows * (double)e->valid_rows;
  e->train_rows = rows * run->every;
  e->epochs = run->recipe.epochs;
  e->steps = run->schedule.steps * run->every;
  e->parameters = (int64_t)ps->elements;
  e->bytes = as_run_bytes(run);
  e->stepping = step * tokens * (double)run->every * epochs;
  e->validating = (forward * valid_tokens + measuring) * epochs;
  e->concluding = concluding + forward * valid_tokens;
  e->seconds = e->preparing + e->stepping + e->validating + e->concluding;
  return status;
}

as_status as_run_estimate(as_context *ctx, const as_training_task *task, void *self, const as_recipe *recipe,
                          const as_training_listener *listener, as_training_estimate *out) {
  const as_training_listener ears = {.interrupted = listener ? listener->interrupted : NULL,
                                     .user = listener ? listener->user : NULL};
  as_training_run run;
  *out = (as_training_estimate){0};
  as_status status = as_run_start(&run, ctx, task, self, recipe, recipe->from ? recipe->from : "a fresh model", &ears);
  run.sample = AS_ESTIMATE_ROWS;
  if (status == AS_OK) status = prepare(&run, out);
  if (status == AS_OK) status = measure(&run, out);
  as_run_release(&run);
  if (status == AS_E_INTERRUPTED) return as_fail(ctx, status, "interrupted; nothing has been trained yet");
  return status;
}
