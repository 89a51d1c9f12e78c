/* Calibration: does a confidence of 0.8 mean right in 80 % of the cases? And if not, the temperature that mends it. */
#ifndef AS_EVAL_CALIBRATION_H
#define AS_EVAL_CALIBRATION_H

#include "base/context.h"

enum { AS_RELIABILITY_BINS = 15 };

/* Confidence = the largest probability, prediction = the lowest class that reaches it. Bin b holds b/15 < confidence <=
 * (b+1)/15, the edges being the doubles k/15.0; confidence 0 goes to bin 0. */
typedef struct as_reliability {
  int64_t count[AS_RELIABILITY_BINS];
  double accuracy[AS_RELIABILITY_BINS];   /* NaN in an empty bin */
  double confidence[AS_RELIABILITY_BINS]; /* mean; NaN in an empty bin */
  double ece; /* expected calibration error: sum of count/rows * |accuracy - confidence| (Guo et al. 2017, eq. 3) */
  double mce; /* the largest gap of a bin that is not empty */
} as_reliability;

/* Both errors are NaN when rows = 0. No probability may be NaN; classes >= 1; truth in [0, classes). */
void as_reliability_measure(int64_t rows, int64_t classes, const int32_t *truth, /* [rows] */
                            const double *probabilities,                         /* [rows, classes] */
                            as_reliability *out);

#endif
