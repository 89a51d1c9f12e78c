/* train intent, train sentiment: what they have beyond cli/training.h. The run itself is train/classifier.h; what
 * differs between tasks is in models/classification_task.h. */
#include <string.h>

#include "base/memory.h"
#include "cli/csv_options.h"
#include "cli/model_store.h"
#include "cli/signals.h"
#include "cli/training.h"
#include "train/classifier.h"

/* clang-format off */
static const as_option data_rows[] = {
    {.name = "data", .type = AS_OPTION_FILE, .argument = "F.csv", .required = true, .excludes = "resume",
     .help = "training data: CSV with a header"},
    {.name = "valid", .type = AS_OPTION_FILE, .argument = "F.csv|none", .initial_note = "10 % of the training data",
     .help = "validation data, or none to train on every row"},
    {.name = "label-col", .type = AS_OPTION_TEXT, .argument = "NAME", .initial_note = "the task's name",
     .help = "column of the labels"},
};
static const as_option model_rows[] = {
    {.name = "from", .type = AS_OPTION_FOLDER, .argument = "DIR", .excludes = "size arch",
     .help = "Hugging Face folder to start from"},
    {.name = "size", .type = AS_OPTION_CHOICE, .words = "tiny|mini|small|base", .initial_note = "mini, without --from",
     .help = "size of a fresh model"},
    {.name = "arch", .type = AS_OPTION_CHOICE, .words = "distilbert|roberta",
     .initial_note = "distilbert for intents, roberta for sentiments", .help = "architecture of a fresh model"},
    {.name = "vocab-size", .type = AS_OPTION_INT, .argument = "N", .minimum = 100, .maximum = 1e7, .initial = "8000",
     .help = "vocabulary of a fresh model"},
    {.name = "out", .type = AS_OPTION_FOLDER, .argument = "DIR", .initial_note = "the next version in the store",
     .help = "where the model goes"},
    {.name = "overwrite", .type = AS_OPTION_FLAG, .help = "replace the model in --out; give up the unfinished training"},
    {.name = "resume", .type = AS_OPTION_FOLDER, .argument = "DIR", .excludes = "*", .command_line_only = true,
     .help = "go on with the interrupted training in DIR"},
};
static const as_option classifier_rows[] = {
    {.name = "class-weights", .type = AS_OPTION_TEXT, .argument = "WHAT", .initial = "none",
     .help = "none, balanced, or LABEL=W pairs with commas between"},
    {.name = "metric", .type = AS_OPTION_CHOICE, .words = "macro_f1|accuracy|loss", .initial = "macro_f1",
     .help = "what gain is measured by, on the validation data"},
};
/* clang-format on */
static const as_option_group data_group = AS_OPTION_GROUP("Data", data_rows);
static const as_option_group model_group = AS_OPTION_GROUP("Model", model_rows);
static const as_option_group classifier_group = AS_OPTION_GROUP("Classes", classifier_rows);
static const as_option_group *const groups[] = {
    &data_group,        &as_options_csv,   &as_options_bad_rows, &model_group,
    &as_options_recipe, &classifier_group, &as_options_run,      NULL};

static as_status make_recipe(as_cli *cli, const as_classification_task *task, as_recipe *r) {
  static const char *const metrics[] = {"macro_f1", "accuracy", "loss", NULL};
  const char *label = as_option_text(cli->arguments, "label-col");
  const char *weights = as_option_text(cli->arguments, "class-weights");
  *r = as_recipe_preset(as_cli_fresh_size(cli));
  r->metric = as_cli_choice(cli->arguments, "metric", metrics);
  r->class_weights = AS_WEIGHTS_GIVEN;
  if (strcmp(weights, "none") == 0) r->class_weights = AS_WEIGHTS_NONE;
  if (strcmp(weights, "balanced") == 0) r->class_weights = AS_WEIGHTS_BALANCED;
  as_status status = as_cli_recipe(cli, task->architecture, r);
  if (status == AS_OK) status = as_cli_copy(cli, label ? label : task->label_column, &r->label_column);
  if (status == AS_OK && r->class_weights == AS_WEIGHTS_GIVEN) status = as_cli_copy(cli, weights, &r->given_weights);
  return status;
}

as_status as_cli_plan_classifier(as_cli *cli, as_plan *out) {
  const as_training_listener listener = {.interrupted = as_interrupted};
  as_recipe recipe = {0};
  as_training_estimate estimate;
  as_status status = make_recipe(cli, as_cli_task(cli), &recipe);
  if (status == AS_OK) status = as_train_task_estimate(cli->ctx, as_cli_task(cli), &recipe, &listener, &estimate);
  if (status == AS_OK) *out = as_cli_plan_of(cli, &estimate);
  as_recipe_free(cli->ctx, &recipe);
  return status;
}

static int run(as_cli *cli) {
  const as_classification_task *task = as_cli_task(cli);
  as_training_view view = {.cli = cli, .head = "classification head"};
  as_training_listener listener = as_training_view_listener(&view);
  as_training_result result = {0};
  as_recipe recipe = {0};
  const char *resume = as_option_text(cli->arguments, "resume");
  as_cli_training t;
  as_status status = as_cli_training_begin(cli, task->name, as_option_text(cli->arguments, "out"), resume, &t);
  if (status == AS_OK && resume && !t.done) status = as_train_task_resume(cli->ctx, task, t.out, &listener, &result);
  if (status == AS_OK && !resume) {
    status = make_recipe(cli, task, &recipe);
    if (status == AS_OK)
      status = as_train_task(cli->ctx, task, &recipe, t.out, as_option_flag(cli->arguments, "overwrite"), &listener,
                             &result);
    as_recipe_free(cli->ctx, &recipe);
  }
  if (status == AS_OK) status = as_cli_training_publish(&t);
  int code = AS_EXIT_DONE;
  if (status != AS_OK || !t.done) code = as_training_view_end(&view, status, &result, t.out, NULL);
  if (status == AS_OK) as_cli_training_tell(&t);
  as_cli_training_end(&t);
  return code;
}

/* What one row of the table of commands has for its task. `what` is the model in words. */
#define DESCRIPTION(what)                                                                                             \
  "Reads texts and labels, trains " what ", and writes a Hugging Face model folder. "                                  \
  "With --from it starts from a pretrained folder, of whichever architecture that is. "                                \
  "Without it the model is fresh and its vocabulary is made from the data. Ctrl-C saves the "                          \
  "state; --resume DIR goes on and ends with the same bytes as an undisturbed run. Without --out "          \
  "the model becomes the next version in the model store; the first one answers from then on."

const as_command as_command_train_intent = {
    .name = "train intent", .summary = "train an intent classifier from a CSV file", .groups = groups,
    .catches_signals = true, .works_long = true, .run = run,
    .description = DESCRIPTION("a classifier of intents (DistilBERT, or RoBERTa with --arch)"),
    .examples = "assistify train intent --data messages.csv --size mini\n"
                "assistify train intent --data messages.csv --from distilbert --epochs 3\n"
                "assistify train intent --resume trained_models/intent/unfinished"};

const as_command as_command_train_sentiment = {
    .name = "train sentiment", .summary = "train a sentiment classifier from a CSV file", .groups = groups,
    .catches_signals = true, .works_long = true, .run = run,
    .description = DESCRIPTION("a classifier of sentiments (RoBERTa, or DistilBERT with --arch)")
                   " The labels may be any words, not only negative, neutral and positive.",
    .examples = "assistify train sentiment --data messages.csv --size mini\n"
                "assistify train sentiment --data messages.csv --from roberta-base --epochs 3\n"
                "assistify train sentiment --resume trained_models/sentiment/unfinished"};
