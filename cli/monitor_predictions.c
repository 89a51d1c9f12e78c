/* monitor predictions: the table predictions as lines for people, as CSV or JSON lines, and what it says of the models
 * together. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/time_option.h"
#include "eval/statistics.h"
#include "lifecycle/predictions.h"

enum { SHOWN_ROWS = 20, SHOWN_ID = 10, SHOWN_TEXT = 74 };

/* clang-format off */
static const as_option rows[] = {
    {.name = "model", .type = AS_OPTION_TEXT, .argument = "MODEL",
     .help = "of this model only: intent, or a version of it: intent/3"},
    {.name = "since", .type = AS_OPTION_TEXT, .argument = "TIME", .check = as_cli_time_check,
     .help = "nothing older: " AS_TIME_HELP},
    {.name = "label", .type = AS_OPTION_TEXT, .argument = "LABEL", .help = "answers with this label only"},
    {.name = "low-confidence", .type = AS_OPTION_NUMBER, .argument = "P", .minimum = 0, .maximum = 1,
     .open_minimum = true, .help = "answers with a confidence below this only"},
    {.name = "limit", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e9,
     .initial_note = "20 on the screen, else all", .help = "the newest rows only"},
    {.name = "text", .type = AS_OPTION_FLAG, .help = "show what is kept of each text, too"},
    {.name = "format", .type = AS_OPTION_CHOICE, .words = "table|csv|jsonl",
     .initial_note = "by the name of --export, else table", .help = "what is printed or written"},
    {.name = "export", .type = AS_OPTION_FILE, .argument = "F.csv|F.jsonl",
     .help = "write all columns of the rows into a file"},
    {.name = "json", .type = AS_OPTION_FLAG, .excludes = "format export text limit",
     .help = "the measured accuracy of each version as JSON, no rows"},
    {.name = "prune", .type = AS_OPTION_INT, .argument = "DAYS", .minimum = 1, .maximum = 36500,
     .excludes = "model since label low-confidence limit text format export json",
     .help = "delete all rows that are older"},
    {.name = "db", .type = AS_OPTION_FILE, .argument = "F.db", .initial_note = AS_DATABASE_NAME " below --models",
     .help = "database to read"},
};
/* clang-format on */
static const as_option_group group = AS_OPTION_GROUP("Predictions", rows);
static const as_option_group *const groups[] = {&group, NULL};

typedef enum format { TABLE, CSV, JSONL } format;

/* What is under way: rows go to `stream` or to standard output. */
typedef struct showing {
  as_cli *cli;
  format format;
  FILE *stream; /* NULL: standard output */
  bool text, closed;
  int64_t rows;
  as_buffer out;
} showing;

static bool ends_with(const char *text, const char *end) {
  const size_t length = strlen(text), wanted = strlen(end);
  return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

/* False when neither --format nor the file's name says one. */
static bool choose_format(const as_arguments *a, format *out) {
  const char *path = as_option_text(a, "export");
  *out = TABLE;
  if (as_option_is(a, "format", "csv") || (!as_option_text(a, "format") && path && ends_with(path, ".csv")))
    *out = CSV;
  else if (as_option_is(a, "format", "jsonl") || (!as_option_text(a, "format") && path && ends_with(path, ".jsonl")))
    *out = JSONL;
  return !path || *out != TABLE;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

/* At most `most` characters of a text on one line, padded to that if `pad`; nothing in it can steer a terminal. */
static void put_text(as_buffer *out, const as_prediction_text *t, int most, bool pad) {
  int shown = 0;
  for (size_t at = 0; t->text && at < t->length && shown < most; shown++) {
    uint32_t c;
    char bytes[4];
    const int used = as_utf8_decode(t->text + at, t->length - at, &c);
    at += (size_t)(used < 0 ? -used : used);
    if (shown + 1 == most && at < t->length) c = 0x2026; /* an ellipsis */
    if (c < 0x20 || (c >= 0x7f && c < 0xa0)) c = ' ';
    as_buffer_append(out, bytes, (size_t)as_utf8_encode(c, bytes));
  }
  for (; pad && shown < most; shown++) as_buffer_char(out, ' ');
}

static void append_line(showing *s, const as_prediction_row *row) {
  char model[200];
  snprintf(model, sizeof model, "%.60s/%.120s", row->model, row->version);
  if (!s->rows)
    as_buffer_printf(&s->out, "%-16s %-10s %-14s %-16s %5s  %s\n", "time (UTC)", "request", "model", "label", "conf.",
                     "truth");
  as_buffer_printf(&s->out, "%.16s %-*.*s ", row->timestamp, SHOWN_ID, SHOWN_ID, row->request_id);
  put_text(&s->out, &(as_prediction_text){model, strlen(model)}, 14, true);
  as_buffer_char(&s->out, ' ');
  put_text(&s->out, &row->label, 16, true);
  if (isnan(row->confidence))
    as_buffer_printf(&s->out, " %5s", "");
  else
    as_buffer_printf(&s->out, " %5.3f", row->confidence);
  if (row->feedback.text) as_buffer_text(&s->out, "  ");
  put_text(&s->out, &row->feedback, 14, false);
  as_buffer_char(&s->out, '\n');
  if (!s->text || !row->input.text) return;
  as_buffer_text(&s->out, "    ");
  put_text(&s->out, &row->input, SHOWN_TEXT, false);
  as_buffer_char(&s->out, '\n');
}

/* Hands over what was gathered. A stream's errors are seen when the file is committed. */
static as_status hand_over(showing *s) {
  as_status status = as_buffer_status(&s->out);
  if (status == AS_OK && s->stream)
    fwrite(s->out.data, 1, s->out.length, s->stream);
  else if (status == AS_OK && !s->closed)
    s->closed = !as_console_buffer(s->cli->console, &s->out);
  as_buffer_clear(&s->out);
  return status;
}

static as_status take(void *user, const as_prediction_row *row) {
  showing *s = user;
  as_status status = AS_OK;
  if (s->format == TABLE)
    append_line(s, row);
  else if (s->format == CSV)
    as_prediction_append_csv(&s->out, row);
  else
    status = as_prediction_append_json(s->cli->ctx, &s->out, row);
  s->rows++;
  if (status == AS_OK) status = hand_over(s);
  return status == AS_OK && s->closed ? AS_E_INTERRUPTED : status;
}

/* ---- what the rows say together ------------------------------------------------------------------------------ */

static as_status take_summary(void *user, const as_prediction_summary *m) {
  showing *s = user;
  as_buffer *out = &s->out;
  as_buffer_printf(out, "%s%.60s/%.120s: %" PRId64 " rows", s->rows++ ? "" : "\n", m->model, m->version, m->rows);
  if (!isnan(m->confidence)) as_buffer_printf(out, ", confidence %.3f", m->confidence);
  if (!isnan(m->latency_us)) as_buffer_printf(out, ", %.3g ms", m->latency_us / 1000);
  as_buffer_text(out, " on average\n");
  if (m->feedback) {
    const as_interval interval = as_wilson95(m->right, m->feedback);
    as_buffer_printf(out, "  right in %" PRId64 " of %" PRId64 " with feedback: %.2f %% (95 %%: %.2f to %.2f %%)\n",
                     m->right, m->feedback, 100.0 * (double)m->right / (double)m->feedback, 100 * interval.low,
                     100 * interval.high);
  }
  return hand_over(s);
}

static as_status take_summary_json(void *user, const as_prediction_summary *m) {
  showing *s = user;
  as_json_writer w = as_json_writer_start(&s->out, 0);
  s->rows++;
  as_json_open_object(&w, NULL);
  as_json_string(&w, "model", m->model);
  as_json_string(&w, "version", m->version);
  as_json_int(&w, "rows", m->rows);
  as_json_double(&w, "confidence", m->confidence);
  as_json_double(&w, "latency_us", m->latency_us);
  as_json_int(&w, "feedback", m->feedback);
  as_json_int(&w, "right", m->right);
  if (m->feedback) {
    const as_interval interval = as_wilson95(m->right, m->feedback);
    as_json_double(&w, "accuracy", (double)m->right / (double)m->feedback);
    as_json_open_array(&w, "ci95");
    as_json_double(&w, NULL, interval.low);
    as_json_double(&w, NULL, interval.high);
    as_json_close_array(&w);
  } else {
    as_json_null(&w, "accuracy");
    as_json_null(&w, "ci95");
  }
  as_json_close_object(&w);
  as_buffer_char(&s->out, '\n');
  return hand_over(s);
}

/* ---- the command -------------------------------------------------------------------------------------------- */

static as_status write_rows(showing *s, as_database *database, const as_prediction_query *query) {
  as_status status = AS_OK;
  if (s->format == CSV) {
    as_prediction_append_csv(&s->out, NULL);
    status = hand_over(s);
  }
  if (status == AS_OK) status = as_predictions_read(database, query, take, s);
  return status == AS_E_INTERRUPTED && s->closed ? AS_OK : status;
}

static as_status export(showing *s, as_database *database, const as_prediction_query *query, const char *path) {
  as_file_writer writer;
  as_status status = as_file_begin(s->cli->ctx, &writer, path);
  if (status != AS_OK) return status;
  s->stream = writer.stream;
  status = write_rows(s, database, query);
  if (status == AS_OK) status = as_file_commit(s->cli->ctx, &writer);
  as_file_abandon(s->cli->ctx, &writer);
  if (status == AS_OK) as_console_note(s->cli->console, "%" PRId64 " rows are in %s", s->rows, path);
  return status;
}

static as_status prune(showing *s, as_database *database, int64_t days) {
  char before[AS_TIMESTAMP_TEXT];
  int64_t removed, now = (int64_t)time(NULL);
  as_timestamp_write((uint32_t)(now > days * AS_DAY_SECONDS ? now - days * AS_DAY_SECONDS : 0), before);
  as_status status = as_predictions_prune(database, before, &removed);
  if (status == AS_OK) as_console_note(s->cli->console, "%" PRId64 " rows from before %s are deleted", removed, before);
  return status;
}

static as_status show(showing *s, as_database *database, const as_prediction_query *query) {
  as_status status = write_rows(s, database, query);
  if (status != AS_OK || s->format != TABLE || !s->rows || s->closed) return status;
  s->rows = 0;
  return as_predictions_summarize(database, query, take_summary, s);
}

/* "intent/3" is a model and its version; so is "intent/some/folder". */
static as_status read_query(as_cli *cli, bool screen, as_prediction_query *q, char **model) {
  const as_arguments *a = cli->arguments;
  const char *given = as_option_text(a, "model");
  *model = NULL;
  *q = (as_prediction_query){.label = as_option_text(a, "label"),
                             .below = as_option_number(a, "low-confidence"),
                             .newest = as_option_text(a, "limit") ? as_option_int(a, "limit")
                                       : screen                   ? SHOWN_ROWS
                                                                  : 0};
  if (!given) return AS_OK;
  *model = as_strdup(cli->ctx, given);
  if (!*model) return AS_E_NOMEM;
  char *slash = strchr(*model, '/');
  if (slash) *slash = 0;
  q->model = *model;
  q->version = slash ? slash + 1 : NULL;
  return AS_OK;
}

static as_status work(showing *s, as_database *database) {
  const as_arguments *a = s->cli->arguments;
  const char *path = as_option_text(a, "export");
  as_prediction_query query;
  char since[AS_TIMESTAMP_TEXT], *model;
  if (as_option_text(a, "prune")) return prune(s, database, as_option_int(a, "prune"));
  as_status status = read_query(s->cli, s->format == TABLE, &query, &model);
  query.since = as_cli_time(as_option_text(a, "since"), since);
  if (status == AS_OK)
    status = as_option_flag(a, "json") ? as_predictions_summarize(database, &query, take_summary_json, s)
             : path                    ? export(s, database, &query, path)
                                       : show(s, database, &query);
  if (status == AS_OK && !s->rows && !path) as_console_note(s->cli->console, "there are no such predictions");
  as_free(s->cli->ctx, model);
  return status;
}

static int run(as_cli *cli) {
  const as_arguments *a = cli->arguments;
  const char *given = as_option_text(a, "db");
  showing s = {.cli = cli, .text = as_option_flag(a, "text")};
  as_database *database = NULL;
  if (!choose_format(a, &s.format))
    return as_cli_usage(cli, "--export writes CSV or JSON lines: give a name in .csv or .jsonl, or --format");
  as_buffer_init(&s.out, cli->ctx);
  char *path =
      given ? as_strdup(cli->ctx, given) : as_path_join(cli->ctx, as_option_text(a, "models"), AS_DATABASE_NAME);
  as_status status = path ? as_database_open(cli->ctx, path, false, &database) : AS_E_NOMEM;
  if (status == AS_OK) status = work(&s, database);
  as_database_close(database);
  as_buffer_free(&s.out);
  as_free(cli->ctx, path);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_monitor_predictions = {
    .name = "monitor predictions",
    .summary = "show the answers that were logged, and how often they were right",
    .groups = groups,
    .run = run,
    .description =
        "The rows that predict, respond, recommend and analyze wrote with --log: time, the beginning of the request "
        "id, "
        "model and version, label, confidence, and the truth where `monitor feedback` recorded it. Below them, of each "
        "version: rows, mean confidence and latency, and the share of right answers among those with feedback, with "
        "Wilson's 95 % interval. --export writes all columns.",
    .examples = "assistify monitor predictions --since 7d --low-confidence 0.5 --text\n"
                "assistify monitor predictions --export predictions.csv\n"
                "assistify monitor predictions --format jsonl | jq -r .label | sort | uniq -c\n"
                "assistify monitor predictions --prune 30"};
