/* The inside of a checkpoint, for its own files. */
#ifndef AS_MODELS_CHECKPOINT_INTERNAL_H
#define AS_MODELS_CHECKPOINT_INTERNAL_H

#include "models/checkpoint.h"
#include "models/weight_format.h"

/* One file of weights. */
typedef struct as_checkpoint_source {
  char *path;
  const char *name; /* the end of path: what comes after the folder */
  const as_weight_format *format;
  void *file; /* the format's; NULL when it could not be opened */
} as_checkpoint_source;

/* One tensor: number `index` of its file. */
typedef struct as_checkpoint_entry {
  const as_stored_tensor *tensor; /* borrowed from the file */
  size_t source, index;
} as_checkpoint_entry;

struct as_checkpoint {
  as_context *ctx;
  char *path;                    /* of the file that was opened first: the weights or their index */
  as_checkpoint_source *sources; /* [source_count] */
  size_t source_count, source_capacity;
  as_checkpoint_entry *entries; /* [count], by name */
  size_t count;
};

#endif
