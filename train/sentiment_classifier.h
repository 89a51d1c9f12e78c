/* Training a sentiment classifier: as train/intent_classifier.h, on a CSV with the columns content and sentiment, and
 * with RoBERTa for a fresh model. infer/sentiment_classifier.h opens the folder that comes out. */
#ifndef AS_TRAIN_SENTIMENT_CLASSIFIER_H
#define AS_TRAIN_SENTIMENT_CLASSIFIER_H

#include "train/classifier.h"

/* As as_train_task with as_sentiment_task: a label_column that is NULL means "sentiment", an architecture that is NULL
 * "roberta". An interrupted run goes on with as_sentiment_classifier_resume. */
AS_MUST_CHECK as_status as_sentiment_classifier_train(as_context *ctx, const as_recipe *recipe, const char *out,
                                                      bool overwrite, const as_training_listener *listener,
                                                      as_training_result *result);
/* As as_train_task_resume. */
AS_MUST_CHECK as_status as_sentiment_classifier_resume(as_context *ctx, const char *out,
                                                       const as_training_listener *listener,
                                                       as_training_result *result);

#endif
