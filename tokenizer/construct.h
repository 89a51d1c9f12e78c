/* Making a tokenizer: an empty one, then a format's reader or a trainer fills it, then finishing. */
#ifndef AS_TOKENIZER_CONSTRUCT_H
#define AS_TOKENIZER_CONSTRUCT_H

#include "tokenizer/stages.h"

as_tokenizer *as_tokenizer_new(as_context *ctx); /* NULL on failure; freed with as_tokenizer_free however far it came */

/* Makes added tokens findable, looks up the special tokens and checks the template; the last step. */
AS_MUST_CHECK as_status as_tokenizer_finish(as_loader *loader);

#endif
