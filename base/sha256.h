/* SHA-256 (FIPS 180-4): what tells whether a file is still the one it was. */
#ifndef AS_BASE_SHA256_H
#define AS_BASE_SHA256_H

#include "base/context.h"

typedef struct as_sha256 {
  uint32_t state[8];
  uint64_t length; /* bytes taken so far */
  unsigned char block[64];
} as_sha256;

void as_sha256_start(as_sha256 *hash);
void as_sha256_update(as_sha256 *hash, const void *bytes, size_t length);
/* Writes the digest; the hash has to be started again before further use. */
void as_sha256_finish(as_sha256 *hash, unsigned char digest[32]);

/* Lower-case hexadecimal digits and a NUL. */
void as_sha256_hex(const unsigned char digest[32], char hex[65]);

/* Digest of a file's bytes, read in blocks. A missing or unreadable file gives `kind`. */
AS_MUST_CHECK as_status as_sha256_file(as_context *ctx, const char *path, as_status kind, unsigned char digest[32]);

#endif
