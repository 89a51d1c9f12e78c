/* Median, extremes and percentiles. See spread.h. */
#include "bench/spread.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

as_spread as_spread_of(double *values, int64_t count) {
  qsort(values, (size_t)count, sizeof *values, by_value);
  return (as_spread){.median = (values[(count - 1) / 2] + values[count / 2]) / 2,
                     .min = values[0],
                     .max = values[count - 1],
                     .p10 = values[count / 10],
                     .p90 = values[count * 9 / 10],
                     .count = count};
}

void as_spread_json(as_json_writer *writer, const char *key, const as_spread *spread, double factor, bool percentiles) {
  as_json_open_object(writer, key);
  as_json_double(writer, "median", factor * spread->median);
  as_json_double(writer, "min", factor * spread->min);
  as_json_double(writer, "max", factor * spread->max);
  if (percentiles) {
    as_json_double(writer, "p10", factor * spread->p10);
    as_json_double(writer, "p90", factor * spread->p90);
  }
  as_json_int(writer, "n", spread->count);
  as_json_close_object(writer);
}
