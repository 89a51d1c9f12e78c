/* What the use of a model needs to know of its training: lengths, from recipe.json in its folder. */
#ifndef AS_INFER_MODEL_RECIPE_H
#define AS_INFER_MODEL_RECIPE_H

#include "base/context.h"

#define AS_MODEL_RECIPE_FILE "recipe.json"

/* The whole number `key` of folder/recipe.json; `fallback` without the file or, if it `may_be_absent`, without the key.
 * AS_E_MODEL, with the file and the key, for anything but a number of at least `least`. */
AS_MUST_CHECK as_status as_model_recipe_length(as_context *ctx, const char *folder, const char *key, int64_t least,
                                               int64_t fallback, bool may_be_absent, int64_t *length);

#endif
