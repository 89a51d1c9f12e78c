/* What a temperature (eval/calibration.h) does to a classifier's probabilities, and whether it is worth having: the
 * figures before and after, the latter on rows that the temperature was not fitted on. */
#ifndef AS_EVAL_CLASSIFIER_CALIBRATION_H
#define AS_EVAL_CLASSIFIER_CALIBRATION_H

#include "base/json.h"
#include "eval/classification.h"

/* Of fewer rows no temperature is taken: it would say more of the rows than of the model. */
enum { AS_CALIBRATION_ROWS = 50, AS_CALIBRATION_FOLDS = 5 };

/* What calibration can change of the scores. */
typedef struct as_calibration_scores {
  as_reliability reliability;
  double log_loss, brier;
} as_calibration_scores;

typedef struct as_classifier_calibration {
  double temperature; /* NaN: none, `reason` says why */
  const char *reason; /* a static text; NULL with a temperature */
  int64_t rows;       /* measured on */
  /* `after` is of each of so many parts of the rows with the temperature of the others; 0: `temperature` was given, and
   * made all of them. */
  int64_t folds;
  as_calibration_scores before;
  as_calibration_scores after; /* every number NaN when no temperature was fitted */
} as_classifier_calibration;

/* The temperature of these rows, in [AS_TEMPERATURE_LEAST, AS_TEMPERATURE_MOST]. `after` is cross-fitted: row i has the
 * temperature of the rows j with j mod 5 != i mod 5. There is none (AS_OK, NaN and the reason) with fewer than
 * AS_CALIBRATION_ROWS rows, with a logit that is not finite, when the best lies at an end of the interval, and when the
 * cross-fitted log loss isn't lower than before. AS_E_INVALID as as_temperature_fit. */
AS_MUST_CHECK as_status as_classifier_calibration_fit(as_context *ctx, int64_t rows, int64_t classes,
                                                      const double *logits /* [rows, classes] */,
                                                      const int32_t *truth /* [rows] */,
                                                      as_classifier_calibration *out);

/* Makes of a row's probabilities, softmax(logits), those at a temperature, softmax(logits / temperature), and returns
 * the class that was the most probable before, the lowest on a tie. No class is more probable afterwards: one whose
 * logit is larger, though the softmax had rounded that away, counts as equal to it. */
int32_t as_calibrate_row(const float *logits /* [classes] */, int64_t classes, double temperature,
                         float *probabilities /* [classes] */);

/* The figures of as_classifier_calibration_fit for probabilities that a given temperature made. */
AS_MUST_CHECK as_status as_classifier_calibration_measure(as_context *ctx, int64_t rows, int64_t classes,
                                                          const int32_t *truth, /* [rows] */
                                                          const double *before, /* [rows, classes] probabilities */
                                                          const double *after,  /* [rows, classes] */
                                                          double temperature, as_classifier_calibration *out);

/* Writes {"temperature", "reason"?, "rows", "folds"?, "before": {"ece15", "log_loss", "brier"}, "after": ... or null}
 * as the member `key`; null for NULL. */
void as_classifier_calibration_json(as_json_writer *writer, const char *key,
                                    const as_classifier_calibration *calibration);

#endif
