#include "nn/parameters.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "tensor/gemm.h"

void as_parameters_init(as_parameters *parameters, as_context *ctx) {
  *parameters = (as_parameters){.ctx = ctx};
}

void as_parameters_free(as_parameters *parameters) {
  if (!parameters->ctx) return;
  as_free(parameters->ctx, parameters->list);
  as_free(parameters->ctx, parameters->weights);
  as_free(parameters->ctx, parameters->gradients);
  as_free(parameters->ctx, parameters->touched);
  for (size_t i = 0; i < parameters->packed_count; i++) as_free(parameters->ctx, parameters->packed[i].packed);
  as_free(parameters->ctx, parameters->packed);
  as_parameters_init(parameters, parameters->ctx);
}

int as_parameters_declare(as_parameters *ps, as_parameter_role role, int layer, int64_t rows, int64_t columns,
                          const char *name_format, ...) {
  if (ps->failed) return -1;
  as_parameter *grown = as_grow(ps->ctx, ps->list, &ps->capacity, ps->count + 1, sizeof *grown);
  ps->failed = !grown;
  if (!grown) return -1;
  ps->list = grown;
  as_parameter p = {.role = role, .layer = layer, .ndim = columns ? 2 : 1, .shape = {rows, columns}, .padding_row = -1};
  va_list arguments;
  va_start(arguments, name_format);
  int length = vsnprintf(p.name, sizeof p.name, name_format, arguments);
  va_end(arguments);
  int64_t width = columns ? columns : 1;
  if (length < 0 || (size_t)length >= sizeof p.name || rows < 1 || width < 1 || rows > ((int64_t)1 << 40) / width) {
    as_fail(ps->ctx, AS_E_INVALID, "parameter %s: [%lld, %lld] is not a shape that a parameter can have", p.name,
            (long long)rows, (long long)columns);
    ps->failed = true;
    return -1;
  }
  p.elements = (size_t)(rows * width);
  p.rows_offset = ps->embedding_rows;
  if (role == AS_ROLE_EMBEDDING) ps->embedding_rows += (size_t)rows;
  ps->list[ps->count] = p;
  return (int)ps->count++;
}

void as_parameters_join(as_parameters *ps, int index, int count) {
  for (int i = 0; !ps->failed && i < count; i++) ps->list[index + i].joined = true;
}

void as_parameters_borrow(as_parameters *ps, int index, const float *weights) {
  if (!ps->list[index].joined) ps->list[index].borrowed = weights;
}

/* One directly after another, without those that lie elsewhere. */
static void lay_out(as_parameters *ps) {
  ps->elements = 0;
  for (size_t i = 0; i < ps->count; i++) {
    if (ps->list[i].borrowed || ps->list[i].packed_only) continue;
    ps->list[i].offset = ps->elements;
    ps->elements += ps->list[i].elements;
  }
}

as_status as_parameters_allocate(as_parameters *ps, bool gradients) {
  if (ps->failed) return AS_E_NOMEM;
  lay_out(ps);
  ps->weights = as_alloc(ps->ctx, ps->elements, sizeof *ps->weights);
  if (!ps->weights) return AS_E_NOMEM;
  if (!gradients) return AS_OK;
  ps->gradients = as_alloc_zero(ps->ctx, ps->elements, sizeof *ps->gradients);
  ps->touched = as_alloc_zero(ps->ctx, ps->embedding_rows, 1);
  return ps->gradients && ps->touched ? AS_OK : AS_E_NOMEM;
}

int as_parameters_find(const as_parameters *ps, const char *name) {
  for (size_t i = 0; i < ps->count; i++)
    if (strcmp(ps->list[i].name, name) == 0) return (int)i;
  return -1;
}

float *as_parameter_weights(const as_parameters *ps, int index) {
  const as_parameter *p = &ps->list[index];
  if (p->packed_only) return NULL;
  if (p->borrowed) return (float *)(uintptr_t)p->borrowed;
  return ps->weights ? ps->weights + p->offset : NULL;
}

float *as_parameter_gradients(const as_parameters *ps, int index) {
  return ps->gradients ? ps->gradients + ps->list[index].offset : NULL;
}

uint8_t *as_parameter_touched(const as_parameters *ps, int index) {
  const as_parameter *p = &ps->list[index];
  return ps->touched && p->role == AS_ROLE_EMBEDDING ? ps->touched + p->rows_offset : NULL;
}

bool as_parameter_decays(const as_parameter *p) {
  return p->role == AS_ROLE_WEIGHT || p->role == AS_ROLE_EMBEDDING;
}

#define DRAW_ELEMENTS 65536

typedef struct draw_call {
  const as_parameters *parameters;
  int index;
  double standard_deviation;
  uint64_t seed;
} draw_call;

/* A piece has a random stream of its own: the values do not depend on threads. */
static void draw_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const draw_call *c = argument;
  const as_parameter *p = &c->parameters->list[c->index];
  float *w = as_parameter_weights(c->parameters, c->index);
  as_random random = as_random_start(c->seed, (uint64_t)chunk << 32 | (uint64_t)c->index);
  size_t first = (size_t)chunk * DRAW_ELEMENTS;
  size_t last = first + DRAW_ELEMENTS < p->elements ? first + DRAW_ELEMENTS : p->elements;
  for (size_t i = first; i < last; i++) w[i] = (float)(c->standard_deviation * as_random_normal(&random));
}

void as_parameters_initialize(as_parameters *ps, int index, double standard_deviation, uint64_t seed) {
  const as_parameter *p = &ps->list[index];
  float *w = as_parameter_weights(ps, index);
  draw_call call = {ps, index, standard_deviation, seed};
  if (as_parameter_decays(p) || p->role == AS_ROLE_POSITION_BIAS)
    as_parallel_for(ps->ctx, (int64_t)((p->elements + DRAW_ELEMENTS - 1) / DRAW_ELEMENTS), draw_chunk, &call);
  else
    as_parameters_fill(ps, index, p->role == AS_ROLE_NORM_WEIGHT ? 1 : 0);
  if (p->padding_row >= 0 && p->padding_row < p->shape[0])
    memset(w + p->padding_row * p->shape[1], 0, (size_t)p->shape[1] * sizeof *w);
}

void as_parameters_fill(as_parameters *ps, int index, float value) {
  float *w = as_parameter_weights(ps, index);
  for (size_t i = 0; i < ps->list[index].elements; i++) w[i] = value;
}

void as_parameters_freeze(as_parameters *ps, int layers) {
  for (size_t i = 0; i < ps->count; i++) ps->list[i].frozen = ps->list[i].layer < layers;
}

static int64_t joined_rows(const as_parameters *ps, int index, int count) {
  int64_t rows = 0;
  for (int i = 0; i < count; i++) rows += ps->list[index + i].shape[0];
  return rows;
}

/* The packed view that the parameter is in; NULL: none. */
static const as_packed_view *view_of(const as_parameters *ps, int index) {
  for (size_t i = 0; i < ps->packed_count; i++)
    if (ps->packed[i].index <= index && index < ps->packed[i].index + ps->packed[i].count) return &ps->packed[i];
  return NULL;
}

const float *as_parameters_packed(const as_parameters *ps, int index, int count) {
  for (size_t i = 0; i < ps->packed_count; i++)
    if (ps->packed[i].index == index && ps->packed[i].count == count) return ps->packed[i].packed;
  return NULL;
}

enum { MOVE_ELEMENTS = 1 << 20 }; /* packed at a time */

/* ---- packing ---------------------------------------------------------------------------------------------------- */

/* Packs `rows` rows and gives back the memory in which they lay plain, a few panels at a time. */
static void move_rows(const as_parameters *ps, int64_t rows, int64_t columns, const float *plain, float *packed) {
  const int64_t nr = ps->kernels->gemm_shape.nr, panels = 1 + MOVE_ELEMENTS / (nr * columns);
  for (int64_t row = 0, step; row < rows; row += step) {
    step = rows - row < panels * nr ? rows - row : panels * nr;
    const float *from = plain + row * columns;
    as_gemm_pack_b_f32(ps->ctx, ps->kernels, step, columns, true, from, columns, packed + row * columns);
    as_discard(from, (size_t)(step * columns) * sizeof *from);
  }
}

as_status as_parameters_pack(as_parameters *ps, int index, int count) {
  if (as_parameters_packed(ps, index, count)) return AS_OK;
  const int64_t rows = joined_rows(ps, index, count), columns = ps->list[index].shape[1];
  as_status status = as_kernels_select(ps->ctx, &ps->kernels);
  if (status != AS_OK) return status;
  as_packed_view *grown = as_grow(ps->ctx, ps->packed, &ps->packed_capacity, ps->packed_count + 1, sizeof *grown);
  if (!grown) return AS_E_NOMEM;
  ps->packed = grown;
  float *packed = as_alloc(ps->ctx, as_gemm_packed_b_elements_f32(ps->kernels, rows, columns), sizeof *packed);
  if (!packed) return AS_E_NOMEM;
  move_rows(ps, rows, columns, as_parameter_weights(ps, index), packed);
  ps->packed[ps->packed_count++] = (as_packed_view){index, count, packed};
  for (int i = 0; i < count; i++) ps->list[index + i].packed_only = true;
  return AS_OK;
}

/* What is kept moves into a block that has room for that alone. */
as_status as_parameters_settle(as_parameters *ps) {
  as_parameters kept = *ps;
  kept.list = as_alloc(ps->ctx, ps->count, sizeof *kept.list);
  if (!kept.list) return AS_E_NOMEM;
  memcpy(kept.list, ps->list, ps->count * sizeof *kept.list);
  for (size_t i = 0; i < ps->count; i++) kept.list[i].borrowed = NULL;
  lay_out(&kept);
  kept.weights = as_alloc(ps->ctx, kept.elements, sizeof *kept.weights);
  if (!kept.weights) {
    as_free(ps->ctx, kept.list);
    return AS_E_NOMEM;
  }
  for (size_t i = 0; i < ps->count; i++)
    if (!kept.list[i].packed_only)
      memcpy(kept.weights + kept.list[i].offset, as_parameter_weights(ps, (int)i),
             kept.list[i].elements * sizeof *kept.weights);
  as_free(ps->ctx, ps->weights);
  as_free(ps->ctx, ps->list);
  kept.capacity = kept.count;
  *ps = kept;
  return AS_OK;
}

void as_parameters_export(const as_parameters *ps, int index, float *out) {
  const as_parameter *p = &ps->list[index];
  const float *weights = as_parameter_weights(ps, index);
  const as_packed_view *view = view_of(ps, index);
  if (weights)
    memcpy(out, weights, p->elements * sizeof *out);
  else
    as_gemm_unpack_b_f32(ps->kernels, p->shape[1], view->packed, joined_rows(ps, view->index, index - view->index),
                         p->shape[0], out);
}

as_tensor *as_parameter_leaf(as_graph *g, const as_parameters *ps, int index) {
  return as_parameter_leaf_joined(g, ps, index, 1);
}

as_tensor *as_parameter_leaf_joined(as_graph *g, const as_parameters *ps, int index, int count) {
  const as_parameter *p = &ps->list[index];
  int64_t shape[2] = {joined_rows(ps, index, count), p->shape[1]};
  const float *packed = as_parameters_packed(ps, index, count);
  if (packed) return as_leaf_packed(g, shape[0], shape[1], as_parameter_weights(ps, index), packed);
  uint8_t *touched = p->frozen || count > 1 ? NULL : as_parameter_touched(ps, index);
  if (touched)
    return as_leaf_table(g, shape[0], shape[1], as_parameter_weights(ps, index), as_parameter_gradients(ps, index),
                         touched);
  return as_leaf(g, p->ndim, shape, as_parameter_weights(ps, index),
                 p->frozen ? NULL : as_parameter_gradients(ps, index));
}
