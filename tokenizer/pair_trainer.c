/* See pair_trainer.h. */
#include "tokenizer/pair_trainer.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

as_status as_pair_trainer_begin(as_pair_trainer *t, as_context *ctx, size_t vocab_size) {
  *t = (as_pair_trainer){.ctx = ctx, .loader = {.ctx = ctx, .path = "the trained vocabulary", .where = ""}};
  as_word_counts_init(&t->words, ctx);
  if (vocab_size < AS_TRAINED_SPECIALS)
    return as_fail(ctx, AS_E_INVALID, "a vocabulary of %zu tokens has no room for the %d special ones", vocab_size,
                   AS_TRAINED_SPECIALS);
  t->loader.tokenizer = as_tokenizer_new(ctx);
  return t->loader.tokenizer ? AS_OK : AS_E_NOMEM;
}

void as_pair_trainer_end(as_pair_trainer *t, as_status status, as_tokenizer **out) {
  as_word_counts_free(&t->words);
  as_free(t->ctx, t->symbols);
  as_free(t->ctx, t->work);
  *out = status == AS_OK ? t->loader.tokenizer : NULL;
  if (status != AS_OK) as_tokenizer_free(t->loader.tokenizer);
}

as_status as_pair_trainer_add(as_pair_trainer *t, const char *token, size_t length) {
  as_vocabulary *vocabulary = &t->loader.tokenizer->vocabulary;
  return as_vocabulary_add(vocabulary, token, length, (int32_t)vocabulary->limit);
}

as_status as_pair_trainer_add_specials(as_pair_trainer *t, const as_special_token which[AS_TRAINED_SPECIALS]) {
  as_status status = AS_OK;
  for (int i = 0; i < AS_TRAINED_SPECIALS && status == AS_OK; i++) {
    const char *name = t->loader.tokenizer->special[which[i]];
    status = as_pair_trainer_add(t, name, strlen(name));
  }
  return status;
}

size_t as_pair_trainer_decode(const char *text, size_t length, uint32_t *code_point) {
  int size = as_utf8_decode(text, length, code_point);
  return (size_t)(size < 0 ? -size : size);
}

as_status as_pair_trainer_spell(as_pair_trainer *t, as_symbol_of symbol_of) {
  t->symbols = as_alloc(t->ctx, t->words.pool.length, sizeof *t->symbols);
  t->work = as_alloc(t->ctx, t->words.count, sizeof *t->work);
  if (!t->symbols || !t->work) return AS_E_NOMEM;
  size_t used = 0;
  uint32_t code_point = 0;
  for (size_t i = 0; i < t->words.count; i++) {
    const as_word_count *word = &t->words.words[i];
    const char *bytes = t->words.pool.data + word->start;
    t->work[i] = (as_merge_word){.start = used, .count = word->count};
    for (size_t at = 0, size; at < word->length; at += size) {
      size = as_pair_trainer_decode(bytes + at, word->length - at, &code_point);
      t->symbols[used++] = symbol_of(t, bytes + at, size, code_point, at > 0);
    }
    t->work[i].length = (uint32_t)(used - t->work[i].start);
  }
  return AS_OK;
}

as_status as_pair_trainer_join(as_pair_trainer *t, as_merge_training rules, const char *alphabet) {
  as_vocabulary *vocabulary = &t->loader.tokenizer->vocabulary;
  if (vocabulary->count > rules.vocab_size)
    as_warn(t->ctx, "the special tokens and %s are %zu tokens, more than the %zu asked for", alphabet,
            vocabulary->count, rules.vocab_size);
  rules.vocabulary = vocabulary;
  rules.symbols = t->symbols;
  rules.words = t->work;
  rules.word_count = t->words.count;
  return as_train_merges(&rules);
}
