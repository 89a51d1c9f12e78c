/* Training a response model (T5), from CSV to a Hugging Face model folder: messages with the replies that were given to
 * them, and what is known of the messages. The folder also gets the input template, the replies for answering with the
 * nearest one, and what model and baselines reach on the validation rows (models/task_file.h, data/nearest_reply.h).
 *
 * Invariant: that of train/run.h. */
#ifndef AS_TRAIN_RESPONSE_H
#define AS_TRAIN_RESPONSE_H

#include "train/training.h"

#define AS_RESPONSE_TASK "response"

/* The defaults for a fresh model of this size (as_t5_presets), or with NULL for a pretrained one. */
as_recipe as_response_preset(const char *size);

/* Trains by the recipe into folder `out`, as as_train_classifier. Columns of the data: `text_column` or "content",
 * "response", and "intent" and "sentiment", which may be empty or absent. An architecture that is NULL is "t5"; there
 * is "t5-v1.1" too. A label_column is refused. */
AS_MUST_CHECK as_status as_response_train(as_context *ctx, const as_recipe *recipe, const char *out, bool overwrite,
                                          const as_training_listener *listener, as_training_result *result);
/* What that would take, as as_train_task_estimate. */
AS_MUST_CHECK as_status as_response_estimate(as_context *ctx, const as_recipe *recipe,
                                             const as_training_listener *listener, as_training_estimate *estimate);
/* As as_train_classifier_resume. */
AS_MUST_CHECK as_status as_response_resume(as_context *ctx, const char *out, const as_training_listener *listener,
                                           as_training_result *result);

#endif
