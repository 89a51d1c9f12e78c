#include "train/schedule.h"

#include <math.h>

#define PI 3.14159265358979323846

double as_schedule_lr(const as_schedule *s, int64_t step) {
  if (step < s->warmup) return s->lr * (double)step / (double)s->warmup;
  double rest = s->steps > s->warmup ? (double)(s->steps - s->warmup) : 1;
  double progress = (double)(step - s->warmup) / rest;
  if (progress > 1) progress = 1;
  switch (s->kind) {
  case AS_SCHEDULE_COSINE:
    return s->lr * 0.5 * (1 + cos(PI * progress));
  case AS_SCHEDULE_CONSTANT:
    return s->lr;
  case AS_SCHEDULE_INVERSE_SQRT: {
    double timescale = s->warmup > 0 ? (double)s->warmup : 1;
    return s->lr * sqrt(timescale / fmax(timescale, (double)step));
  }
  default:
    return s->lr * (1 - progress);
  }
}

int64_t as_schedule_warmup(double warmup, int64_t steps) {
  return warmup < 1 ? (int64_t)ceil(warmup * (double)steps) : (int64_t)warmup;
}
