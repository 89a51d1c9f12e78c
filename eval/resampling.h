/* Private: what all kinds of bootstrap have in common. */
#ifndef AS_EVAL_RESAMPLING_H
#define AS_EVAL_RESAMPLING_H

#include "base/random.h"
#include "eval/bootstrap.h"

/* The random numbers of a resample: a function of the seed and its number, whoever draws it. */
as_random as_resample_start(uint64_t seed, int64_t resample);

/* Percentiles 2.5 and 97.5 of the values that are not NaN (a resample may have met none of the rows that have a score);
 * NaN when there are none. Changes their order. */
as_interval as_interval_of(double *values /* [count] */, int64_t count);

/* No rows or no resamples: nothing can be said. */
as_bootstrap_delta as_undefined_delta(void);
/* Everything but `observed`, from those of the deltas that are not NaN. */
void as_bootstrap_summarize(as_bootstrap_delta *delta, int64_t resamples, double *scratch /* [resamples] */);

#endif
