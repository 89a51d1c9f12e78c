/* Reading a checkpoint's tensors into floats.
 *
 * The tensors of one call are grouped by the storage on which they lie, so that each storage is held once. A group is
 * cut into chunks of a fixed number of elements, which the context's threads share; a chunk is widened and checked
 * block by block, so that each value is loaded from memory once. */
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "models/checkpoint_internal.h"
#include "tensor/kernels/kernels.h"

enum {
  BLOCK = 2048,       /* elements: source and result of one block stay in the first-level cache */
  CHUNK = 32 * BLOCK, /* elements */
  MAX_SIZE = 8        /* bytes of a floating-point element */
};

/* A tensor to read, and where its floats go. */
typedef struct view {
  const as_checkpoint_entry *entry;
  as_tensor_place place;
  float *out;                /* NULL: the floats are used where they lie */
  const unsigned char *data; /* its first element, while its storage is held */
  bool passing;              /* its bytes lie in a mapped file and are not needed once they were copied */
  int64_t first_chunk;       /* of the job */
} view;

typedef struct job {
  const view *views; /* [count], none empty */
  size_t count;
  int64_t chunks;
  _Atomic int64_t bad_chunk; /* the lowest with a value that is not finite; `chunks` if there is none */
} job;

/* ---- one block -------------------------------------------------------------------------------------------------- */

/* Whether none of x[n] is NaN or infinite: adding 1 to the exponent field then carries into the sign bit of none. */
static bool all_finite(size_t n, const float *x) {
  enum { GROUP = 32 }; /* a constant number of steps, which compilers turn into vector instructions */
  uint32_t carry = 0, bits[GROUP];
  size_t i = 0;
  for (; i + GROUP <= n; i += GROUP) {
    memcpy(bits, x + i, sizeof bits);
    for (int j = 0; j < GROUP; j++) carry |= (bits[j] & 0x7fffffff) + 0x00800000;
  }
  for (; i < n; i++) {
    memcpy(bits, x + i, sizeof bits[0]);
    carry |= (bits[0] & 0x7fffffff) + 0x00800000;
  }
  return !(carry >> 31);
}

/* out[n] = the n elements of `type` at `data`, which is aligned for it. */
static void widen(as_stored_type type, size_t n, const void *data, float *out) {
  switch (type) {
  case AS_STORED_F16:
    as_f16_to_f32(n, data, out);
    break;
  case AS_STORED_BF16:
    as_bf16_to_f32(n, data, out);
    break;
  case AS_STORED_F64:
    for (size_t i = 0; i < n; i++) out[i] = (float)((const double *)data)[i];
    break;
  default:
    memcpy(out, data, n * sizeof *out);
  }
}

static void unravel(const as_stored_tensor *tensor, int64_t element, int64_t position[AS_STORED_MAX_DIMS]) {
  for (int i = tensor->ndim - 1; i >= 0; i--) {
    position[i] = element % tensor->shape[i];
    element /= tensor->shape[i];
  }
}

/* Copies the elements [start, start + n) of a tensor with strides to `copy`, one after another. */
static void gather(const view *v, int64_t start, size_t n, unsigned char *copy) {
  const as_stored_tensor *tensor = v->entry->tensor;
  const int64_t *strides = v->place.strides;
  size_t size = as_stored_type_size(tensor->type);
  int64_t position[AS_STORED_MAX_DIMS], at = 0;
  unravel(tensor, start, position);
  for (int i = 0; i < tensor->ndim; i++) at += position[i] * strides[i];
  for (size_t done = 0; done < n; done++) {
    memcpy(copy + done * size, v->data + (size_t)at * size, size);
    for (int i = tensor->ndim - 1; i >= 0; i--) {
      at += strides[i];
      if (++position[i] < tensor->shape[i]) break;
      at -= tensor->shape[i] * strides[i];
      position[i] = 0;
    }
  }
}

/* The view's floats, which were read. */
static const float *floats_of(const view *v) {
  return v->out ? v->out : (const float *)(const void *)v->data;
}

/* Elements [start, start + n) of the view, n <= BLOCK; false if one is not finite. */
static bool read_block(const view *v, int64_t start, size_t n) {
  if (!v->out) return all_finite(n, floats_of(v) + start);
  _Alignas(MAX_SIZE) unsigned char copy[BLOCK * MAX_SIZE];
  as_stored_type type = v->entry->tensor->type;
  size_t size = as_stored_type_size(type);
  const unsigned char *data = copy;
  if (v->place.strides)
    gather(v, start, n, copy);
  else if ((uintptr_t)v->data % size != 0)
    memcpy(copy, v->data + (size_t)start * size, n * size);
  else
    data = v->data + (size_t)start * size;
  widen(type, n, data, v->out + start);
  return all_finite(n, v->out + start);
}

/* ---- one chunk -------------------------------------------------------------------------------------------------- */

static const view *view_of_chunk(const job *work, int64_t chunk) {
  size_t low = 0, high = work->count; /* the wanted one is in [low, high) */
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (work->views[middle].first_chunk <= chunk)
      low = middle;
    else
      high = middle;
  }
  return &work->views[low];
}

static void read_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  job *work = argument;
  const view *v = view_of_chunk(work, chunk);
  int64_t start = (chunk - v->first_chunk) * CHUNK, left = v->entry->tensor->elements - start;
  int64_t end = start + (left < CHUNK ? left : CHUNK);
  size_t size = as_stored_type_size(v->entry->tensor->type);
  if (!v->place.strides) as_prefault(v->data + (size_t)start * size, (size_t)(end - start) * size, false);
  if (v->out) as_prefault(v->out + start, (size_t)(end - start) * sizeof *v->out, true);
  const int64_t first = start;
  for (; start < end; start += BLOCK) {
    if (read_block(v, start, (size_t)(end - start < BLOCK ? end - start : BLOCK))) continue;
    int64_t lowest = atomic_load(&work->bad_chunk);
    while (chunk < lowest && !atomic_compare_exchange_weak(&work->bad_chunk, &lowest, chunk)) continue;
    return;
  }
  if (v->passing) as_discard(v->data + (size_t)first * size, (size_t)(end - first) * size);
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

/* What the element is instead of a finite float. */
static const char *describe(const view *v, int64_t element) {
  double value;
  if (v->entry->tensor->type == AS_STORED_F64) {
    _Alignas(MAX_SIZE) unsigned char copy[MAX_SIZE];
    if (v->place.strides)
      gather(v, element, 1, copy);
    else
      memcpy(copy, v->data + (size_t)element * sizeof value, sizeof value);
    memcpy(&value, copy, sizeof value);
    if (isfinite(value)) return "a value beyond the range of 32-bit floats";
  }
  return isnan(floats_of(v)[element]) ? "NaN" : "Inf";
}

static as_status fail_not_finite(as_checkpoint *checkpoint, const job *work, int64_t chunk) {
  const view *v = view_of_chunk(work, chunk);
  const as_stored_tensor *tensor = v->entry->tensor;
  int64_t element = (chunk - v->first_chunk) * CHUNK, position[AS_STORED_MAX_DIMS];
  while (isfinite(floats_of(v)[element])) element++;
  unravel(tensor, element, position);
  char text[AS_SHAPE_TEXT];
  return as_fail(checkpoint->ctx, AS_E_MODEL, "%s: tensor \"%s\" has %s at %s: the weights are damaged or diverged",
                 checkpoint->sources[v->entry->source].path, tensor->name, describe(v, element),
                 as_shape_text(text, tensor->ndim, position));
}

static as_status check_types(as_checkpoint *checkpoint, const as_checkpoint_read *reads, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const as_stored_tensor *tensor = as_checkpoint_tensor(checkpoint, reads[i].index);
    if (!as_stored_type_is_float(tensor->type))
      return as_fail(checkpoint->ctx, AS_E_MODEL,
                     "%s: tensor \"%s\" is %s; weights are read from F32, F16, BF16 or F64",
                     as_checkpoint_file(checkpoint, reads[i].index), tensor->name, as_stored_type_name(tensor->type));
  }
  return AS_OK;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

/* Orders by storage; within one by tensor, which makes the first error always the same. */
static int by_storage(const void *a, const void *b) {
  const view *x = a, *y = b;
  if (x->entry->source != y->entry->source) return x->entry->source < y->entry->source ? -1 : 1;
  if (x->place.storage != y->place.storage) return x->place.storage < y->place.storage ? -1 : 1;
  return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* Reads the views[count] of one storage. */
static as_status read_storage(as_checkpoint *checkpoint, view *views, size_t count) {
  const as_checkpoint_source *source = &checkpoint->sources[views[0].entry->source];
  const unsigned char *bytes;
  as_status status = source->format->hold(source->file, views[0].place.storage, &bytes);
  if (status != AS_OK) return status;
  job work = {.views = views, .count = count};
  for (size_t i = 0; i < count; i++) {
    views[i].data = bytes + views[i].place.offset;
    views[i].first_chunk = work.chunks;
    work.chunks += (views[i].entry->tensor->elements - 1) / CHUNK + 1;
  }
  atomic_init(&work.bad_chunk, work.chunks);
  as_parallel_for(checkpoint->ctx, work.chunks, read_chunk, &work);
  int64_t bad = atomic_load(&work.bad_chunk);
  if (bad < work.chunks) status = fail_not_finite(checkpoint, &work, bad);
  source->format->release(source->file);
  return status;
}

as_status as_checkpoint_read_all(as_checkpoint *checkpoint, const as_checkpoint_read *reads, size_t count) {
  size_t used = 0;
  as_status status = check_types(checkpoint, reads, count);
  if (status != AS_OK) return status;
  view *views = as_alloc(checkpoint->ctx, count, sizeof *views);
  if (!views) return as_fail_prefix(checkpoint->ctx, AS_E_NOMEM, "%s", checkpoint->path);
  for (size_t i = 0; i < count; i++) {
    const as_checkpoint_entry *entry = &checkpoint->entries[reads[i].index];
    const as_checkpoint_source *source = &checkpoint->sources[entry->source];
    if (entry->tensor->elements == 0) continue;
    views[used++] =
        (view){.entry = entry, .place = source->format->place(source->file, entry->index), .out = reads[i].out};
    views[used - 1].passing = source->format->stays && reads[i].out && !views[used - 1].place.strides;
  }
  qsort(views, used, sizeof *views, by_storage);
  for (size_t begin = 0, end; begin < used && status == AS_OK; begin = end) {
    for (end = begin + 1; end < used; end++)
      if (views[end].entry->source != views[begin].entry->source ||
          views[end].place.storage != views[begin].place.storage)
        break;
    status = read_storage(checkpoint, views + begin, end - begin);
  }
  as_free(checkpoint->ctx, views);
  return status;
}

const float *as_checkpoint_floats(const as_checkpoint *checkpoint, size_t index) {
  const as_checkpoint_entry *entry = &checkpoint->entries[index];
  const as_checkpoint_source *source = &checkpoint->sources[entry->source];
  const unsigned char *bytes;
  if (entry->tensor->type != AS_STORED_F32 || !source->format->stays) return NULL;
  as_tensor_place place = source->format->place(source->file, entry->index);
  if (place.strides || source->format->hold(source->file, place.storage, &bytes) != AS_OK) return NULL;
  source->format->release(source->file);
  const void *floats = bytes + place.offset;
  return (uintptr_t)floats % _Alignof(float) == 0 ? floats : NULL;
}

as_status as_checkpoint_read_f32(as_checkpoint *checkpoint, size_t index, float *out) {
  as_checkpoint_read read = {.index = index, .out = out};
  return as_checkpoint_read_all(checkpoint, &read, 1);
}
