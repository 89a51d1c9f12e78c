/* A decoder looks at neighbours only: it drops a space at the very beginning, glues bytes of one character, cleans up
 * around a token. So it is enough to decode the last few tokens again with each new one, from a token on whose own text
 * is whole and not empty: that stands for everything before. */
#include "tokenizer/decode_stream.h"

#include <string.h>

#include "base/memory.h"

enum { MANY = 16, MOST_BYTES = 4 }; /* tokens before the beginning is looked for anew; tokens of one character */

void as_decode_stream_init(as_decode_stream *stream, const as_tokenizer *tokenizer, as_context *ctx,
                           bool skip_special_tokens) {
  *stream = (as_decode_stream){.tokenizer = tokenizer, .skip_special_tokens = skip_special_tokens};
  as_buffer_init(&stream->text, ctx);
}

void as_decode_stream_free(as_decode_stream *stream) {
  as_free(stream->text.ctx, stream->ids);
  as_buffer_free(&stream->text);
}

/* The bytes of a text without U+FFFD at its end, which may be the beginning of a character. */
static size_t certain(const as_buffer *text) {
  size_t length = text->length;
  while (length >= 3 && memcmp(text->data + length - 3, "\xEF\xBF\xBD", 3) == 0) length -= 3;
  return length;
}

static as_status decode(as_decode_stream *stream, const int64_t *ids, size_t count) {
  as_buffer_clear(&stream->text);
  return as_tokenizer_decode(stream->tokenizer, ids, count, stream->skip_special_tokens, &stream->text);
}

/* Forgets all but the last tokens, if those stand for themselves. All text was given out. */
static as_status shorten(as_decode_stream *stream) {
  for (size_t kept = 1; kept <= MOST_BYTES; kept++) {
    const int64_t *last = stream->ids + stream->count - kept;
    as_status status = decode(stream, last, kept);
    if (status != AS_OK) return status;
    const as_buffer *text = &stream->text;
    bool whole = text->length > 0 && certain(text) == text->length &&
                 (text->length < 3 || memcmp(text->data, "\xEF\xBF\xBD", 3) != 0);
    if (!whole) continue;
    memmove(stream->ids, last, kept * sizeof *stream->ids);
    stream->count = kept;
    stream->given = text->length;
    return AS_OK;
  }
  return AS_OK;
}

as_status as_decode_stream_put(as_decode_stream *stream, int64_t id, as_buffer *out) {
  if (!as_tokenizer_token(stream->tokenizer, id, NULL) ||
      (stream->skip_special_tokens && as_tokenizer_is_special(stream->tokenizer, id)))
    return AS_OK;
  int64_t *ids = as_grow(stream->text.ctx, stream->ids, &stream->capacity, stream->count + 1, sizeof *ids);
  if (!ids) return AS_E_NOMEM;
  stream->ids = ids;
  ids[stream->count++] = id;
  as_status status = decode(stream, ids, stream->count);
  if (status != AS_OK) return status;
  size_t end = certain(&stream->text);
  if (end > stream->given) {
    as_buffer_append(out, stream->text.data + stream->given, end - stream->given);
    stream->given = end;
  }
  if (stream->count >= MANY && stream->given == stream->text.length) status = shorten(stream);
  return status == AS_OK ? as_buffer_status(out) : status;
}

as_status as_decode_stream_end(as_decode_stream *stream, as_buffer *out) {
  as_status status = stream->count ? decode(stream, stream->ids, stream->count) : AS_OK;
  if (status == AS_OK && stream->count && stream->text.length > stream->given)
    as_buffer_append(out, stream->text.data + stream->given, stream->text.length - stream->given);
  stream->count = stream->given = 0;
  return status == AS_OK ? as_buffer_status(out) : status;
}
