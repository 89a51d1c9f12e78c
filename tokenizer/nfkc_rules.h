/* The character map of a trained Unigram tokenizer: NFKC, white space of all kinds to a space, control characters to
 * nothing. */
#ifndef AS_TOKENIZER_NFKC_RULES_H
#define AS_TOKENIZER_NFKC_RULES_H

#include "base/buffer.h"

/* Appends the blob of a precompiled charsmap (charsmap.h) to `out`. Each code point that NFKC rewrites has a rule, and
 * so has each pair of a letter and a mark, and each canonical decomposition, that NFKC joins into one code point;
 * Hangul syllables are not put together. Depends on the Unicode version of utf8proc. */
AS_MUST_CHECK as_status as_nfkc_rules(as_context *ctx, as_buffer *out);

#endif
