/* The loss of T5 on many pairs, as they stand: without dropout and label smoothing. */
#ifndef AS_MODELS_T5_LOSS_H
#define AS_MODELS_T5_LOSS_H

#include "models/pair_rows.h"
#include "models/t5.h"

typedef struct as_t5_loss_options {
  int64_t batch_tokens;            /* sources and targets together; 0: 4096 */
  bool (*interrupted)(void *user); /* asked before each batch; NULL: never */
  void *user;
} as_t5_loss_options;

/* *sum is the cross entropy of all target tokens added up, in nats, *tokens their number. AS_E_INTERRUPTED when
 * `interrupted` said so. */
AS_MUST_CHECK as_status as_t5_loss(as_context *ctx, const as_t5 *t5, const as_pair_rows *rows,
                                   const as_t5_loss_options *options, double *sum, int64_t *tokens);

#endif
