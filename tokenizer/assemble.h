/* From the tokens of the texts to the arrays of an encoding: truncation, special tokens, padding. */
#ifndef AS_TOKENIZER_ASSEMBLE_H
#define AS_TOKENIZER_ASSEMBLE_H

#include "tokenizer/stages.h"

/* Fills the encoding from work->tokens of `texts` texts (1 or 2): all but offsets in code points, and `repaired`. */
AS_MUST_CHECK as_status as_assemble(const as_tokenizer *tokenizer, const as_encode_options *options, int texts,
                                    as_encoding *encoding);

#endif
