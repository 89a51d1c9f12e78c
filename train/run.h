/* A training run, whatever is trained: from a recipe to a finished model folder, with epochs, validation, early
 * stopping, checkpoints, resuming, train.jsonl and a memory plan. What differs from task to task is an
 * as_training_task.
 *
 * Invariant: with the same recipe and files the final weights are the same bytes for any number of threads and however
 * often the run was interrupted and resumed; a run that is killed at any moment leaves a folder that resumes. For this
 * a task draws whatever is random from (seed, epoch, row) or (seed, step), and keeps nothing else from step to step. */
#ifndef AS_TRAIN_RUN_H
#define AS_TRAIN_RUN_H

#include <stdio.h>

#include "base/json.h"
#include "train/adafactor.h"
#include "train/adamw.h"
#include "train/batches.h"
#include "train/step.h"
#include "train/training.h"
#include "train/training_state.h"

#define AS_RUN_FILES 4

typedef struct as_training_run as_training_run;

/* What is trained. `self` is the task's own struct. Micro-batches are numbered from 0 within a step; the task holds
 * them. Rows are numbered as `rows` has them. */
typedef struct as_training_task {
  as_training_kind kind; /* as recipes have it */
  /* Reads the data files, and names each with as_run_add_file. */
  as_status (*read)(void *self, as_training_run *run);
  /* Tokenizer, model and rows; the model from the folder `checkpoint`, or, when that is NULL, from the recipe. Asks
   * as_run_check between long pieces of work. */
  as_status (*prepare)(void *self, as_training_run *run, const char *checkpoint);
  as_parameters *(*parameters)(void *self);
  /* The training rows: row i has offsets[i + 1] - offsets[i] tokens. Batches are cut by them. */
  const int64_t *(*rows)(void *self, int64_t *count);
  /* Room for this many micro-batches, none surveyed; may be called again with another number. */
  as_status (*set_micro_batches)(void *self, int64_t count);
  /* Looks at a batch of the run, for the largest. */
  void (*survey)(void *self, int64_t epoch, const int64_t *rows, int64_t count);
  /* Makes every micro-batch as large as the largest batch surveyed may be, so that filling them allocates nothing. */
  as_status (*fill_largest)(void *self);
  /* Fills a micro-batch with these rows as they are in this epoch; *tokens is how many tokens it has. */
  as_status (*fill)(void *self, int64_t micro, int64_t epoch, const int64_t *rows, int64_t count, int64_t *tokens);
  /* What a micro-batch adds to the number that the step's loss is divided by. */
  double (*items)(void *self, int64_t micro);
  /* Records the loss of a micro-batch, divided by `denominator`. */
  as_tensor *(*record)(void *self, as_graph *g, int64_t micro, double denominator);
  /* Rows for validation; 0: there is none. */
  int64_t (*valid_rows)(void *self);
  /* Measures on them: fills valid_loss and metrics, and *watched, which is larger the better the model is.
   * AS_E_INTERRUPTED when the listener said so; AS_E_DIVERGED when a figure is no number. */
  as_status (*measure)(void *self, as_training_run *run, as_training_epoch *epoch, double *watched);
  /* Writes into `out` the fields of metrics.json: what the final model reaches on the validation rows, of which there
   * are some. May be NULL: then there is no such file. */
  as_status (*report)(void *self, as_json_writer *out);
  /* Fills what the run does not know itself. Arrays must live until `release`. */
  as_status (*summarize)(void *self, as_training_summary *summary);
  /* Writes a whole model folder, which exists; the weights last. */
  as_status (*save)(void *self, const char *folder);
  /* With the final model in place, before it is saved in the run's folder: what is to be measured once, and files that
   * checkpoints do not have. AS_E_INTERRUPTED: it is done again when the run is gone on with. NULL: nothing. */
  as_status (*conclude)(void *self, as_training_run *run);
  /* Seconds that `conclude` will take, and `measure` for what is not a forward pass over the validation rows, from doing
   * a part of it. NULL: they are not worth counting. */
  as_status (*rehearse)(void *self, as_training_run *run, double *concluding, double *measuring);
  /* Replaces the model by the one in this folder, which `save` wrote. */
  as_status (*reload)(void *self, const char *folder);
  /* The line of a training row in the data file. */
  int64_t (*line)(void *self, int64_t row);
  void (*release)(void *self);
} as_training_task;

/* A file that the run reads; its digest is recorded, and a resumed run refuses another. */
typedef struct as_run_file {
  const char *key;  /* in training/data.json */
  const char *path; /* borrowed from the task */
  unsigned char digest[32];
} as_run_file;

struct as_training_run {
  as_context *ctx;
  const as_training_task *task;
  void *self;
  as_recipe recipe;
  const as_training_listener *listener;
  as_training_files files;
  as_run_file read[AS_RUN_FILES];
  size_t read_count;
  as_adamw adamw; /* the optimizer of the recipe; the other is empty */
  as_adafactor adafactor;
  as_optimizer optimizer;
  as_graph *graph;
  as_batches batches;
  as_schedule schedule;
  as_training_position position;
  FILE *log;
  double started, last_save; /* seconds on a clock that only goes forward */
  int64_t started_step, started_tokens;
  double last_watched; /* of the last epoch that was measured; NaN: there is none */
  size_t graph_bytes;
  int64_t sample; /* of an estimate: look at that many rows of a file at most; 0: at all */
  int64_t every;  /* every so-manieth row of the files is looked at: 1, but in an estimate of many */
};

/* ---- for the public functions of a task ----------------------------------------------------------------------------
 */
/* Trains by the recipe into folder `out`; `listener` may be NULL. AS_E_INVALID when `out` holds a model or an
 * unfinished run and `overwrite` is false. AS_E_INTERRUPTED with a state that as_run_resume goes on from; AS_E_DIVERGED
 * after a loss or gradient that is not finite, with the last checkpoint kept. A failure before the first checkpoint
 * leaves no run. Calls task->release. */
AS_MUST_CHECK as_status as_run_train(as_context *ctx, const as_training_task *task, void *self, const as_recipe *recipe,
                                     const char *out, bool overwrite, const as_training_listener *listener,
                                     as_training_result *result);
/* Goes on with the run in `out`. AS_E_MODEL when there is none or it is another task's; AS_E_DATA when a data file has
 * changed, AS_E_MODEL when the recorded recipe has. Calls task->release. */
AS_MUST_CHECK as_status as_run_resume(as_context *ctx, const as_training_task *task, void *self, const char *out,
                                      const as_training_listener *listener, as_training_result *result);

/* Prepares the run, tries a few steps and says what the whole would take. Looks at AS_ESTIMATE_ROWS rows, evenly spread,
 * where there are more. AS_E_INTERRUPTED when the listener, of whom nothing else is asked, says so. Calls
 * task->release. */
#define AS_ESTIMATE_ROWS 20000
AS_MUST_CHECK as_status as_run_estimate(as_context *ctx, const as_training_task *task, void *self,
                                        const as_recipe *recipe, const as_training_listener *listener,
                                        as_training_estimate *out);

/* ---- for the callbacks of a task
 * ------------------------------------------------------------------------------------- */
void as_run_add_file(as_training_run *run, const char *key, const char *path, const unsigned char digest[32]);
void as_run_note(const as_training_run *run, const char *format, ...) AS_PRINTF(2, 3);
bool as_run_interrupted(const as_training_run *run);
/* Freezes what the recipe wants of the task's parameters, whose body has so many layers; AS_E_INVALID when nothing
 * would be left to train. */
AS_MUST_CHECK as_status as_run_freeze(as_training_run *run, int64_t layers);
/* AS_E_INTERRUPTED with its text when the listener wants to stop. */
AS_MUST_CHECK as_status as_run_check(as_training_run *run);

/* ---- inside: run.c has the order of things
 * ---------------------------------------------------------------------------- */
as_step_options as_run_step_options(const as_training_run *run);
/* A run of this recipe, of which a copy is taken, in folder `out`, where nothing is looked at or made yet; to be
 * released also after a failure. */
AS_MUST_CHECK as_status as_run_start(as_training_run *run, as_context *ctx, const as_training_task *task, void *self,
                                     const as_recipe *recipe, const char *out, const as_training_listener *listener);
void as_run_release(as_training_run *run);
/* One optimizer step on `count` batches of the epoch from number position.batch on, with learning rate lr; *tokens is
 * how many tokens they have. */
AS_MUST_CHECK as_status as_run_try_step(as_training_run *run, int64_t count, double lr, as_step_result *result,
                                        int64_t *tokens);

/* run_optimizer.c: the optimizer of the recipe, on the task's parameters. */
AS_MUST_CHECK as_status as_run_optimizer_init(as_training_run *run);
void as_run_optimizer_free(as_training_run *run);
/* Numbers that a checkpoint has: weights and moments. */
size_t as_run_checkpoint_numbers(const as_training_run *run);

/* run_record.c: the digests of recipe and data files, held against the record. */
AS_MUST_CHECK as_status as_run_check_files(as_training_run *run);
char *as_run_recipe_path(const as_training_run *run); /* caller frees */

/* run_plan.c: batches and recomputation that keep the memory limit, the number of steps, the summary. */
AS_MUST_CHECK as_status as_run_plan(as_training_run *run);
size_t as_run_bytes(const as_training_run *run); /* weights, gradients, moments, and activations as planned */
AS_MUST_CHECK as_status as_run_summary(as_training_run *run);

/* run_log.c: a line for each step and epoch. Opening drops what was written after the position; when the user has
 * removed or shortened the file, that is a warning, and the lines of later steps follow what is there. */
AS_MUST_CHECK as_status as_run_log_open(as_training_run *run);
AS_MUST_CHECK as_status as_run_log_step(as_training_run *run, const as_training_step *step);
AS_MUST_CHECK as_status as_run_log_epoch(as_training_run *run, const as_training_epoch *epoch);
void as_run_log_close(as_training_run *run);
/* Closes the log, and removes it if nothing was written to it. */
AS_MUST_CHECK as_status as_run_log_forget(as_training_run *run);

#endif
