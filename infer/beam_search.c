/* Beam search, as transformers' generate has it since its version 4.50.
 *
 * In each step a source's beams have 2 * num_beams best continuations. Those among the first num_beams that end become
 * finished sequences, of which the num_beams best are kept; the num_beams best that don't end run on. Scores are
 * floats, as there, so that what is equal there is equal here. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "infer/generation.h"

/* What a source has; beam b of `running` lies in slot b. */
typedef struct beams {
  int64_t running, finished; /* how many there are of each */
  float *running_scores;     /* [num_beams], descending: sums of log-probabilities */
  int32_t *running_ids;      /* [2, num_beams, width]: now and in the step before, by turns */
  int32_t *parents;          /* [num_beams]: slots a step before */
  float *finished_scores;    /* [num_beams], descending */
  int32_t *finished_ids;     /* [num_beams, width] */
  int64_t *finished_lengths; /* [num_beams], start token included */
  as_finish_reason *finished_reasons;
  bool done;
} beams;

typedef struct beam_search {
  as_generation *run;
  int64_t num_beams, width; /* ids of a sequence, start token included */
  int64_t length;           /* of the running sequences */
  beams *sources;           /* [sources] */
  as_candidate *candidates; /* [sources * num_beams, 2 * num_beams]: of each row, then in order for each source */
  int64_t *first_rows;      /* [sources]: where a source's rows begin in the step */
  int32_t *scratch;         /* [width] */
  void *block;              /* of all arrays in `sources` */
  float *logits;
} beam_search;

static int32_t *running_of(const beam_search *s, const beams *b, int64_t length, int64_t beam) {
  return b->running_ids + (length % 2 * s->num_beams + beam) * s->width;
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

/* Hands out a part of the block, or, while there is none, counts its bytes. */
static void *take(unsigned char *block, size_t *used, size_t bytes) {
  void *part = block ? block + *used : NULL;
  *used += (bytes + 15) & ~(size_t)15;
  return part;
}

static size_t lay_out(beam_search *s, unsigned char *block) {
  size_t used = 0, beams_count = (size_t)s->num_beams, ids = beams_count * (size_t)s->width * sizeof(int32_t);
  for (int64_t i = 0; i < s->run->sources; i++) {
    beams b = {.running = 1};
    b.running_scores = take(block, &used, beams_count * sizeof *b.running_scores);
    b.running_ids = take(block, &used, 2 * ids);
    b.parents = take(block, &used, beams_count * sizeof *b.parents);
    b.finished_scores = take(block, &used, beams_count * sizeof *b.finished_scores);
    b.finished_ids = take(block, &used, ids);
    b.finished_lengths = take(block, &used, beams_count * sizeof *b.finished_lengths);
    b.finished_reasons = take(block, &used, beams_count * sizeof *b.finished_reasons);
    if (block) s->sources[i] = b;
  }
  return used;
}

static as_status begin(beam_search *s) {
  as_context *ctx = s->run->generator->ctx;
  size_t rows = (size_t)(s->run->sources * s->num_beams);
  s->sources = as_alloc(ctx, (size_t)s->run->sources, sizeof *s->sources);
  s->candidates = as_alloc(ctx, rows, 2 * (size_t)s->num_beams * sizeof *s->candidates);
  s->scratch = as_alloc(ctx, (size_t)s->width, sizeof *s->scratch);
  s->first_rows = as_alloc(ctx, (size_t)s->run->sources, sizeof *s->first_rows);
  s->block = as_alloc(ctx, 1, lay_out(s, NULL));
  if (!s->sources || !s->candidates || !s->scratch || !s->first_rows || !s->block) return AS_E_NOMEM;
  lay_out(s, s->block);
  for (int64_t i = 0; i < s->run->sources; i++) { /* one beam: the others would say the same */
    s->sources[i].running_scores[0] = 0;
    s->sources[i].parents[0] = 0;
    running_of(s, &s->sources[i], 1, 0)[0] = s->run->start;
  }
  return AS_OK;
}

static void end(beam_search *s) {
  as_context *ctx = s->run->generator->ctx;
  as_free(ctx, s->sources);
  as_free(ctx, s->candidates);
  as_free(ctx, s->scratch);
  as_free(ctx, s->first_rows);
  as_free(ctx, s->block);
}

/* ---- continuations ---------------------------------------------------------------------------------------------- */

/* The best continuations of a row, by the sum of log-probabilities. */
static void continue_chunk(void *argument, int64_t row, int lane) {
  const beam_search *s = argument;
  const as_generation *run = s->run;
  const beams *b = &s->sources[run->rows[row].source];
  int32_t beam = run->rows[row].slot;
  float *scores = s->logits + row * run->rules.vocab_size;
  as_candidate *best = s->candidates + row * 2 * s->num_beams;
  as_log_probabilities(&run->rules, scores, run->scratch + lane * run->rules.vocab_size);
  as_token_rules_apply(&run->rules, running_of(s, b, s->length, beam), s->length, scores,
                       run->marks + lane * run->rules.vocab_size);
  as_top_candidates(&run->rules, scores, 2 * s->num_beams, best);
  for (int64_t i = 0; i < 2 * s->num_beams; i++) {
    best[i].score += b->running_scores[beam];
    best[i].beam = beam;
  }
}

static int by_score(const void *a, const void *b) {
  const as_candidate *x = a, *y = b;
  if (x->score != y->score) return x->score > y->score ? -1 : 1;
  if (x->beam != y->beam) return x->beam < y->beam ? -1 : 1;
  return (x->token > y->token) - (x->token < y->token);
}

/* ---- what becomes of them --------------------------------------------------------------------------------------- */

static bool ends(const beam_search *s, const int32_t *ids, int64_t length, as_finish_reason *reason) {
  const as_generate_options *o = s->run->options;
  *reason = AS_FINISH_LENGTH;
  if (ids[length - 1] == s->run->rules.eos_token_id)
    *reason = AS_FINISH_EOS;
  else if (o->stops && o->stops(o->user, ids + 1, length - 1))
    *reason = AS_FINISH_STOP;
  else
    return length - 1 == o->max_new_tokens;
  return true;
}

/* Puts a finished sequence in its place, behind those of the same score, if it is good enough. */
static void finish(const beam_search *s, beams *b, const int32_t *ids, int64_t length, float score,
                   as_finish_reason reason) {
  int64_t at = b->finished;
  while (at > 0 && score > b->finished_scores[at - 1]) at--;
  if (at == s->num_beams) return;
  if (b->finished < s->num_beams) b->finished++;
  for (int64_t i = b->finished - 1; i > at; i--) {
    b->finished_scores[i] = b->finished_scores[i - 1];
    b->finished_lengths[i] = b->finished_lengths[i - 1];
    b->finished_reasons[i] = b->finished_reasons[i - 1];
    memcpy(b->finished_ids + i * s->width, b->finished_ids + (i - 1) * s->width, (size_t)s->width * sizeof *ids);
  }
  b->finished_scores[at] = score;
  b->finished_lengths[at] = length;
  b->finished_reasons[at] = reason;
  memcpy(b->finished_ids + at * s->width, ids, (size_t)length * sizeof *ids);
}

static float penalised(const beam_search *s, float score, int64_t tokens) {
  return score / (float)pow((double)tokens, s->run->options->length_penalty);
}

/* Whether a running sequence may still become better than a finished one, or there is room for it. */
static bool improvable(const beam_search *s, const beams *b) {
  const as_generate_options *o = s->run->options;
  if (b->finished < s->num_beams) return true;
  if (o->early_stopping == AS_EARLY_STOPPING_TRUE || b->running == 0) return false;
  bool farthest = o->early_stopping == AS_EARLY_STOPPING_NEVER && o->length_penalty > 0;
  return penalised(s, b->running_scores[0], farthest ? o->max_new_tokens : s->length - 1) >
         b->finished_scores[s->num_beams - 1];
}

/* Takes the source's 2 * num_beams best continuations, the best first, all of s->length tokens. */
static void advance(const beam_search *s, beams *b, const as_candidate *candidates) {
  const size_t before = (size_t)(s->length - 1) * sizeof *s->scratch;
  b->running = 0;
  for (int64_t i = 0; i < 2 * s->num_beams; i++) {
    const as_candidate *c = &candidates[i];
    as_finish_reason reason;
    memcpy(s->scratch, running_of(s, b, s->length - 1, c->beam), before);
    s->scratch[s->length - 1] = c->token;
    if (ends(s, s->scratch, s->length, &reason)) {
      if (i < s->num_beams) finish(s, b, s->scratch, s->length, penalised(s, c->score, s->length - 1), reason);
    } else if (b->running < s->num_beams) {
      memcpy(running_of(s, b, s->length, b->running), s->scratch, before + sizeof *s->scratch);
      b->running_scores[b->running] = c->score;
      b->parents[b->running++] = c->beam;
    }
  }
  b->done = b->running == 0 || !improvable(s, b);
}

/* ---- the search ------------------------------------------------------------------------------------------------- */

/* The rows of all running beams; returns how many. */
static int64_t gather_rows(beam_search *s) {
  int64_t count = 0;
  for (int64_t i = 0; i < s->run->sources; i++) {
    const beams *b = &s->sources[i];
    s->first_rows[i] = count;
    for (int64_t k = 0; !b->done && k < b->running; k++)
      s->run->rows[count++] = (as_t5_decoder_row){(int32_t)i, (int32_t)k, b->parents[k],
                                                  running_of(s, b, s->length, k)[s->length - 1]};
  }
  return count;
}

static as_status search_all(beam_search *s) {
  const as_generation *run = s->run;
  for (int64_t count; (count = gather_rows(s)) > 0;) {
    as_status status = as_generation_continues(run);
    if (status != AS_OK) return status;
    s->logits = as_t5_decoder_step(run->generator->decoder, run->rows, count);
    as_parallel_for(run->generator->ctx, count, continue_chunk, s);
    s->length++;
    for (int64_t i = 0; i < run->sources; i++) {
      beams *b = &s->sources[i];
      as_candidate *candidates = s->candidates + s->first_rows[i] * 2 * s->num_beams;
      if (b->done) continue;
      qsort(candidates, (size_t)(b->running * 2 * s->num_beams), sizeof *candidates, by_score);
      advance(s, b, candidates);
    }
  }
  return AS_OK;
}

as_status as_generate_by_beams(as_generation *run) {
  const as_generate_options *o = run->options;
  beam_search s = {.run = run, .num_beams = o->num_beams, .width = o->max_new_tokens + 1, .length = 1};
  as_status status = begin(&s);
  if (status == AS_OK) status = search_all(&s);
  for (int64_t i = 0; status == AS_OK && i < run->sources; i++)
    for (int64_t k = 0; k < o->num_return_sequences; k++) {
      const beams *b = &s.sources[i];
      as_generations_add(run, b->finished_ids + k * s.width + 1, b->finished_lengths[k] - 1,
                         (double)b->finished_scores[k], b->finished_reasons[k]);
    }
  end(&s);
  return status;
}
