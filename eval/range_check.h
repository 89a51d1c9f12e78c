/* Private: are all numbers of an array in the range that they are used as indices of? */
#ifndef AS_EVAL_RANGE_CHECK_H
#define AS_EVAL_RANGE_CHECK_H

#include "base/context.h"

/* AS_E_INVALID unless every value is in [0, below): "true label 7 at 12 is not in 0..5". */
AS_MUST_CHECK as_status as_check_range(as_context *ctx, const char *what, const int32_t *values /* [count] */,
                                       int64_t count, int64_t below);

#endif
