/* What the reference tokenizers think of each code point. Their stages froze different versions of Unicode, so these
 * tables, not the installed Unicode library, decide every class; utf8proc is asked only for what no version of Unicode
 * may change: the canonical decomposition and the combining class of a code point that the tables say has one.
 *
 * Invariant: the answers do not depend on the version of utf8proc (2.1 or later, Unicode 9). */
#ifndef AS_TOKENIZER_UNICODE_H
#define AS_TOKENIZER_UNICODE_H

#include <stdint.h>

enum {
  AS_UC_REMOVED = 1 << 0,     /* BERT's clean_text drops it: controls, formats, private use (Unicode 8), NUL, U+FFFD */
  AS_UC_SPACE = 1 << 1,       /* White_Space */
  AS_UC_PUNCTUATION = 1 << 2, /* BERT's punctuation: category P of Unicode 8, and all ASCII symbols */
  AS_UC_CJK = 1 << 3,         /* BERT puts spaces around it */
  AS_UC_MARK = 1 << 4,        /* category Mn (Unicode 8): strip_accents drops it */
  AS_UC_WORD = 1 << 5,        /* \w of a regular expression (Unicode 16) */
  AS_UC_LETTER = 1 << 6,      /* \p{L} (Unicode 16) */
  AS_UC_NUMBER = 1 << 7,      /* \p{N} (Unicode 16) */
  AS_UC_DECOMPOSES = 1 << 8,  /* has a canonical decomposition (Unicode 9) */
  AS_UC_NON_STARTER = 1 << 9, /* combining class other than 0 (Unicode 9); not set for what decomposes */
  AS_UC_CASED = 1 << 10,      /* may have a lower case of its own (Unicode 17) */
  AS_UC_BITS = 11
};

/* Runs of equal classes, ascending: first code point << AS_UC_BITS | flags. */
extern const uint32_t as_unicode_runs[];
extern const uint32_t as_unicode_run_count;
/* For code points below 0x20000: the run that holds code point 256 * i. */
extern const uint16_t as_unicode_pages[0x20000 / 256 + 1];

typedef struct as_lower_row {
  uint32_t first, last; /* code points first, first + step, ... last */
  int32_t step, difference;
} as_lower_row;
extern const as_lower_row as_lower_rows[]; /* ascending; neither ASCII nor U+0130 */
extern const uint32_t as_lower_row_count;

/* The flags of a code point; 0 for one above U+10FFFF. */
unsigned as_unicode_flags(uint32_t code_point);

/* The lower case, out[2]; returns how many code points it is (U+0130 becomes two). `flags` are its flags. */
int as_unicode_lower(uint32_t code_point, unsigned flags, uint32_t out[2]);

/* The full canonical decomposition, out[4]; returns how many code points it is. `flags` are its flags. */
int as_unicode_decompose(uint32_t code_point, unsigned flags, uint32_t out[4]);

/* The canonical combining class, 0 to 254. `flags` are its flags. */
int as_unicode_combining_class(uint32_t code_point, unsigned flags);

#endif
