/* Making the Metaspace stages without a file. */
#ifndef AS_TOKENIZER_METASPACE_H
#define AS_TOKENIZER_METASPACE_H

#include "tokenizer/stages.h"

extern const as_pre_tokenizer_type as_metaspace_pre_tokenizer;
extern const as_decoder_type as_metaspace_decoder;
extern const as_pre_tokenizer_type as_whitespace_split;

/* The usual state for both: U+2581 for a space, always one at the beginning, split before each. NULL on failure. */
void *as_metaspace_new(as_context *ctx);

#endif
