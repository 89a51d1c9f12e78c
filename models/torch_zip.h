/* The zip archive that torch.save writes since torch 1.6: its members are <root>/data.pkl, <root>/byteorder and a
 * <root>/data/<key> for each storage. Read by libzip. Private to models/; absent without libzip.
 *
 * Invariant: what an archive says of sizes is believed only as far as the file's own size makes it possible. */
#ifndef AS_MODELS_TORCH_ZIP_H
#define AS_MODELS_TORCH_ZIP_H

#include "base/context.h"

typedef struct as_torch_zip as_torch_zip;

/* Opens the archive and finds its root. AS_E_MODEL names the file, and the format if it is one of torch's older ones.
 * Caller closes with as_torch_zip_close. */
AS_MUST_CHECK as_status as_torch_zip_open(as_context *ctx, const char *path, as_torch_zip **out);
void as_torch_zip_close(as_torch_zip *zip); /* NULL is allowed */

/* The number of the member <root>/<name>; -1 if there is none. */
int64_t as_torch_zip_find(const as_torch_zip *zip, const char *name);
/* Its size in bytes when unpacked. AS_E_MODEL names the member when that can't be true or it is packed in a way that
 * is not read here. */
AS_MUST_CHECK as_status as_torch_zip_size(const as_torch_zip *zip, int64_t member, size_t *size);
/* Reads the whole member and checks its checksum: bytes[as_torch_zip_size]. AS_E_MODEL names the member. */
AS_MUST_CHECK as_status as_torch_zip_read(const as_torch_zip *zip, int64_t member, unsigned char *bytes, size_t size);

#endif
