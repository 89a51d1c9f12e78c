/* What a training run is made of: every choice, and the files it reads. A run writes it down first, so
 * that `--resume` needs nothing else, and a resumed run is the same run. */
#ifndef AS_TRAIN_RECIPE_H
#define AS_TRAIN_RECIPE_H

#include "base/context.h"
#include "train/schedule.h"

typedef enum as_training_kind { AS_TRAIN_CLASSIFIER, AS_TRAIN_PRETRAINING, AS_TRAIN_RESPONSE } as_training_kind;
const char *as_training_kind_name(as_training_kind kind); /* as in recipe.json */

typedef enum as_optimizer_kind { AS_OPTIMIZER_ADAMW, AS_OPTIMIZER_ADAFACTOR } as_optimizer_kind;

typedef enum as_class_weighting {
  AS_WEIGHTS_NONE,
  AS_WEIGHTS_BALANCED, /* rows / (classes * rows of the class), as scikit-learn */
  AS_WEIGHTS_GIVEN
} as_class_weighting;

typedef enum as_watched_metric {
  AS_METRIC_MACRO_F1,
  AS_METRIC_ACCURACY,
  AS_METRIC_LOSS,
  AS_METRIC_BLEU /* of replies */
} as_watched_metric;

typedef struct as_recipe {
  /* the model: a folder to start from, or size and architecture of a fresh one */
  char *from, *size, *architecture;
  /* the data; strings are NULL when not given */
  char *data, *valid, *text_column, *label_column, *encoding, *delimiter;
  char *task;          /* what the model is for, as models/task_file.h records it; NULL: nothing is recorded */
  char *input_template; /* of a response model; NULL: that of `from`, or the usual one */
  char *given_weights; /* "label=weight,label=weight" */
  bool valid_none;     /* no validation: train on every row */
  bool skip_bad_rows;
  double valid_share;
  double hold_out; /* share of the rows (data/hold_out.h) that is neither trained nor validated on; 0: none */
  int64_t vocab_size; /* of a fresh tokenizer */
  /* training */
  int64_t epochs, accumulate, max_length, patience, seed;
  int64_t max_target_length; /* of replies; max_length is then that of the model's input */
  int64_t batch_rows, batch_tokens; /* one of them is 0 */
  int64_t freeze;                   /* embeddings and this many blocks less one; 0: nothing */
  int64_t save_every;               /* seconds between checkpoints within an epoch */
  int64_t recompute;                /* as_graph_set_recompute */
  int64_t memory_limit;             /* bytes of parameters, moments and graph together; 0: none */
  bool memory_auto;                 /* recompute more and make batches smaller until it fits */
  double lr, warmup, weight_decay, max_grad_norm, dropout, label_smoothing;
  bool scale_parameter, relative_step, warmup_init; /* of Adafactor, as train/adafactor.h says */
  int optimizer;                       /* as_optimizer_kind */
  int kind;                            /* as_training_kind; set by the run */
  int schedule, class_weights, metric; /* as_schedule_kind, as_class_weighting, as_watched_metric */
} as_recipe;

/* The defaults for a fresh model of this size, or with size NULL for a pretrained one. */
as_recipe as_recipe_preset(const char *size);
/* What a kind of training has of its own for a fresh model of a size. */
typedef struct as_size_recipe {
  const char *size;
  int64_t epochs;
  double lr;
} as_size_recipe;
/* Takes them over from the table [count]; changes nothing where `size` is NULL or not in it. */
void as_recipe_set_size(as_recipe *recipe, const char *size, const as_size_recipe *table, size_t count);
/* A copy with texts of its own; to be freed after a failure too. */
AS_MUST_CHECK as_status as_recipe_copy(as_context *ctx, const as_recipe *recipe, as_recipe *copy);
void as_recipe_free(as_context *ctx, as_recipe *recipe);

/* Writes it as JSON, and reads it back: the same recipe. AS_E_MODEL names file and field. */
AS_MUST_CHECK as_status as_recipe_write(as_context *ctx, const as_recipe *recipe, const char *path);
AS_MUST_CHECK as_status as_recipe_read(as_context *ctx, const char *path, as_recipe *recipe);
/* Ranges and contradictions: AS_E_INVALID names the option. */
AS_MUST_CHECK as_status as_recipe_check(as_context *ctx, const as_recipe *recipe);

#endif
