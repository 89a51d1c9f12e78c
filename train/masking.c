#include "train/masking.h"

#include "base/memory.h"
#include "base/random.h"

/* Probabilities as thresholds of a 32-bit word. */
#define CHOSEN 644245094u    /* 0.15 */
#define MASKED 3435973837u   /* 0.8: becomes the mask token */
#define REPLACED 3865470566u /* 0.8 + 0.1: a drawn token; beyond: stays */
#define PURPOSE 0x4d4c4d00u

as_status as_masking_init(as_masking *m, as_context *ctx, const as_tokenizer *tokenizer, uint64_t seed,
                          const char *where) {
  size_t size = as_tokenizer_vocab_size(tokenizer);
  *m = (as_masking){
      .ctx = ctx, .seed = seed, .mask_id = as_tokenizer_special(tokenizer, AS_TOKEN_MASK), .vocab_size = (int32_t)size};
  if (m->mask_id < 0)
    return as_fail(ctx, AS_E_MODEL, "%s: the tokenizer has no mask token (mask_token in tokenizer_config.json)", where);
  m->special = as_alloc(ctx, size, sizeof *m->special);
  if (!m->special) return AS_E_NOMEM;
  for (size_t i = 0; i < size; i++) m->special[i] = as_tokenizer_is_special(tokenizer, (int64_t)i);
  for (int which = 0; which < AS_SPECIAL_TOKENS; which++) {
    int32_t id = as_tokenizer_special(tokenizer, (as_special_token)which);
    if (id >= 0) m->special[id] = 1;
  }
  return AS_OK;
}

void as_masking_free(as_masking *m) {
  if (!m->ctx) return;
  as_free(m->ctx, m->special);
  *m = (as_masking){0};
}

static void draw(const as_masking *m, uint32_t epoch, int64_t row, int64_t i, uint32_t words[4]) {
  uint32_t counter[4] = {(uint32_t)i, (uint32_t)row, epoch, PURPOSE + (uint32_t)((uint64_t)row >> 32)};
  uint32_t key[2] = {(uint32_t)m->seed, (uint32_t)(m->seed >> 32)};
  as_philox4x32(counter, key, words);
}

int64_t as_masking_count(const as_masking *m, uint32_t epoch, int64_t row, const int32_t *ids, int64_t count) {
  int64_t chosen = 0;
  uint32_t words[4];
  for (int64_t i = 0; i < count; i++) {
    if (m->special[ids[i]]) continue;
    draw(m, epoch, row, i, words);
    chosen += words[0] < CHOSEN;
  }
  return chosen;
}

int64_t as_masking_apply(const as_masking *m, uint32_t epoch, int64_t row, int32_t *ids, int64_t count, int32_t *places,
                         int32_t *labels) {
  int64_t chosen = 0;
  uint32_t words[4];
  for (int64_t i = 0; i < count; i++) {
    if (m->special[ids[i]]) continue;
    draw(m, epoch, row, i, words);
    if (words[0] >= CHOSEN) continue;
    places[chosen] = (int32_t)i;
    labels[chosen++] = ids[i];
    if (words[1] < MASKED)
      ids[i] = m->mask_id;
    else if (words[1] < REPLACED)
      ids[i] = (int32_t)(((uint64_t)words[2] * (uint64_t)m->vocab_size) >> 32);
  }
  return chosen;
}
