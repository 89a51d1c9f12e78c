/* Training by joining pairs of characters, from counted words to the last merge: what the trainers of WordPiece and
 * byte-level BPE do alike. They differ in the stages around the model, in the alphabet and in the symbol of a
 * character. */
#ifndef AS_TOKENIZER_PAIR_TRAINER_H
#define AS_TOKENIZER_PAIR_TRAINER_H

#include "tokenizer/construct.h"
#include "tokenizer/merge_trainer.h"
#include "tokenizer/word_counts.h"

enum { AS_TRAINED_SPECIALS = 5 }; /* special tokens that a vocabulary begins with */

typedef struct as_pair_trainer {
  as_context *ctx;
  as_loader loader; /* of the tokenizer that is being made */
  as_word_counts words;
  int32_t *symbols;    /* ids of the characters of all words */
  as_merge_word *work; /* [words.count] */
} as_pair_trainer;

/* AS_E_INVALID if vocab_size has no room for the special tokens. as_pair_trainer_end frees all in any case: with AS_OK
 * the tokenizer becomes *out, which is NULL otherwise. */
AS_MUST_CHECK as_status as_pair_trainer_begin(as_pair_trainer *trainer, as_context *ctx, size_t vocab_size);
void as_pair_trainer_end(as_pair_trainer *trainer, as_status status, as_tokenizer **out);

/* Adds a token with the next id; the special tokens, by the names that the tokenizer has for them. */
AS_MUST_CHECK as_status as_pair_trainer_add(as_pair_trainer *trainer, const char *token, size_t length);
AS_MUST_CHECK as_status as_pair_trainer_add_specials(as_pair_trainer *trainer,
                                                     const as_special_token which[AS_TRAINED_SPECIALS]);

/* The code point that `text` begins with, or its replacement; returns its bytes. */
size_t as_pair_trainer_decode(const char *text, size_t length, uint32_t *code_point);

/* The id of a character of `size` bytes; `inside`: it is not the first of its word. */
typedef int32_t (*as_symbol_of)(const as_pair_trainer *trainer, const char *character, size_t size, uint32_t code_point,
                                bool inside);
/* Writes the words as ids of the alphabet. */
AS_MUST_CHECK as_status as_pair_trainer_spell(as_pair_trainer *trainer, as_symbol_of symbol_of);

/* Joins pairs by `rules`, of which vocab_size, min_frequency, prefix, merged and user are given. An alphabet that is
 * larger than vocab_size is kept and warned of; `alphabet` says what it is made of. */
AS_MUST_CHECK as_status as_pair_trainer_join(as_pair_trainer *trainer, as_merge_training rules, const char *alphabet);

#endif
