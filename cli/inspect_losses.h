/* The losses that inspect run prints: each from the logits alone, with its gradient for them. */
#ifndef AS_CLI_INSPECT_LOSSES_H
#define AS_CLI_INSPECT_LOSSES_H

#include "cli/inspect.h"

typedef struct as_inspect_logits {
  int64_t rows, classes;
  const float *values;        /* [rows, classes] */
  const int32_t *labels;      /* [rows], AS_NO_LABEL: none */
  const float *class_weights; /* [classes], or NULL: no weighted losses */
  double label_smoothing;
  bool smooth; /* label_smoothing was given */
} as_inspect_logits;

/* Where the gradient of a loss goes: dlogits and the loss' name behind it. */
typedef void (*as_inspect_store_gradient)(void *user, const char *name, const float *gradient /* [rows, classes] */);

/* Writes loss, loss_smooth, loss_weighted, loss_weighted_smooth and loss_sum, as far as the options ask for them, and
 * hands the gradients of all but the last to `store`, which may be NULL. */
AS_MUST_CHECK as_status as_inspect_losses(as_context *ctx, const as_inspect_logits *logits, as_json_writer *scalars,
                                          as_inspect_store_gradient store, void *user);

#endif
