/* assistify bench infer: how long an answer takes, and how many rows a second are answered. */
#include <stdlib.h>

#include "base/machine.h"
#include "bench/encoder.h"
#include "cli/bench_options.h"
#include "cli/command.h"

enum { MOST_LENGTHS = 16 };

/* Numbers separated by commas, each from 1 to AS_BENCH_POSITIONS. */
static int parse_lengths(const char *text, int64_t lengths[MOST_LENGTHS]) {
  int count = 0;
  for (;;) {
    char *end;
    if (*text < '0' || *text > '9' || count == MOST_LENGTHS) return -1;
    const long value = strtol(text, &end, 10);
    if (value < 1 || value > AS_BENCH_POSITIONS) return -1;
    lengths[count++] = value;
    if (!*end) return count;
    if (*end != ',') return -1;
    text = end + 1;
  }
}

static as_status check_lengths(as_context *ctx, const char *value) {
  int64_t lengths[MOST_LENGTHS];
  if (parse_lengths(value, lengths) > 0) return AS_OK;
  return as_fail(ctx, AS_E_INVALID, "needs up to %d lengths from 1 to %d, such as 8,32,128", MOST_LENGTHS,
                 AS_BENCH_POSITIONS);
}

/* clang-format off */
static const as_option rows[] = {
    {.name = "tokens", .type = AS_OPTION_TEXT, .argument = "N,N,...", .initial = "8,32,128", .check = check_lengths,
     .help = "lengths of single rows"},
    {.name = "requests", .type = AS_OPTION_INT, .argument = "N", .initial = "200", .minimum = 0, .maximum = 1e7,
     .help = "answers for each of these lengths; 0: measure the workload only"},
    {.name = "workload", .type = AS_OPTION_FILE, .argument = "FILE",
     .help = "lengths of the rows to answer together, one line a batch"},
    {.name = "limit", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e9,
     .initial_note = "all", .help = "lines to take from the workload"},
    {.name = "repeats", .type = AS_OPTION_INT, .argument = "N", .initial = "5", .minimum = 1, .maximum = 1e6,
     .help = "passes through the workload"},
};
/* clang-format on */
static const as_option_group measuring = AS_OPTION_GROUP("Measuring", rows);
static const as_option_group *const groups[] = {&measuring, &as_options_bench, NULL};

/* Prints what was put into `out` at once, as measuring goes on for a while. */
static as_status print(as_cli *cli, as_buffer *out, bool *goes_on) {
  as_status status = as_buffer_status(out);
  *goes_on = as_console_buffer(cli->console, out) && as_console_flush(cli->console);
  as_buffer_clear(out);
  return status;
}

static as_status measure_latency(as_cli *cli, const as_encoder *encoder, int64_t tokens, as_buffer *out) {
  as_spread seconds;
  as_status status = as_bench_latency(cli->ctx, encoder, as_bench_model_option(cli).seed, tokens,
                                      as_option_int(cli->arguments, "requests"), &seconds);
  if (status != AS_OK) return status;
  if (!as_option_flag(cli->arguments, "json")) {
    as_buffer_printf(out, "one row of %3lld tokens: %8.3f ms (min %.3f, p10 %.3f, p90 %.3f, max %.3f)\n",
                     (long long)tokens, 1e3 * seconds.median, 1e3 * seconds.min, 1e3 * seconds.p10, 1e3 * seconds.p90,
                     1e3 * seconds.max);
    return AS_OK;
  }
  as_json_writer writer = as_json_writer_start(out, 0);
  as_bench_json_open(&writer, cli, NULL, "latency");
  as_json_int(&writer, "tokens", tokens);
  as_spread_json(&writer, "latency_ms", &seconds, 1e3, true);
  as_bench_json_close(&writer);
  return AS_OK;
}

static as_status measure_throughput(as_cli *cli, const as_encoder *encoder, const as_workload *w, as_buffer *out) {
  as_spread rate;
  as_status status = as_bench_throughput(cli->ctx, encoder, as_bench_model_option(cli).seed, w,
                                         as_option_int(cli->arguments, "repeats"), &rate);
  const double tokens_per_row = (double)w->tokens / (double)w->rows;
  if (status != AS_OK) return status;
  if (!as_option_flag(cli->arguments, "json")) {
    as_buffer_printf(out, "%lld rows of %lld tokens: %.1f rows/s (min %.1f, max %.1f), %.0f real tokens/s\n",
                     (long long)w->rows, (long long)w->tokens, rate.median, rate.min, rate.max,
                     tokens_per_row * rate.median);
    return AS_OK;
  }
  as_json_writer writer = as_json_writer_start(out, 0);
  as_bench_json_open(&writer, cli, NULL, "throughput");
  as_bench_json_workload(&writer, w);
  as_spread_json(&writer, "rows_per_second", &rate, 1, false);
  as_spread_json(&writer, "tokens_per_second", &rate, tokens_per_row, false);
  as_bench_json_close(&writer);
  return AS_OK;
}

static as_status measure(as_cli *cli, const as_encoder *encoder, const as_workload *workload, as_buffer *out) {
  int64_t lengths[MOST_LENGTHS];
  int count = parse_lengths(as_option_text(cli->arguments, "tokens"), lengths);
  as_status status = AS_OK;
  bool goes_on = true, text = !as_option_flag(cli->arguments, "json");
  if (as_option_int(cli->arguments, "requests") == 0) count = 0;
  if (text) as_bench_text_model(out, cli, NULL);
  for (int i = 0; i < count && goes_on && status == AS_OK; i++) {
    status = measure_latency(cli, encoder, lengths[i], out);
    if (status == AS_OK) status = print(cli, out, &goes_on);
  }
  if (workload->batches && goes_on && status == AS_OK) status = measure_throughput(cli, encoder, workload, out);
  if (text && status == AS_OK)
    as_buffer_printf(out, "memory: %.1f MiB at its peak\n", (double)as_peak_resident_bytes() / 0x1p20);
  return goes_on && status == AS_OK ? print(cli, out, &goes_on) : status;
}

static int run(as_cli *cli) {
  const char *path = as_option_text(cli->arguments, "workload");
  const as_bench_model model = as_bench_model_option(cli);
  as_encoder *encoder = NULL;
  as_workload workload = {0};
  as_buffer out;
  if (!path && as_option_int(cli->arguments, "requests") == 0)
    return as_cli_usage(cli, "--requests 0 leaves nothing to measure without --workload");
  as_buffer_init(&out, cli->ctx);
  as_status status = AS_OK;
  if (path)
    status = as_workload_read(cli->ctx, path, as_option_int(cli->arguments, "limit"), AS_BENCH_POSITIONS, &workload);
  if (status == AS_OK) status = as_bench_encoder_new(cli->ctx, &model, false, &encoder);
  if (status == AS_OK) status = as_encoder_pack(encoder);
  if (status == AS_OK) status = measure(cli, encoder, &workload, &out);
  as_buffer_free(&out);
  as_encoder_free(encoder);
  as_workload_free(&workload);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_bench_infer = {
    .name = "bench infer",
    .summary = "measure how fast a model answers",
    .description =
        "A fresh model, its matrices packed as those of a model that serves, answers random ids: one row at a "
        "time for each of the lengths of --tokens, after five answers that are not counted; and, with --workload, "
        "all rows of a file together, in batches packed by tokens, after one pass that is not counted. Times are "
        "those from ids to probabilities; tokenizing is not counted.",
    .examples = "assistify bench infer\n"
                "assistify bench infer --requests 0 --workload lengths.txt\n"
                "assistify bench infer --size tiny --tokens 8 --json",
    .groups = groups,
    .works_long = true, .run = run,
};
