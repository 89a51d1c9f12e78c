/* Training a byte-level BPE vocabulary, so that a machine with no downloads can start.
 *
 * The rule is that of Hugging Face's BpeTrainer with the byte map as initial alphabet: special tokens first; then the
 * 256 characters of the byte map, by code point; then, as long as there is room, the pair of neighbours with the
 * largest count is joined, ties going to the smaller (left id, right id). The same texts in any order give the same
 * bytes.
 *
 * Texts pass RoBERTa's pre-tokenizer. A word of more than 4096 bytes is left out: it is no word, and each rule would
 * have to go through it. */
#ifndef AS_TOKENIZER_BYTE_BPE_TRAINER_H
#define AS_TOKENIZER_BYTE_BPE_TRAINER_H

#include "tokenizer/trainer.h"

typedef struct as_byte_bpe_training {
  size_t vocab_size;      /* tokens to stop at; reached only if the texts have so many pairs. At least 5 */
  uint64_t min_frequency; /* pairs that occur less often are not joined; 0 and 1: all are */
  bool add_prefix_space;  /* read a text as if a space stood before it, in training and use */
} as_byte_bpe_training;

/* Trains and makes the tokenizer: <s> <pad> </s> <unk> <mask> are ids 0 to 4, as RoBERTa has them. Memory grows with
 * the number of different words. If the characters alone are more than vocab_size, they are all kept and a warning says
 * so. AS_E_INVALID for a vocab_size below 5, AS_E_DATA if the texts have no word. */
AS_MUST_CHECK as_status as_byte_bpe_train(as_context *ctx, const as_byte_bpe_training *options, as_text_source next,
                                          void *user, as_tokenizer **out);

#endif
