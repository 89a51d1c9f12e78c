/* UTF-8 by the table of well-formed byte sequences (Unicode 15, table 3-7). */
#include "base/utf8.h"

int as_utf8_decode(const char *text, size_t length, uint32_t *code_point) {
  const unsigned char *bytes = (const unsigned char *)text;
  unsigned char first = bytes[0], low = 0x80, high = 0xBF; /* the range of the second byte */
  if (first < 0x80) {
    *code_point = first;
    return 1;
  }
  *code_point = 0xFFFD;
  if (first < 0xC2 || first > 0xF4) return -1;
  int size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (first == 0xE0) low = 0xA0;  /* overlong */
  if (first == 0xED) high = 0x9F; /* surrogates */
  if (first == 0xF0) low = 0x90;  /* overlong */
  if (first == 0xF4) high = 0x8F; /* above U+10FFFF */
  uint32_t value = first & (0xFFu >> (size + 1));
  for (int i = 1; i < size; i++, low = 0x80, high = 0xBF) {
    if ((size_t)i >= length || bytes[i] < low || bytes[i] > high) return -i;
    value = value << 6 | (bytes[i] & 0x3Fu);
  }
  *code_point = value;
  return size;
}

int as_utf8_encode(uint32_t code_point, char out[4]) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) code_point = 0xFFFD;
  if (code_point < 0x80) {
    out[0] = (char)code_point;
    return 1;
  }
  int size = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
  for (int i = size - 1; i > 0; i--, code_point >>= 6) out[i] = (char)(0x80 | (code_point & 0x3F));
  out[0] = (char)((0xF00u >> size & 0xFF) | code_point);
  return size;
}

bool as_utf8_valid(const char *text, size_t length) {
  uint32_t code_point;
  for (size_t at = 0; at < length;) {
    int size = as_utf8_decode(text + at, length - at, &code_point);
    if (size < 0) return false;
    at += (size_t)size;
  }
  return true;
}

size_t as_utf8_count(const char *text, size_t length) {
  size_t count = 0;
  uint32_t code_point;
  for (size_t at = 0; at < length; count++) {
    int size = as_utf8_decode(text + at, length - at, &code_point);
    at += (size_t)(size < 0 ? -size : size);
  }
  return count;
}

size_t as_utf8_repair(as_buffer *out, const char *text, size_t length) {
  size_t replaced = 0, start = 0; /* [start, at) is valid and not appended yet */
  uint32_t code_point;
  for (size_t at = 0; at < length;) {
    int size = as_utf8_decode(text + at, length - at, &code_point);
    if (size > 0) {
      at += (size_t)size;
      continue;
    }
    as_buffer_append(out, text + start, at - start);
    as_buffer_append(out, "\xEF\xBF\xBD", 3);
    replaced++;
    at += (size_t)-size;
    start = at;
  }
  as_buffer_append(out, text + start, length - start);
  return replaced;
}
