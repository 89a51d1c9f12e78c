/* Precompiled: SentencePiece's character map as `tokenizers` applies it, which is not how SentencePiece does. Each
 * grapheme cluster shorter than 6 bytes is looked up whole, and the shortest rule that it begins with rewrites all of
 * it; the code points of longer clusters, and of those without a rule, are looked up one by one.
 *
 * Offsets follow the reference's bookkeeping to the letter: the result is a row of characters, each of which takes the
 * place of the next source character (change 0), is put in after the last one taken (1), or takes its place and that of
 * n more (-n). A character removed at the very start leaves no trace there, so all that follows is off by one. */
#include "tokenizer/precompiled.h"

#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/fields.h"
#include "tokenizer/grapheme.h"

enum { SHORT_CLUSTER = 6 };

typedef struct precompiled {
  as_charsmap map;
  bool mapped[0x80]; /* an ASCII character alone has a rule */
} precompiled;

/* ---- state ---------------------------------------------------------------------------------------------------- */

static void release(as_context *ctx, void *state) {
  as_charsmap_free(&((precompiled *)state)->map);
  as_free(ctx, state);
}

as_status as_precompiled_new(as_context *ctx, const char *blob, size_t length, void **state) {
  precompiled *self = as_alloc_zero(ctx, 1, sizeof *self);
  if (!self) return AS_E_NOMEM;
  as_status status = as_charsmap_read(ctx, blob, length, &self->map);
  if (status != AS_OK) {
    as_free(ctx, self);
    return status;
  }
  for (int c = 1; c < 0x80; c++) self->mapped[c] = as_charsmap_shortest(&self->map, (char[]){(char)c}, 1) != NULL;
  self->mapped['\r'] = true; /* it may begin a cluster of two */
  *state = self;
  return AS_OK;
}

const as_charsmap *as_precompiled_rules(const void *state) {
  return &((const precompiled *)state)->map;
}

static as_status read_map(as_loader *loader, const json_t *json, void **state) {
  const char *key = "precompiled_charsmap", *text = NULL;
  as_status status = as_field_string(loader, json, "", key, &text);
  if (status == AS_OK && !text) status = as_field_fail(loader, "", key, "is missing");
  if (status != AS_OK) return status;
  as_buffer blob;
  as_buffer_init(&blob, loader->ctx);
  if (!as_base64_decode(&blob, text, strlen(text))) status = as_field_fail(loader, "", key, "is not Base64");
  if (status == AS_OK) status = as_buffer_status(&blob);
  if (status == AS_OK) {
    status = as_precompiled_new(loader->ctx, as_buffer_string(&blob), blob.length, state);
    if (status == AS_E_MODEL)
      status = as_fail_prefix(loader->ctx, status, "%s: %s.%s", loader->path, loader->where, key);
  }
  as_buffer_free(&blob);
  return status;
}

static void write_map(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  const as_charsmap *map = as_precompiled_rules(state);
  as_buffer text;
  as_buffer_init(&text, tokenizer->ctx);
  as_base64_encode(&text, map->blob, map->length);
  if (text.failed) writer->out->failed = true;
  as_json_string(writer, "precompiled_charsmap", as_buffer_string(&text));
  as_buffer_free(&text);
}

/* ---- running -------------------------------------------------------------------------------------------------- */

/* The result so far. The last character waits in `pending`: a removal behind it still changes it. */
typedef struct run {
  const as_text_view *in;
  as_work *work;
  as_aligned_text *out;
  uint32_t next; /* source bytes before it are taken */
  as_span last;  /* what the last one taken stands for */
  char pending[4];
  int pending_size; /* 0: none waits */
  long pending_change;
} run;

/* Takes source characters; `count` of them are there. */
static void take(run *r, long count) {
  for (; count > 0 && r->next < r->in->length; count--) {
    uint32_t code_point, size = (uint32_t)as_utf8_decode(r->in->bytes + r->next, r->in->length - r->next, &code_point);
    r->last = as_view_span(r->in, r->next, size);
    r->next += size;
  }
}

/* Gives the waiting character its place. */
static as_status flush(run *r) {
  if (r->pending_size == 0) return AS_OK;
  as_status status = as_aligned_reserve(r->work, r->out, 4);
  if (status != AS_OK) return status;
  as_span origin = r->last;
  if (r->pending_change <= 0) {
    take(r, 1);
    origin = r->last;
    take(r, -r->pending_change);
  }
  as_aligned_put(r->out, r->pending, (size_t)r->pending_size, origin);
  r->pending_size = 0;
  return AS_OK;
}

static as_status put(run *r, const char *bytes, int size, long change) {
  as_status status = flush(r);
  memcpy(r->pending, bytes, (size_t)size);
  r->pending_size = size;
  r->pending_change = change;
  return status;
}

/* Puts `text` for `count` source characters. */
static as_status replace(run *r, size_t count, const char *text) {
  size_t length = strlen(text), put_count = 0;
  as_status status = AS_OK;
  for (size_t at = 0; at < length && status == AS_OK; put_count++) {
    uint32_t code_point;
    int size = as_utf8_decode(text + at, length - at, &code_point);
    status = put(r, text + at, size, put_count >= count);
    at += (size_t)size;
  }
  if (put_count < count && r->pending_size) r->pending_change -= (long)(count - put_count);
  return status;
}

/* Copies ASCII without rules from `at` on, as long as more of it follows; returns where it ends. All before `at` has
 * its place, and nothing that comes later changes what is copied. */
static uint32_t copy_ascii(run *r, const precompiled *self, uint32_t at) {
  const as_text_view *in = r->in;
  as_aligned_text *out = r->out;
  size_t length = out->length;
  for (; at + 1 < in->length; at++) {
    unsigned char c = (unsigned char)in->bytes[at], after = (unsigned char)in->bytes[at + 1];
    if ((c | after) >= 0x80 || self->mapped[c] || self->mapped[after]) break;
    out->bytes[length] = (char)c;
    out->origin[length++] = as_view_span(in, at, 1);
  }
  if (length > out->length) r->last = out->origin[length - 1];
  out->length = length;
  r->next = at;
  return at;
}

/* One cluster of `length` bytes. */
static as_status take_cluster(run *r, const as_charsmap *map, const char *cluster, size_t length) {
  const char *text = length < SHORT_CLUSTER ? as_charsmap_shortest(map, cluster, length) : NULL;
  if (text) return replace(r, as_utf8_count(cluster, length), text);
  as_status status = AS_OK;
  for (size_t at = 0; at < length && status == AS_OK;) {
    uint32_t code_point;
    int size = as_utf8_decode(cluster + at, length - at, &code_point);
    text = as_charsmap_shortest(map, cluster + at, (size_t)size);
    status = text ? replace(r, 1, text) : put(r, cluster + at, size, 0);
    at += (size_t)size;
  }
  return status;
}

static as_status normalize(const void *state, as_work *work, as_text_view in, as_aligned_text *out) {
  const precompiled *self = state;
  run r = {.in = &in, .work = work, .out = out, .last = {in.base, in.base}};
  as_status status = as_aligned_reserve(work, out, in.length);
  for (uint32_t at = 0; at < in.length && status == AS_OK;) {
    unsigned char c = (unsigned char)in.bytes[at];
    if (c < 0x80 && !self->mapped[c]) {
      status = flush(&r);
      if (status == AS_OK) status = as_aligned_reserve(work, out, in.length - at);
      if (status != AS_OK) break;
      if (r.next == at) at = copy_ascii(&r, self, at);
    }
    size_t length = as_grapheme_length(in.bytes + at, in.length - at);
    status = take_cluster(&r, &self->map, in.bytes + at, length);
    at += (uint32_t)length;
  }
  return status == AS_OK ? flush(&r) : status;
}

const as_normalizer_type as_precompiled_normalizer = {
    .component = {.name = "Precompiled", .read = read_map, .write = write_map, .release = release},
    .normalize = normalize,
};
