/* The weights of the classes in the loss: none, balanced by their rows, or given by the user. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "train/classifier_run.h"

/* "label=weight,label=weight": every label once. */
static as_status parse_weights(as_classifier_run *run, const as_labels *labels) {
  const char *at = run->recipe.given_weights;
  for (size_t i = 0; i < labels->count; i++) run->class_weights[i] = -1;
  while (at && *at) {
    const char *end = strchr(at, ','), *stop = end ? end : at + strlen(at), *equal = NULL;
    for (const char *p = at; p < stop; p++)
      if (*p == '=') equal = p; /* the last: labels may hold one */
    char name[256];
    double weight = -1;
    int used = 0;
    if (equal && equal - at < (ptrdiff_t)sizeof name) {
      snprintf(name, sizeof name, "%.*s", (int)(equal - at), at);
      if (sscanf(equal + 1, "%lf%n", &weight, &used) != 1 || equal + 1 + used != stop) weight = -1;
    }
    int64_t label = equal ? as_labels_find(labels, name) : -1;
    if (label < 0 || !(weight >= 0) || !isfinite(weight))
      return as_fail(run->ctx, AS_E_INVALID,
                     "class-weights: \"%.*s\" is not LABEL=WEIGHT with a label of the data and a weight of at least 0",
                     (int)(stop - at), at);
    if (run->class_weights[label] >= 0)
      return as_fail(run->ctx, AS_E_INVALID, "class-weights: the label \"%s\" is given twice", labels->names[label]);
    run->class_weights[label] = (float)weight;
    at = end ? end + 1 : NULL;
  }
  for (size_t i = 0; i < labels->count; i++)
    if (run->class_weights[i] < 0)
      return as_fail(run->ctx, AS_E_INVALID, "class-weights: there is no weight for the label \"%s\"",
                     labels->names[i]);
  return AS_OK;
}

as_status as_run_class_weights(as_classifier_run *run) {
  const as_labels *labels = as_encoder_labels(run->encoder);
  const as_token_rows *rows = &run->data.train_rows;
  if (run->recipe.class_weights == AS_WEIGHTS_NONE) return AS_OK;
  run->class_weights = as_alloc_zero(run->ctx, labels->count, sizeof *run->class_weights);
  if (!run->class_weights) return AS_E_NOMEM;
  if (run->recipe.class_weights == AS_WEIGHTS_GIVEN) return parse_weights(run, labels);
  for (int64_t i = 0; i < rows->count; i++) run->class_weights[rows->labels[i]]++;
  for (size_t c = 0; c < labels->count; c++)
    if (run->class_weights[c] > 0)
      run->class_weights[c] = (float)((double)rows->count / ((double)labels->count * (double)run->class_weights[c]));
  return AS_OK;
}
