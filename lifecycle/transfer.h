/* Carrying a version from one store to another as one file: a tar archive of MODEL/vNNNN/ with its manifest.
 *
 * Invariant: whatever an archive says, nothing is written but plain files with safe names (lifecycle/manifest.h) below
 * a folder that is new; that becomes a version only if its manifest fits to the last byte. */
#ifndef AS_LIFECYCLE_TRANSFER_H
#define AS_LIFECYCLE_TRANSFER_H

#include "lifecycle/store.h"

/* Writes a version to the file `path` atomically, checking its digests on the way: AS_E_MODEL when it is damaged. The
 * same version gives the same bytes. *bytes is the file's length. */
AS_MUST_CHECK as_status as_store_export(const as_store *store, const as_version *version, const char *path,
                                        uint64_t *bytes);

/* Adds what is in the archive as the next version of `model`, or, when that is NULL, of the model that the archive
 * names. AS_E_MODEL with the archive's name when it is no such archive, is damaged, or holds a model of another task
 * than the name says. */
AS_MUST_CHECK as_status as_store_import(as_store *store, const char *path, const char *model, as_version *out,
                                        bool *is_champion);

#endif
