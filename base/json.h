/* JSON: reading through jansson with our limits, and one writer.
 *
 * jansson allocates with malloc: its documents are small (configurations, reports) or bounded by their file's size. */
#ifndef AS_BASE_JSON_H
#define AS_BASE_JSON_H

#include <jansson.h>

#include "base/buffer.h"

/* Parses `length` bytes; duplicate keys, invalid UTF-8, trailing text and deep nesting are refused with `kind` and a
 * text that names `where` (a file name or the like), line and column and the keys that lead there (for a duplicate key,
 * it too). An integer beyond 64 bits becomes a real number. Caller frees with json_decref. */
AS_MUST_CHECK as_status as_json_parse(as_context *ctx, const char *text, size_t length, const char *where,
                                      as_status kind, json_t **out);
/* Reads and parses a file of at most `limit` bytes. */
AS_MUST_CHECK as_status as_json_read(as_context *ctx, const char *path, size_t limit, as_status kind, json_t **out);

/* Writes JSON into a buffer, putting commas and, with indent > 0, new lines. Keys are given inside objects, none inside
 * arrays (NULL). Numbers are printed so that reading them back gives the same value; what JSON cannot say (NaN,
 * infinities) is written as null. Text that is not UTF-8 is repaired. */
typedef struct as_json_writer {
  as_buffer *out;
  int indent; /* spaces per level; 0: everything on one line, no spaces */
  int depth;
  bool fresh; /* nothing written yet at this level */
} as_json_writer;

as_json_writer as_json_writer_start(as_buffer *out, int indent);
void as_json_open_object(as_json_writer *writer, const char *key);
void as_json_close_object(as_json_writer *writer);
void as_json_open_array(as_json_writer *writer, const char *key);
void as_json_close_array(as_json_writer *writer);
void as_json_string(as_json_writer *writer, const char *key, const char *text);
void as_json_string_n(as_json_writer *writer, const char *key, const char *text, size_t length);
void as_json_int(as_json_writer *writer, const char *key, int64_t value);
void as_json_float(as_json_writer *writer, const char *key, float value);   /* up to 9 significant digits */
void as_json_double(as_json_writer *writer, const char *key, double value); /* up to 17 */
void as_json_bool(as_json_writer *writer, const char *key, bool value);
void as_json_null(as_json_writer *writer, const char *key);
/* A jansson value, whole. */
void as_json_value(as_json_writer *writer, const char *key, const json_t *value);

#endif
