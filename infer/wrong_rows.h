/* The rows that a classifier got wrong, as CSV for a person to look through: the surest mistakes first, since there the
 * label itself is often what is wrong. */
#ifndef AS_INFER_WRONG_ROWS_H
#define AS_INFER_WRONG_ROWS_H

#include "base/buffer.h"
#include "data/messages.h"

/* What was answered to all rows of a table. Everything is borrowed. */
typedef struct as_answers {
  const as_messages *messages;
  int64_t classes;
  const char *const *labels;   /* [classes] */
  const int32_t *truth;        /* [rows of messages] */
  const int32_t *predicted;    /* [rows] */
  const double *probabilities; /* [rows, classes] or NULL */
} as_answers;

/* Appends a header and, for every row where prediction and truth differ, line (in the file that `messages` was read
 * from), text, truth, predicted and confidence (the probability of the prediction; empty without probabilities), by
 * falling confidence, equal ones in the order of the file. */
AS_MUST_CHECK as_status as_wrong_rows_csv(as_context *ctx, const as_answers *answers, as_buffer *out);

#endif
