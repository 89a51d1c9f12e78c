/* The two counts that training a Unigram rests on, over all words: how often each piece is expected to be used when all
 * ways to cut a word count by their probability, and how often the best way uses it.
 *
 * Both are added up as integers, so that they do not depend on the number of threads or the order of the words. */
#ifndef AS_TOKENIZER_PIECE_COUNTS_H
#define AS_TOKENIZER_PIECE_COUNTS_H

#include "tokenizer/seed_pieces.h"
#include "tokenizer/trie.h"

enum { AS_TRAINING_WORD = 48 }; /* characters; longer words are cut for training */

/* Pieces with their scores (log probabilities), made ready to be counted. */
typedef struct as_piece_counter {
  as_context *ctx;
  const char *pool;
  const as_training_piece *words; /* [word_count] of at most AS_TRAINING_WORD characters */
  size_t word_count;
  const as_training_piece *pieces; /* [piece_count]; all characters of the words are among them */
  size_t piece_count;
  as_trie trie;
  double *weights; /* [piece_count] probabilities, times a factor for each character that is the same everywhere */
  int64_t *lanes;  /* [threads, piece_count] */
  double scale;    /* of what is in `lanes` */
  bool best;       /* the best way counts, not all by their probability */
} as_piece_counter;

/* Builds the trie. Free the counter whatever the status. */
AS_MUST_CHECK as_status as_piece_counter_init(as_piece_counter *counter, as_context *ctx, const char *pool,
                                              const as_training_piece *words, size_t word_count,
                                              const as_training_piece *pieces, size_t piece_count);
void as_piece_counter_free(as_piece_counter *counter);

/* counts[piece_count]: the expected uses (Kudo 2018, the E step, by the forward-backward algorithm). The scores may
 * have changed since the last call, the pieces not. */
void as_expected_counts(as_piece_counter *counter, double *counts);
/* counts[piece_count]: the uses in the best ways. */
void as_best_counts(as_piece_counter *counter, double *counts);

/* The best way to cut piece `index` into other pieces: its score, and the pieces in parts[AS_SEED_CHARACTERS], *count
 * of them, 0 if there is no way. */
double as_best_without(const as_piece_counter *counter, size_t index, uint32_t *parts, size_t *count);

#endif
