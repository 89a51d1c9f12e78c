/* The rounds of training a Unigram: scores by expectation and maximization, and leaving out the pieces that matter
 * least until a given number is left. */
#ifndef AS_TOKENIZER_PIECE_CHOICE_H
#define AS_TOKENIZER_PIECE_CHOICE_H

#include "tokenizer/seed_pieces.h"

typedef struct as_piece_choice {
  as_context *ctx;
  as_buffer *pool;                /* borrowed; the characters are appended to it */
  const as_training_piece *words; /* [word_count] borrowed */
  size_t word_count;
  as_training_piece *pieces; /* [count] */
  size_t count, capacity;
} as_piece_choice;

/* A choice without pieces yet. Free it whatever the status. */
AS_MUST_CHECK as_status as_piece_choice_init(as_piece_choice *choice, as_context *ctx, as_buffer *pool,
                                             const as_training_piece *words, size_t word_count);
void as_piece_choice_free(as_piece_choice *choice); /* a zeroed one is allowed */

/* Adds the piece of one character, which occurs `count` times; it is never left out. Every character of the words must
 * be added. */
AS_MUST_CHECK as_status as_piece_choice_add(as_piece_choice *choice, uint32_t code_point, int64_t count);
/* Adds pieces of several characters. */
AS_MUST_CHECK as_status as_piece_choice_append(as_piece_choice *choice, const as_training_piece *pieces, size_t count);

/* Leaves `wanted` pieces (or all characters, if those are more; or fewer, if there are not so many), in the order of
 * their scores, the largest first. */
AS_MUST_CHECK as_status as_choose_pieces(as_piece_choice *choice, size_t wanted);

#endif
