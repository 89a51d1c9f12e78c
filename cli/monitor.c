/* monitor metrics: how the figures of the models went, from the table model_metrics. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/columns.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/time_option.h"
#include "lifecycle/metric_plot.h"

enum { SPARKS = 24 }; /* values of a sparkline at most, the newest */

/* ---- options ---------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const as_option rows[] = {
    {.name = "model", .type = AS_OPTION_TEXT, .argument = "MODEL", .help = "of this model only: intent, sentiment and so on"},
    {.name = "metric", .type = AS_OPTION_TEXT, .argument = "NAME",
     .help = "this metric only, as in evaluate --json (f1.macro); f1.% for all that begin so"},
    {.name = "since", .type = AS_OPTION_TEXT, .argument = "TIME", .check = as_cli_time_check,
     .help = "nothing older: " AS_TIME_HELP},
    {.name = "db", .type = AS_OPTION_FILE, .argument = "F.db", .initial_note = AS_DATABASE_NAME " below --models",
     .help = "database to read"},
    {.name = "json", .type = AS_OPTION_FLAG, .help = "every row, as a line of JSON"},
    {.name = "svg", .type = AS_OPTION_FILE, .argument = "F.svg", .help = "draw them too: a chart over time for each metric"},
};
/* clang-format on */
static const as_option_group group = AS_OPTION_GROUP("History", rows);
static const as_option_group *const groups[] = {&group, NULL};

/* ---- the table -------------------------------------------------------------------------------------------------- */

/* The figures of one metric of one model, as they come. */
typedef struct history {
  as_cli *cli;
  as_buffer out;
  char *model, *metric, *version, *timestamp; /* of the last row; NULL: none yet */
  double values[SPARKS];                      /* a ring; of versions measured together the last one's */
  int64_t count;                              /* of values */
  int64_t times;                              /* of rows */
  double least, most;
  bool any;
} history;

static void write_sparkline(as_buffer *out, const history *h) {
  static const char *const sparks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const int64_t shown = h->count < SPARKS ? h->count : SPARKS;
  double least = INFINITY, most = -INFINITY;
  for (int64_t i = 0; i < shown; i++) {
    least = fmin(least, h->values[i]);
    most = fmax(most, h->values[i]);
  }
  for (int64_t i = h->count - shown; i < h->count; i++) {
    const double share = most > least ? (h->values[i % SPARKS] - least) / (most - least) : 0.5;
    as_buffer_text(out, sparks[(int)fmin(7, share * 8)]);
  }
}

static void end_metric(history *h) {
  if (!h->model) return;
  enum { NAME = 34, LONGEST_NAME = 60, VERSION = 4 };
  char name[160], number[48];
  snprintf(name, sizeof name, "%.60s %.90s", h->model, h->metric);
  snprintf(number, sizeof number, "%.6g", h->values[(h->count - 1) % SPARKS]);
  if (as_text_columns(name) <= NAME)
    as_buffer_columns(&h->out, name, NAME);
  else
    as_buffer_columns_at_most(&h->out, name, LONGEST_NAME);
  const int blanks = VERSION - as_text_columns(h->version);
  as_buffer_printf(&h->out, " %*s", blanks > 0 ? blanks : 0, "");
  as_buffer_columns_at_most(&h->out, h->version, 2 * VERSION);
  as_buffer_printf(&h->out, " %10s %10.4g %10.4g %5lld  ", number, h->least, h->most, (long long)h->times);
  write_sparkline(&h->out, h);
  as_buffer_char(&h->out, '\n');
}

static as_status keep_text(as_context *ctx, char **kept, const char *text) {
  as_free(ctx, *kept);
  *kept = as_strdup(ctx, text);
  return *kept ? AS_OK : AS_E_NOMEM;
}

/* What a table of everything would drown in; --metric asks for it by name. */
static bool is_detail(const char *metric) {
  static const char *const parts[] = {".per_class.", "support.", "baselines.", "ci95.", "calibration.", "compare."};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    if (strstr(metric, parts[i])) return true;
  return false;
}

static as_status take_for_table(void *user, const as_metric_row *row) {
  history *h = user;
  if (!as_option_given(h->cli->arguments, "metric") && is_detail(row->metric)) return AS_OK;
  as_context *ctx = h->cli->ctx;
  as_status status = AS_OK;
  if (!h->any)
    as_buffer_printf(&h->out, "%-34s %4s %10s %10s %10s %5s\n", "metric", "of", "last", "least", "most", "times");
  h->any = true;
  if (!h->model || strcmp(h->model, row->model) != 0 || strcmp(h->metric, row->metric) != 0) {
    end_metric(h);
    status = keep_text(ctx, &h->model, row->model);
    if (status == AS_OK) status = keep_text(ctx, &h->metric, row->metric);
    h->count = h->times = 0;
    h->least = INFINITY;
    h->most = -INFINITY;
  }
  const bool together = h->times > 0 && h->timestamp && strcmp(h->timestamp, row->timestamp) == 0 &&
                        strcmp(h->version, row->version) != 0;
  if (status == AS_OK) status = keep_text(ctx, &h->version, row->version);
  if (status == AS_OK) status = keep_text(ctx, &h->timestamp, row->timestamp);
  if (!together) h->count++;
  h->values[(h->count - 1) % SPARKS] = row->value;
  h->times++;
  h->least = fmin(h->least, row->value);
  h->most = fmax(h->most, row->value);
  return status == AS_OK ? as_buffer_status(&h->out) : status;
}

typedef struct plotting {
  const as_arguments *arguments;
  as_metric_plot *plot;
} plotting;

static as_status take_for_plot(void *user, const as_metric_row *row) {
  const plotting *p = user;
  if (!as_option_given(p->arguments, "metric") && is_detail(row->metric)) return AS_OK;
  return as_metric_plot_add(p->plot, row);
}

static as_status write_svg(as_cli *cli, as_database *database, const as_metric_query *query, const char *path) {
  plotting p = {.arguments = cli->arguments};
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  as_status status = as_metric_plot_new(cli->ctx, &p.plot);
  if (status == AS_OK) status = as_metrics_read(database, query, take_for_plot, &p);
  if (status == AS_OK) status = as_metric_plot_svg(p.plot, &out);
  if (status == AS_OK) status = as_file_write(cli->ctx, path, out.data, out.length);
  as_metric_plot_free(p.plot);
  as_buffer_free(&out);
  return status;
}

static as_status take_for_json(void *user, const as_metric_row *row) {
  history *h = user;
  as_json_writer w = as_json_writer_start(&h->out, 0);
  h->any = true;
  as_json_open_object(&w, NULL);
  as_json_string(&w, "model_name", row->model);
  as_json_string(&w, "model_version", row->version);
  as_json_string(&w, "metric_name", row->metric);
  as_json_double(&w, "metric_value", row->value);
  as_json_string(&w, "timestamp", row->timestamp);
  as_json_close_object(&w);
  as_buffer_char(&h->out, '\n');
  return as_buffer_status(&h->out);
}

static int run(as_cli *cli) {
  const as_arguments *a = cli->arguments;
  const bool json = as_option_flag(a, "json");
  const char *given = as_option_text(a, "db");
  char from[AS_TIMESTAMP_TEXT];
  const as_metric_query query = {.model = as_option_text(a, "model"),
                                 .metric = as_option_text(a, "metric"),
                                 .since = as_cli_time(as_option_text(a, "since"), from)};
  history h = {.cli = cli};
  as_buffer_init(&h.out, cli->ctx);
  as_database *database = NULL;
  char *path =
      given ? as_strdup(cli->ctx, given) : as_path_join(cli->ctx, as_option_text(a, "models"), AS_DATABASE_NAME);
  as_status status = path ? as_database_open(cli->ctx, path, false, &database) : AS_E_NOMEM;
  if (status == AS_OK) status = as_metrics_read(database, &query, json ? take_for_json : take_for_table, &h);
  if (status == AS_OK && !json) end_metric(&h);
  if (status == AS_OK) status = as_buffer_status(&h.out);
  if (status == AS_OK && as_option_given(a, "svg"))
    status = write_svg(cli, database, &query, as_option_text(a, "svg"));
  if (status == AS_OK && h.out.length) as_console_buffer(cli->console, &h.out);
  if (status == AS_OK && !h.any) as_console_note(cli->console, "%s: no such figures", path);
  as_database_close(database);
  as_buffer_free(&h.out);
  as_free(cli->ctx, h.model);
  as_free(cli->ctx, h.metric);
  as_free(cli->ctx, h.version);
  as_free(cli->ctx, h.timestamp);
  as_free(cli->ctx, path);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_monitor_metrics = {
    .name = "monitor metrics",
    .summary = "show how the figures of the models went",
    .groups = groups,
    .run = run,
    .description =
        "evaluate, compare and retrain add every figure to the table model_metrics of the store's database. For each "
        "metric: the version measured last, the last value, the least, the most, how often it was measured, and a "
        "sparkline of the last 24 values, of versions that were measured together the last one's. Figures of single "
        "classes, intervals, baselines, what calibration changed and comparisons are shown when --metric names them "
        "(compare.%).\n\n"
        "--svg draws them over time, a chart for each metric, with a line for each version.",
    .examples = "assistify monitor metrics --model intent --metric accuracy --since 30d\n"
                "assistify monitor metrics --metric accuracy --svg accuracy.svg\n"
                "assistify monitor metrics --metric f1.% --json | jq .metric_value"};
