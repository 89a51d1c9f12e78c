/* UTF-8: decoding that never reads past the end, and repair of what is not UTF-8. */
#ifndef AS_BASE_UTF8_H
#define AS_BASE_UTF8_H

#include "base/buffer.h"

/* Decodes the code point that starts at text[0], `length` > 0 bytes being there. Returns its bytes (1 to 4) and sets
 * *code_point. Where no valid sequence starts, returns minus the length of the maximal invalid subpart (Unicode 15,
 * section 3.9, "U+FFFD Substitution of Maximal Subparts") and sets U+FFFD. */
int as_utf8_decode(const char *text, size_t length, uint32_t *code_point);

/* Writes a code point (a surrogate or one above U+10FFFF becomes U+FFFD); returns the bytes written, 1 to 4. */
int as_utf8_encode(uint32_t code_point, char out[4]);

bool as_utf8_valid(const char *text, size_t length);
size_t as_utf8_count(const char *text, size_t length); /* code points; an invalid subpart counts as one */

/* Appends `text` to `out` with each maximal invalid subpart replaced by U+FFFD; returns how many were replaced. */
size_t as_utf8_repair(as_buffer *out, const char *text, size_t length);

#endif
