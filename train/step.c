#include "train/step.h"

#include <math.h>

#include "tensor/ops.h"

#define NO_LABEL (-100)

size_t as_optimizer_moment_count(const as_optimizer *optimizer) {
  size_t count = 0;
  for (const as_optimizer_moments *m = optimizer->moments; m->name; m++) count += m->count;
  return count;
}

double as_clip_scale(double norm, double max_norm) {
  return max_norm > 0 ? fmin(1, max_norm / (norm + 1e-6)) : 1;
}

double as_step_denominator(const as_encoder_batch *batches, int64_t count, const float *class_weights) {
  double total = 0;
  for (int64_t b = 0; b < count; b++)
    for (int64_t i = 0; i < batches[b].sequences; i++) {
      int32_t label = batches[b].labels[i];
      if (label != NO_LABEL) total += class_weights ? (double)class_weights[label] : 1;
    }
  return total;
}

as_tensor *as_encoder_record_loss(as_graph *g, as_encoder *encoder, as_encoder_batch *batch,
                                  const as_step_options *options, double denominator) {
  as_cross_entropy_options o = {.class_weights = options->class_weights,
                                .label_smoothing = options->label_smoothing,
                                .ignore_index = NO_LABEL,
                                .denominator = denominator};
  as_tensor *logits = as_encoder_record(g, encoder, batch, NULL);
  return as_cross_entropy(g, logits, as_input_i32(g, 1, &batch->sequences, batch->labels), &o);
}

/* Dropout of micro-batch b of a step must differ from that of the others: they get numbers of their own. */
static uint64_t dropout_seed(uint64_t seed, int64_t micro_batch) {
  return seed + (uint64_t)micro_batch * 0x9E3779B97F4A7C15u;
}

as_status as_step(as_graph *g, const as_step_task *task, const as_optimizer *optimizer, int64_t count,
                  const as_step_options *options, int64_t step, double lr, as_step_result *result) {
  *result = (as_step_result){0};
  as_graph_set_recompute(g, options->recompute);
  as_graph_set_memory_limit(g, options->memory_limit);
  for (int64_t b = 0; b < count; b++) {
    as_graph_reset(g);
    as_graph_set_dropout(g, dropout_seed(options->seed, b), (uint32_t)step);
    as_graph_set_accumulate(g, b > 0);
    as_tensor *loss = as_keep(g, task->record_loss(g, task->user, b, task->denominator));
    as_status status = as_graph_plan(g, loss);
    if (status != AS_OK) return status;
    as_graph_forward(g);
    as_graph_backward(g, loss);
    result->loss += (double)*as_tensor_f32(loss);
  }
  result->grad_norm = optimizer->gradient_norm(optimizer->state);
  if (!isfinite(result->loss) || !isfinite(result->grad_norm))
    return as_fail(as_graph_context(g), AS_E_DIVERGED,
                   "step %lld: loss %g, gradient norm %g; a lower learning rate may help", (long long)step + 1,
                   result->loss, result->grad_norm);
  optimizer->update(optimizer->state, lr, as_clip_scale(result->grad_norm, options->max_grad_norm));
  return AS_OK;
}

/* ---- encoder classifiers ---------------------------------------------------------------------------------------- */

typedef struct encoder_task {
  as_encoder *encoder;
  as_encoder_batch *batches;
  const as_step_options *options;
} encoder_task;

static as_tensor *record_encoder(as_graph *g, void *user, int64_t batch, double denominator) {
  const encoder_task *t = user;
  return as_encoder_record_loss(g, t->encoder, &t->batches[batch], t->options, denominator);
}

as_status as_encoder_step(as_graph *g, as_encoder *encoder, as_adamw *adamw, as_encoder_batch *batches, int64_t count,
                          const as_step_options *options, int64_t step, double lr, as_step_result *result) {
  as_optimizer optimizer = as_adamw_optimizer(adamw);
  encoder_task user = {encoder, batches, options};
  as_step_task task = {&user, record_encoder, as_step_denominator(batches, count, options->class_weights)};
  return as_step(g, &task, &optimizer, count, options, step, lr, result);
}

/* ---- T5 --------------------------------------------------------------------------------------------------------- */

typedef struct t5_task {
  const as_t5 *t5;
  const as_t5_batch *batches;
  const as_step_options *options;
} t5_task;

static as_tensor *record_t5(as_graph *g, void *user, int64_t batch, double denominator) {
  const t5_task *t = user;
  return as_t5_record_loss(g, t->t5, &t->batches[batch], t->options->label_smoothing, denominator);
}

as_status as_t5_step(as_graph *g, as_t5 *t5, const as_optimizer *optimizer, const as_t5_batch *batches, int64_t count,
                     const as_step_options *options, int64_t step, double lr, as_step_result *result) {
  t5_task user = {t5, batches, options};
  as_step_task task = {&user, record_t5, 0};
  for (int64_t b = 0; b < count; b++) task.denominator += (double)as_t5_batch_label_count(&batches[b]);
  if (task.denominator == 0) task.denominator = 1;
  return as_step(g, &task, optimizer, count, options, step, lr, result);
}
