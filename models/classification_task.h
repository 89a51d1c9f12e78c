/* The tasks that classifiers do. Training, prediction, evaluation and the commands are the same code for all of them;
 * what differs is a row here. */
#ifndef AS_MODELS_CLASSIFICATION_TASK_H
#define AS_MODELS_CLASSIFICATION_TASK_H

#include "base/context.h"

/* A number that an answer has besides label, confidence and probabilities. */
typedef struct as_task_field {
  const char *name;
  float (*value)(const float *probabilities /* [classes] */, int64_t classes);
} as_task_field;

typedef struct as_classification_task {
  const char *name;           /* "intent": on the command line, and the key of the answer */
  const char *label_column;   /* in CSV files */
  const char *folder;         /* of its model, below the folder of all models */
  const char *architecture;   /* of a fresh model */
  const as_task_field *extra; /* of an answer, written behind its confidence; ended by a NULL name */
} as_classification_task;

#define AS_INTENT_FOLDER "intent_classifier"
#define AS_SENTIMENT_FOLDER "sentiment_analyzer"
extern const as_classification_task as_intent_task, as_sentiment_task;
extern const as_classification_task *const as_classification_tasks[]; /* ended by NULL */

/* NULL if there is none of this name. */
const as_classification_task *as_classification_task_find(const char *name);

/* The largest probability less the second largest: 0 when two classes are equally probable, 1 when there is no doubt.
 * With one class, its probability. A sentiment's intensity. */
float as_probability_margin(const float *probabilities /* [classes] */, int64_t classes);

#endif
