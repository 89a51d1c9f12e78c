/* Metaspace: spaces become a visible character (U+2581), one is put before a text that has none, and a word begins at
 * each; the decoder turns them back. WhitespaceSplit, which often goes before, drops the white space between words. */
#include "tokenizer/metaspace.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/fields.h"
#include "tokenizer/unicode.h"

typedef enum prepend { PREPEND_ALWAYS, PREPEND_FIRST, PREPEND_NEVER } prepend;
static const char *const SCHEMES[] = {"always", "first", "never"};

typedef struct metaspace {
  char mark[5]; /* the replacement, one character */
  size_t mark_length;
  prepend scheme;
  bool split;
} metaspace;

static void release(as_context *ctx, void *state) {
  as_free(ctx, state);
}

void *as_metaspace_new(as_context *ctx) {
  metaspace *self = as_alloc_zero(ctx, 1, sizeof *self);
  if (!self) return NULL;
  memcpy(self->mark, "\xE2\x96\x81", 3);
  self->mark_length = 3;
  self->split = true;
  return self;
}

/* ---- files ---------------------------------------------------------------------------------------------------- */

static as_status read_mark(const as_loader *loader, const json_t *json, metaspace *self) {
  const char *mark = self->mark;
  as_status status = as_field_string(loader, json, "", "replacement", &mark);
  if (status != AS_OK) return status;
  uint32_t code_point;
  size_t length = strlen(mark);
  if (length == 0 || as_utf8_decode(mark, length, &code_point) != (int)length || code_point == ' ')
    return as_field_fail(loader, "", "replacement", "must be one character, not a space");
  if (mark != self->mark) memcpy(self->mark, mark, length + 1);
  self->mark_length = length;
  return AS_OK;
}

/* Old files say add_prefix_space instead of prepend_scheme. */
static as_status read_scheme(const as_loader *loader, const json_t *json, metaspace *self) {
  const char *scheme = NULL;
  bool prefix = true;
  as_status status = as_field_bool(loader, json, "", "add_prefix_space", &prefix);
  if (status == AS_OK) status = as_field_string(loader, json, "", "prepend_scheme", &scheme);
  if (status != AS_OK) return status;
  if (!scheme) scheme = SCHEMES[prefix ? PREPEND_ALWAYS : PREPEND_NEVER];
  for (int i = 0; i < 3; i++)
    if (strcmp(scheme, SCHEMES[i]) == 0) {
      self->scheme = (prepend)i;
      return AS_OK;
    }
  return as_field_fail(loader, "", "prepend_scheme", "\"%.20s\" is none of always, first, never", scheme);
}

static as_status read_metaspace(as_loader *loader, const json_t *json, void **state) {
  metaspace *self = as_metaspace_new(loader->ctx);
  if (!self) return AS_E_NOMEM;
  *state = self;
  as_status status = read_mark(loader, json, self);
  if (status == AS_OK) status = read_scheme(loader, json, self);
  return status == AS_OK ? as_field_bool(loader, json, "", "split", &self->split) : status;
}

static void write_metaspace(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  const metaspace *self = state;
  (void)tokenizer;
  as_json_string(writer, "replacement", self->mark);
  as_json_string(writer, "prepend_scheme", SCHEMES[self->scheme]);
  as_json_bool(writer, "split", self->split);
}

/* ---- the pre-tokenizer ---------------------------------------------------------------------------------------- */

static bool begins_with_mark(const metaspace *self, const char *text, size_t length) {
  return length >= self->mark_length && memcmp(text, self->mark, self->mark_length) == 0;
}

/* Rewrites and splits one piece of work->text into work->spare and its pieces. */
static as_status take_piece(const metaspace *self, as_work *work, as_split piece) {
  const char *text = work->text.bytes;
  const as_span *origin = work->text.origin;
  as_aligned_text *out = &work->spare;
  as_status status = as_aligned_reserve(work, out, self->mark_length + (piece.end - piece.start));
  if (status != AS_OK) return status;
  size_t start = out->length;
  bool has_mark = begins_with_mark(self, text + piece.start, piece.end - piece.start) || text[piece.start] == ' ';
  if (!has_mark &&
      (self->scheme == PREPEND_ALWAYS || (self->scheme == PREPEND_FIRST && origin[piece.start].start == 0)))
    as_aligned_put(out, self->mark, self->mark_length, origin[piece.start]);
  for (uint32_t at = piece.start; at < piece.end && status == AS_OK; at++) {
    bool space = text[at] == ' ';
    if (self->split && (space || begins_with_mark(self, text + at, piece.end - at)) && out->length > start) {
      status = as_split_put(work, &work->spare_splits, start, out->length, -1);
      start = out->length;
    }
    if (space && status == AS_OK) status = as_aligned_reserve(work, out, self->mark_length + (piece.end - at));
    if (status == AS_OK) as_aligned_put(out, space ? self->mark : text + at, space ? self->mark_length : 1, origin[at]);
  }
  if (status == AS_OK && out->length > start) status = as_split_put(work, &work->spare_splits, start, out->length, -1);
  return status;
}

static as_status copy_piece(as_work *work, as_split piece) {
  as_aligned_text *out = &work->spare;
  as_status status = as_aligned_reserve(work, out, piece.end - piece.start);
  if (status != AS_OK) return status;
  size_t start = out->length;
  for (uint32_t at = piece.start; at < piece.end; at++)
    as_aligned_put(out, work->text.bytes + at, 1, work->text.origin[at]);
  return as_split_put(work, &work->spare_splits, start, out->length, piece.added);
}

static as_status split(const void *state, as_work *work) {
  as_status status = AS_OK;
  work->spare.length = work->spare_splits.length = 0;
  for (size_t i = 0; i < work->splits.length && status == AS_OK; i++) {
    as_split piece = work->splits.items[i];
    status = piece.added < 0 ? take_piece(state, work, piece) : copy_piece(work, piece);
  }
  if (status == AS_OK) as_work_swap(work);
  return status;
}

const as_pre_tokenizer_type as_metaspace_pre_tokenizer = {
    .component = {.name = "Metaspace", .read = read_metaspace, .write = write_metaspace, .release = release},
    .split = split,
};

/* ---- the decoder ---------------------------------------------------------------------------------------------- */

/* Of the first token every mark goes, of the others each becomes a space. */
static as_status chain(const void *state, const as_chain *from, as_chain *to) {
  const metaspace *self = state;
  as_status status = AS_OK;
  for (size_t i = 0; i < from->count && status == AS_OK; i++) {
    size_t length, start = 0;
    const char *text = as_chain_text(from, i, &length);
    bool drop = i == 0 && self->scheme != PREPEND_NEVER;
    for (size_t at = 0; at < length;) {
      if (!begins_with_mark(self, text + at, length - at)) {
        at++;
        continue;
      }
      as_buffer_append(&to->pool, text + start, at - start);
      if (!drop) as_buffer_char(&to->pool, ' ');
      start = at += self->mark_length;
    }
    as_buffer_append(&to->pool, text + start, length - start);
    status = as_chain_end(to);
  }
  return status;
}

const as_decoder_type as_metaspace_decoder = {
    .component = {.name = "Metaspace", .read = read_metaspace, .write = write_metaspace, .release = release},
    .chain = chain,
};

/* ---- WhitespaceSplit ------------------------------------------------------------------------------------------ */

static as_status split_words(as_work *work, as_split piece) {
  const char *text = work->text.bytes;
  uint32_t start = piece.start, size;
  as_status status = AS_OK;
  for (uint32_t at = piece.start; at < piece.end && status == AS_OK; at += size) {
    unsigned char first = (unsigned char)text[at];
    bool space = first == ' ' || (first >= '\t' && first <= '\r');
    size = 1;
    if (first >= 0x80) {
      uint32_t code_point;
      size = (uint32_t)as_utf8_decode(text + at, piece.end - at, &code_point);
      space = as_unicode_flags(code_point) & AS_UC_SPACE;
    }
    if (!space) continue;
    if (start < at) status = as_split_put(work, &work->spare_splits, start, at, -1);
    start = at + size;
  }
  if (status == AS_OK && start < piece.end) status = as_split_put(work, &work->spare_splits, start, piece.end, -1);
  return status;
}

static as_status split_white_space(const void *state, as_work *work) {
  (void)state;
  as_status status = AS_OK;
  work->spare_splits.length = 0;
  for (size_t i = 0; i < work->splits.length && status == AS_OK; i++) {
    as_split piece = work->splits.items[i];
    status = piece.added < 0 ? split_words(work, piece)
                             : as_split_put(work, &work->spare_splits, piece.start, piece.end, piece.added);
  }
  as_split_list done = work->spare_splits;
  work->spare_splits = work->splits;
  work->splits = done;
  return status;
}

const as_pre_tokenizer_type as_whitespace_split = {.component = {.name = "WhitespaceSplit"},
                                                   .split = split_white_space};
