/* assistify bench tokenize: how many rows a second a tokenizer encodes with one thread. */
#include "base/clock.h"
#include "base/machine.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "bench/spread.h"
#include "cli/command.h"
#include "cli/csv_options.h"
#include "tokenizer/tokenizer.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "tokenizer", .type = AS_OPTION_FILE, .argument = "DIR|FILE", .required = true,
     .help = "model folder or tokenizer file"},
    {.name = "data", .type = AS_OPTION_FILE, .argument = "FILE", .required = true, .help = "CSV file with the texts"},
    {.name = "repeats", .type = AS_OPTION_INT, .argument = "N", .initial = "5", .minimum = 1, .maximum = 1e6,
     .help = "passes through the file"},
    {.name = "json", .type = AS_OPTION_FLAG, .help = "one line of JSON"},
};
/* clang-format on */
static const as_option_group measuring = AS_OPTION_GROUP("Measuring", rows);
static const as_option_group *const groups[] = {&measuring, &as_options_csv, NULL};

/* Encodes all rows, with special tokens and offsets in characters; *tokens counts. */
static as_status encode_all(const as_tokenizer *tokenizer, const as_messages *messages, as_encoding *encoding,
                            int64_t *tokens) {
  const as_encode_options options = {.offsets = true};
  as_status status = AS_OK;
  *tokens = 0;
  for (int64_t row = 0; status == AS_OK && row < as_messages_count(messages); row++) {
    size_t length;
    const char *text = as_messages_text(messages, row, &length);
    status = as_tokenizer_encode(tokenizer, text, length, NULL, 0, &options, encoding);
    if (status == AS_OK) *tokens += (int64_t)encoding->length;
  }
  return status;
}

/* Rows a second in each of `passes` passes, after one that is not counted. */
static as_status measure(as_context *ctx, const as_tokenizer *tokenizer, const as_messages *messages, int64_t passes,
                         as_spread *rate, int64_t *tokens) {
  as_encoding encoding;
  as_encoding_init(&encoding, ctx);
  double *rates = as_alloc(ctx, (size_t)passes, sizeof *rates);
  as_status status = rates ? AS_OK : AS_E_NOMEM;
  for (int64_t i = -1; status == AS_OK && i < passes; i++) {
    const double start = as_seconds();
    status = encode_all(tokenizer, messages, &encoding, tokens);
    if (i >= 0) rates[i] = (double)as_messages_count(messages) / (as_seconds() - start);
  }
  if (status == AS_OK) *rate = as_spread_of(rates, passes);
  as_free(ctx, rates);
  as_encoding_free(&encoding);
  return status;
}

static void write_result(const as_cli *cli, const as_tokenizer *tokenizer, int64_t count, const as_spread *rate,
                         int64_t tokens, as_buffer *out) {
  const double tokens_per_row = (double)tokens / (double)count;
  if (!as_option_flag(cli->arguments, "json")) {
    as_buffer_printf(out, "%s, one thread: %.0f rows/s (min %.0f, max %.0f), %.0f tokens/s; %lld rows, %lld tokens\n",
                     as_tokenizer_model(tokenizer), rate->median, rate->min, rate->max, tokens_per_row * rate->median,
                     (long long)count, (long long)tokens);
    return;
  }
  as_json_writer writer = as_json_writer_start(out, 0);
  as_json_open_object(&writer, NULL);
  as_json_string(&writer, "what", "tokenize");
  as_json_string(&writer, "model", as_tokenizer_model(tokenizer));
  as_json_int(&writer, "rows", count);
  as_json_int(&writer, "tokens", tokens);
  as_spread_json(&writer, "rows_per_second", rate, 1, false);
  as_spread_json(&writer, "tokens_per_second", rate, tokens_per_row, false);
  as_json_int(&writer, "peak_resident_bytes", (int64_t)as_peak_resident_bytes());
  as_json_close_object(&writer);
  as_buffer_char(out, '\n');
}

static int run(as_cli *cli) {
  as_tokenizer *tokenizer = NULL;
  as_messages *messages = NULL;
  as_message_options options;
  as_spread rate = {0};
  int64_t tokens = 0;
  as_status status = as_cli_message_options(cli, false, &options);
  if (status == AS_OK) status = as_tokenizer_open(cli->ctx, as_option_text(cli->arguments, "tokenizer"), &tokenizer);
  if (status == AS_OK)
    status = as_messages_read(cli->ctx, as_option_text(cli->arguments, "data"), &options, NULL, &messages);
  if (status == AS_OK)
    status = measure(cli->ctx, tokenizer, messages, as_option_int(cli->arguments, "repeats"), &rate, &tokens);
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  if (status == AS_OK) {
    write_result(cli, tokenizer, as_messages_count(messages), &rate, tokens, &out);
    status = as_buffer_status(&out);
  }
  if (status == AS_OK) as_console_buffer(cli->console, &out);
  as_buffer_free(&out);
  as_messages_free(messages);
  as_tokenizer_free(tokenizer);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_bench_tokenize = {
    .name = "bench tokenize",
    .summary = "measure how fast a tokenizer encodes texts",
    .description = "Encodes every text of a CSV file, one after the other with one thread, with special tokens and "
                   "offsets, after one pass that is not counted; reading the file is not counted either.",
    .examples = "assistify bench tokenize --tokenizer my_model --data messages.csv\n"
                "assistify bench tokenize --tokenizer my_model --data messages.csv --json",
    .groups = groups,
    .works_long = true,
    .run = run,
};
