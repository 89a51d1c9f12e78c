/* The safetensors format (github.com/huggingface/safetensors): 8 bytes header length, a JSON header that says each
 * tensor's type, shape and place, then the tensors' bytes without gaps.
 *
 * Invariant of an open file: every tensor's bytes lie inside the file, no two overlap, none are left over, names are
 * unique, and a type and a shape say exactly as many bytes as there are. Reading the header costs memory in proportion
 * to its own size, which is bounded by the file's; tensors are not read but mapped. */
#ifndef AS_MODELS_SAFETENSORS_H
#define AS_MODELS_SAFETENSORS_H

#include "base/context.h"
#include "models/stored_tensor.h"

typedef struct as_safetensors as_safetensors;

/* Opens and checks `path`. A file that breaks the format in any way is refused with AS_E_MODEL and a text that names
 * the file and, where there is one, the tensor. On failure *out is NULL. Caller closes with as_safetensors_close. */
AS_MUST_CHECK as_status as_safetensors_open(as_context *ctx, const char *path, as_safetensors **out);
void as_safetensors_close(as_safetensors *file); /* NULL is allowed */

/* Tensors are ordered by name, byte by byte. What these return is borrowed until the file is closed. */
size_t as_safetensors_count(const as_safetensors *file);
const as_stored_tensor *as_safetensors_tensor(const as_safetensors *file, size_t index);
/* The tensor's bytes, [elements] of its type, little-endian, row by row; perhaps not aligned. */
const unsigned char *as_safetensors_data(const as_safetensors *file, size_t index);
/* The tensor of this name, its number in *index; false if there is none. */
bool as_safetensors_find(const as_safetensors *file, const char *name, size_t *index);

/* A tensor to write. */
typedef struct as_safetensors_item {
  const char *name; /* UTF-8 */
  as_stored_type type;
  int ndim;
  int64_t shape[AS_STORED_MAX_DIMS];
  const void *data; /* [product of shape] of `type`, row by row */
} as_safetensors_item;

/* Writes `path` atomically: a reader sees the old file or the whole new one. The bytes are those that the safetensors
 * library writes for these tensors with the metadata {"format": "pt"}, whatever the order of `items`. AS_E_INVALID for
 * a name that is taken twice, reserved or not UTF-8 and for a shape that does not fit; AS_E_IO if the disk refuses. */
AS_MUST_CHECK as_status as_safetensors_write(as_context *ctx, const char *path,
                                             const as_safetensors_item *items /* [count] */, size_t count);

#endif
