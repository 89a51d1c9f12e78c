/* `assistify data check`: what is in a file of messages, or in a shop's files, and what is wrong with it. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/csv_options.h"
#include "cli/model_store.h"
#include "data/check.h"
#include "data/shop_check.h"
#include "tokenizer/tokenizer.h"

static as_status check_weights(as_context *ctx, const char *value) {
  as_interaction_types types = as_interaction_types_usual();
  return as_interaction_types_set(ctx, &types, value);
}

/* clang-format off */
static const as_option rows[] = {
    {.name = "data", .type = AS_OPTION_FILE, .argument = "FILE",
     .help = "CSV file of messages, the same as FILE; - is standard input"},
    {.name = "label-col", .type = AS_OPTION_TEXT, .argument = "NAME",
     .initial_note = "intent and sentiment, those that are there",
     .help = "column with the classes"},
    {.name = "against", .type = AS_OPTION_FILE, .argument = "FILE",
     .help = "another file of messages: rows that stand in both are a fault"},
    {.name = "tokenizer", .type = AS_OPTION_FILE, .argument = "MODEL|FILE",
     .help = "version in the store (intent@champion), folder or tokenizer file: lengths in tokens too"},
    {.name = "max-length", .type = AS_OPTION_INT, .argument = "N", .initial = "128", .minimum = 2, .maximum = 1e6,
     .help = "with --tokenizer: the tokens that a model keeps, special ones included"},
    {.name = "json", .type = AS_OPTION_FLAG, .help = "one JSON object"},
};
static const as_option shop_rows[] = {
    {.name = "products", .type = AS_OPTION_FILE, .argument = "FILE", .excludes = "data against tokenizer label-col",
     .help = "instead of messages: the CSV file of a shop's products"},
    {.name = "interactions", .type = AS_OPTION_FILE, .argument = "FILE", .excludes = "data against tokenizer label-col",
     .help = "with --products: the CSV file of interactions"},
    {.name = "weight", .type = AS_OPTION_TEXT, .argument = "TYPE=W", .check = check_weights, .repeats = true,
     .initial_note = "view=1,add_to_cart=3,purchase=5",
     .help = "what an interaction of a type counts; names types that are no faults. May be repeated"},
};
/* clang-format on */
static const as_option_group checking = AS_OPTION_GROUP("Checking", rows);
static const as_option_group shop_group = AS_OPTION_GROUP("A shop's files", shop_rows);
static const as_option_group *const groups[] = {&checking, &as_options_csv, &shop_group, NULL};

/* ---- a file of messages ----------------------------------------------------------------------------------------- */

/* What is looked at; freed by close_check. */
typedef struct check {
  as_cli *cli;
  as_message_options options;
  as_data_report report;
  as_messages *messages, *other;
  as_data_leaks leaks;
  as_data_summary *summary;
} check;

static as_status count_tokens(check *c, const char *given) {
  const int64_t rows_count = as_messages_count(c->messages);
  as_context *ctx = c->cli->ctx;
  as_tokenizer *tokenizer = NULL;
  as_encoding encoding;
  char *path;
  as_encoding_init(&encoding, ctx);
  as_status status = as_cli_model_named(c->cli, given, AS_CHAMPION, "intent", "intent_classifier", &path);
  if (status == AS_OK) status = as_tokenizer_open(ctx, path, &tokenizer);
  int64_t *lengths = status == AS_OK ? as_alloc(ctx, (size_t)rows_count, sizeof *lengths) : NULL;
  if (status == AS_OK && !lengths) status = AS_E_NOMEM;
  for (int64_t row = 0; row < rows_count && status == AS_OK; row++) {
    size_t length;
    const char *text = as_messages_text(c->messages, row, &length);
    const as_encode_options whole = {0};
    status = as_tokenizer_encode(tokenizer, text, length, NULL, 0, &whole, &encoding);
    lengths[row] = (int64_t)encoding.length;
  }
  if (status == AS_OK) as_data_summary_add_tokens(c->summary, lengths, as_option_int(c->cli->arguments, "max-length"));
  as_free(ctx, lengths);
  as_free(ctx, path);
  as_encoding_free(&encoding);
  as_tokenizer_free(tokenizer);
  return status;
}

static as_status find_leaks(check *c, const char *path) {
  as_status status = as_messages_read(c->cli->ctx, path, &c->options, NULL, &c->other);
  if (status == AS_OK) status = as_data_find_leaks(c->cli->ctx, c->messages, c->other, &c->leaks);
  if (status == AS_OK) as_data_summary_add_leaks(c->summary, &c->leaks);
  return status;
}

/* Prints what write(it, out or writer) makes, as a page or as JSON. */
static as_status print_page(as_cli *cli, const void *it, void (*page)(const void *, as_buffer *),
                            void (*json)(const void *, as_json_writer *)) {
  as_buffer out;
  as_buffer_init(&out, cli->ctx);
  if (as_option_flag(cli->arguments, "json")) {
    as_json_writer writer = as_json_writer_start(&out, 0);
    json(it, &writer);
    as_buffer_char(&out, '\n');
  } else {
    page(it, &out);
  }
  as_status status = as_buffer_status(&out);
  if (status == AS_OK) as_console_buffer(cli->console, &out);
  as_buffer_free(&out);
  return status;
}

static void messages_page(const void *summary, as_buffer *out) {
  as_data_summary_print(summary, out);
}
static void messages_json(const void *summary, as_json_writer *writer) {
  as_data_summary_json(summary, writer);
}

/* What ends with exit code 3. */
static as_status fail_at_faults(const check *c) {
  uint64_t line;
  const char *path = as_messages_path(c->messages);
  const int64_t broken = as_data_report_broken(&c->report, &line);
  if (broken > 0)
    return as_fail(c->cli->ctx, AS_E_DATA,
                   "%s: line %" PRIu64 ": the first of %" PRId64 " broken rows; training stops here unless "
                   "--on-error skip leaves them out",
                   path, line, broken);
  if (c->leaks.rows > 0)
    return as_fail(c->cli->ctx, AS_E_DATA,
                   "%s: line %" PRIu64 ": the first of %" PRId64 " rows that are in %s too; what is measured on rows "
                   "that were learned says nothing",
                   path, c->leaks.examples.lines[0], c->leaks.rows, as_messages_path(c->other));
  return AS_OK;
}

static as_status check_messages(as_cli *cli, const char *path) {
  static const as_column_request usual[] = {{.name = "intent", .may_be_absent = true},
                                            {.name = "sentiment", .may_be_absent = true}};
  const as_column_request named = {.name = as_option_text(cli->arguments, "label-col")};
  const char *against = as_option_text(cli->arguments, "against");
  const char *tokenizer = as_option_text(cli->arguments, "tokenizer");
  check c = {.cli = cli};
  as_status status = as_cli_message_options(cli, false, &c.options);
  c.options.on_error = AS_ON_ERROR_SKIP; /* to see everything that is wrong at once */
  c.options.columns = named.name ? &named : usual;
  c.options.column_count = named.name ? 1 : 2;
  if (status == AS_OK) status = as_messages_read(cli->ctx, path, &c.options, &c.report, &c.messages);
  if (status == AS_OK) status = as_data_check(cli->ctx, c.messages, &c.report, &c.summary);
  if (status == AS_OK && tokenizer) status = count_tokens(&c, tokenizer);
  if (status == AS_OK && against) status = find_leaks(&c, against);
  if (status == AS_OK) status = print_page(cli, c.summary, messages_page, messages_json);
  if (status == AS_OK) status = fail_at_faults(&c);
  as_data_summary_free(c.summary);
  as_messages_free(c.messages);
  as_messages_free(c.other);
  return status;
}

/* ---- a shop's files --------------------------------------------------------------------------------------------- */

static void shop_page(const void *summary, as_buffer *out) {
  as_shop_summary_print(summary, out);
}
static void shop_json(const void *summary, as_json_writer *writer) {
  as_shop_summary_json(summary, writer);
}

static as_status check_shop(as_cli *cli, const char *products, const char *interactions) {
  as_interaction_types types = as_interaction_types_usual();
  const char *weights = as_option_text(cli->arguments, "weight"), *path;
  as_shop_check_options options = {.types = &types, .now = (int64_t)time(NULL)};
  as_shop_summary summary = {0};
  as_status status = weights ? as_interaction_types_set(cli->ctx, &types, weights) : AS_OK;
  if (status == AS_OK) status = as_cli_csv(cli, &options.csv);
  if (status == AS_OK) status = as_shop_check(cli->ctx, products, interactions, &options, &summary);
  if (status == AS_OK) status = print_page(cli, &summary, shop_page, shop_json);
  uint64_t line = 0;
  const int64_t faults = status == AS_OK ? as_shop_summary_faults(&summary, &path, &line) : 0;
  if (faults > 0)
    status = as_fail(cli->ctx, AS_E_DATA, "%s: line %" PRIu64 ": the first of %" PRId64 " rows that are wrong", path,
                     line, faults);
  as_shop_summary_free(&summary);
  return status;
}

static int run(as_cli *cli) {
  const as_arguments *a = cli->arguments;
  const char *operand = a->operand_count ? a->operands[0] : NULL;
  const char *data = as_option_text(a, "data"), *against = as_option_text(a, "against");
  const char *products = as_option_text(a, "products"), *interactions = as_option_text(a, "interactions");
  if (operand && as_option_value(a, "data")->source == AS_FROM_COMMAND_LINE)
    return as_cli_usage(cli, "the file of messages is named twice: by --data and as %s", operand);
  if (operand && (products || interactions))
    return as_cli_usage(cli, "%s would be a file of messages, which are not checked with --products", operand);
  if (interactions && !products) return as_cli_usage(cli, "--interactions needs --products too");
  if (interactions && strcmp(interactions, products) == 0)
    return as_cli_usage(cli, "--interactions and --products name the same file");
  if (operand) data = operand;
  if (!data && !products) return as_cli_usage(cli, "name a FILE of messages, or --products");
  if (data && against && strcmp(data, "-") == 0 && strcmp(against, "-") == 0)
    return as_cli_usage(cli, "standard input can be one of the two files only");
  as_status status = products ? check_shop(cli, products, interactions) : check_messages(cli, data);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_data_check = {
    .name = "data check",
    .operands = "[FILE]",
    .max_operands = 1,
    .operand = AS_OPERAND_FILE,
    .summary = "say what is in a data file and what is wrong with it",
    .description =
        "Reads all of a file of messages and prints rows, classes and their sizes, lengths of the texts with a "
        "histogram, and with line numbers: broken rows, empty texts and labels, invalid UTF-8, duplicates, rows that "
        "contradict an earlier one, texts that were once read in a wrong encoding or have lost characters, control "
        "characters. Small classes (under 500 rows) and an imbalance of ten or more get a warning. --tokenizer counts "
        "tokens, and the rows that --max-length cuts. --against looks for rows that stand in another file as well, "
        "but for case and white space.\n\n"
        "With --products and --interactions it looks at a shop's files: ids, prices, types, times that can't be read "
        "or have not come yet, products that the catalogue lacks, duplicates.\n\n"
        "Ends with 3 if there are broken rows, rows that stand in both files, or times that have not come yet.",
    .examples = "assistify data check messages.csv\n"
                "assistify data check test.csv --against train.csv\n"
                "assistify data check messages.csv --tokenizer intent@champion --max-length 64\n"
                "assistify data check --products products.csv --interactions interactions.csv",
    .groups = groups,
    .run = run,
};
