/* See inspect.h. */
#include "cli/inspect.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* ---- tensors to save ---------------------------------------------------------------------------------------- */

void as_inspect_tensors_init(as_inspect_tensors *tensors, as_context *ctx) {
  *tensors = (as_inspect_tensors){.ctx = ctx};
}

static void free_item(as_context *ctx, const as_safetensors_item *item) {
  as_free(ctx, (void *)(uintptr_t)item->name);
  as_free(ctx, (void *)(uintptr_t)item->data);
}

void as_inspect_tensors_free(as_inspect_tensors *tensors) {
  for (size_t i = 0; i < tensors->count; i++) free_item(tensors->ctx, &tensors->items[i]);
  as_free(tensors->ctx, tensors->items);
  as_inspect_tensors_init(tensors, tensors->ctx);
}

static AS_PRINTF(2, 0) char *format_name(as_context *ctx, const char *format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, again);
  va_end(again);
  char *name = as_alloc(ctx, (size_t)length + 1, 1);
  if (name) vsnprintf(name, (size_t)length + 1, format, arguments);
  return name;
}

static size_t elements_of(int ndim, const int64_t *shape) {
  size_t elements = 1;
  for (int d = 0; d < ndim; d++)
    elements = shape[d] > 0 && elements > SIZE_MAX / (size_t)shape[d] ? SIZE_MAX : elements * (size_t)shape[d];
  return elements;
}

static AS_PRINTF(4, 0) float *add(as_inspect_tensors *tensors, int ndim, const int64_t *shape, const char *name_format,
                                  va_list arguments) {
  if (tensors->failed) return NULL;
  as_safetensors_item *grown =
      as_grow(tensors->ctx, tensors->items, &tensors->capacity, tensors->count + 1, sizeof *grown);
  if (grown) tensors->items = grown;
  float *data = grown ? as_alloc_zero(tensors->ctx, elements_of(ndim, shape), sizeof *data) : NULL;
  char *name = data ? format_name(tensors->ctx, name_format, arguments) : NULL;
  as_safetensors_item item = {.name = name, .type = AS_STORED_F32, .ndim = ndim, .data = data};
  memcpy(item.shape, shape, (size_t)ndim * sizeof *shape);
  if (!name) {
    free_item(tensors->ctx, &item);
    tensors->failed = true;
    return NULL;
  }
  tensors->items[tensors->count++] = item;
  return data;
}

float *as_inspect_tensors_add(as_inspect_tensors *tensors, int ndim, const int64_t *shape, const char *name_format,
                              ...) {
  va_list arguments;
  va_start(arguments, name_format);
  float *data = add(tensors, ndim, shape, name_format, arguments);
  va_end(arguments);
  return data;
}

void as_inspect_tensors_add_rows(as_inspect_tensors *tensors, const as_inspect_rows *rows, const as_tensor *packed,
                                 const char *name_format, ...) {
  const float *from = as_tensor_f32(packed);
  const int64_t dim = as_tensor_shape(packed)[1], shape[] = {rows->count, rows->width, dim};
  va_list arguments;
  va_start(arguments, name_format);
  float *out = add(tensors, 3, shape, name_format, arguments);
  va_end(arguments);
  for (int64_t i = 0; out && i < rows->count; i++) {
    memcpy(out + i * rows->width * dim, from, (size_t)(rows->lengths[i] * dim) * sizeof *out);
    from += rows->lengths[i] * dim;
  }
}

void as_inspect_tensors_add_gradients(as_inspect_tensors *tensors, const as_parameters *parameters) {
  for (size_t i = 0; i < parameters->count; i++) {
    const as_parameter *p = &parameters->list[i];
    float *out = as_inspect_tensors_add(tensors, p->ndim, p->shape, "grad.%s", p->name);
    if (out) memcpy(out, as_parameter_gradients(parameters, (int)i), p->elements * sizeof *out);
  }
}

as_status as_inspect_tensors_save(const as_inspect_tensors *tensors, const char *path) {
  return tensors->failed ? AS_E_NOMEM : as_safetensors_write(tensors->ctx, path, tensors->items, tensors->count);
}

/* ---- kinds of models ---------------------------------------------------------------------------------------- */

static const as_inspect_kind *const kinds[] = {&as_inspect_encoder, &as_inspect_t5, NULL};

static as_status fail_unknown(as_context *ctx, const as_model_config *config, const char *model_type) {
  as_buffer known;
  as_buffer_init(&known, ctx);
  for (size_t i = 0; kinds[i]; i++) {
    if (i) as_buffer_text(&known, ", ");
    kinds[i]->list(&known);
  }
  as_status status = as_buffer_status(&known);
  if (status == AS_OK)
    status = as_fail(ctx, AS_E_MODEL, "%s: model_type is \"%.60s\", but must be one of: %s", config->path, model_type,
                     as_buffer_string(&known));
  as_buffer_free(&known);
  return status;
}

as_status as_inspect_open(as_context *ctx, const char *folder, as_inspect_use use, as_inspected *out) {
  as_model_config config = {0};
  const char *model_type = NULL;
  size_t i = 0;
  *out = (as_inspected){0};
  as_status status = as_model_config_read(ctx, folder, &config);
  if (status == AS_OK) status = as_model_config_text(&config, "model_type", &model_type);
  while (status == AS_OK && kinds[i] && !kinds[i]->reads(model_type)) i++;
  if (status == AS_OK && !kinds[i]) status = fail_unknown(ctx, &config, model_type);
  as_model_config_free(&config);
  if (status != AS_OK) return status;
  out->kind = kinds[i];
  return out->kind->open(ctx, folder, use, &out->model);
}

void as_inspect_close(as_inspected *inspected) {
  if (inspected->kind) inspected->kind->close(inspected->model);
  *inspected = (as_inspected){0};
}
