/* The intent classifier as one thing: open it, ask it, save it elsewhere. docs/examples/intent.c shows it in use, from
 * training on (train/intent_classifier.h); infer/sentiment_classifier.h is the same for sentiments.
 *
 *   as_intent_classifier *classifier;
 *   as_intent_classifier_open(ctx, "trained_models/intent/champion", &classifier);
 *   as_intent_prediction answer;
 *   as_intent_classifier_predict(classifier, "Where is my parcel?", &answer);
 *   printf("%s %.2f\n", answer.intent, answer.confidence);
 *
 * Reading is thread-safe: any number of threads may predict with one classifier. */
#ifndef AS_INFER_INTENT_CLASSIFIER_H
#define AS_INFER_INTENT_CLASSIFIER_H

#include "infer/classifier.h"

typedef as_classifier as_intent_classifier;

typedef struct as_intent_prediction {
  const char *intent; /* borrowed from the classifier */
  float confidence;   /* its probability */
  int64_t tokens;     /* that the model read */
  bool truncated;
} as_intent_prediction;

/* As as_classifier_open and as_classifier_close. */
AS_MUST_CHECK as_status as_intent_classifier_open(as_context *ctx, const char *folder, as_intent_classifier **out);
void as_intent_classifier_close(as_intent_classifier *classifier);

/* One text, ended by NUL. */
AS_MUST_CHECK as_status as_intent_classifier_predict(as_intent_classifier *classifier, const char *text,
                                                     as_intent_prediction *prediction);
/* Many, batched; AS_E_INVALID when one is NULL. `probabilities` [count, classes] may be NULL; classes are those of
 * as_classifier_labels. */
AS_MUST_CHECK as_status as_intent_classifier_predict_batch(as_intent_classifier *classifier,
                                                           const char *const *texts /* [count] */, int64_t count,
                                                           as_intent_prediction *predictions /* [count] */,
                                                           float *probabilities);
/* Writes the model folder anew elsewhere; the folder is made if need be. */
AS_MUST_CHECK as_status as_intent_classifier_save(const as_intent_classifier *classifier, const char *folder);

#endif
