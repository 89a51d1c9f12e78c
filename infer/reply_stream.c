/* See reply_stream.h. */
#include "infer/reply_stream.h"

#include <string.h>

void as_reply_stream_init(as_reply_stream *s, as_context *ctx, const as_tokenizer *tokenizer,
                          const as_stop_strings *stop, void (*on_text)(void *user, const char *piece, size_t length),
                          void *user) {
  *s = (as_reply_stream){.stop = stop, .on_text = on_text, .user = user};
  as_decode_stream_init(&s->tokens, tokenizer, ctx, true);
  as_buffer_init(&s->text, ctx);
}

void as_reply_stream_free(as_reply_stream *s) {
  as_decode_stream_free(&s->tokens);
  as_buffer_free(&s->text);
}

/* Gives out the text as far as `end`, or to the first stop string. */
static void give(as_reply_stream *s, size_t end) {
  const size_t cut = as_stop_strings_cut(s->stop, s->text.data, s->text.length);
  if (cut < end) end = cut;
  if (end > s->given) s->on_text(s->user, s->text.data + s->given, end - s->given);
  if (end > s->given) s->given = end;
}

/* How far no stop string can have begun that is not whole yet; the beginning of a character. */
static size_t certain(const as_reply_stream *s) {
  size_t longest = 1, end = s->text.length;
  for (size_t i = 0; i < s->stop->count; i++) {
    const size_t length = strlen(s->stop->strings[i]);
    if (length > longest) longest = length;
  }
  end = end > longest - 1 ? end - (longest - 1) : 0;
  while (end > 0 && end < s->text.length && ((unsigned char)s->text.data[end] & 0xc0) == 0x80) end--;
  return end;
}

void as_reply_stream_put(as_reply_stream *s, int64_t token) {
  if (s->status == AS_OK) s->status = as_decode_stream_put(&s->tokens, token, &s->text);
  if (s->status == AS_OK) s->status = as_buffer_status(&s->text);
  if (s->status == AS_OK) give(s, certain(s));
}

as_status as_reply_stream_end(as_reply_stream *s) {
  if (s->status == AS_OK) s->status = as_decode_stream_end(&s->tokens, &s->text);
  if (s->status == AS_OK) s->status = as_buffer_status(&s->text);
  if (s->status == AS_OK) give(s, s->text.length);
  return s->status;
}
