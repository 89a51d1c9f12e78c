/* Lines of a text or JSON-lines input, a file or standard input, one after the other and never longer than a limit.
 *
 * Invariant: memory is bounded by the limit, whatever comes; line numbers are those an editor shows. */
#ifndef AS_CLI_LINES_H
#define AS_CLI_LINES_H

#include <stdio.h>

#include "base/context.h"

typedef struct as_lines {
  as_context *ctx;
  FILE *stream;
  const char *name; /* the path, or "standard input"; borrowed */
  char *line;
  size_t capacity, limit;
  uint64_t number; /* of the line last read; from 1 */
  bool at_end;
} as_lines;

#define AS_LINE_LIMIT ((size_t)16 << 20) /* bytes; enough for any record that makes sense */

/* Opens `path` ("-": standard input); a line may have up to `limit` bytes. AS_E_DATA if the file can't be read. `path`
 * is borrowed until as_lines_close. */
AS_MUST_CHECK as_status as_lines_open(as_context *ctx, const char *path, size_t limit, as_lines *out);
/* The next line without its end (LF or CR LF; a byte order mark before the first is dropped), followed by a NUL that
 * *length does not count. *line is NULL after the last line; else it is valid until the next call. A line over the
 * limit gives AS_E_DATA with its number, and the call after that goes on behind it. */
AS_MUST_CHECK as_status as_lines_next(as_lines *lines, const char **line, size_t *length);
/* Records "NAME line N: ..." as AS_E_DATA and returns that. */
as_status as_lines_fail(const as_lines *lines, const char *format, ...) AS_PRINTF(2, 3);
void as_lines_close(as_lines *lines); /* a zeroed as_lines is allowed */

#endif
