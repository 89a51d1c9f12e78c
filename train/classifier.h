/* Training a classifier, from CSV to a Hugging Face model folder: data, tokenizer, model, epochs with validation and
 * early stopping, checkpoints, the final model.
 *
 * Invariant: with the same recipe and files the final weights are the same bytes for any number of threads and however
 * often the run was interrupted and resumed; a run that is killed at any moment leaves a folder that resumes. */
#ifndef AS_TRAIN_CLASSIFIER_H
#define AS_TRAIN_CLASSIFIER_H

#include "data/report.h"
#include "models/classification_task.h"
#include "models/config.h"
#include "train/recipe.h"

/* Known before the first step. Arrays are borrowed for the call. */
typedef struct as_training_summary {
  const char *architecture; /* of the model: "distilbert" */
  const as_recipe *recipe;                     /* with batches and recomputation as the memory limit made them */
  const as_data_report *report, *valid_report; /* valid_report: NULL without a validation file */
  int64_t train_rows, valid_rows;
  const as_labels *labels;
  const int64_t *label_rows;     /* [labels->count] training rows of each class */
  int64_t length_percentiles[5]; /* tokens: 50, 90, 95, 99, 100 % of the training rows are at most as long */
  int64_t truncated;             /* training rows that lost tokens to max_length */
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

typedef struct as_training_epoch {
  int64_t epoch, epochs;
  double train_loss; /* mean of the steps */
  bool validated;
  double valid_loss, accuracy, macro_f1; /* macro_f1 over the classes that occur, as scikit-learn's default */
  bool is_best;
} as_training_epoch;

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
  bool stopped_early;
  double seconds, tokens_per_second;
} as_training_result;

/* Trains by the recipe into folder `out`. AS_E_INVALID when `out` holds a model or an unfinished run and `overwrite` is
 * false. AS_E_INTERRUPTED with a state that as_train_classifier_resume goes on from; AS_E_DIVERGED after a loss or
 * gradient that is not finite, with the last checkpoint kept. A failure before the first checkpoint leaves no run. */
AS_MUST_CHECK as_status as_train_classifier(as_context *ctx, const as_recipe *recipe, const char *out, bool overwrite,
                                            const as_training_listener *listener, as_training_result *result);
/* The same for a task: a label_column that is NULL is the task's, and so is the architecture of a fresh model. The
 * texts of `recipe` are borrowed for the call. */
AS_MUST_CHECK as_status as_train_task(as_context *ctx, const as_classification_task *task, const as_recipe *recipe,
                                      const char *out, bool overwrite, const as_training_listener *listener,
                                      as_training_result *result);
/* Goes on with the run in `out`. AS_E_MODEL when there is none; AS_E_DATA when a data file has changed, AS_E_MODEL when
 * the recorded recipe has. */
AS_MUST_CHECK as_status as_train_classifier_resume(as_context *ctx, const char *out,
                                                   const as_training_listener *listener, as_training_result *result);

#endif
