/* What is known before the first step: how much memory a run takes, batches and recomputation that keep a memory limit,
 * the number of steps, and the summary of all that. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "train/run.h"

/* Goes through the batches of all epochs: counts the steps, and lets the task find the largest. */
static as_status survey(as_training_run *run, int64_t *steps) {
  *steps = 0;
  for (int64_t epoch = 0; epoch < run->recipe.epochs; epoch++) {
    as_status status = as_batches_epoch(&run->batches, epoch);
    if (status != AS_OK) return status;
    for (int64_t b = 0; b < run->batches.count; b++) {
      const int64_t *start = &run->batches.start[b];
      run->task->survey(run->self, epoch, run->batches.order + start[0], start[1] - start[0]);
    }
    *steps += (run->batches.count + run->recipe.accumulate - 1) / run->recipe.accumulate;
  }
  return AS_OK;
}

static as_status measure(as_training_run *run) {
  as_graph_reset(run->graph);
  as_graph_set_recompute(run->graph, (int)run->recipe.recompute);
  as_graph_set_memory_limit(run->graph, 0);
  as_tensor *loss = run->task->record(run->self, run->graph, 0, 1);
  as_status status = as_graph_plan_only(run->graph, loss);
  run->graph_bytes = as_graph_bytes(run->graph);
  as_graph_reset(run->graph);
  return status;
}

static size_t parameter_bytes(const as_training_run *run) {
  const as_parameters *parameters = run->task->parameters(run->self);
  return (2 * parameters->elements + as_optimizer_moment_count(&run->optimizer)) * sizeof(float);
}

size_t as_run_bytes(const as_training_run *run) {
  return parameter_bytes(run) + run->graph_bytes;
}

/* One notch less memory: recompute more, then halve the batch and accumulate over two. False when nothing is left to
 * give. */
static bool lower(as_training_run *run) {
  as_recipe *r = &run->recipe;
  if (r->recompute < 2) {
    r->recompute++;
    return true;
  }
  if (r->batch_rows <= 1 && r->batch_tokens <= 1) return false;
  r->batch_rows = (r->batch_rows + 1) / 2;
  r->batch_tokens = (r->batch_tokens + 1) / 2;
  r->accumulate *= 2;
  return r->accumulate <= 65536;
}

static as_status refuse(as_training_run *run) {
  return as_fail(
      run->ctx, AS_E_LIMIT,
      "training needs %zu MiB (parameters and moments %zu, activations %zu) and the memory limit is %lld MiB; %s",
      as_run_bytes(run) >> 20, parameter_bytes(run) >> 20, run->graph_bytes >> 20, (long long)(run->recipe.memory_limit >> 20),
      run->recipe.memory_auto ? "not even a batch of one row fits: take a smaller model"
                              : "add ',auto' to the limit, raise --recompute or lower the batch");
}

static as_status try_plan(as_training_run *run, int64_t *steps) {
  const as_recipe *r = &run->recipe;
  int64_t count;
  const int64_t *offsets = run->task->rows(run->self, &count);
  as_batches_free(&run->batches);
  as_status status = run->task->set_micro_batches(run->self, r->accumulate);
  if (status == AS_OK)
    status =
        as_batches_init(&run->batches, run->ctx, offsets, count, r->batch_rows, r->batch_tokens, (uint64_t)r->seed);
  if (status == AS_OK) status = survey(run, steps);
  if (status == AS_OK) status = run->task->fill_largest(run->self);
  return status == AS_OK ? measure(run) : status;
}

as_status as_run_plan(as_training_run *run) {
  int64_t steps = 0;
  as_status status = try_plan(run, &steps);
  while (status == AS_OK && run->recipe.memory_limit > 0 &&
         as_run_bytes(run) > (size_t)run->recipe.memory_limit) {
    if (!run->recipe.memory_auto || !lower(run)) return refuse(run);
    status = try_plan(run, &steps);
  }
  if (status == AS_OK) status = as_graph_reserve(run->graph, run->graph_bytes);
  run->schedule = (as_schedule){.kind = (as_schedule_kind)run->recipe.schedule,
                                .lr = run->recipe.lr,
                                .steps = steps,
                                .warmup = as_schedule_warmup(run->recipe.warmup, steps)};
  return status;
}

/* ---- summary ---------------------------------------------------------------------------------------------------- */
static int by_value(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

static as_status find_percentiles(const as_training_run *run, as_training_summary *s) {
  static const double shares[5] = {0.5, 0.9, 0.95, 0.99, 1};
  int64_t count;
  const int64_t *offsets = run->task->rows(run->self, &count);
  int64_t *lengths = as_alloc(run->ctx, (size_t)count, sizeof *lengths);
  if (!lengths) return AS_E_NOMEM;
  for (int64_t i = 0; i < count; i++) lengths[i] = offsets[i + 1] - offsets[i];
  qsort(lengths, (size_t)count, sizeof *lengths, by_value);
  for (int i = 0; i < 5; i++) s->length_percentiles[i] = lengths[(int64_t)(shares[i] * (double)(count - 1) + 0.5)];
  s->train_rows = count;
  as_free(run->ctx, lengths);
  return AS_OK;
}

as_status as_run_summary(as_training_run *run) {
  if (!run->listener->summary) return AS_OK;
  const as_parameters *ps = run->task->parameters(run->self);
  as_training_summary s = {.recipe = &run->recipe,
                           .valid_rows = run->task->valid_rows(run->self),
                           .parameters = (int64_t)ps->elements,
                           .parameter_bytes = parameter_bytes(run),
                           .graph_bytes = run->graph_bytes,
                           .steps = run->schedule.steps,
                           .warmup = run->schedule.warmup,
                           .fresh = run->recipe.size != NULL,
                           .resumed_step = run->position.step};
  for (size_t i = 0; i < ps->count; i++) s.trained_parameters += ps->list[i].frozen ? 0 : (int64_t)ps->list[i].elements;
  as_status status = find_percentiles(run, &s);
  if (status == AS_OK) status = run->task->summarize(run->self, &s);
  if (status == AS_OK) run->listener->summary(run->listener->user, &s);
  return status;
}
