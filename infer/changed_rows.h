/* The rows to which two classifiers answer differently, as CSV for a person to look through. */
#ifndef AS_INFER_CHANGED_ROWS_H
#define AS_INFER_CHANGED_ROWS_H

#include "base/buffer.h"
#include "infer/labelled_rows.h"

/* What both answered. Everything is borrowed. */
typedef struct as_answer_pair {
  const as_labelled_rows *rows;
  const as_labels *labels;
  const int32_t *predicted[2];    /* [count] */
  const double *probabilities[2]; /* [count, labels] */
} as_answer_pair;

/* Appends a header and, for every row that is answered differently, line, text, truth, first, first_confidence, second,
 * second_confidence and change ("broken", "fixed", "both wrong": eval/comparison.h): broken rows, fixed ones, the
 * others, each in the order of the file. */
AS_MUST_CHECK as_status as_changed_rows_csv(as_context *ctx, const as_answer_pair *pair, as_buffer *out);

#endif
