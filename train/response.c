/* Responses as a training task (train/run.h): data, model, loss, and what is measured on the validation rows. */
#include "train/response.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "data/nearest_reply.h"
#include "eval/replies.h"
#include "models/t5_loss.h"
#include "models/task_file.h"
#include "train/pair_batches.h"
#include "train/pair_data.h"
#include "train/replies.h"

#define BLEU_ROWS 200 /* validation rows that replies are made for, evenly spread */

typedef struct response {
  as_context *ctx;
  const as_recipe *recipe;
  as_pair_data data;
  as_t5 *t5;
  as_pair_batches micro;
  as_task_validation validation;
} response;

/* ---- data and model --------------------------------------------------------------------------------------------- */
static as_status read_data(void *self, as_training_run *run) {
  response *r = self;
  r->recipe = &run->recipe;
  as_status status = as_pair_data_read(&r->data, r->ctx, r->recipe);
  if (status == AS_OK) as_text_data_name_files(&r->data.text, run);
  return status;
}

static as_status make_t5(response *r, const char *folder) {
  const as_recipe *recipe = r->recipe;
  as_t5_options options = {.gradients = true, .seed = (uint64_t)recipe->seed, .dropout = recipe->dropout};
  if (folder) return as_t5_open(r->ctx, folder, &options, &r->t5);
  bool v1_1 = strcmp(recipe->architecture, "t5-v1.1") == 0; /* as_recipe_check has looked */
  as_t5_config config = as_t5_config_preset(as_t5_preset_find(recipe->size),
                                            (int64_t)as_tokenizer_vocab_size(r->data.text.tokenizer), v1_1);
  return as_t5_new(r->ctx, &config, !v1_1, &options, &r->t5);
}

static as_status prepare(void *self, as_training_run *run, const char *checkpoint) {
  response *r = self;
  const as_recipe *recipe = r->recipe;
  const char *folder = checkpoint ? checkpoint : recipe->from, *where = folder ? folder : run->files.out;
  if (!folder) as_run_note(run, "training a vocabulary of %lld", (long long)recipe->vocab_size);
  as_status status = as_pair_data_template(&r->data, recipe, folder);
  if (status == AS_OK) status = as_pair_data_tokenizer(&r->data, recipe, folder);
  if (status == AS_OK) status = as_run_check(run);
  if (status == AS_OK) status = make_t5(r, folder);
  if (status != AS_OK) return status;
  const as_t5_config *config = as_t5_get_config(r->t5);
  status = as_t5_config_check_tokenizer(r->ctx, config, as_tokenizer_vocab_size(r->data.text.tokenizer), where);
  if (status == AS_OK) status = as_pair_data_tokenize(&r->data, recipe, config->eos_token_id, where);
  return status == AS_OK ? as_run_freeze(run, config->num_layers + config->num_decoder_layers) : status;
}

static as_parameters *parameters(void *self) {
  return as_t5_parameters(((response *)self)->t5);
}

/* ---- batches and loss ------------------------------------------------------------------------------------------- */
static const int64_t *rows(void *self, int64_t *count) {
  const as_pair_rows *train = &((response *)self)->data.train;
  *count = train->sources.count;
  return train->offsets;
}

static as_status set_micro_batches(void *self, int64_t count) {
  response *r = self;
  return as_pair_batches_set(&r->micro, r->ctx, count);
}

static void survey(void *self, int64_t epoch, const int64_t *which, int64_t count) {
  response *r = self;
  (void)epoch;
  as_pair_batches_survey(&r->micro, &r->data.train, which, count);
}

static as_status fill_largest(void *self) {
  return as_pair_batches_fill_largest(&((response *)self)->micro);
}

static as_status fill(void *self, int64_t micro, int64_t epoch, const int64_t *which, int64_t count, int64_t *tokens) {
  response *r = self;
  as_t5_batch *batch = &r->micro.list[micro];
  (void)epoch;
  as_status status = as_pair_batch_fill(batch, as_t5_get_config(r->t5), &r->data.train, which, count);
  *tokens = batch->source.tokens + batch->target.tokens;
  return status;
}

static double items(void *self, int64_t micro) {
  return (double)as_t5_batch_label_count(&((response *)self)->micro.list[micro]);
}

static as_tensor *record(void *self, as_graph *g, int64_t micro, double denominator) {
  response *r = self;
  return as_t5_record_loss(g, r->t5, &r->micro.list[micro], r->recipe->label_smoothing, denominator);
}

/* ---- validation ------------------------------------------------------------------------------------------------- */
static int64_t valid_rows(void *self) {
  return ((response *)self)->data.valid.sources.count;
}

/* The validation rows that replies are made for: their sources, what was expected, and where they stand in the file. */
typedef struct sample {
  as_context *ctx;
  as_token_rows sources;
  as_string_view *references, *answers; /* [count]; answers of a baseline */
  int64_t *rows;                        /* [count] of the table */
  int64_t count;
} sample;

static void sample_free(sample *s) {
  as_token_rows_free(&s->sources);
  as_free(s->ctx, s->references);
  as_free(s->ctx, s->answers);
  as_free(s->ctx, s->rows);
}

static as_status sample_init(sample *s, const response *r) {
  const as_pair_data *d = &r->data;
  const as_token_rows *all = &d->valid.sources;
  const as_messages *table = as_pair_data_valid_table(d);
  *s = (sample){.ctx = r->ctx, .count = all->count < BLEU_ROWS ? all->count : BLEU_ROWS};
  as_token_rows_init(&s->sources, r->ctx);
  s->references = as_alloc(r->ctx, (size_t)s->count, sizeof *s->references);
  s->answers = as_alloc(r->ctx, (size_t)s->count, sizeof *s->answers);
  s->rows = as_alloc(r->ctx, (size_t)s->count, sizeof *s->rows);
  as_status status = s->references && s->answers && s->rows ? AS_OK : AS_E_NOMEM;
  for (int64_t i = 0; status == AS_OK && i < s->count; i++) {
    int64_t pair = i * all->count / s->count;
    s->rows[i] = d->valid_rows[pair];
    s->references[i] = as_string_view_of(as_messages_value(table, AS_PAIR_RESPONSE, s->rows[i]));
    status =
        as_token_rows_add(&s->sources, all->ids + all->offsets[pair], as_token_rows_length(all, pair), -100, false);
  }
  return status;
}

static as_status measure_model(const response *r, const as_training_run *run, const sample *s, double *bleu) {
  as_reply_list replies;
  as_status status =
      as_replies_generate(r->ctx, r->t5, r->data.text.tokenizer, &s->sources, r->recipe->max_target_length,
                          run->listener->interrupted, run->listener->user, &replies);
  if (status == AS_OK) status = as_replies_bleu(r->ctx, replies.texts, s->references, s->count, bleu);
  as_reply_list_free(&replies);
  return status;
}

static as_status measure_replies(const response *r, const as_training_run *run, double *bleu) {
  sample s;
  as_status status = sample_init(&s, r);
  if (status == AS_OK) status = measure_model(r, run, &s, bleu);
  sample_free(&s);
  return status;
}

static as_status measure(void *self, as_training_run *run, as_training_epoch *epoch, double *watched) {
  response *r = self;
  as_t5_loss_options options = {.interrupted = run->listener->interrupted, .user = run->listener->user};
  double sum, bleu = 0;
  int64_t tokens;
  bool wants_bleu = r->recipe->metric == AS_METRIC_BLEU;
  as_status status = as_t5_loss(r->ctx, r->t5, &r->data.valid, &options, &sum, &tokens);
  if (status == AS_OK && !isfinite(sum))
    status = as_fail(r->ctx, AS_E_DIVERGED,
                     "step %lld: after it the loss of the validation rows is no number; a lower learning rate may help",
                     (long long)run->position.step);
  if (status == AS_OK && wants_bleu) status = measure_replies(r, run, &bleu);
  if (status != AS_OK) return status;
  epoch->valid_loss = sum / (double)tokens;
  epoch->metrics[epoch->metric_count++] =
      (as_training_metric){"perplexity", "perplexity", exp(epoch->valid_loss), false};
  if (wants_bleu) epoch->metrics[epoch->metric_count++] = (as_training_metric){"bleu", "BLEU", bleu, false};
  *watched = wants_bleu ? bleu : -epoch->valid_loss;
  return AS_OK;
}

/* ---- the end of a run ------------------------------------------------------------------------------------------- */
static as_status measure_baselines(response *r, const as_nearest_reply *nearest, const sample *s) {
  const as_messages *table = as_pair_data_valid_table(&r->data);
  const char *commonest = NULL;
  as_status status = as_nearest_reply_commonest(nearest, &commonest);
  for (int64_t i = 0; status == AS_OK && i < s->count; i++) s->answers[i] = as_string_view_of(commonest);
  if (status == AS_OK)
    status = as_replies_bleu(r->ctx, s->answers, s->references, s->count, &r->validation.frequent_bleu);
  for (int64_t i = 0; status == AS_OK && i < s->count; i++) {
    size_t length;
    const char *text = as_messages_text(table, s->rows[i], &length);
    as_nearest_answer answer;
    status =
        as_nearest_reply_find(nearest, text, length, as_messages_value(table, AS_PAIR_INTENT, s->rows[i]), &answer);
    if (status == AS_OK) s->answers[i] = as_string_view_of(answer.reply);
  }
  if (status == AS_OK)
    status = as_replies_bleu(r->ctx, s->answers, s->references, s->count, &r->validation.nearest_bleu);
  return status;
}

static as_status tell_verdict(const response *r, const as_training_run *run) {
  const as_task_validation *v = &r->validation;
  as_buffer text;
  as_buffer_init(&text, r->ctx);
  as_run_note(run, "replies to %lld validation rows: BLEU %.2f; nearest reply %.2f, one fixed reply %.2f",
              (long long)v->rows, v->bleu, v->nearest_bleu, v->frequent_bleu);
  as_reply_verdict(v->bleu, v->nearest_bleu, v->frequent_bleu, &text);
  as_status status = as_buffer_status(&text);
  if (status == AS_OK && text.length > 0) as_run_note(run, "plainly: %s", as_buffer_string(&text));
  as_buffer_free(&text);
  return status;
}

static as_status measure_all(response *r, as_training_run *run, const as_nearest_reply *nearest) {
  sample s;
  as_run_note(run, "answering validation rows");
  as_status status = sample_init(&s, r);
  if (status == AS_OK) status = measure_model(r, run, &s, &r->validation.bleu);
  if (status == AS_OK) status = measure_baselines(r, nearest, &s);
  if (status == AS_OK) r->validation.rows = s.count;
  sample_free(&s);
  return status == AS_OK ? tell_verdict(r, run) : status;
}

/* The stored replies are those of the training rows: what is measured against them was not seen. */
static as_status conclude(void *self, as_training_run *run) {
  response *r = self;
  const as_messages *table = r->data.text.train;
  int intent = as_messages_column_present(table, AS_PAIR_INTENT) ? AS_PAIR_INTENT : -1;
  as_nearest_reply *nearest = NULL;
  as_status status = as_nearest_reply_build(r->ctx, table, AS_PAIR_RESPONSE, intent, r->data.train_rows,
                                            r->data.train.sources.count, &nearest);
  if (status == AS_OK && valid_rows(r) > 0) status = measure_all(r, run, nearest);
  if (status == AS_OK) status = as_nearest_reply_save(nearest, run->files.out);
  as_nearest_reply_free(nearest);
  return status;
}

/* The figures of `conclude`. */
static as_status report(void *self, as_json_writer *out) {
  const as_task_validation *v = &((response *)self)->validation;
  as_json_int(out, "rows", v->rows);
  as_json_double(out, "bleu", v->bleu);
  as_json_double(out, "nearest_bleu", v->nearest_bleu);
  as_json_double(out, "frequent_bleu", v->frequent_bleu);
  return AS_OK;
}

/* Seconds to generate `count` tokens for each of the sources. */
static as_status time_replies(const response *r, const as_training_run *run, const as_token_rows *sources,
                              int64_t count, double *seconds) {
  as_reply_list replies;
  const double begun = as_seconds();
  as_status status = as_replies_generate(r->ctx, r->t5, r->data.text.tokenizer, sources, count,
                                         run->listener->interrupted, run->listener->user, &replies);
  as_reply_list_free(&replies);
  *seconds = as_seconds() - begun;
  return status;
}

/* What the replies to validation rows will take, which are as long as those of the training rows: a few tokens are
 * generated for a few of them, and a few more, which tells reading from writing. */
static as_status rehearse(void *self, as_training_run *run, double *concluding, double *measuring) {
  enum { ROWS = 32, FEWER = 2, MORE = 8 };
  response *r = self;
  sample s;
  double fewer = 0, more = 0;
  if (valid_rows(r) == 0) return AS_OK;
  as_status status = sample_init(&s, r);
  as_token_rows first = s.sources;
  if (first.count > ROWS) first.count = ROWS;
  if (status == AS_OK) status = time_replies(r, run, &first, FEWER, &fewer);
  if (status == AS_OK) status = time_replies(r, run, &first, MORE, &more);
  const as_token_rows *targets = &r->data.train.targets;
  const double length = (double)targets->offsets[targets->count] / (double)targets->count;
  const double a_token = fmax(more - fewer, 0) / (MORE - FEWER), reading = fmax(fewer - FEWER * a_token, 0);
  *concluding = (reading + length * a_token) * (double)s.count / (double)first.count;
  *measuring = r->recipe->metric == AS_METRIC_BLEU ? *concluding : 0;
  sample_free(&s);
  return status;
}

/* ---- the rest --------------------------------------------------------------------------------------------------- */
static as_status summarize(void *self, as_training_summary *s) {
  const response *r = self;
  const as_t5_config *config = as_t5_get_config(r->t5);
  as_text_data_summarize(&r->data.text, s);
  s->architecture = config->feed_forward_proj == AS_T5_GATED_GELU ? "t5-v1.1" : "t5";
  s->truncated = r->data.train.sources.truncated;
  s->targets_truncated = r->data.train.targets.truncated;
  s->vocab_size = config->vocab_size;
  return AS_OK;
}

static as_status save(void *self, const char *folder) {
  const response *r = self;
  char task[] = AS_RESPONSE_TASK;
  as_task_file file = {.task = task, .input_template = r->data.input_template, .validation = r->validation};
  as_status status = as_tokenizer_save(r->data.text.tokenizer, folder, 0);
  if (status == AS_OK) status = as_task_file_write(r->ctx, folder, &file);
  return status == AS_OK ? as_t5_save(r->t5, folder) : status;
}

static as_status reload(void *self, const char *folder) {
  response *r = self;
  as_t5_options options = {.dropout = -1};
  as_t5 *best;
  as_status status = as_t5_open(r->ctx, folder, &options, &best);
  if (status != AS_OK) return status;
  as_t5_free(r->t5);
  r->t5 = best;
  return AS_OK;
}

static int64_t line(void *self, int64_t row) {
  const as_pair_data *d = &((response *)self)->data;
  return (int64_t)as_messages_line(d->text.train, d->train_rows[row]);
}

static void release(void *self) {
  response *r = self;
  as_pair_batches_free(&r->micro);
  as_t5_free(r->t5);
  as_pair_data_free(&r->data);
}

static const as_training_task task = {.kind = AS_TRAIN_RESPONSE,
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
                                      .conclude = conclude,
                                      .report = report,
                                      .rehearse = rehearse,
                                      .summarize = summarize,
                                      .save = save,
                                      .reload = reload,
                                      .line = line,
                                      .release = release};

/* ---- recipes ---------------------------------------------------------------------------------------------------- */
/* A decoder from nothing wants many looks at the data; a pretrained T5 is tuned at 3e-4 (transformers' advice). */
as_recipe as_response_preset(const char *size) {
  static const as_size_recipe presets[] = {{"tiny", 20, 3e-3}, {"mini", 15, 1e-3}, {"small", 10, 1e-3}, {"base", 10, 5e-4}};
  as_recipe recipe = as_recipe_preset(size);
  recipe.metric = AS_METRIC_LOSS;
  recipe.batch_rows = 16;
  recipe.lr = 3e-4;
  as_recipe_set_size(&recipe, size, presets, sizeof presets / sizeof presets[0]);
  return recipe;
}

/* A recipe's texts are not constant. */
typedef struct texts {
  char architecture[8], name[sizeof AS_RESPONSE_TASK];
} texts;
static const texts usual_texts = {"t5", AS_RESPONSE_TASK};

/* What the recipe leaves open; its texts stay the caller's. */
static as_status fill_recipe(as_context *ctx, const as_recipe *recipe, texts *own, as_recipe *filled) {
  *filled = *recipe;
  if (recipe->label_column)
    return as_fail(ctx, AS_E_INVALID, "a response model learns replies: a label column has no use");
  filled->task = own->name;
  if (!filled->architecture && !filled->from) filled->architecture = own->architecture;
  return AS_OK;
}

as_status as_response_train(as_context *ctx, const as_recipe *recipe, const char *out, bool overwrite,
                            const as_training_listener *listener, as_training_result *result) {
  texts own = usual_texts;
  response self = {.ctx = ctx};
  as_recipe filled;
  as_status status = fill_recipe(ctx, recipe, &own, &filled);
  if (status != AS_OK) return status;
  return as_run_train(ctx, &task, &self, &filled, out, overwrite, listener, result);
}

as_status as_response_estimate(as_context *ctx, const as_recipe *recipe, const as_training_listener *listener,
                               as_training_estimate *estimate) {
  texts own = usual_texts;
  response self = {.ctx = ctx};
  as_recipe filled;
  as_status status = fill_recipe(ctx, recipe, &own, &filled);
  if (status != AS_OK) return status;
  return as_run_estimate(ctx, &task, &self, &filled, listener, estimate);
}

as_status as_response_resume(as_context *ctx, const char *out, const as_training_listener *listener,
                             as_training_result *result) {
  response self = {.ctx = ctx};
  return as_run_resume(ctx, &task, &self, out, listener, result);
}
