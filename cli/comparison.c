/* See comparison.h. */
#include "cli/comparison.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/model_store.h"
#include "cli/record.h"
#include "eval/statistics.h"
#include "lifecycle/manifest.h"
#include "models/checkpoint.h"

/* clang-format off */
static const as_option gate_rows[] = {
    {.name = "max-loss", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 100, .words = "none",
     .initial_note = "0.01; of BLEU 1", .help = "what the main figure may lose; none: anything"},
    {.name = "min-gain", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = -100, .maximum = 100,
     .help = "the lower end of the difference's 95 % interval must reach it"},
    {.name = "min-score", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 100,
     .help = "the main figure of the second must reach it"},
    {.name = "max-drop", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 100,
     .help = "the second may be so far below what the first had when it was measured last"},
    {.name = "max-slowdown", .type = AS_OPTION_NUMBER, .argument = "X", .minimum = 0, .maximum = 1e6, .open_minimum = true,
     .help = "an answer may take at most X times as long"},
    {.name = "min-rows", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e9, .initial = "50",
     .help = "on fewer the gate is not passed, whatever they say"},
};
static const as_option comparison_rows[] = {
    {.name = "json", .type = AS_OPTION_FLAG, .help = "everything as one JSON object"},
    {.name = "report", .type = AS_OPTION_FILE, .argument = "F.md", .help = "write a report in Markdown"},
    {.name = "latency", .type = AS_OPTION_INT, .argument = "N", .minimum = 0, .maximum = 1e6,
     .initial_note = "50, of replies 5; with --json 0", .help = "time answers to so many rows, one at a time, both in turns"},
    {.name = "resamples", .type = AS_OPTION_INT, .argument = "N", .minimum = 100, .maximum = 1e6, .initial = "1000",
     .help = "of the paired bootstrap"},
};
/* clang-format on */
const as_option_group as_options_gate = AS_OPTION_GROUP("Gate", gate_rows);
const as_option_group as_options_comparison = AS_OPTION_GROUP("Comparison", comparison_rows);

/* ---- the two models --------------------------------------------------------------------------------------------- */

static as_status name_model(as_cli *cli, const char *task, as_compared_model *model) {
  as_cli_identity identity;
  as_buffer name;
  as_buffer_init(&name, cli->ctx);
  as_status status = as_cli_identify(cli, task, model->folder, &identity);
  if (status == AS_OK && identity.root)
    as_buffer_printf(&name, "%s/%s", identity.model, identity.version);
  else if (status == AS_OK)
    as_buffer_text(&name, model->folder);
  model->name = status == AS_OK ? as_buffer_take(&name) : NULL;
  as_cli_identity_free(cli, &identity);
  return status == AS_OK && !model->name ? AS_E_NOMEM : status;
}

static as_status count_parameters(as_cli *cli, as_compared_model *model) {
  as_checkpoint *checkpoint;
  as_status status = as_checkpoint_open(cli->ctx, model->folder, &checkpoint);
  for (size_t i = 0; status == AS_OK && i < as_checkpoint_count(checkpoint); i++)
    model->parameters += as_checkpoint_tensor(checkpoint, i)->elements;
  as_checkpoint_close(checkpoint);
  return status;
}

static bool is_same(const char *a, const char *b) {
  struct stat first, second;
  return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

static double limit_of(const as_cli *cli, const char *option, double otherwise) {
  if (as_option_is(cli->arguments, option, "none")) return NAN;
  return as_option_text(cli->arguments, option) ? as_option_number(cli->arguments, option) : otherwise;
}

as_status as_cli_comparison_begin(as_cli *cli, const char *task, const char *folder, double usual_loss,
                                  as_cli_comparison *out) {
  const as_arguments *a = cli->arguments;
  const char *names[2] = {a->operand_count == 2 ? a->operands[0] : NULL,
                          a->operand_count > 0 ? a->operands[a->operand_count - 1] : NULL};
  *out = (as_cli_comparison){.cli = cli, .task = task, .limits = as_gate_no_limits()};
  out->limits.max_loss = limit_of(cli, "max-loss", usual_loss);
  out->limits.min_gain = limit_of(cli, "min-gain", NAN);
  out->limits.min_score = limit_of(cli, "min-score", NAN);
  out->limits.max_drop = limit_of(cli, "max-drop", NAN);
  out->limits.max_slowdown = limit_of(cli, "max-slowdown", NAN);
  out->limits.min_rows = as_option_int(a, "min-rows");
  as_status status = AS_OK;
  if (!isnan(out->limits.max_slowdown) && as_option_text(a, "latency") && as_option_int(a, "latency") == 0)
    status = as_fail(cli->ctx, AS_E_INVALID, "--max-slowdown needs times; --latency 0 measures none");
  for (int i = 0; status == AS_OK && i < 2; i++) {
    as_compared_model *model = &out->models[i];
    status = as_cli_model_named(cli, names[i], i == 0 ? AS_CHAMPION : AS_CHALLENGER, task, folder, &model->folder);
    if (status == AS_OK) status = count_parameters(cli, model);
    if (status == AS_OK) status = as_manifest_bytes(cli->ctx, model->folder, &model->bytes);
    if (status == AS_OK) status = name_model(cli, task, model);
  }
  if (status == AS_OK) out->same = is_same(out->models[0].folder, out->models[1].folder);
  return status;
}

void as_cli_comparison_end(as_cli_comparison *c) {
  for (int i = 0; i < 2; i++) {
    as_free(c->cli->ctx, c->models[i].folder);
    as_free(c->cli->ctx, c->models[i].name);
  }
}

/* ---- times ------------------------------------------------------------------------------------------------------ */

as_status as_cli_comparison_time(as_cli_comparison *c, int64_t rows, int64_t most,
                                 as_status (*ask)(void *user, int model, int64_t row), void *user) {
  const as_arguments *a = c->cli->arguments;
  const bool wanted = !as_option_flag(a, "json") || as_option_given(a, "max-slowdown");
  if (as_option_text(a, "latency"))
    most = as_option_int(a, "latency");
  else if (!wanted)
    most = 0;
  const int64_t count = rows < most ? rows : most;
  double *times[2] = {as_alloc(c->cli->ctx, (size_t)count, sizeof(double)),
                      as_alloc(c->cli->ctx, (size_t)count, sizeof(double))};
  as_status status = times[0] && times[1] ? AS_OK : AS_E_NOMEM;
  for (int64_t i = 0; status == AS_OK && i < count; i++) {
    for (int turn = 0; status == AS_OK && turn < 2; turn++) {
      const int model = (int)(i % 2) ^ turn; /* each goes first half of the time */
      const double begin = as_seconds();
      status = ask(user, model, i * rows / count);
      times[model][i] = 1e3 * (as_seconds() - begin);
    }
  }
  for (int model = 0; status == AS_OK && count > 0 && model < 2; model++) {
    as_sort_doubles(times[model], count);
    c->times.count = count;
    c->times.median[model] = as_percentile(times[model], count, 0.5);
    c->times.p95[model] = as_percentile(times[model], count, 0.95);
  }
  for (int model = 0; model < 2; model++) as_free(c->cli->ctx, times[model]);
  return status;
}

/* ---- the gate --------------------------------------------------------------------------------------------------- */

as_status as_cli_comparison_judge(as_cli_comparison *c, as_gate_figures *figures) {
  figures->before = NAN;
  figures->slowdown = c->times.count ? c->times.median[1] / c->times.median[0] : NAN;
  as_status status = AS_OK;
  if (!isnan(c->limits.max_drop))
    status = as_cli_recorded(c->cli, c->task, c->models[0].folder, c->main_key, &figures->before);
  if (status == AS_OK) as_gate_judge(&c->limits, figures, &c->gate);
  return status;
}

int as_cli_comparison_exit(as_cli_comparison *c, as_status status) {
  if (status != AS_OK) return as_cli_failed(c->cli, status);
  return c->gate.passed ? AS_EXIT_DONE : AS_EXIT_GATE;
}

/* ---- what comes out --------------------------------------------------------------------------------------------- */

static void write_model(as_json_writer *w, const char *key, const as_compared_model *model) {
  as_json_open_object(w, key);
  as_json_string(w, "name", model->name);
  as_json_int(w, "parameters", model->parameters);
  as_json_int(w, "bytes", (int64_t)model->bytes);
  as_json_close_object(w);
}

static void write_times(as_json_writer *w, const as_compared_times *t) {
  static const char *const names[2] = {"first", "second"};
  if (t->count == 0) return;
  as_json_open_object(w, "latency_ms");
  as_json_int(w, "rows", t->count);
  for (int model = 0; model < 2; model++) {
    as_json_open_object(w, names[model]);
    as_json_double(w, "median", t->median[model]);
    as_json_double(w, "p95", t->p95[model]);
    as_json_close_object(w);
  }
  as_json_close_object(w);
}

static as_status write_json(const as_cli_comparison *c, const as_comparison_output *o, as_buffer *out) {
  as_json_writer w = as_json_writer_start(out, 2);
  as_json_open_object(&w, NULL);
  as_json_string(&w, "task", c->task);
  as_json_string(&w, "data", o->data);
  write_model(&w, "first", &c->models[0]);
  write_model(&w, "second", &c->models[1]);
  as_json_bool(&w, "same", c->same);
  o->json(o->user, &w);
  as_gate_json(&w, &c->gate);
  write_times(&w, &c->times);
  as_json_close_object(&w);
  as_buffer_char(out, '\n');
  return as_buffer_status(out);
}

static void put_models(const as_cli_comparison *c, as_report *r) {
  static const as_report_column columns[] = {{"", 6}, {"model", 28}, {"parameters", -12}, {"bytes", -13}};
  static const as_report_column timed[] = {{"", 6},        {"model", 28},      {"parameters", -12},
                                           {"bytes", -13}, {"median ms", -10}, {"p95", -8}};
  static const char *const names[2] = {"first", "second"};
  if (c->times.count)
    as_report_table(r, timed, sizeof timed / sizeof timed[0]);
  else
    as_report_table(r, columns, sizeof columns / sizeof columns[0]);
  for (int i = 0; i < 2; i++) {
    as_report_cell(r, "%s", names[i]);
    as_report_cell(r, "%s", c->models[i].name);
    as_report_cell(r, "%" PRId64, c->models[i].parameters);
    as_report_cell(r, "%" PRIu64, c->models[i].bytes);
    if (c->times.count) as_report_number(r, c->times.median[i], 2, false);
    if (c->times.count) as_report_number(r, c->times.p95[i], 2, false);
  }
}

/* The command as it would be typed, with what the configuration file said. */
static void put_command(const as_cli_comparison *c, as_report *r) {
  const as_arguments *a = c->cli->arguments;
  as_buffer text;
  as_buffer_init(&text, c->cli->ctx);
  as_buffer_printf(&text, "assistify %s", a->command->name);
  for (size_t i = 0; i < a->operand_count; i++) {
    as_buffer_char(&text, ' ');
    as_shell_word(&text, a->operands[i]);
  }
  for (size_t i = 0; i < a->value_count; i++) {
    const as_value *value = &a->values[i];
    if (value->source <= AS_FROM_INITIAL) continue;
    as_buffer_printf(&text, value->option->type == AS_OPTION_FLAG && !value->integer ? " --%s=no" : " --%s",
                     value->option->name);
    if (value->option->type == AS_OPTION_FLAG) continue;
    as_buffer_char(&text, ' ');
    as_shell_word(&text, value->text);
  }
  as_report_code(r, as_buffer_string(&text));
  r->out->failed = r->out->failed || text.failed;
  as_buffer_free(&text);
}

static as_status write_report(const as_cli_comparison *c, const as_comparison_output *o, bool markdown,
                              as_buffer *out) {
  as_report r = as_report_start(out, markdown);
  if (markdown) as_report_title(&r, "Comparison of two versions");
  as_report_paragraph(&r, "%s: %s (first) and %s (second) on %s", c->task, c->models[0].name, c->models[1].name,
                      o->data);
  if (c->same) as_report_paragraph(&r, "Both are the same model, so nothing can differ.");
  as_status status = o->report(o->user, &r);
  put_models(c, &r);
  if (c->times.count)
    as_report_paragraph(&r, "Times are of one answer, over %" PRId64 " rows, both models in turns.", c->times.count);
  as_gate_report(&r, &c->gate);
  if (markdown) as_report_section(&r, "Command");
  if (markdown) put_command(c, &r);
  return status == AS_OK ? as_buffer_status(out) : status;
}

/* ---- the record ------------------------------------------------------------------------------------------------- */

static as_status record_model(const as_cli_comparison *c, const as_comparison_output *o, int model) {
  as_buffer json;
  as_buffer_init(&json, c->cli->ctx);
  as_json_writer w = as_json_writer_start(&json, 0);
  as_json_open_object(&w, NULL);
  o->evaluation(o->user, model, &w);
  as_json_close_object(&w);
  as_status status = as_buffer_status(&json);
  if (status == AS_OK) status = as_cli_record(c->cli, c->task, c->models[model].folder, &json);
  as_buffer_free(&json);
  return status;
}

/* compare.FIGURE.difference, .low, .high and .p of the second, and compare.passed. */
static as_status record_comparison(const as_cli_comparison *c, const as_comparison_output *o) {
  as_buffer json;
  as_buffer_init(&json, c->cli->ctx);
  as_json_writer w = as_json_writer_start(&json, 0);
  as_json_open_object(&w, NULL);
  as_json_open_object(&w, "compare");
  for (size_t i = 0; i < o->figure_count; i++) {
    const as_bootstrap_delta *delta = &o->figures[i].score.delta;
    as_json_open_object(&w, o->figures[i].key);
    as_json_double(&w, "difference", delta->observed);
    as_json_double(&w, "low", delta->ci95.low);
    as_json_double(&w, "high", delta->ci95.high);
    as_json_double(&w, "p", delta->p_two_sided);
    as_json_close_object(&w);
  }
  as_json_int(&w, "passed", c->gate.passed);
  as_json_close_object(&w);
  as_json_close_object(&w);
  as_status status = as_buffer_status(&json);
  if (status == AS_OK) status = as_cli_record(c->cli, c->task, c->models[1].folder, &json);
  as_buffer_free(&json);
  return status;
}

as_status as_cli_comparison_print(as_cli_comparison *c, const as_comparison_output *o) {
  const as_arguments *a = c->cli->arguments;
  const char *path = as_option_text(a, "report");
  as_buffer out;
  as_buffer_init(&out, c->cli->ctx);
  as_status status = as_option_flag(a, "json") ? write_json(c, o, &out) : write_report(c, o, false, &out);
  if (status == AS_OK) as_console_buffer(c->cli->console, &out);
  as_buffer_clear(&out);
  if (status == AS_OK && path) {
    status = write_report(c, o, true, &out);
    if (status == AS_OK) status = as_file_write(c->cli->ctx, path, out.data, out.length);
  }
  as_buffer_free(&out);
  if (status == AS_OK && o->evaluation) status = record_model(c, o, 0);
  if (status != AS_OK || c->same) return status;
  if (o->evaluation) status = record_model(c, o, 1);
  return status == AS_OK ? record_comparison(c, o) : status;
}
