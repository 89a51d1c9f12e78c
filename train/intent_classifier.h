/* Training an intent classifier: the half of infer/intent_classifier.h that makes the folder which the other half
 * opens. docs/examples/intent.c shows both.
 *
 *   as_recipe recipe = as_recipe_preset("mini");
 *   recipe.size = size;            // "mini": a fresh model; or recipe.from = folder of a pretrained one
 *   recipe.data = path;            // CSV with the columns content and intent
 *   as_training_result result;
 *   as_intent_classifier_train(ctx, &recipe, "models/intent", false, NULL, &result);
 */
#ifndef AS_TRAIN_INTENT_CLASSIFIER_H
#define AS_TRAIN_INTENT_CLASSIFIER_H

#include "train/classifier.h"

/* Trains by the recipe, whose texts are borrowed for the call, into the model folder `out`; a label_column that is NULL
 * means "intent", an architecture that is NULL "distilbert". What follows about `overwrite`, interruption and
 * divergence is said at as_train_classifier; an interrupted run goes on with as_intent_classifier_resume. */
AS_MUST_CHECK as_status as_intent_classifier_train(as_context *ctx, const as_recipe *recipe, const char *out,
                                                   bool overwrite, const as_training_listener *listener,
                                                   as_training_result *result);
/* As as_train_task_resume. */
AS_MUST_CHECK as_status as_intent_classifier_resume(as_context *ctx, const char *out,
                                                    const as_training_listener *listener, as_training_result *result);

#endif
