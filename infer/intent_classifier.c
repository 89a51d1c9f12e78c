#include "infer/intent_classifier.h"

as_status as_intent_classifier_open(as_context *ctx, const char *folder, as_intent_classifier **out) {
  return as_classifier_open(ctx, folder, &as_intent_task, out);
}

void as_intent_classifier_close(as_intent_classifier *classifier) {
  as_classifier_close(classifier);
}

as_status as_intent_classifier_save(const as_intent_classifier *classifier, const char *folder) {
  return as_classifier_save(classifier, folder);
}

static void take(void *predictions, int64_t i, const char *label, const as_prediction *p) {
  ((as_intent_prediction *)predictions)[i] = (as_intent_prediction){label, p->confidence, p->tokens, p->truncated};
}

as_status as_intent_classifier_predict_batch(as_intent_classifier *classifier, const char *const *texts, int64_t count,
                                             as_intent_prediction *predictions, float *probabilities) {
  return as_classifier_predict_each(classifier, texts, count, probabilities, take, predictions);
}

as_status as_intent_classifier_predict(as_intent_classifier *classifier, const char *text,
                                       as_intent_prediction *prediction) {
  return as_intent_classifier_predict_batch(classifier, &text, 1, prediction, NULL);
}
