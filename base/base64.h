/* Base64 (RFC 4648) with padding, as JSON carries bytes. */
#ifndef AS_BASE_BASE64_H
#define AS_BASE_BASE64_H

#include "base/buffer.h"

/* Appends the characters for `length` bytes. */
void as_base64_encode(as_buffer *out, const void *bytes, size_t length);

/* Appends the bytes that `text` stands for; false, with nothing appended, if it is not Base64. The buffer may have
 * failed, too. */
bool as_base64_decode(as_buffer *out, const char *text, size_t length);

#endif
