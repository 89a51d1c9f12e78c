/* Shared by the tests of metrics: files of JSON lines that hold a line's fields and, under "expected", its answer. */
#ifndef AS_TESTS_METRICS_ROWS_H
#define AS_TESTS_METRICS_ROWS_H

#include <stdint.h>

/* Measures every line of `path` by the task of this name and fails the test where a number is further from the expected
 * one than a rounding: 1e-12 for ratios of counts, 1e-9 relative for sums of logarithms and text scores, 1e-7 relative
 * for temperatures and tail probabilities. A line without "expected" is compared with its own fields. */
void as_check_metrics_rows(const char *path, const char *task_name, int64_t least_rows);

#endif
