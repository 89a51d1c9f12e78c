/* The area under the ROC curve as the Mann-Whitney statistic. */
#ifndef AS_EVAL_AUC_H
#define AS_EVAL_AUC_H

#include "base/context.h"

typedef struct as_scored {
  double score;
  bool positive;
} as_scored;

/* P(score of a positive > score of a negative) + P(they are equal) / 2, over all pairs; -0.0 equals 0.0. NaN when there
 * are no positives or no negatives (undefined). Sorts `items`; no score may be NaN. O(count log count), allocates
 * nothing. */
double as_auc(as_scored *items /* [count] */, int64_t count);

#endif
