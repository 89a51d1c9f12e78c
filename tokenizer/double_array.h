/* Double arrays: a trie over byte strings in one array of 32-bit units, in the layout of the Darts-clone library, which
 * SentencePiece's files use for their normalization rules.
 *
 * A unit says by which byte it is reached (bits 0 to 7, or bit 31 for a leaf), whether a key ends there (bit 8) and
 * where its children lie: node n's child by byte b is unit n ^ offset ^ b, its leaf unit n ^ offset, which holds the
 * key's value. The array comes from a file: as_double_array_check makes sure that walking is safe and short. */
#ifndef AS_TOKENIZER_DOUBLE_ARRAY_H
#define AS_TOKENIZER_DOUBLE_ARRAY_H

#include "base/buffer.h"

typedef struct as_double_array {
  const uint32_t *units; /* [count] */
  uint32_t count;
} as_double_array;

enum { AS_DOUBLE_ARRAY_DEPTH = 256 }; /* the longest key that is accepted, bytes */

static inline uint32_t as_unit_offset(uint32_t unit) {
  return (unit >> 10) << ((unit & 1u << 9) >> 6);
}

/* Follows `byte` from the node whose children lie at *base (as_unit_offset of units[0] for the root). False if there is
 * no such child. Else *value is the number of the key that ends there, -1 if none does. */
static inline bool as_double_array_step(const as_double_array *array, uint32_t *base, unsigned char byte,
                                        int64_t *value) {
  uint32_t at = *base ^ byte;
  if (at >= array->count || (array->units[at] & (1u << 31 | 0xFF)) != byte) return false;
  *base = at ^ as_unit_offset(array->units[at]);
  *value = array->units[at] & 1u << 8 ? (int64_t)(array->units[*base] & 0x7FFFFFFF) : -1;
  return true;
}

/* AS_E_MODEL, with a text that says what is wrong and not where, unless all that can be reached lies inside the array,
 * without cycles and with no key longer than AS_DOUBLE_ARRAY_DEPTH, and each value is below `value_limit`. */
AS_MUST_CHECK as_status as_double_array_check(as_context *ctx, const as_double_array *array, uint32_t value_limit);

typedef struct as_double_array_key {
  const char *bytes; /* without NUL */
  uint32_t length;   /* at least 1 */
  uint32_t value;    /* below 2^31 */
} as_double_array_key;

/* Makes the array for `keys` [count], which are sorted by their bytes and all different: *units, freed by the caller
 * with as_free, and how many. AS_E_NOMEM; AS_E_LIMIT if there are too many for the layout. */
AS_MUST_CHECK as_status as_double_array_build(as_context *ctx, const as_double_array_key *keys, size_t count,
                                              uint32_t **units, uint32_t *unit_count);

#endif
