/* What a training step asks of an optimizer. AdamW (train/adamw.h) and Adafactor (train/adafactor.h) give one. */
#ifndef AS_TRAIN_OPTIMIZER_H
#define AS_TRAIN_OPTIMIZER_H

typedef struct as_optimizer {
  void *state; /* borrowed */
  /* The Euclidean norm of all gradients that are not frozen. */
  double (*gradient_norm)(void *state);
  /* One update with the gradients times `gradient_scale`. */
  void (*update)(void *state, double lr, double gradient_scale);
} as_optimizer;

/* What clipping to max_norm multiplies the gradients with: min(1, max_norm / (norm + 1e-6)), as torch's
 * clip_grad_norm_; 1 when max_norm is 0. */
double as_clip_scale(double norm, double max_norm);

#endif
