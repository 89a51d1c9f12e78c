/* See t5_greedy.h. */
#include "models/t5_greedy.h"

#include "base/memory.h"

enum { GROUP = 32 }; /* sources that are decoded together */

typedef struct greedy {
  as_context *ctx;
  const as_t5_config *config;
  const as_t5_greedy_options *options;
  as_t5_decoder *decoder;
  as_encoder_batch batch;
  as_t5_decoder_row rows[GROUP]; /* those that have not ended */
  int64_t running;
  int64_t lengths[GROUP];
  int32_t *ids; /* [GROUP, max_new_tokens] */
} greedy;

static int32_t most_likely(const float *logits, int64_t count) {
  int64_t best = 0;
  for (int64_t i = 1; i < count; i++)
    if (logits[i] > logits[best]) best = i;
  return (int32_t)best;
}

static void step(greedy *s) {
  const as_t5_config *c = s->config;
  const float *logits = as_t5_decoder_step(s->decoder, s->rows, s->running);
  int64_t kept = 0;
  for (int64_t r = 0; r < s->running; r++) {
    as_t5_decoder_row row = s->rows[r];
    row.token = most_likely(logits + r * c->vocab_size, c->vocab_size);
    s->ids[row.source * s->options->max_new_tokens + s->lengths[row.source]++] = row.token;
    if (row.token != c->eos_token_id) s->rows[kept++] = row;
  }
  s->running = kept;
}

static as_status answer(greedy *s, const as_token_rows *sources, int64_t first, int64_t count, as_token_rows *answers) {
  const as_t5_greedy_options *o = s->options;
  as_encoder_batch_clear(&s->batch);
  as_status status = AS_OK;
  for (int64_t i = 0; status == AS_OK && i < count; i++) {
    s->rows[i] = (as_t5_decoder_row){.source = (int32_t)i, .token = (int32_t)s->config->decoder_start_token_id};
    s->lengths[i] = 0;
    status = as_encoder_batch_add(&s->batch, sources->ids + sources->offsets[first + i],
                                  as_token_rows_length(sources, first + i), -100);
  }
  if (status == AS_OK) status = as_t5_decoder_begin(s->decoder, &s->batch, 1, o->max_new_tokens);
  s->running = count;
  for (int64_t t = 0; status == AS_OK && t < o->max_new_tokens && s->running > 0; t++) {
    if (o->interrupted && o->interrupted(o->user))
      status = as_fail(s->ctx, AS_E_INTERRUPTED, "interrupted");
    else
      step(s);
  }
  for (int64_t i = 0; status == AS_OK && i < count; i++) {
    const int32_t *ids = s->ids + i * o->max_new_tokens;
    status = as_token_rows_add(answers, ids, s->lengths[i], -100, ids[s->lengths[i] - 1] != s->config->eos_token_id);
  }
  return status;
}

as_status as_t5_greedy(as_context *ctx, const as_t5 *t5, const as_token_rows *sources,
                       const as_t5_greedy_options *options, as_token_rows *answers) {
  if (options->max_new_tokens < 1 || options->max_new_tokens > 65536)
    return as_fail(ctx, AS_E_INVALID, "max_new_tokens is %lld; 1 to 65536 can be generated",
                   (long long)options->max_new_tokens);
  greedy s = {.ctx = ctx, .config = as_t5_get_config(t5), .options = options};
  as_encoder_batch_init(&s.batch, ctx);
  s.ids = as_alloc(ctx, GROUP * (size_t)options->max_new_tokens, sizeof *s.ids);
  as_status status = s.ids ? as_t5_decoder_new(ctx, t5, &s.decoder) : AS_E_NOMEM;
  for (int64_t first = 0; status == AS_OK && first < sources->count; first += GROUP) {
    int64_t left = sources->count - first;
    status = answer(&s, sources, first, left < GROUP ? left : GROUP, answers);
  }
  as_t5_decoder_free(s.decoder);
  as_encoder_batch_free(&s.batch);
  as_free(ctx, s.ids);
  return status;
}
