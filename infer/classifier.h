/* Using a trained classifier: open a model folder, ask it about texts.
 *
 * A classifier does not change once it is open, so any number of threads may ask it at the same time (each call
 * takes a workspace from a pool). The bits of an answer do not depend on threads, nor on which other texts are asked
 * with it. */
#ifndef AS_INFER_CLASSIFIER_H
#define AS_INFER_CLASSIFIER_H

#include "base/json.h"
#include "models/classification_task.h"
#include "models/config.h"

typedef struct as_classifier as_classifier;

/* An answer. `probabilities` is the caller's room of [classes] floats, filled when not NULL. */
typedef struct as_prediction {
  int32_t label;        /* the most probable class, the lowest on a tie */
  float confidence;     /* its probability, calibrated */
  float margin;         /* less that of the second most probable class (as_probability_margin) */
  float *probabilities; /* [classes], or NULL */
  int64_t tokens;       /* that the model read, with the special ones */
  int64_t unknown;      /* of them the tokenizer's unknown token: pieces of text that it has no other for */
  bool truncated;       /* the text was longer than max_length */
} as_prediction;

/* A text to ask about; may hold any bytes (what is not UTF-8 is read as U+FFFD). */
typedef struct as_text {
  const char *text;
  size_t length;
} as_text;

/* Opens a Hugging Face folder with a classification head. AS_E_MODEL with a text that names file and tensor or field,
 * also when the folder says that it was trained for something else than `task` (NULL: whatever it was trained for). On
 * failure *out is NULL. Caller closes. */
AS_MUST_CHECK as_status as_classifier_open(as_context *ctx, const char *folder, const as_classification_task *task,
                                           as_classifier **out);
void as_classifier_close(as_classifier *classifier); /* NULL is allowed */

/* Writes configuration, weights, tokenizer, task, the folder's temperature and, as recipe.json, max_length into a
 * folder, which is made if need be. */
AS_MUST_CHECK as_status as_classifier_save(const as_classifier *classifier, const char *folder);

/* The temperature T of the probabilities, softmax(logits / T): the folder's (assistify.json) if it has one, else 1. It
 * changes how sure the answers are, never which they are; with 1 they are the model's own, to the bit. */
double as_classifier_temperature(const as_classifier *classifier);
/* Not while others are asking. AS_E_INVALID when it is not within AS_TEMPERATURE_LEAST to AS_TEMPERATURE_MOST. */
AS_MUST_CHECK as_status as_classifier_set_temperature(as_classifier *classifier, double temperature);

as_context *as_classifier_context(const as_classifier *classifier);
const as_labels *as_classifier_labels(const as_classifier *classifier); /* borrowed */
/* Tokens kept of a text: the recipe's max_length if the folder has one, else 128; at most what the model can read. */
int64_t as_classifier_max_length(const as_classifier *classifier);
void as_classifier_set_max_length(as_classifier *classifier, int64_t tokens); /* not while others are asking */

/* Asks about `count` texts; batches are packed by tokens. */
AS_MUST_CHECK as_status as_classifier_predict(as_classifier *classifier, const as_text *texts /* [count] */,
                                              int64_t count, as_prediction *predictions /* [count] */);

/* The same, with the logits that no temperature has touched in the caller's room. */
AS_MUST_CHECK as_status as_classifier_predict_logits(as_classifier *classifier, const as_text *texts /* [count] */,
                                                     int64_t count, as_prediction *predictions /* [count] */,
                                                     float *logits /* [count, classes] or NULL */);

/* The same for texts that end with NUL, as each task's own interface has it: `take` puts answer i, whose label is
 * borrowed from the classifier, where `user` says. AS_E_INVALID when a text is NULL. `probabilities` [count, classes]
 * may be NULL. */
AS_MUST_CHECK as_status as_classifier_predict_each(
    as_classifier *classifier, const char *const *texts /* [count] */, int64_t count, float *probabilities,
    void (*take)(void *user, int64_t i, const char *label, const as_prediction *prediction), void *user);

/* Writes the members "<task>": label, "confidence", the task's extra fields, "all_probabilities", "tokens" and
 * "truncated" into the object that `writer` is in. Below min_confidence the label is "unknown". `prediction` must have
 * its probabilities. */
void as_prediction_write(as_json_writer *writer, const as_classifier *classifier, const as_classification_task *task,
                         const as_prediction *prediction, double min_confidence);

#endif
