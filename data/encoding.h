/* Character encodings of data files: which one a file is in, and conversion to UTF-8 as it is read.
 *
 * Telling Windows-1252 from UTF-8 with damaged bytes is a judgement, made here once: a file counts as Windows-1252 when
 * it has at least 3 places that are not UTF-8, correct multi-byte sequences are at most a tenth of those, none of the
 * places begins with a byte that Windows-1252 leaves undefined, and nine of ten begin with a letter or mark that
 * Western European text uses. Otherwise it is UTF-8, and its bad rows are reported row by row. */
#ifndef AS_DATA_ENCODING_H
#define AS_DATA_ENCODING_H

#include "base/buffer.h"

typedef enum as_text_encoding {
  AS_ENCODING_AUTO, /* UTF-8; a file that is in another encoding is refused with that encoding's name */
  AS_ENCODING_UTF_8,
  AS_ENCODING_UTF_16, /* asked for: the byte order mark or the place of the zero bytes tells which of the next two */
  AS_ENCODING_UTF_16LE,
  AS_ENCODING_UTF_16BE,
  AS_ENCODING_WINDOWS_1252,
  AS_ENCODING_LATIN_1,
  AS_ENCODING_UTF_32 /* only ever detected; not converted */
} as_text_encoding;

/* NULL gives AUTO. Upper and lower case, '-' and '_' are alike; AS_E_INVALID lists the names that are known. */
AS_MUST_CHECK as_status as_encoding_by_name(as_context *ctx, const char *name, as_text_encoding *out);
const char *as_encoding_name(as_text_encoding encoding); /* as --encoding takes it */

/* What has been seen of a file so far; bytes are added in blocks of any size. */
typedef struct as_encoding_survey {
  uint64_t bytes;
  uint64_t line;               /* of the next byte, 1-based */
  uint64_t first_invalid_line; /* of the first place that is not UTF-8; 0: none so far */
  uint64_t valid;              /* correct sequences of two to four bytes */
  uint64_t invalid;            /* maximal invalid subparts */
  uint64_t undefined_1252;     /* invalid ones that begin with 81, 8D, 8F, 90 or 9D */
  uint64_t plausible_1252;     /* invalid ones that begin with what Western European text uses */
  unsigned char head[64];      /* the first bytes */
  int needed;                  /* continuation bytes that the sequence in progress lacks */
  unsigned char lead, low, high;
} as_encoding_survey;

void as_encoding_survey_start(as_encoding_survey *survey);
void as_encoding_survey_add(as_encoding_survey *survey, const unsigned char *bytes, size_t length);
/* The judgement: UTF_8, UTF_16LE, UTF_16BE, UTF_32 or WINDOWS_1252. *bom (may be NULL): bytes of the mark to skip. */
as_text_encoding as_encoding_detect(const as_encoding_survey *survey, size_t *bom);

/* The byte that a code point is in Windows-1252, or in ISO 8859-1 up to U+00FF; -1 if it is in neither. */
int as_windows_1252_byte(uint32_t code_point);

/* Converts a stream of bytes. What has no meaning in the encoding (a lone surrogate, half a unit at the end, an
 * undefined byte of Windows-1252) becomes bytes that are not UTF-8, so that it is found where every text is checked. */
typedef struct as_decoder {
  as_text_encoding encoding; /* UTF_16LE, UTF_16BE, WINDOWS_1252 or LATIN_1 */
  uint32_t surrogate;        /* a high surrogate that waits for its other half, or 0 */
  int odd;                   /* first byte of a unit that was cut, or -1 */
} as_decoder;

void as_decoder_start(as_decoder *decoder, as_text_encoding encoding);
/* Appends UTF-8 to `out`; `last` says that nothing follows. */
void as_decoder_convert(as_decoder *decoder, const unsigned char *bytes, size_t length, bool last, as_buffer *out);

#endif
