/* pretrain: masked language modelling on the user's own texts. The run itself is train/pretraining.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/csv_options.h"
#include "cli/training.h"
#include "train/pretraining.h"
#include "train/text_data.h"

#define FOLDER "language_model" /* below --models */

/* clang-format off */
static const as_option data_rows[] = {
    {.name = "data", .type = AS_OPTION_FILE, .argument = "F.csv|F.txt", .required = true, .excludes = "resume",
     .help = "texts: a CSV file with a header, or a file with a text a line (.txt)"},
    {.name = "valid", .type = AS_OPTION_FILE, .argument = "F.csv|F.txt|none", .initial_note = "10 % of the texts",
     .help = "texts to measure on, or none to train on all"},
};
static const as_option model_rows[] = {
    {.name = "from", .type = AS_OPTION_FOLDER, .argument = "DIR", .excludes = "size arch",
     .help = "Hugging Face folder to go on from"},
    {.name = "size", .type = AS_OPTION_CHOICE, .words = "tiny|mini|small|base", .initial_note = "mini, without --from",
     .help = "size of a fresh model"},
    {.name = "arch", .type = AS_OPTION_CHOICE, .words = "distilbert|roberta", .initial_note = "distilbert",
     .help = "architecture of a fresh model"},
    {.name = "vocab-size", .type = AS_OPTION_INT, .argument = "N", .minimum = 100, .maximum = 1e7, .initial = "8000",
     .help = "vocabulary of a fresh model"},
    {.name = "out", .type = AS_OPTION_FOLDER, .argument = "DIR", .initial_note = FOLDER " below --models",
     .help = "where the model goes"},
    {.name = "overwrite", .type = AS_OPTION_FLAG, .help = "replace the model or unfinished training in --out"},
    {.name = "resume", .type = AS_OPTION_FOLDER, .argument = "DIR", .excludes = "*", .command_line_only = true,
     .help = "go on with the interrupted training in DIR"},
};
static const as_option batch_rows[] = {
    {.name = "batch-tokens", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e7, .initial_note = "2048",
     .help = "tokens a batch"},
    {.name = "batch", .type = AS_OPTION_INT, .argument = "ROWS", .minimum = 1, .maximum = 1e6,
     .excludes = "batch-tokens", .help = "rows a batch, instead of tokens"},
};
/* clang-format on */
static const as_option_group data_group = AS_OPTION_GROUP("Data", data_rows);
static const as_option_group model_group = AS_OPTION_GROUP("Model", model_rows);
static const as_option_group batch_group = AS_OPTION_GROUP("Batches", batch_rows);
static const as_option_group *const groups[] = {&data_group,
                                                &as_options_csv,
                                                &as_options_bad_rows,
                                                &model_group,
                                                &as_options_recipe_but_batches,
                                                &batch_group,
                                                &as_options_run,
                                                NULL};

static as_status train(as_cli *cli, const char *out, const as_training_listener *listener, as_training_result *result) {
  as_recipe recipe = as_pretraining_preset(as_cli_fresh_size(cli));
  as_status status = as_cli_recipe(cli, "distilbert", &recipe);
  if (status == AS_OK)
    status = as_pretrain(cli->ctx, &recipe, out, as_option_flag(cli->arguments, "overwrite"), listener, result);
  as_recipe_free(cli->ctx, &recipe);
  return status;
}

/* A file of lines has no columns: one that is asked for by name would be passed over without a word. */
static bool asks_for_a_column_of_lines(const as_arguments *a) {
  const char *data = as_option_text(a, "data"), *valid = as_option_text(a, "valid");
  const bool column = as_option_value(a, "text-col")->source == AS_FROM_COMMAND_LINE,
             lines = data && as_has_a_text_a_line(data);
  return column && lines && (!valid || strcmp(valid, "none") == 0 || as_has_a_text_a_line(valid));
}

static int run(as_cli *cli) {
  if (asks_for_a_column_of_lines(cli->arguments))
    return as_cli_usage(cli,
                        "--text-col names a column of a CSV file; a file whose name ends in .txt has a text a line");
  as_training_view view = {.cli = cli, .head = "masked-language-model head"};
  as_training_listener listener = as_training_view_listener(&view);
  as_training_result result = {0};
  char perplexity[64] = "";
  const char *resume = as_option_text(cli->arguments, "resume");
  char *out = resume ? as_strdup(cli->ctx, resume) : as_cli_model_folder(cli, "out", FOLDER);
  as_status status = out ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK)
    status = resume ? as_pretrain_resume(cli->ctx, out, &listener, &result) : train(cli, out, &listener, &result);
  if (status == AS_OK && !isnan(result.watched))
    snprintf(perplexity, sizeof perplexity, "; perplexity %.4g", exp(-result.watched));
  int code = as_training_view_end(&view, status, &result, out, perplexity);
  as_free(cli->ctx, out);
  return code;
}

const as_command as_command_pretrain = {
    .name = "pretrain",
    .summary = "pretrain an encoder on texts without labels",
    .groups = groups,
    .catches_signals = true,
    .works_long = true,
    .run = run,
    .description = "Masked language modelling: of every text some tokens are hidden, and the model learns to say "
                   "what stood there. For sites that have texts but no pretrained weights, or whose language is not "
                   "that of the weights they have. The folder is what train --from takes. Ctrl-C saves the state; "
                   "--resume DIR goes on and ends with the same bytes as an undisturbed run.",
    .examples = "assistify pretrain --data messages.csv --arch roberta --size small\n"
                "assistify pretrain --data texts.txt --from roberta-base --epochs 3\n"
                "assistify train intent --data intents.csv --from trained_models/language_model"};
