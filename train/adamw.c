#include "train/adamw.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"

#define PIECE_ELEMENTS 65536

typedef struct as_adamw_piece {
  size_t first, count;
  bool decays;
} piece;

static size_t pieces_of(const as_parameter *p) { return p->frozen ? 0 : (p->elements + PIECE_ELEMENTS - 1) / PIECE_ELEMENTS; }

static void cut(as_adamw *o) {
  size_t at = 0;
  for (size_t i = 0; i < o->parameters->count; i++) {
    const as_parameter *p = &o->parameters->list[i];
    for (size_t k = 0; k < pieces_of(p); k++) {
      size_t first = k * PIECE_ELEMENTS, left = p->elements - first;
      o->pieces[at++] = (piece){p->offset + first, left < PIECE_ELEMENTS ? left : PIECE_ELEMENTS, as_parameter_decays(p)};
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
  o->partial[chunk] = o->kernels->sum_squares(p->count, o->parameters->gradients + p->first);
}

double as_adamw_gradient_norm(as_adamw *o) {
  double total = 0;
  as_parallel_for(o->ctx, (int64_t)o->pieces_count, norm_chunk, o);
  for (size_t i = 0; i < o->pieces_count; i++) total += o->partial[i];
  return sqrt(total);
}

double as_clip_scale(double norm, double max_norm) {
  return max_norm > 0 ? fmin(1, max_norm / (norm + 1e-6)) : 1;
}

typedef struct update_call {
  as_adamw *o;
  as_adamw_step decaying, plain;
} update_call;

static void update_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const update_call *c = argument;
  const piece *p = &c->o->pieces[chunk];
  const as_parameters *ps = c->o->parameters;
  c->o->kernels->adamw(p->count, p->decays ? &c->decaying : &c->plain, ps->gradients + p->first, ps->weights + p->first,
                       c->o->m + p->first, c->o->v + p->first);
}

void as_adamw_update(as_adamw *o, double lr, double gradient_scale) {
  double t = (double)++o->steps;
  as_adamw_step step = {.lr = lr, .beta1 = o->options.beta1, .beta2 = o->options.beta2, .eps = o->options.eps,
                        .weight_decay = o->options.weight_decay, .bias_correction1 = 1 - pow(o->options.beta1, t),
                        .bias_correction2 = 1 - pow(o->options.beta2, t), .gradient_scale = gradient_scale};
  update_call call = {o, step, step};
  call.plain.weight_decay = 0;
  as_parallel_for(o->ctx, (int64_t)o->pieces_count, update_chunk, &call);
}
