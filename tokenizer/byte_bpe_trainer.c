/* From texts to a tokenizer: count words, number the characters, join pairs, build the stages around the rules. */
#include "tokenizer/byte_bpe_trainer.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/bpe.h"
#include "tokenizer/components.h"
#include "tokenizer/construct.h"
#include "tokenizer/merge_trainer.h"
#include "tokenizer/word_counts.h"

enum { LONGEST_WORD = 4096, FIRST_SPECIALS = 5 };
static const as_special_token SPECIALS[FIRST_SPECIALS] = {AS_TOKEN_CLS, AS_TOKEN_PAD, AS_TOKEN_SEP, AS_TOKEN_UNK,
                                                          AS_TOKEN_MASK};

typedef struct trainer {
  as_context *ctx;
  as_loader loader; /* of the tokenizer that is being made */
  as_bpe *bpe;      /* its model */
  as_word_counts words;
  int32_t *symbols;    /* of all words */
  as_merge_word *work; /* [words.count] */
  as_status status;    /* of the last merge */
} trainer;

/* A word is in the characters of the byte map. */
static bool is_counted(const char *word, size_t length) {
  return length <= LONGEST_WORD || as_utf8_count(word, length) <= LONGEST_WORD;
}

static as_status add_token(trainer *t, const char *token, size_t length) {
  as_vocabulary *vocabulary = &t->loader.tokenizer->vocabulary;
  return as_vocabulary_add(vocabulary, token, length, (int32_t)vocabulary->limit);
}

/* Special tokens, then the characters of all bytes. */
static as_status add_alphabet(trainer *t) {
  as_status status = AS_OK;
  for (int i = 0; i < FIRST_SPECIALS && status == AS_OK; i++) {
    const char *name = t->loader.tokenizer->special[SPECIALS[i]];
    status = add_token(t, name, strlen(name));
  }
  for (uint32_t c = 0; c < AS_BYTE_CHARACTERS && status == AS_OK; c++) {
    char text[4];
    if (as_character_byte(c) < 0) continue;
    status = add_token(t, text, (size_t)as_utf8_encode(c, text));
  }
  if (status == AS_OK) as_bpe_finish(&t->loader, t->bpe);
  return status;
}

/* Writes the words as ids of the alphabet. */
static as_status spell_words(trainer *t) {
  t->symbols = as_alloc(t->ctx, t->words.pool.length, sizeof *t->symbols);
  t->work = as_alloc(t->ctx, t->words.count, sizeof *t->work);
  if (!t->symbols || !t->work) return AS_E_NOMEM;
  size_t used = 0;
  for (size_t i = 0; i < t->words.count; i++) {
    const as_word_count *word = &t->words.words[i];
    const char *bytes = t->words.pool.data + word->start;
    t->work[i] = (as_merge_word){.start = used, .count = word->count};
    for (size_t at = 0; at < word->length;) {
      uint32_t character;
      at += (size_t)as_utf8_decode(bytes + at, word->length - at, &character);
      t->symbols[used++] = t->bpe->characters[character];
    }
    t->work[i].length = (uint32_t)(used - t->work[i].start);
  }
  return AS_OK;
}

static void take_merge(void *user, int32_t left, int32_t right, int32_t joined) {
  trainer *t = user;
  if (t->status == AS_OK) t->status = as_merge_table_add(&t->bpe->merges, left, right, joined);
}

static as_status join_pairs(trainer *t, const as_byte_bpe_training *options) {
  as_vocabulary *vocabulary = &t->loader.tokenizer->vocabulary;
  if (vocabulary->count > options->vocab_size)
    as_warn(t->ctx, "the special tokens and the characters of all bytes are %zu tokens, more than the %zu asked for",
            vocabulary->count, options->vocab_size);
  as_merge_training merging = {
      .vocabulary = vocabulary,
      .symbols = t->symbols,
      .words = t->work,
      .word_count = t->words.count,
      .vocab_size = options->vocab_size,
      .min_frequency = options->min_frequency,
      .prefix = "",
      .merged = take_merge,
      .user = t,
  };
  as_status status = as_train_merges(&merging);
  return status == AS_OK ? t->status : status;
}

static as_status train(trainer *t, const as_byte_bpe_training *options, as_text_source next, void *user) {
  const as_byte_level members = {
      .add_prefix_space = options->add_prefix_space, .trim_offsets = true, .use_regex = true};
  as_tokenizer *tokenizer = t->loader.tokenizer = as_tokenizer_new(t->ctx);
  if (!tokenizer) return AS_E_NOMEM;
  t->bpe = as_bpe_new(t->ctx);
  as_status status = as_put_stage(tokenizer, AS_STAGE_MODEL, &as_bpe_model.component, t->bpe);
  if (status == AS_OK) status = as_name_special_tokens(&t->loader, &as_bpe_model);
  if (status == AS_OK) status = as_make_byte_words(&t->loader, members);
  if (status == AS_OK) status = as_word_counts_read(&t->words, tokenizer, next, user, is_counted);
  if (status == AS_OK) status = add_alphabet(t);
  if (status == AS_OK) status = spell_words(t);
  if (status == AS_OK) status = join_pairs(t, options);
  if (status == AS_OK) status = as_make_roberta_tokens(&t->loader, members);
  return status == AS_OK ? as_tokenizer_finish(&t->loader) : status;
}

as_status as_byte_bpe_train(as_context *ctx, const as_byte_bpe_training *options, as_text_source next, void *user,
                            as_tokenizer **out) {
  *out = NULL;
  if (options->vocab_size < FIRST_SPECIALS)
    return as_fail(ctx, AS_E_INVALID, "a vocabulary of %zu tokens has no room for the %d special ones",
                   options->vocab_size, FIRST_SPECIALS);
  trainer t = {.ctx = ctx, .loader = {.ctx = ctx, .path = "the trained vocabulary", .where = ""}};
  as_word_counts_init(&t.words, ctx);
  as_status status = train(&t, options, next, user);
  as_word_counts_free(&t.words);
  as_free(ctx, t.symbols);
  as_free(ctx, t.work);
  if (status == AS_OK)
    *out = t.loader.tokenizer;
  else
    as_tokenizer_free(t.loader.tokenizer);
  return status;
}
