/* See encoder.h. */
#include "models/encoder.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "models/parameters_file.h"

struct as_encoder {
  as_context *ctx;
  const as_encoder_architecture *architecture;
  void *config;
  as_encoder_description d;
  as_parameters parameters;
  int tables[AS_ENCODER_MAX_TABLES], embedding_norm_weight, embedding_norm_bias;
  as_encoder_block *blocks; /* [d.layers] */
  bool masked_lm;
  as_classification_head head; /* one of the two, as masked_lm says */
  as_masked_lm_head masked_lm_head;
  int first_of_head;
  as_encoder_head head_origin;
  as_checkpoint *checkpoint; /* from which parameters are borrowed; NULL: none are */
};

const as_encoder_architecture *const as_encoder_architectures[] = {&as_distilbert, &as_roberta, NULL};

const as_encoder_architecture *as_encoder_architecture_find(const char *model_type) {
  for (size_t i = 0; as_encoder_architectures[i]; i++)
    if (strcmp(as_encoder_architectures[i]->format->model_type, model_type) == 0) return as_encoder_architectures[i];
  return NULL;
}

const as_encoder_preset *as_encoder_preset_find(const as_encoder_architecture *architecture, const char *name) {
  for (const as_encoder_preset *preset = architecture->presets; preset->name; preset++)
    if (strcmp(preset->name, name) == 0) return preset;
  return NULL;
}

void as_encoder_architectures_list(as_buffer *out) {
  for (size_t i = 0; as_encoder_architectures[i]; i++)
    as_buffer_printf(out, "%s%s", i ? ", " : "", as_encoder_architectures[i]->format->model_type);
}

static as_labels *own_labels(const as_encoder *e) {
  return as_encoder_config_labels(e->architecture->format, e->config);
}

/* ---- parameters ------------------------------------------------------------------------------------------------- */
static as_status declare(as_encoder *e) {
  as_parameters *ps = &e->parameters;
  const as_encoder_description *d = &e->d;
  for (int i = 0; i < d->table_count; i++) {
    e->tables[i] = as_parameters_declare(ps, AS_ROLE_EMBEDDING, 0, d->tables[i].rows, d->block.dim, "%s%s.weight",
                                         d->prefix, d->tables[i].name);
    if (e->tables[i] >= 0) ps->list[e->tables[i]].padding_row = d->tables[i].padding_row;
  }
  e->embedding_norm_weight =
      as_parameters_declare(ps, AS_ROLE_NORM_WEIGHT, 0, d->block.dim, 0, "%s%s.weight", d->prefix, d->embedding_norm);
  e->embedding_norm_bias =
      as_parameters_declare(ps, AS_ROLE_NORM_BIAS, 0, d->block.dim, 0, "%s%s.bias", d->prefix, d->embedding_norm);
  for (int64_t l = 0; l < d->layers; l++) {
    char prefix[AS_PARAMETER_NAME_MAX];
    snprintf(prefix, sizeof prefix, "%s%s.%lld.", d->prefix, d->block_prefix, (long long)l);
    e->blocks[l] = as_encoder_block_declare(ps, &d->block, (int)l + 1, prefix, d->block_names);
  }
  e->first_of_head = (int)ps->count;
  if (e->masked_lm)
    e->masked_lm_head =
        as_masked_lm_head_declare(ps, &d->masked_lm_head, (int)d->layers + 1, d->block.dim, d->vocab_size);
  else
    e->head = as_classification_head_declare(ps, &d->head, (int)d->layers + 1, d->head_dense, d->head_output);
  return ps->failed ? AS_E_NOMEM : AS_OK;
}

static bool in_head(const as_encoder *e, size_t index) {
  return (int)index >= e->first_of_head;
}

static void initialize(as_encoder *e, bool body, uint64_t seed) {
  for (size_t i = 0; i < e->parameters.count; i++)
    if (body || in_head(e, i)) as_parameters_initialize(&e->parameters, (int)i, e->d.initializer_range, seed);
}

static void fix_tables(as_encoder *e) {
  for (int i = 0; i < e->d.table_count; i++)
    if (e->d.tables[i].fixed) e->parameters.list[e->tables[i]].frozen = true;
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */
static as_status begin(as_context *ctx, const as_encoder_architecture *architecture, as_encoder **out) {
  *out = as_alloc_zero(ctx, 1, sizeof **out);
  if (!*out) return AS_E_NOMEM;
  (*out)->ctx = ctx;
  (*out)->architecture = architecture;
  as_parameters_init(&(*out)->parameters, ctx);
  (*out)->config = as_alloc_zero(ctx, 1, architecture->format->size);
  return (*out)->config ? AS_OK : AS_E_NOMEM;
}

void as_encoder_free(as_encoder *e) {
  if (!e) return;
  if (e->config) as_encoder_config_free(e->ctx, e->architecture->format, e->config);
  as_free(e->ctx, e->config);
  as_parameters_free(&e->parameters);
  as_checkpoint_close(e->checkpoint);
  as_free(e->ctx, e->blocks);
  as_free(e->ctx, e);
}

/* After the configuration is final: describes and declares. Nothing of the weights' size is allocated before the file
 * has shown that it has them. */
static as_status build(as_encoder *e, const as_encoder_options *options) {
  e->masked_lm = options->masked_lm;
  if (options->dropout >= 0) e->architecture->set_dropout(e->config, options->dropout);
  e->d = e->architecture->describe(e->config);
  if (!e->masked_lm) e->d.head.classes = (int64_t)own_labels(e)->count;
  e->blocks = as_alloc(e->ctx, (size_t)e->d.layers, sizeof *e->blocks);
  if (!e->blocks) return AS_E_NOMEM;
  as_status status = declare(e);
  if (status == AS_OK) fix_tables(e);
  return status;
}

static bool same_labels(const as_labels *a, const as_labels *b) {
  if (a->count != b->count) return false;
  for (size_t i = 0; i < a->count; i++)
    if (as_labels_find(b, a->names[i]) < 0) return false;
  return true;
}

static as_status set_labels(as_encoder *e, const as_labels *labels) {
  as_labels copy = {0};
  as_status status = as_labels_set(e->ctx, &copy, (const char *const *)labels->names, labels->count);
  if (status != AS_OK) return status;
  as_labels *own = own_labels(e);
  as_labels_free(e->ctx, own);
  *own = copy;
  return AS_OK;
}

/* The names of tensors that a model with this head passes over. */
static const char *const ignored_by_masked_lm[] = {"pooler", "position_ids", "vocab_projector", "decoder",
                                                   "cls",    "classifier",   "pre_classifier",  NULL};

/* Some files have the bias of the output under its other name alone. */
static void expect_bias(const as_encoder *e, const as_checkpoint *checkpoint, as_expectation *expectation) {
  const as_masked_lm_head_config *c = &e->d.masked_lm_head;
  if (c->bias_alias && as_checkpoint_find(checkpoint, c->bias) < 0 &&
      as_checkpoint_find(checkpoint, c->bias_alias) >= 0)
    expectation->name = c->bias_alias;
}

/* The tensors that the folder must have for its own configuration: the head has as many classes as that says. */
static as_status expect(as_encoder *e, const as_checkpoint *checkpoint, int64_t file_classes, int64_t *found) {
  size_t count = e->parameters.count;
  as_expectation *expectations = as_alloc_zero(e->ctx, count, sizeof *expectations);
  if (!expectations) return AS_E_NOMEM;
  as_parameters_expect(&e->parameters, expectations);
  for (size_t i = 0; i < count; i++) expectations[i].optional = in_head(e, i);
  if (e->masked_lm)
    expect_bias(e, checkpoint, &expectations[e->masked_lm_head.bias]);
  else
    expectations[e->head.output_weight].shape[0] = expectations[e->head.output_bias].shape[0] = file_classes;
  as_expect_rules rules = {.prefix = e->d.prefix,
                           .ignored = e->masked_lm ? ignored_by_masked_lm : as_ignored_by_classifiers};
  as_status status = as_checkpoint_expect(checkpoint, expectations, count, &rules, found);
  as_free(e->ctx, expectations);
  return status;
}

/* A head that is replaced is not read. */
static void pass_over_head(const as_encoder *e, int64_t *found) {
  for (size_t i = 0; i < e->parameters.count; i++)
    if (in_head(e, i) && e->head_origin != AS_HEAD_LOADED) found[i] = -1;
}

static as_status load(as_encoder *e, const char *folder, const as_encoder_options *options, int64_t file_classes) {
  as_checkpoint *checkpoint = NULL;
  int64_t *found = as_alloc(e->ctx, e->parameters.count, sizeof *found);
  as_status status = found ? as_checkpoint_open(e->ctx, folder, &checkpoint) : AS_E_NOMEM;
  if (status == AS_OK) status = expect(e, checkpoint, file_classes, found);
  if (status == AS_OK && found[e->first_of_head] < 0) {
    e->head_origin = AS_HEAD_ABSENT;
    if (!options->fresh_head)
      status = as_fail(e->ctx, AS_E_MODEL, "%s: the weights have no %s head (%s); train one with --from %s", folder,
                       e->masked_lm ? "masked-language-model" : "classification",
                       e->parameters.list[e->first_of_head].name, folder);
  }
  if (status == AS_OK && e->masked_lm && e->head_origin == AS_HEAD_LOADED &&
      !as_encoder_config_ties(e->architecture->format, e->config))
    status =
        as_fail(e->ctx, AS_E_UNSUPPORTED,
                "%s/config.json: tie_word_embeddings is false; only an output layer that is tied is supported", folder);
  if (status == AS_OK) pass_over_head(e, found);
  if (status == AS_OK && options->borrow) as_parameters_borrow_found(&e->parameters, checkpoint, found);
  if (status == AS_OK) status = as_parameters_allocate(&e->parameters, options->gradients);
  if (status == AS_OK && e->head_origin != AS_HEAD_LOADED) initialize(e, false, options->seed);
  if (status == AS_OK) status = as_parameters_read(&e->parameters, checkpoint, found);
  if (status == AS_OK && options->borrow)
    e->checkpoint = checkpoint;
  else
    as_checkpoint_close(checkpoint);
  as_free(e->ctx, found);
  return status;
}

static as_status refuse_type(as_context *ctx, const char *path, const char *model_type) {
  as_buffer names;
  as_buffer_init(&names, ctx);
  as_encoder_architectures_list(&names);
  as_status status = as_buffer_status(&names);
  if (status == AS_OK)
    status = as_fail(ctx, AS_E_MODEL, "%s: model_type \"%.60s\" is not an encoder that can be opened here (%s)", path,
                     model_type, as_buffer_string(&names));
  as_buffer_free(&names);
  return status;
}

/* Reads model_type to choose the architecture, then the architecture's own configuration. */
static as_status open_config(as_context *ctx, const char *folder, as_encoder **out) {
  as_model_config config = {0};
  const char *model_type = NULL;
  as_status status = as_model_config_read(ctx, folder, &config);
  if (status == AS_OK) status = as_model_config_text(&config, "model_type", &model_type);
  const as_encoder_architecture *architecture = status == AS_OK ? as_encoder_architecture_find(model_type) : NULL;
  if (status == AS_OK && !architecture) status = refuse_type(ctx, config.path, model_type);
  as_model_config_free(&config);
  if (status == AS_OK) status = begin(ctx, architecture, out);
  return status == AS_OK ? as_encoder_config_read(ctx, architecture->format, folder, (*out)->config) : status;
}

as_status as_encoder_open(as_context *ctx, const char *folder, const as_encoder_options *options, as_encoder **out) {
  as_encoder *e = NULL;
  *out = NULL;
  as_status status = open_config(ctx, folder, &e);
  if (status == AS_OK) {
    const as_labels *own = own_labels(e);
    int64_t file_classes = (int64_t)own->count;
    if (options->labels && !same_labels(options->labels, own)) {
      e->head_origin = AS_HEAD_REPLACED;
      status = set_labels(e, options->labels);
    }
    if (status == AS_OK) status = build(e, options);
    if (status == AS_OK) status = load(e, folder, options, file_classes);
  }
  if (status != AS_OK) {
    as_encoder_free(e);
    return status;
  }
  *out = e;
  return AS_OK;
}

as_status as_encoder_new(as_context *ctx, const as_encoder_architecture *architecture, const as_encoder_preset *preset,
                         int64_t vocab_size, int64_t pad_token_id, const as_encoder_options *options,
                         as_encoder **out) {
  as_encoder *e = NULL;
  *out = NULL;
  as_status status = begin(ctx, architecture, &e);
  if (status == AS_OK) {
    as_encoder_config_default(architecture->format, e->config);
    architecture->set_sizes(e->config, preset, vocab_size, pad_token_id);
    status = as_encoder_config_check(ctx, architecture->format, e->config);
  }
  if (status == AS_OK && options->labels) status = set_labels(e, options->labels);
  if (status == AS_OK) status = build(e, options);
  if (status == AS_OK) status = as_parameters_allocate(&e->parameters, options->gradients);
  if (status != AS_OK) {
    as_encoder_free(e);
    return status;
  }
  e->head_origin = AS_HEAD_ABSENT;
  initialize(e, true, options->seed);
  *out = e;
  return AS_OK;
}

/* ---- saving ----------------------------------------------------------------------------------------------------- */
as_status as_encoder_save(const as_encoder *e, const char *folder) {
  as_status status = as_encoder_config_write(e->ctx, e->architecture->format, e->config, e->masked_lm, folder);
  return status == AS_OK ? as_parameters_write(&e->parameters, folder) : status;
}

as_status as_encoder_pack(as_encoder *e) {
  as_status status = AS_OK;
  for (int64_t l = 0; status == AS_OK && l < e->d.layers; l++)
    status = as_encoder_block_pack(&e->parameters, &e->blocks[l], l == e->d.layers - 1);
  if (status == AS_OK) status = as_parameters_pack(&e->parameters, e->head.dense_weight, 1);
  if (status == AS_OK) status = as_parameters_pack(&e->parameters, e->head.output_weight, 1);
  if (status == AS_OK) status = as_parameters_settle(&e->parameters);
  if (status != AS_OK) return status;
  as_checkpoint_close(e->checkpoint);
  e->checkpoint = NULL;
  return AS_OK;
}

as_parameters *as_encoder_parameters(as_encoder *e) {
  return &e->parameters;
}
const as_encoder_description *as_encoder_describe(const as_encoder *e) {
  return &e->d;
}
const as_encoder_architecture *as_encoder_get_architecture(const as_encoder *e) {
  return e->architecture;
}
const as_labels *as_encoder_labels(const as_encoder *e) {
  return own_labels(e);
}
as_encoder_head as_encoder_head_origin(const as_encoder *e) {
  return e->head_origin;
}

bool as_encoder_is_masked_lm(const as_encoder *e) {
  return e->masked_lm;
}

as_status as_encoder_check_tokenizer(const as_encoder *e, size_t ids, size_t added, const char *where) {
  if (ids > (size_t)e->d.vocab_size)
    return as_fail(e->ctx, AS_E_MODEL,
                   "%s: the tokenizer has %zu ids and the model's vocab_size is %lld; they do not belong together",
                   where, ids, (long long)e->d.vocab_size);
  if (added >= (size_t)e->d.max_tokens)
    return as_fail(e->ctx, AS_E_MODEL,
                   "%s: the tokenizer adds %zu special tokens to a text, and the model reads at most %lld tokens; they "
                   "do not belong together",
                   where, added, (long long)e->d.max_tokens);
  return AS_OK;
}

/* ---- recording -------------------------------------------------------------------------------------------------- */
void as_encoder_positions(const as_encoder *e, as_encoder_batch *batch) {
  for (int64_t s = 0; s < batch->sequences; s++) {
    int32_t next = (int32_t)e->d.first_position;
    for (int32_t i = batch->cu_seqlens[s]; i < batch->cu_seqlens[s + 1]; i++) {
      bool padding = e->d.positions_skip_padding && batch->ids[i] == e->d.pad_token_id;
      batch->positions[i] = padding ? (int32_t)e->d.pad_token_id : next++;
    }
  }
}

static as_tensor *record_embeddings(as_graph *g, const as_encoder *e, const as_encoder_batch *batch) {
  const int32_t *indices[] = {batch->ids, batch->positions, batch->types};
  as_tensor *tables[AS_ENCODER_MAX_TABLES], *ids[AS_ENCODER_MAX_TABLES];
  int64_t padding[AS_ENCODER_MAX_TABLES];
  for (int i = 0; i < e->d.table_count; i++) {
    tables[i] = as_parameter_leaf(g, &e->parameters, e->tables[i]);
    ids[i] = as_input_i32(g, 1, &batch->tokens, indices[e->d.tables[i].index]);
    padding[i] = e->d.tables[i].padding_row;
  }
  as_tensor *x = as_embedding_layer_norm(g, e->d.table_count, tables, ids, padding,
                                         as_parameter_leaf(g, &e->parameters, e->embedding_norm_weight),
                                         as_parameter_leaf(g, &e->parameters, e->embedding_norm_bias), e->d.block.eps);
  return e->d.embedding_dropout > 0 ? as_dropout_apply(g, x, e->d.embedding_dropout) : x;
}

/* The last layer's output [n, dim] at `rows` (i32 [n]), past keys and values of nothing else, when `hidden` is NULL.
 * With it, every row of every layer is computed, and the rows are taken from the last. */
static as_tensor *record_body(as_graph *g, const as_encoder *e, as_encoder_batch *batch, as_tensor *rows,
                              as_packed queries, as_tensor **hidden) {
  as_packed packed = as_encoder_batch_packed(batch);
  as_encoder_positions(e, batch);
  as_tensor *x = as_block_input(g, record_embeddings(g, e, batch));
  if (hidden) hidden[0] = x;
  for (int64_t l = 0; l < e->d.layers; l++) {
    if (!hidden && l == e->d.layers - 1)
      x = as_encoder_block_record_rows(g, &e->parameters, &e->blocks[l], &e->d.block, x, packed, rows, queries);
    else
      x = as_encoder_block_record(g, &e->parameters, &e->blocks[l], &e->d.block, x, packed);
    as_block_input(g, x);
    if (hidden) hidden[l + 1] = x;
  }
  return hidden || e->d.layers == 0 ? as_gather_rows(g, x, rows) : x;
}

as_tensor *as_encoder_record(as_graph *g, const as_encoder *e, as_encoder_batch *batch, as_tensor **hidden) {
  as_tensor *first = as_input_i32(g, 1, &batch->sequences, batch->cu_seqlens);
  as_tensor *x = record_body(g, e, batch, first, as_encoder_batch_one_each(batch), hidden);
  return as_classification_head_record(g, &e->parameters, &e->head, &e->d.head, x);
}

/* What the output layer reads. */
static as_tensor *record_masked(as_graph *g, const as_encoder *e, as_encoder_batch *batch,
                                const as_masked_tokens *masked) {
  as_tensor *rows = as_input_i32(g, 1, &masked->count, masked->rows);
  as_tensor *x = record_body(g, e, batch, rows, masked->queries, NULL);
  return as_masked_lm_head_record(g, &e->parameters, &e->masked_lm_head, &e->d.masked_lm_head, x);
}

as_tensor *as_encoder_record_token_logits(as_graph *g, const as_encoder *e, as_encoder_batch *batch,
                                          const as_masked_tokens *masked) {
  return as_linear(g, record_masked(g, e, batch, masked), as_parameter_leaf(g, &e->parameters, e->tables[0]),
                   as_parameter_leaf(g, &e->parameters, e->masked_lm_head.bias), true, AS_UNARY_NONE);
}

as_tensor *as_encoder_record_masked_loss(as_graph *g, const as_encoder *e, as_encoder_batch *batch,
                                         const as_masked_tokens *masked, double label_smoothing, double denominator) {
  as_linear_cross_entropy_options o = {
      .scale = 1, .label_smoothing = label_smoothing, .ignore_index = -100, .denominator = denominator};
  return as_linear_cross_entropy(g, record_masked(g, e, batch, masked),
                                 as_parameter_leaf(g, &e->parameters, e->tables[0]),
                                 as_parameter_leaf(g, &e->parameters, e->masked_lm_head.bias), true,
                                 as_input_i32(g, 1, &masked->count, masked->labels), &o);
}
