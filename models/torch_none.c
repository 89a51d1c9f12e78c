/* pytorch_model.bin in a build without libzip: refused by name. */
#include "models/weight_format.h"

static as_status torch_open(as_context *ctx, const char *path, void **file) {
  *file = NULL;
  return as_fail(ctx, AS_E_UNSUPPORTED,
                 "%s: this build can't read it, since libzip was left out; convert the model to model.safetensors, or "
                 "build with libzip",
                 path);
}

const as_weight_format as_torch_format = {.open = torch_open};
