/* The first half of encoding, for trainers too: a text becomes words. */
#ifndef AS_TOKENIZER_ENCODE_H
#define AS_TOKENIZER_ENCODE_H

#include "tokenizer/stages.h"

/* Leaves the normal form of a text in work->text and its words and added tokens in work->splits. If its UTF-8 must be
 * repaired, *text and *length become those of a copy in work->repaired[index] and *repaired counts. */
AS_MUST_CHECK as_status as_tokenizer_split(const as_tokenizer *tokenizer, as_work *work, int index, const char **text,
                                           size_t *length, size_t *repaired);

#endif
