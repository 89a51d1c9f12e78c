/* See model_recipe.h. */
#include "infer/model_recipe.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

as_status as_model_recipe_length(as_context *ctx, const char *folder, const char *key, int64_t least, int64_t fallback,
                                 bool may_be_absent, int64_t *length) {
  char *path = as_path_join(ctx, folder, AS_MODEL_RECIPE_FILE);
  json_t *root = NULL;
  as_status status = path ? AS_OK : AS_E_NOMEM;
  *length = fallback;
  if (path && as_path_exists(path)) {
    status = as_json_read(ctx, path, 1 << 20, AS_E_MODEL, &root);
    const json_t *value = json_object_get(root, key);
    const bool absent = may_be_absent && json_is_object(root) && !value;
    if (status == AS_OK && !absent && (!json_is_integer(value) || json_integer_value(value) < least))
      status = as_fail(ctx, AS_E_MODEL, "%s: %s must be a number of at least %lld", path, key, (long long)least);
    if (status == AS_OK && !absent) *length = json_integer_value(value);
  }
  json_decref(root);
  as_free(ctx, path);
  return status;
}
