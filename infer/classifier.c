#include "infer/classifier.h"

#include <pthread.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "eval/classifier_calibration.h"
#include "infer/model_recipe.h"
#include "models/encoder_predict.h"
#include "models/task_file.h"
#include "tokenizer/tokenizer.h"

#define DEFAULT_MAX_LENGTH 128
#define SHORTEST_MAX_LENGTH 3 /* one token between the special ones */

/* What one call works with. */
typedef struct workspace {
  struct workspace *next;
  as_encoder_predictor predictor;
  as_encoding encoding;
  as_token_rows rows;
  float *probabilities;
  size_t probabilities_capacity;
  float *logits; /* for calibrating */
  size_t logits_capacity;
} workspace;

struct as_classifier {
  as_context *ctx;
  as_encoder *encoder;
  as_tokenizer *tokenizer;
  as_task_file task;
  int64_t max_length;
  double temperature;
  pthread_mutex_t lock; /* of the free workspaces and the number of calls */
  workspace *free;
  uint64_t calls;
  pthread_rwlock_t weights; /* asking reads them; packing excludes it */
};

/* ---- workspaces ------------------------------------------------------------------------------------------------- */
static void workspace_free(as_context *ctx, workspace *w) {
  if (w->predictor.graph) as_encoder_predictor_free(&w->predictor);
  as_encoding_free(&w->encoding);
  as_token_rows_free(&w->rows);
  as_free(ctx, w->probabilities);
  as_free(ctx, w->logits);
  as_free(ctx, w);
}

static workspace *workspace_take(as_classifier *c) {
  pthread_mutex_lock(&c->lock);
  workspace *w = c->free;
  if (w) c->free = w->next;
  pthread_mutex_unlock(&c->lock);
  if (w) return w;
  w = as_alloc_zero(c->ctx, 1, sizeof *w);
  if (!w) return NULL;
  as_encoding_init(&w->encoding, c->ctx);
  as_token_rows_init(&w->rows, c->ctx);
  if (as_encoder_predictor_init(&w->predictor, c->ctx, c->encoder) == AS_OK) return w;
  workspace_free(c->ctx, w);
  return NULL;
}

static void workspace_give(as_classifier *c, workspace *w) {
  pthread_mutex_lock(&c->lock);
  w->next = c->free;
  c->free = w;
  pthread_mutex_unlock(&c->lock);
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */
/* The max_length that the model was trained with. */
static as_status read_max_length(as_classifier *c, const char *folder) {
  as_status status = as_model_recipe_length(c->ctx, folder, "max_length", SHORTEST_MAX_LENGTH, DEFAULT_MAX_LENGTH, false,
                                            &c->max_length);
  if (status == AS_OK) as_classifier_set_max_length(c, c->max_length);
  return status;
}

static bool is_temperature(double temperature) {
  return temperature >= AS_TEMPERATURE_LEAST && temperature <= AS_TEMPERATURE_MOST;
}

static as_status take_temperature(as_classifier *c, const char *folder) {
  c->temperature = c->task.temperature > 0 ? c->task.temperature : 1;
  if (is_temperature(c->temperature)) return AS_OK;
  return as_fail(c->ctx, AS_E_MODEL, "%s/%s: calibration.temperature is %g, but must be from %g to %g", folder,
                 AS_TASK_FILE_NAME, c->temperature, AS_TEMPERATURE_LEAST, AS_TEMPERATURE_MOST);
}

as_status as_classifier_open(as_context *ctx, const char *folder, const as_classification_task *task,
                             as_classifier **out) {
  as_encoder_options options = {.borrow = true, .dropout = -1};
  *out = NULL;
  as_classifier *c = as_alloc_zero(ctx, 1, sizeof *c);
  if (!c) return AS_E_NOMEM;
  c->ctx = ctx;
  pthread_mutex_init(&c->lock, NULL);
  pthread_rwlock_init(&c->weights, NULL);
  as_status status = as_task_file_read(ctx, folder, &c->task);
  if (status == AS_OK) status = as_task_file_expect(ctx, folder, &c->task, task ? task->name : NULL);
  if (status == AS_OK) status = take_temperature(c, folder);
  if (status == AS_OK) status = as_encoder_open(ctx, folder, &options, &c->encoder);
  if (status == AS_OK) status = as_tokenizer_open(ctx, folder, &c->tokenizer);
  if (status == AS_OK)
    status = as_encoder_check_tokenizer(c->encoder, as_tokenizer_vocab_size(c->tokenizer),
                                        as_tokenizer_added(c->tokenizer, false), folder);
  if (status == AS_OK) status = read_max_length(c, folder);
  if (status != AS_OK) {
    as_classifier_close(c);
    return status;
  }
  *out = c;
  return AS_OK;
}

void as_classifier_close(as_classifier *c) {
  if (!c) return;
  for (workspace *w = c->free, *next; w; w = next) {
    next = w->next;
    workspace_free(c->ctx, w);
  }
  pthread_mutex_destroy(&c->lock);
  pthread_rwlock_destroy(&c->weights);
  as_task_file_free(c->ctx, &c->task);
  as_tokenizer_free(c->tokenizer);
  as_encoder_free(c->encoder);
  as_free(c->ctx, c);
}

/* What of the recipe the use of the model needs. */
static as_status write_max_length(const as_classifier *c, const char *folder) {
  char *path = as_path_join(c->ctx, folder, AS_MODEL_RECIPE_FILE);
  as_buffer out;
  as_buffer_init(&out, c->ctx);
  as_json_writer writer = as_json_writer_start(&out, 2);
  as_json_open_object(&writer, NULL);
  as_json_int(&writer, "max_length", c->max_length);
  as_json_close_object(&writer);
  as_buffer_char(&out, '\n');
  as_status status = path ? as_buffer_status(&out) : AS_E_NOMEM;
  if (status == AS_OK) status = as_file_write(c->ctx, path, out.data, out.length);
  as_buffer_free(&out);
  as_free(c->ctx, path);
  return status;
}

as_status as_classifier_save(const as_classifier *c, const char *folder) {
  as_status status = as_make_folders(c->ctx, folder);
  if (status == AS_OK)
    status = as_tokenizer_save(c->tokenizer, folder, (size_t)as_encoder_describe(c->encoder)->max_tokens);
  if (status == AS_OK) status = write_max_length(c, folder);
  if (status == AS_OK) status = as_task_file_write(c->ctx, folder, &c->task);
  return status == AS_OK ? as_encoder_save(c->encoder, folder) : status;
}

double as_classifier_temperature(const as_classifier *c) {
  return c->temperature;
}

as_status as_classifier_set_temperature(as_classifier *c, double temperature) {
  if (!is_temperature(temperature))
    return as_fail(c->ctx, AS_E_INVALID, "a temperature of %g: it must be from %g to %g", temperature,
                   AS_TEMPERATURE_LEAST, AS_TEMPERATURE_MOST);
  c->temperature = temperature;
  return AS_OK;
}

as_context *as_classifier_context(const as_classifier *c) {
  return c->ctx;
}
const as_labels *as_classifier_labels(const as_classifier *c) {
  return as_encoder_labels(c->encoder);
}
int64_t as_classifier_max_length(const as_classifier *c) {
  return c->max_length;
}

void as_classifier_set_max_length(as_classifier *c, int64_t tokens) {
  int64_t least = (int64_t)as_tokenizer_added(c->tokenizer, false) + 1;
  int64_t most = as_encoder_describe(c->encoder)->max_tokens; /* not below: as_encoder_check_tokenizer */
  c->max_length = tokens < least ? least : tokens > most ? most : tokens;
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */
static int64_t count_of(const int32_t *ids, size_t length, int32_t id) {
  int64_t count = 0;
  for (size_t i = 0; i < length; i++) count += ids[i] == id;
  return count;
}

static as_status tokenize(const as_classifier *c, workspace *w, const as_text *texts, int64_t count,
                          as_prediction *predictions) {
  as_encode_options options = {.max_length = (size_t)c->max_length};
  const int32_t unknown = as_tokenizer_special(c->tokenizer, AS_TOKEN_UNK);
  as_token_rows_clear(&w->rows);
  for (int64_t i = 0; i < count; i++) {
    as_status status =
        as_tokenizer_encode(c->tokenizer, texts[i].text, texts[i].length, NULL, 0, &options, &w->encoding);
    if (status == AS_OK && w->encoding.length == 0)
      status = as_fail(c->ctx, AS_E_MODEL, "the tokenizer made no token of a text; its post-processor adds none");
    if (status == AS_OK)
      status = as_token_rows_add(&w->rows, w->encoding.ids, (int64_t)w->encoding.length, -100, w->encoding.cut > 0);
    if (status != AS_OK) return status;
    predictions[i].tokens = (int64_t)w->encoding.length;
    predictions[i].unknown = count_of(w->encoding.ids, w->encoding.length, unknown);
    predictions[i].truncated = w->encoding.cut > 0;
  }
  return AS_OK;
}

static void take_answer(const float *probabilities, int64_t classes, int32_t label, as_prediction *p) {
  p->label = label;
  p->confidence = probabilities[p->label];
  p->margin = as_probability_margin(probabilities, classes);
  if (p->probabilities) memcpy(p->probabilities, probabilities, (size_t)classes * sizeof *probabilities);
}

static float *make_room(as_classifier *c, float **room, size_t *capacity, int64_t count) {
  float *grown = as_grow(c->ctx, *room, capacity, (size_t)count, sizeof *grown);
  if (grown) *room = grown;
  return grown;
}

static as_status predict_in(as_classifier *c, workspace *w, const as_text *texts, int64_t count,
                            as_prediction *predictions, float *logits) {
  const int64_t classes = (int64_t)as_classifier_labels(c)->count;
  const bool calibrates = c->temperature < 1 || c->temperature > 1;
  float *room = make_room(c, &w->probabilities, &w->probabilities_capacity, count * classes);
  if (calibrates && !logits) logits = make_room(c, &w->logits, &w->logits_capacity, count * classes);
  if (!room || (calibrates && !logits)) return AS_E_NOMEM;
  const as_encoder_predict_options options = {.logits = logits};
  as_status status = tokenize(c, w, texts, count, predictions);
  if (status == AS_OK) status = as_encoder_predict(&w->predictor, &w->rows, &options, room);
  for (int64_t i = 0; status == AS_OK && i < count; i++) {
    float *row = room + i * classes;
    const int32_t label = calibrates ? as_calibrate_row(logits + i * classes, classes, c->temperature, row)
                                     : as_argmax_float(row, classes);
    take_answer(row, classes, label, &predictions[i]);
  }
  return status;
}

/* The first call answers as soon as it can; who asks a second time will ask again, so that is when packing pays. */
static as_status pack_at_second_call(as_classifier *c) {
  pthread_mutex_lock(&c->lock);
  bool second = ++c->calls == 2;
  pthread_mutex_unlock(&c->lock);
  if (!second) return AS_OK;
  pthread_rwlock_wrlock(&c->weights);
  as_status status = as_encoder_pack(c->encoder);
  pthread_rwlock_unlock(&c->weights);
  return status;
}

as_status as_classifier_predict_logits(as_classifier *c, const as_text *texts, int64_t count,
                                       as_prediction *predictions, float *logits) {
  if (count < 1) return AS_OK;
  as_status status = pack_at_second_call(c);
  workspace *w = status == AS_OK ? workspace_take(c) : NULL;
  if (!w) return AS_E_NOMEM;
  pthread_rwlock_rdlock(&c->weights);
  status = predict_in(c, w, texts, count, predictions, logits);
  pthread_rwlock_unlock(&c->weights);
  workspace_give(c, w);
  return status;
}

as_status as_classifier_predict(as_classifier *c, const as_text *texts, int64_t count, as_prediction *predictions) {
  return as_classifier_predict_logits(c, texts, count, predictions, NULL);
}

as_status as_classifier_predict_each(as_classifier *c, const char *const *texts, int64_t count, float *probabilities,
                                     void (*take)(void *user, int64_t i, const char *label,
                                                  const as_prediction *prediction),
                                     void *user) {
  const as_labels *labels = as_classifier_labels(c);
  if (count < 0) return as_fail(c->ctx, AS_E_INVALID, "predict_batch: %lld texts", (long long)count);
  for (int64_t i = 0; i < count; i++)
    if (!texts[i]) return as_fail(c->ctx, AS_E_INVALID, "predict_batch: text %lld is NULL", (long long)i);
  as_text *in = as_alloc(c->ctx, (size_t)count, sizeof *in);
  as_prediction *out = as_alloc(c->ctx, (size_t)count, sizeof *out);
  as_status status = in && out ? AS_OK : AS_E_NOMEM;
  for (int64_t i = 0; status == AS_OK && i < count; i++) {
    in[i] = (as_text){texts[i], strlen(texts[i])};
    out[i].probabilities = probabilities ? probabilities + i * (int64_t)labels->count : NULL;
  }
  if (status == AS_OK) status = as_classifier_predict(c, in, count, out);
  for (int64_t i = 0; status == AS_OK && i < count; i++) take(user, i, labels->names[out[i].label], &out[i]);
  as_free(c->ctx, in);
  as_free(c->ctx, out);
  return status;
}

void as_prediction_write(as_json_writer *writer, const as_classifier *c, const as_classification_task *task,
                         const as_prediction *p, double min_confidence) {
  const as_labels *labels = as_classifier_labels(c);
  as_json_string(writer, task->name, (double)p->confidence < min_confidence ? "unknown" : labels->names[p->label]);
  as_json_float(writer, "confidence", p->confidence);
  for (const as_task_field *field = task->extra; field->name; field++)
    as_json_float(writer, field->name, field->value(p->probabilities, (int64_t)labels->count));
  as_json_open_object(writer, "all_probabilities");
  for (size_t k = 0; k < labels->count; k++) as_json_float(writer, labels->names[k], p->probabilities[k]);
  as_json_close_object(writer);
  as_json_int(writer, "tokens", p->tokens);
  as_json_bool(writer, "truncated", p->truncated);
}
