/* Options and output that the benchmarks of models share. See bench_options.h. */
#include "cli/bench_options.h"

#include "base/machine.h"
#include "tensor/kernels/kernels.h"

/* clang-format off */
#define ARCH(first, architectures)                                                                                     \
  {.name = "arch", .type = AS_OPTION_CHOICE, .words = architectures, .initial = first,                                 \
   .help = "architecture of the model"}
#define SIZE(first, sizes)                                                                                             \
  {.name = "size", .type = AS_OPTION_CHOICE, .words = "tiny|mini|small|base", .initial = first, .help = sizes}
#define SEED                                                                                                           \
  {.name = "seed", .type = AS_OPTION_INT, .argument = "N", .initial = "1", .minimum = 0, .maximum = 2147483647,        \
   .help = "of weights, ids and dropout"}
#define JSON {.name = "json", .type = AS_OPTION_FLAG, .help = "one line of JSON for each measurement"}
#define ENCODER_SIZES "2 layers of 128, 4 of 256, 4 of 512, or 6 (RoBERTa: 12) of 768"
#define T5_SIZES "twice 2 layers of 128, 4 of 256, 6 of 512, or 12 of 768"
static const as_option encoders[] = {ARCH("distilbert", "distilbert|roberta"), SIZE("base", ENCODER_SIZES), SEED, JSON};
static const as_option trained[] = {ARCH("distilbert", "distilbert|roberta|t5"),
                                    SIZE("base", ENCODER_SIZES "; T5: " T5_SIZES), SEED, JSON};
static const as_option t5[] = {ARCH("t5", "t5"), SIZE("small", T5_SIZES), SEED, JSON};
/* clang-format on */
const as_option_group as_options_bench = AS_OPTION_GROUP("Model and output", encoders);
const as_option_group as_options_bench_train = AS_OPTION_GROUP("Model and output", trained);
const as_option_group as_options_bench_t5 = AS_OPTION_GROUP("Model and output", t5);

as_bench_model as_bench_model_option(const as_cli *cli) {
  return (as_bench_model){.architecture = as_option_text(cli->arguments, "arch"),
                          .size = as_option_text(cli->arguments, "size"),
                          .seed = (uint64_t)as_option_int(cli->arguments, "seed")};
}

/* The table of kernels was selected before, by the model; so this cannot fail any more. */
static const char *isa(const as_cli *cli) {
  const as_kernels_f32 *table;
  return as_kernels_select(cli->ctx, &table) == AS_OK ? table->isa : "";
}

void as_bench_json_open(as_json_writer *writer, const as_cli *cli, const char *folder, const char *what) {
  as_json_open_object(writer, NULL);
  as_json_string(writer, "what", what);
  as_json_string(writer, "model", as_option_text(cli->arguments, "arch"));
  as_json_string(writer, folder ? "folder" : "size", folder ? folder : as_option_text(cli->arguments, "size"));
  as_json_int(writer, "threads", as_context_threads(cli->ctx));
  as_json_string(writer, "isa", isa(cli));
}

void as_bench_json_workload(as_json_writer *writer, const as_workload *w) {
  as_json_string(writer, "workload", w->path);
  as_json_int(writer, "batches", w->batches);
  as_json_int(writer, "rows", w->rows);
  as_json_int(writer, "real_tokens", w->tokens);
  as_json_int(writer, "padded_tokens", w->padded);
}

void as_bench_json_close(as_json_writer *writer) {
  as_json_int(writer, "peak_resident_bytes", (int64_t)as_peak_resident_bytes());
  as_json_close_object(writer);
  as_buffer_char(writer->out, '\n');
}

void as_bench_text_model(as_buffer *out, const as_cli *cli, const char *folder) {
  const int threads = as_context_threads(cli->ctx);
  as_buffer_printf(out, "%s %s, %d thread%s, %s\n", as_option_text(cli->arguments, "arch"),
                   folder ? folder : as_option_text(cli->arguments, "size"), threads, threads == 1 ? "" : "s", isa(cli));
}

void as_bench_text_workload(as_buffer *out, const as_cli *cli, const as_workload *w) {
  as_bench_text_model(out, cli, NULL);
  as_buffer_printf(out, "%s: %lld batches, %lld rows, %lld tokens (%lld if padded)\n", w->path, (long long)w->batches,
                   (long long)w->rows, (long long)w->tokens, (long long)w->padded);
}
