/* From texts to a tokenizer: count words, number the characters, join pairs, build the stages around the vocabulary. */
#include "tokenizer/wordpiece_trainer.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/components.h"
#include "tokenizer/construct.h"
#include "tokenizer/merge_trainer.h"
#include "tokenizer/word_counts.h"

enum { CODE_POINTS = 0x110000, LONGEST_WORD = 100, FIRST_SPECIALS = 5 };
static const char PREFIX[] = "##";
static const as_special_token SPECIALS[FIRST_SPECIALS] = {AS_TOKEN_PAD, AS_TOKEN_UNK, AS_TOKEN_CLS, AS_TOKEN_SEP,
                                                          AS_TOKEN_MASK};

typedef struct trainer {
  as_context *ctx;
  as_loader loader; /* of the tokenizer that is being made */
  as_word_counts words;
  unsigned char *met;  /* [CODE_POINTS] MET, INSIDE */
  int32_t *symbols;    /* of all words */
  as_merge_word *work; /* [words.count] */
} trainer;
enum { MET = 1, INSIDE = 2 };

/* The code point that `text` begins with; returns its bytes. */
static size_t decode(const char *text, size_t length, uint32_t *code_point) {
  int size = as_utf8_decode(text, length, code_point);
  return (size_t)(size < 0 ? -size : size);
}

static bool is_counted(const char *word, size_t length) {
  return length <= LONGEST_WORD || as_utf8_count(word, length) <= LONGEST_WORD;
}

/* ---- the first tokens ----------------------------------------------------------------------------------------- */

static as_status add_token(trainer *t, const char *prefix, const char *token) {
  as_vocabulary *vocabulary = &t->loader.tokenizer->vocabulary;
  char text[64];
  int length = snprintf(text, sizeof text, "%s%s", prefix, token);
  return as_vocabulary_add(vocabulary, text, (size_t)length, (int32_t)vocabulary->limit);
}

/* Special tokens, then characters, then characters that continue a word. */
static as_status add_alphabet(trainer *t) {
  as_status status = AS_OK;
  uint32_t code_point = 0;
  for (size_t i = 0; i < t->words.count; i++) {
    const as_word_count *word = &t->words.words[i];
    const char *bytes = t->words.pool.data + word->start;
    for (size_t at = 0, size; at < word->length; at += size) {
      size = decode(bytes + at, word->length - at, &code_point);
      t->met[code_point] |= at ? MET | INSIDE : MET;
    }
  }
  for (int i = 0; i < FIRST_SPECIALS && status == AS_OK; i++)
    status = add_token(t, "", t->loader.tokenizer->special[SPECIALS[i]]);
  for (int inside = 0; inside < 2; inside++) {
    for (uint32_t c = 0; c < CODE_POINTS && status == AS_OK; c++) {
      char text[5] = {0};
      if (!(t->met[c] & (inside ? INSIDE : MET))) continue;
      as_utf8_encode(c, text);
      status = add_token(t, inside ? PREFIX : "", text);
    }
  }
  return status;
}

/* Writes the words as ids of the alphabet. */
static as_status spell_words(trainer *t) {
  const as_vocabulary *vocabulary = &t->loader.tokenizer->vocabulary;
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
      char token[8] = "##";
      size = decode(bytes + at, word->length - at, &code_point);
      memcpy(token + 2, bytes + at, size);
      t->symbols[used++] = as_vocabulary_id(vocabulary, at ? token : token + 2, at ? size + 2 : size);
    }
    t->work[i].length = (uint32_t)(used - t->work[i].start);
  }
  return AS_OK;
}

/* ---- training ------------------------------------------------------------------------------------------------- */

static as_status prepare(trainer *t, as_bert_switches switches) {
  as_tokenizer *tokenizer = t->loader.tokenizer = as_tokenizer_new(t->ctx);
  t->met = as_alloc_zero(t->ctx, CODE_POINTS, 1);
  if (!tokenizer || !t->met) return AS_E_NOMEM;
  as_status status = as_name_special_tokens(&t->loader, &as_wordpiece_model);
  return status == AS_OK ? as_make_bert_words(&t->loader, switches) : status;
}

static as_status train(trainer *t, const as_wordpiece_training *options, as_text_source next, void *user) {
  as_status status = prepare(t, (as_bert_switches){.clean_text = true,
                                                   .handle_chinese_chars = true,
                                                   .strip_accents = AS_UNSET,
                                                   .lowercase = !options->cased});
  if (status == AS_OK) status = as_word_counts_read(&t->words, t->loader.tokenizer, next, user, is_counted);
  if (status == AS_OK) status = add_alphabet(t);
  if (status == AS_OK) status = spell_words(t);
  if (status != AS_OK) return status;
  as_vocabulary *vocabulary = &t->loader.tokenizer->vocabulary;
  if (vocabulary->count > options->vocab_size)
    as_warn(t->ctx, "the special tokens and the characters of the texts are %zu tokens, more than the %zu asked for",
            vocabulary->count, options->vocab_size);
  as_merge_training merging = {
      .vocabulary = vocabulary,
      .symbols = t->symbols,
      .words = t->work,
      .word_count = t->words.count,
      .vocab_size = options->vocab_size,
      .min_frequency = options->min_frequency,
      .prefix = PREFIX,
  };
  status = as_train_merges(&merging);
  if (status == AS_OK) status = as_make_bert_tokens(&t->loader);
  return status == AS_OK ? as_tokenizer_finish(&t->loader) : status;
}

as_status as_wordpiece_train(as_context *ctx, const as_wordpiece_training *options, as_text_source next, void *user,
                             as_tokenizer **out) {
  *out = NULL;
  if (options->vocab_size < FIRST_SPECIALS)
    return as_fail(ctx, AS_E_INVALID, "a vocabulary of %zu tokens has no room for the %d special ones",
                   options->vocab_size, FIRST_SPECIALS);
  trainer t = {.ctx = ctx, .loader = {.ctx = ctx, .path = "the trained vocabulary", .where = ""}};
  as_word_counts_init(&t.words, ctx);
  as_status status = train(&t, options, next, user);
  as_word_counts_free(&t.words);
  as_free(ctx, t.met);
  as_free(ctx, t.symbols);
  as_free(ctx, t.work);
  if (status == AS_OK)
    *out = t.loader.tokenizer;
  else
    as_tokenizer_free(t.loader.tokenizer);
  return status;
}
