/* Decoders for vocabularies with a token for each byte: ByteFallback makes text of runs of tokens such as <0xE4>, Fuse
 * joins all strings, Strip takes characters off the ends of each. */
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/byte_token.h"
#include "tokenizer/components.h"
#include "tokenizer/fields.h"

/* ---- ByteFallback --------------------------------------------------------------------------------------------- */

/* Ends a run of bytes: its text, or one U+FFFD a byte if it is not UTF-8. */
static as_status end_run(as_buffer *run, as_chain *to) {
  as_status status = as_buffer_status(run);
  if (run->length == 0 || status != AS_OK) return status;
  if (as_utf8_valid(run->data, run->length)) {
    as_buffer_append(&to->pool, run->data, run->length);
    status = as_chain_end(to);
  }
  for (size_t i = 0; i < run->length && !as_utf8_valid(run->data, run->length) && status == AS_OK; i++) {
    as_buffer_text(&to->pool, "\xEF\xBF\xBD");
    status = as_chain_end(to);
  }
  as_buffer_clear(run);
  return status;
}

static as_status fall_back(const void *state, const as_chain *from, as_chain *to) {
  as_buffer run;
  as_status status = AS_OK;
  (void)state;
  as_buffer_init(&run, to->pool.ctx);
  for (size_t i = 0; i < from->count && status == AS_OK; i++) {
    size_t length;
    const char *text = as_chain_text(from, i, &length);
    int byte = as_byte_token(text, length);
    if (byte >= 0) {
      as_buffer_char(&run, (char)byte);
      continue;
    }
    status = end_run(&run, to);
    as_buffer_append(&to->pool, text, length);
    if (status == AS_OK) status = as_chain_end(to);
  }
  if (status == AS_OK) status = end_run(&run, to);
  as_buffer_free(&run);
  return status;
}

const as_decoder_type as_byte_fallback_decoder = {.component = {.name = "ByteFallback"}, .chain = fall_back};

/* ---- Fuse ----------------------------------------------------------------------------------------------------- */

static as_status fuse(const void *state, const as_chain *from, as_chain *to) {
  (void)state;
  as_buffer_append(&to->pool, as_buffer_string(&from->pool), from->pool.length);
  return as_chain_end(to);
}

const as_decoder_type as_fuse_decoder = {.component = {.name = "Fuse"}, .chain = fuse};

/* ---- Strip ---------------------------------------------------------------------------------------------------- */

typedef struct strip {
  char content[5]; /* one character */
  size_t length;
  int64_t start, stop; /* how many at most */
} strip;

static void release(as_context *ctx, void *state) {
  as_free(ctx, state);
}

static as_status read_strip(as_loader *loader, const json_t *json, void **state) {
  const char *content = NULL;
  uint32_t code_point;
  strip *self = as_alloc_zero(loader->ctx, 1, sizeof *self);
  if (!self) return AS_E_NOMEM;
  *state = self;
  as_status status = as_field_string(loader, json, "", "content", &content);
  if (status == AS_OK) status = as_field_int(loader, json, "", "start", 0, INT32_MAX, &self->start);
  if (status == AS_OK) status = as_field_int(loader, json, "", "stop", 0, INT32_MAX, &self->stop);
  if (status != AS_OK) return status;
  self->length = content ? strlen(content) : 0;
  if (self->length == 0 || as_utf8_decode(content, self->length, &code_point) != (int)self->length)
    return as_field_fail(loader, "", "content", "must be one character");
  memcpy(self->content, content, self->length + 1);
  return AS_OK;
}

static void write_strip(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  const strip *self = state;
  (void)tokenizer;
  as_json_string(writer, "content", self->content);
  as_json_int(writer, "start", self->start);
  as_json_int(writer, "stop", self->stop);
}

static as_status strip_ends(const void *state, const as_chain *from, as_chain *to) {
  const strip *self = state;
  as_status status = AS_OK;
  for (size_t i = 0; i < from->count && status == AS_OK; i++) {
    size_t end, start = 0;
    const char *text = as_chain_text(from, i, &end);
    for (int64_t n = 0; n < self->start && end - start >= self->length; n++, start += self->length)
      if (memcmp(text + start, self->content, self->length) != 0) break;
    for (int64_t n = 0; n < self->stop && end - start >= self->length; n++, end -= self->length)
      if (memcmp(text + end - self->length, self->content, self->length) != 0) break;
    as_buffer_append(&to->pool, text + start, end - start);
    status = as_chain_end(to);
  }
  return status;
}

const as_decoder_type as_strip_decoder = {
    .component = {.name = "Strip", .read = read_strip, .write = write_strip, .release = release},
    .chain = strip_ends,
};
