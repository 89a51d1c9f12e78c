/* Training a WordPiece vocabulary, so that a machine with no downloads can start.
 *
 * The rule is that of Hugging Face's WordPieceTrainer, which is byte-pair merging with a prefix for what continues a
 * word (not the likelihood score of the papers), made deterministic: special tokens first; then every character met, by
 * code point; then "##c" for every character met inside a word, by code point; then, as long as there is room, the pair
 * of neighbours with the largest count is joined, ties going to the smaller (left id, right id). The same texts in any
 * order give the same bytes.
 *
 * Texts pass BERT's normalizer and pre-tokenizer. A word of more than 100 code points is left out: it would be [UNK]
 * whatever the vocabulary. */
#ifndef AS_TOKENIZER_WORDPIECE_TRAINER_H
#define AS_TOKENIZER_WORDPIECE_TRAINER_H

#include "tokenizer/trainer.h"

typedef struct as_wordpiece_training {
  size_t vocab_size;      /* tokens to stop at; reached only if the texts have so many pairs. At least 5 */
  uint64_t min_frequency; /* pairs that occur less often are not joined; 0 and 1: all are */
  bool cased;             /* keep upper case and accents */
} as_wordpiece_training;

/* Trains and makes the tokenizer: [PAD] [UNK] [CLS] [SEP] [MASK] are ids 0 to 4. Memory grows with the number of
 * different words. If the characters alone are more than vocab_size, they are all kept and a warning says so.
 * AS_E_INVALID for a vocab_size below 5, AS_E_DATA if the texts have no word. */
AS_MUST_CHECK as_status as_wordpiece_train(as_context *ctx, const as_wordpiece_training *options, as_text_source next,
                                           void *user, as_tokenizer **out);

#endif
