/* BertNormalizer: clean_text, then spaces around CJK ideographs, then NFD without marks (category Mn), then lower case,
 * all per code point and in this order; unicode.h has the classes.
 *
 * ASCII, most of what people write, goes through a table of 128 answers; a code point that nothing happens to is
 * copied. */
#include "tokenizer/bert_normalizer.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/fields.h"
#include "tokenizer/unicode.h"

enum { DROPPED = 0x80, MOST_BYTES = 16 }; /* one step appends at most four code points */

typedef struct bert_normalizer {
  as_bert_switches switches;
  bool strip;                /* strip_accents, decided */
  unsigned char ascii[0x80]; /* what becomes of it; DROPPED */
} bert_normalizer;

/* ---- state ---------------------------------------------------------------------------------------------------- */

void *as_bert_normalizer_new(as_context *ctx, as_bert_switches switches) {
  bert_normalizer *self = as_alloc_zero(ctx, 1, sizeof *self);
  if (!self) return NULL;
  self->switches = switches;
  self->strip = switches.strip_accents == AS_UNSET ? switches.lowercase : switches.strip_accents == AS_TRUE;
  for (uint32_t c = 0; c < 0x80; c++) {
    unsigned flags = as_unicode_flags(c);
    uint32_t lower[2] = {c};
    if (switches.lowercase) as_unicode_lower(c, flags, lower);
    self->ascii[c] = (unsigned char)lower[0];
    if (switches.clean_text && flags & AS_UC_REMOVED)
      self->ascii[c] = DROPPED;
    else if (switches.clean_text && flags & AS_UC_SPACE)
      self->ascii[c] = ' ';
  }
  return self;
}

const as_bert_switches *as_bert_normalizer_switches(const void *state) {
  return &((const bert_normalizer *)state)->switches;
}

static as_status read_switches(as_loader *loader, const json_t *json, void **state) {
  as_bert_switches switches = {
      .clean_text = true, .handle_chinese_chars = true, .strip_accents = AS_UNSET, .lowercase = true};
  as_status status = as_field_bool(loader, json, "", "clean_text", &switches.clean_text);
  if (status == AS_OK) status = as_field_bool(loader, json, "", "handle_chinese_chars", &switches.handle_chinese_chars);
  if (status == AS_OK) status = as_field_bool(loader, json, "", "lowercase", &switches.lowercase);
  const json_t *strip = json_object_get(json, "strip_accents");
  bool value = false;
  if (status == AS_OK) status = as_field_bool(loader, json, "", "strip_accents", &value);
  if (status != AS_OK) return status;
  if (json_is_boolean(strip)) switches.strip_accents = value ? AS_TRUE : AS_FALSE;
  *state = as_bert_normalizer_new(loader->ctx, switches);
  return *state ? AS_OK : AS_E_NOMEM;
}

static void write_switches(const as_tokenizer *tokenizer, const void *state, as_json_writer *writer) {
  (void)tokenizer;
  const as_bert_switches *switches = as_bert_normalizer_switches(state);
  as_json_bool(writer, "clean_text", switches->clean_text);
  as_json_bool(writer, "handle_chinese_chars", switches->handle_chinese_chars);
  if (switches->strip_accents == AS_UNSET)
    as_json_null(writer, "strip_accents");
  else
    as_json_bool(writer, "strip_accents", switches->strip_accents == AS_TRUE);
  as_json_bool(writer, "lowercase", switches->lowercase);
}

static void release(as_context *ctx, void *state) {
  as_free(ctx, state);
}

/* ---- running -------------------------------------------------------------------------------------------------- */

typedef struct run {
  const bert_normalizer *self;
  as_work *work;
  as_aligned_text *out;
} run;

/* The last steps for a decomposed code point: marks go, letters become small. There is room for MOST_BYTES. */
static void put(const run *r, uint32_t code_point, unsigned flags, as_span origin) {
  if (r->self->strip && flags & AS_UC_MARK) return;
  uint32_t lower[2] = {code_point};
  int count = r->self->switches.lowercase ? as_unicode_lower(code_point, flags, lower) : 1;
  for (int i = 0; i < count; i++) {
    char bytes[4];
    int size = as_utf8_encode(lower[i], bytes);
    as_aligned_put(r->out, bytes, (size_t)size, origin);
  }
}

/* Puts the marks that were held back. */
static as_status flush(const run *r, size_t remaining) {
  size_t count;
  if (r->work->nfd.count == 0) return AS_OK;
  const as_nfd_item *items = as_nfd_release(&r->work->nfd, r->work->ctx, &count);
  as_status status =
      items ? as_aligned_reserve(r->work, r->out, count * MOST_BYTES + remaining + MOST_BYTES) : AS_E_NOMEM;
  for (size_t i = 0; i < count && status == AS_OK; i++)
    put(r, items[i].code_point, as_unicode_flags(items[i].code_point), items[i].origin);
  return status;
}

/* NFD, or nothing of the kind, for one code point. */
static as_status decompose(const run *r, uint32_t code_point, unsigned flags, as_span origin, size_t remaining) {
  if (!r->self->strip) {
    put(r, code_point, flags, origin);
    return AS_OK;
  }
  uint32_t parts[4];
  int count = as_unicode_decompose(code_point, flags, parts);
  as_status status = AS_OK;
  for (int i = 0; i < count && status == AS_OK; i++) {
    unsigned part_flags = parts[i] == code_point ? flags : as_unicode_flags(parts[i]);
    if (part_flags & AS_UC_NON_STARTER) {
      status = as_nfd_hold(&r->work->nfd, r->work->ctx,
                           (as_nfd_item){.code_point = parts[i],
                                         .combining_class = (uint8_t)as_unicode_combining_class(parts[i], part_flags),
                                         .first = i == 0,
                                         .origin = origin});
      continue;
    }
    status = flush(r, remaining);
    r->work->nfd.previous = origin;
    if (status == AS_OK) put(r, parts[i], part_flags, origin);
  }
  return status;
}

/* ASCII from `at` on; returns where it ends. There is room for it. */
static uint32_t copy_ascii(const run *r, const as_text_view *in, uint32_t at) {
  const unsigned char *table = r->self->ascii;
  as_aligned_text *out = r->out;
  size_t length = out->length;
  for (; at < in->length && (unsigned char)in->bytes[at] < 0x80; at++) {
    unsigned char c = table[(unsigned char)in->bytes[at]];
    out->bytes[length] = (char)c;
    out->origin[length] = as_view_span(in, at, 1);
    length += c != DROPPED;
  }
  if (length > out->length) r->work->nfd.previous = out->origin[length - 1];
  out->length = length;
  return at;
}

/* One code point that is not ASCII. */
static as_status take(const run *r, uint32_t code_point, as_span origin, size_t remaining) {
  const as_bert_switches *switches = &r->self->switches;
  unsigned flags = as_unicode_flags(code_point);
  if (switches->clean_text && flags & AS_UC_REMOVED) return AS_OK;
  if (switches->clean_text && flags & AS_UC_SPACE) return decompose(r, ' ', AS_UC_SPACE, origin, remaining);
  if (!switches->handle_chinese_chars || !(flags & AS_UC_CJK))
    return decompose(r, code_point, flags, origin, remaining);
  as_status status = decompose(r, ' ', AS_UC_SPACE, origin, remaining);
  if (status == AS_OK) status = decompose(r, code_point, flags, origin, remaining);
  return status == AS_OK ? decompose(r, ' ', AS_UC_SPACE, origin, remaining) : status;
}

static as_status normalize(const void *state, as_work *work, as_text_view in, as_aligned_text *out) {
  const run r = {.self = state, .work = work, .out = out};
  work->nfd.count = 0;
  work->nfd.previous = (as_span){in.base, in.base};
  as_status status = AS_OK;
  for (uint32_t at = 0; at < in.length && status == AS_OK;) {
    size_t remaining = in.length - at;
    unsigned char first = (unsigned char)in.bytes[at];
    status = as_aligned_reserve(work, out, remaining + MOST_BYTES);
    if (status != AS_OK) break;
    if (first < 0x80 && r.self->ascii[first] == DROPPED) {
      at++; /* what is dropped does not part a mark from its letter */
    } else if (first < 0x80) {
      status = flush(&r, remaining);
      if (status == AS_OK) at = copy_ascii(&r, &in, at);
    } else {
      uint32_t code_point;
      int decoded = as_utf8_decode(in.bytes + at, in.length - at, &code_point);
      uint32_t size = (uint32_t)(decoded < 0 ? -decoded : decoded);
      status = take(&r, code_point, as_view_span(&in, at, size), remaining);
      at += size;
    }
  }
  return status == AS_OK ? flush(&r, 0) : status;
}

const as_normalizer_type as_bert_normalizer = {
    .component = {.name = "BertNormalizer", .read = read_switches, .write = write_switches, .release = release},
    .normalize = normalize,
};
