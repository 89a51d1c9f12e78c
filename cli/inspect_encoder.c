/* Looking into encoders with a classification head (models/encoder.h): DistilBERT, RoBERTa and whatever
 * else is described so.
 *
 * Every row of every layer is computed, and dropout is off but in training. The gradients are those of the plain mean
 * loss; the other losses act on the logits alone, so they are computed from these. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/inspect_losses.h"
#include "models/encoder.h"
#include "tensor/ops.h"

typedef struct inspected_encoder {
  as_context *ctx;
  as_encoder *encoder;
  as_graph *graph;           /* of training steps */
  as_encoder_batch *batches; /* [count], of training steps */
  size_t count, capacity;
} inspected_encoder;

/* ---- opening ------------------------------------------------------------------------------------------------ */

static bool reads(const char *model_type) {
  return as_encoder_architecture_find(model_type) != NULL;
}

static void close_encoder(void *model) {
  inspected_encoder *m = model;
  if (!m) return;
  for (size_t i = 0; i < m->count; i++) as_encoder_batch_free(&m->batches[i]);
  as_free(m->ctx, m->batches);
  as_graph_free(m->graph);
  as_encoder_free(m->encoder);
  as_free(m->ctx, m);
}

static as_status open_encoder(as_context *ctx, const char *folder, as_inspect_use use, void **model) {
  as_encoder_options options = {
      .gradients = use != AS_INSPECT_MODEL, .fresh_head = use != AS_INSPECT_TRAIN, .dropout = -1};
  inspected_encoder *m = as_alloc_zero(ctx, 1, sizeof *m);
  *model = NULL;
  if (!m) return AS_E_NOMEM;
  m->ctx = ctx;
  as_status status = as_encoder_open(ctx, folder, &options, &m->encoder);
  if (status == AS_OK)
    *model = m;
  else
    close_encoder(m);
  return status;
}

static as_parameters *parameters(void *model) {
  return as_encoder_parameters(((inspected_encoder *)model)->encoder);
}

static const as_encoder_description *description(const void *model) {
  return as_encoder_describe(((const inspected_encoder *)model)->encoder);
}

static const char *prefix(const void *model) {
  return description(model)->prefix;
}
static const as_labels *labels(const void *model) {
  return as_encoder_labels(((const inspected_encoder *)model)->encoder);
}
static bool has_head(const void *model) {
  return as_encoder_head_origin(((const inspected_encoder *)model)->encoder) == AS_HEAD_LOADED;
}

static size_t sizes(const void *model, as_inspect_size out[AS_INSPECT_MAX_SIZES]) {
  const as_encoder_description *d = description(model);
  const as_inspect_size all[] = {{"layers", d->layers},         {"dim", d->block.dim},
                                 {"heads", d->block.heads},     {"hidden_dim", d->block.hidden_dim},
                                 {"vocab_size", d->vocab_size}, {"max_tokens", d->max_tokens},
                                 {"classes", d->head.classes}};
  memcpy(out, all, sizeof all);
  return sizeof all / sizeof all[0] - (has_head(model) ? 0 : 1);
}

/* ---- inputs ------------------------------------------------------------------------------------------------- */

/* Packs rows with their labels into a batch. `batch` may be freed after a failure too. */
static as_status fill_batch(const inspected_encoder *m, const as_inspect_object *inputs, const as_inspect_rows *rows,
                            int64_t classes, as_encoder_batch *batch) {
  int32_t *row_labels = as_alloc(inputs->ctx, (size_t)rows->count, sizeof *row_labels);
  as_encoder_batch_init(batch, inputs->ctx);
  if (!row_labels) return AS_E_NOMEM;
  as_status status = as_inspect_labels(inputs, "labels", classes, rows->count, row_labels);
  for (int64_t i = 0; status == AS_OK && i < rows->count; i++)
    status = as_encoder_batch_add(batch, rows->ids + i * rows->width, rows->lengths[i], row_labels[i]);
  as_free(inputs->ctx, row_labels);
  if (status != AS_OK) return status;
  as_encoder_positions(m->encoder, batch);
  return as_inspect_same_tokens(inputs, "position_ids", rows, batch->positions);
}

static as_status read_rows(const inspected_encoder *m, const as_inspect_object *inputs, as_inspect_rows *rows) {
  const as_encoder_description *d = as_encoder_describe(m->encoder);
  const as_inspect_row_fields fields = {.ids = "input_ids",
                                        .mask = "attention_mask",
                                        .lengths = "lengths",
                                        .vocab_size = d->vocab_size,
                                        .max_tokens = d->max_tokens};
  return as_inspect_rows_read(inputs, &fields, rows);
}

static bool any_label(const as_encoder_batch *batch) {
  for (int64_t i = 0; i < batch->sequences; i++)
    if (batch->labels[i] != AS_NO_LABEL) return true;
  return false;
}

/* ---- running ------------------------------------------------------------------------------------------------ */

/* A pass over an encoder: what it reads and computes. */
typedef struct encoder_pass {
  inspected_encoder *m;
  const as_inspect_pass *to;
  as_inspect_rows rows;
  as_encoder_batch batch;
  as_graph *graph;
  as_tensor **hidden; /* [layers + 1] */
  as_tensor *logits;
  int64_t classes;
  bool labelled; /* there is a loss */
  bool differentiates;
  float *class_weights; /* [classes], or NULL */
  double label_smoothing;
} encoder_pass;

static as_status read_options(encoder_pass *p) {
  const as_inspect_object *inputs = p->to->inputs;
  as_status status = AS_OK;
  if (as_inspect_has(inputs, "label_smoothing")) {
    status = as_inspect_number(inputs, "label_smoothing", 0, 1, &p->label_smoothing);
    if (status == AS_OK && p->label_smoothing >= 1)
      status = as_inspect_fail(inputs, "label_smoothing", " must be below 1");
  }
  if (status != AS_OK || !as_inspect_has(inputs, "class_weights")) return status;
  p->class_weights = as_alloc(p->to->ctx, (size_t)p->classes, sizeof *p->class_weights);
  if (!p->class_weights) return AS_E_NOMEM;
  return as_inspect_class_weights(inputs, "class_weights", p->classes, p->class_weights);
}

static as_status read_pass(encoder_pass *p) {
  static const char *const known[] = {"input_ids", "attention_mask", "lengths",         "position_ids",
                                      "labels",    "class_weights",  "label_smoothing", NULL};
  const as_inspect_object *inputs = p->to->inputs;
  as_inspect_warn_unknown(inputs, known);
  as_status status = read_rows(p->m, inputs, &p->rows);
  /* Without a head labels mean nothing: they are looked at as if there were any number of classes. */
  if (status == AS_OK) status = fill_batch(p->m, inputs, &p->rows, has_head(p->m) ? p->classes : INT32_MAX, &p->batch);
  if (status != AS_OK) return status;
  p->labelled = has_head(p->m) && any_label(&p->batch);
  p->differentiates = p->labelled && p->to->gradients && p->to->save;
  return has_head(p->m) ? read_options(p) : AS_OK;
}

/* Computes hidden states and logits, and with labels the gradients of the mean loss. */
static as_status compute(encoder_pass *p) {
  as_context *ctx = p->to->ctx;
  int64_t layers = as_encoder_describe(p->m->encoder)->layers;
  as_cross_entropy_options options = {.ignore_index = AS_NO_LABEL};
  p->graph = as_graph_new(ctx, p->differentiates ? AS_TRAIN : AS_INFER);
  p->hidden = as_alloc(ctx, (size_t)layers + 1, sizeof *p->hidden);
  if (!p->graph || !p->hidden) return AS_E_NOMEM;
  as_graph_set_evaluation(p->graph, true);
  as_tensor *loss = NULL;
  p->logits = as_encoder_record(p->graph, p->m->encoder, &p->batch, p->hidden);
  for (int64_t i = 0; i <= layers; i++) as_keep(p->graph, p->hidden[i]);
  if (has_head(p->m)) as_keep(p->graph, p->logits);
  if (p->differentiates)
    loss = as_cross_entropy(p->graph, p->logits, as_input_i32(p->graph, 1, &p->batch.sequences, p->batch.labels),
                            &options);
  as_status status = as_graph_plan(p->graph, loss);
  if (status != AS_OK) return status;
  as_graph_forward(p->graph);
  if (loss) as_graph_backward(p->graph, loss);
  return AS_OK;
}

static void store_gradient(void *user, const char *name, const float *gradient) {
  const encoder_pass *p = user;
  const int64_t shape[] = {p->batch.sequences, p->classes};
  float *out = as_inspect_tensors_add(p->to->tensors, 2, shape, "%s", name);
  if (out) memcpy(out, gradient, (size_t)(shape[0] * shape[1]) * sizeof *out);
}

static as_status add_losses(encoder_pass *p) {
  const as_inspect_logits logits = {.rows = p->batch.sequences,
                                    .classes = p->classes,
                                    .values = as_tensor_f32(p->logits),
                                    .labels = p->batch.labels,
                                    .class_weights = p->class_weights,
                                    .label_smoothing = p->label_smoothing,
                                    .smooth = as_inspect_has(p->to->inputs, "label_smoothing")};
  return as_inspect_losses(p->to->ctx, &logits, p->to->scalars, p->differentiates ? store_gradient : NULL, p);
}

static void add_tensors(const encoder_pass *p) {
  const int64_t shape[] = {p->batch.sequences, p->classes};
  for (int64_t i = 0; i <= as_encoder_describe(p->m->encoder)->layers; i++)
    as_inspect_tensors_add_rows(p->to->tensors, &p->rows, p->hidden[i], "hidden.%lld", (long long)i);
  float *out = has_head(p->m) ? as_inspect_tensors_add(p->to->tensors, 2, shape, "logits") : NULL;
  if (out) memcpy(out, as_tensor_f32(p->logits), (size_t)(shape[0] * shape[1]) * sizeof *out);
  if (p->differentiates) as_inspect_tensors_add_gradients(p->to->tensors, as_encoder_parameters(p->m->encoder));
}

static as_status run(void *model, const as_inspect_pass *pass) {
  encoder_pass p = {.m = model, .to = pass, .classes = (int64_t)labels(model)->count};
  as_status status = read_pass(&p);
  if (status == AS_OK && !has_head(model) && as_inspect_has(pass->inputs, "labels"))
    as_warn(pass->ctx, "the folder has no classification head, so there are no logits, losses and gradients");
  if (status == AS_OK) status = compute(&p);
  if (status == AS_OK && pass->save) add_tensors(&p);
  if (status == AS_OK && p.labelled) status = add_losses(&p);
  as_graph_free(p.graph);
  as_encoder_batch_free(&p.batch);
  as_inspect_rows_free(&p.rows);
  as_free(pass->ctx, p.hidden);
  as_free(pass->ctx, p.class_weights);
  return status;
}

/* ---- training ----------------------------------------------------------------------------------------------- */

static as_status add_batch(void *model, const as_inspect_object *inputs) {
  static const char *const known[] = {"input_ids", "attention_mask", "lengths", "labels", "position_ids", NULL};
  inspected_encoder *m = model;
  as_inspect_rows rows = {0};
  as_inspect_warn_unknown(inputs, known);
  as_encoder_batch *grown = as_grow(m->ctx, m->batches, &m->capacity, m->count + 1, sizeof *grown);
  if (!grown) return AS_E_NOMEM;
  m->batches = grown;
  as_status status = read_rows(m, inputs, &rows);
  if (status == AS_OK) status = fill_batch(m, inputs, &rows, (int64_t)labels(m)->count, &m->batches[m->count++]);
  as_inspect_rows_free(&rows);
  return status;
}

/* The batches of a step. */
typedef struct step_batches {
  inspected_encoder *m;
  as_encoder_batch *batches;
  const as_step_options *options;
} step_batches;

static as_tensor *record_loss(as_graph *g, void *user, int64_t batch, double denominator) {
  const step_batches *b = user;
  return as_encoder_record_loss(g, b->m->encoder, &b->batches[batch], b->options, denominator);
}

static as_status step(void *model, const as_optimizer *optimizer, size_t first, size_t count,
                      const as_step_options *options, int64_t number, double lr, as_step_result *result) {
  inspected_encoder *m = model;
  step_batches batches = {m, m->batches + first, options};
  as_step_task task = {&batches, record_loss,
                       as_step_denominator(batches.batches, (int64_t)count, options->class_weights)};
  if (!m->graph) m->graph = as_graph_new(m->ctx, AS_TRAIN);
  if (!m->graph) return AS_E_NOMEM;
  return as_step(m->graph, &task, optimizer, (int64_t)count, options, number, lr, result);
}

const as_inspect_kind as_inspect_encoder = {
    reads,  as_encoder_architectures_list, open_encoder, close_encoder, parameters, prefix,
    labels, has_head,                      sizes,        run,           add_batch,  step};
