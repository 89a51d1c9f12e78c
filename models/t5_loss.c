/* See t5_loss.h. */
#include "models/t5_loss.h"

#include "base/memory.h"
#include "tensor/ops.h"

#define BATCH_TOKENS 4096

typedef struct measuring {
  const as_t5 *t5;
  const as_pair_rows *rows;
  as_graph *graph;
  as_t5_batch batch;
  int64_t *order; /* by length */
} measuring;

static as_status run_batch(measuring *m, int64_t first, int64_t last, double *sum, int64_t *tokens) {
  as_status status = as_pair_batch_fill(&m->batch, as_t5_get_config(m->t5), m->rows, m->order + first, last - first);
  if (status != AS_OK) return status;
  as_graph_reset(m->graph);
  as_tensor *loss = as_keep(m->graph, as_t5_record_loss(m->graph, m->t5, &m->batch, 0, 1));
  status = as_graph_plan(m->graph, NULL);
  if (status != AS_OK) return status;
  as_graph_forward(m->graph);
  *sum += (double)*as_tensor_f32(loss);
  *tokens += as_t5_batch_label_count(&m->batch);
  return AS_OK;
}

static int64_t length_of(const measuring *m, int64_t place) {
  int64_t row = m->order[place];
  return m->rows->offsets[row + 1] - m->rows->offsets[row];
}

/* Longest batches first, so that the memory for all of them is there after the first. */
static as_status run_all(as_context *ctx, measuring *m, const as_t5_loss_options *o, double *sum, int64_t *tokens) {
  int64_t budget = o->batch_tokens > 0 ? o->batch_tokens : BATCH_TOKENS, count = m->rows->sources.count;
  as_status status = AS_OK;
  for (int64_t i = 0; i < count; i++) m->order[i] = i;
  status = as_sort_by_length(ctx, m->rows->offsets, m->order, count);
  for (int64_t last = count; status == AS_OK && last > 0;) {
    int64_t first = last - 1, filled = length_of(m, first);
    while (first > 0 && filled + length_of(m, first - 1) <= budget) filled += length_of(m, --first);
    if (o->interrupted && o->interrupted(o->user))
      status = as_fail(ctx, AS_E_INTERRUPTED, "interrupted");
    else
      status = run_batch(m, first, last, sum, tokens);
    last = first;
  }
  return status;
}

as_status as_t5_loss(as_context *ctx, const as_t5 *t5, const as_pair_rows *rows, const as_t5_loss_options *options,
                     double *sum, int64_t *tokens) {
  measuring m = {.t5 = t5, .rows = rows};
  *sum = 0;
  *tokens = 0;
  as_t5_batch_init(&m.batch, ctx);
  m.graph = as_graph_new(ctx, AS_INFER);
  m.order = as_alloc(ctx, (size_t)rows->sources.count, sizeof *m.order);
  as_status status = m.graph && m.order ? run_all(ctx, &m, options, sum, tokens) : AS_E_NOMEM;
  as_free(ctx, m.order);
  as_graph_free(m.graph);
  as_t5_batch_free(&m.batch);
  return status;
}
