/* What a training run tells its caller, whatever it trains: the summary before the first step, steps, epochs, the
 * result. */
#ifndef AS_TRAIN_TRAINING_H
#define AS_TRAIN_TRAINING_H

#include "data/report.h"
#include "models/config.h"
#include "train/recipe.h"

/* Known before the first step. Arrays are borrowed for the call. */
typedef struct as_training_summary {
  const char *architecture;                    /* of the model: "distilbert" */
  const as_recipe *recipe;                     /* with batches and recomputation as the memory limit made them */
  const as_data_report *report, *valid_report; /* valid_report: NULL without a validation file */
  int64_t train_rows, valid_rows;
  const as_labels *labels;       /* of a classifier; NULL: there are none */
  const int64_t *label_rows;     /* [labels->count] training rows of each class */
  int64_t length_percentiles[5]; /* tokens: 50, 90, 95, 99, 100 % of the training rows are at most as long */
  int64_t truncated;             /* training rows that lost tokens to max_length */
  int64_t targets_truncated;     /* training rows whose reply lost tokens to max_target_length */
  int64_t vocab_size, parameters, trained_parameters;
  size_t parameter_bytes; /* weights, gradients and moments */
  size_t graph_bytes;     /* activations of the largest batch */
  int64_t steps, warmup;
  bool head_replaced, head_absent, fresh;
  int64_t resumed_step; /* 0: from the beginning */
} as_training_summary;

typedef struct as_training_step {
  int64_t step, steps, epoch, epochs; /* step is counted from 1, epoch from 1 */
  double loss, grad_norm, lr;
  int64_t tokens;           /* of this step */
  double tokens_per_second; /* over the last steps */
  double seconds_left;
} as_training_step;

/* A figure of a validation. */
typedef struct as_training_metric {
  const char *name;  /* as in train.jsonl: "macro_f1" */
  const char *label; /* as a person reads it: "macro-F1" */
  double value;
  bool is_share; /* from 0 to 1, read as a percentage */
} as_training_metric;

#define AS_TRAINING_METRICS 4

typedef struct as_training_epoch {
  int64_t epoch, epochs;
  double train_loss; /* mean of the steps */
  bool validated;
  double valid_loss;
  as_training_metric metrics[AS_TRAINING_METRICS]; /* [metric_count] beside the loss */
  int metric_count;
  bool is_best;
} as_training_epoch;

/* The metric of this name; NaN if there is none. */
double as_training_epoch_metric(const as_training_epoch *epoch, const char *name);

/* What the caller wants to hear; any may be NULL. `interrupted` is asked often; true saves the state and stops. */
typedef struct as_training_listener {
  void (*summary)(void *user, const as_training_summary *summary);
  void (*step)(void *user, const as_training_step *step);
  void (*epoch)(void *user, const as_training_epoch *epoch);
  void (*note)(void *user, const char *text); /* what goes on: "reading messages.csv" */
  bool (*interrupted)(void *user);
  void *user;
} as_training_listener;

typedef struct as_training_result {
  int64_t steps, epochs; /* done */
  int64_t best_epoch;    /* whose weights were kept, from 1 */
  double watched;        /* what that epoch was judged by, larger being better; NaN when none was measured */
  bool stopped_early;
  double seconds, tokens_per_second;
} as_training_result;

/* What a run will take, measured on this machine by running a little of it; nothing is written to disk.
 *
 * `stepping` is what some steps of the first epoch took, by the token, times the tokens of all epochs: as if none were
 * cut short by early stopping. `validating` is what one forward pass took, by its tokens, times validation rows
 * and epochs. `concluding` is what a task does once at the end. Not in it: reading and writing of checkpoints, and
 * whatever else the machine will be doing. */
typedef struct as_training_estimate {
  int64_t train_rows, valid_rows, epochs, steps, parameters;
  size_t bytes; /* weights, gradients, moments and activations of the largest batch */
  double preparing, stepping, validating, concluding; /* seconds */
  double seconds;                                     /* their sum */
} as_training_estimate;

#endif
