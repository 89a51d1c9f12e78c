/* assistify bench train: how many rows and tokens a second training takes in, and how much memory it needs. */
#include <string.h>

#include "base/machine.h"
#include "bench/encoder.h"
#include "cli/bench_options.h"
#include "cli/command.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "workload", .type = AS_OPTION_FILE, .argument = "FILE", .required = true,
     .help = "lengths of the rows, one line a batch"},
    {.name = "limit", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e9,
     .initial_note = "all", .help = "batches to take from the file"},
    {.name = "repeats", .type = AS_OPTION_INT, .argument = "N", .initial = "3", .minimum = 1, .maximum = 1e6,
     .help = "passes through them"},
};
/* clang-format on */
static const as_option_group measuring = AS_OPTION_GROUP("Measuring", rows);
static const as_option_group *const groups[] = {&measuring, &as_options_bench_train, NULL};

static void write_json(as_buffer *out, as_cli *cli, const as_workload *w, const as_bench_training *t) {
  const double tokens_per_row = (double)w->tokens / (double)w->rows;
  as_json_writer writer = as_json_writer_start(out, 0);
  as_bench_json_open(&writer, cli, NULL, "train");
  as_bench_json_workload(&writer, w);
  as_json_int(&writer, "parameters", t->parameters);
  as_json_int(&writer, "steps", t->steps);
  as_spread_json(&writer, "rows_per_second", &t->rows_per_second, 1, false);
  as_spread_json(&writer, "tokens_per_second", &t->rows_per_second, tokens_per_row, false);
  as_spread_json(&writer, "step_ms", &t->step_seconds, 1e3, false);
  as_json_double(&writer, "loss", t->loss);
  as_json_int(&writer, "planned_bytes", (int64_t)t->planned_bytes);
  as_bench_json_close(&writer);
}

static void write_text(as_buffer *out, as_cli *cli, const as_workload *w, const as_bench_training *t) {
  const as_spread *r = &t->rows_per_second, *s = &t->step_seconds;
  const double tokens_per_row = (double)w->tokens / (double)w->rows;
  as_bench_text_workload(out, cli, w);
  as_buffer_printf(out, "%-16s %10s %10s %10s\n", "", "median", "min", "max");
  as_buffer_printf(out, "%-16s %10.2f %10.2f %10.2f\n", "rows/s", r->median, r->min, r->max);
  as_buffer_printf(out, "%-16s %10.1f %10.1f %10.1f\n", "real tokens/s", tokens_per_row * r->median,
                   tokens_per_row * r->min, tokens_per_row * r->max);
  as_buffer_printf(out, "%-16s %10.2f %10.2f %10.2f\n", "ms/step", 1e3 * s->median, 1e3 * s->min, 1e3 * s->max);
  as_buffer_printf(out, "memory: %.1f MiB at its peak, %.1f MiB planned\n",
                   (double)as_peak_resident_bytes() / 0x1p20, (double)t->planned_bytes / 0x1p20);
}

static int run(as_cli *cli) {
  const as_bench_model model = as_bench_model_option(cli);
  as_bench_training training;
  as_workload workload;
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  const bool pairs = strcmp(model.architecture, "t5") == 0;
  as_status status = (pairs ? as_workload_read_pairs : as_workload_read)(
      cli->ctx, as_option_text(cli->arguments, "workload"), as_option_int(cli->arguments, "limit"), AS_BENCH_POSITIONS,
      &workload);
  if (status == AS_OK)
    status = as_bench_train(cli->ctx, &model, &workload, as_option_int(cli->arguments, "repeats"), &training);
  if (status == AS_OK) {
    if (as_option_flag(cli->arguments, "json"))
      write_json(&out, cli, &workload, &training);
    else
      write_text(&out, cli, &workload, &training);
    status = as_buffer_status(&out);
    as_console_buffer(cli->console, &out);
  }
  as_buffer_free(&out);
  as_workload_free(&workload);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_bench_train = {
    .name = "bench train",
    .summary = "measure the speed and the memory of training",
    .description =
        "Trains a fresh model on random ids of the lengths that a workload file lists: forward, backward, "
        "clipping and AdamW, dropout on. Two steps warm up; then the batches of the file are gone through several "
        "times. Rows a second are those of a pass; tokens are real ones, as nothing is padded.\n\n"
        "A line of the file is a batch: the length that programs which pad would pad to, a tab, the rows' lengths "
        "separated by commas, a tab, the rows' numbers. For T5 it has two lengths to pad to, separated by a comma, and "
        "a list of the targets' lengths behind that of the rows'.",
    .examples = "assistify bench train --workload lengths.txt\n"
                "assistify bench train --size tiny --limit 4 --json --workload lengths.txt",
    .groups = groups,
    .works_long = true, .run = run,
};
