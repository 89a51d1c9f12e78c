/* The state of a training run on disk, below OUT/training/: recipe.json, and checkpoints.
 *
 * A checkpoint is a folder "checkpoint-<step>" that is also a whole model folder (configuration, weights, tokenizer),
 * with optimizer.safetensors and state.json beside. It is written under another name and renamed when complete, so a
 * folder of that name is always whole and never replaced. One that was stopped between the last step of an epoch and
 * the end of its validation is "checkpoint-<step>-unvalidated". The last two are kept, and the best model
 * ("best-<step>", without optimizer) that the kept positions speak of. */
#ifndef AS_TRAIN_TRAINING_STATE_H
#define AS_TRAIN_TRAINING_STATE_H

#include "nn/parameters.h"
#include "train/optimizer.h"

/* Writes a whole model (configuration, tokenizer, weights) into a folder that exists. */
typedef struct as_model_writer {
  as_status (*write)(void *user, const char *folder);
  void *user;
} as_model_writer;

/* Where a run is: enough, with recipe and data, to go on as if nothing had happened. */
typedef struct as_training_position {
  int64_t step;      /* optimizer steps done */
  int64_t epoch;     /* running, from 0 */
  int64_t batch;     /* batches of the epoch done */
  int64_t tokens;    /* real tokens seen so far */
  int64_t log_bytes; /* length of train.jsonl */
  double epoch_loss; /* sum of step losses of the epoch */
  int64_t epoch_steps;
  double best; /* best value of the watched metric; has_best tells whether there is one */
  bool has_best;
  int64_t best_step, best_epoch, epochs_without_gain;
  bool unvalidated; /* all steps of the epoch are done, its validation is not */
  bool finished;    /* stopped early or ran through: only the final model is to be written */
  int64_t batch_rows, batch_tokens, accumulate, recompute; /* as the memory limit made them */
} as_training_position;

typedef struct as_training_files {
  as_context *ctx;
  char *out;      /* the model folder */
  char *training; /* out/training */
} as_training_files;

AS_MUST_CHECK as_status as_training_files_init(as_training_files *files, as_context *ctx, const char *out);
void as_training_files_free(as_training_files *files);

/* AS_E_IO unless the disk has room for a checkpoint of that many numbers. Asked before the first step too, so that a
 * small disk does not cost an epoch. */
AS_MUST_CHECK as_status as_training_check_room(const as_training_files *files, size_t numbers);
/* Saves a checkpoint for this position and drops all but the last two. AS_E_IO when the disk has no room for it; then
 * the earlier ones are as they were. */
AS_MUST_CHECK as_status as_training_save(const as_training_files *files, const as_model_writer *model,
                                         const as_parameters *parameters, const as_optimizer *optimizer,
                                         const as_training_position *position);
/* Saves the model of this step as the best. Earlier ones go with the next checkpoint. */
AS_MUST_CHECK as_status as_training_save_best(const as_training_files *files, const as_model_writer *model,
                                              int64_t step);
/* The path of the newest checkpoint, NULL if there is none; the caller frees it. *failed on an error. */
char *as_training_latest(const as_training_files *files, as_status *failed);
/* The path of the best model, saved at this step; the caller frees it. NULL on failure. */
char *as_training_best(const as_training_files *files, int64_t step);
/* Reads position and moments of a checkpoint; AS_E_MODEL when they are those of another optimizer or model. */
AS_MUST_CHECK as_status as_training_load(const as_training_files *files, const char *checkpoint,
                                         const as_optimizer *optimizer, as_training_position *position);
/* Removes out/training with all that is in it: after the final model is in place. */
AS_MUST_CHECK as_status as_training_remove(const as_training_files *files);

#endif
