/* Unigram: of all ways to cut a text into pieces of the vocabulary, the one whose scores (log probabilities) have the
 * largest sum (Kudo, "Subword Regularization", 2018).
 *
 * Two programs made the files that are about: `tokenizers` adds the scores up in double precision, word by word;
 * SentencePiece in single precision over the whole text. Both walk from left to right, offer the pieces that begin at
 * a place from short to long, and keep what they have unless the new sum is greater. A character that no piece of one
 * character matches may be cut off as unknown, for 10 less than the least score. */
#ifndef AS_TOKENIZER_UNIGRAM_H
#define AS_TOKENIZER_UNIGRAM_H

#include <math.h>

#include "tokenizer/stages.h"

#define AS_UNKNOWN_PENALTY 10.0
#define AS_NOT_IN_TEXTS (-INFINITY) /* the score of a piece that is not looked for: a control piece, an unused one */

typedef struct as_unigram {
  double unk_score;
  int32_t unk_id;     /* -1: there is none */
  bool byte_fallback; /* a piece for each byte takes the place of the unknown one */
  bool single;        /* sums are rounded to single precision */
  int32_t bytes[256]; /* the pieces for bytes; only with byte_fallback */
} as_unigram;

extern const as_model_type as_unigram_model;

/* Finds the best way for [start, end) of work->text, which is not empty: work->lattice then has, for the end of each
 * token (counted from `start`), its id and the end of the next one, AS_NO_START for the last. *first is the end of the
 * first token. AS_E_INVALID if a character is unknown and there is no unknown token. */
AS_MUST_CHECK as_status as_unigram_best_way(const as_unigram *self, const as_vocabulary *vocabulary, as_work *work,
                                            uint32_t start, uint32_t end, uint32_t *first);

/* The model over a vocabulary that is complete, for double precision and without byte pieces; NULL on failure. */
as_unigram *as_unigram_new(as_context *ctx, const as_vocabulary *vocabulary, int32_t unk_id);

/* Looks up the 256 pieces for bytes and sets byte_fallback if they are all there. */
void as_unigram_find_bytes(as_unigram *self, const as_vocabulary *vocabulary);

#endif
