/* Decoding token by token, for text that is shown while it is being generated.
 *
 * Invariant: what was given out is the beginning of what as_tokenizer_decode gives for all tokens so far, and it is
 * whole characters: bytes that a later token may complete are held back until it comes or the stream ends. (Only where
 * byte tokens that are no UTF-8 follow others can decoding change a text that was given out; it then stays.) */
#ifndef AS_TOKENIZER_DECODE_STREAM_H
#define AS_TOKENIZER_DECODE_STREAM_H

#include "tokenizer/tokenizer.h"

typedef struct as_decode_stream {
  const as_tokenizer *tokenizer;
  bool skip_special_tokens;
  int64_t *ids; /* [count] the last tokens, from one on that does not depend on what came before */
  size_t count, capacity;
  as_buffer text; /* what they decode to */
  size_t given;   /* bytes of it that were given out */
} as_decode_stream;

/* Makes a stream; allocates nothing. The tokenizer must live longer. */
void as_decode_stream_init(as_decode_stream *stream, const as_tokenizer *tokenizer, as_context *ctx,
                           bool skip_special_tokens);
void as_decode_stream_free(as_decode_stream *stream);

/* Takes the next token and appends the text that is certain now, often none, to `out`. */
AS_MUST_CHECK as_status as_decode_stream_put(as_decode_stream *stream, int64_t id, as_buffer *out);
/* Appends what was held back. The stream may then begin anew. */
AS_MUST_CHECK as_status as_decode_stream_end(as_decode_stream *stream, as_buffer *out);

#endif
