/* Collecting the rules of NFKC, one code point at a time. */
#include "tokenizer/nfkc_rules.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/unicode.h"

enum { MOST = 32 }; /* code points of the longest decomposition, U+FDFA, are 18 */

typedef struct rule {
  size_t key; /* in the pool of keys */
  uint32_t length, value;
  const char *bytes; /* set when the pool no longer grows */
} rule;

typedef struct rules {
  as_context *ctx;
  rule *items;
  size_t count, capacity;
  as_buffer keys, texts;
} rules;

static void append(as_buffer *out, const int32_t *code_points, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char bytes[4];
    int size = as_utf8_encode((uint32_t)code_points[i], bytes);
    as_buffer_append(out, bytes, (size_t)size);
  }
}

static as_status put(rules *r, const int32_t *from, size_t from_count, const int32_t *to, size_t to_count) {
  rule *items = as_grow(r->ctx, r->items, &r->capacity, r->count + 1, sizeof *items);
  if (!items) return AS_E_NOMEM;
  r->items = items;
  rule item = {.key = r->keys.length, .value = (uint32_t)r->texts.length};
  append(&r->keys, from, from_count);
  append(&r->texts, to, to_count);
  as_buffer_char(&r->texts, 0);
  item.length = (uint32_t)(r->keys.length - item.key);
  items[r->count++] = item;
  return r->keys.failed || r->texts.failed ? AS_E_NOMEM : AS_OK;
}

/* A normal form of one code point into out[MOST]; the count, 0 if it has none. */
static size_t normal_form(int32_t code_point, int options, int32_t *out) {
  int last_class = 0;
  utf8proc_ssize_t count =
      utf8proc_decompose_char(code_point, out, MOST, (utf8proc_option_t)(options | UTF8PROC_DECOMPOSE), &last_class);
  if (count < 1 || count > MOST) return 0;
  if (options & UTF8PROC_COMPOSE)
    count = utf8proc_normalize_utf32(out, count, (utf8proc_option_t)(options | UTF8PROC_STABLE));
  return count < 1 ? 0 : (size_t)count;
}

static bool is_hangul(int32_t c) {
  return c >= 0xAC00 && c <= 0xD7A3;
}

/* What joins into `c`, if anything does: its decomposition, whole and by its last mark. */
static as_status put_compositions(rules *r, int32_t c) {
  int32_t parts[MOST], pair[2], composed[MOST];
  size_t count = normal_form(c, 0, parts);
  if (count < 2 || is_hangul(c) || normal_form(c, UTF8PROC_COMPOSE, composed) != 1 || composed[0] != c) return AS_OK;
  as_status status = put(r, parts, count, &c, 1);
  if (status != AS_OK || count < 3) return status;
  memcpy(composed, parts, (count - 1) * sizeof *parts);
  utf8proc_ssize_t left = utf8proc_normalize_utf32(composed, (utf8proc_ssize_t)count - 1,
                                                   (utf8proc_option_t)(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
  if (left != 1) return AS_OK;
  pair[0] = composed[0];
  pair[1] = parts[count - 1];
  return put(r, pair, 2, &c, 1);
}

static as_status put_code_point(rules *r, int32_t c) {
  static const int32_t space = ' ';
  unsigned flags = as_unicode_flags((uint32_t)c);
  utf8proc_category_t category = utf8proc_category(c);
  bool zero_width = c == 0x200B || c == 0x200E || c == 0x200F || c == 0xFEFF || c == 0x2581;
  if (flags & AS_UC_SPACE || zero_width) return c == ' ' ? AS_OK : put(r, &c, 1, &space, 1);
  if (category == UTF8PROC_CATEGORY_CC) return put(r, &c, 1, NULL, 0);
  if (category == UTF8PROC_CATEGORY_CN || category == UTF8PROC_CATEGORY_CO) return AS_OK;
  int32_t form[MOST];
  size_t count = normal_form(c, UTF8PROC_COMPOSE | UTF8PROC_COMPAT, form);
  if (count > 1 || (count == 1 && form[0] != c)) return put(r, &c, 1, form, count);
  return put_compositions(r, c);
}

static int compare(const void *a, const void *b) {
  const rule *x = a, *y = b;
  uint32_t length = x->length < y->length ? x->length : y->length;
  int order = memcmp(x->bytes, y->bytes, length);
  return order ? order : (x->length > y->length) - (x->length < y->length);
}

/* Sorts the rules, drops repeated keys and writes the map. */
static as_status write_map(rules *r, as_buffer *out) {
  for (size_t i = 0; i < r->count; i++) r->items[i].bytes = r->keys.data + r->items[i].key;
  qsort(r->items, r->count, sizeof *r->items, compare);
  as_double_array_key *keys = as_alloc(r->ctx, r->count, sizeof *keys);
  if (!keys) return AS_E_NOMEM;
  size_t count = 0;
  for (size_t i = 0; i < r->count; i++) {
    const rule *item = &r->items[i];
    if (i > 0 && compare(&r->items[i - 1], item) == 0) continue;
    keys[count++] = (as_double_array_key){.bytes = item->bytes, .length = item->length, .value = item->value};
  }
  as_status status = as_charsmap_write(r->ctx, keys, count, r->texts.data, r->texts.length, out);
  as_free(r->ctx, keys);
  return status;
}

as_status as_nfkc_rules(as_context *ctx, as_buffer *out) {
  rules r = {.ctx = ctx};
  as_buffer_init(&r.keys, ctx);
  as_buffer_init(&r.texts, ctx);
  as_status status = AS_OK;
  for (int32_t c = 1; c < 0x110000 && status == AS_OK; c++)
    if (c < 0xD800 || c > 0xDFFF) status = put_code_point(&r, c);
  if (status == AS_OK) status = write_map(&r, out);
  as_buffer_free(&r.keys);
  as_buffer_free(&r.texts);
  as_free(ctx, r.items);
  return status;
}
