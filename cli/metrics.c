/* `assistify metrics`: our numbers for given answers, one JSON line per line, to be held against another library's; and
 * the scores of a classifier from a CSV file of true and predicted labels. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/lines.h"
#include "data/csv.h"
#include "eval/metrics_json.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "input", .type = AS_OPTION_FILE, .argument = "FILE", .initial = "-",
     .help = "what to measure; - is standard input"},
    {.name = "format", .type = AS_OPTION_CHOICE, .words = "jsonl|csv",
     .initial_note = "csv for a name in .csv, else jsonl",
     .help = "JSON lines, or CSV (classification only)"},
    {.name = "truth-col", .type = AS_OPTION_TEXT, .argument = "NAME", .initial = "y_true",
     .help = "CSV: the column of true labels"},
    {.name = "prediction-col", .type = AS_OPTION_TEXT, .argument = "NAME", .initial = "y_pred",
     .help = "CSV: the column of predicted labels"},
};
/* clang-format on */
static const as_option_group measuring = AS_OPTION_GROUP("Measuring", rows);
static const as_option_group *const groups[] = {&measuring, NULL};

enum { LINE_LIMIT = 256 << 20 }; /* bytes; a line may hold the probabilities of a whole test set */

/* ---- JSON lines --------------------------------------------------------------------------------------------- */

static as_status measure_lines(as_cli *cli, const as_metrics_task *task, as_lines *lines) {
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  as_status status;
  for (;;) {
    const char *line;
    size_t length;
    status = as_lines_next(lines, &line, &length);
    if (status != AS_OK || !line) break;
    as_buffer_clear(&out);
    status = as_metrics_line(cli->ctx, task, line, length, (int64_t)lines->number, &out);
    if (status != AS_OK) {
      as_fail_prefix(cli->ctx, status, "%s", lines->name);
      break;
    }
    if (!as_console_buffer(cli->console, &out)) break;
  }
  as_buffer_free(&out);
  return status;
}

static as_status measure_json(as_cli *cli, const as_metrics_task *task, const char *path) {
  as_lines lines = {0};
  as_status status = as_lines_open(cli->ctx, path, LINE_LIMIT, &lines);
  if (status == AS_OK) status = measure_lines(cli, task, &lines);
  as_lines_close(&lines);
  return status;
}

/* ---- CSV of labels ------------------------------------------------------------------------------------------ */

/* The labels of both columns, row after row: true, predicted, true, predicted ... */
typedef struct label_column {
  char *text; /* each ended by a NUL */
  size_t length, text_size;
  size_t *starts; /* [count] */
  size_t count, starts_size;
} label_column;

/* Without the blanks at both ends, which are no part of a label anywhere else either. */
static as_csv_field trim(as_csv_field field) {
  while (field.length > 0 && strchr(" \t\r\n", field.text[0])) {
    field.text++;
    field.length--;
  }
  while (field.length > 0 && strchr(" \t\r\n", field.text[field.length - 1])) field.length--;
  return field;
}

static as_status add_label(as_context *ctx, label_column *labels, const as_csv_field *field) {
  char *text = as_grow(ctx, labels->text, &labels->text_size, labels->length + field->length + 1, 1);
  if (!text) return AS_E_NOMEM;
  labels->text = text;
  size_t *starts = as_grow(ctx, labels->starts, &labels->starts_size, labels->count + 1, sizeof *starts);
  if (!starts) return AS_E_NOMEM;
  labels->starts = starts;
  labels->starts[labels->count++] = labels->length;
  memcpy(labels->text + labels->length, field->text, field->length);
  labels->text[labels->length + field->length] = '\0';
  labels->length += field->length + 1;
  return AS_OK;
}

static as_status read_labels(as_cli *cli, as_csv_reader *reader, label_column *labels) {
  size_t columns[2];
  as_status status = as_csv_column(reader, as_option_text(cli->arguments, "truth-col"), &columns[0]);
  if (status == AS_OK) status = as_csv_column(reader, as_option_text(cli->arguments, "prediction-col"), &columns[1]);
  while (status == AS_OK) {
    const as_csv_row *row;
    status = as_csv_next(reader, &row);
    if (status != AS_OK || !row) return status;
    if (row->problem != AS_PROBLEM_NONE) return as_csv_fail_row(reader, row);
    for (int i = 0; i < 2 && status == AS_OK; i++) {
      const as_csv_field field = trim(row->fields[columns[i]]);
      if (field.length == 0) {
        return as_fail(cli->ctx, AS_E_DATA, "%s: line %" PRIu64 ": the %s label is empty", as_csv_name(reader),
                       row->line, i == 0 ? "true" : "predicted");
      }
      status = add_label(cli->ctx, labels, &field);
    }
  }
  return status;
}

static int by_bytes(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The different names in the order of their bytes; NULL on failure. Caller frees the array. */
static const char **sort_names(as_context *ctx, const label_column *labels, size_t *count) {
  const char **names = as_alloc(ctx, labels->count, sizeof *names);
  *count = 0;
  if (!names) return NULL;
  for (size_t i = 0; i < labels->count; i++) names[i] = labels->text + labels->starts[i];
  qsort(names, labels->count, sizeof *names, by_bytes);
  for (size_t i = 0; i < labels->count; i++) {
    if (i == 0 || strcmp(names[i], names[*count - 1]) != 0) names[(*count)++] = names[i];
  }
  return names;
}

static void number_labels(const label_column *labels, const char *const *names, size_t name_count, int32_t *truth,
                          int32_t *predicted) {
  for (size_t i = 0; i < labels->count; i++) {
    const char *name = labels->text + labels->starts[i];
    const char *const *found = bsearch(&name, names, name_count, sizeof *names, by_bytes);
    *(i % 2 == 0 ? &truth[i / 2] : &predicted[i / 2]) = (int32_t)(found - names);
  }
}

static as_status print_scores(as_cli *cli, const as_classification *scores, const char *const *names) {
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  as_json_writer writer = as_json_writer_start(&out, 0);
  as_json_open_object(&writer, NULL);
  as_classification_json(&writer, scores);
  as_json_open_array(&writer, "labels");
  for (int64_t k = 0; k < scores->classes; k++) as_json_string(&writer, NULL, names[k]);
  as_json_close_array(&writer);
  as_json_close_object(&writer);
  as_buffer_char(&out, '\n');
  const as_status status = as_buffer_status(&out);
  if (status == AS_OK) as_console_buffer(cli->console, &out);
  as_buffer_free(&out);
  return status;
}

static as_status measure_labels(as_cli *cli, const label_column *labels) {
  as_classification scores = {0};
  size_t name_count, count = labels->count / 2;
  const char **names = sort_names(cli->ctx, labels, &name_count);
  int32_t *numbers = names ? as_alloc(cli->ctx, 2 * count, sizeof *numbers) : NULL;
  as_status status = numbers ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK) {
    number_labels(labels, names, name_count, numbers, numbers + count);
    status = as_classification_measure(cli->ctx, (int64_t)count, (int64_t)name_count, numbers, numbers + count, NULL,
                                       &scores);
  }
  if (status == AS_OK) status = print_scores(cli, &scores, names);
  as_classification_free(cli->ctx, &scores);
  as_free(cli->ctx, numbers);
  as_free(cli->ctx, names);
  return status;
}

static as_status measure_csv(as_cli *cli, const char *path) {
  as_csv_reader *reader = NULL;
  label_column labels = {0};
  as_status status = as_csv_open(cli->ctx, path, NULL, &reader);
  if (status == AS_OK) status = read_labels(cli, reader, &labels);
  if (status == AS_OK && labels.count == 0) {
    status = as_fail(cli->ctx, AS_E_DATA, "%s: there are no rows to measure", as_csv_name(reader));
  }
  if (status == AS_OK) status = measure_labels(cli, &labels);
  as_free(cli->ctx, labels.text);
  as_free(cli->ctx, labels.starts);
  as_csv_close(reader);
  return status;
}

/* ---- the command -------------------------------------------------------------------------------------------- */

static bool is_csv(const as_arguments *arguments, const char *path) {
  if (as_option_given(arguments, "format")) return as_option_is(arguments, "format", "csv");
  const size_t length = strlen(path);
  return length >= 4 && strcmp(path + length - 4, ".csv") == 0;
}

static int refuse_task(as_cli *cli, const char *name) {
  char known[200];
  size_t count, used = 0;
  const as_metrics_task *tasks = as_metrics_tasks(&count);
  for (size_t i = 0; i < count && used < sizeof known; i++) {
    used += (size_t)snprintf(known + used, sizeof known - used, "%s%s",
                             i == 0          ? ""
                             : i + 1 < count ? ", "
                                             : " and ",
                             tasks[i].name);
  }
  return as_cli_usage(cli, "no metrics are called '%s'; there are %s", name, known);
}

static int run(as_cli *cli) {
  const char *name = cli->arguments->operands[0], *path = as_option_text(cli->arguments, "input");
  const as_metrics_task *task = as_metrics_task_find(name);
  if (!task) return refuse_task(cli, name);
  const bool csv = is_csv(cli->arguments, path);
  if (csv && strcmp(name, "classification") != 0)
    return as_cli_usage(cli, "metrics %s reads JSON lines, not CSV", name);
  const as_status status = csv ? measure_csv(cli, path) : measure_json(cli, task, path);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_metrics = {
    .name = "metrics",
    .operands = "KIND",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "measure given answers, to compare with other programs",
    .description =
        "Reads JSON lines and prints one for each. KIND says what a line holds:\n\n"
        "classification: n_classes, y_true, y_pred, proba (either may be null). Or a CSV file with a column of true "
        "and one "
        "of predicted labels; then there is one answer, with \"labels\" in the order of their bytes.\n\n"
        "mcnemar: b, c, or y_true, pred_a, pred_b. bootstrap: n_classes, y_true, pred_a, pred_b and resamples (lists "
        "of row "
        "numbers), or n_resamples and seed. temperature: logits, y_true, search_interval.\n\n"
        "text: hyp, refs; BLEU, chrF, ROUGE, exact match. tokens: text; as BLEU and ROUGE cut it.\n\n"
        "ranking: ks, scores, relevant, seen and perhaps grades, each a list with an element for every user.\n\n"
        "psi: kind (counts or numeric), ref, cur. proportions: x1, n1, x2, n2.\n\n"
        "What has no value is null. Other fields of a line are ignored. A line that is wrong ends the work and is "
        "named.",
    .examples = "assistify metrics classification --input answers.csv --truth-col intent\n"
                "echo '{\"b\": 12, \"c\": 30}' | assistify metrics mcnemar\n"
                "assistify metrics text --input responses.jsonl",
    .groups = groups,
    .run = run,
};
