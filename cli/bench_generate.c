/* assistify bench generate: how many tokens a second T5 generates, how long the first one takes, and the memory. */
#include "base/machine.h"
#include "bench/t5.h"
#include "cli/bench_options.h"
#include "cli/command.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "model", .type = AS_OPTION_FOLDER, .argument = "DIR", .initial_note = "a fresh one of --size",
     .help = "folder of a T5"},
    {.name = "prompt", .type = AS_OPTION_INT, .argument = "N", .initial = "32", .minimum = 1, .maximum = 100000,
     .help = "tokens of each source"},
    {.name = "new", .type = AS_OPTION_INT, .argument = "N", .initial = "64", .minimum = 1, .maximum = 100000,
     .help = "tokens to generate for each, no more and no fewer"},
    {.name = "beams", .type = AS_OPTION_INT, .argument = "N", .initial = "1", .minimum = 1, .maximum = 1000,
     .help = "1: greedy search"},
    {.name = "batch", .type = AS_OPTION_INT, .argument = "N", .initial = "1", .minimum = 1, .maximum = 10000,
     .help = "sources to answer together"},
    {.name = "repeats", .type = AS_OPTION_INT, .argument = "N", .initial = "5", .minimum = 1, .maximum = 1e6,
     .help = "answers to take the time of"},
};
/* clang-format on */
static const as_option_group measuring = AS_OPTION_GROUP("Measuring", rows);
static const as_option_group *const groups[] = {&measuring, &as_options_bench_t5, NULL};

/* The spread of a rate, from that of the seconds in which `tokens` were made. */
static as_spread rate_of(const as_spread *seconds, double tokens) {
  return (as_spread){.median = tokens / seconds->median,
                     .min = tokens / seconds->max,
                     .max = tokens / seconds->min,
                     .p10 = tokens / seconds->p90,
                     .p90 = tokens / seconds->p10,
                     .count = seconds->count};
}

static void write_json(as_buffer *out, as_cli *cli, const as_bench_generation *g, size_t loaded_bytes) {
  const as_spread rate = rate_of(&g->seconds, (double)(g->batch * g->new_tokens));
  as_json_writer writer = as_json_writer_start(out, 0);
  as_bench_json_open(&writer, cli, as_option_text(cli->arguments, "model"), "generate");
  as_json_int(&writer, "batch", g->batch);
  as_json_int(&writer, "beams", g->beams);
  as_json_int(&writer, "prompt_tokens", g->prompt_tokens);
  as_json_int(&writer, "new_tokens", g->new_tokens);
  as_spread_json(&writer, "tokens_per_second", &rate, 1, false);
  as_spread_json(&writer, "latency_ms", &g->seconds, 1e3, true);
  as_spread_json(&writer, "first_token_ms", &g->first_token_seconds, 1e3, true);
  as_json_int(&writer, "loaded_resident_bytes", (int64_t)loaded_bytes);
  as_bench_json_close(&writer);
}

static void write_text(as_buffer *out, as_cli *cli, const as_bench_generation *g, size_t loaded_bytes) {
  const as_spread rate = rate_of(&g->seconds, (double)(g->batch * g->new_tokens)), *s = &g->seconds;
  const as_spread *f = &g->first_token_seconds;
  as_bench_text_model(out, cli, as_option_text(cli->arguments, "model"));
  as_buffer_printf(out, "batch %lld, %lld beam%s, %lld tokens in, %lld out\n", (long long)g->batch, (long long)g->beams,
                   g->beams == 1 ? "" : "s", (long long)g->prompt_tokens, (long long)g->new_tokens);
  as_buffer_printf(out, "%-16s %10s %10s %10s\n", "", "median", "min", "max");
  as_buffer_printf(out, "%-16s %10.1f %10.1f %10.1f\n", "tokens/s", rate.median, rate.min, rate.max);
  as_buffer_printf(out, "%-16s %10.2f %10.2f %10.2f\n", "ms", 1e3 * s->median, 1e3 * s->min, 1e3 * s->max);
  as_buffer_printf(out, "%-16s %10.2f %10.2f %10.2f\n", "ms to the first", 1e3 * f->median, 1e3 * f->min,
                   1e3 * f->max);
  as_buffer_printf(out, "memory: %.1f MiB at its peak, %.1f MiB with the model alone\n",
                   (double)as_peak_resident_bytes() / 0x1p20, (double)loaded_bytes / 0x1p20);
}

static int run(as_cli *cli) {
  as_bench_model model = as_bench_model_option(cli);
  model.folder = as_option_text(cli->arguments, "model");
  as_bench_generation g = {.batch = as_option_int(cli->arguments, "batch"),
                           .prompt_tokens = as_option_int(cli->arguments, "prompt"),
                           .new_tokens = as_option_int(cli->arguments, "new"),
                           .beams = as_option_int(cli->arguments, "beams")};
  as_t5 *t5 = NULL;
  size_t loaded_bytes = 0;
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  as_status status = as_bench_t5_new(cli->ctx, &model, false, &t5);
  if (status == AS_OK) {
    loaded_bytes = as_peak_resident_bytes();
    status = as_bench_generate(cli->ctx, t5, model.seed, as_option_int(cli->arguments, "repeats"), &g);
  }
  if (status == AS_OK) {
    if (as_option_flag(cli->arguments, "json"))
      write_json(&out, cli, &g, loaded_bytes);
    else
      write_text(&out, cli, &g, loaded_bytes);
    status = as_buffer_status(&out);
    as_console_buffer(cli->console, &out);
  }
  as_buffer_free(&out);
  as_t5_free(t5);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_bench_generate = {
    .name = "bench generate",
    .summary = "measure how fast T5 generates",
    .description =
        "A T5, its weights packed as those of a model that answers, generates exactly as many tokens as it is "
        "told for random sources, after one answer that is not counted. Tokens a second are the new ones of all "
        "sources of the batch, those of beams that lost not counted; the time to the first token has the encoder in "
        "it. Tokenizing is not counted.",
    .examples = "assistify bench generate --size base\n"
                "assistify bench generate --beams 4 --json\n"
                "assistify bench generate --batch 8 --prompt 32 --new 64",
    .groups = groups,
    .works_long = true,
    .run = run,
};
