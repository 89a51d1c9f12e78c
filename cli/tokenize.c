/* `assistify tokenize`: what a tokenizer makes of texts, and back, one JSON line per line of input. */
#include "base/memory.h"
#include "cli/command.h"
#include "cli/lines.h"
#include "tokenizer/tokenize_json.h"

static const as_option rows[] = {
    {.name = "tokenizer",
     .type = AS_OPTION_FILE,
     .argument = "DIR|FILE",
     .required = true,
     .help = "model folder, tokenizer.json, vocab.txt, vocab.json (beside merges.txt) or spiece.model"},
    {.name = "input",
     .type = AS_OPTION_FILE,
     .argument = "FILE",
     .initial = "-",
     .help = "JSON lines to read; - is standard input"},
    {.name = "decode", .type = AS_OPTION_FLAG, .help = "from \"ids\" back to text, also where a line has a \"text\""},
    {.name = "max-length",
     .type = AS_OPTION_INT,
     .argument = "N",
     .minimum = 1,
     .maximum = 1e6,
     .initial_note = "no limit",
     .help = "tokens kept of a text or pair, special ones included"},
};
static const as_option_group tokenizing = AS_OPTION_GROUP("Tokenizing", rows);
static const as_option_group *const groups[] = {&tokenizing, NULL};

static as_status convert_lines(as_cli *cli, const as_tokenizer *tokenizer, as_lines *lines) {
  const as_tokenize_json_options options = {
      .decode = as_option_flag(cli->arguments, "decode"),
      .max_length = (size_t)as_option_int(cli->arguments, "max-length"),
  };
  as_encoding encoding;
  as_buffer out;
  as_encoding_init(&encoding, cli->ctx);
  as_buffer_init(&out, cli->ctx);
  as_status status;
  for (;;) {
    const char *line;
    size_t length;
    status = as_lines_next(lines, &line, &length);
    if (status != AS_OK || !line) break;
    as_buffer_clear(&out);
    status = as_tokenize_json_line(tokenizer, line, length, &options, &encoding, &out);
    if (status != AS_OK) {
      as_fail_prefix(cli->ctx, status, "%s: line %llu", lines->name, (unsigned long long)lines->number);
      break;
    }
    if (!as_console_buffer(cli->console, &out)) break;
  }
  as_buffer_free(&out);
  as_encoding_free(&encoding);
  return status;
}

static int run(as_cli *cli) {
  as_tokenizer *tokenizer = NULL;
  as_lines lines = {0};
  as_status status = as_tokenizer_open(cli->ctx, as_option_text(cli->arguments, "tokenizer"), &tokenizer);
  if (status == AS_OK) status = as_lines_open(cli->ctx, as_option_text(cli->arguments, "input"), AS_LINE_LIMIT, &lines);
  if (status == AS_OK) status = convert_lines(cli, tokenizer, &lines);
  as_lines_close(&lines);
  as_tokenizer_free(tokenizer);
  return status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
}

const as_command as_command_tokenize = {
    .name = "tokenize",
    .summary = "show what a tokenizer makes of texts",
    .description = "Reads JSON lines and prints one for each. {\"text\": T} or {\"text\": T, \"text_pair\": U} gives "
                   "\"ids\" with the special "
                   "tokens, \"tokens\", \"char_offsets\" and \"byte_offsets\" (flat: start and end of each token in "
                   "its own text, 0 and 0 at "
                   "special tokens) and \"type_ids\". {\"ids\": [...]} gives \"text\" and \"text_skip_special\".\n\n"
                   "Truncation and padding that a tokenizer.json asks for are ignored; --max-length truncates as "
                   "longest_first does. A line "
                   "that is wrong ends the work and is named.",
    .examples = "echo '{\"text\": \"Hello!\"}' | assistify tokenize --tokenizer my_model\n"
                "assistify tokenize --tokenizer vocab.txt --input texts.jsonl --max-length 128\n"
                "assistify tokenize --tokenizer tokenizer.json --input ids.jsonl --decode",
    .groups = groups,
    .run = run,
};
