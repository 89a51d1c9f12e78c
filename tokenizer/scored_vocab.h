/* A Unigram's vocabulary in tokenizer.json: a list of pieces with their scores, in the order of the ids. */
#ifndef AS_TOKENIZER_SCORED_VOCAB_H
#define AS_TOKENIZER_SCORED_VOCAB_H

#include "tokenizer/stages.h"

/* Fills the vocabulary of loader->tokenizer from the member "vocab" of `model`, unless as_scan_vocab has done so. */
AS_MUST_CHECK as_status as_read_scored_vocab(as_loader *loader, const json_t *model);

/* Adds a piece with the next id; `where` names it in messages. AS_E_MODEL if it is empty, too long, not UTF-8 or there
 * already, or its score is not a number. */
AS_MUST_CHECK as_status as_add_piece(as_loader *loader, const char *where, const char *piece, size_t length,
                                     double score);

#endif
