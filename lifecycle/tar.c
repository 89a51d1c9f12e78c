/* Tar archives. See tar.h. The fields are those of POSIX.1-1988, section 10.1.1. */
#include "lifecycle/tar.h"

#include <inttypes.h>
#include <string.h>

enum {
  BLOCK = 512,
  MODE = 100, /* where each field begins, and how many bytes it has */
  OWNER = 108,
  GROUP = 116,
  NUMBER = 8,
  SIZE = 124,
  TIME = 136,
  LONG_NUMBER = 12,
  CHECKSUM = 148,
  TYPE = 156,
  MAGIC = 257,
  PREFIX = 345,
  PREFIX_LENGTH = 155
};
#define MOST_BYTES 077777777777u /* of a file: 11 octal digits */

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* The sum of all bytes, those of the checksum itself counted as blanks. */
static unsigned checksum(const unsigned char *header) {
  unsigned sum = 0;
  for (int i = 0; i < BLOCK; i++) sum += i >= CHECKSUM && i < CHECKSUM + NUMBER ? ' ' : header[i];
  return sum;
}

static void put_octal(unsigned char *field, int bytes, uint64_t value) {
  field[bytes - 1] = 0;
  for (int i = bytes - 2; i >= 0; i--, value /= 8) field[i] = (unsigned char)('0' + value % 8);
}

as_status as_tar_header(as_context *ctx, FILE *stream, const char *name, uint64_t length) {
  unsigned char header[BLOCK] = {0};
  if (strlen(name) > AS_TAR_NAME || !*name)
    return as_fail(ctx, AS_E_INVALID, "%s: the name is too long for a tar archive", name);
  if (length > MOST_BYTES)
    return as_fail(ctx, AS_E_INVALID, "%s: has %" PRIu64 " bytes; a tar archive holds files of up to 8 GiB", name,
                   length);
  memcpy(header, name, strlen(name));
  put_octal(header + MODE, NUMBER, 0644);
  put_octal(header + OWNER, NUMBER, 0);
  put_octal(header + GROUP, NUMBER, 0);
  put_octal(header + SIZE, LONG_NUMBER, length);
  put_octal(header + TIME, LONG_NUMBER, 0);
  header[TYPE] = '0';
  memcpy(header + MAGIC,
         "ustar\0"
         "00",
         8);
  put_octal(header + CHECKSUM, NUMBER - 1, checksum(header));
  header[CHECKSUM + NUMBER - 1] = ' ';
  fwrite(header, 1, sizeof header, stream);
  return AS_OK;
}

void as_tar_pad(FILE *stream, uint64_t length) {
  static const unsigned char zeros[BLOCK];
  if (length % BLOCK) fwrite(zeros, 1, BLOCK - (size_t)(length % BLOCK), stream);
}

void as_tar_end(FILE *stream) {
  static const unsigned char zeros[2 * BLOCK];
  fwrite(zeros, 1, sizeof zeros, stream);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

as_tar_reader as_tar_open(as_context *ctx, const char *path, const unsigned char *bytes, size_t length) {
  return (as_tar_reader){.ctx = ctx, .path = path, .bytes = bytes, .length = length};
}

static as_status wrong(const as_tar_reader *r, const char *what) {
  return as_fail(r->ctx, AS_E_MODEL, "%s: byte %zu: %s", r->path, r->at, what);
}

/* Octal digits, blanks before and blanks or NULs after them. */
static bool octal(const unsigned char *field, int bytes, uint64_t *value) {
  int i = 0, digits = 0;
  while (i < bytes && field[i] == ' ') i++;
  for (*value = 0; i < bytes && field[i] >= '0' && field[i] <= '7'; i++, digits++)
    *value = *value * 8 + (field[i] - '0');
  while (i < bytes && (field[i] == ' ' || field[i] == 0)) i++;
  return digits > 0 && i == bytes;
}

static bool all_zero(const unsigned char *block) {
  for (int i = 0; i < BLOCK; i++)
    if (block[i]) return false;
  return true;
}

static as_status read_header(as_tar_reader *r, as_tar_file *file, char *type) {
  const unsigned char *header = r->bytes + r->at;
  uint64_t sum;
  if (memcmp(header + MAGIC, "ustar", 5) != 0) return wrong(r, "this is no tar archive");
  if (!octal(header + CHECKSUM, NUMBER, &sum) || sum != checksum(header))
    return wrong(r, "the checksum of a header differs: the archive is damaged");
  if (!octal(header + SIZE, LONG_NUMBER, &file->length)) return wrong(r, "the size of a file is no number");
  *type = header[TYPE] ? (char)header[TYPE] : '0';
  memcpy(file->name, header, AS_TAR_NAME);
  file->name[AS_TAR_NAME] = 0;
  if (header[PREFIX] && header[MAGIC + 5] == 0) return wrong(r, "the name of a file is too long");
  return AS_OK;
}

as_status as_tar_next(as_tar_reader *r, as_tar_file *file, bool *more) {
  *more = false;
  for (;;) {
    char type = 0;
    if (r->length - r->at < BLOCK) return wrong(r, "the archive is cut short");
    if (all_zero(r->bytes + r->at)) return AS_OK;
    as_status status = read_header(r, file, &type);
    if (status != AS_OK) return status;
    const uint64_t left = r->length - r->at - BLOCK;
    if (type == '5' && file->length == 0) {
      r->at += BLOCK;
      continue;
    }
    if (type != '0')
      return wrong(r, "holds something else than files: a link, a device, or an extension of the format");
    if (file->length > left || (BLOCK - file->length % BLOCK) % BLOCK > left - file->length)
      return wrong(r, "the archive is cut short");
    file->bytes = r->bytes + r->at + BLOCK;
    r->at += BLOCK + (size_t)file->length + (size_t)((BLOCK - file->length % BLOCK) % BLOCK);
    *more = true;
    return AS_OK;
  }
}
