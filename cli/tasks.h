/* The tasks that classifiers do. A further one is a further row. */
#ifndef AS_CLI_TASKS_H
#define AS_CLI_TASKS_H

typedef struct as_task {
  const char *name;         /* "intent": on the command line, and the key of the answer */
  const char *label_column; /* in CSV files */
  const char *folder;       /* below --models */
  const char *architecture; /* of a fresh model */
} as_task;

/* NULL if there is none of this name. */
const as_task *as_task_find(const char *name);

#endif
