/* The substrings that a Unigram vocabulary is chosen from, found with a suffix array. */
#ifndef AS_TOKENIZER_SEED_PIECES_H
#define AS_TOKENIZER_SEED_PIECES_H

#include "base/buffer.h"

enum { AS_SEED_CHARACTERS = 16 }; /* the longest piece */

/* A piece of a word: bytes [start, start + length) of a pool, and how often it occurs. */
typedef struct as_training_piece {
  size_t start;
  uint32_t length;
  uint32_t characters;
  int64_t count;
  double score;
} as_training_piece;

/* Finds the pieces of more than one character in `words` [word_count], parts of `pool`, which is UTF-8; `count` of a
 * word says how often it occurs. Wanted are substrings that occur at least twice, do not always continue with the same
 * character, have at most AS_SEED_CHARACTERS characters, no U+2581 but at the beginning, and one script. Of more than
 * `limit` those stay that cover the most characters. *pieces [*piece_count] is in one order, whatever that
 * of the words; freed by the caller with as_free. Takes time and memory in proportion to the words. */
AS_MUST_CHECK as_status as_seed_pieces(as_context *ctx, const char *pool, const as_training_piece *words,
                                       size_t word_count, size_t limit, as_training_piece **pieces,
                                       size_t *piece_count);

#endif
