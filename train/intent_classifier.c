#include "train/intent_classifier.h"

as_status as_intent_classifier_train(as_context *ctx, const as_recipe *recipe, const char *out, bool overwrite,
                                     const as_training_listener *listener, as_training_result *result) {
  char label_column[] = "intent", architecture[] = "distilbert";
  as_recipe filled = *recipe; /* its texts stay the caller's */
  if (!filled.label_column) filled.label_column = label_column;
  if (!filled.architecture && !filled.from) filled.architecture = architecture;
  return as_train_classifier(ctx, &filled, out, overwrite, listener, result);
}

as_status as_intent_classifier_resume(as_context *ctx, const char *out, const as_training_listener *listener,
                                      as_training_result *result) {
  return as_train_classifier_resume(ctx, out, listener, result);
}
