/* What the parts of `train all` share: the trainings that it is made of, the plan, the tables. */
#ifndef AS_CLI_TRAIN_ALL_H
#define AS_CLI_TRAIN_ALL_H

#include "cli/training.h"
#include "lifecycle/training_list.h"

/* A model that can be trained, and from what. */
typedef struct as_trainable {
  const char *model;       /* in the store; also the word after "train" */
  const char *files[2];    /* in the data folder; NULL: none */
  const char *options[2];  /* that take them */
  const char *column;      /* of the first file, beside the texts; NULL: its columns are fixed */
  const char *from_option; /* of `train all`; NULL: there are no pretrained ones */
  as_status (*plan)(as_cli *cli, as_plan *out);
} as_trainable;
enum { AS_TRAINABLES = 4 };
extern const as_trainable as_trainables[AS_TRAINABLES];

/* Fills an empty list from the options: what is to be trained, how, what is left out and why; measures what each will
 * take. A training that cannot succeed has failed then already. AS_EXIT_DONE, or the exit code with the error told. */
int as_train_all_plan(as_cli *cli, as_training_list *list);

/* What is planned, and what came of it, at most 80 columns wide; or, with --json, as one line of JSON. */
AS_MUST_CHECK as_status as_train_all_show_plan(as_cli *cli, const as_training_list *list);
AS_MUST_CHECK as_status as_train_all_show_summary(as_cli *cli, const as_training_list *list, int exit_code);

#endif
