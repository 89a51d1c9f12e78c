/* Files: read whole or mapped, written atomically.
 *
 * Invariant: after as_file_write or as_file_commit a reader sees the old file or the new one, never a part; an
 * interrupted write leaves at most a file whose name ends in ".tmp-<pid>-<n>". */
#ifndef AS_BASE_FILE_H
#define AS_BASE_FILE_H

#include <stdio.h>

#include "base/buffer.h"
#include "base/context.h"

/* Reads a whole regular file. `limit` is the most bytes that will be read (0: no limit but memory); a larger file is
 * refused with `kind`. A missing or unreadable file gives `kind` too (AS_E_DATA, AS_E_MODEL, AS_E_IO), as the caller
 * sees it. *data ends with a NUL that *length does not count; caller frees it with as_free. */
AS_MUST_CHECK as_status as_file_read(as_context *ctx, const char *path, size_t limit, as_status kind, char **data,
                                     size_t *length);

/* A read-only view of a file. An empty file gives data "" and length 0. The view stays good when the file is replaced
 * or removed; a program that cuts it short in place kills its readers with SIGBUS, here as everywhere. */
typedef struct as_mapping {
  const unsigned char *data;
  size_t length;
  void *owner; /* private */
} as_mapping;
AS_MUST_CHECK as_status as_file_map(as_context *ctx, const char *path, as_status kind, as_mapping *mapping);
void as_file_unmap(as_context *ctx, as_mapping *mapping); /* a zeroed mapping is allowed */

/* Writes `length` bytes to `path` atomically: temporary name, fsync, rename, fsync of the folder. An existing file's
 * permissions are kept. AS_E_IO on failure. */
AS_MUST_CHECK as_status as_file_write(as_context *ctx, const char *path, const void *bytes, size_t length);

/* The same for a buffer's text and "folder/name"; a buffer that failed gives its error. */
AS_MUST_CHECK as_status as_file_write_into(as_context *ctx, const char *folder, const char *name,
                                           const as_buffer *buffer);

/* The same for a file too large to hold: begin, write to `stream`, then commit or abandon. `stream` is binary. */
typedef struct as_file_writer {
  FILE *stream;
  char *path;
  char *temporary;
} as_file_writer;
AS_MUST_CHECK as_status as_file_begin(as_context *ctx, as_file_writer *writer, const char *path);
AS_MUST_CHECK as_status as_file_commit(as_context *ctx, as_file_writer *writer); /* also checks earlier stream errors */
void as_file_abandon(as_context *ctx, as_file_writer *writer); /* allowed after commit: does nothing */

/* Removes what writers of `path` that were killed have left under their temporary names. For who holds the lock under which
 * it is written: the living ones' would go too. A folder that is not there has none. */
AS_MUST_CHECK as_status as_file_remove_temporaries(as_context *ctx, const char *path);

/* Makes a folder and its parents; an existing folder is fine. */
AS_MUST_CHECK as_status as_make_folders(as_context *ctx, const char *path);
/* The same for work that may come to nothing: *made (0 before) becomes the length of the part of `path` that names the
 * first folder which was not there, also when a later one fails. as_unmake_folders removes those again, as far as they
 * are empty; with made 0 it does nothing. */
AS_MUST_CHECK as_status as_make_folders_for_now(as_context *ctx, const char *path, size_t *made);
void as_unmake_folders(as_context *ctx, const char *path, size_t made);
/* "folder/name"; NULL on failure. Caller frees with as_free. */
char *as_path_join(as_context *ctx, const char *folder, const char *name);
/* The path of `name` in the folder that holds the file `path`; NULL on failure. Caller frees with as_free. */
char *as_path_beside(as_context *ctx, const char *path, const char *name);
/* Removes a folder with all that is in it, following no link; one that is not there is fine. */
AS_MUST_CHECK as_status as_folder_remove(as_context *ctx, const char *path);
/* Gives a file or folder another name on the same file system, and makes that last through a power loss. */
AS_MUST_CHECK as_status as_rename(as_context *ctx, const char *from, const char *to);
/* Lets two names in one folder change places in one step, and makes that last. *done is false, with AS_OK and nothing
 * changed, on a file system that cannot. */
AS_MUST_CHECK as_status as_rename_exchange(as_context *ctx, const char *a, const char *b, bool *done);
/* Puts the folder `fresh` in the place of `path` in one step, and removes what was there. */
AS_MUST_CHECK as_status as_folder_replace(as_context *ctx, const char *fresh, const char *path);
bool as_path_exists(const char *path);
bool as_path_is_folder(const char *path);
/* Bytes free for this user on the file system that holds `path`; UINT64_MAX when that can't be found out. */
uint64_t as_disk_free(const char *path);

#endif
