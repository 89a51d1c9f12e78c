/* Element types and shapes of stored tensors. */
#include "models/stored_tensor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
  const char *name;
  unsigned char size;
  bool is_float;
} types[AS_STORED_COUNT] = {
    [AS_STORED_BOOL] = {"BOOL", 1, false},       [AS_STORED_U8] = {"U8", 1, false},
    [AS_STORED_I8] = {"I8", 1, false},           [AS_STORED_F8_E5M2] = {"F8_E5M2", 1, false},
    [AS_STORED_F8_E4M3] = {"F8_E4M3", 1, false}, [AS_STORED_I16] = {"I16", 2, false},
    [AS_STORED_U16] = {"U16", 2, false},         [AS_STORED_F16] = {"F16", 2, true},
    [AS_STORED_BF16] = {"BF16", 2, true},        [AS_STORED_I32] = {"I32", 4, false},
    [AS_STORED_U32] = {"U32", 4, false},         [AS_STORED_F32] = {"F32", 4, true},
    [AS_STORED_C64] = {"C64", 8, false},         [AS_STORED_F64] = {"F64", 8, true},
    [AS_STORED_I64] = {"I64", 8, false},         [AS_STORED_U64] = {"U64", 8, false},
};

const char *as_stored_type_name(as_stored_type type) {
  return types[type].name;
}
size_t as_stored_type_size(as_stored_type type) {
  return types[type].size;
}
bool as_stored_type_is_float(as_stored_type type) {
  return types[type].is_float;
}

bool as_stored_type_find(const char *name, as_stored_type *type) {
  for (int i = 0; i < AS_STORED_COUNT; i++) {
    if (strcmp(types[i].name, name) != 0) continue;
    *type = (as_stored_type)i;
    return true;
  }
  return false;
}

const char *as_stored_shape(as_stored_tensor *tensor) {
  const int64_t most = (PTRDIFF_MAX < INT64_MAX ? PTRDIFF_MAX : INT64_MAX) / types[tensor->type].size;
  int64_t product = 1; /* of the sizes that are not 0 */
  bool empty = false;
  for (int i = 0; i < tensor->ndim; i++) {
    int64_t size = tensor->shape[i];
    if (size < 0) return "has a negative size";
    if (size == 0) {
      empty = true;
    } else {
      if (size > most / product) return "has more elements than can be counted";
      product *= size;
    }
  }
  tensor->elements = empty ? 0 : product;
  return NULL;
}

const char *as_shape_text(char text[AS_SHAPE_TEXT], int ndim, const int64_t *shape) {
  size_t length = 1;
  memcpy(text, "[", 2);
  for (int i = 0; i < ndim && i < AS_STORED_MAX_DIMS; i++)
    length += (size_t)snprintf(text + length, AS_SHAPE_TEXT - length, "%s%" PRId64, i ? ", " : "", shape[i]);
  memcpy(text + length, "]", 2);
  return text;
}

bool as_shape_equal(int ndim_a, const int64_t *a, int ndim_b, const int64_t *b) {
  return ndim_a == ndim_b && (ndim_a == 0 || memcmp(a, b, (size_t)ndim_a * sizeof *a) == 0);
}
