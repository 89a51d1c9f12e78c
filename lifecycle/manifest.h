/* MANIFEST.sha256 of a model version: the SHA-256 of every other file in its folder, in the format of sha256sum, so
 * that `sha256sum -c MANIFEST.sha256` checks it without this program. One line a file, ordered by path.
 *
 * Invariant: a path in a manifest that was read or written is safe to put behind a folder's name: its parts, at most
 * AS_MANIFEST_DEPTH with '/' between, are neither empty nor begin with '.', and hold printable ASCII without '/' and
 * '\'. Nothing else is ever listed, exported or imported. */
#ifndef AS_LIFECYCLE_MANIFEST_H
#define AS_LIFECYCLE_MANIFEST_H

#include "base/context.h"

#define AS_MANIFEST_NAME "MANIFEST.sha256"
#define AS_MANIFEST_DEPTH 4
#define AS_MANIFEST_PATH 100   /* bytes of a path, at most */
#define AS_MANIFEST_FILES 4096 /* at most */

typedef struct as_manifest_entry {
  char path[AS_MANIFEST_PATH + 1];
  unsigned char digest[32];
} as_manifest_entry;

typedef struct as_manifest {
  as_manifest_entry *entries; /* [count], ordered by path */
  size_t count;
} as_manifest;

/* Whether the invariant above holds for this path. */
bool as_manifest_path_ok(const char *path);

/* Digests of all files below `folder`, each brought to the disk (fsync), and written as folder/MANIFEST.sha256. What
 * the folder holds beside files and folders (links, pipes), and a name that is not safe, is refused with AS_E_MODEL. */
AS_MUST_CHECK as_status as_manifest_write(as_context *ctx, const char *folder);

/* AS_E_MODEL with file and line when it is absent or not as above. Caller frees with as_manifest_free, which is allowed
 * after a failure and for a zeroed one. */
AS_MUST_CHECK as_status as_manifest_read(as_context *ctx, const char *folder, as_manifest *out);
void as_manifest_free(as_context *ctx, as_manifest *manifest);

/* Reads every file and holds it against the manifest. Each difference (missing, changed, no plain file, not listed) is
 * told to `problem`, which may be NULL; AS_E_MODEL with the first as text when there is one. */
typedef void as_manifest_problem(void *user, const char *text);
AS_MUST_CHECK as_status as_manifest_check(as_context *ctx, const char *folder, as_manifest_problem *problem,
                                          void *user);

/* Bytes of the files directly and deeper in `folder`, manifest included; nothing is followed. */
AS_MUST_CHECK as_status as_manifest_bytes(as_context *ctx, const char *folder, uint64_t *bytes);

#endif
