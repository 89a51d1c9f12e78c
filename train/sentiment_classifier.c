#include "train/sentiment_classifier.h"

as_status as_sentiment_classifier_train(as_context *ctx, const as_recipe *recipe, const char *out, bool overwrite,
                                        const as_training_listener *listener, as_training_result *result) {
  return as_train_task(ctx, &as_sentiment_task, recipe, out, overwrite, listener, result);
}

as_status as_sentiment_classifier_resume(as_context *ctx, const char *out, const as_training_listener *listener,
                                         as_training_result *result) {
  return as_train_task_resume(ctx, &as_sentiment_task, out, listener, result);
}
