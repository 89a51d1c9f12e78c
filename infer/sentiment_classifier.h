/* The sentiment classifier as one thing, as infer/intent_classifier.h has it for intents; train/sentiment_classifier.h
 * makes its folder.
 *
 *   as_sentiment_classifier *classifier;
 *   as_sentiment_classifier_open(ctx, "trained_models/sentiment/champion", &classifier);
 *   as_sentiment_prediction answer;
 *   as_sentiment_classifier_predict(classifier, "This product is amazing!", &answer);
 *   printf("%s %.2f\n", answer.sentiment, answer.intensity);
 *
 * Reading is thread-safe: any number of threads may predict with one classifier. */
#ifndef AS_INFER_SENTIMENT_CLASSIFIER_H
#define AS_INFER_SENTIMENT_CLASSIFIER_H

#include "infer/classifier.h"

typedef as_classifier as_sentiment_classifier;

typedef struct as_sentiment_prediction {
  const char *sentiment; /* borrowed from the classifier */
  float confidence;      /* its probability */
  float intensity;       /* its probability less that of the second most probable sentiment: 0 undecided, 1 certain */
  int64_t tokens;        /* that the model read */
  bool truncated;
} as_sentiment_prediction;

/* As as_classifier_open and as_classifier_close. */
AS_MUST_CHECK as_status as_sentiment_classifier_open(as_context *ctx, const char *folder,
                                                     as_sentiment_classifier **out);
void as_sentiment_classifier_close(as_sentiment_classifier *classifier);

/* One text, ended by NUL. */
AS_MUST_CHECK as_status as_sentiment_classifier_predict(as_sentiment_classifier *classifier, const char *text,
                                                        as_sentiment_prediction *prediction);
/* Many, batched; AS_E_INVALID when one is NULL. `probabilities` [count, classes] may be NULL; classes are those of
 * as_classifier_labels. */
AS_MUST_CHECK as_status as_sentiment_classifier_predict_batch(as_sentiment_classifier *classifier,
                                                              const char *const *texts /* [count] */, int64_t count,
                                                              as_sentiment_prediction *predictions /* [count] */,
                                                              float *probabilities);
/* Writes the model folder anew elsewhere; the folder is made if need be. */
AS_MUST_CHECK as_status as_sentiment_classifier_save(const as_sentiment_classifier *classifier, const char *folder);

#endif
