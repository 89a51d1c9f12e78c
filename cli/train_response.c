/* train response: from the options to a recipe. The run itself is train/response.h. */
#include "base/memory.h"
#include "cli/csv_options.h"
#include "cli/model_store.h"
#include "cli/signals.h"
#include "cli/training.h"
#include "infer/responder.h"
#include "models/input_template.h"
#include "train/response.h"

static as_status check_template(as_context *ctx, const char *value) {
  return as_input_template_check(ctx, value, AS_E_INVALID, "the value");
}

/* clang-format off */
static const as_option data_rows[] = {
    {.name = "data", .type = AS_OPTION_FILE, .argument = "F.csv", .required = true, .excludes = "resume",
     .help = "CSV with the columns content, response and, if known, intent and sentiment"},
    {.name = "valid", .type = AS_OPTION_FILE, .argument = "F.csv|none", .initial_note = "10 % of the training data",
     .help = "validation data, or none to train on every row"},
};
static const as_option model_rows[] = {
    {.name = "from", .type = AS_OPTION_FOLDER, .argument = "DIR", .excludes = "size arch",
     .help = "Hugging Face folder of a T5 to start from"},
    {.name = "size", .type = AS_OPTION_CHOICE, .words = "tiny|mini|small|base", .initial_note = "mini, without --from",
     .help = "size of a fresh model"},
    {.name = "arch", .type = AS_OPTION_CHOICE, .words = "t5|t5-v1.1", .initial_note = "t5",
     .help = "architecture of a fresh model"},
    {.name = "vocab-size", .type = AS_OPTION_INT, .argument = "N", .minimum = 100, .maximum = 1e7, .initial = "8000",
     .help = "vocabulary of a fresh model"},
    {.name = "out", .type = AS_OPTION_FOLDER, .argument = "DIR", .initial_note = "the next version in the store",
     .help = "where the model goes"},
    {.name = "overwrite", .type = AS_OPTION_FLAG, .help = "replace the model or unfinished training in --out"},
    {.name = "resume", .type = AS_OPTION_FOLDER, .argument = "DIR", .excludes = "*", .command_line_only = true,
     .help = "go on with the interrupted training in DIR"},
};
static const as_option response_rows[] = {
    {.name = "max-target-length", .type = AS_OPTION_INT, .argument = "N", .minimum = 2, .maximum = 65536,
     .initial = "128", .help = "tokens kept of a reply"},
    {.name = "template", .type = AS_OPTION_TEXT, .argument = "TEXT", .check = check_template,
     .initial_note = "that of --from, or \"" AS_INPUT_TEMPLATE_DEFAULT "\"",
     .help = "what the model's input is made of"},
    {.name = "metric", .type = AS_OPTION_CHOICE, .words = "loss|bleu", .initial = "loss",
     .help = "what gain is measured by, on the validation data; bleu answers up to 200 of its rows"},
};
/* clang-format on */
static const as_option_group data_group = AS_OPTION_GROUP("Data", data_rows);
static const as_option_group model_group = AS_OPTION_GROUP("Model", model_rows);
static const as_option_group response_group = AS_OPTION_GROUP("Replies", response_rows);
static const as_option_group *const groups[] = {&data_group,        &as_options_csv, &as_options_bad_rows, &model_group,
                                                &as_options_recipe, &response_group, &as_options_run,      NULL};

static as_status make_recipe(as_cli *cli, as_recipe *recipe) {
  const as_arguments *a = cli->arguments;
  *recipe = as_response_preset(as_cli_fresh_size(cli));
  recipe->metric = as_option_is(a, "metric", "bleu") ? AS_METRIC_BLEU : AS_METRIC_LOSS;
  recipe->max_target_length = as_option_int(a, "max-target-length");
  as_status status = as_cli_recipe(cli, "t5", recipe);
  return status == AS_OK ? as_cli_copy(cli, as_option_text(a, "template"), &recipe->input_template) : status;
}

as_status as_cli_plan_response(as_cli *cli, as_plan *out) {
  const as_training_listener listener = {.interrupted = as_interrupted};
  as_recipe recipe;
  as_training_estimate estimate;
  as_status status = make_recipe(cli, &recipe);
  if (status == AS_OK) status = as_response_estimate(cli->ctx, &recipe, &listener, &estimate);
  if (status == AS_OK) *out = as_cli_plan_of(cli, &estimate);
  as_recipe_free(cli->ctx, &recipe);
  return status;
}

static as_status train(as_cli *cli, const char *out, const as_training_listener *listener, as_training_result *result) {
  as_recipe recipe;
  as_status status = make_recipe(cli, &recipe);
  if (status == AS_OK)
    status = as_response_train(cli->ctx, &recipe, out, as_option_flag(cli->arguments, "overwrite"), listener, result);
  as_recipe_free(cli->ctx, &recipe);
  return status;
}

static int run(as_cli *cli) {
  as_training_view view = {.cli = cli, .head = "output layer"};
  as_training_listener listener = as_training_view_listener(&view);
  as_training_result result = {0};
  const char *resume = as_option_text(cli->arguments, "resume");
  as_cli_training t;
  as_status status = as_cli_training_begin(cli, AS_RESPONSE_NAME, as_option_text(cli->arguments, "out"), resume, &t);
  if (status == AS_OK && resume && !t.done) status = as_response_resume(cli->ctx, t.out, &listener, &result);
  if (status == AS_OK && !resume) status = train(cli, t.out, &listener, &result);
  if (status == AS_OK) status = as_cli_training_publish(&t);
  int code = AS_EXIT_DONE;
  if (status != AS_OK || !t.done) code = as_training_view_end(&view, status, &result, t.out, NULL);
  if (status == AS_OK) as_cli_training_tell(&t);
  as_cli_training_end(&t);
  return code;
}

const as_command as_command_train_response = {
    .name = "train response",
    .summary = "train a model that replies to messages, from a CSV file",
    .groups = groups,
    .catches_signals = true,
    .works_long = true,
    .run = run,
    .description =
        "Trains T5 on messages with the replies that were given to them, and writes a Hugging Face model "
        "folder. With --from it starts from a pretrained T5. Without it the model is fresh and its vocabulary "
        "is made from the data. In the end it says what the model reaches on the validation rows, beside the "
        "reply of the most similar training message and one fixed reply for everything. Ctrl-C saves the "
        "state; --resume DIR goes on and ends with the same bytes as an undisturbed run. Without --out the model "
        "becomes the next version in the model store; the first one answers from then on.",
    .examples = "assistify train response --data messages.csv --size mini\n"
                "assistify train response --data messages.csv --from t5-small --epochs 3\n"
                "assistify train response --resume trained_models/response/unfinished"};
