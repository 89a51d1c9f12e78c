/* The table of tasks. See classification_task.h. */
#include "models/classification_task.h"

#include <string.h>

float as_probability_margin(const float *probabilities, int64_t classes) {
  float first = 0, second = 0;
  for (int64_t k = 0; k < classes; k++) {
    if (probabilities[k] > first) {
      second = first;
      first = probabilities[k];
    } else if (probabilities[k] > second) {
      second = probabilities[k];
    }
  }
  return first - second;
}

static const as_task_field none[] = {{NULL, NULL}};
static const as_task_field intensity[] = {{"intensity", as_probability_margin}, {NULL, NULL}};

const as_classification_task as_intent_task = {"intent", "intent", AS_INTENT_FOLDER, "distilbert", none};
const as_classification_task as_sentiment_task = {"sentiment", "sentiment", AS_SENTIMENT_FOLDER, "roberta", intensity};

const as_classification_task *const as_classification_tasks[] = {&as_intent_task, &as_sentiment_task, NULL};

const as_classification_task *as_classification_task_find(const char *name) {
  for (size_t i = 0; as_classification_tasks[i]; i++)
    if (strcmp(as_classification_tasks[i]->name, name) == 0) return as_classification_tasks[i];
  return NULL;
}
