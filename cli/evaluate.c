/* evaluate intent, evaluate sentiment: a trained classifier on rows whose label is known. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/csv_options.h"
#include "cli/model_store.h"
#include "cli/progress.h"
#include "cli/record.h"
#include "eval/evaluation.h"
#include "infer/labelled_rows.h"
#include "infer/wrong_rows.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "data", .type = AS_OPTION_FILE, .argument = "F.csv", .required = true, .help = "rows with text and label"},
    {.name = "label-col", .type = AS_OPTION_TEXT, .argument = "NAME", .initial_note = "the task's name",
     .help = "column of the labels"},
    {.name = "model", .type = AS_OPTION_FOLDER, .argument = "MODEL", .initial_note = "the champion",
     .help = "version in the store (intent@champion, intent/3) or folder"},
    {.name = "json", .type = AS_OPTION_FLAG, .help = "everything as one JSON object"},
    {.name = "errors", .type = AS_OPTION_FILE, .argument = "F.csv",
     .help = "write the wrong rows, the most confident first"},
    {.name = "svg", .type = AS_OPTION_FILE, .argument = "F.svg", .help = "write a reliability diagram, before and after calibration"},
    {.name = "no-calibration", .type = AS_OPTION_FLAG,
     .help = "probabilities as the model has them, not by its temperature; recorded only where --db says"},
    {.name = "resamples", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 1e6, .initial = "1000",
     .help = "of the bootstrap intervals; 0: none"},
    {.name = "seed", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 9e15, .initial = "1",
     .help = "of the bootstrap"},
};
/* clang-format on */
static const as_option_group group = AS_OPTION_GROUP("Evaluation", rows);
static const as_option_group *const groups[] = {&group, &as_options_held_out, &as_options_csv, &as_options_bad_rows,
                                                &as_options_record, NULL};

typedef struct evaluating {
  as_cli *cli;
  const char *model, *folder; /* borrowed */
  as_classifier *classifier;
  as_messages *messages;
  as_labelled_rows rows;
  int64_t classes;
  int32_t *predicted;    /* [rows] */
  double *probabilities; /* [rows, classes] */
  bool calibrated;       /* by the model's temperature */
  as_classifier_calibration calibration; /* if so */
} evaluating;

static as_status read_rows(evaluating *e, const as_classification_task *task) {
  const as_arguments *a = e->cli->arguments;
  const char *label = as_option_text(a, "label-col"), *path = as_option_text(a, "data");
  as_column_request column = {.name = label ? label : task->label_column, .kind = AS_COLUMN_LABEL};
  as_message_options options = {0};
  as_status status = as_cli_message_options(e->cli, true, &options);
  options.columns = &column;
  options.column_count = 1;
  if (status == AS_OK) status = as_cli_held_out_messages(e->cli, path, &options, false, &e->messages);
  if (status != AS_OK) return status;
  return as_labelled_rows_make(e->cli->ctx, e->messages, as_classifier_labels(e->classifier), false,
                               "the model knows no", &e->rows);
}

/* What calibration does to these rows. */
static as_status measure_calibration(evaluating *e, const float *logits) {
  const double temperature = as_classifier_temperature(e->classifier);
  e->calibrated = temperature < 1 || temperature > 1;
  if (!e->calibrated) return AS_OK;
  double *before = as_alloc(e->cli->ctx, (size_t)(e->rows.count * e->classes), sizeof *before);
  if (!before) return AS_E_NOMEM;
  for (int64_t i = 0; i < e->rows.count * e->classes; i++) before[i] = (double)logits[i];
  for (int64_t row = 0; row < e->rows.count; row++)
    as_softmax_row(before + row * e->classes, e->classes, 1, before + row * e->classes);
  as_status status = as_classifier_calibration_measure(e->cli->ctx, e->rows.count, e->classes, e->rows.truth, before,
                                                       e->probabilities, temperature, &e->calibration);
  as_free(e->cli->ctx, before);
  return status;
}

static as_status predict_rows(evaluating *e) {
  as_context *ctx = e->cli->ctx;
  const as_labels *labels = as_classifier_labels(e->classifier);
  const size_t n = (size_t)e->rows.count;
  e->classes = (int64_t)labels->count;
  e->predicted = as_alloc(ctx, n, sizeof *e->predicted);
  e->probabilities = as_alloc(ctx, n * labels->count, sizeof *e->probabilities);
  float *logits = as_alloc(ctx, n * labels->count, sizeof *logits);
  as_status status = e->predicted && e->probabilities && logits ? AS_OK : AS_E_NOMEM;
  as_progress progress;
  const as_answer_listener listener = {as_progress_rows, &progress};
  as_progress_start(&progress, e->cli->console, 0);
  if (status == AS_OK)
    status = as_labelled_rows_answer(&e->rows, e->classifier, labels, e->predicted, e->probabilities, logits, &listener);
  if (status == AS_OK) status = measure_calibration(e, logits);
  as_free(ctx, logits);
  return status;
}

/* ---- what comes out --------------------------------------------------------------------------------------------- */
static as_status write_errors(evaluating *e, const char *path) {
  as_answers answers = {.messages = e->messages, .classes = e->classes,
                        .labels = (const char *const *)as_classifier_labels(e->classifier)->names, .truth = e->rows.truth,
                        .predicted = e->predicted, .probabilities = e->probabilities};
  as_buffer out;
  as_buffer_init(&out, e->cli->ctx);
  as_status status = as_wrong_rows_csv(e->cli->ctx, &answers, &out);
  if (status == AS_OK) status = as_file_write(e->cli->ctx, path, out.data, out.length);
  as_buffer_free(&out);
  return status;
}

static as_status write_svg(evaluating *e, const as_evaluation *evaluation, const char *path) {
  char title[64];
  as_buffer out;
  as_buffer_init(&out, e->cli->ctx);
  snprintf(title, sizeof title, "Reliability of %s on %lld rows", e->model, (long long)e->rows.count);
  as_status status = as_evaluation_svg(evaluation, title, &out);
  if (status == AS_OK) status = as_file_write(e->cli->ctx, path, out.data, out.length);
  as_buffer_free(&out);
  return status;
}

static as_status print(evaluating *e, const as_evaluation *evaluation) {
  as_buffer out;
  as_status status = AS_OK;
  as_buffer_init(&out, e->cli->ctx);
  if (as_option_flag(e->cli->arguments, "json")) {
    as_json_writer writer = as_json_writer_start(&out, 2);
    as_json_open_object(&writer, NULL);
    as_evaluation_json(&writer, evaluation);
    as_json_close_object(&writer);
    as_buffer_char(&out, '\n');
  } else {
    status = as_evaluation_table(evaluation, &out);
  }
  if (status == AS_OK) status = as_buffer_status(&out);
  if (status == AS_OK) as_console_buffer(e->cli->console, &out);
  as_buffer_free(&out);
  return status;
}

static as_status record(evaluating *e, const as_evaluation *evaluation) {
  as_buffer json;
  as_buffer_init(&json, e->cli->ctx);
  as_json_writer writer = as_json_writer_start(&json, 0);
  as_json_open_object(&writer, NULL);
  as_evaluation_json(&writer, evaluation);
  as_json_close_object(&writer);
  as_status status = as_buffer_status(&json);
  if (status == AS_OK) status = as_cli_record(e->cli, e->model, e->folder, &json);
  as_buffer_free(&json);
  return status;
}

static as_status report(evaluating *e) {
  const as_arguments *a = e->cli->arguments;
  const char *errors = as_option_text(a, "errors"), *svg = as_option_text(a, "svg");
  as_evaluation_input input = {.rows = e->rows.count,
                               .classes = e->classes,
                               .labels = (const char *const *)as_classifier_labels(e->classifier)->names,
                               .truth = e->rows.truth,
                               .predicted = e->predicted,
                               .probabilities = e->probabilities,
                               .resamples = as_option_int(a, "resamples"),
                               .seed = (uint64_t)as_option_int(a, "seed"),
                               .calibration = e->calibrated ? &e->calibration : NULL};
  as_evaluation evaluation = {0};
  as_status status = as_evaluation_measure(e->cli->ctx, &input, &evaluation);
  if (status == AS_OK) status = print(e, &evaluation);
  if (status == AS_OK && errors) status = write_errors(e, errors);
  if (status == AS_OK && svg) status = write_svg(e, &evaluation, svg);
  /* What the model doesn't answer with would read as a change in the history of its figures. */
  if (status == AS_OK && (!as_option_flag(a, "no-calibration") || as_option_given(a, "db")))
    status = record(e, &evaluation);
  as_evaluation_free(e->cli->ctx, &evaluation);
  return status;
}

static int run(as_cli *cli) {
  const as_classification_task *task = as_cli_task(cli);
  evaluating e = {.cli = cli};
  char *folder;
  as_status status = as_cli_model(cli, "model", task->name, task->folder, &folder);
  if (status == AS_OK) status = as_classifier_open(cli->ctx, folder, task, &e.classifier);
  if (status == AS_OK && as_option_flag(cli->arguments, "no-calibration"))
    status = as_classifier_set_temperature(e.classifier, 1);
  e.model = task->name;
  e.folder = folder;
  if (status == AS_OK) status = read_rows(&e, task);
  if (status == AS_OK) status = predict_rows(&e);
  if (status == AS_OK) status = report(&e);
  int code = status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
  as_classifier_close(e.classifier);
  as_messages_free(e.messages);
  as_labelled_rows_free(&e.rows);
  as_free(cli->ctx, e.predicted);
  as_free(cli->ctx, e.probabilities);
  as_free(cli->ctx, folder);
  return code;
}

static const char description[] =
    "Prints accuracy, precision, recall and F1 by class, calibration, the confusion matrix, 95 % bootstrap intervals, "
    "and what always answering the commonest class would reach.";

const as_command as_command_evaluate_intent = {
    .name = "evaluate intent", .summary = "measure an intent classifier on labelled rows", .groups = groups, .run = run,
    .description = description,
    .examples = "assistify evaluate intent --data test.csv\n"
                "assistify evaluate intent --data test.csv --json | jq .accuracy"};

const as_command as_command_evaluate_sentiment = {
    .name = "evaluate sentiment", .summary = "measure a sentiment classifier on labelled rows", .groups = groups,
    .run = run, .description = description,
    .examples = "assistify evaluate sentiment --data test.csv\n"
                "assistify evaluate sentiment --data test.csv --errors wrong.csv"};
