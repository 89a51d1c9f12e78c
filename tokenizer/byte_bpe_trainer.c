/* From texts to a tokenizer: count words, number the characters, join pairs, build the stages around the rules. */
#include "tokenizer/byte_bpe_trainer.h"

#include "base/utf8.h"
#include "tokenizer/bpe.h"
#include "tokenizer/components.h"
#include "tokenizer/pair_trainer.h"

enum { LONGEST_WORD = 4096 };
static const as_special_token SPECIALS[AS_TRAINED_SPECIALS] = {AS_TOKEN_CLS, AS_TOKEN_PAD, AS_TOKEN_SEP, AS_TOKEN_UNK,
                                                               AS_TOKEN_MASK};

typedef struct trainer {
  as_pair_trainer pairs; /* the first member: a pointer to it is one to the trainer */
  as_bpe *bpe;           /* the model of the tokenizer */
  as_status status;      /* of the last merge */
} trainer;

/* A word is in the characters of the byte map. */
static bool is_counted(const char *word, size_t length) {
  return length <= LONGEST_WORD || as_utf8_count(word, length) <= LONGEST_WORD;
}

/* Special tokens, then the characters of all bytes. */
static as_status add_alphabet(trainer *t) {
  as_status status = as_pair_trainer_add_specials(&t->pairs, SPECIALS);
  for (uint32_t c = 0; c < AS_BYTE_CHARACTERS && status == AS_OK; c++) {
    char text[4];
    if (as_character_byte(c) < 0) continue;
    status = as_pair_trainer_add(&t->pairs, text, (size_t)as_utf8_encode(c, text));
  }
  if (status == AS_OK) as_bpe_finish(&t->pairs.loader, t->bpe);
  return status;
}

static int32_t symbol_of(const as_pair_trainer *pairs, const char *character, size_t size, uint32_t code_point,
                         bool inside) {
  (void)character, (void)size, (void)inside;
  return ((const trainer *)(const void *)pairs)->bpe->characters[code_point];
}

static void take_merge(void *user, int32_t left, int32_t right, int32_t joined) {
  trainer *t = user;
  if (t->status == AS_OK) t->status = as_merge_table_add(&t->bpe->merges, left, right, joined);
}

static as_status join_pairs(trainer *t, const as_byte_bpe_training *options) {
  as_merge_training rules = {.vocab_size = options->vocab_size,
                             .min_frequency = options->min_frequency,
                             .prefix = "",
                             .merged = take_merge,
                             .user = t};
  as_status status = as_pair_trainer_join(&t->pairs, rules, "the characters of all bytes");
  return status == AS_OK ? t->status : status;
}

static as_status train(trainer *t, const as_byte_bpe_training *options, as_text_source next, void *user) {
  const as_byte_level members = {
      .add_prefix_space = options->add_prefix_space, .trim_offsets = true, .use_regex = true};
  as_loader *loader = &t->pairs.loader;
  t->bpe = as_bpe_new(loader->ctx);
  as_status status = as_put_stage(loader->tokenizer, AS_STAGE_MODEL, &as_bpe_model.component, t->bpe);
  if (status == AS_OK) status = as_name_special_tokens(loader, &as_bpe_model);
  if (status == AS_OK) status = as_make_byte_words(loader, members);
  if (status == AS_OK) status = as_word_counts_read(&t->pairs.words, loader->tokenizer, next, user, is_counted);
  if (status == AS_OK) status = add_alphabet(t);
  if (status == AS_OK) status = as_pair_trainer_spell(&t->pairs, symbol_of);
  if (status == AS_OK) status = join_pairs(t, options);
  if (status == AS_OK) status = as_make_roberta_tokens(loader, members);
  return status == AS_OK ? as_tokenizer_finish(loader) : status;
}

as_status as_byte_bpe_train(as_context *ctx, const as_byte_bpe_training *options, as_text_source next, void *user,
                            as_tokenizer **out) {
  trainer t = {.status = AS_OK};
  as_status status = as_pair_trainer_begin(&t.pairs, ctx, options->vocab_size);
  if (status == AS_OK) status = train(&t, options, next, user);
  as_pair_trainer_end(&t.pairs, status, out);
  return status;
}
