/* Platt scaling: from a score to a probability. */
#ifndef AS_EVAL_PLATT_H
#define AS_EVAL_PLATT_H

#include "base/context.h"

/* probability = 1 / (1 + exp(-(slope * score + intercept))) */
typedef struct as_platt {
  double slope, intercept;
} as_platt;

/* Fits it by maximum likelihood to weighted examples (Platt 1999), with his smoothed targets and Newton steps with
 * backtracking (Lin, Lin and Weng 2007). Without positives or without negatives, or when the scores turn out to say
 * nothing or the contrary, the slope is 0 or 1 as the case may be: *fitted tells whether the data decided it. */
as_platt as_platt_fit(int64_t count, const float *scores /* [count] */, const unsigned char *positive /* [count] */,
                      const float *weights /* [count], or NULL: 1 */, bool *fitted);
double as_platt_probability(as_platt platt, double score);

#endif
