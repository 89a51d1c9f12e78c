/* From texts to a tokenizer: count words, number the characters, join pairs, build the stages around the vocabulary. */
#include "tokenizer/wordpiece_trainer.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/components.h"
#include "tokenizer/pair_trainer.h"

enum { CODE_POINTS = 0x110000, LONGEST_WORD = 100 };
enum { MET = 1, INSIDE = 2 };
static const char PREFIX[] = "##";
static const as_special_token SPECIALS[AS_TRAINED_SPECIALS] = {AS_TOKEN_PAD, AS_TOKEN_UNK, AS_TOKEN_CLS, AS_TOKEN_SEP,
                                                               AS_TOKEN_MASK};

static bool is_counted(const char *word, size_t length) {
  return length <= LONGEST_WORD || as_utf8_count(word, length) <= LONGEST_WORD;
}

/* Special tokens, then characters, then characters that continue a word. `met` is for MET and INSIDE. */
static as_status add_alphabet(as_pair_trainer *t, unsigned char *met /* [CODE_POINTS], zero */) {
  uint32_t code_point = 0;
  for (size_t i = 0; i < t->words.count; i++) {
    const as_word_count *word = &t->words.words[i];
    const char *bytes = t->words.pool.data + word->start;
    for (size_t at = 0, size; at < word->length; at += size) {
      size = as_pair_trainer_decode(bytes + at, word->length - at, &code_point);
      met[code_point] |= at ? MET | INSIDE : MET;
    }
  }
  as_status status = as_pair_trainer_add_specials(t, SPECIALS);
  for (int inside = 0; inside < 2; inside++) {
    for (uint32_t c = 0; c < CODE_POINTS && status == AS_OK; c++) {
      char text[5] = {0}, token[8];
      if (!(met[c] & (inside ? INSIDE : MET))) continue;
      as_utf8_encode(c, text);
      int length = snprintf(token, sizeof token, "%s%s", inside ? PREFIX : "", text);
      status = as_pair_trainer_add(t, token, (size_t)length);
    }
  }
  return status;
}

static int32_t symbol_of(const as_pair_trainer *t, const char *character, size_t size, uint32_t code_point,
                         bool inside) {
  char token[8] = "##";
  (void)code_point;
  memcpy(token + 2, character, size);
  return as_vocabulary_id(&t->loader.tokenizer->vocabulary, inside ? token : token + 2, inside ? size + 2 : size);
}

static as_status train(as_pair_trainer *t, const as_wordpiece_training *options, as_text_source next, void *user) {
  const as_bert_switches switches = {
      .clean_text = true, .handle_chinese_chars = true, .strip_accents = AS_UNSET, .lowercase = !options->cased};
  const as_merge_training rules = {
      .vocab_size = options->vocab_size, .min_frequency = options->min_frequency, .prefix = PREFIX};
  unsigned char *met = as_alloc_zero(t->ctx, CODE_POINTS, 1);
  as_status status = met ? as_name_special_tokens(&t->loader, &as_wordpiece_model) : AS_E_NOMEM;
  if (status == AS_OK) status = as_make_bert_words(&t->loader, switches);
  if (status == AS_OK) status = as_word_counts_read(&t->words, t->loader.tokenizer, next, user, is_counted);
  if (status == AS_OK) status = add_alphabet(t, met);
  as_free(t->ctx, met);
  if (status == AS_OK) status = as_pair_trainer_spell(t, symbol_of);
  if (status == AS_OK) status = as_pair_trainer_join(t, rules, "the characters of the texts");
  if (status == AS_OK) status = as_make_bert_tokens(&t->loader);
  return status == AS_OK ? as_tokenizer_finish(&t->loader) : status;
}

as_status as_wordpiece_train(as_context *ctx, const as_wordpiece_training *options, as_text_source next, void *user,
                             as_tokenizer **out) {
  as_pair_trainer t;
  as_status status = as_pair_trainer_begin(&t, ctx, options->vocab_size);
  if (status == AS_OK) status = train(&t, options, next, user);
  as_pair_trainer_end(&t, status, out);
  return status;
}
