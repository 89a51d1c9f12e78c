#include "models/encoder_predict.h"

#include <string.h>

#include "base/memory.h"
#include "tensor/ops.h"

#define BATCH_TOKENS 2048

as_status as_encoder_predictor_init(as_encoder_predictor *p, as_context *ctx, const as_encoder *encoder) {
  *p = (as_encoder_predictor){.encoder = encoder};
  as_encoder_batch_init(&p->batch, ctx);
  p->graph = as_graph_new(ctx, AS_INFER);
  return p->graph ? AS_OK : AS_E_NOMEM;
}

void as_encoder_predictor_free(as_encoder_predictor *p) {
  as_graph_free(p->graph);
  as_encoder_batch_free(&p->batch);
  *p = (as_encoder_predictor){0};
}

/* Puts each row of `from` in the place of its row. */
static void scatter(const as_tensor *from, const int64_t *order, int64_t first, int64_t last, float *to) {
  const int64_t classes = as_tensor_shape(from)[1];
  for (int64_t i = first; i < last; i++)
    memcpy(to + order[i] * classes, as_tensor_f32(from) + (i - first) * classes, (size_t)classes * sizeof(float));
}

/* Runs rows order[first .. last) and puts each one's probabilities, and its logits if they are wanted, in its place. */
static as_status run_batch(as_encoder_predictor *p, const as_token_rows *rows, const int64_t *order, int64_t first,
                           int64_t last, float *probabilities, float *logits) {
  as_graph_reset(p->graph);
  as_status status = as_encoder_batch_fill(&p->batch, rows, order + first, last - first);
  if (status != AS_OK) return status;
  as_tensor *scores = as_encoder_record(p->graph, p->encoder, &p->batch, NULL);
  if (logits) scores = as_keep(p->graph, scores);
  as_tensor *result = as_keep(p->graph, as_softmax(p->graph, scores));
  status = as_graph_plan(p->graph, NULL);
  if (status != AS_OK) return status;
  as_graph_forward(p->graph);
  scatter(result, order, first, last, probabilities);
  if (logits) scatter(scores, order, first, last, logits);
  return AS_OK;
}

/* Longest batches first, so that the memory for all of them is there after the first. */
as_status as_encoder_predict(as_encoder_predictor *p, const as_token_rows *rows,
                             const as_encoder_predict_options *options, float *probabilities) {
  as_context *ctx = as_graph_context(p->graph);
  int64_t budget = options && options->batch_tokens > 0 ? options->batch_tokens : BATCH_TOKENS;
  int64_t *order = as_alloc(ctx, (size_t)rows->count, sizeof *order);
  if (!order) return AS_E_NOMEM;
  for (int64_t i = 0; i < rows->count; i++) order[i] = i;
  as_status status = as_sort_by_length(ctx, rows->offsets, order, rows->count);
  for (int64_t last = rows->count; status == AS_OK && last > 0;) {
    int64_t first = last - 1, tokens = as_token_rows_length(rows, order[first]);
    while (first > 0 && tokens + as_token_rows_length(rows, order[first - 1]) <= budget)
      tokens += as_token_rows_length(rows, order[--first]);
    if (options && options->interrupted && options->interrupted(options->user))
      status = as_fail(ctx, AS_E_INTERRUPTED, "interrupted");
    else
      status = run_batch(p, rows, order, first, last, probabilities, options ? options->logits : NULL);
    last = first;
  }
  as_free(ctx, order);
  return status;
}
