/* The name of a token that stands for a byte, "<0x00>" to "<0xFF>". */
#ifndef AS_TOKENIZER_BYTE_TOKEN_H
#define AS_TOKENIZER_BYTE_TOKEN_H

#include <stddef.h>
#include <string.h>

/* The byte that a token stands for, -1 if it is not of that form; small digits are allowed. */
static inline int as_byte_token(const char *token, size_t length) {
  static const char digits[] = "0123456789ABCDEF0123456789abcdef";
  if (length != 6 || memcmp(token, "<0x", 3) != 0 || token[5] != '>') return -1;
  const char *high = token[3] ? strchr(digits, token[3]) : NULL, *low = token[4] ? strchr(digits, token[4]) : NULL;
  return high && low ? (int)((high - digits) % 16 * 16 + (low - digits) % 16) : -1;
}

/* Writes the name of a byte, ended by NUL. */
static inline void as_byte_token_name(unsigned char byte, char name[7]) {
  static const char digits[] = "0123456789ABCDEF";
  memcpy(name, "<0x", 3);
  name[3] = digits[byte >> 4];
  name[4] = digits[byte & 15];
  memcpy(name + 5, ">", 2);
}

#endif
