/* predict intent, predict sentiment: one line of JSON for each text, given on the command line, as lines on standard
 * input, or as rows of a CSV.
 *
 * Answers come in the order of the texts. Rows are asked in groups, so memory does not grow with the file; a row that
 * cannot be asked about becomes a line {"error": ...}, and the rest goes on. */
#include "base/memory.h"
#include "cli/command.h"
#include "cli/csv_options.h"
#include "cli/model_store.h"
#include "cli/prediction_logging.h"
#include "cli/text_input.h"

#define GROUP_ROWS 512 /* asked together */

/* clang-format off */
static const as_option rows[] = {
    {.name = "model", .type = AS_OPTION_FOLDER, .argument = "MODEL", .initial_note = "the champion",
     .help = "version in the store (intent@champion, intent/3) or folder"},
    {.name = "input", .type = AS_OPTION_FILE, .argument = "F.csv|-",
     .help = "CSV with a header; -: from standard input"},
    {.name = "min-confidence", .type = AS_OPTION_NUMBER, .argument = "P", .minimum = 0, .maximum = 1, .initial = "0",
     .help = "answer \"unknown\" below this confidence"},
    {.name = "max-length", .type = AS_OPTION_INT, .argument = "N", .minimum = 3, .maximum = 65536,
     .initial_note = "as in training", .help = "tokens kept of a text"},
    {.name = "no-calibration", .type = AS_OPTION_FLAG,
     .help = "probabilities as the model has them, not by its temperature"},
};
/* clang-format on */
static const as_option_group group = AS_OPTION_GROUP("Prediction", rows);
static const as_option_group *const groups[] = {&group, &as_options_csv, &as_options_logging, NULL};

/* Texts waiting to be asked about, and lines of error between them. */
typedef struct asking {
  as_cli *cli;
  const as_classification_task *task;
  as_classifier *classifier;
  as_cli_identity identity;        /* of the model, for the log */
  as_cli_logging logging;
  double min_confidence;
  int64_t count;
  as_buffer texts;                 /* all texts, one after another */
  size_t starts[GROUP_ROWS + 1];
  char *errors[GROUP_ROWS];        /* NULL: a text */
  as_text in[GROUP_ROWS];
  as_prediction out[GROUP_ROWS];
  float *probabilities;            /* [GROUP_ROWS, classes] */
  bool closed;                     /* nobody reads the answers any more */
} asking;

/* Asks about what is waiting; every text has an equal share in how long that takes. */
static as_status ask(asking *a, int64_t *latency_us) {
  int64_t classes = (int64_t)as_classifier_labels(a->classifier)->count, asked = 0;
  as_status status = as_buffer_status(&a->texts);
  for (int64_t i = 0; i < a->count; i++) {
    if (a->errors[i]) continue;
    a->in[asked] = (as_text){as_buffer_string(&a->texts) + a->starts[i], a->starts[i + 1] - a->starts[i]};
    a->out[asked].probabilities = a->probabilities + asked * classes;
    asked++;
  }
  const int64_t begun = as_cli_microseconds();
  if (status == AS_OK) status = as_classifier_predict(a->classifier, a->in, asked, a->out);
  *latency_us = asked ? (as_cli_microseconds() - begun) / asked : 0;
  return status;
}

static void write_answer(asking *a, as_json_writer *writer, int64_t i, int64_t latency_us) {
  as_prediction_write(writer, a->classifier, a->task, &a->out[i], a->min_confidence);
  if (!a->logging.log) return;
  char id[AS_REQUEST_ID];
  as_request_id(id);
  as_json_string(writer, "request_id", id);
  as_cli_log_classification(&a->logging, id, &a->identity, as_classifier_labels(a->classifier), &a->in[i], &a->out[i],
                            latency_us);
}

/* Asks about what is waiting and writes the lines. */
static as_status answer(void *user) {
  asking *a = user;
  as_context *ctx = a->cli->ctx;
  int64_t latency_us = 0, asked = 0;
  as_status status = ask(a, &latency_us);
  as_buffer line;
  as_buffer_init(&line, ctx);
  for (int64_t i = 0; status == AS_OK && i < a->count; i++) {
    as_json_writer writer = as_json_writer_start(&line, 0);
    as_json_open_object(&writer, NULL);
    if (a->errors[i])
      as_json_string(&writer, "error", a->errors[i]);
    else
      write_answer(a, &writer, asked++, latency_us);
    as_json_close_object(&writer);
    as_buffer_char(&line, '\n');
  }
  if (status == AS_OK) status = as_buffer_status(&line);
  if (status == AS_OK && a->count)
    a->closed = !as_console_buffer(a->cli->console, &line) || !as_console_flush(a->cli->console);
  as_buffer_free(&line);
  for (int64_t i = 0; i < a->count; i++) as_free(ctx, a->errors[i]);
  a->count = 0;
  as_buffer_clear(&a->texts);
  return status;
}

static as_status add(void *user, const char *text, size_t length, const char *const *values) {
  asking *a = user;
  (void)values;
  a->starts[a->count] = a->texts.length;
  a->errors[a->count] = NULL;
  as_buffer_append(&a->texts, text, length);
  a->starts[++a->count] = a->texts.length;
  return a->count == GROUP_ROWS ? answer(a) : AS_OK;
}

static as_status add_error(void *user, const char *text) {
  asking *a = user;
  a->starts[a->count] = a->texts.length;
  a->errors[a->count] = as_strdup(a->cli->ctx, text);
  if (!a->errors[a->count]) return AS_E_NOMEM;
  a->starts[++a->count] = a->texts.length;
  return a->count == GROUP_ROWS ? answer(a) : AS_OK;
}

/* ---- the command ------------------------------------------------------------------------------------------------ */
static as_status open_classifier(asking *a) {
  const as_arguments *arguments = a->cli->arguments;
  char *folder;
  as_status status = as_cli_model(a->cli, "model", a->task->name, a->task->folder, &folder);
  if (status != AS_OK) return status;
  status = as_classifier_open(a->cli->ctx, folder, a->task, &a->classifier);
  if (status == AS_OK) status = as_cli_identify(a->cli, a->task->name, folder, &a->identity);
  as_free(a->cli->ctx, folder);
  if (status != AS_OK) return status;
  if (as_option_text(arguments, "max-length"))
    as_classifier_set_max_length(a->classifier, as_option_int(arguments, "max-length"));
  if (as_option_flag(arguments, "no-calibration")) status = as_classifier_set_temperature(a->classifier, 1);
  if (status != AS_OK) return status;
  a->min_confidence = as_option_number(arguments, "min-confidence");
  a->probabilities = as_alloc(a->cli->ctx, GROUP_ROWS * as_classifier_labels(a->classifier)->count,
                              sizeof *a->probabilities);
  return a->probabilities ? AS_OK : AS_E_NOMEM;
}

static int run(as_cli *cli) {
  if (as_option_text(cli->arguments, "input") && cli->arguments->operand_count)
    return as_cli_usage(cli, "texts come from the command line or from --input, not both");
  asking *a = as_alloc_zero(cli->ctx, 1, sizeof *a);
  if (!a) return as_cli_failed(cli, AS_E_NOMEM);
  a->cli = cli;
  a->task = as_cli_task(cli);
  as_buffer_init(&a->texts, cli->ctx);
  const as_text_input texts = {.take = add, .refuse = add_error, .answer = answer, .closed = &a->closed, .user = a};
  as_status status = open_classifier(a);
  if (status == AS_OK) status = as_cli_logging_begin(cli, &a->logging);
  if (status == AS_OK) status = as_text_input_read(cli, &texts);
  if (status == AS_OK) status = answer(a);
  int code = status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
  for (int64_t i = 0; i < a->count; i++) as_free(cli->ctx, a->errors[i]);
  as_cli_logging_end(&a->logging);
  as_cli_identity_free(cli, &a->identity);
  as_classifier_close(a->classifier);
  as_buffer_free(&a->texts);
  as_free(cli->ctx, a->probabilities);
  as_free(cli->ctx, a);
  return code;
}

const as_command as_command_predict_intent = {
    .name = "predict intent", .operands = "[TEXT...]", .max_operands = -1, .operand = AS_OPERAND_TEXT,
    .summary = "tell the intent of texts", .groups = groups, .run = run,
    .description = "Prints one line of JSON for each text: the intent, its probability, those of all intents, the "
                   "tokens that the model read, and whether the text was cut." " " AS_TEXT_INPUT_HELP,
    .examples = "assistify predict intent \"I want to buy the gold package\"\n"
                "assistify predict intent --input messages.csv | jq .intent"};

const as_command as_command_predict_sentiment = {
    .name = "predict sentiment", .operands = "[TEXT...]", .max_operands = -1, .operand = AS_OPERAND_TEXT,
    .summary = "tell the sentiment of texts", .groups = groups, .run = run,
    .description = "Prints one line of JSON for each text: the sentiment, its probability (confidence), its intensity, "
                   "the probabilities of all sentiments, the tokens that the model read, and whether the text was "
                   "cut. The intensity is the probability of the sentiment less that of the second most probable "
                   "one: 0 where two are equally probable, near 1 where there is no doubt." " " AS_TEXT_INPUT_HELP,
    .examples = "assistify predict sentiment \"This product is amazing!\"\n"
                "assistify predict sentiment --input messages.csv | jq .intensity"};
