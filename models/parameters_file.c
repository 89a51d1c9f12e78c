/* See parameters_file.h. */
#include "models/parameters_file.h"

#include "base/file.h"
#include "base/memory.h"
#include "models/safetensors.h"

void as_parameters_expect(const as_parameters *ps, as_expectation *expectations) {
  for (size_t i = 0; i < ps->count; i++) {
    const as_parameter *p = &ps->list[i];
    expectations[i] = (as_expectation){.name = p->name, .ndim = p->ndim, .shape = {p->shape[0], p->shape[1]}};
  }
}

void as_parameters_borrow_found(as_parameters *ps, const as_checkpoint *checkpoint, const int64_t *found) {
  for (size_t i = 0; i < ps->count; i++)
    if (found[i] >= 0) as_parameters_borrow(ps, (int)i, as_checkpoint_floats(checkpoint, (size_t)found[i]));
}

as_status as_parameters_read(as_parameters *ps, as_checkpoint *checkpoint, const int64_t *found) {
  size_t count = 0;
  as_checkpoint_read *reads = as_alloc(ps->ctx, ps->count, sizeof *reads);
  if (!reads) return AS_E_NOMEM;
  for (size_t i = 0; i < ps->count; i++) {
    float *out = ps->list[i].borrowed ? NULL : as_parameter_weights(ps, (int)i);
    if (found[i] >= 0) reads[count++] = (as_checkpoint_read){(size_t)found[i], out};
  }
  as_status status = as_checkpoint_read_all(checkpoint, reads, count);
  as_free(ps->ctx, reads);
  return status;
}

as_status as_parameters_write(const as_parameters *ps, const char *folder) {
  as_safetensors_item *items = as_alloc_zero(ps->ctx, ps->count, sizeof *items);
  float **unpacked = as_alloc_zero(ps->ctx, ps->count, sizeof *unpacked);
  char *path = as_path_join(ps->ctx, folder, "model.safetensors");
  as_status status = items && unpacked && path ? AS_OK : AS_E_NOMEM;
  for (size_t i = 0; status == AS_OK && i < ps->count; i++) {
    const as_parameter *p = &ps->list[i];
    const float *weights = as_parameter_weights(ps, (int)i);
    if (!weights) {
      weights = unpacked[i] = as_alloc(ps->ctx, p->elements, sizeof **unpacked);
      if (weights) as_parameters_export(ps, (int)i, unpacked[i]);
    }
    if (!weights) status = AS_E_NOMEM;
    items[i] = (as_safetensors_item){
        .name = p->name, .type = AS_STORED_F32, .ndim = p->ndim, .shape = {p->shape[0], p->shape[1]}, .data = weights};
  }
  if (status == AS_OK) status = as_safetensors_write(ps->ctx, path, items, ps->count);
  for (size_t i = 0; unpacked && i < ps->count; i++) as_free(ps->ctx, unpacked[i]);
  as_free(ps->ctx, unpacked);
  as_free(ps->ctx, items);
  as_free(ps->ctx, path);
  return status;
}
