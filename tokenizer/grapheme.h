/* Extended grapheme clusters (Unicode Annex 29), of the Unicode version that the reference's Precompiled normalizer has
 * (17).
 *
 * Only what that normalizer can see is right here: clusters shorter than 6 bytes begin and end where they do there, and
 * longer ones do as far as a short one could follow. Pairs of regional indicators, four bytes each, are not joined. */
#ifndef AS_TOKENIZER_GRAPHEME_H
#define AS_TOKENIZER_GRAPHEME_H

#include <stddef.h>
#include <stdint.h>

typedef enum as_grapheme_class {
  AS_GC_OTHER,
  AS_GC_CONTROL, /* stands alone; CR LF is the exception */
  AS_GC_EXTEND,  /* joins what comes before; U+200D is one */
  AS_GC_SPACING, /* so does it, but it ends the chain that a joiner or a virama could continue */
  AS_GC_LINKER,  /* an extending virama: it may join two consonants */
  AS_GC_PREPEND, /* joins what comes after */
  AS_GC_PICTOGRAPHIC,
  AS_GC_CONSONANT,
  AS_GC_L, /* Hangul: leading consonants, vowels, trailing consonants, syllables without and with a trailing one */
  AS_GC_V,
  AS_GC_T,
  AS_GC_LV,
  AS_GC_LVT
} as_grapheme_class;
enum { AS_GC_BITS = 4 };

/* Runs of equal classes, ascending: first code point << AS_GC_BITS | class; syllables are AS_GC_OTHER in it. */
extern const uint32_t as_grapheme_runs[];
extern const uint32_t as_grapheme_run_count;

/* Bytes of the cluster that begins `text`, which is valid UTF-8 of `length` > 0 bytes. */
size_t as_grapheme_length(const char *text, size_t length);

#endif
