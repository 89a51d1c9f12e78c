#include "cli/tasks.h"

#include <stddef.h>
#include <string.h>

static const as_task tasks[] = {{"intent", "intent", "intent_classifier", "distilbert"}};

const as_task *as_task_find(const char *name) {
  for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++)
    if (strcmp(tasks[i].name, name) == 0) return &tasks[i];
  return NULL;
}
