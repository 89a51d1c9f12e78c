#include "infer/sentiment_classifier.h"

as_status as_sentiment_classifier_open(as_context *ctx, const char *folder, as_sentiment_classifier **out) {
  return as_classifier_open(ctx, folder, &as_sentiment_task, out);
}

void as_sentiment_classifier_close(as_sentiment_classifier *classifier) {
  as_classifier_close(classifier);
}

as_status as_sentiment_classifier_save(const as_sentiment_classifier *classifier, const char *folder) {
  return as_classifier_save(classifier, folder);
}

static void take(void *predictions, int64_t i, const char *label, const as_prediction *p) {
  ((as_sentiment_prediction *)predictions)[i] =
      (as_sentiment_prediction){label, p->confidence, p->margin, p->tokens, p->truncated};
}

as_status as_sentiment_classifier_predict_batch(as_sentiment_classifier *classifier, const char *const *texts,
                                                int64_t count, as_sentiment_prediction *predictions,
                                                float *probabilities) {
  return as_classifier_predict_each(classifier, texts, count, probabilities, take, predictions);
}

as_status as_sentiment_classifier_predict(as_sentiment_classifier *classifier, const char *text,
                                          as_sentiment_prediction *prediction) {
  return as_sentiment_classifier_predict_batch(classifier, &text, 1, prediction, NULL);
}
