/* The speed of training steps. See encoder.h. */
#include "base/clock.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "bench/t5.h"
#include "train/step.h"

enum { WARM_UP_STEPS = 2 };

/* Either an encoder and its batches, or a T5 and its pairs. */
typedef struct training {
  as_context *ctx;
  as_encoder *encoder;
  as_t5 *t5;
  as_graph *graph;
  as_adamw optimizer;
  as_encoder_batch *batches; /* [workload->batches] */
  as_t5_batch *pairs;        /* [workload->batches] */
  const as_workload *workload;
  as_step_options options;
  int64_t steps;
  double *rates, *seconds; /* [passes], [passes * workload->batches] */
} training;

static as_parameters *parameters_of(const training *t) {
  return t->t5 ? as_t5_parameters(t->t5) : as_encoder_parameters(t->encoder);
}

static as_status prepare_encoder(training *t, const as_bench_model *model) {
  as_status status = as_bench_encoder_new(t->ctx, model, true, &t->encoder);
  if (status != AS_OK) return status;
  const as_encoder_description *d = as_encoder_describe(t->encoder);
  return as_workload_batches(t->workload, model->seed, d->vocab_size, d->head.classes, &t->batches);
}

static as_status prepare_t5(training *t, const as_bench_model *model) {
  as_status status = as_bench_t5_new(t->ctx, model, true, &t->t5);
  if (status != AS_OK) return status;
  return as_workload_pairs(t->workload, model->seed, as_t5_get_config(t->t5)->vocab_size, &t->pairs);
}

static as_status prepare(training *t, const as_bench_model *model, int64_t passes) {
  static const as_adamw_options adamw = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.01};
  as_status status = t->workload->targets ? prepare_t5(t, model) : prepare_encoder(t, model);
  if (status == AS_OK) status = as_adamw_init(&t->optimizer, t->ctx, parameters_of(t), &adamw);
  if (status != AS_OK) return status;
  t->graph = as_graph_new(t->ctx, AS_TRAIN);
  t->rates = as_alloc(t->ctx, (size_t)passes, sizeof *t->rates);
  t->seconds = t->rates ? as_alloc(t->ctx, (size_t)passes, (size_t)t->workload->batches * sizeof *t->seconds) : NULL;
  return t->graph && t->seconds ? AS_OK : AS_E_NOMEM;
}

static void release(training *t) {
  as_free(t->ctx, t->rates);
  as_free(t->ctx, t->seconds);
  as_graph_free(t->graph);
  for (int64_t b = 0; t->batches && b < t->workload->batches; b++) as_encoder_batch_free(&t->batches[b]);
  for (int64_t b = 0; t->pairs && b < t->workload->batches; b++) as_t5_batch_free(&t->pairs[b]);
  as_free(t->ctx, t->batches);
  as_free(t->ctx, t->pairs);
  as_adamw_free(&t->optimizer);
  as_encoder_free(t->encoder);
  as_t5_free(t->t5);
}

static as_status step(training *t, int64_t batch, as_bench_training *out) {
  static const double lr = 2e-5;
  as_step_result result;
  const as_optimizer optimizer = as_adamw_optimizer(&t->optimizer);
  as_status status =
      t->t5 ? as_t5_step(t->graph, t->t5, &optimizer, &t->pairs[batch], 1, &t->options, t->steps++, lr, &result)
            : as_encoder_step(t->graph, t->encoder, &t->optimizer, &t->batches[batch], 1, &t->options, t->steps++, lr,
                              &result);
  size_t arena = as_graph_bytes(t->graph);
  if (arena > out->planned_bytes) out->planned_bytes = arena;
  out->loss = result.loss;
  return status;
}

static as_status run_pass(training *t, int64_t pass, as_bench_training *out) {
  const int64_t batches = t->workload->batches;
  double total = 0;
  for (int64_t b = 0; b < batches; b++) {
    const double start = as_seconds();
    as_status status = step(t, b, out);
    if (status != AS_OK) return status;
    total += t->seconds[pass * batches + b] = as_seconds() - start;
  }
  t->rates[pass] = (double)t->workload->rows / total;
  return AS_OK;
}

as_status as_bench_train(as_context *ctx, const as_bench_model *model, const as_workload *workload, int64_t passes,
                         as_bench_training *out) {
  training t = {.ctx = ctx, .workload = workload, .options = {.max_grad_norm = 1, .seed = model->seed}};
  *out = (as_bench_training){0};
  as_status status = prepare(&t, model, passes);
  for (int64_t b = 0; status == AS_OK && b < WARM_UP_STEPS; b++) status = step(&t, b % workload->batches, out);
  for (int64_t pass = 0; status == AS_OK && pass < passes; pass++) status = run_pass(&t, pass, out);
  if (status == AS_OK) {
    out->steps = passes * workload->batches;
    out->parameters = (int64_t)parameters_of(&t)->elements;
    out->planned_bytes += 4 * sizeof(float) * parameters_of(&t)->elements;
    out->rows_per_second = as_spread_of(t.rates, passes);
    out->step_seconds = as_spread_of(t.seconds, out->steps);
  }
  release(&t);
  return status;
}
