#include "train/step.h"

#include <math.h>

#include "tensor/ops.h"

#define NO_LABEL (-100)

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

as_status as_encoder_step(as_graph *g, as_encoder *encoder, as_adamw *optimizer, as_encoder_batch *batches,
                          int64_t count, const as_step_options *options, int64_t step, double lr,
                          as_step_result *result) {
  double denominator = as_step_denominator(batches, count, options->class_weights);
  *result = (as_step_result){0};
  as_graph_set_recompute(g, options->recompute);
  as_graph_set_memory_limit(g, options->memory_limit);
  for (int64_t b = 0; b < count; b++) {
    as_graph_reset(g);
    as_graph_set_dropout(g, dropout_seed(options->seed, b), (uint32_t)step);
    as_graph_set_accumulate(g, b > 0);
    as_tensor *loss = as_keep(g, as_encoder_record_loss(g, encoder, &batches[b], options, denominator));
    as_status status = as_graph_plan(g, loss);
    if (status != AS_OK) return status;
    as_graph_forward(g);
    as_graph_backward(g, loss);
    result->loss += (double)*as_tensor_f32(loss);
  }
  result->grad_norm = as_adamw_gradient_norm(optimizer);
  if (!isfinite(result->loss) || !isfinite(result->grad_norm))
    return as_fail(as_graph_context(g), AS_E_DIVERGED,
                   "step %lld: loss %g, gradient norm %g; a lower learning rate may help", (long long)step + 1,
                   result->loss, result->grad_norm);
  as_adamw_update(optimizer, lr, as_clip_scale(result->grad_norm, options->max_grad_norm));
  return AS_OK;
}
