/* See responder.h. */
#include "infer/responder.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/nearest_reply.h"
#include "infer/model_recipe.h"
#include "infer/reply_stream.h"
#include "infer/stop_strings.h"
#include "models/input_template.h"
#include "models/task_file.h"

#define TASK "response"
#define DEFAULT_LENGTH 128
#define DEFAULT_BATCH 16

struct as_responder {
  as_context *ctx;
  as_reply_mode mode;
  as_task_file task;
  as_t5_config config;
  as_tokenizer *tokenizer;
  as_t5 *t5; /* with its generator: when replies are generated; else NULL */
  as_generator *generator;
  as_nearest_reply *nearest; /* when they are stored ones; else NULL */
  char model[32];
  int64_t max_length, max_target_length;

  /* of an answer */
  as_encoding encoding;
  as_buffer input;
  as_encoder_batch sources;
};

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static const char *template_of(const as_responder *r) {
  return r->task.input_template ? r->task.input_template : AS_INPUT_TEMPLATE_DEFAULT;
}

/* As released models are called. */
static void set_model_name(as_responder *r) {
  const as_t5_config *c = &r->config;
  const char *version = c->feed_forward_proj >= AS_T5_GATED_GELU ? "t5-v1.1" : "t5";
  const as_t5_preset *p = as_t5_presets;
  while (p->name && (p->d_model != c->d_model || p->d_kv != c->d_kv || p->d_ff != c->d_ff ||
                     p->num_heads != c->num_heads || p->num_layers != c->num_layers))
    p++;
  snprintf(r->model, sizeof r->model, "%s%s%s", version, p->name ? "-" : "", p->name ? p->name : "");
}

static as_reply_mode better_mode(const as_responder *r, const char *folder) {
  const as_task_validation *v = &r->task.validation;
  const bool nearest = v->rows > 0 && v->nearest_bleu > v->bleu && as_nearest_reply_in(r->ctx, folder);
  return nearest ? AS_REPLY_NEAREST : AS_REPLY_GENERATE;
}

static as_status open_generator(as_responder *r, const char *folder) {
  as_status status = as_t5_open(r->ctx, folder, &(as_t5_options){.packed = true, .dropout = 0}, &r->t5);
  return status == AS_OK ? as_generator_new(r->ctx, r->t5, &r->generator) : status;
}

as_status as_responder_open(as_context *ctx, const char *folder, as_reply_mode mode, as_responder **out) {
  as_responder *r = as_alloc_zero(ctx, 1, sizeof *r);
  *out = NULL;
  if (!r) return AS_E_NOMEM;
  r->ctx = ctx;
  as_encoding_init(&r->encoding, ctx);
  as_buffer_init(&r->input, ctx);
  as_encoder_batch_init(&r->sources, ctx);
  as_status status = as_task_file_read(ctx, folder, &r->task);
  if (status == AS_OK) status = as_task_file_expect(ctx, folder, &r->task, TASK);
  if (status == AS_OK) status = as_t5_config_read(ctx, folder, &r->config);
  if (status == AS_OK) status = as_tokenizer_open(ctx, folder, &r->tokenizer);
  if (status == AS_OK)
    status = as_t5_config_check_tokenizer(ctx, &r->config, as_tokenizer_vocab_size(r->tokenizer), folder);
  if (status == AS_OK)
    status = as_model_recipe_length(ctx, folder, "max_length", 2, DEFAULT_LENGTH, true, &r->max_length);
  if (status == AS_OK)
    status = as_model_recipe_length(ctx, folder, "max_target_length", 2, DEFAULT_LENGTH, true, &r->max_target_length);
  r->mode = mode == AS_REPLY_AUTO ? better_mode(r, folder) : mode;
  if (status == AS_OK)
    status = r->mode == AS_REPLY_NEAREST ? as_nearest_reply_open(ctx, folder, &r->nearest) : open_generator(r, folder);
  if (status == AS_OK) {
    set_model_name(r);
    *out = r;
  } else {
    as_responder_close(r);
  }
  return status;
}

void as_responder_close(as_responder *r) {
  if (!r) return;
  as_generator_free(r->generator);
  as_t5_free(r->t5);
  as_nearest_reply_free(r->nearest);
  as_tokenizer_free(r->tokenizer);
  as_t5_config_free(&r->config);
  as_task_file_free(r->ctx, &r->task);
  as_encoding_free(&r->encoding);
  as_buffer_free(&r->input);
  as_encoder_batch_free(&r->sources);
  as_free(r->ctx, r);
}

as_reply_mode as_responder_mode(const as_responder *r) {
  return r->mode;
}
const char *as_responder_model(const as_responder *r) {
  return r->model;
}

bool as_responder_reads_intent(const as_responder *r) {
  return r->mode == AS_REPLY_NEAREST || strstr(template_of(r), "{intent}");
}

bool as_responder_reads_sentiment(const as_responder *r) {
  return r->mode == AS_REPLY_GENERATE && strstr(template_of(r), "{sentiment}");
}

as_respond_options as_responder_defaults(const as_responder *r) {
  as_respond_options o = {.generate = as_generate_default(), .max_length = r->max_length, .batch = DEFAULT_BATCH};
  o.generate.max_new_tokens = r->max_target_length;
  return o;
}

/* ---- results ---------------------------------------------------------------------------------------------------- */

void as_responses_free(as_responses *out) {
  if (!out->ctx) return;
  as_free(out->ctx, out->list);
  as_free(out->ctx, out->input_lengths);
  as_free(out->ctx, out->truncated);
  as_free(out->ctx, out->texts);
  *out = (as_responses){0};
}

static as_status begin_responses(as_responses *out, int64_t count) {
  out->messages = count;
  out->list = as_alloc_zero(out->ctx, (size_t)count, (size_t)out->each * sizeof *out->list);
  out->input_lengths = as_alloc_zero(out->ctx, (size_t)count, sizeof *out->input_lengths);
  out->truncated = as_alloc_zero(out->ctx, (size_t)count, sizeof *out->truncated);
  return out->list && out->input_lengths && out->truncated ? AS_OK : AS_E_NOMEM;
}

/* The texts, each ended by a NUL, are all there: says where each is. */
static as_status end_responses(as_responses *out, as_buffer *texts) {
  out->texts = as_buffer_take(texts);
  const char *at = out->texts;
  for (int64_t i = 0; at && i < out->messages * out->each; i++) {
    out->list[i].text = at;
    at += out->list[i].length + 1;
  }
  return out->texts ? AS_OK : AS_E_NOMEM;
}

static as_status count_tokens(as_responder *r, const char *text, size_t length, int64_t *tokens) {
  const as_encode_options options = {0};
  as_status status = as_tokenizer_encode(r->tokenizer, text, length, NULL, 0, &options, &r->encoding);
  *tokens = (int64_t)r->encoding.length;
  return status;
}

/* ---- stored replies --------------------------------------------------------------------------------------------- */

static as_status answer_stored(as_responder *r, const as_customer_message *messages, const as_respond_options *o,
                               as_responses *out, as_buffer *texts) {
  as_status status = AS_OK;
  for (int64_t i = 0; status == AS_OK && i < out->messages; i++) {
    const as_customer_message *m = &messages[i];
    as_response *reply = &out->list[i];
    as_nearest_answer nearest;
    status = as_nearest_reply_find(r->nearest, m->text, m->length, m->intent, &nearest);
    if (status != AS_OK) break;
    reply->length = strlen(nearest.reply);
    reply->similarity = nearest.similarity;
    as_buffer_append(texts, nearest.reply, reply->length + 1);
    status = count_tokens(r, nearest.reply, reply->length, &reply->output_length);
    if (status == AS_OK && o->on_text && i == 0) o->on_text(o->user, nearest.reply, reply->length);
  }
  return status;
}

/* ---- generated ones --------------------------------------------------------------------------------------------- */

/* What the generator calls back for. */
typedef struct generating {
  const as_respond_options *options;
  as_stop_strings stop;
  as_reply_stream *stream; /* while the first message's batch is generated for somebody who waits; else NULL */
} generating;

static bool stops(void *user, const int32_t *ids, int64_t count) {
  generating *g = user;
  return as_stop_strings_met(&g->stop, ids, count);
}

static void take_token(void *user, int64_t sequence, int32_t token) {
  generating *g = user;
  if (g->stream && sequence == 0) as_reply_stream_put(g->stream, token);
}

static bool interrupted(void *user) {
  const generating *g = user;
  return g->options->interrupted && g->options->interrupted(g->options->user);
}

static as_status add_source(as_responder *r, const as_customer_message *m, int64_t max_length, bool *truncated) {
  const as_input_values values = {m->text, m->length, m->intent, m->sentiment};
  const as_encode_options options = {.max_length = (size_t)max_length};
  as_buffer_clear(&r->input);
  as_input_template_render(template_of(r), &values, &r->input);
  as_status status = as_buffer_status(&r->input);
  if (status == AS_OK)
    status = as_tokenizer_encode(r->tokenizer, as_buffer_string(&r->input), r->input.length, NULL, 0, &options,
                                 &r->encoding);
  if (status == AS_OK && r->encoding.length == 0)
    status = as_fail(r->ctx, AS_E_MODEL, "the tokenizer made no token of a message; it does not end texts with </s>");
  *truncated = r->encoding.cut > 0;
  return status == AS_OK ? as_encoder_batch_add(&r->sources, r->encoding.ids, (int64_t)r->encoding.length, -100)
                         : status;
}

/* Appends the text of sequence `index`, as far as the first stop string. */
static as_status add_text(as_responder *r, const generating *g, const as_generations *made, int64_t index,
                          as_response *reply, as_buffer *texts) {
  const int64_t begin = made->offsets[index], count = made->offsets[index + 1] - begin;
  const size_t before = texts->length;
  int64_t *ids = as_alloc(r->ctx, (size_t)count, sizeof *ids);
  if (!ids) return AS_E_NOMEM;
  for (int64_t i = 0; i < count; i++) ids[i] = made->ids[begin + i];
  as_status status = as_tokenizer_decode(r->tokenizer, ids, (size_t)count, true, texts);
  as_free(r->ctx, ids);
  if (status != AS_OK) return status;
  reply->length = as_stop_strings_cut(&g->stop, texts->data + before, texts->length - before);
  reply->output_length = count;
  reply->reason = made->reasons[index];
  reply->score = made->scores[index];
  texts->length = before + reply->length;
  as_buffer_char(texts, '\0');
  return as_buffer_status(texts);
}

/* Generates for the messages [first, first + count). */
static as_status answer_batch(as_responder *r, generating *g, const as_customer_message *messages, int64_t first,
                              int64_t count, as_responses *out, as_buffer *texts) {
  as_generations made = {0};
  as_generate_options o = g->options->generate;
  as_status status = AS_OK;
  o.stops = g->stop.count ? stops : NULL;
  o.on_token = take_token;
  o.interrupted = interrupted;
  o.user = g;
  o.first_sequence += (uint64_t)(first * out->each);
  as_encoder_batch_clear(&r->sources);
  for (int64_t i = first; status == AS_OK && i < first + count; i++)
    status = add_source(r, &messages[i], g->options->max_length, &out->truncated[i]);
  if (status == AS_OK) status = as_generate(r->generator, &r->sources, &o, &made);
  if (status == AS_OK) status = g->stop.status;
  for (int64_t i = 0; status == AS_OK && i < count * out->each; i++)
    status = add_text(r, g, &made, i, &out->list[first * out->each + i], texts);
  as_generations_free(&made);
  return status;
}

static as_status answer_generated(as_responder *r, const as_customer_message *messages, const as_respond_options *o,
                                  as_responses *out, as_buffer *texts) {
  generating g = {.options = o};
  as_reply_stream stream;
  as_reply_stream_init(&stream, r->ctx, r->tokenizer, &g.stop, o->on_text, o->user);
  as_status status = as_stop_strings_init(&g.stop, r->ctx, r->tokenizer, o->stop_strings, o->stop_count);
  for (int64_t first = 0, step; status == AS_OK && first < out->messages; first += step) {
    step = out->messages - first < o->batch ? out->messages - first : o->batch;
    g.stream = first == 0 && o->on_text ? &stream : NULL;
    status = answer_batch(r, &g, messages, first, step, out, texts);
    if (status == AS_OK && g.stream) status = as_reply_stream_end(&stream);
  }
  as_reply_stream_free(&stream);
  as_stop_strings_free(&g.stop);
  return status;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static as_status check_options(const as_responder *r, const as_respond_options *o) {
  if (o->max_length < 2 || o->batch < 1)
    return as_fail(r->ctx, AS_E_INVALID, "max_length %lld and batch %lld: at least 2 and 1 are needed",
                   (long long)o->max_length, (long long)o->batch);
  if (o->on_text && r->mode == AS_REPLY_GENERATE && o->generate.num_beams > 1)
    return as_fail(r->ctx, AS_E_INVALID, "with num_beams %lld a reply is only known at its end, so there are no pieces",
                   (long long)o->generate.num_beams);
  return AS_OK;
}

as_status as_responder_answer(as_responder *r, const as_customer_message *messages, int64_t count,
                              const as_respond_options *options, as_responses *out) {
  as_buffer texts;
  as_buffer_init(&texts, r->ctx);
  *out = (as_responses){.ctx = r->ctx, .each = r->nearest ? 1 : options->generate.num_return_sequences};
  as_status status = check_options(r, options);
  if (status != AS_OK || count < 1) return status;
  if (out->each < 1) out->each = 1; /* which the generator refuses */
  status = begin_responses(out, count);
  for (int64_t i = 0; status == AS_OK && i < count; i++)
    status = count_tokens(r, messages[i].text, messages[i].length, &out->input_lengths[i]);
  if (status == AS_OK) status = (r->nearest ? answer_stored : answer_generated)(r, messages, options, out, &texts);
  if (status == AS_OK) status = end_responses(out, &texts);
  as_buffer_free(&texts);
  return status;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static const char *reason_of(const as_responder *r, const as_response *reply) {
  static const char *const reasons[] = {
      [AS_FINISH_EOS] = "eos", [AS_FINISH_LENGTH] = "length", [AS_FINISH_STOP] = "stop"};
  return r->nearest ? "stored" : reasons[reply->reason];
}

static void write_alternative(as_json_writer *w, const as_responder *r, const as_response *reply) {
  as_json_open_object(w, NULL);
  as_json_string_n(w, "response", reply->text, reply->length);
  as_json_int(w, "output_length", reply->output_length);
  as_json_string(w, "finish_reason", reason_of(r, reply));
  as_json_double(w, "score", reply->score);
  as_json_close_object(w);
}

void as_response_write(as_json_writer *w, const as_responder *r, const as_responses *responses, int64_t index) {
  const as_response *reply = &responses->list[index * responses->each];
  as_json_string_n(w, "response", reply->text, reply->length);
  as_json_string(w, "model", r->model);
  as_json_int(w, "input_length", responses->input_lengths[index]);
  as_json_int(w, "output_length", reply->output_length);
  as_json_string(w, "finish_reason", reason_of(r, reply));
  as_json_bool(w, "truncated", responses->truncated[index]);
  as_json_string(w, "source", r->nearest ? "nearest" : "generate");
  if (r->nearest)
    as_json_double(w, "similarity", reply->similarity);
  else
    as_json_double(w, "score", reply->score);
  if (responses->each == 1) return;
  as_json_open_array(w, "alternatives");
  for (int64_t i = 1; i < responses->each; i++) write_alternative(w, r, &reply[i]);
  as_json_close_array(w);
}
