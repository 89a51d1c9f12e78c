/* See generate.h. */
#include "infer/generate.h"

#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "infer/generation.h"

as_generate_options as_generate_default(void) {
  return (as_generate_options){.max_new_tokens = 128, .num_beams = 1, .num_return_sequences = 1, .length_penalty = 1,
                               .repetition_penalty = 1, .temperature = 1, .top_k = 50, .top_p = 1};
}

/* ---- generators ------------------------------------------------------------------------------------------------- */

as_status as_generator_new(as_context *ctx, const as_t5 *t5, as_generator **out) {
  as_generator *g = *out = as_alloc_zero(ctx, 1, sizeof *g);
  if (!g) return AS_E_NOMEM;
  g->ctx = ctx;
  g->t5 = t5;
  as_status status = as_kernels_select(ctx, &g->kernels);
  if (status == AS_OK) status = as_t5_decoder_new(ctx, t5, &g->decoder);
  if (status != AS_OK) {
    as_generator_free(g);
    *out = NULL;
  }
  return status;
}

void as_generator_free(as_generator *g) {
  if (!g) return;
  as_t5_decoder_free(g->decoder);
  as_free(g->ctx, g);
}

/* ---- results ---------------------------------------------------------------------------------------------------- */

void as_generations_free(as_generations *g) {
  if (!g->ctx) return;
  as_free(g->ctx, g->offsets);
  as_free(g->ctx, g->ids);
  as_free(g->ctx, g->scores);
  as_free(g->ctx, g->reasons);
  *g = (as_generations){0};
}

static as_status begin_result(as_generation *run) {
  as_generations *out = run->out;
  const as_generate_options *o = run->options;
  size_t count = (size_t)(run->sources * o->num_return_sequences);
  out->offsets = as_alloc_zero(out->ctx, count + 1, sizeof *out->offsets);
  out->ids = as_alloc(out->ctx, count, (size_t)o->max_new_tokens * sizeof *out->ids);
  out->scores = as_alloc(out->ctx, count, sizeof *out->scores);
  out->reasons = as_alloc(out->ctx, count, sizeof *out->reasons);
  return out->offsets && out->ids && out->scores && out->reasons ? AS_OK : AS_E_NOMEM;
}

void as_generations_add(as_generation *run, const int32_t *ids, int64_t count, double score, as_finish_reason reason) {
  as_generations *out = run->out;
  int64_t at = out->offsets[out->count];
  memcpy(out->ids + at, ids, (size_t)count * sizeof *ids);
  out->scores[out->count] = score;
  out->reasons[out->count] = reason;
  out->offsets[++out->count] = at + count;
}

as_status as_generation_continues(const as_generation *run) {
  const as_generate_options *o = run->options;
  if (o->interrupted && o->interrupted(o->user)) return as_fail(run->generator->ctx, AS_E_INTERRUPTED, "interrupted");
  return AS_OK;
}

/* ---- options ---------------------------------------------------------------------------------------------------- */

static as_status check_range(as_context *ctx, const char *name, double value, double least, double most) {
  if (value >= least && value <= most) return AS_OK;
  return as_fail(ctx, AS_E_INVALID, "%s is %g, but must be from %g to %g", name, value, least, most);
}

static as_status check_options(as_context *ctx, const as_generate_options *o, int64_t vocab_size) {
  const struct {
    const char *name;
    double value, least, most;
  } ranges[] = {
      {"max_new_tokens", (double)o->max_new_tokens, 1, 1 << 20},
      {"min_new_tokens", (double)o->min_new_tokens, 0, (double)o->max_new_tokens},
      {"num_beams", (double)o->num_beams, 1, o->num_beams > 1 ? (double)(vocab_size / 2) : 1},
      {"num_return_sequences", (double)o->num_return_sequences, 1, o->do_sample ? 10000 : (double)o->num_beams},
      {"length_penalty", o->length_penalty, -100, 100},
      {"repetition_penalty", o->repetition_penalty, 1e-6, 1e6},
      {"no_repeat_ngram_size", (double)o->no_repeat_ngram_size, 0, 1 << 20},
      {"temperature", o->temperature, 1e-6, 1e6},
      {"top_k", (double)o->top_k, 0, 1 << 28},
      {"top_p", o->top_p, 1e-9, 1}};
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < sizeof ranges / sizeof ranges[0]; i++)
    status = check_range(ctx, ranges[i].name, ranges[i].value, ranges[i].least, ranges[i].most);
  if (status == AS_OK && o->do_sample && o->num_beams > 1)
    status = as_fail(ctx, AS_E_INVALID, "sampling and beam search exclude each other: do_sample with num_beams %lld",
                     (long long)o->num_beams);
  return status;
}

/* ---- greedy search and sampling --------------------------------------------------------------------------------- */

typedef struct sequence {
  int32_t *ids; /* [1 + max_new_tokens], the start token first */
  int64_t length;
  double score;
  as_finish_reason reason;
} sequence;

/* All sequences, and those that still grow: row i of a step is sequence active[i]. */
typedef struct search {
  as_generation *run;
  sequence *sequences; /* [count] */
  int32_t *ids;        /* theirs */
  int64_t *active;     /* [active_count] */
  int64_t count, active_count;
  as_candidate *candidates; /* a row of [vocab_size] for each lane, when sampling */
  float *logits;
} search;

static void choose_chunk(void *argument, int64_t chunk, int lane) {
  const search *s = argument;
  const as_token_rules *rules = &s->run->rules;
  const as_generate_options *o = s->run->options;
  int64_t number = s->active[chunk];
  sequence *q = &s->sequences[number];
  float *scores = s->logits + chunk * rules->vocab_size;
  double log_probability = 0;
  as_token_rules_apply(rules, q->ids, q->length, scores, s->run->marks + lane * rules->vocab_size);
  int32_t token;
  if (o->do_sample) {
    as_random random = as_random_start(o->seed, o->first_sequence + (uint64_t)number);
    random.position = (uint64_t)(q->length - 1) * 4;
    token = as_sampled_token(rules, scores, as_random_uniform(&random), s->candidates + lane * rules->vocab_size,
                             s->run->scratch + lane * rules->vocab_size, &log_probability);
  } else {
    token = as_greedy_token(rules, scores, &log_probability);
  }
  q->ids[q->length++] = token;
  q->score += log_probability;
}

/* Whether the sequence has ended; says why. */
static bool has_ended(const as_generation *run, sequence *q) {
  const as_generate_options *o = run->options;
  int64_t count = q->length - 1;
  if (q->ids[count] == run->rules.eos_token_id)
    q->reason = AS_FINISH_EOS;
  else if (o->stops && o->stops(o->user, q->ids + 1, count))
    q->reason = AS_FINISH_STOP;
  else if (count == o->max_new_tokens)
    q->reason = AS_FINISH_LENGTH;
  else
    return false;
  return true;
}

/* Sequences that have ended leave. */
static void keep_active(search *s) {
  const as_generate_options *o = s->run->options;
  int64_t kept = 0;
  for (int64_t i = 0; i < s->active_count; i++) {
    sequence *q = &s->sequences[s->active[i]];
    if (o->on_token) o->on_token(o->user, s->active[i], q->ids[q->length - 1]);
    if (!has_ended(s->run, q)) s->active[kept++] = s->active[i];
  }
  s->active_count = kept;
}

static as_status search_all(search *s) {
  as_generation *run = s->run;
  const int32_t slots = (int32_t)run->options->num_return_sequences;
  while (s->active_count > 0) {
    as_status status = as_generation_continues(run);
    if (status != AS_OK) return status;
    for (int64_t i = 0; i < s->active_count; i++) {
      const sequence *q = &s->sequences[s->active[i]];
      int32_t source = (int32_t)(s->active[i] / slots), slot = (int32_t)(s->active[i] % slots);
      run->rows[i] = (as_t5_decoder_row){source, slot, slot, q->ids[q->length - 1]};
    }
    s->logits = as_t5_decoder_step(run->generator->decoder, run->rows, s->active_count);
    as_parallel_for(run->generator->ctx, s->active_count, choose_chunk, s);
    keep_active(s);
  }
  for (int64_t i = 0; i < s->count; i++)
    as_generations_add(run, s->sequences[i].ids + 1, s->sequences[i].length - 1, s->sequences[i].score,
                       s->sequences[i].reason);
  return AS_OK;
}

as_status as_generate_one_by_one(as_generation *run) {
  as_context *ctx = run->generator->ctx;
  const as_generate_options *o = run->options;
  search s = {.run = run, .count = run->sources * o->num_return_sequences};
  size_t width = (size_t)o->max_new_tokens + 1;
  s.active_count = s.count;
  s.sequences = as_alloc_zero(ctx, (size_t)s.count, sizeof *s.sequences);
  s.ids = as_alloc(ctx, (size_t)s.count, width * sizeof *s.ids);
  s.active = as_alloc(ctx, (size_t)s.count, sizeof *s.active);
  if (o->do_sample)
    s.candidates = as_alloc(ctx, (size_t)as_context_threads(ctx), (size_t)run->rules.vocab_size * sizeof *s.candidates);
  as_status status = s.sequences && s.ids && s.active && (!o->do_sample || s.candidates) ? AS_OK : AS_E_NOMEM;
  for (int64_t i = 0; status == AS_OK && i < s.count; i++) {
    s.sequences[i] = (sequence){.ids = s.ids + (size_t)i * width, .length = 1};
    s.sequences[i].ids[0] = run->start;
    s.active[i] = i;
  }
  if (status == AS_OK) status = search_all(&s);
  as_free(ctx, s.sequences);
  as_free(ctx, s.ids);
  as_free(ctx, s.active);
  as_free(ctx, s.candidates);
  return status;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static as_status run_generation(as_generation *run, const as_encoder_batch *sources, int64_t slots) {
  as_context *ctx = run->generator->ctx;
  size_t lanes = (size_t)as_context_threads(ctx);
  run->marks = as_alloc_zero(ctx, lanes, (size_t)run->rules.vocab_size);
  run->scratch = as_alloc(ctx, lanes, (size_t)run->rules.vocab_size * sizeof *run->scratch);
  run->rows = as_alloc(ctx, (size_t)(run->sources * slots), sizeof *run->rows);
  as_status status = run->marks && run->scratch && run->rows ? begin_result(run) : AS_E_NOMEM;
  if (status == AS_OK)
    status = as_t5_decoder_begin(run->generator->decoder, sources, slots, run->options->max_new_tokens);
  if (status == AS_OK) status = run->options->num_beams > 1 ? as_generate_by_beams(run) : as_generate_one_by_one(run);
  as_free(ctx, run->marks);
  as_free(ctx, run->scratch);
  as_free(ctx, run->rows);
  return status;
}

as_status as_generate(as_generator *g, const as_encoder_batch *sources, const as_generate_options *options,
                      as_generations *out) {
  const as_t5_config *c = as_t5_get_config(g->t5);
  *out = (as_generations){.ctx = g->ctx};
  as_status status = check_options(g->ctx, options, c->vocab_size);
  if (status != AS_OK) return status;
  as_generation run = {.generator = g,
                       .options = options,
                       .rules = {options, g->kernels, c->vocab_size, (int32_t)c->eos_token_id},
                       .sources = sources->sequences,
                       .start = (int32_t)c->decoder_start_token_id,
                       .out = out};
  return run_generation(&run, sources, options->num_beams > 1 ? options->num_beams : options->num_return_sequences);
}
