/* Class weights of a recipe: balanced, or given by label. */
#ifndef AS_TRAIN_CLASS_WEIGHTS_H
#define AS_TRAIN_CLASS_WEIGHTS_H

#include "models/config.h"
#include "models/token_rows.h"
#include "train/recipe.h"

/* *weights [labels->count], or NULL when the recipe wants none; the caller frees it, after a failure too. AS_E_INVALID
 * when what is given does not name every label once with a weight of at least 0. */
AS_MUST_CHECK as_status as_class_weights_make(as_context *ctx, const as_recipe *recipe, const as_labels *labels,
                                              const as_token_rows *rows, float **weights);

#endif
