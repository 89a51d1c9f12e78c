/* What a checkpoint needs from the reader of a file format: a table of functions, so that the checkpoint knows no
 * format by name. Private to models/. */
#ifndef AS_MODELS_WEIGHT_FORMAT_H
#define AS_MODELS_WEIGHT_FORMAT_H

#include "base/context.h"
#include "models/stored_tensor.h"

/* Where a tensor lies. Files consist of storages, blocks of bytes that several tensors may share; a reader that maps
 * its file has one. What a reader reports is inside the storage and aligned to nothing. */
typedef struct as_tensor_place {
  size_t storage;         /* its number */
  size_t offset;          /* bytes, of the first element */
  const int64_t *strides; /* [ndim], in elements, none negative; NULL: row by row. Borrowed from the file */
} as_tensor_place;

typedef struct as_weight_format {
  /* Opens and checks a file; AS_E_MODEL names it and what is wrong. */
  as_status (*open)(as_context *ctx, const char *path, void **file);
  void (*close)(void *file);
  /* Tensors, borrowed until the file is closed, in any order. */
  size_t (*count)(const void *file);
  const as_stored_tensor *(*tensor)(const void *file, size_t index);
  as_tensor_place (*place)(const void *file, size_t index);
  /* Makes the bytes of a storage readable until `release`; at most one storage is held at a time. */
  as_status (*hold)(void *file, size_t storage, const unsigned char **bytes);
  void (*release)(void *file);
  bool stays; /* what was held stays readable, at its place, for as long as the file is open */
} as_weight_format;

extern const as_weight_format as_safetensors_format;
extern const as_weight_format as_torch_format; /* without libzip only `open` is there, and refuses */

#endif
