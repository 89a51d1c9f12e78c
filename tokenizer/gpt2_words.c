/* The alternatives of the pattern in their order. White space before a word gives back its last character, which starts
 * the next word if it is a space (the look-ahead (?!\S) fails there). */
#include "tokenizer/gpt2_words.h"

#include "base/utf8.h"
#include "tokenizer/unicode.h"

enum { CLASSES = AS_UC_LETTER | AS_UC_NUMBER | AS_UC_SPACE }; /* none of them: "other" */

/* The class of the character at text[at], at < end; *size gets its bytes. */
static inline unsigned class_at(const char *text, uint32_t at, uint32_t end, uint32_t *size) {
  unsigned char first = (unsigned char)text[at];
  *size = 1;
  if (first < 0x80) { /* the same that the table says, sooner */
    if ((first | 0x20) >= 'a' && (first | 0x20) <= 'z') return AS_UC_LETTER;
    if (first <= ' ') return first == ' ' || (first >= '\t' && first <= '\r') ? AS_UC_SPACE : 0;
    return first >= '0' && first <= '9' ? AS_UC_NUMBER : 0;
  }
  uint32_t code_point;
  int decoded = as_utf8_decode(text + at, end - at, &code_point);
  *size = (uint32_t)(decoded < 0 ? -decoded : decoded);
  return as_unicode_flags(code_point) & CLASSES;
}

/* Bytes of the contraction at text[at], which is an apostrophe; 0 if there is none. */
static uint32_t contraction(const char *text, uint32_t at, uint32_t end) {
  char first = end - at > 1 ? text[at + 1] : 0, second = end - at > 2 ? text[at + 2] : 0;
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if ((first == 'r' || first == 'v') && second == 'e') return 3;
  return first == 'l' && second == 'l' ? 3 : 0;
}

uint32_t as_gpt2_word_end(const char *text, uint32_t start, uint32_t end, bool spaced) {
  uint32_t at = start, size;
  if (!spaced && text[at] == '\'') {
    size = contraction(text, at, end);
    if (size > 0) return at + size;
  }
  if (!spaced && text[at] == ' ') at++;
  unsigned class = at < end ? class_at(text, at, end, &size) : AS_UC_SPACE;
  if (class != AS_UC_SPACE) {
    do at += size;
    while (at < end && class_at(text, at, end, &size) == class);
    return at;
  }
  uint32_t last = start; /* where the last white space begins */
  for (at = start; at < end && class_at(text, at, end, &size) == AS_UC_SPACE; at += size) last = at;
  return at == end || (last == start && !spaced) ? at : last;
}
