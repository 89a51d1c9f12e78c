/* See text_faults.h. */
#include "data/text_faults.h"

#include "base/utf8.h"
#include "data/encoding.h"

enum { LONGEST = 4 }; /* bytes of a character in UTF-8 */

static uint32_t next(const char *text, size_t length, size_t *at) {
  uint32_t code_point;
  const int bytes = as_utf8_decode(text + *at, length - *at, &code_point);
  *at += (size_t)(bytes < 0 ? -bytes : bytes);
  return code_point;
}

/* Whether the text goes on, at `at`, with characters that are the bytes of one character. */
static bool is_mojibake(const char *text, size_t length, size_t at) {
  char bytes[LONGEST];
  int count = 0;
  uint32_t meant;
  while (count < LONGEST && at < length) {
    const int byte = as_windows_1252_byte(next(text, length, &at));
    if (byte < 0x80) break;
    bytes[count++] = (char)byte;
  }
  return count > 1 && as_utf8_decode(bytes, (size_t)count, &meant) > 1;
}

static bool is_control(uint32_t c) {
  if (c == '\t' || c == '\n' || c == '\r' || c == 0x85) return false;
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x200B || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

as_data_problem as_text_fault(const char *text, size_t length) {
  as_data_problem found = AS_PROBLEM_NONE;
  for (size_t at = 0; at < length;) {
    if ((unsigned char)text[at] >= 0x20 && (unsigned char)text[at] < 0x7F) {
      at++;
      continue;
    }
    if (is_mojibake(text, length, at)) return AS_PROBLEM_MOJIBAKE;
    const uint32_t c = next(text, length, &at);
    if (c == 0xFFFD) found = AS_PROBLEM_REPLACEMENT;
    if (found == AS_PROBLEM_NONE && is_control(c)) found = AS_PROBLEM_CONTROL;
  }
  return found;
}
