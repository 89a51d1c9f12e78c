/* Making a Precompiled normalizer without a file, and its rules. */
#ifndef AS_TOKENIZER_PRECOMPILED_H
#define AS_TOKENIZER_PRECOMPILED_H

#include "tokenizer/charsmap.h"
#include "tokenizer/stages.h"

extern const as_normalizer_type as_precompiled_normalizer;

/* The state for a charsmap's blob. AS_E_MODEL as as_charsmap_read. */
AS_MUST_CHECK as_status as_precompiled_new(as_context *ctx, const char *blob, size_t length, void **state);
const as_charsmap *as_precompiled_rules(const void *state);

#endif
