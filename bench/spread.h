/* What repeated measurements say together. */
#ifndef AS_BENCH_SPREAD_H
#define AS_BENCH_SPREAD_H

#include "base/json.h"

typedef struct as_spread {
  double median; /* the mean of the two in the middle if their number is even */
  double min, max;
  double p10, p90; /* the values at places 0.1 n and 0.9 n, rounded down, of those in order from place 0 */
  int64_t count;
} as_spread;

/* Sorts `values` and describes them; count >= 1. */
as_spread as_spread_of(double *values /* [count] */, int64_t count);

/* {"median": ..., "min": ..., "max": ..., "n": ...}, every value times `factor`; with p10 and p90 if wanted. */
void as_spread_json(as_json_writer *writer, const char *key, const as_spread *spread, double factor, bool percentiles);

#endif
