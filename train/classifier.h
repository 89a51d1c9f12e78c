/* Training a classifier, from CSV to a Hugging Face model folder: data, tokenizer, model, epochs with validation and
 * early stopping, checkpoints, the final model.
 *
 * Invariant: with the same recipe and files the final weights are the same bytes for any number of threads and however
 * often the run was interrupted and resumed; a run that is killed at any moment leaves a folder that resumes. */
#ifndef AS_TRAIN_CLASSIFIER_H
#define AS_TRAIN_CLASSIFIER_H

#include "models/classification_task.h"
#include "train/training.h"

/* Trains by the recipe into folder `out`. AS_E_INVALID when `out` holds a model or an unfinished run and `overwrite` is
 * false. AS_E_INTERRUPTED with a state that as_train_classifier_resume goes on from; AS_E_DIVERGED after a loss or
 * gradient that is not finite, with the last checkpoint kept. A failure before the first checkpoint leaves no run. */
AS_MUST_CHECK as_status as_train_classifier(as_context *ctx, const as_recipe *recipe, const char *out, bool overwrite,
                                            const as_training_listener *listener, as_training_result *result);
/* The same for a task, which the folder records: a label_column that is NULL is the task's, and so is the architecture
 * of a fresh model. The texts of `recipe` are borrowed for the call. */
AS_MUST_CHECK as_status as_train_task(as_context *ctx, const as_classification_task *task, const as_recipe *recipe,
                                      const char *out, bool overwrite, const as_training_listener *listener,
                                      as_training_result *result);
/* What as_train_task would take with this recipe (see as_training_estimate); of the listener only `interrupted` is
 * asked, and it may be NULL. */
AS_MUST_CHECK as_status as_train_task_estimate(as_context *ctx, const as_classification_task *task,
                                               const as_recipe *recipe, const as_training_listener *listener,
                                               as_training_estimate *estimate);
/* Goes on with the run in `out`. AS_E_MODEL when there is none; AS_E_DATA when a data file has changed, AS_E_MODEL when
 * the recorded recipe has. */
AS_MUST_CHECK as_status as_train_classifier_resume(as_context *ctx, const char *out,
                                                   const as_training_listener *listener, as_training_result *result);
/* The same; AS_E_MODEL when the run is recorded as one of another task. */
AS_MUST_CHECK as_status as_train_task_resume(as_context *ctx, const as_classification_task *task, const char *out,
                                             const as_training_listener *listener, as_training_result *result);

#endif
