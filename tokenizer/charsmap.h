/* A precompiled character map: SentencePiece's rules of what each text is rewritten to, as its files carry them (a
 * double array over the texts to be replaced, then the replacements, each ended by NUL).
 *
 * Invariant: a charsmap that was read is safe to look into, and its replacements are UTF-8. */
#ifndef AS_TOKENIZER_CHARSMAP_H
#define AS_TOKENIZER_CHARSMAP_H

#include "tokenizer/double_array.h"

typedef struct as_charsmap {
  as_context *ctx;
  char *blob; /* as it was read */
  size_t length;
  uint32_t *units;
  as_double_array rules;
  const char *texts; /* [texts_length] in `blob`; a NUL ends the last one */
  uint32_t texts_length;
} as_charsmap;

/* Reads `blob`, which is copied. AS_E_MODEL with a text that says what is wrong and not where. On failure there is
 * nothing to free. */
AS_MUST_CHECK as_status as_charsmap_read(as_context *ctx, const char *blob, size_t length, as_charsmap *out);
void as_charsmap_free(as_charsmap *map);

/* Makes the blob for rules: `keys` are sorted and different; a key's value is the place of its replacement in `texts`.
 * Appends to `out`. */
AS_MUST_CHECK as_status as_charsmap_write(as_context *ctx, const as_double_array_key *keys, size_t count,
                                          const char *texts, size_t texts_length, as_buffer *out);

/* The replacement for the shortest rule that `text` begins with, ended by NUL; NULL if there is none. */
const char *as_charsmap_shortest(const as_charsmap *map, const char *text, size_t length);
/* The same for the longest one, *matched being its length. */
const char *as_charsmap_longest(const as_charsmap *map, const char *text, size_t length, size_t *matched);

#endif
