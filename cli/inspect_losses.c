/* See inspect_losses.h. */
#include "cli/inspect_losses.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "tensor/ops.h"

/* A loss of the golden files: its name behind "loss" and "dlogits", and what it takes. */
typedef struct loss_variant {
  const char *name;
  bool smooth, weighted, sum;
} loss_variant;

static const loss_variant variants[] = {{"", false, false, false},
                                        {"_smooth", true, false, false},
                                        {"_weighted", false, true, false},
                                        {"_weighted_smooth", true, true, false},
                                        {"_sum", false, false, true}};

static as_status compute(as_graph *g, const as_inspect_logits *logits, const loss_variant *variant,
                         float *both /* [2, rows, classes]: the logits, then room for their gradient */,
                         float *result) {
  const int64_t shape[] = {logits->rows, logits->classes};
  const size_t elements = (size_t)(shape[0] * shape[1]);
  as_cross_entropy_options options = {.ignore_index = AS_NO_LABEL, .denominator = variant->sum ? 1 : 0};
  if (variant->weighted) options.class_weights = logits->class_weights;
  if (variant->smooth) options.label_smoothing = logits->label_smoothing;
  memcpy(both, logits->values, elements * sizeof *both);
  as_graph_reset(g);
  as_tensor *loss = as_cross_entropy(g, as_leaf(g, 2, shape, both, both + elements),
                                     as_input_i32(g, 1, &logits->rows, logits->labels), &options);
  as_keep(g, loss);
  as_status status = as_graph_plan(g, loss);
  if (status != AS_OK) return status;
  as_graph_forward(g);
  as_graph_backward(g, loss);
  *result = *as_tensor_f32(loss);
  return AS_OK;
}

as_status as_inspect_losses(as_context *ctx, const as_inspect_logits *logits, as_json_writer *scalars,
                            as_inspect_store_gradient store, void *user) {
  const size_t elements = (size_t)(logits->rows * logits->classes);
  float *both = as_alloc(ctx, elements, 2 * sizeof *both);
  as_graph *g = as_graph_new(ctx, AS_TRAIN);
  as_status status = both && g ? AS_OK : AS_E_NOMEM;
  for (size_t i = 0; status == AS_OK && i < sizeof variants / sizeof variants[0]; i++) {
    char name[32];
    float loss = 0;
    if ((variants[i].weighted && !logits->class_weights) || (variants[i].smooth && !logits->smooth)) continue;
    status = compute(g, logits, &variants[i], both, &loss);
    if (status != AS_OK) break;
    snprintf(name, sizeof name, "loss%s", variants[i].name);
    as_json_float(scalars, name, loss);
    snprintf(name, sizeof name, "dlogits%s", variants[i].name);
    if (store && !variants[i].sum) store(user, name, both + elements);
  }
  as_graph_free(g);
  as_free(ctx, both);
  return status;
}
