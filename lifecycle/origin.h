/* training.json of a version: what it was made with and from, so that it can be made again.
 *
 * {"command": ["assistify", "train", ...], "files": [{"option": "data", "path", "sha256", "bytes"}], "started",
 * "finished": "2026-01-31 12:30:00" (UTC), "program": "0.1.0"}
 *
 * It is written when a training begins, as MODEL/unfinished.json, for whoever ends it may be another process, with
 * nothing but --resume on its command line. */
#ifndef AS_LIFECYCLE_ORIGIN_H
#define AS_LIFECYCLE_ORIGIN_H

#include "base/json.h"

#define AS_ORIGIN_NAME "training.json"

/* A file that a training reads. */
typedef struct as_origin_file {
  const char *option; /* "data" */
  const char *path;
} as_origin_file;

typedef struct as_origin {
  const char *const *command; /* [words] */
  size_t words;
  const as_origin_file *files; /* [file_count]; what is no plain file is left out */
  size_t file_count;
} as_origin;

/* Takes the digests of the files and writes `path`. AS_E_DATA when a file cannot be read. */
AS_MUST_CHECK as_status as_origin_write(as_context *ctx, const as_origin *origin, const char *path);
/* Writes folder/training.json from what as_origin_write left in `path`, with the time that it is now; nothing when
 * there is no such file. */
AS_MUST_CHECK as_status as_origin_finish(as_context *ctx, const char *path, const char *folder);
/* Reads such a file: an object whose "command" is a list of texts, three at least, and whose "files" is a list of
 * objects with the texts "option", "path" and "sha256". AS_E_MODEL names file and field. Caller frees with json_decref.
 */
AS_MUST_CHECK as_status as_origin_read(as_context *ctx, const char *path, json_t **out);

#endif
