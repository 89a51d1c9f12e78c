/* compare response: the replies of two response models to the same messages. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/comparison.h"
#include "cli/csv_options.h"
#include "cli/generation_options.h"
#include "cli/record.h"
#include "cli/reply_rows.h"
#include "cli/signals.h"
#include "data/csv_write.h"
#include "eval/replies_comparison.h"
#include "infer/responder.h"
#include "train/pair_data.h"

/* clang-format off */
static const as_option rows[] = {
    {.name = "data", .type = AS_OPTION_FILE, .argument = "F.csv", .required = true,
     .help = "rows with content, response and, if known, intent and sentiment"},
    {.name = "rows", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e9, .initial_note = "all",
     .help = "measure on so many rows, evenly spread over the file"},
    {.name = "mode", .type = AS_OPTION_CHOICE, .words = "generate|nearest|auto", .initial = "generate",
     .help = "where replies come from, as of respond"},
    {.name = "changed", .type = AS_OPTION_FILE, .argument = "F.csv",
     .help = "write the rows that are answered differently, with both replies"},
};
/* clang-format on */
static const as_option_group group = AS_OPTION_GROUP("Replies", rows);
static const as_option_group *const groups[] = {&group,
                                                &as_options_held_out,
                                                &as_options_comparison,
                                                &as_options_gate,
                                                &as_options_generation,
                                                &as_options_csv,
                                                &as_options_bad_rows,
                                                &as_options_record,
                                                NULL};

typedef struct comparing {
  as_cli *cli;
  as_context *ctx;
  as_cli_comparison shared;
  as_responder *responders[2];
  as_respond_options options[2];
  as_stop_list stops;
  as_reply_rows rows;
  as_customer_message *messages; /* [rows] */
  as_responses responses[2];
  as_string_view *replies[2]; /* [rows] into them */
  as_reply_comparison result;
} comparing;

/* ---- model and data --------------------------------------------------------------------------------------------- */

static as_reply_mode mode_of(const as_cli *cli) {
  if (as_option_is(cli->arguments, "mode", "auto")) return AS_REPLY_AUTO;
  return as_option_is(cli->arguments, "mode", "nearest") ? AS_REPLY_NEAREST : AS_REPLY_GENERATE;
}

static as_status open_models(comparing *c) {
  as_status status = as_cli_comparison_begin(c->cli, AS_RESPONSE_NAME, AS_RESPONSE_FOLDER, 1, &c->shared);
  c->shared.main_key = "bleu";
  if (status == AS_OK) status = as_cli_stop_strings(c->cli, &c->stops);
  for (int i = 0; status == AS_OK && i < 2; i++) {
    status = as_responder_open(c->ctx, c->shared.models[i].folder, mode_of(c->cli), &c->responders[i]);
    if (status != AS_OK) break;
    c->options[i] = as_responder_defaults(c->responders[i]);
    as_cli_generation(c->cli, &c->options[i].generate);
    c->options[i].stop_strings = c->stops.strings;
    c->options[i].stop_count = c->stops.count;
    c->options[i].interrupted = as_interrupted;
  }
  return status;
}

static as_status read_rows(comparing *c) {
  as_status status = as_cli_reply_rows_read(c->cli, true, &c->rows);
  c->messages = status == AS_OK ? as_alloc(c->ctx, (size_t)c->rows.count, sizeof *c->messages) : NULL;
  if (status == AS_OK && !c->messages) status = AS_E_NOMEM;
  for (int64_t i = 0; status == AS_OK && i < c->rows.count; i++) {
    as_customer_message *m = &c->messages[i];
    const int64_t row = c->rows.rows[i];
    m->text = as_messages_text(c->rows.messages, row, &m->length);
    m->intent = as_messages_value(c->rows.messages, AS_PAIR_INTENT, row);
    m->sentiment = as_messages_value(c->rows.messages, AS_PAIR_SENTIMENT, row);
  }
  return status;
}

/* ---- measuring -------------------------------------------------------------------------------------------------- */

static as_status answer(comparing *c, int model) {
  as_string_view *replies = c->replies[model] = as_alloc(c->ctx, (size_t)c->rows.count, sizeof *replies);
  if (!replies) return AS_E_NOMEM;
  if (c->rows.count == 0) return AS_OK;
  as_responses *r = &c->responses[model];
  as_status status = as_responder_answer(c->responders[model], c->messages, c->rows.count, &c->options[model], r);
  for (int64_t i = 0; status == AS_OK && i < c->rows.count; i++)
    replies[i] = (as_string_view){r->list[i * r->each].text, r->list[i * r->each].length};
  return status;
}

static as_status ask_one(void *user, int model, int64_t row) {
  comparing *c = user;
  as_responses responses;
  as_status status = as_responder_answer(c->responders[model], &c->messages[row], 1, &c->options[model], &responses);
  as_responses_free(&responses);
  return status;
}

static as_status measure(comparing *c) {
  const as_reply_comparison_input input = {.rows = c->rows.count,
                                           .references = c->rows.expected,
                                           .replies = {c->replies[0], c->replies[1]},
                                           .resamples = as_option_int(c->cli->arguments, "resamples"),
                                           .seed = (uint64_t)as_option_int(c->cli->arguments, "seed")};
  as_status status = as_reply_comparison_measure(c->ctx, &input, &c->result);
  if (status == AS_OK) status = as_cli_comparison_time(&c->shared, c->rows.count, 5, ask_one, c);
  if (status != AS_OK) return status;
  const as_paired_score *bleu = &c->result.figures[AS_REPLY_BLEU].score;
  as_gate_figures figures = {.name = "BLEU",
                             .unit = "rows",
                             .rows = c->rows.count,
                             .second = bleu->second,
                             .difference = bleu->delta.observed,
                             .ci95 = bleu->delta.ci95,
                             .decimals = 2};
  return as_cli_comparison_judge(&c->shared, &figures);
}

/* ---- what comes out --------------------------------------------------------------------------------------------- */

static void write_json(void *user, as_json_writer *w) {
  const comparing *c = user;
  as_reply_comparison_json(w, &c->result);
}

static as_status put_report(void *user, as_report *report) {
  const comparing *c = user;
  as_report_paragraph(report, "%lld rows", (long long)c->rows.count);
  as_reply_comparison_report(report, &c->result);
  return AS_OK;
}

static void write_evaluation(void *user, int model, as_json_writer *w) {
  const comparing *c = user;
  if (c->rows.count > 0) as_reply_scores_json(w, &c->result.scores[model]);
}

typedef struct changed_row {
  double change;
  int64_t row;
} changed_row;

/* What lost most comes first, equal ones in the order of the file. */
static int by_change(const void *a, const void *b) {
  const changed_row *x = a, *y = b;
  if (x->change < y->change || x->change > y->change) return x->change < y->change ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

static bool is_same(as_string_view a, as_string_view b) {
  return a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
}

enum { LINE, CONTENT, EXPECTED, FIRST, FIRST_BLEU, SECOND, SECOND_BLEU, COLUMNS };

static void append_row(const comparing *c, int64_t i, as_buffer numbers[2], as_buffer *out) {
  char line[24];
  as_csv_field fields[COLUMNS];
  snprintf(line, sizeof line, "%llu", (unsigned long long)as_messages_line(c->rows.messages, c->rows.rows[i]));
  fields[LINE] = as_csv_text(line);
  fields[CONTENT] = (as_csv_field){c->messages[i].text, c->messages[i].length};
  fields[EXPECTED] = (as_csv_field){c->rows.expected[i].text, c->rows.expected[i].length};
  for (int model = 0; model < 2; model++) {
    fields[FIRST + 2 * model] = (as_csv_field){c->replies[model][i].text, c->replies[model][i].length};
    fields[FIRST_BLEU + 2 * model] = as_csv_number(&numbers[model], c->result.row_bleu[model][i]);
  }
  as_csv_append_row(out, fields, COLUMNS, ',');
}

static as_status append_changed(const comparing *c, as_buffer *out) {
  static const char *const names[COLUMNS] = {"line",       "content", "expected",   "first",
                                             "first_bleu", "second",  "second_bleu"};
  as_csv_field header[COLUMNS];
  as_buffer numbers[2];
  changed_row *changed = as_alloc(c->ctx, (size_t)c->rows.count, sizeof *changed);
  size_t count = 0;
  if (!changed) return AS_E_NOMEM;
  for (int i = 0; i < COLUMNS; i++) header[i] = as_csv_text(names[i]);
  as_csv_append_row(out, header, COLUMNS, ',');
  for (int model = 0; model < 2; model++) as_buffer_init(&numbers[model], c->ctx);
  for (int64_t i = 0; i < c->rows.count; i++)
    if (!is_same(c->replies[0][i], c->replies[1][i]))
      changed[count++] = (changed_row){c->result.row_bleu[1][i] - c->result.row_bleu[0][i], i};
  if (count > 1) qsort(changed, count, sizeof *changed, by_change);
  for (size_t i = 0; i < count; i++) append_row(c, changed[i].row, numbers, out);
  const as_status status = numbers[0].failed || numbers[1].failed ? AS_E_NOMEM : as_buffer_status(out);
  for (int model = 0; model < 2; model++) as_buffer_free(&numbers[model]);
  as_free(c->ctx, changed);
  return status;
}

static as_status write_changed(const comparing *c, const char *path) {
  as_buffer out;
  as_buffer_init(&out, c->ctx);
  as_status status = append_changed(c, &out);
  if (status == AS_OK) status = as_file_write(c->ctx, path, out.data, out.length);
  as_buffer_free(&out);
  return status;
}

static as_status print(comparing *c) {
  const as_arguments *a = c->cli->arguments;
  const char *changed = as_option_text(a, "changed");
  /* What other options or stored replies give is not what `evaluate` measures, so it is not recorded as that. */
  const bool usual = as_option_is(a, "mode", "generate") && !as_cli_generation_given(c->cli);
  const as_comparison_output output = {.data = as_option_text(a, "data"),
                                       .figures = c->result.figures,
                                       .figure_count = AS_REPLY_FIGURES,
                                       .user = c,
                                       .json = write_json,
                                       .report = put_report,
                                       .evaluation = usual ? write_evaluation : NULL};
  as_status status = changed ? write_changed(c, changed) : AS_OK;
  return status == AS_OK ? as_cli_comparison_print(&c->shared, &output) : status;
}

static void release(comparing *c) {
  as_reply_comparison_free(c->ctx, &c->result);
  for (int i = 0; i < 2; i++) {
    if (c->responses[i].ctx) as_responses_free(&c->responses[i]);
    as_free(c->ctx, c->replies[i]);
    as_responder_close(c->responders[i]);
  }
  as_free(c->ctx, c->messages);
  as_cli_reply_rows_free(&c->rows);
  as_stop_list_free(&c->stops);
  as_cli_comparison_end(&c->shared);
}

static int run(as_cli *cli) {
  comparing c = {.cli = cli, .ctx = cli->ctx};
  as_status status = open_models(&c);
  if (status == AS_OK) status = read_rows(&c);
  for (int i = 0; status == AS_OK && i < 2; i++) status = answer(&c, i);
  if (status == AS_OK) status = measure(&c);
  if (status == AS_OK) status = print(&c);
  if (status == AS_E_INTERRUPTED) status = as_fail(cli->ctx, status, "interrupted: nothing was compared");
  const int code = as_cli_comparison_exit(&c.shared, status);
  release(&c);
  return code;
}

const as_command as_command_compare_response = {
    .name = "compare response",
    .operands = "[[FIRST] SECOND]",
    .max_operands = 2,
    .operand = AS_OPERAND_MODEL,
    .summary = "hold two response models against each other",
    .groups = groups,
    .works_long = true,
    .catches_signals = true,
    .run = run,
    .description =
        "Has both models reply to the same messages and prints BLEU, chrF, ROUGE, exact matches, lengths and "
        "placeholders kept of both, each difference with its interval by paired bootstrap over rows, sizes and times; "
        "then what the gate says: exit 0 passed, 5 not passed. Without names the champion is the first and the "
        "challenger the second; a single name is held against the champion. A difference is the second less the first. "
        "--seed is the bootstrap's, too.\n\n"
        "The gate: enough rows; BLEU not below the first's by more than --max-loss, nor significantly below it beyond "
        "that; and what other options ask for.",
    .examples = "assistify compare response --data test.csv\n"
                "assistify compare response response/2 response/3 --data t.csv --beams 4\n"
                "assistify compare response --data all.csv --held-out 0.1 --json | jq .bleu"};
