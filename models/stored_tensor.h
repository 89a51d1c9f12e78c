/* Tensors as weight files store them: element types, shapes and sizes.
 *
 * Invariant: a shape that passed as_stored_shape has at most AS_STORED_MAX_DIMS sizes, none negative, and its element
 * count times its element size is a byte count that fits both int64_t and size_t. Everything that comes from a file
 * passes it before anything is computed with it. */
#ifndef AS_MODELS_STORED_TENSOR_H
#define AS_MODELS_STORED_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "weight files are little-endian and are read and written as they lie in memory"
#endif

enum {
  AS_STORED_MAX_DIMS = 8,
  AS_SHAPE_TEXT = 192 /* bytes that as_shape_text may need, with the NUL */
};

/* Element types, in the order in which the safetensors library sorts them. */
typedef enum as_stored_type {
  AS_STORED_BOOL,
  AS_STORED_U8,
  AS_STORED_I8,
  AS_STORED_F8_E5M2,
  AS_STORED_F8_E4M3,
  AS_STORED_I16,
  AS_STORED_U16,
  AS_STORED_F16,
  AS_STORED_BF16,
  AS_STORED_I32,
  AS_STORED_U32,
  AS_STORED_F32,
  AS_STORED_C64,
  AS_STORED_F64,
  AS_STORED_I64,
  AS_STORED_U64,
  AS_STORED_COUNT
} as_stored_type;

typedef struct as_stored_tensor {
  const char *name; /* UTF-8; owned by the file that it was read from */
  as_stored_type type;
  int ndim;
  int64_t shape[AS_STORED_MAX_DIMS]; /* outermost first; the last one is contiguous */
  int64_t elements;                  /* product of shape; 1 for ndim 0 */
} as_stored_tensor;

/* "F32" and so on: the names of the safetensors format. */
const char *as_stored_type_name(as_stored_type type);
size_t as_stored_type_size(as_stored_type type); /* bytes of one element */
/* The type of this name; false if there is none. */
bool as_stored_type_find(const char *name, as_stored_type *type);
/* Whether as_checkpoint_read_f32 can widen it: F16, BF16, F32, F64. */
bool as_stored_type_is_float(as_stored_type type);

/* Sets elements from ndim and shape. NULL, or what is wrong with the shape: a negative size, or one too large to be
 * counted in bytes (sizes of 0 don't excuse the others). ndim must be in [0, AS_STORED_MAX_DIMS]. */
const char *as_stored_shape(as_stored_tensor *tensor);

/* "[3, 8]" into text[AS_SHAPE_TEXT]; returns text. */
const char *as_shape_text(char text[AS_SHAPE_TEXT], int ndim, const int64_t *shape /* [ndim] */);

/* Whether both have the same sizes in the same order. */
bool as_shape_equal(int ndim_a, const int64_t *a /* [ndim_a] */, int ndim_b, const int64_t *b /* [ndim_b] */);

#endif
