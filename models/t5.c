/* See t5.h. */
#include "models/t5.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "models/parameters_file.h"

typedef struct stack {
  as_t5_block_config block;
  int64_t layers;
  as_t5_block *blocks; /* [layers] */
  int position_bias, final_norm;
} stack;

struct as_t5 {
  as_context *ctx;
  as_t5_config config;
  as_parameters parameters;
  stack encoder, decoder;
  int shared, lm_head; /* lm_head -1: tied */
};

const as_t5_preset as_t5_presets[] = {{"tiny", 128, 64, 512, 2, 2},
                                      {"mini", 256, 64, 1024, 4, 4},
                                      {"small", 512, 64, 2048, 8, 6},
                                      {"base", 768, 64, 3072, 12, 12},
                                      {NULL, 0, 0, 0, 0, 0}};

const as_t5_preset *as_t5_preset_find(const char *name) {
  const as_t5_preset *preset = as_t5_presets;
  while (preset->name && strcmp(preset->name, name) != 0) preset++;
  return preset->name ? preset : NULL;
}

as_t5_config as_t5_config_preset(const as_t5_preset *preset, int64_t vocab_size, bool v1_1) {
  as_t5_config c = as_t5_config_default();
  c.vocab_size = vocab_size;
  c.d_model = preset->d_model;
  c.d_kv = preset->d_kv;
  c.d_ff = preset->d_ff;
  c.num_heads = preset->num_heads;
  c.num_layers = c.num_decoder_layers = preset->num_layers;
  c.feed_forward_proj = v1_1 ? AS_T5_GATED_GELU : AS_T5_RELU;
  c.scale_decoder_outputs = !v1_1;
  return c;
}

/* ---- parameters ------------------------------------------------------------------------------------------------- */

static as_t5_block_config block_config(const as_t5_config *c, double dropout, bool decoder) {
  static const as_unary activations[] = {[AS_T5_RELU] = AS_UNARY_RELU,
                                         [AS_T5_GELU] = AS_UNARY_GELU,
                                         [AS_T5_GELU_NEW] = AS_UNARY_GELU_TANH,
                                         [AS_T5_GATED_GELU] = AS_UNARY_GELU_TANH,
                                         [AS_T5_GATED_RELU] = AS_UNARY_RELU};
  return (as_t5_block_config){.dim = c->d_model,
                              .hidden_dim = c->d_ff,
                              .heads = (int)c->num_heads,
                              .head_dim = (int)c->d_kv,
                              .activation = activations[c->feed_forward_proj],
                              .gated = c->feed_forward_proj >= AS_T5_GATED_GELU,
                              .eps = c->layer_norm_epsilon,
                              .dropout = dropout,
                              .buckets = c->relative_attention_num_buckets,
                              .max_distance = c->relative_attention_max_distance,
                              .decoder = decoder};
}

/* `first` is the number of the stack's first layer among all. */
static as_status declare_stack(as_t5 *t, stack *s, const char *name, int64_t layers, int first) {
  s->layers = layers;
  s->blocks = as_alloc(t->ctx, (size_t)layers, sizeof *s->blocks);
  if (!s->blocks) return AS_E_NOMEM;
  for (int64_t l = 0; l < layers; l++) {
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s.block.%lld.", name, (long long)l);
    s->blocks[l] = as_t5_block_declare(&t->parameters, &s->block, first + (int)l, prefix,
                                       l == 0 ? &s->position_bias : NULL);
  }
  s->final_norm = as_parameters_declare(&t->parameters, AS_ROLE_NORM_WEIGHT, first + (int)layers - 1, t->config.d_model,
                                        0, "%s.final_layer_norm.weight", name);
  return AS_OK;
}

static as_status declare(as_t5 *t, bool tied, double dropout) {
  const as_t5_config *c = &t->config;
  if (dropout < 0) dropout = c->dropout_rate;
  t->encoder.block = block_config(c, dropout, false);
  t->decoder.block = block_config(c, dropout, true);
  t->shared = as_parameters_declare(&t->parameters, AS_ROLE_EMBEDDING, 0, c->vocab_size, c->d_model, "shared.weight");
  as_status status = declare_stack(t, &t->encoder, "encoder", c->num_layers, 1);
  if (status == AS_OK) status = declare_stack(t, &t->decoder, "decoder", c->num_decoder_layers, 1 + (int)c->num_layers);
  t->lm_head = -1;
  if (status == AS_OK && !tied)
    t->lm_head = as_parameters_declare(&t->parameters, AS_ROLE_WEIGHT, (int)(c->num_layers + c->num_decoder_layers) + 1,
                                       c->vocab_size, c->d_model, "lm_head.weight");
  return status == AS_OK && t->parameters.failed ? AS_E_NOMEM : status;
}

static void initialize_stack(as_t5 *t, const stack *s, uint64_t seed) {
  double factor = t->config.initializer_factor;
  for (int64_t l = 0; l < s->layers; l++)
    as_t5_block_initialize(&t->parameters, &s->blocks[l], &s->block, factor, seed);
  as_parameters_initialize(&t->parameters, s->position_bias, factor / sqrt((double)t->config.d_model), seed);
  as_parameters_fill(&t->parameters, s->final_norm, (float)factor);
}

static void initialize(as_t5 *t, uint64_t seed) {
  as_parameters_initialize(&t->parameters, t->shared, t->config.initializer_factor, seed);
  if (t->lm_head >= 0) as_parameters_initialize(&t->parameters, t->lm_head, t->config.initializer_factor, seed);
  initialize_stack(t, &t->encoder, seed);
  initialize_stack(t, &t->decoder, seed);
}

static as_status pack_stack(as_t5 *t, const stack *s) {
  as_status status = AS_OK;
  for (int64_t l = 0; status == AS_OK && l < s->layers; l++)
    status = as_t5_block_pack(&t->parameters, &s->blocks[l], &s->block);
  return status;
}

static int output_of(const as_t5 *t) { return t->lm_head >= 0 ? t->lm_head : t->shared; }

static as_status pack(as_t5 *t) {
  as_status status = as_parameters_pack(&t->parameters, output_of(t), 1);
  if (status == AS_OK) status = pack_stack(t, &t->encoder);
  if (status == AS_OK) status = pack_stack(t, &t->decoder);
  return status == AS_OK ? as_parameters_settle(&t->parameters) : status;
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static as_status begin(as_context *ctx, as_t5 **out) {
  *out = as_alloc_zero(ctx, 1, sizeof **out);
  if (!*out) return AS_E_NOMEM;
  (*out)->ctx = ctx;
  as_parameters_init(&(*out)->parameters, ctx);
  return AS_OK;
}

void as_t5_free(as_t5 *t) {
  if (!t) return;
  as_t5_config_free(&t->config);
  as_parameters_free(&t->parameters);
  as_free(t->ctx, t->encoder.blocks);
  as_free(t->ctx, t->decoder.blocks);
  as_free(t->ctx, t);
}

/* Names under which files have the embeddings: "shared.weight", and what else shares their memory in transformers. */
static int64_t find_shared(const as_checkpoint *checkpoint) {
  static const char *const names[] = {"shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"};
  int64_t index = -1;
  for (size_t i = 0; index < 0 && i < sizeof names / sizeof names[0]; i++)
    index = as_checkpoint_find(checkpoint, names[i]);
  return index;
}

static bool same_values(const float *a, const float *b, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (a[i] != b[i]) return false;
  return true;
}

/* Whether the file has no output matrix of its own. */
static as_status find_tied(const as_t5 *t, as_checkpoint *checkpoint, bool *tied) {
  int64_t head = as_checkpoint_find(checkpoint, "lm_head.weight"), shared = find_shared(checkpoint);
  *tied = head < 0;
  if (head < 0 || shared < 0) return AS_OK;
  const as_stored_tensor *a = as_checkpoint_tensor(checkpoint, (size_t)head);
  const as_stored_tensor *b = as_checkpoint_tensor(checkpoint, (size_t)shared);
  if (!as_shape_equal(a->ndim, a->shape, b->ndim, b->shape)) return AS_OK;
  float *both = as_alloc(t->ctx, (size_t)a->elements, 2 * sizeof *both);
  if (!both) return AS_E_NOMEM;
  const as_checkpoint_read reads[] = {{(size_t)head, both}, {(size_t)shared, both + a->elements}};
  as_status status = as_checkpoint_read_all(checkpoint, reads, 2);
  if (status == AS_OK) *tied = same_values(both, both + a->elements, a->elements);
  as_free(t->ctx, both);
  return status;
}

/* Copies of the embeddings, and a table that old files have and nobody uses, are passed over. */
static as_status expect(as_t5 *t, const as_checkpoint *checkpoint, int64_t *found) {
  static const char *const ignored[] = {"embed_tokens", "relative_attention_bias", "lm_head", NULL};
  as_expectation *expectations = as_alloc_zero(t->ctx, t->parameters.count, sizeof *expectations);
  if (!expectations) return AS_E_NOMEM;
  as_parameters_expect(&t->parameters, expectations);
  int64_t shared = find_shared(checkpoint);
  if (shared >= 0) expectations[t->shared].name = as_checkpoint_tensor(checkpoint, (size_t)shared)->name;
  as_expect_rules rules = {.ignored = ignored};
  as_status status = as_checkpoint_expect(checkpoint, expectations, t->parameters.count, &rules, found);
  as_free(t->ctx, expectations);
  return status;
}

/* Nothing of the weights' size is allocated before the file has shown that it has them. */
static as_status load(as_t5 *t, const char *folder, const as_t5_options *options) {
  as_checkpoint *checkpoint = NULL;
  int64_t *found = NULL;
  bool tied = true;
  as_status status = as_checkpoint_open(t->ctx, folder, &checkpoint);
  if (status == AS_OK) status = find_tied(t, checkpoint, &tied);
  if (status == AS_OK) status = declare(t, tied, options->dropout);
  if (status == AS_OK) {
    found = as_alloc(t->ctx, t->parameters.count, sizeof *found);
    status = found ? expect(t, checkpoint, found) : AS_E_NOMEM;
  }
  if (status == AS_OK && options->packed) as_parameters_borrow_found(&t->parameters, checkpoint, found);
  if (status == AS_OK) status = as_parameters_allocate(&t->parameters, options->gradients);
  if (status == AS_OK) status = as_parameters_read(&t->parameters, checkpoint, found);
  if (status == AS_OK && options->packed) status = pack(t);
  as_checkpoint_close(checkpoint);
  as_free(t->ctx, found);
  return status;
}

static as_status check_options(as_context *ctx, const as_t5_options *options) {
  if (options->packed && options->gradients)
    return as_fail(ctx, AS_E_INVALID, "packed weights can't be trained: ask for gradients or for packing");
  return AS_OK;
}

as_status as_t5_open(as_context *ctx, const char *folder, const as_t5_options *options, as_t5 **out) {
  as_t5 *t = NULL;
  *out = NULL;
  as_status status = check_options(ctx, options);
  if (status == AS_OK) status = begin(ctx, &t);
  if (status == AS_OK) status = as_t5_config_read(ctx, folder, &t->config);
  if (status == AS_OK) status = load(t, folder, options);
  if (status == AS_OK)
    *out = t;
  else
    as_t5_free(t);
  return status;
}

as_status as_t5_new(as_context *ctx, const as_t5_config *config, bool tied, const as_t5_options *options, as_t5 **out) {
  as_t5 *t = NULL;
  *out = NULL;
  as_status status = check_options(ctx, options);
  if (status == AS_OK) status = as_t5_config_check(ctx, config);
  if (status == AS_OK) status = begin(ctx, &t);
  if (status == AS_OK) {
    t->config = *config;
    json_incref(t->config.source);
    status = declare(t, tied, options->dropout);
  }
  if (status == AS_OK) status = as_parameters_allocate(&t->parameters, options->gradients);
  if (status == AS_OK) initialize(t, options->seed);
  if (status == AS_OK && options->packed) status = pack(t);
  if (status == AS_OK)
    *out = t;
  else
    as_t5_free(t);
  return status;
}

as_status as_t5_save(const as_t5 *t, const char *folder) {
  as_status status = as_t5_config_write(t->ctx, &t->config, folder);
  return status == AS_OK ? as_parameters_write(&t->parameters, folder) : status;
}

const as_t5_config *as_t5_get_config(const as_t5 *t) { return &t->config; }
as_parameters *as_t5_parameters(as_t5 *t) { return &t->parameters; }
const as_parameters *as_t5_const_parameters(const as_t5 *t) { return &t->parameters; }
bool as_t5_is_tied(const as_t5 *t) { return t->lm_head < 0; }
double as_t5_output_scale(const as_t5 *t) {
  return t->config.scale_decoder_outputs ? 1 / sqrt((double)t->config.d_model) : 1;
}

as_t5_layout as_t5_decoder_layout(const as_t5 *t) {
  return (as_t5_layout){t->shared, t->decoder.position_bias, t->decoder.final_norm, output_of(t), t->decoder.blocks,
                        t->decoder.block};
}

/* ---- recording -------------------------------------------------------------------------------------------------- */

static as_tensor *record_stack(as_graph *g, const as_t5 *t, const stack *s, const as_encoder_batch *batch,
                               const as_t5_memory *memory, as_tensor **hidden) {
  const as_parameters *ps = &t->parameters;
  as_packed packed = as_encoder_batch_packed(batch);
  as_tensor *position_bias = as_parameter_leaf(g, ps, s->position_bias);
  as_tensor *ids = as_input_i32(g, 1, &batch->tokens, batch->ids);
  as_tensor *x = as_embedding(g, as_parameter_leaf(g, ps, t->shared), ids, -1);
  if (s->block.dropout > 0) x = as_dropout_apply(g, x, s->block.dropout);
  for (int64_t l = 0; l < s->layers; l++) {
    x = as_t5_block_record(g, ps, &s->blocks[l], &s->block, as_block_input(g, x), packed, position_bias, memory);
    if (hidden) hidden[l] = x;
  }
  x = as_rms_norm(g, as_block_input(g, x), as_parameter_leaf(g, ps, s->final_norm), s->block.eps);
  if (s->block.dropout > 0) x = as_dropout_apply(g, x, s->block.dropout);
  return as_block_input(g, x);
}

as_tensor *as_t5_record_encoder(as_graph *g, const as_t5 *t, const as_encoder_batch *source, as_tensor **hidden) {
  return record_stack(g, t, &t->encoder, source, NULL, hidden);
}

as_tensor *as_t5_record_decoder(as_graph *g, const as_t5 *t, const as_encoder_batch *target, as_tensor *encoded,
                                const as_encoder_batch *source, as_tensor **hidden) {
  as_t5_memory memory = {encoded, as_encoder_batch_packed(source)};
  return record_stack(g, t, &t->decoder, target, &memory, hidden);
}

as_tensor *as_t5_record_logits(as_graph *g, const as_t5 *t, as_tensor *x) {
  double scale = as_t5_output_scale(t);
  if (scale != 1) x = as_affine(g, x, scale, 0);
  return as_linear(g, x, as_parameter_leaf(g, &t->parameters, output_of(t)), NULL, false, AS_UNARY_NONE);
}

as_tensor *as_t5_record_loss(as_graph *g, const as_t5 *t, const as_t5_batch *batch, double label_smoothing,
                             double denominator) {
  as_tensor *encoded = as_t5_record_encoder(g, t, &batch->source, NULL);
  as_tensor *x = as_t5_record_decoder(g, t, &batch->target, encoded, &batch->source, NULL);
  as_tensor *labels = as_input_i32(g, 1, &batch->target.tokens, batch->labels);
  as_linear_cross_entropy_options o = {.scale = as_t5_output_scale(t), .label_smoothing = label_smoothing,
                                       .ignore_index = -100, .denominator = denominator};
  return as_linear_cross_entropy(g, x, as_parameter_leaf(g, &t->parameters, output_of(t)), NULL, false, labels, &o);
}
