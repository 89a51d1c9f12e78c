/* Learning rate schedules with linear warm-up, as transformers has them
 * (get_linear_schedule_with_warmup and its kin). */
#ifndef AS_TRAIN_SCHEDULE_H
#define AS_TRAIN_SCHEDULE_H

#include <stdint.h>

typedef enum as_schedule_kind {
  AS_SCHEDULE_LINEAR, /* to 0 */
  AS_SCHEDULE_COSINE, /* half a cosine, to 0 */
  AS_SCHEDULE_CONSTANT,
  AS_SCHEDULE_INVERSE_SQRT /* lr sqrt(warmup / step) */
} as_schedule_kind;

typedef struct as_schedule {
  as_schedule_kind kind;
  double lr;
  /* optimizer steps; step s < warmup has lr s / warmup, so step 0 has 0 when there is a warm-up */
  int64_t warmup, steps;
} as_schedule;

/* The learning rate of step `step`, counted from 0. */
double as_schedule_lr(const as_schedule *schedule, int64_t step);

/* Warm-up steps from what a user gives: below 1 a share of all steps, rounded up, else a number of steps. */
int64_t as_schedule_warmup(double warmup, int64_t steps);

#endif
