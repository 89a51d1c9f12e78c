/* What is known before the first step: how much memory a run takes, batches and recomputation that keep a memory limit,
 * the number of steps, and the summary of all that. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "train/classifier_run.h"

/* The largest batch of all epochs, put together from the worst of each: most tokens, most rows, longest row. */
typedef struct worst_batch {
  int64_t tokens, rows, longest;
} worst_batch;

static as_status survey(as_classifier_run *run, worst_batch *worst, int64_t *steps) {
  *worst = (worst_batch){0};
  *steps = 0;
  for (int64_t epoch = 0; epoch < run->recipe.epochs; epoch++) {
    as_status status = as_batches_epoch(&run->batches, epoch);
    if (status != AS_OK) return status;
    for (int64_t b = 0; b < run->batches.count; b++) {
      int64_t tokens = as_batches_tokens(&run->batches, b), rows = run->batches.start[b + 1] - run->batches.start[b];
      int64_t longest = as_token_rows_length(run->batches.rows, run->batches.order[run->batches.start[b + 1] - 1]);
      if (tokens > worst->tokens) worst->tokens = tokens;
      if (rows > worst->rows) worst->rows = rows;
      if (longest > worst->longest) worst->longest = longest;
    }
    *steps += (run->batches.count + run->recipe.accumulate - 1) / run->recipe.accumulate;
  }
  return AS_OK;
}

/* Fills a batch of these sizes: one longest row, the rest spread evenly. */
static as_status fill_worst(as_classifier_run *run, const worst_batch *worst, as_encoder_batch *batch) {
  int32_t *ids = as_alloc_zero(run->ctx, (size_t)worst->longest, sizeof *ids);
  if (!ids) return AS_E_NOMEM;
  as_encoder_batch_clear(batch);
  as_status status = as_encoder_batch_add(batch, ids, worst->longest, 0);
  int64_t left = worst->tokens - worst->longest;
  for (int64_t rows = worst->rows - 1; status == AS_OK && rows > 0 && left > 0; rows--) {
    int64_t share = (left + rows - 1) / rows;
    if (share > worst->longest) share = worst->longest;
    status = as_encoder_batch_add(batch, ids, share, 0);
    left -= share;
  }
  as_free(run->ctx, ids);
  return status;
}

static as_status measure(as_classifier_run *run, const worst_batch *worst) {
  as_step_options options = as_run_step_options(run);
  as_status status = fill_worst(run, worst, &run->micro[0]);
  if (status != AS_OK) return status;
  as_graph_reset(run->graph);
  as_graph_set_recompute(run->graph, (int)run->recipe.recompute);
  as_graph_set_memory_limit(run->graph, 0);
  as_tensor *loss = as_encoder_record_loss(run->graph, run->encoder, &run->micro[0], &options, 1);
  status = as_graph_plan_only(run->graph, loss);
  run->graph_bytes = as_graph_bytes(run->graph);
  as_graph_reset(run->graph);
  return status;
}

static size_t parameter_bytes(const as_classifier_run *run) {
  return 4 * as_encoder_parameters(run->encoder)->elements * sizeof(float);
}

/* One notch less memory: recompute more, then halve the batch and accumulate over two. False when nothing is left to
 * give. */
static bool lower(as_classifier_run *run) {
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

static as_status refuse(as_classifier_run *run) {
  size_t total = parameter_bytes(run) + run->graph_bytes;
  return as_fail(
      run->ctx, AS_E_LIMIT,
      "training needs %zu MiB (parameters and moments %zu, activations %zu) and the memory limit is %lld MiB; %s",
      total >> 20, parameter_bytes(run) >> 20, run->graph_bytes >> 20, (long long)(run->recipe.memory_limit >> 20),
      run->recipe.memory_auto ? "not even a batch of one row fits: take a smaller model"
                              : "add ',auto' to the limit, raise --recompute or lower the batch");
}

static as_status make_micro(as_classifier_run *run) {
  run->micro = as_alloc_zero(run->ctx, (size_t)run->recipe.accumulate, sizeof *run->micro);
  if (!run->micro) return AS_E_NOMEM;
  for (int64_t i = 0; i < run->recipe.accumulate; i++) as_encoder_batch_init(&run->micro[i], run->ctx);
  return AS_OK;
}

static void free_micro(as_classifier_run *run) {
  for (int64_t i = 0; run->micro && i < run->recipe.accumulate; i++) as_encoder_batch_free(&run->micro[i]);
  as_free(run->ctx, run->micro);
  run->micro = NULL;
}

static as_status try_plan(as_classifier_run *run, int64_t *steps) {
  const as_recipe *r = &run->recipe;
  worst_batch worst;
  as_batches_free(&run->batches);
  as_status status = make_micro(run);
  if (status == AS_OK)
    status = as_batches_init(&run->batches, run->ctx, &run->data.train_rows, r->batch_rows, r->batch_tokens,
                             (uint64_t)r->seed);
  if (status == AS_OK) status = survey(run, &worst, steps);
  if (status == AS_OK) status = measure(run, &worst);
  for (int64_t i = 0; status == AS_OK && i < r->accumulate; i++)
    status = as_encoder_batch_reserve(&run->micro[i], worst.rows, worst.tokens);
  return status;
}

as_status as_run_plan(as_classifier_run *run) {
  int64_t steps = 0;
  as_status status = try_plan(run, &steps);
  while (status == AS_OK && run->recipe.memory_limit > 0 &&
         parameter_bytes(run) + run->graph_bytes > (size_t)run->recipe.memory_limit) {
    free_micro(run);
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

static as_status find_percentiles(const as_classifier_run *run, int64_t out[5]) {
  static const double shares[5] = {0.5, 0.9, 0.95, 0.99, 1};
  const as_token_rows *rows = &run->data.train_rows;
  int64_t *lengths = as_alloc(run->ctx, (size_t)rows->count, sizeof *lengths);
  if (!lengths) return AS_E_NOMEM;
  for (int64_t i = 0; i < rows->count; i++) lengths[i] = as_token_rows_length(rows, i);
  qsort(lengths, (size_t)rows->count, sizeof *lengths, by_value);
  for (int i = 0; i < 5; i++) out[i] = lengths[(int64_t)(shares[i] * (double)(rows->count - 1) + 0.5)];
  as_free(run->ctx, lengths);
  return AS_OK;
}

as_status as_run_summary(as_classifier_run *run) {
  if (!run->listener->summary) return AS_OK;
  const as_parameters *ps = as_encoder_parameters(run->encoder);
  const as_labels *labels = as_encoder_labels(run->encoder);
  int64_t *label_rows = as_alloc_zero(run->ctx, labels->count, sizeof *label_rows);
  as_training_summary s = {.architecture = as_encoder_get_architecture(run->encoder)->format->model_type,
                           .recipe = &run->recipe,
                           .report = &run->data.report,
                           .valid_report = run->data.valid ? &run->data.valid_report : NULL,
                           .train_rows = run->data.train_rows.count,
                           .valid_rows = run->data.valid_rows.count,
                           .labels = labels,
                           .label_rows = label_rows,
                           .truncated = run->data.train_rows.truncated,
                           .vocab_size = as_encoder_describe(run->encoder)->vocab_size,
                           .parameters = (int64_t)ps->elements,
                           .parameter_bytes = parameter_bytes(run),
                           .graph_bytes = run->graph_bytes,
                           .steps = run->schedule.steps,
                           .warmup = run->schedule.warmup,
                           .fresh = run->recipe.size != NULL,
                           .head_replaced = as_encoder_head_origin(run->encoder) == AS_HEAD_REPLACED,
                           .head_absent = as_encoder_head_origin(run->encoder) == AS_HEAD_ABSENT,
                           .resumed_step = run->position.step};
  for (size_t i = 0; i < ps->count; i++) s.trained_parameters += ps->list[i].frozen ? 0 : (int64_t)ps->list[i].elements;
  as_status status = label_rows ? find_percentiles(run, s.length_percentiles) : AS_E_NOMEM;
  for (int64_t i = 0; status == AS_OK && i < s.train_rows; i++) label_rows[run->data.train_rows.labels[i]]++;
  if (status == AS_OK) run->listener->summary(run->listener->user, &s);
  as_free(run->ctx, label_rows);
  return status;
}
