/* compare intent, compare sentiment: two trained classifiers on the same rows. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/comparison.h"
#include "cli/csv_options.h"
#include "cli/progress.h"
#include "cli/record.h"
#include "eval/comparison.h"
#include "infer/changed_rows.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "data", .type = AS_OPTION_FILE, .argument = "F.csv", .required = true, .help = "rows with text and label"},
    {.name = "label-col", .type = AS_OPTION_TEXT, .argument = "NAME", .initial_note = "the task's name",
     .help = "column of the labels"},
    {.name = "changed", .type = AS_OPTION_FILE, .argument = "F.csv",
     .help = "write the rows that are answered differently, with both answers"},
    {.name = "seed", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 9e15, .initial = "1",
     .help = "of the bootstrap"},
};
static const as_option class_rows[] = {
    {.name = "max-class-loss", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 1, .words = "none",
     .initial = "0.1", .help = "what the F1 of a class may lose where that is significant"},
    {.name = "min-class-rows", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e9, .initial = "20",
     .help = "classes with fewer rows are not looked at for that"},
    {.name = "max-calibration-loss", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 1,
     .help = "by how much the calibration error (ECE) may grow"},
};
/* clang-format on */
static const as_option_group data = AS_OPTION_GROUP("Data", rows);
static const as_option_group class_gate = AS_OPTION_GROUP("Gate, by class", class_rows);
static const as_option_group *const groups[] = {
    &data,       &as_options_held_out, &as_options_comparison, &as_options_gate,
    &class_gate, &as_options_csv,      &as_options_bad_rows,   &as_options_record,
    NULL};

typedef struct comparing {
  as_cli *cli;
  as_context *ctx;
  as_cli_comparison shared;
  as_classifier *classifiers[2];
  as_labels labels; /* of both */
  as_messages *messages;
  as_labelled_rows rows;
  int32_t *predicted[2];    /* [rows] */
  double *probabilities[2]; /* [rows, labels] */
  as_comparison result;
} comparing;

/* ---- model and data --------------------------------------------------------------------------------------------- */

static as_status open_models(comparing *c, const as_classification_task *task) {
  as_status status = as_cli_comparison_begin(c->cli, task->name, task->folder, 0.01, &c->shared);
  c->shared.main_key = "f1.macro_seen";
  c->shared.limits.min_class_rows = as_option_int(c->cli->arguments, "min-class-rows");
  if (!as_option_is(c->cli->arguments, "max-class-loss", "none"))
    c->shared.limits.max_class_loss = as_option_number(c->cli->arguments, "max-class-loss");
  if (as_option_text(c->cli->arguments, "max-calibration-loss"))
    c->shared.limits.max_calibration_loss = as_option_number(c->cli->arguments, "max-calibration-loss");
  for (int i = 0; status == AS_OK && i < 2; i++)
    status = as_classifier_open(c->ctx, c->shared.models[i].folder, task, &c->classifiers[i]);
  if (status != AS_OK) return status;
  return as_labels_join(c->ctx, as_classifier_labels(c->classifiers[0]), as_classifier_labels(c->classifiers[1]),
                        &c->labels);
}

static as_status read_rows(comparing *c, const as_classification_task *task) {
  const as_arguments *a = c->cli->arguments;
  const char *label = as_option_text(a, "label-col"), *path = as_option_text(a, "data");
  const as_column_request column = {.name = label ? label : task->label_column, .kind = AS_COLUMN_LABEL};
  as_message_options options = {0};
  as_status status = as_cli_message_options(c->cli, true, &options);
  options.columns = &column;
  options.column_count = 1;
  if (status == AS_OK) status = as_cli_held_out_messages(c->cli, path, &options, true, &c->messages);
  if (status == AS_OK)
    status = as_labelled_rows_make(c->ctx, c->messages, &c->labels, options.on_error == AS_ON_ERROR_SKIP,
                                   "neither model knows a", &c->rows);
  if (status == AS_OK && c->rows.unknown > 0)
    as_warn(c->ctx, "%s: %lld rows were left out: neither model knows their label", path, (long long)c->rows.unknown);
  return status;
}

/* ---- measuring -------------------------------------------------------------------------------------------------- */

static as_status answer(comparing *c, int model) {
  const size_t n = (size_t)c->rows.count;
  c->predicted[model] = as_alloc(c->ctx, n, sizeof *c->predicted[model]);
  c->probabilities[model] = as_alloc(c->ctx, n * c->labels.count, sizeof *c->probabilities[model]);
  if (!c->predicted[model] || !c->probabilities[model]) return AS_E_NOMEM;
  as_progress progress;
  const as_answer_listener listener = {as_progress_rows, &progress};
  as_progress_start(&progress, c->cli->console, 0);
  return as_labelled_rows_answer(&c->rows, c->classifiers[model], &c->labels, c->predicted[model],
                                 c->probabilities[model], NULL, &listener);
}

static as_status ask_one(void *user, int model, int64_t row) {
  comparing *c = user;
  as_text text = {0};
  as_prediction prediction = {0};
  text.text = as_messages_text(c->messages, c->rows.rows[row], &text.length);
  return as_classifier_predict(c->classifiers[model], &text, 1, &prediction);
}

static as_status measure(comparing *c) {
  const as_comparison_input input = {.rows = c->rows.count,
                                     .classes = (int64_t)c->labels.count,
                                     .labels = (const char *const *)c->labels.names,
                                     .truth = c->rows.truth,
                                     .predicted = {c->predicted[0], c->predicted[1]},
                                     .probabilities = {c->probabilities[0], c->probabilities[1]},
                                     .resamples = as_option_int(c->cli->arguments, "resamples"),
                                     .seed = (uint64_t)as_option_int(c->cli->arguments, "seed")};
  as_status status = as_comparison_measure(c->ctx, &input, &c->result);
  return status == AS_OK ? as_cli_comparison_time(&c->shared, c->rows.count, 50, ask_one, c) : status;
}

static as_status judge(comparing *c) {
  const as_comparison *r = &c->result;
  const as_paired_score *main_score = &r->figures[AS_COMPARED_MACRO_F1].score;
  as_gate_class *classes = as_alloc(c->ctx, (size_t)r->classes, sizeof *classes);
  if (!classes) return AS_E_NOMEM;
  for (int64_t k = 0; k < r->classes; k++)
    classes[k] = (as_gate_class){r->labels[k], r->each[k].support, r->each[k].difference, r->each[k].holm_p};
  as_gate_figures figures = {.name = "macro F1",
                             .unit = "rows",
                             .rows = r->rows,
                             .second = main_score->second,
                             .difference = main_score->delta.observed,
                             .ci95 = main_score->delta.ci95,
                             .classes = classes,
                             .class_count = (size_t)r->classes,
                             .calibration_loss = r->figures[AS_COMPARED_ECE].score.delta.observed,
                             .decimals = 4};
  as_status status = as_cli_comparison_judge(&c->shared, &figures);
  as_free(c->ctx, classes);
  return status;
}

/* ---- what comes out --------------------------------------------------------------------------------------------- */

/* The labels that only one of them knows. */
static void write_own_labels(const comparing *c, int model, as_json_writer *w, const char *key) {
  const as_labels *own = as_classifier_labels(c->classifiers[model]);
  const as_labels *other = as_classifier_labels(c->classifiers[!model]);
  as_json_open_array(w, key);
  for (size_t i = 0; i < own->count; i++)
    if (as_labels_find(other, own->names[i]) < 0) as_json_string(w, NULL, own->names[i]);
  as_json_close_array(w);
}

static void write_json(void *user, as_json_writer *w) {
  const comparing *c = user;
  as_json_int(w, "left_out", c->rows.unknown);
  write_own_labels(c, 0, w, "only_first_knows");
  write_own_labels(c, 1, w, "only_second_knows");
  as_comparison_json(w, &c->result);
}

static as_status put_report(void *user, as_report *report) {
  const comparing *c = user;
  const size_t all = c->labels.count, first = as_classifier_labels(c->classifiers[0])->count;
  const size_t second = as_classifier_labels(c->classifiers[1])->count;
  as_report_paragraph(report, "%lld rows, %zu classes%s", (long long)c->rows.count, all,
                      (size_t)c->result.seen < all ? "; macro F1 is over those that occur or are answered" : "");
  if (first < all || second < all)
    as_report_paragraph(report,
                        "The first knows %zu of the classes, the second %zu; both are held against all of them.", first,
                        second);
  return as_comparison_report(c->ctx, report, &c->result);
}

static void write_evaluation(void *user, int model, as_json_writer *w) {
  const comparing *c = user;
  as_evaluation_json(w, &c->result.evaluations[model]);
}

static as_status write_changed(comparing *c, const char *path) {
  const as_answer_pair pair = {.rows = &c->rows,
                               .labels = &c->labels,
                               .predicted = {c->predicted[0], c->predicted[1]},
                               .probabilities = {c->probabilities[0], c->probabilities[1]}};
  as_buffer out;
  as_buffer_init(&out, c->ctx);
  as_status status = as_changed_rows_csv(c->ctx, &pair, &out);
  if (status == AS_OK) status = as_file_write(c->ctx, path, out.data, out.length);
  as_buffer_free(&out);
  return status;
}

static as_status print(comparing *c) {
  const char *changed = as_option_text(c->cli->arguments, "changed");
  const as_comparison_output output = {.data = as_option_text(c->cli->arguments, "data"),
                                       .figures = c->result.figures,
                                       .figure_count = AS_COMPARED_FIGURES,
                                       .user = c,
                                       .json = write_json,
                                       .report = put_report,
                                       .evaluation = write_evaluation};
  as_status status = changed ? write_changed(c, changed) : AS_OK;
  return status == AS_OK ? as_cli_comparison_print(&c->shared, &output) : status;
}

static int run(as_cli *cli) {
  const as_classification_task *task = as_cli_task(cli);
  comparing c = {.cli = cli, .ctx = cli->ctx};
  as_status status = open_models(&c, task);
  if (status == AS_OK) status = read_rows(&c, task);
  for (int i = 0; status == AS_OK && i < 2; i++) status = answer(&c, i);
  if (status == AS_OK) status = measure(&c);
  if (status == AS_OK) status = judge(&c);
  if (status == AS_OK) status = print(&c);
  const int code = as_cli_comparison_exit(&c.shared, status);
  as_comparison_free(c.ctx, &c.result);
  for (int i = 0; i < 2; i++) {
    as_classifier_close(c.classifiers[i]);
    as_free(c.ctx, c.predicted[i]);
    as_free(c.ctx, c.probabilities[i]);
  }
  as_labelled_rows_free(&c.rows);
  as_messages_free(c.messages);
  as_labels_free(c.ctx, &c.labels);
  as_cli_comparison_end(&c.shared);
  return code;
}

static const char description[] =
    "Asks both models the same rows and prints accuracy, macro F1, log loss, Brier score and calibration error of "
    "both, each difference with its interval by paired bootstrap, McNemar's test, what changed by class, sizes and "
    "times; then what the gate says. Exit 0: passed, 5: not passed. Without names the champion is the first and the "
    "challenger the second; a single name is held against the champion. A difference is the second less the first.\n\n"
    "The gate: enough rows; macro F1 not below the first's by more than --max-loss, nor significantly below it "
    "beyond that; no class of enough rows that lost more than --max-class-loss significantly; and what other options "
    "ask for. Few rows can't show that nothing is lost: then the difference itself is taken.";

const as_command as_command_compare_intent = {
    .name = "compare intent",
    .operands = "[[FIRST] SECOND]",
    .max_operands = 2,
    .operand = AS_OPERAND_MODEL,
    .summary = "hold two intent classifiers against each other",
    .groups = groups,
    .works_long = true,
    .run = run,
    .description = description,
    .examples = "assistify compare intent --data test.csv\n"
                "assistify compare intent intent@previous intent/4 --data t.csv --changed c.csv\n"
                "assistify compare intent --data all.csv --held-out 0.1 --json | jq .gate"};

const as_command as_command_compare_sentiment = {
    .name = "compare sentiment",
    .operands = "[[FIRST] SECOND]",
    .max_operands = 2,
    .operand = AS_OPERAND_MODEL,
    .summary = "hold two sentiment classifiers against each other",
    .groups = groups,
    .works_long = true,
    .run = run,
    .description = description,
    .examples = "assistify compare sentiment --data test.csv\n"
                "assistify compare sentiment sentiment/3 --data t.csv --report week.md"};
