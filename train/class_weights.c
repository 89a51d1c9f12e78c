#include "train/class_weights.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* "label=weight,label=weight": every label once. */
static as_status parse(as_context *ctx, const char *given, const as_labels *labels, float *weights) {
  const char *at = given;
  for (size_t i = 0; i < labels->count; i++) weights[i] = -1;
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
      return as_fail(ctx, AS_E_INVALID,
                     "class-weights: \"%.*s\" is not LABEL=WEIGHT with a label of the data and a weight of at least 0",
                     (int)(stop - at), at);
    if (weights[label] >= 0)
      return as_fail(ctx, AS_E_INVALID, "class-weights: the label \"%s\" is given twice", labels->names[label]);
    weights[label] = (float)weight;
    at = end ? end + 1 : NULL;
  }
  for (size_t i = 0; i < labels->count; i++)
    if (weights[i] < 0)
      return as_fail(ctx, AS_E_INVALID, "class-weights: there is no weight for the label \"%s\"", labels->names[i]);
  return AS_OK;
}

as_status as_class_weights_make(as_context *ctx, const as_recipe *recipe, const as_labels *labels,
                                const as_token_rows *rows, float **weights) {
  *weights = NULL;
  if (recipe->class_weights == AS_WEIGHTS_NONE) return AS_OK;
  float *w = *weights = as_alloc_zero(ctx, labels->count, sizeof *w);
  if (!w) return AS_E_NOMEM;
  if (recipe->class_weights == AS_WEIGHTS_GIVEN) return parse(ctx, recipe->given_weights, labels, w);
  for (int64_t i = 0; i < rows->count; i++) w[rows->labels[i]]++;
  for (size_t c = 0; c < labels->count; c++)
    if (w[c] > 0) w[c] = (float)((double)rows->count / ((double)labels->count * (double)w[c]));
  return AS_OK;
}
