/* What every command that trains shares: the options of recipe and run, and what a person sees of it. */
#ifndef AS_CLI_TRAINING_H
#define AS_CLI_TRAINING_H

#include "cli/command.h"
#include "cli/progress.h"
#include "train/training.h"

extern const as_option_group as_options_recipe; /* --epochs, --lr ... --seed, --batch, --batch-tokens */
/* The same without the last two, for a command whose batches have other defaults. */
#define AS_CLI_BATCH_OPTIONS 2
extern const as_option_group as_options_recipe_but_batches;
extern const as_option_group as_options_run; /* --recompute, --memory-limit, --save-every */

/* *out is a copy of `text`, or NULL for NULL; the caller frees it with as_free. */
AS_MUST_CHECK as_status as_cli_copy(as_cli *cli, const char *text, char **out);
/* The place of the option's word in `words`, which NULL ends; 0 without the option. */
int as_cli_choice(const as_arguments *arguments, const char *name, const char *const *words);
/* Puts what these options, --data, --valid, --from, --size, --arch, --vocab-size and those for CSV and bad rows say
 * into the recipe, which has the defaults. `architecture` is that of a fresh model without --arch. */
AS_MUST_CHECK as_status as_cli_recipe(as_cli *cli, const char *architecture, as_recipe *recipe);
/* The size of a fresh model: that of --size, or "mini"; NULL with --from. */
const char *as_cli_fresh_size(const as_cli *cli);

/* What the training command that `cli` has the arguments of will take; nothing is trained. One for each kind. */
typedef struct as_plan {
  char size[64];            /* of the model, in words: "mini", "from roberta-base", "warp, 32" */
  int64_t rows, valid_rows; /* valid_rows 0: none */
  int64_t epochs;
  size_t bytes;
  double seconds;
} as_plan;
AS_MUST_CHECK as_status as_cli_plan_classifier(as_cli *cli, as_plan *out);
AS_MUST_CHECK as_status as_cli_plan_response(as_cli *cli, as_plan *out);
AS_MUST_CHECK as_status as_cli_plan_recommend(as_cli *cli, as_plan *out);
/* For the first two: from an estimate. */
as_plan as_cli_plan_of(const as_cli *cli, const as_training_estimate *estimate);

/* What a person sees of a run: the summary before, progress, epochs. */
typedef struct as_training_view {
  as_cli *cli;
  const char *head; /* what a folder may lack, in words: "classification head" */
  as_progress progress;
  bool running;
} as_training_view;

as_training_listener as_training_view_listener(as_training_view *view);
/* Ends the progress line; after AS_OK says how it went and where the model is, `more` (may be NULL) at the end. Returns
 * the exit code. */
int as_training_view_end(as_training_view *view, as_status status, const as_training_result *result, const char *out,
                         const char *more);

#endif
