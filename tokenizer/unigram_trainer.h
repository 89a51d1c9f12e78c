/* Training a Unigram vocabulary (Kudo, "Subword Regularization", 2018), as SentencePiece does it.
 *
 * Texts pass NFKC, are split at white space, and each word begins with U+2581. Pieces start as all frequent substrings,
 * and as the characters. Then, in turn: twice expectation and maximization (the expected uses of each piece, by the
 * forward-backward algorithm; scores digamma(uses) - digamma(all uses), which favours what is used often; pieces with
 * less than half a use go), and a quarter of the pieces, those whose loss costs the texts' likelihood least, goes.
 * Characters stay. The same texts in any order, with any number of threads, give the same bytes.
 *
 * Scores are multiples of 1/1024, so sums of them are exact in single precision, too: SentencePiece, `tokenizers` and
 * this library give the same ids even where two ways to cut a word are equally good. */
#ifndef AS_TOKENIZER_UNIGRAM_TRAINER_H
#define AS_TOKENIZER_UNIGRAM_TRAINER_H

#include "tokenizer/trainer.h"

typedef struct as_unigram_training {
  size_t vocab_size;         /* pieces with the special ones; reached only if the texts have so many */
  double character_coverage; /* share of the texts' characters that get a piece, the most frequent ones; 0: .9995 */
  size_t seed_size;          /* pieces to begin with, at most; 0: 1,000,000 */
  size_t extra_ids;          /* T5's sentinels, <extra_id_0> last, at the end of the vocabulary and part of its size */
} as_unigram_training;

/* Trains and makes the tokenizer, with T5's stages: <pad> </s> <unk> are ids 0 to 2, a text ends with </s>. If the
 * characters alone are more than vocab_size, they are all kept and a warning says so; so does one if
 * the texts have fewer pieces. AS_E_INVALID for sizes that have
 * no room for the special tokens and for a coverage that is not from 0 to 1, AS_E_DATA if the texts have no word. */
AS_MUST_CHECK as_status as_unigram_train(as_context *ctx, const as_unigram_training *options, as_text_source next,
                                         void *user, as_tokenizer **out);

#endif
