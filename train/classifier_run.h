/* The pieces of a classifier's training run, shared by classifier.c (the order of things), classifier_digests.c (what
 * it was begun with), classifier_weights.c (class weights), classifier_plan.c (summary and memory) and classifier_log.c
 * (train.jsonl). */
#ifndef AS_TRAIN_CLASSIFIER_RUN_H
#define AS_TRAIN_CLASSIFIER_RUN_H

#include <stdio.h>

#include "models/encoder_predict.h"
#include "train/batches.h"
#include "train/classifier.h"
#include "train/classifier_data.h"
#include "train/step.h"
#include "train/training_state.h"

typedef struct as_classifier_run {
  as_context *ctx;
  as_recipe recipe;
  const as_training_listener *listener;
  as_training_files files;
  as_classifier_data data;
  as_encoder *encoder;
  as_adamw optimizer;
  as_graph *graph;
  as_encoder_predictor predictor;
  as_batches batches;
  as_encoder_batch *micro; /* [recipe.accumulate] */
  as_schedule schedule;
  float *class_weights; /* [classes], or NULL */
  float *probabilities; /* [valid rows, classes] */
  as_training_position position;
  FILE *log;
  double started, last_save; /* seconds on a clock that only goes forward */
  int64_t started_step, started_tokens;
  size_t graph_bytes;
} as_classifier_run;

double as_seconds(void);
bool as_run_interrupted(const as_classifier_run *run);
void as_run_note(const as_classifier_run *run, const char *format, ...) AS_PRINTF(2, 3);
as_step_options as_run_step_options(const as_classifier_run *run);

/* classifier_plan.c: batches and recomputation that keep the memory limit, the number of steps, the summary. */
AS_MUST_CHECK as_status as_run_plan(as_classifier_run *run);
AS_MUST_CHECK as_status as_run_summary(as_classifier_run *run);

/* classifier_digests.c: refuses to go on with another recipe (AS_E_MODEL) or other data (AS_E_DATA) than the run began
 * with. */
AS_MUST_CHECK as_status as_run_check_digests(as_classifier_run *run);

/* classifier_weights.c: run->class_weights as the recipe has them; AS_E_INVALID names a label that is wrong. */
AS_MUST_CHECK as_status as_run_class_weights(as_classifier_run *run);

/* classifier_log.c: a line for each step and epoch. Opening drops what was written after the position; when the user
 * has removed or shortened the file, that is a warning, and the lines of later steps follow what is there. */
AS_MUST_CHECK as_status as_run_log_open(as_classifier_run *run);
AS_MUST_CHECK as_status as_run_log_step(as_classifier_run *run, const as_training_step *step);
AS_MUST_CHECK as_status as_run_log_epoch(as_classifier_run *run, const as_training_epoch *epoch);
void as_run_log_close(as_classifier_run *run);
/* Closes the log, and removes it if nothing was written to it. */
AS_MUST_CHECK as_status as_run_log_forget(as_classifier_run *run);

#endif
