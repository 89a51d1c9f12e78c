/* What a training step asks of an optimizer. AdamW (train/adamw.h) and Adafactor (train/adafactor.h) give one. */
#ifndef AS_TRAIN_OPTIMIZER_H
#define AS_TRAIN_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>

#define AS_OPTIMIZER_MOMENTS 2

/* Numbers that an optimizer keeps from step to step. */
typedef struct as_optimizer_moments {
  const char *name; /* in a checkpoint; NULL ends the list */
  float *values;    /* [count] */
  size_t count;
} as_optimizer_moments;

typedef struct as_optimizer {
  void *state; /* borrowed */
  /* The Euclidean norm of all gradients that are not frozen. */
  double (*gradient_norm)(void *state);
  /* One update with the gradients times `gradient_scale`. */
  void (*update)(void *state, double lr, double gradient_scale);
  /* The learning rate of the next update, when the schedule says `lr`. */
  double (*next_lr)(const void *state, double lr);
  /* All that a checkpoint must hold, borrowed; `restored` is called after it was written to. */
  as_optimizer_moments moments[AS_OPTIMIZER_MOMENTS + 1];
  int64_t *steps; /* updates done */
  void (*restored)(void *state);
} as_optimizer;

/* How many moments the optimizer keeps. */
size_t as_optimizer_moment_count(const as_optimizer *optimizer);

/* What clipping to max_norm multiplies the gradients with: min(1, max_norm / (norm + 1e-6)), as torch's
 * clip_grad_norm_; 1 when max_norm is 0. */
double as_clip_scale(double norm, double max_norm);

#endif
