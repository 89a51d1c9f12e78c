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

/* out[k] = exp(logits[k] / temperature) / sum, computed without overflow for finite logits. `out` may be `logits`. */
void as_softmax_row(const double *logits /* [classes] */, int64_t classes, double temperature, double *out);

typedef enum as_temperature_bound {
  AS_TEMPERATURE_INSIDE = 0, /* an optimum inside the interval was found */
  AS_TEMPERATURE_LOW,        /* none: the loss only falls towards the low end, which is the answer */
  AS_TEMPERATURE_HIGH
} as_temperature_bound;

/* The interval that a temperature is looked for in, and that one of a model folder must lie in. */
#define AS_TEMPERATURE_LEAST 0.05
#define AS_TEMPERATURE_MOST 20.0

/* Temperature scaling (Guo et al. 2017, section 4.2): the T in [low, high] that minimises the mean negative log
 * likelihood of softmax(logits / T). */
typedef struct as_temperature {
  double temperature;
  as_temperature_bound at_bound;
  double nll_before; /* at T = 1 */
  double nll_after;
  double ece_before; /* as_reliability.ece */
  double ece_after;
} as_temperature;

/* With no rows every number is NaN. AS_E_INVALID: 0 < low < high does not hold, a label out of range, a logit that is
 * not finite in single precision. */
AS_MUST_CHECK as_status as_temperature_fit(as_context *ctx, int64_t rows, int64_t classes,
                                           const double *logits /* [rows, classes] */,
                                           const int32_t *truth /* [rows] */, double low, double high,
                                           as_temperature *out);

#endif
