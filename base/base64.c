/* Base64: three bytes are four characters. */
#include "base/base64.h"

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void as_base64_encode(as_buffer *out, const void *bytes, size_t length) {
  const unsigned char *in = bytes;
  for (size_t at = 0; at < length; at += 3) {
    size_t count = length - at < 3 ? length - at : 3;
    uint32_t group = 0;
    for (size_t i = 0; i < 3; i++) group = group << 8 | (i < count ? in[at + i] : 0u);
    for (size_t i = 0; i < 4; i++) as_buffer_char(out, i > count ? '=' : DIGITS[group >> (18 - 6 * i) & 63]);
  }
}

static int digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool as_base64_decode(as_buffer *out, const char *text, size_t length) {
  size_t start = out->length, padding = 0;
  if (length % 4) return false;
  while (padding < 2 && padding < length && text[length - 1 - padding] == '=') padding++;
  bool good = true;
  for (size_t at = 0; at < length && good; at += 4) {
    uint32_t group = 0;
    size_t count = at + 4 == length ? 4 - padding : 4;
    for (size_t i = 0; i < 4; i++) {
      int value = i < count ? digit(text[at + i]) : 0;
      good = good && value >= 0;
      group = group << 6 | (value < 0 ? 0 : (uint32_t)value);
    }
    char bytes[3] = {(char)(group >> 16), (char)(group >> 8), (char)group};
    if (count < 4 && group & (count == 3 ? 0xFFu : 0xFFFFu)) good = false; /* bits that no byte takes */
    if (good) as_buffer_append(out, bytes, count - 1);
  }
  if (!good && out->data) {
    out->length = start;
    out->data[start] = 0;
  }
  return good;
}
