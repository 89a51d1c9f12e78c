/* Gradient checks: see gradcheck.h. Each leaf element is moved by +-step and the weighted sum of the result compared
 * with the analytic gradient, which must also be the same bits in the three recompute modes. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "tensor/gradcheck.h"
#include "tensor/ops.h"

typedef struct check {
  as_context *ctx;
  as_graph *graph;
  as_gradcheck_function function;
  void *user;
  int count;
  const as_gradcheck_input *inputs;
  as_gradcheck_options options;
  size_t elements[AS_GRADCHECK_MAX_INPUTS];
  double *values[AS_GRADCHECK_MAX_INPUTS];
  double *gradients[AS_GRADCHECK_MAX_INPUTS], *first_gradients[AS_GRADCHECK_MAX_INPUTS];
  double *weighting; /* of the result's elements */
  size_t result_elements;
  as_tensor *loss;
} check;

static as_status prepare(check *c) {
  for (int i = 0; i < c->count; i++) {
    c->elements[i] = 1;
    for (int d = 0; d < c->inputs[i].ndim; d++) c->elements[i] *= (size_t)c->inputs[i].shape[d];
    c->values[i] = as_alloc(c->ctx, c->elements[i], sizeof(double));
    c->gradients[i] = as_alloc(c->ctx, c->elements[i], sizeof(double));
    c->first_gradients[i] = as_alloc(c->ctx, c->elements[i], sizeof(double));
    if (!c->values[i] || !c->gradients[i] || !c->first_gradients[i]) return AS_E_NOMEM;
    as_random random = as_random_start(c->options.seed, (uint64_t)i);
    for (size_t k = 0; k < c->elements[i]; k++)
      c->values[i][k] = c->inputs[i].low + (c->inputs[i].high - c->inputs[i].low) * as_random_uniform(&random);
  }
  return AS_OK;
}

static void release(check *c) {
  for (int i = 0; i < c->count; i++) {
    as_free(c->ctx, c->values[i]);
    as_free(c->ctx, c->gradients[i]);
    as_free(c->ctx, c->first_gradients[i]);
  }
  as_free(c->ctx, c->weighting);
  as_graph_free(c->graph);
}

/* Records and plans the weighted sum of the function's result. */
static as_status record(check *c, int recompute) {
  as_graph *g = c->graph;
  as_graph_reset(g);
  as_graph_set_recompute(g, recompute);
  as_graph_set_dropout(g, c->options.seed, 7);
  as_graph_set_debug(g, true);
  as_tensor *leaves[AS_GRADCHECK_MAX_INPUTS];
  for (int i = 0; i < c->count; i++)
    leaves[i] = as_leaf(g, c->inputs[i].ndim, c->inputs[i].shape, c->values[i], c->gradients[i]);
  as_tensor *result = c->function(g, leaves, c->user);
  if (result && !c->weighting) {
    c->result_elements = (size_t)as_tensor_elements(result);
    c->weighting = as_alloc(c->ctx, c->result_elements, sizeof(double));
    if (!c->weighting) return AS_E_NOMEM;
    as_random random = as_random_start(c->options.seed, AS_GRADCHECK_MAX_INPUTS);
    for (size_t k = 0; k < c->result_elements; k++) c->weighting[k] = 0.5 + as_random_uniform(&random);
  }
  as_tensor *weights = result ? as_input(g, as_tensor_ndim(result), as_tensor_shape(result), c->weighting) : NULL;
  c->loss = as_sum(g, as_mul(g, result, weights), AS_ALL_DIMS, false);
  as_keep(g, c->loss);
  return as_graph_plan(g, c->loss);
}

static double evaluate(check *c) {
  as_graph_forward(c->graph);
  return *(const double *)as_tensor_data(c->loss);
}

static as_status analytic(check *c) {
  for (int mode = 0; mode <= 2; mode++) {
    as_status status = record(c, mode);
    if (status != AS_OK) return status;
    as_graph_forward(c->graph);
    as_graph_backward(c->graph, c->loss);
    if (as_graph_debug_text(c->graph)[0])
      return as_fail(c->ctx, AS_E_INVALID, "gradcheck: %s", as_graph_debug_text(c->graph));
    for (int i = 0; i < c->count; i++) {
      if (mode == 0)
        memcpy(c->first_gradients[i], c->gradients[i], c->elements[i] * sizeof(double));
      else if (memcmp(c->first_gradients[i], c->gradients[i], c->elements[i] * sizeof(double)) != 0)
        return as_fail(c->ctx, AS_E_INVALID, "gradcheck: the gradient of leaf %d is other bits in recompute mode %d", i,
                       mode);
    }
  }
  return record(c, 0);
}

static as_status compare(check *c, double *worst) {
  for (int i = 0; i < c->count; i++) {
    for (size_t k = 0; k < c->elements[i]; k++) {
      double *value = &c->values[i][k], kept = *value, step = c->options.step;
      *value = kept + step;
      double above = evaluate(c);
      *value = kept - step;
      double below = evaluate(c);
      *value = kept;
      double numeric = (above - below) / (2 * step), given = c->first_gradients[i][k];
      double error = fabs(given - numeric) / fmax(1, fabs(numeric));
      if (worst && error > *worst) *worst = error;
      if (!(error <= c->options.tolerance))
        return as_fail(c->ctx, AS_E_INVALID,
                       "gradcheck: leaf %d, element %zu: backward gives %.12g, differences give %.12g", i, k, given,
                       numeric);
    }
  }
  return AS_OK;
}

as_status as_gradcheck(as_context *ctx, as_gradcheck_function function, void *user, int count,
                       const as_gradcheck_input *inputs, const as_gradcheck_options *options, double *worst) {
  if (count < 1 || count > AS_GRADCHECK_MAX_INPUTS)
    return as_fail(ctx, AS_E_INVALID, "gradcheck: from 1 to %d leaves", AS_GRADCHECK_MAX_INPUTS);
  check c = {.ctx = ctx, .function = function, .user = user, .count = count, .inputs = inputs};
  if (options) c.options = *options;
  if (c.options.step == 0) c.options.step = 1e-5;
  if (c.options.tolerance == 0) c.options.tolerance = 1e-6;
  c.graph = as_graph_new_typed(ctx, AS_TRAIN, AS_F64);
  as_status status = c.graph ? prepare(&c) : AS_E_NOMEM;
  if (status == AS_OK) status = analytic(&c);
  if (status == AS_OK) status = compare(&c, worst);
  release(&c);
  return status;
}
