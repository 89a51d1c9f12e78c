/* Range checks. */
#include "eval/range_check.h"

#include <inttypes.h>

as_status as_check_range(as_context *ctx, const char *what, const int32_t *values, int64_t count, int64_t below) {
  for (int64_t i = 0; i < count; i++) {
    if (values[i] >= 0 && values[i] < below) continue;
    return as_fail(ctx, AS_E_INVALID, "%s %" PRId32 " at %" PRId64 " is not in 0..%" PRId64, what, values[i], i,
                   below - 1);
  }
  return AS_OK;
}
