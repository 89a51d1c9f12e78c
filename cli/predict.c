/* predict intent, predict sentiment: one line of JSON for each text, given on the command line, as lines on standard
 * input, or as rows of a CSV.
 *
 * Answers come in the order of the texts. Rows are asked in groups, so memory does not grow with the file; a row that
 * cannot be asked about becomes a line {"error": ...}, and the rest goes on. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/csv_options.h"
#include "cli/lines.h"
#include "infer/classifier.h"

#define GROUP_ROWS 512 /* asked together */

/* clang-format off */
static const as_option rows[] = {
    {.name = "model", .type = AS_OPTION_FOLDER, .argument = "DIR", .initial_note = "the task's folder below --models",
     .help = "model folder"},
    {.name = "input", .type = AS_OPTION_FILE, .argument = "F.csv|-",
     .help = "CSV with a header; -: from standard input"},
    {.name = "min-confidence", .type = AS_OPTION_NUMBER, .argument = "P", .minimum = 0, .maximum = 1, .initial = "0",
     .help = "answer \"unknown\" below this confidence"},
    {.name = "max-length", .type = AS_OPTION_INT, .argument = "N", .minimum = 3, .maximum = 65536,
     .initial_note = "as in training", .help = "tokens kept of a text"},
};
/* clang-format on */
static const as_option_group group = AS_OPTION_GROUP("Prediction", rows);
static const as_option_group *const groups[] = {&group, &as_options_csv, NULL};

/* Texts waiting to be asked about, and lines of error between them. */
typedef struct asking {
  as_cli *cli;
  const as_classification_task *task;
  as_classifier *classifier;
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

/* Asks about what is waiting and writes the lines. */
static as_status answer(asking *a) {
  as_context *ctx = a->cli->ctx;
  int64_t classes = (int64_t)as_classifier_labels(a->classifier)->count, asked = 0;
  as_status status = as_buffer_status(&a->texts);
  for (int64_t i = 0; i < a->count; i++) {
    if (a->errors[i]) continue;
    a->in[asked] = (as_text){as_buffer_string(&a->texts) + a->starts[i], a->starts[i + 1] - a->starts[i]};
    a->out[asked].probabilities = a->probabilities + asked * classes;
    asked++;
  }
  if (status == AS_OK) status = as_classifier_predict(a->classifier, a->in, asked, a->out);
  as_buffer line;
  as_buffer_init(&line, ctx);
  asked = 0;
  for (int64_t i = 0; status == AS_OK && i < a->count; i++) {
    as_json_writer writer = as_json_writer_start(&line, 0);
    if (a->errors[i]) {
      as_json_open_object(&writer, NULL);
      as_json_string(&writer, "error", a->errors[i]);
      as_json_close_object(&writer);
    } else {
      as_prediction_write(&writer, a->classifier, a->task, &a->out[asked++], a->min_confidence);
    }
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

static as_status add(asking *a, const char *text, size_t length) {
  a->starts[a->count] = a->texts.length;
  a->errors[a->count] = NULL;
  as_buffer_append(&a->texts, text, length);
  a->starts[++a->count] = a->texts.length;
  return a->count == GROUP_ROWS ? answer(a) : AS_OK;
}

static as_status add_error(asking *a, const char *text) {
  a->starts[a->count] = a->texts.length;
  a->errors[a->count] = as_strdup(a->cli->ctx, text);
  if (!a->errors[a->count]) return AS_E_NOMEM;
  a->starts[++a->count] = a->texts.length;
  return a->count == GROUP_ROWS ? answer(a) : AS_OK;
}

/* ---- where texts come from -------------------------------------------------------------------------------------- */
static as_status ask_row(asking *a, as_csv_reader *reader, const as_csv_row *row, size_t column) {
  if (row->problem != AS_PROBLEM_NONE && row->problem != AS_PROBLEM_EMPTY_ROW) {
    as_csv_fail_row(reader, row);
    return add_error(a, as_error_text(a->cli->ctx));
  }
  const as_csv_field *field = row->problem == AS_PROBLEM_NONE ? &row->fields[column] : NULL;
  if (field && !as_text_is_blank(field->text, field->length)) return add(a, field->text, field->length);
  char text[512];
  snprintf(text, sizeof text, "%s: line %llu: the text is empty", as_csv_name(reader), (unsigned long long)row->line);
  return add_error(a, text);
}

static as_status ask_csv(asking *a, const char *path) {
  as_csv_options options;
  as_csv_reader *reader = NULL;
  size_t column = 0;
  as_status status = as_cli_csv(a->cli, &options);
  if (status == AS_OK) status = as_csv_open(a->cli->ctx, path, &options, &reader);
  if (status == AS_OK) status = as_csv_column(reader, as_option_text(a->cli->arguments, "text-col"), &column);
  for (const as_csv_row *row = NULL; status == AS_OK && !a->closed;) {
    status = as_csv_next(reader, &row);
    if (status != AS_OK || !row) break;
    status = ask_row(a, reader, row, column);
  }
  as_csv_close(reader);
  return status;
}

/* A person types: every line is answered at once. From a pipe they are asked in groups. */
static as_status ask_lines(asking *a) {
  as_lines lines = {0};
  bool typed = isatty(STDIN_FILENO);
  as_status status = as_lines_open(a->cli->ctx, "-", AS_LINE_LIMIT, &lines);
  for (const char *line = NULL; status == AS_OK && !a->closed;) {
    size_t length;
    status = as_lines_next(&lines, &line, &length);
    if (status != AS_OK || !line) break;
    if (as_text_is_blank(line, length)) continue;
    status = add(a, line, length);
    if (status == AS_OK && typed) status = answer(a);
  }
  as_lines_close(&lines);
  return status;
}

static as_status ask_operands(asking *a) {
  as_status status = AS_OK;
  for (size_t i = 0; status == AS_OK && i < a->cli->arguments->operand_count; i++) {
    const char *text = a->cli->arguments->operands[i];
    status = as_text_is_blank(text, strlen(text)) ? add_error(a, "the text is empty") : add(a, text, strlen(text));
  }
  return status;
}

/* ---- the command ------------------------------------------------------------------------------------------------ */
static as_status open_classifier(asking *a) {
  const as_arguments *arguments = a->cli->arguments;
  char *folder = as_cli_model_folder(a->cli, "model", a->task->folder);
  if (!folder) return AS_E_NOMEM;
  as_status status = as_classifier_open(a->cli->ctx, folder, a->task, &a->classifier);
  as_free(a->cli->ctx, folder);
  if (status != AS_OK) return status;
  if (as_option_text(arguments, "max-length"))
    as_classifier_set_max_length(a->classifier, as_option_int(arguments, "max-length"));
  a->min_confidence = as_option_number(arguments, "min-confidence");
  a->probabilities = as_alloc(a->cli->ctx, GROUP_ROWS * as_classifier_labels(a->classifier)->count,
                              sizeof *a->probabilities);
  return a->probabilities ? AS_OK : AS_E_NOMEM;
}

static int run(as_cli *cli) {
  const char *input = as_option_text(cli->arguments, "input");
  if (input && cli->arguments->operand_count)
    return as_cli_usage(cli, "texts come from the command line or from --input, not both");
  asking *a = as_alloc_zero(cli->ctx, 1, sizeof *a);
  if (!a) return as_cli_failed(cli, AS_E_NOMEM);
  a->cli = cli;
  a->task = as_cli_task(cli);
  as_buffer_init(&a->texts, cli->ctx);
  as_status status = open_classifier(a);
  if (status == AS_OK)
    status = input ? ask_csv(a, input) : cli->arguments->operand_count ? ask_operands(a) : ask_lines(a);
  if (status == AS_OK) status = answer(a);
  int code = status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
  for (int64_t i = 0; i < a->count; i++) as_free(cli->ctx, a->errors[i]);
  as_classifier_close(a->classifier);
  as_buffer_free(&a->texts);
  as_free(cli->ctx, a->probabilities);
  as_free(cli->ctx, a);
  return code;
}

#define WHERE_TEXTS_COME_FROM " Without TEXT and --input, each line of standard input is a text."

const as_command as_command_predict_intent = {
    .name = "predict intent", .operands = "[TEXT...]", .max_operands = -1, .operand = AS_OPERAND_TEXT,
    .summary = "tell the intent of texts", .groups = groups, .run = run,
    .description = "Prints one line of JSON for each text: the intent, its probability, those of all intents, the "
                   "tokens that the model read, and whether the text was cut." WHERE_TEXTS_COME_FROM,
    .examples = "assistify predict intent \"I want to buy the gold package\"\n"
                "assistify predict intent --input messages.csv | jq .intent"};

const as_command as_command_predict_sentiment = {
    .name = "predict sentiment", .operands = "[TEXT...]", .max_operands = -1, .operand = AS_OPERAND_TEXT,
    .summary = "tell the sentiment of texts", .groups = groups, .run = run,
    .description = "Prints one line of JSON for each text: the sentiment, its probability (confidence), its intensity, "
                   "the probabilities of all sentiments, the tokens that the model read, and whether the text was "
                   "cut. The intensity is the probability of the sentiment less that of the second most probable "
                   "one: 0 where two are equally probable, near 1 where there is no doubt." WHERE_TEXTS_COME_FROM,
    .examples = "assistify predict sentiment \"This product is amazing!\"\n"
                "assistify predict sentiment --input messages.csv | jq .intensity"};
