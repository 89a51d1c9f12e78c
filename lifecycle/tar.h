/* Tar archives, as far as carrying plain files goes: POSIX.1-1988 ustar, written here and read from anybody.
 *
 * Written: plain files with mode 0644, owner 0 and time 0, so that the same files make the same archive, byte by byte.
 * Read: plain files; folders are passed over; links, devices, sparse files, long-name and pax entries are refused, and
 * so is any size or offset beyond the archive. Names are only reported: whether one may be written to is the caller's
 * to decide, before anything is written. */
#ifndef AS_LIFECYCLE_TAR_H
#define AS_LIFECYCLE_TAR_H

#include <stdio.h>

#include "base/context.h"

#define AS_TAR_NAME 100 /* bytes of a name at most; longer ones are refused */

/* Appends the header of a file with `length` bytes. AS_E_INVALID for a name or length that the format cannot hold
 * (100 bytes, 8 GiB). The caller then writes the bytes and as_tar_pad. Errors of the stream stick to it. */
AS_MUST_CHECK as_status as_tar_header(as_context *ctx, FILE *stream, const char *name, uint64_t length);
void as_tar_pad(FILE *stream, uint64_t length); /* fills the last block of that file */
void as_tar_end(FILE *stream);                  /* two empty blocks */

typedef struct as_tar_file {
  char name[AS_TAR_NAME + 1];
  const unsigned char *bytes; /* [length], in the archive */
  uint64_t length;
} as_tar_file;

typedef struct as_tar_reader {
  as_context *ctx;
  const char *path; /* for messages; borrowed */
  const unsigned char *bytes;
  size_t length, at;
} as_tar_reader;

as_tar_reader as_tar_open(as_context *ctx, const char *path, const unsigned char *bytes, size_t length);
/* The next plain file; *more is false at the end. AS_E_MODEL with the archive's name and the byte where it is wrong,
 * and when the archive ends without an empty block: then it was cut short. */
AS_MUST_CHECK as_status as_tar_next(as_tar_reader *reader, as_tar_file *file, bool *more);

#endif
