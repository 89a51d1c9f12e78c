#include "infer/intent_classifier.h"

#include <string.h>

#include "base/memory.h"

as_status as_intent_classifier_open(as_context *ctx, const char *folder, as_intent_classifier **out) {
  return as_classifier_open(ctx, folder, out);
}

void as_intent_classifier_close(as_intent_classifier *classifier) { as_classifier_close(classifier); }

as_status as_intent_classifier_save(const as_intent_classifier *classifier, const char *folder) {
  return as_classifier_save(classifier, folder);
}

as_status as_intent_classifier_predict_batch(as_intent_classifier *classifier, const char *const *texts, int64_t count,
                                             as_intent_prediction *predictions, float *probabilities) {
  as_context *ctx = as_classifier_context(classifier);
  const as_labels *labels = as_classifier_labels(classifier);
  if (count < 0) return as_fail(ctx, AS_E_INVALID, "predict_batch: %lld texts", (long long)count);
  for (int64_t i = 0; i < count; i++)
    if (!texts[i]) return as_fail(ctx, AS_E_INVALID, "predict_batch: text %lld is NULL", (long long)i);
  as_text *in = as_alloc(ctx, (size_t)count, sizeof *in);
  as_prediction *out = as_alloc(ctx, (size_t)count, sizeof *out);
  as_status status = in && out ? AS_OK : AS_E_NOMEM;
  for (int64_t i = 0; status == AS_OK && i < count; i++) {
    in[i] = (as_text){texts[i], strlen(texts[i])};
    out[i].probabilities = probabilities ? probabilities + i * (int64_t)labels->count : NULL;
  }
  if (status == AS_OK) status = as_classifier_predict(classifier, in, count, out);
  for (int64_t i = 0; status == AS_OK && i < count; i++)
    predictions[i] = (as_intent_prediction){labels->names[out[i].label], out[i].confidence, out[i].tokens,
                                            out[i].truncated};
  as_free(ctx, in);
  as_free(ctx, out);
  return status;
}

as_status as_intent_classifier_predict(as_intent_classifier *classifier, const char *text,
                                       as_intent_prediction *prediction) {
  return as_intent_classifier_predict_batch(classifier, &text, 1, prediction, NULL);
}
