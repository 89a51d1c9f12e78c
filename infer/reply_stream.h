/* A reply as text while it is generated.
 *
 * Invariant: what was given out is whole characters and the beginning of the reply as it will be: nothing of a string
 * at which it stops, and no bytes that a later token may change (tokenizer/decode_stream.h). */
#ifndef AS_INFER_REPLY_STREAM_H
#define AS_INFER_REPLY_STREAM_H

#include "infer/stop_strings.h"
#include "tokenizer/decode_stream.h"

typedef struct as_reply_stream {
  as_decode_stream tokens;
  const as_stop_strings *stop; /* borrowed */
  as_buffer text;              /* all that is certain, stop strings included */
  size_t given;                /* bytes of it that were given out */
  void (*on_text)(void *user, const char *piece, size_t length);
  void *user;
  as_status status; /* why nothing more is taken */
} as_reply_stream;

/* Allocates nothing. The strings of `stop` must be there before the first token. */
void as_reply_stream_init(as_reply_stream *stream, as_context *ctx, const as_tokenizer *tokenizer,
                          const as_stop_strings *stop, void (*on_text)(void *user, const char *piece, size_t length),
                          void *user);
void as_reply_stream_free(as_reply_stream *stream);

/* Takes the next token and gives out what is certain now; a failure sticks. */
void as_reply_stream_put(as_reply_stream *stream, int64_t token);
/* Gives out the rest. Returns the first failure. */
AS_MUST_CHECK as_status as_reply_stream_end(as_reply_stream *stream);

#endif
