/* Scores of a classifier: from labels (accuracy, precision, recall, F1, MCC, kappa, confusion) and, when there are
 * probabilities, from those too (log loss, Brier score, calibration error, AUC, top-2 accuracy).
 *
 * Labels are 0 .. classes-1. What has no value (an average over nothing, an AUC without negatives, every score of no
 * rows) is NaN here and null in JSON; it is never passed off as 0. */
#ifndef AS_EVAL_CLASSIFICATION_H
#define AS_EVAL_CLASSIFICATION_H

#include "base/context.h"
#include "eval/calibration.h"

/* One of precision, recall, F1. 0/0 counts as 0, as in scikit-learn with zero_division=0. */
typedef struct as_class_scores {
  double *per_class; /* [classes] */
  double macro;      /* mean over all classes, those that never occur counting 0 */
  double macro_seen; /* mean over the classes that occur in truth or prediction (scikit-learn's default) */
  double micro;      /* of the pooled counts; with one label a row this is the accuracy */
  double weighted;   /* mean weighted by support */
} as_class_scores;

typedef struct as_classification {
  int64_t rows;
  int64_t classes;
  int64_t *confusion; /* [classes, classes]: rows of true class i predicted as j at i * classes + j */
  int64_t *support;   /* [classes] rows whose true class this is */
  int64_t *predicted; /* [classes] rows predicted so */
  double accuracy;
  as_class_scores precision;
  as_class_scores recall;
  as_class_scores f1;
  double balanced_accuracy; /* mean recall of the classes that occur in truth */
  double mcc;               /* multi-class Matthews correlation (Gorodkin 2004); 0 when its denominator is 0 */
  double kappa;             /* Cohen's, unweighted; NaN when the agreement expected by chance is 1 */

  bool has_probabilities; /* the rest is only set if true */
  double log_loss;        /* -mean ln clip(p[true], 2^-52, 1 - 2^-52) */
  double brier;           /* mean over rows of the sum over classes of (p - [class is true])^2: 0 .. 2 */
  as_reliability reliability;
  double *auc;          /* [classes] one against the rest; NaN for a class without positives or negatives */
  double auc_macro;     /* means over the classes that have an AUC */
  double auc_weighted;  /* weighted by support */
  double top2_accuracy; /* equal probabilities rank by lower class; NaN below 3 classes */
} as_classification;

/* Measures `rows` answers. `predicted` is taken as given (it need not be the argmax of the probabilities);
 * `probabilities` may be NULL. rows = 0 is allowed and leaves every score NaN. On success the arrays of *out belong to
 * the caller, who frees them with as_classification_free; on failure *out is empty. AS_E_INVALID: a label outside [0,
 * classes), a probability that is not in [0, 1], classes < 1, more than 2^31-1 rows. */
AS_MUST_CHECK as_status as_classification_measure(as_context *ctx, int64_t rows, int64_t classes,
                                                  const int32_t *truth,        /* [rows] */
                                                  const int32_t *predicted,    /* [rows] */
                                                  const double *probabilities, /* [rows, classes] or NULL */
                                                  as_classification *out);
void as_classification_free(as_context *ctx, as_classification *scores); /* a zeroed one is allowed */

/* Macro-F1 from counts alone, for those who count themselves (resampling): over all classes, or over the seen ones.
 * NaN when there is none. */
double as_macro_f1(int64_t classes, const int64_t *hits /* [classes] */, const int64_t *support /* [classes] */,
                   const int64_t *predicted /* [classes] */, bool seen_only);

/* What a row adds to log_loss and to brier, before the division by the rows. */
double as_row_log_loss(const double *probabilities /* [classes] */, int32_t truth);
double as_row_brier(const double *probabilities /* [classes] */, int64_t classes, int32_t truth);

/* The class of highest probability, the lowest on a tie. classes >= 1. */
int32_t as_argmax(const double *probabilities /* [classes] */, int64_t classes);
int32_t as_argmax_float(const float *probabilities /* [classes] */, int64_t classes);

#endif
