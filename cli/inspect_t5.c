/* Looking into T5 (models/t5.h).
 *
 * Dropout is off but in training. The logits of all tokens are there, unlike in training, so that each loss and its
 * gradient for the logits can be computed from them. Where decoder_input_ids are given without labels there is no loss.
 */
#include <string.h>

#include "base/memory.h"
#include "cli/inspect_losses.h"
#include "models/t5.h"
#include "tensor/ops.h"

typedef struct inspected_t5 {
  as_context *ctx;
  as_t5 *t5;
  as_graph *graph;      /* of training steps */
  as_t5_batch *batches; /* [count], of training steps */
  size_t count, capacity;
} inspected_t5;

enum { MAX_TOKENS = 1 << 20 };

/* ---- opening ------------------------------------------------------------------------------------------------ */

static bool reads(const char *model_type) { return strcmp(model_type, "t5") == 0; }
static void list(as_buffer *out) { as_buffer_text(out, "t5"); }

static void close_t5(void *model) {
  inspected_t5 *m = model;
  if (!m) return;
  for (size_t i = 0; i < m->count; i++) as_t5_batch_free(&m->batches[i]);
  as_free(m->ctx, m->batches);
  as_graph_free(m->graph);
  as_t5_free(m->t5);
  as_free(m->ctx, m);
}

static as_status open_t5(as_context *ctx, const char *folder, as_inspect_use use, void **model) {
  as_t5_options options = {.gradients = use != AS_INSPECT_MODEL, .dropout = -1};
  inspected_t5 *m = as_alloc_zero(ctx, 1, sizeof *m);
  *model = NULL;
  if (!m) return AS_E_NOMEM;
  m->ctx = ctx;
  as_status status = as_t5_open(ctx, folder, &options, &m->t5);
  if (status == AS_OK)
    *model = m;
  else
    close_t5(m);
  return status;
}

static const as_t5_config *config_of(const void *model) { return as_t5_get_config(((const inspected_t5 *)model)->t5); }
static as_parameters *parameters(void *model) { return as_t5_parameters(((inspected_t5 *)model)->t5); }
static const char *prefix(const void *model) {
  (void)model;
  return "";
}
static const as_labels *labels(const void *model) {
  (void)model;
  return NULL;
}
static bool has_head(const void *model) {
  (void)model;
  return true;
}

static size_t sizes(const void *model, as_inspect_size out[AS_INSPECT_MAX_SIZES]) {
  const as_t5_config *c = config_of(model);
  const as_inspect_size all[] = {
      {"encoder_layers", c->num_layers}, {"decoder_layers", c->num_decoder_layers}, {"dim", c->d_model},
      {"heads", c->num_heads},           {"head_dim", c->d_kv},                     {"hidden_dim", c->d_ff},
      {"vocab_size", c->vocab_size},     {"tied", as_t5_is_tied(((const inspected_t5 *)model)->t5)}};
  memcpy(out, all, sizeof all);
  return sizeof all / sizeof all[0];
}

/* ---- inputs ------------------------------------------------------------------------------------------------- */

/* Sources and targets of an object. The targets are labels, or what the decoder reads, or not there. */
typedef struct pairs {
  as_inspect_rows source, target;
  bool decodes, labelled;
  as_t5_batch batch;
} pairs;

static void free_pairs(pairs *p) {
  as_inspect_rows_free(&p->source);
  as_inspect_rows_free(&p->target);
  as_t5_batch_free(&p->batch);
}

static as_status read_rows(const inspected_t5 *m, const as_inspect_object *inputs, pairs *p) {
  as_inspect_row_fields source = {.ids = "input_ids", .mask = "attention_mask", .lengths = "lengths",
                                  .vocab_size = config_of(m)->vocab_size, .max_tokens = MAX_TOKENS};
  as_inspect_row_fields target = {.ids = "labels", .lengths = "target_lengths", .vocab_size = source.vocab_size,
                                  .max_tokens = MAX_TOKENS, .labels = true};
  p->labelled = as_inspect_has(inputs, "labels");
  p->decodes = p->labelled || as_inspect_has(inputs, "decoder_input_ids");
  if (!p->labelled) {
    target.ids = "decoder_input_ids";
    target.labels = false;
  }
  as_status status = as_inspect_rows_read(inputs, &source, &p->source);
  if (status == AS_OK && p->decodes) status = as_inspect_rows_read(inputs, &target, &p->target);
  if (status == AS_OK && p->decodes && p->source.count != p->target.count)
    status = as_inspect_fail(inputs, target.ids, " has %lld rows, but input_ids %lld", (long long)p->target.count,
                             (long long)p->source.count);
  return status;
}

/* Packs the pairs. Without targets the decoder gets a single token, which nobody looks at. */
static as_status fill_batch(const inspected_t5 *m, const as_inspect_object *inputs, pairs *p) {
  const int32_t none = AS_NO_LABEL, start = (int32_t)config_of(m)->decoder_start_token_id;
  as_status status = AS_OK;
  for (int64_t i = 0; status == AS_OK && i < p->source.count; i++) {
    const int32_t *ids = p->source.ids + i * p->source.width;
    const int32_t *target = p->decodes ? p->target.ids + i * p->target.width : &none;
    int64_t count = p->decodes ? p->target.lengths[i] : 1, at = p->batch.target.tokens;
    status = as_t5_batch_add(&p->batch, ids, p->source.lengths[i], target, count, start,
                             (int32_t)config_of(m)->pad_token_id);
    if (status != AS_OK || p->labelled || !p->decodes) continue;
    memcpy(p->batch.target.ids + at, target, (size_t)count * sizeof *target);
    for (int64_t k = 0; k < count; k++) p->batch.labels[at + k] = AS_NO_LABEL;
  }
  if (status == AS_OK && p->labelled)
    status = as_inspect_same_tokens(inputs, "decoder_input_ids", &p->target, p->batch.target.ids);
  return status;
}

static as_status read_pairs(const inspected_t5 *m, const as_inspect_object *inputs, pairs *p) {
  *p = (pairs){0};
  as_t5_batch_init(&p->batch, m->ctx);
  as_status status = read_rows(m, inputs, p);
  if (status == AS_OK) status = fill_batch(m, inputs, p);
  p->labelled = p->labelled && status == AS_OK && as_t5_batch_label_count(&p->batch) > 0;
  return status;
}

/* ---- running ------------------------------------------------------------------------------------------------ */

typedef struct t5_pass {
  inspected_t5 *m;
  const as_inspect_pass *to;
  pairs pairs;
  as_graph *graph;
  as_tensor **hidden; /* [encoder layers + decoder layers] */
  as_tensor *encoded, *decoded, *logits;
  bool differentiates;
  double label_smoothing;
} t5_pass;

static as_status read_pass(t5_pass *p) {
  static const char *const known[] = {"input_ids", "attention_mask",  "lengths",           "labels", "target_lengths",
                                      "decoder_input_ids", "label_smoothing", NULL};
  const as_inspect_object *inputs = p->to->inputs;
  as_inspect_warn_unknown(inputs, known);
  as_status status = read_pairs(p->m, inputs, &p->pairs);
  p->differentiates = p->pairs.labelled && p->to->gradients && p->to->save;
  if (status != AS_OK || !as_inspect_has(inputs, "label_smoothing")) return status;
  status = as_inspect_number(inputs, "label_smoothing", 0, 1, &p->label_smoothing);
  if (status == AS_OK && p->label_smoothing >= 1)
    status = as_inspect_fail(inputs, "label_smoothing", " must be below 1");
  return status;
}

static void record(t5_pass *p) {
  const as_t5_config *c = config_of(p->m);
  const as_t5_batch *batch = &p->pairs.batch;
  p->encoded = as_keep(p->graph, as_t5_record_encoder(p->graph, p->m->t5, &batch->source, p->hidden));
  for (int64_t i = 0; i < c->num_layers; i++) as_keep(p->graph, p->hidden[i]);
  if (!p->pairs.decodes) return;
  as_tensor **hidden = p->hidden + c->num_layers;
  p->decoded =
      as_keep(p->graph, as_t5_record_decoder(p->graph, p->m->t5, &batch->target, p->encoded, &batch->source, hidden));
  for (int64_t i = 0; i < c->num_decoder_layers; i++) as_keep(p->graph, hidden[i]);
  p->logits = as_keep(p->graph, as_t5_record_logits(p->graph, p->m->t5, p->decoded));
}

static as_status compute(t5_pass *p) {
  const as_t5_config *c = config_of(p->m);
  const as_t5_batch *batch = &p->pairs.batch;
  as_tensor *loss = NULL;
  as_cross_entropy_options options = {.ignore_index = AS_NO_LABEL};
  p->graph = as_graph_new(p->to->ctx, p->differentiates ? AS_TRAIN : AS_INFER);
  p->hidden = as_alloc(p->to->ctx, (size_t)(c->num_layers + c->num_decoder_layers), sizeof *p->hidden);
  if (!p->graph || !p->hidden) return AS_E_NOMEM;
  as_graph_set_evaluation(p->graph, true);
  record(p);
  if (p->differentiates)
    loss = as_cross_entropy(p->graph, p->logits, as_input_i32(p->graph, 1, &batch->target.tokens, batch->labels),
                            &options);
  as_status status = as_graph_plan(p->graph, loss);
  if (status != AS_OK) return status;
  as_graph_forward(p->graph);
  if (loss) as_graph_backward(p->graph, loss);
  return AS_OK;
}

static void add_tensors(const t5_pass *p) {
  const as_t5_config *c = config_of(p->m);
  as_inspect_tensors *to = p->to->tensors;
  for (int64_t i = 0; i < c->num_layers; i++)
    as_inspect_tensors_add_rows(to, &p->pairs.source, p->hidden[i], "encoder.hidden.%lld", (long long)i + 1);
  as_inspect_tensors_add_rows(to, &p->pairs.source, p->encoded, "encoder.last_hidden");
  if (!p->pairs.decodes) return;
  for (int64_t i = 0; i < c->num_decoder_layers; i++)
    as_inspect_tensors_add_rows(to, &p->pairs.target, p->hidden[c->num_layers + i], "decoder.hidden.%lld",
                                (long long)i + 1);
  as_inspect_tensors_add_rows(to, &p->pairs.target, p->decoded, "decoder.last_hidden");
  as_inspect_tensors_add_rows(to, &p->pairs.target, p->logits, "logits");
  if (p->differentiates) as_inspect_tensors_add_gradients(to, as_t5_parameters(p->m->t5));
}

static void store_gradient(void *user, const char *name, const float *gradient) {
  const t5_pass *p = user;
  const as_inspect_rows *rows = &p->pairs.target;
  const int64_t classes = config_of(p->m)->vocab_size, shape[] = {rows->count, rows->width, classes};
  float *out = as_inspect_tensors_add(p->to->tensors, 3, shape, "%s", name);
  for (int64_t i = 0; out && i < rows->count; i++) {
    memcpy(out + i * rows->width * classes, gradient, (size_t)(rows->lengths[i] * classes) * sizeof *out);
    gradient += rows->lengths[i] * classes;
  }
}

static as_status add_losses(t5_pass *p) {
  const as_inspect_logits logits = {.rows = p->pairs.batch.target.tokens,
                                    .classes = config_of(p->m)->vocab_size,
                                    .values = as_tensor_f32(p->logits),
                                    .labels = p->pairs.batch.labels,
                                    .label_smoothing = p->label_smoothing,
                                    .smooth = as_inspect_has(p->to->inputs, "label_smoothing")};
  as_status status =
      as_inspect_losses(p->to->ctx, &logits, p->to->scalars, p->differentiates ? store_gradient : NULL, p);
  as_json_int(p->to->scalars, "target_tokens", as_t5_batch_label_count(&p->pairs.batch));
  return status;
}

static as_status run(void *model, const as_inspect_pass *pass) {
  t5_pass p = {.m = model, .to = pass};
  as_status status = read_pass(&p);
  if (status == AS_OK) status = compute(&p);
  if (status == AS_OK && pass->save) add_tensors(&p);
  if (status == AS_OK && p.pairs.labelled) status = add_losses(&p);
  as_graph_free(p.graph);
  as_free(pass->ctx, p.hidden);
  free_pairs(&p.pairs);
  return status;
}

/* ---- training ----------------------------------------------------------------------------------------------- */

static as_status add_batch(void *model, const as_inspect_object *inputs) {
  static const char *const known[] = {"input_ids", "attention_mask", "lengths", "labels", "target_lengths",
                                      "decoder_input_ids", NULL};
  inspected_t5 *m = model;
  pairs p;
  as_inspect_warn_unknown(inputs, known);
  as_t5_batch *grown = as_grow(m->ctx, m->batches, &m->capacity, m->count + 1, sizeof *grown);
  if (!grown) return AS_E_NOMEM;
  m->batches = grown;
  as_status status = read_pairs(m, inputs, &p);
  if (status == AS_OK && !p.labelled) status = as_inspect_fail(inputs, "labels", " must be there, and not all -100");
  if (status == AS_OK) {
    m->batches[m->count++] = p.batch;
    as_t5_batch_init(&p.batch, m->ctx);
  }
  free_pairs(&p);
  return status;
}

static as_status step(void *model, const as_optimizer *optimizer, size_t first, size_t count,
                      const as_step_options *options, int64_t number, double lr, as_step_result *result) {
  inspected_t5 *m = model;
  if (!m->graph) m->graph = as_graph_new(m->ctx, AS_TRAIN);
  if (!m->graph) return AS_E_NOMEM;
  return as_t5_step(m->graph, m->t5, optimizer, m->batches + first, (int64_t)count, options, number, lr, result);
}

const as_inspect_kind as_inspect_t5 = {reads,  list,     open_t5, close_t5, parameters, prefix,
                                       labels, has_head, sizes,   run,      add_batch,  step};
