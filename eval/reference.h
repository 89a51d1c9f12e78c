/* What a classifier has seen, as distributions: when it was trained (reference.json of its folder), and later, in the
 * prediction log. Two of them tell whether what comes in has changed.
 *
 * Invariant: what was read from a file has labels, edges in order and counts that are not negative, so comparing can't
 * fail but for lack of memory. */
#ifndef AS_EVAL_REFERENCE_H
#define AS_EVAL_REFERENCE_H

#include "eval/drift.h"

#define AS_REFERENCE_NAME "reference.json"

typedef struct as_reference {
  as_context *ctx;
  int64_t label_count;
  char **labels;            /* [label_count] */
  int64_t *training_labels; /* [label_count] training rows with each; all 0 where it was not trained */
  int64_t *answers;         /* [label_count + 1] rows that were answered with each; the last: with any other label */
  as_histogram confidence;  /* of those answers */
  as_histogram length;      /* tokens of the rows, special ones included, as the model reads them */
  as_histogram unknown;     /* share of each row's tokens that is the unknown token */
  int64_t tokens, unknown_tokens; /* of all rows */
  int64_t max_length;             /* tokens at most; 0: not known */
  bool answers_training;          /* the answers are to training rows, since there was no validation */
} as_reference;

/* No rows yet; the edges of `unknown` are set (0, 2, 5, 10, 25 %), the others are the caller's. Copies the labels. Free
 * with as_reference_free, after a failure too. */
AS_MUST_CHECK as_status as_reference_init(as_context *ctx, const char *const *labels /* [count] */, int64_t count,
                                          as_reference *out);
/* No rows, with the labels and edges of another. */
AS_MUST_CHECK as_status as_reference_like(const as_reference *other, as_reference *out);
void as_reference_free(as_reference *reference); /* a zeroed one is allowed */

/* Counts a text's tokens, of which so many are unknown: `unknown` and the sums, not `length`. */
void as_reference_add_tokens(as_reference *reference, int64_t tokens, int64_t unknown);
/* Counts an answer: the label only. */
void as_reference_add_answer(as_reference *reference, const char *label);
int64_t as_reference_rows(const as_reference *reference);    /* counted by length */
int64_t as_reference_answers(const as_reference *reference); /* by label */

/* Writes folder/reference.json atomically; the same counts make the same bytes. */
AS_MUST_CHECK as_status as_reference_write(const as_reference *reference, const char *folder);
/* AS_E_DATA when the folder has no such file: the model is older, or from elsewhere. AS_E_MODEL names file and field.
 */
AS_MUST_CHECK as_status as_reference_read(as_context *ctx, const char *folder, as_reference *out);

/* ---- comparing ---------------------------------------------------------------------------------------------- */

enum { AS_DRIFT_LABELS, AS_DRIFT_CONFIDENCE, AS_DRIFT_LENGTH, AS_DRIFT_UNKNOWN, AS_DRIFT_FEATURES };

typedef struct as_drift_feature {
  const char *name;               /* "labels", "confidence", "length", "unknown" */
  int64_t reference, current;     /* rows */
  double psi, expected, quantile; /* as_psi, as_psi_chance; NaN when a side is empty */
  bool drifted;                   /* psi is beyond the threshold and the quantile */
} as_drift_feature;

/* `now` must be like `reference`. An index of `threshold` is what matters in practice (0.2 by custom); `probability` is
 * that of an alarm by chance, for each feature. */
AS_MUST_CHECK as_status as_reference_compare(const as_reference *reference, const as_reference *now, double threshold,
                                             double probability, as_drift_feature out[AS_DRIFT_FEATURES]);

#endif
