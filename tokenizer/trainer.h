/* Training a tokenizer from texts, whatever its kind: what the trainers share, and the table of them. */
#ifndef AS_TOKENIZER_TRAINER_H
#define AS_TOKENIZER_TRAINER_H

#include "tokenizer/tokenizer.h"

/* Gives the next text, borrowed until the next call; *text NULL after the last one. A status other than AS_OK ends the
 * training with it. */
typedef as_status (*as_text_source)(void *user, const char **text, size_t *length);

/* Trains a tokenizer of `vocab_size` tokens. `model` is the kind as tokenizer.json calls it: "WordPiece" as
 * wordpiece_trainer.h says, "BPE" as byte_bpe_trainer.h does, "Unigram" as
 * unigram_trainer.h does. The same texts in any order give the same bytes.
 * AS_E_INVALID for another kind or a size that has no room for the special tokens, AS_E_DATA if the texts have no word.
 */
AS_MUST_CHECK as_status as_tokenizer_train(as_context *ctx, const char *model, size_t vocab_size, as_text_source next,
                                           void *user, as_tokenizer **out);

#endif
