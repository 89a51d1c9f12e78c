/* See columns.h. */
#include "base/columns.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"

static bool is_control(uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Terminal columns of a code point. */
static int columns_of(uint32_t code_point) {
  const int columns = is_control(code_point) ? 1 : utf8proc_charwidth((utf8proc_int32_t)code_point);
  return columns < 0 ? 0 : columns;
}

int as_text_columns(const char *text) {
  int columns = 0;
  uint32_t code_point;
  for (size_t left = strlen(text); left > 0;) {
    const int bytes = abs(as_utf8_decode(text, left, &code_point));
    columns += columns_of(code_point);
    text += bytes;
    left -= (size_t)bytes;
  }
  return columns;
}

/* Appends as much of `text` as has room, and ".." when that is not all; returns the columns it took. */
static int append_cut(as_buffer *out, const char *text, int width) {
  const bool cut = as_text_columns(text) > width;
  const int room = cut ? width - 2 : width;
  int used = 0;
  uint32_t code_point;
  for (size_t left = strlen(text); left > 0;) {
    const int bytes = abs(as_utf8_decode(text, left, &code_point));
    if (used + columns_of(code_point) > room) break;
    char shown[4];
    if (is_control(code_point)) code_point = '?';
    as_buffer_append(out, shown, (size_t)as_utf8_encode(code_point, shown));
    used += columns_of(code_point);
    text += bytes;
    left -= (size_t)bytes;
  }
  if (cut) as_buffer_text(out, "..");
  return used + (cut ? 2 : 0);
}

void as_buffer_columns(as_buffer *out, const char *text, int width) {
  const int used = append_cut(out, text, width);
  as_buffer_printf(out, "%*s", width - used, "");
}

void as_buffer_columns_at_most(as_buffer *out, const char *text, int width) {
  append_cut(out, text, width);
}
