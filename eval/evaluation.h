/* The evaluation of a classifier as a whole: its scores, how sure they are, what a trivial answer would have reached;
 * as a table for people, as JSON for machines, as a picture of its calibration, and with the rows that it got wrong. */
#ifndef AS_EVAL_EVALUATION_H
#define AS_EVAL_EVALUATION_H

#include "base/buffer.h"
#include "base/json.h"
#include "eval/bootstrap.h"
#include "eval/classifier_calibration.h"

/* What was answered. Everything is borrowed; `labels` and `calibration` must live as long as the
 * as_evaluation made from it. */
typedef struct as_evaluation_input {
  int64_t rows;
  int64_t classes;
  const char *const *labels;   /* [classes] UTF-8 */
  const int32_t *truth;        /* [rows] */
  const int32_t *predicted;    /* [rows] */
  const double *probabilities; /* [rows, classes] or NULL */
  int64_t resamples;           /* of the bootstrap; 0: no intervals (NaN). 1000 is customary */
  uint64_t seed;               /* of the bootstrap */
  const as_classifier_calibration *calibration; /* of `probabilities`; NULL: they are the model's own */
} as_evaluation_input;

typedef struct as_evaluation {
  const char *const *labels;                    /* [classes], borrowed */
  const as_classifier_calibration *calibration; /* borrowed, or NULL */
  as_classification scores;
  as_score_intervals ci95;
  int64_t resamples;
  /* Always answering the class that is commonest in truth (the lowest such one); NaN and -1 without rows. */
  int32_t majority_class;
  double majority_accuracy;
  double majority_macro_f1;      /* over all classes */
  double majority_macro_f1_seen; /* over those that occur */
} as_evaluation;

/* Caller frees with as_evaluation_free. Errors as as_classification_measure's. */
AS_MUST_CHECK as_status as_evaluation_measure(as_context *ctx, const as_evaluation_input *input, as_evaluation *out);
void as_evaluation_free(as_context *ctx, as_evaluation *evaluation); /* a zeroed one is allowed */

/* Writes fields into the object that is open in `writer`: those of as_classification_json, then "calibration"
 * (as_classifier_calibration_json), "labels", "ci95" (accuracy, macro_f1, macro_f1_seen: [low, high]) and "baselines"
 * (majority: label, accuracy, macro_f1, macro_f1_seen). */
void as_evaluation_json(as_json_writer *writer, const as_evaluation *evaluation);

/* Appends the table for people, at most 80 columns wide. Up to 12 classes the confusion matrix is drawn; beyond that
 * the commonest confusions are listed. */
AS_MUST_CHECK as_status as_evaluation_table(const as_evaluation *evaluation, as_buffer *out);

/* Appends a reliability diagram (accuracy over confidence, 15 bins) as an SVG document; with a calibration one of the
 * same rows without it, beside it. `title` may hold anything. */
AS_MUST_CHECK as_status as_evaluation_svg(const as_evaluation *evaluation, const char *title, as_buffer *out);

/* The rows that were answered wrongly, the most confident mistake first, equal ones in the order of the rows.
 * *order is [*count] row numbers, freed by the caller with as_free. `confidence` may be NULL: the order of the rows. */
AS_MUST_CHECK as_status as_wrong_rows(as_context *ctx, int64_t rows, const int32_t *truth /* [rows] */,
                                      const int32_t *predicted /* [rows] */,
                                      const double *confidence /* [rows] or NULL */, int64_t **order, int64_t *count);

#endif
