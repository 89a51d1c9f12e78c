#include "train/adamw.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"

#define PIECE_ELEMENTS 65536

/* A range of the flat block. Of an embedding it is whole rows, and those that never had a gradient are only decayed:
 * their moments are 0, and so is what they add to the norm. */
typedef struct as_adamw_piece {
  size_t first, count;
  size_t columns;         /* of an embedding; 0: not one */
  const uint8_t *touched; /* [count / columns] */
  bool decays;
} piece;

static size_t piece_elements(const as_parameter *p) {
  if (p->role != AS_ROLE_EMBEDDING) return PIECE_ELEMENTS;
  size_t columns = (size_t)p->shape[1];
  return columns >= PIECE_ELEMENTS ? columns : PIECE_ELEMENTS / columns * columns;
}

static size_t pieces_of(const as_parameter *p) {
  return p->frozen ? 0 : (p->elements + piece_elements(p) - 1) / piece_elements(p);
}

static void cut(as_adamw *o) {
  size_t at = 0;
  for (size_t i = 0; i < o->parameters->count; i++) {
    const as_parameter *p = &o->parameters->list[i];
    const uint8_t *touched = as_parameter_touched(o->parameters, (int)i);
    size_t size = piece_elements(p), columns = touched ? (size_t)p->shape[1] : 0;
    for (size_t k = 0; k < pieces_of(p); k++) {
      size_t first = k * size, left = p->elements - first;
      o->pieces[at++] = (piece){p->offset + first, left < size ? left : size, columns,
                                touched ? touched + first / columns : NULL, as_parameter_decays(p)};
    }
  }
}

void as_adamw_find_touched(as_adamw *o) {
  for (size_t i = 0; i < o->parameters->count; i++) {
    const as_parameter *p = &o->parameters->list[i];
    uint8_t *touched = as_parameter_touched(o->parameters, (int)i);
    for (int64_t r = 0; touched && r < p->shape[0]; r++)
      for (int64_t c = 0; c < p->shape[1] && !touched[r]; c++) {
        size_t at = p->offset + (size_t)(r * p->shape[1] + c);
        touched[r] = o->m[at] != 0 || o->v[at] != 0;
      }
  }
}

as_status as_adamw_init(as_adamw *o, as_context *ctx, as_parameters *parameters, const as_adamw_options *options) {
  *o = (as_adamw){.ctx = ctx, .parameters = parameters, .options = *options};
  as_status status = as_kernels_select(ctx, &o->kernels);
  if (status != AS_OK) return status;
  for (size_t i = 0; i < parameters->count; i++) o->pieces_count += pieces_of(&parameters->list[i]);
  o->m = as_alloc_zero(ctx, parameters->elements, sizeof *o->m);
  o->v = as_alloc_zero(ctx, parameters->elements, sizeof *o->v);
  o->pieces = as_alloc(ctx, o->pieces_count, sizeof *o->pieces);
  o->partial = as_alloc(ctx, o->pieces_count, sizeof *o->partial);
  if (!o->m || !o->v || !o->pieces || !o->partial) return AS_E_NOMEM;
  cut(o);
  return AS_OK;
}

void as_adamw_free(as_adamw *o) {
  if (!o->ctx) return;
  as_free(o->ctx, o->m);
  as_free(o->ctx, o->v);
  as_free(o->ctx, o->pieces);
  as_free(o->ctx, o->partial);
  *o = (as_adamw){0};
}

static void norm_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  as_adamw *o = argument;
  const piece *p = &o->pieces[chunk];
  const float *gradient = o->parameters->gradients + p->first;
  if (!p->columns) {
    o->partial[chunk] = o->kernels->sum_squares(p->count, gradient);
    return;
  }
  double total = 0;
  for (size_t r = 0; r < p->count / p->columns; r++)
    if (p->touched[r]) total += o->kernels->sum_squares(p->columns, gradient + r * p->columns);
  o->partial[chunk] = total;
}

double as_adamw_gradient_norm(as_adamw *o) {
  double total = 0;
  as_parallel_for(o->ctx, (int64_t)o->pieces_count, norm_chunk, o);
  for (size_t i = 0; i < o->pieces_count; i++) total += o->partial[i];
  return sqrt(total);
}

typedef struct update_call {
  as_adamw *o;
  as_adamw_step decaying, plain;
} update_call;

static void update_range(const update_call *c, const as_adamw_step *step, size_t first, size_t count) {
  const as_parameters *ps = c->o->parameters;
  c->o->kernels->adamw(count, step, ps->gradients + first, ps->weights + first, c->o->m + first, c->o->v + first);
}

static void decay_range(const update_call *c, const as_adamw_step *step, size_t first, size_t count) {
  float *weights = c->o->parameters->weights + first, decay = (float)(1 - step->lr * step->weight_decay);
  if (decay != 1) c->o->kernels->scale(count, decay, weights, weights);
}

static void update_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const update_call *c = argument;
  const piece *p = &c->o->pieces[chunk];
  const as_adamw_step *step = p->decays ? &c->decaying : &c->plain;
  if (!p->columns) {
    update_range(c, step, p->first, p->count);
    return;
  }
  size_t rows = p->count / p->columns;
  for (size_t r = 0, end; r < rows; r = end) { /* runs of rows that are alike */
    for (end = r + 1; end < rows && !p->touched[end] == !p->touched[r]; end++) {}
    (p->touched[r] ? update_range : decay_range)(c, step, p->first + r * p->columns, (end - r) * p->columns);
  }
}

void as_adamw_update(as_adamw *o, double lr, double gradient_scale) {
  double t = (double)++o->steps;
  as_adamw_step step = {.lr = lr,
                        .beta1 = o->options.beta1,
                        .beta2 = o->options.beta2,
                        .eps = o->options.eps,
                        .weight_decay = o->options.weight_decay,
                        .bias_correction1 = 1 - pow(o->options.beta1, t),
                        .bias_correction2 = 1 - pow(o->options.beta2, t),
                        .gradient_scale = gradient_scale};
  update_call call = {o, step, step};
  call.plain.weight_decay = 0;
  as_parallel_for(o->ctx, (int64_t)o->pieces_count, update_chunk, &call);
}

static double norm_of(void *state) { return as_adamw_gradient_norm(state); }
static void update(void *state, double lr, double gradient_scale) { as_adamw_update(state, lr, gradient_scale); }

static double scheduled(const void *state, double lr) {
  (void)state;
  return lr;
}
static void restored(void *state) { as_adamw_find_touched(state); }

as_optimizer as_adamw_optimizer(as_adamw *o) {
  return (as_optimizer){.state = o,
                        .gradient_norm = norm_of,
                        .update = update,
                        .next_lr = scheduled,
                        .moments = {{"m", o->m, o->parameters->elements}, {"v", o->v, o->parameters->elements}},
                        .steps = &o->steps,
                        .restored = restored};
}
