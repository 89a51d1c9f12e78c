/* Masked language modelling as a training task (train/run.h). The last layer, the head and the output layer are
 * computed for the chosen tokens alone. */
#include "train/pretraining.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "models/encoder.h"
#include "models/task_file.h"
#include "train/masking.h"
#include "train/micro_batches.h"
#include "train/run.h"
#include "train/text_data.h"

#define VALID_TOKENS 2048 /* a batch */

/* The chosen tokens of a batch. */
typedef struct chosen_tokens {
  int32_t *rows, *labels; /* [capacity] */
  int32_t *cu_seqlens;    /* [sequences + 1] how many of them come before each sequence */
  as_masked_tokens tokens;
} chosen_tokens;

typedef struct pretraining {
  as_context *ctx;
  const as_recipe *recipe;
  as_text_data data;
  as_encoder *encoder;
  as_masking masking;
  as_micro_batches micro;
  chosen_tokens *chosen; /* [micro.count] */
  int64_t most_chosen;   /* of the batches surveyed */
  bool validates;        /* there are hidden tokens to measure on; they are the same in all epochs */
  as_graph *graph;       /* of validation */
  as_encoder_batch batch;
  chosen_tokens batch_chosen;
  int64_t *order; /* [valid rows] by length */
} pretraining;

/* ---- chosen tokens ---------------------------------------------------------------------------------------------- */
static as_status chosen_reserve(as_context *ctx, chosen_tokens *c, int64_t sequences, int64_t tokens) {
  c->rows = as_alloc(ctx, (size_t)tokens, sizeof *c->rows);
  c->labels = as_alloc(ctx, (size_t)tokens, sizeof *c->labels);
  c->cu_seqlens = as_alloc_zero(ctx, (size_t)sequences + 1, sizeof *c->cu_seqlens);
  return c->rows && c->labels && c->cu_seqlens ? AS_OK : AS_E_NOMEM;
}

static void chosen_free(as_context *ctx, chosen_tokens *c) {
  as_free(ctx, c->rows);
  as_free(ctx, c->labels);
  as_free(ctx, c->cu_seqlens);
  *c = (chosen_tokens){0};
}

static void finish_chosen(chosen_tokens *c, int64_t sequences) {
  c->tokens = (as_masked_tokens){
      .count = c->cu_seqlens[sequences], .rows = c->rows, .labels = c->labels, .queries = {sequences, c->cu_seqlens}};
}

/* Draws the masks of a batch that holds these rows. */
static void mask_batch(const as_masking *masking, uint32_t epoch, const int64_t *which, as_encoder_batch *batch,
                       chosen_tokens *c) {
  c->cu_seqlens[0] = 0;
  for (int64_t s = 0; s < batch->sequences; s++) {
    int32_t first = batch->cu_seqlens[s], at = c->cu_seqlens[s];
    int64_t count = as_masking_apply(masking, epoch, which[s], batch->ids + first, batch->cu_seqlens[s + 1] - first,
                                     c->rows + at, c->labels + at);
    for (int64_t i = at; i < at + count; i++) c->rows[i] += first;
    c->cu_seqlens[s + 1] = at + (int32_t)count;
  }
  finish_chosen(c, batch->sequences);
}

/* ---- data and model --------------------------------------------------------------------------------------------- */
static as_status read_data(void *self, as_training_run *run) {
  pretraining *p = self;
  p->recipe = &run->recipe;
  as_status status = as_text_data_read(&p->data, p->ctx, p->recipe);
  if (status == AS_OK) as_text_data_name_files(&p->data, run);
  return status;
}

static as_status make_encoder(pretraining *p, const char *checkpoint) {
  const as_recipe *r = p->recipe;
  as_encoder_options options = {
      .gradients = true, .masked_lm = true, .fresh_head = true, .seed = (uint64_t)r->seed, .dropout = r->dropout};
  if (checkpoint || r->from) return as_encoder_open(p->ctx, checkpoint ? checkpoint : r->from, &options, &p->encoder);
  const as_encoder_architecture *architecture = as_encoder_architecture_find(r->architecture);
  return as_encoder_new(p->ctx, architecture, as_encoder_preset_find(architecture, r->size),
                        (int64_t)as_tokenizer_vocab_size(p->data.tokenizer),
                        as_tokenizer_special(p->data.tokenizer, AS_TOKEN_PAD), &options, &p->encoder);
}

/* What validation will need: its rows by length, and memory for the largest of its batches. */
static as_status prepare_validation(pretraining *p, const as_training_run *run) {
  const as_token_rows *valid = &p->data.valid_rows;
  as_encoder_batch_init(&p->batch, p->ctx);
  if (!valid->count) return AS_OK;
  for (int64_t i = 0; i < valid->count && !p->validates; i++)
    p->validates = as_masking_count(&p->masking, AS_MASK_VALIDATION, i, valid->ids + valid->offsets[i],
                                    as_token_rows_length(valid, i)) > 0;
  if (!p->validates) {
    as_run_note(run, "no token of the %lld validation rows is hidden, so nothing is measured on them",
                (long long)valid->count);
    return AS_OK;
  }
  p->graph = as_graph_new(p->ctx, AS_INFER);
  p->order = as_alloc(p->ctx, (size_t)valid->count, sizeof *p->order);
  if (!p->graph || !p->order) return AS_E_NOMEM;
  for (int64_t i = 0; i < valid->count; i++) p->order[i] = i;
  as_status status = as_sort_by_length(p->ctx, valid->offsets, p->order, valid->count);
  int64_t longest = as_token_rows_length(valid, p->order[valid->count - 1]);
  int64_t most = longest > VALID_TOKENS ? longest : VALID_TOKENS; /* no row is empty */
  return status == AS_OK ? chosen_reserve(p->ctx, &p->batch_chosen, most, most) : status;
}

static as_status prepare(void *self, as_training_run *run, const char *checkpoint) {
  pretraining *p = self;
  const as_recipe *r = p->recipe;
  const char *folder = checkpoint ? checkpoint : r->from;
  if (!folder) as_run_note(run, "training a vocabulary of %lld", (long long)r->vocab_size);
  as_status status = as_text_data_tokenizer(&p->data, r, folder);
  if (status == AS_OK) status = make_encoder(p, checkpoint);
  if (status == AS_OK)
    status = as_text_data_check_tokenizer(&p->data, p->encoder, r->from ? r->from : run->files.out);
  if (status == AS_OK)
    status =
        as_masking_init(&p->masking, p->ctx, p->data.tokenizer, (uint64_t)r->seed, r->from ? r->from : run->files.out);
  if (status == AS_OK) status = as_run_check(run);
  if (status == AS_OK) status = as_text_data_tokenize(&p->data, r, NULL, as_encoder_describe(p->encoder)->max_tokens);
  if (status == AS_OK) status = as_run_freeze(run, as_encoder_describe(p->encoder)->layers);
  return status == AS_OK ? prepare_validation(p, run) : status;
}

static as_parameters *parameters(void *self) {
  return as_encoder_parameters(((pretraining *)self)->encoder);
}

/* ---- batches and loss ------------------------------------------------------------------------------------------- */
static const int64_t *rows(void *self, int64_t *count) {
  const as_token_rows *train = &((pretraining *)self)->data.train_rows;
  *count = train->count;
  return train->offsets;
}

static void free_chosen(pretraining *p) {
  for (int64_t i = 0; p->chosen && i < p->micro.count; i++) chosen_free(p->ctx, &p->chosen[i]);
  as_free(p->ctx, p->chosen);
  p->chosen = NULL;
}

static as_status set_micro_batches(void *self, int64_t count) {
  pretraining *p = self;
  free_chosen(p);
  p->most_chosen = 0;
  as_status status = as_micro_batches_set(&p->micro, p->ctx, count);
  if (status != AS_OK) return status;
  p->chosen = as_alloc_zero(p->ctx, (size_t)count, sizeof *p->chosen);
  return p->chosen ? AS_OK : AS_E_NOMEM;
}

static void survey(void *self, int64_t epoch, const int64_t *which, int64_t count) {
  pretraining *p = self;
  const as_token_rows *train = &p->data.train_rows;
  int64_t chosen = 0;
  as_micro_batches_survey(&p->micro, train, which, count);
  for (int64_t i = 0; i < count; i++)
    chosen += as_masking_count(&p->masking, (uint32_t)epoch, which[i], train->ids + train->offsets[which[i]],
                               as_token_rows_length(train, which[i]));
  if (chosen > p->most_chosen) p->most_chosen = chosen;
}

/* The first tokens are the chosen ones: the longest row comes first, so that the most queries meet the most keys. */
static as_status fill_largest(void *self) {
  pretraining *p = self;
  as_status status = as_micro_batches_fill_largest(&p->micro);
  for (int64_t i = 0; status == AS_OK && i < p->micro.count; i++)
    status = chosen_reserve(p->ctx, &p->chosen[i], p->micro.most_rows, p->micro.most_tokens);
  if (status != AS_OK) return status;
  const as_encoder_batch *batch = &p->micro.list[0];
  chosen_tokens *c = &p->chosen[0];
  for (int64_t i = 0; i < p->most_chosen; i++) {
    c->rows[i] = (int32_t)i;
    c->labels[i] = 0;
  }
  for (int64_t s = 0; s <= batch->sequences; s++)
    c->cu_seqlens[s] = batch->cu_seqlens[s] < p->most_chosen ? batch->cu_seqlens[s] : (int32_t)p->most_chosen;
  finish_chosen(c, batch->sequences);
  return AS_OK;
}

static as_status fill(void *self, int64_t micro, int64_t epoch, const int64_t *which, int64_t count, int64_t *tokens) {
  pretraining *p = self;
  as_encoder_batch *batch = &p->micro.list[micro];
  as_status status = as_encoder_batch_fill(batch, &p->data.train_rows, which, count);
  if (status != AS_OK) return status;
  mask_batch(&p->masking, (uint32_t)epoch, which, batch, &p->chosen[micro]);
  *tokens = batch->tokens;
  return AS_OK;
}

static double items(void *self, int64_t micro) {
  return (double)((pretraining *)self)->chosen[micro].tokens.count;
}

static as_tensor *record(void *self, as_graph *g, int64_t micro, double denominator) {
  pretraining *p = self;
  return as_encoder_record_masked_loss(g, p->encoder, &p->micro.list[micro], &p->chosen[micro].tokens,
                                       p->recipe->label_smoothing, denominator);
}

/* ---- validation ------------------------------------------------------------------------------------------------- */
static int64_t valid_rows(void *self) {
  const pretraining *p = self;
  return p->validates ? p->data.valid_rows.count : 0;
}

/* Adds the losses of the rows order[first .. last) to *loss. */
static as_status measure_batch(pretraining *p, int64_t first, int64_t last, double *loss, int64_t *chosen) {
  as_status status = as_encoder_batch_fill(&p->batch, &p->data.valid_rows, p->order + first, last - first);
  if (status != AS_OK) return status;
  mask_batch(&p->masking, AS_MASK_VALIDATION, p->order + first, &p->batch, &p->batch_chosen);
  as_graph_reset(p->graph);
  as_tensor *mean =
      as_keep(p->graph, as_encoder_record_masked_loss(p->graph, p->encoder, &p->batch, &p->batch_chosen.tokens, 0, 0));
  status = as_graph_plan(p->graph, NULL);
  if (status != AS_OK) return status;
  as_graph_forward(p->graph);
  *loss += (double)*as_tensor_f32(mean) * (double)p->batch_chosen.tokens.count;
  *chosen += p->batch_chosen.tokens.count;
  return AS_OK;
}

/* Longest batches first, so that the memory for all of them is there after the first. */
static as_status measure(void *self, as_training_run *run, as_training_epoch *epoch, double *watched) {
  pretraining *p = self;
  const as_token_rows *valid = &p->data.valid_rows;
  as_status status = AS_OK;
  double loss = 0;
  int64_t chosen = 0;
  for (int64_t last = valid->count, first; status == AS_OK && last > 0; last = first) {
    int64_t tokens = as_token_rows_length(valid, p->order[last - 1]);
    for (first = last - 1; first > 0; first--) {
      tokens += as_token_rows_length(valid, p->order[first - 1]);
      if (tokens > VALID_TOKENS) break;
    }
    status = as_run_check(run);
    if (status == AS_OK) status = measure_batch(p, first, last, &loss, &chosen);
  }
  if (status != AS_OK) return status;
  epoch->valid_loss = loss / (double)chosen; /* there are some: p->validates */
  if (!isfinite(epoch->valid_loss))
    return as_fail(p->ctx, AS_E_DIVERGED,
                   "step %lld: after it the loss of the validation rows is no number; a lower learning rate may help",
                   (long long)run->position.step);
  epoch->metrics[epoch->metric_count++] =
      (as_training_metric){"perplexity", "perplexity", exp(epoch->valid_loss), false};
  *watched = -epoch->valid_loss;
  return AS_OK;
}

/* ---- the rest --------------------------------------------------------------------------------------------------- */
static as_status summarize(void *self, as_training_summary *s) {
  const pretraining *p = self;
  s->architecture = as_encoder_get_architecture(p->encoder)->format->model_type;
  as_text_data_summarize(&p->data, s);
  s->vocab_size = as_encoder_describe(p->encoder)->vocab_size;
  s->head_absent = as_encoder_head_origin(p->encoder) == AS_HEAD_ABSENT;
  return AS_OK;
}

static as_status save(void *self, const char *folder) {
  const pretraining *p = self;
  size_t most = (size_t)as_encoder_describe(p->encoder)->max_tokens;
  as_task_file none = {0}; /* the model is for no task yet, whatever was in the folder before */
  as_status status = as_tokenizer_save(p->data.tokenizer, folder, most);
  if (status == AS_OK) status = as_task_file_write(p->ctx, folder, &none);
  return status == AS_OK ? as_encoder_save(p->encoder, folder) : status;
}

static as_status reload(void *self, const char *folder) {
  pretraining *p = self;
  as_encoder_options options = {.masked_lm = true, .dropout = -1};
  as_encoder *best;
  as_status status = as_encoder_open(p->ctx, folder, &options, &best);
  if (status != AS_OK) return status;
  as_encoder_free(p->encoder);
  p->encoder = best;
  return AS_OK;
}

static int64_t line(void *self, int64_t row) {
  return ((pretraining *)self)->data.train_lines[row];
}

static void release(void *self) {
  pretraining *p = self;
  free_chosen(p);
  chosen_free(p->ctx, &p->batch_chosen);
  as_micro_batches_free(&p->micro);
  as_masking_free(&p->masking);
  as_graph_free(p->graph);
  if (p->batch.ctx) as_encoder_batch_free(&p->batch);
  as_free(p->ctx, p->order);
  as_encoder_free(p->encoder);
  as_text_data_free(&p->data);
}

static const as_training_task task = {.kind = AS_TRAIN_PRETRAINING,
                                      .read = read_data,
                                      .prepare = prepare,
                                      .parameters = parameters,
                                      .rows = rows,
                                      .set_micro_batches = set_micro_batches,
                                      .survey = survey,
                                      .fill_largest = fill_largest,
                                      .fill = fill,
                                      .items = items,
                                      .record = record,
                                      .valid_rows = valid_rows,
                                      .measure = measure,
                                      .summarize = summarize,
                                      .save = save,
                                      .reload = reload,
                                      .line = line,
                                      .release = release};

/* ---- recipes ---------------------------------------------------------------------------------------------------- */
/* Every text gives a little of itself in each epoch, so epochs are many; a pretrained model wants a low rate. */
as_recipe as_pretraining_preset(const char *size) {
  static const as_size_recipe presets[] = {{"tiny", 30, 1e-3}, {"mini", 20, 1e-3}, {"small", 10, 5e-4}, {"base", 10, 2e-4}};
  as_recipe recipe = as_recipe_preset(size);
  recipe.metric = AS_METRIC_LOSS;
  recipe.batch_rows = 0;
  recipe.batch_tokens = 2048;
  as_recipe_set_size(&recipe, size, presets, sizeof presets / sizeof presets[0]);
  return recipe;
}

as_status as_pretrain(as_context *ctx, const as_recipe *recipe, const char *out, bool overwrite,
                      const as_training_listener *listener, as_training_result *result) {
  char architecture[] = "distilbert";
  pretraining self = {.ctx = ctx};
  as_recipe filled = *recipe; /* its texts stay the caller's */
  if (recipe->label_column)
    return as_fail(ctx, AS_E_INVALID, "pretraining reads texts alone: a label column has no use");
  if (!filled.architecture && !filled.from) filled.architecture = architecture;
  return as_run_train(ctx, &task, &self, &filled, out, overwrite, listener, result);
}

as_status as_pretrain_resume(as_context *ctx, const char *out, const as_training_listener *listener,
                             as_training_result *result) {
  pretraining self = {.ctx = ctx};
  return as_run_resume(ctx, &task, &self, out, listener, result);
}
