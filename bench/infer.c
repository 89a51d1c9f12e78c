/* The speed of answers: one at a time, and many rows together. See encoder.h. */
#include "base/clock.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "bench/encoder.h"
#include "models/encoder_predict.h"

enum { WARM_UP_REQUESTS = 5 };

/* Predicts all rows `count` times after `warm_up` times that are not counted -> seconds of each. */
static as_status time_predictions(as_context *ctx, const as_encoder *encoder, const as_token_rows *rows,
                                  int64_t warm_up, int64_t count, double *seconds /* [count] */) {
  as_encoder_predictor predictor;
  const size_t classes = (size_t)as_encoder_describe(encoder)->head.classes;
  float *probabilities = as_alloc(ctx, (size_t)rows->count, classes * sizeof *probabilities);
  as_status status = as_encoder_predictor_init(&predictor, ctx, encoder);
  if (!probabilities) status = AS_E_NOMEM;
  for (int64_t i = -warm_up; status == AS_OK && i < count; i++) {
    const double start = as_seconds();
    status = as_encoder_predict(&predictor, rows, NULL, probabilities);
    if (i >= 0) seconds[i] = as_seconds() - start;
  }
  as_encoder_predictor_free(&predictor);
  as_free(ctx, probabilities);
  return status;
}

as_status as_bench_latency(as_context *ctx, const as_encoder *encoder, uint64_t seed, int64_t tokens, int64_t requests,
                           as_spread *out) {
  as_token_rows rows;
  as_token_rows_init(&rows, ctx);
  int32_t *ids = as_alloc(ctx, (size_t)tokens, sizeof *ids);
  double *seconds = as_alloc(ctx, (size_t)requests, sizeof *seconds);
  as_status status = ids && seconds ? AS_OK : AS_E_NOMEM;
  if (ids) as_workload_ids(seed, 0, as_encoder_describe(encoder)->vocab_size, tokens, ids);
  if (status == AS_OK) status = as_token_rows_add(&rows, ids, tokens, -100, false);
  if (status == AS_OK) status = time_predictions(ctx, encoder, &rows, WARM_UP_REQUESTS, requests, seconds);
  if (status == AS_OK) *out = as_spread_of(seconds, requests);
  as_free(ctx, ids);
  as_free(ctx, seconds);
  as_token_rows_free(&rows);
  return status;
}

as_status as_bench_throughput(as_context *ctx, const as_encoder *encoder, uint64_t seed, const as_workload *workload,
                              int64_t passes, as_spread *out) {
  as_token_rows rows;
  as_token_rows_init(&rows, ctx);
  double *rates = as_alloc(ctx, (size_t)passes, sizeof *rates);
  const int64_t vocab_size = as_encoder_describe(encoder)->vocab_size;
  as_status status = rates ? as_workload_rows(workload, seed, vocab_size, &rows) : AS_E_NOMEM;
  if (status == AS_OK) status = time_predictions(ctx, encoder, &rows, 1, passes, rates);
  for (int64_t i = 0; status == AS_OK && i < passes; i++) rates[i] = (double)workload->rows / rates[i];
  if (status == AS_OK) *out = as_spread_of(rates, passes);
  as_free(ctx, rates);
  as_token_rows_free(&rows);
  return status;
}
