/* assistify bench kernels: how fast each kernel is on this machine, for each instruction set, and what share of the
 * machine's own limit that is. */
#include "bench/bench.h"
#include "cli/command.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "json", .type = AS_OPTION_FLAG, .help = "JSON lines: the machine's peaks, then one for each measurement"},
};
/* clang-format on */
static const as_option_group output = AS_OPTION_GROUP("Output", rows);
static const as_option_group *const groups[] = {&output, NULL};

/* Where the rows go. */
typedef struct printer {
  as_cli *cli;
  as_buffer line;
  bool json;
} printer;

static bool print_line(printer *p) {
  const bool goes_on = as_console_buffer(p->cli->console, &p->line) && as_console_flush(p->cli->console);
  as_buffer_clear(&p->line);
  return goes_on;
}

static bool print_row(void *user, const as_bench_row *row) {
  printer *p = user;
  if (p->json)
    as_bench_row_json(&p->line, row);
  else
    as_bench_row_text(&p->line, row);
  return print_line(p);
}

static bool print_peaks(printer *p, const as_kernels_f32 *table, const as_bench_peaks *peaks) {
  as_bench_peaks_write(&p->line, table, peaks, p->json);
  return print_line(p);
}

/* The table that ASSISTIFY_ISA names, or all that this processor can run, the best first; memory and OpenBLAS are
 * measured with the first one only, as they are the same for all. */
static as_status measure(printer *p, const as_kernels_f32 *best) {
  as_context *ctx = p->cli->ctx;
  bool supported, goes_on = true, first = true;
  size_t count = 0;
  while (as_kernels_at(count, NULL)) count++;
  for (size_t i = count; i-- > 0 && goes_on;) {
    const as_kernels_f32 *table = as_kernels_at(i, &supported);
    if (!supported || (as_context_isa(ctx) && table != best)) continue;
    as_bench_peaks peaks;
    as_status status = as_bench_measure_peaks(ctx, table, &peaks);
    if (status != AS_OK) return status;
    goes_on = print_peaks(p, table, &peaks);
    if (!p->json) as_bench_heading_text(&p->line);
    if (goes_on) status = as_bench_kernels(ctx, table, &peaks, first, print_row, p, &goes_on);
    if (status == AS_OK && goes_on) status = as_bench_gemm(ctx, table, &peaks, first, print_row, p, &goes_on);
    if (status != AS_OK) return status;
    first = false;
  }
  return AS_OK;
}

static int run(as_cli *cli) {
  printer p = {.cli = cli, .json = as_option_flag(cli->arguments, "json")};
  const as_kernels_f32 *best;
  as_buffer_init(&p.line, cli->ctx);
  as_status status = as_kernels_select(cli->ctx, &best);
  if (status == AS_OK) status = measure(&p, best);
  as_buffer_free(&p.line);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_bench_kernels = {
    .name = "bench kernels",
    .summary = "measure the kernels against the machine's own limits",
    .description =
        "First what the machine can do with one thread: multiply-adds, and bytes moved in the cache and in memory. "
        "Then each kernel and the matrix product in the models' shapes, beside OpenBLAS where the build has it, for "
        "each instruction set of this processor: the time of one call and its share of that limit. Times are the "
        "fastest of several; other programs that run meanwhile are best stopped all the same.",
    .examples = "assistify bench kernels\nASSISTIFY_ISA=avx2 assistify bench kernels --json",
    .groups = groups,
    .works_long = true, .run = run,
};
