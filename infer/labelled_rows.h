/* A classifier on rows whose label is known: truth and answers by one numbering of labels, which need not be the
 * classifier's own (two classifiers that were trained on different weeks may know different labels). */
#ifndef AS_INFER_LABELLED_ROWS_H
#define AS_INFER_LABELLED_ROWS_H

#include "data/messages.h"
#include "infer/classifier.h"

/* Rows of a table whose first column are labels; `messages` is borrowed. Zeroed: no rows. */
typedef struct as_labelled_rows {
  as_context *ctx;
  const as_messages *messages; /* NULL: no rows */
  int64_t count;
  int64_t *rows;   /* [count] of the table, ascending */
  int32_t *truth;  /* [count] */
  int64_t unknown; /* rows left out because none of the labels is theirs */
} as_labelled_rows;

/* All rows of `messages`, their labels numbered as in `labels`. A row of another label is AS_E_DATA, or with `skip`
 * left out and counted; `who` tells in the error who does not know it: "the model knows no". Caller frees, after a
 * failure too. */
AS_MUST_CHECK as_status as_labelled_rows_make(as_context *ctx, const as_messages *messages, const as_labels *labels,
                                              bool skip, const char *who, as_labelled_rows *out);
void as_labelled_rows_free(as_labelled_rows *rows);

/* The labels of `first`, then those that only `second` has. Free with as_labels_free. */
AS_MUST_CHECK as_status as_labels_join(as_context *ctx, const as_labels *first, const as_labels *second,
                                       as_labels *out);

/* Hears now and then how many rows are answered; false: stop. */
typedef struct as_answer_listener {
  bool (*goes_on)(void *user, int64_t done, int64_t count);
  void *user;
} as_answer_listener;

/* What a classifier answers to the rows, by the numbers of `labels`, which has all of the classifier's; the probability
 * of a label that it does not know is 0. AS_E_INTERRUPTED when the listener, which may be NULL, stops it. */
AS_MUST_CHECK as_status as_labelled_rows_answer(const as_labelled_rows *rows, as_classifier *classifier,
                                                const as_labels *labels, int32_t *predicted /* [count] */,
                                                double *probabilities /* [count, labels] */,
                                                float *logits /* [count, the classifier's own] or NULL */,
                                                const as_answer_listener *listener);

#endif
