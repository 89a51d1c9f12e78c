/* The WordPiece decoder: tokens are joined by spaces, except those that begin with the continuing prefix, and the usual
 * spacing around punctuation and contractions is undone; in each token with the space before it, not across tokens, as
 * the reference does it ("i ' m" stays). */
#include <string.h>

#include "base/memory.h"
#include "tokenizer/components.h"
#include "tokenizer/fields.h"

typedef struct wordpiece_decoder {
  char *prefix;
  bool cleanup;
} wordpiece_decoder;

static void release(as_context *ctx, void *state) {
  as_free(ctx, ((wordpiece_decoder *)state)->prefix);
  as_free(ctx, state);
}

void *as_wordpiece_decoder_new(as_context *ctx, const char *prefix, bool cleanup) {
  wordpiece_decoder *self = as_alloc_zero(ctx, 1, sizeof *self);
  if (!self) return NULL;
  self->cleanup = cleanup;
  self->prefix = as_strdup(ctx, prefix);
  if (self->prefix) return self;
  release(ctx, self);
  return NULL;
}

bool as_wordpiece_decoder_is_usual(const void *state) {
  const wordpiece_decoder *self = state;
  return self->cleanup && strcmp(self->prefix, "##") == 0;
}

static as_status read_decoder(as_loader *loader, const json_t *json, void **state) {
  const char *prefix = "##";
  bool cleanup = true;
  as_status status = as_field_string(loader, json, "", "prefix", &prefix);
  if (status == AS_OK) status = as_field_bool(loader, json, "", "cleanup", &cleanup);
  if (status != AS_OK) return status;
  *state = as_wordpiece_decoder_new(loader->ctx, prefix, cleanup);
  return *state ? AS_OK : AS_E_NOMEM;
}

static void write_decoder(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  const wordpiece_decoder *self = state;
  (void)tokenizer;
  as_json_string(writer, "prefix", self->prefix);
  as_json_bool(writer, "cleanup", self->cleanup);
}

/* Replaces every `from` in buffer[start ..] by `to`, which is not longer. */
static void replace(as_buffer *buffer, size_t start, const char *from, const char *to) {
  size_t from_length = strlen(from), to_length = strlen(to), end = buffer->length, write = start;
  char *data = buffer->data;
  for (size_t at = start; at < end;) {
    if (end - at >= from_length && memcmp(data + at, from, from_length) == 0) {
      memcpy(data + write, to, to_length);
      write += to_length;
      at += from_length;
    } else {
      data[write++] = data[at++];
    }
  }
  buffer->length = write;
  data[write] = 0;
}

static void clean_up(as_buffer *out, size_t start) {
  static const char *const rules[][2] = {{" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
                                         {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
                                         {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  if (!memchr(out->data + start, ' ', out->length - start)) return;
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) replace(out, start, rules[i][0], rules[i][1]);
}

static as_status decode(const void *state, as_context *ctx, const as_token_text *tokens, size_t count, as_buffer *out) {
  const wordpiece_decoder *self = state;
  size_t prefix = strlen(self->prefix);
  (void)ctx;
  for (size_t i = 0; i < count; i++) {
    as_token_text token = tokens[i];
    size_t start = out->length;
    bool continuing = token.length >= prefix && memcmp(token.text, self->prefix, prefix) == 0;
    if (i > 0 && continuing) {
      token.text += prefix;
      token.length -= prefix;
    } else if (i > 0) {
      as_buffer_char(out, ' ');
    }
    as_buffer_append(out, token.text, token.length);
    if (out->failed) break;
    if (self->cleanup) clean_up(out, start);
  }
  return as_buffer_status(out);
}

const as_decoder_type as_wordpiece_decoder = {
    .component = {.name = "WordPiece", .read = read_decoder, .write = write_decoder, .release = release},
    .decode = decode,
};
