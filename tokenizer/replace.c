/* Replace, as a normalizer and as a decoder: every match of a pattern becomes a text. */
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/components.h"
#include "tokenizer/fields.h"
#include "tokenizer/pattern.h"

typedef struct replace {
  as_pattern pattern;
  char *content;
  size_t length;
} replace;

static void release(as_context *ctx, void *state) {
  replace *self = state;
  as_pattern_free(&self->pattern, ctx);
  as_free(ctx, self->content);
  as_free(ctx, self);
}

static as_status read_replace(as_loader *loader, const json_t *json, void **state) {
  const char *content = NULL;
  as_status status = as_field_string(loader, json, "", "content", &content);
  if (status == AS_OK && !content) status = as_field_fail(loader, "", "content", "is missing");
  if (status != AS_OK) return status;
  replace *self = as_alloc_zero(loader->ctx, 1, sizeof *self);
  if (!self) return AS_E_NOMEM;
  *state = self;
  self->content = as_strdup(loader->ctx, content);
  if (!self->content) return AS_E_NOMEM;
  self->length = strlen(content);
  return as_pattern_read(loader, json, &self->pattern);
}

static void write_replace(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  const replace *self = state;
  (void)tokenizer;
  as_pattern_write(&self->pattern, writer);
  as_json_string(writer, "content", self->content);
}

/* A run longer than `most` is matched again from where the match ended; one shorter than `least` is passed over whole,
 * so that a text is looked at once or twice however it is made. */
static size_t skip(const as_pattern *pattern, const char *text, size_t length) {
  as_pattern run = *pattern;
  uint32_t code_point;
  run.least = 1;
  size_t matched = as_pattern_match(&run, text, length);
  int size = as_utf8_decode(text, length, &code_point);
  return matched > 0 && pattern->most > 1 ? matched : (size_t)(size < 0 ? -size : size);
}

/* What is put in stands for the last character of the match, as in the reference. */
static as_status normalize(const void *state, as_work *work, as_text_view in, as_aligned_text *out) {
  const replace *self = state;
  as_status status = AS_OK;
  for (uint32_t at = 0; at < in.length && status == AS_OK;) {
    size_t matched = as_pattern_match(&self->pattern, in.bytes + at, in.length - at);
    if (matched > 0) {
      uint32_t end = at + (uint32_t)matched, last = end - 1;
      while (last > at && ((unsigned char)in.bytes[last] & 0xC0) == 0x80) last--;
      status = as_aligned_reserve(work, out, self->length);
      if (status == AS_OK) as_aligned_put(out, self->content, self->length, as_view_span(&in, last, end - last));
      at = end;
      continue;
    }
    uint32_t end = at + (uint32_t)skip(&self->pattern, in.bytes + at, in.length - at);
    status = as_aligned_reserve(work, out, end - at);
    for (uint32_t size; at < end && status == AS_OK; at += size) {
      uint32_t code_point;
      size = (uint32_t)as_utf8_decode(in.bytes + at, in.length - at, &code_point);
      as_aligned_put(out, in.bytes + at, size, as_view_span(&in, at, size));
    }
  }
  return status;
}

const as_normalizer_type as_replace_normalizer = {
    .component = {.name = "Replace", .read = read_replace, .write = write_replace, .release = release},
    .normalize = normalize,
};

static as_status chain(const void *state, const as_chain *from, as_chain *to) {
  const replace *self = state;
  as_status status = AS_OK;
  for (size_t i = 0; i < from->count && status == AS_OK; i++) {
    size_t length, matched;
    const char *text = as_chain_text(from, i, &length);
    for (size_t at = 0; at < length; at += matched) {
      matched = as_pattern_match(&self->pattern, text + at, length - at);
      if (matched > 0) {
        as_buffer_append(&to->pool, self->content, self->length);
      } else {
        matched = skip(&self->pattern, text + at, length - at);
        as_buffer_append(&to->pool, text + at, matched);
      }
    }
    status = as_chain_end(to);
  }
  return status;
}

const as_decoder_type as_replace_decoder = {
    .component = {.name = "Replace", .read = read_replace, .write = write_replace, .release = release},
    .chain = chain,
};
