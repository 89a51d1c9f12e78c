/* See stop_strings.h. */
#include "infer/stop_strings.h"

#include <string.h>

#include "base/memory.h"

as_status as_stop_strings_init(as_stop_strings *s, as_context *ctx, const as_tokenizer *tokenizer,
                               const char *const *strings, size_t count) {
  *s = (as_stop_strings){.tokenizer = tokenizer, .strings = strings, .count = count};
  as_buffer_init(&s->text, ctx);
  for (size_t i = 0; i < count; i++)
    if (!strings[i][0]) return as_fail(ctx, AS_E_INVALID, "a string to stop at is empty: every text has it");
  return AS_OK;
}

void as_stop_strings_free(as_stop_strings *s) {
  if (!s->text.ctx) return;
  as_free(s->text.ctx, s->ids);
  as_buffer_free(&s->text);
  *s = (as_stop_strings){0};
}

/* Where `wanted` first begins in text [length], which may hold NULs; `length` if nowhere. */
static size_t find(const char *text, size_t length, const char *wanted) {
  const size_t width = strlen(wanted);
  for (size_t i = 0; i + width <= length; i++)
    if (text[i] == wanted[0] && memcmp(text + i, wanted, width) == 0) return i;
  return length;
}

size_t as_stop_strings_cut(const as_stop_strings *s, const char *text, size_t length) {
  size_t cut = length;
  for (size_t i = 0; i < s->count; i++) {
    const size_t found = find(text, length, s->strings[i]);
    if (found < cut) cut = found;
  }
  return cut;
}

static as_status decode(as_stop_strings *s, const int32_t *ids, int64_t count) {
  int64_t *grown = as_grow(s->text.ctx, s->ids, &s->id_capacity, (size_t)count + 1, sizeof *grown);
  if (!grown) return AS_E_NOMEM;
  s->ids = grown;
  for (int64_t i = 0; i < count; i++) s->ids[i] = ids[i];
  as_buffer_clear(&s->text);
  return as_tokenizer_decode(s->tokenizer, s->ids, (size_t)count, true, &s->text);
}

bool as_stop_strings_met(void *stop, const int32_t *ids, int64_t count) {
  as_stop_strings *s = stop;
  if (s->status == AS_OK && s->count > 0) s->status = decode(s, ids, count);
  if (s->status != AS_OK || s->count == 0) return false;
  return as_stop_strings_cut(s, s->text.data, s->text.length) < s->text.length;
}
