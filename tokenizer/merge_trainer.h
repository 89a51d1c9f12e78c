/* Byte-pair merging over counted words: what the trainers of WordPiece and BPE share.
 *
 * Sennrich et al., "Neural machine translation of rare words with subword units" (2016), with the reference's details:
 * pairs are counted at every position, overlapping or not, weighted by the word's count; the largest count wins, ties
 * go to the smaller (left id, right id); a pair is replaced from left to right without overlap; if the joined string is
 * already a token, that token's id is used and the vocabulary does not grow. */
#ifndef AS_TOKENIZER_MERGE_TRAINER_H
#define AS_TOKENIZER_MERGE_TRAINER_H

#include "tokenizer/vocabulary.h"

typedef struct as_merge_word {
  size_t start;    /* in symbols */
  uint32_t length; /* symbols */
  int64_t count;   /* how often the word occurs; more than 0 */
} as_merge_word;

typedef struct as_merge_training {
  as_vocabulary *vocabulary; /* holds the single symbols; new tokens get the ids after its last */
  int32_t *symbols;          /* ids; the words' symbols, changed in place */
  as_merge_word *words;      /* [word_count], changed in place */
  size_t word_count;
  size_t vocab_size;      /* stop at so many tokens */
  uint64_t min_frequency; /* stop when the best pair occurs less often; 0 is 1 */
  const char *prefix;     /* taken off the right token when two are joined; "" for none */
  void (*merged)(void *user, int32_t left, int32_t right, int32_t joined); /* told of each merge; may be NULL */
  void *user;
} as_merge_training;

/* Joins pairs until the vocabulary is full or nothing is left to join. Time: the summed length of the words that hold
 * each joined pair, times a logarithm. */
AS_MUST_CHECK as_status as_train_merges(as_merge_training *training);

#endif
