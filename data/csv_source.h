/* The bytes of a data file as blocks of UTF-8: opening, detecting the encoding, converting, hashing. Private to data/.
 *
 * Invariant: every byte of the file enters the hash once, as it stands in the file, before it is converted. */
#ifndef AS_DATA_CSV_SOURCE_H
#define AS_DATA_CSV_SOURCE_H

#include "base/sha256.h"
#include "data/encoding.h"

typedef struct as_csv_source {
  as_context *ctx;
  int fd;
  bool owned; /* close fd at the end */
  char *name; /* for messages: the path, or "standard input" */
  unsigned char *block;
  size_t length; /* bytes in `block` that have not been handed out, from `start` on */
  size_t start;
  bool ended; /* the file has no more bytes */
  bool converting;
  bool finished; /* the converter has been told so */
  as_decoder decoder;
  as_buffer converted;
  as_sha256 hash;
} as_csv_source;

/* Opens `path`; "-" is standard input. On failure (AS_E_DATA) nothing needs closing. */
AS_MUST_CHECK as_status as_csv_source_open(as_csv_source *source, as_context *ctx, const char *path,
                                           as_text_encoding wanted);
/* The same over an open descriptor, which stays the caller's. */
AS_MUST_CHECK as_status as_csv_source_open_fd(as_csv_source *source, as_context *ctx, int fd, const char *name,
                                              as_text_encoding wanted);
/* The next bytes, borrowed until the next call; *length is 0 at the end. */
AS_MUST_CHECK as_status as_csv_source_next(as_csv_source *source, const unsigned char **bytes, size_t *length);
void as_csv_source_close(as_csv_source *source); /* a zeroed source is allowed */

#endif
