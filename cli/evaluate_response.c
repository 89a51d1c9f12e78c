/* evaluate response: a trained response model on rows whose reply is known, beside replies that need no model. */
#include <math.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/csv_options.h"
#include "cli/model_store.h"
#include "cli/record.h"
#include "cli/reply_rows.h"
#include "data/csv_write.h"
#include "data/nearest_reply.h"
#include "eval/replies.h"
#include "infer/model_recipe.h"
#include "infer/responder.h"
#include "models/input_template.h"
#include "models/t5_loss.h"
#include "models/task_file.h"
#include "train/pair_data.h"
#include "train/replies.h"
#include "train/response.h"

#define DEFAULT_LENGTH 128

/* clang-format off */
static const as_option rows[] = {
    {.name = "data", .type = AS_OPTION_FILE, .argument = "F.csv", .required = true,
     .help = "rows with content, response and, if known, intent and sentiment"},
    {.name = "model", .type = AS_OPTION_FOLDER, .argument = "MODEL", .initial_note = "the champion",
     .help = "version in the store (response@champion, response/3) or folder"},
    {.name = "json", .type = AS_OPTION_FLAG, .help = "everything as one JSON object"},
    {.name = "replies", .type = AS_OPTION_FILE, .argument = "F.csv",
     .help = "write what was expected, the model's reply and the nearest one of each row"},
    {.name = "rows", .type = AS_OPTION_INT, .argument = "N", .minimum = 1, .maximum = 1e9, .initial_note = "all",
     .help = "measure on so many rows, evenly spread over the file"},
};
/* clang-format on */
static const as_option_group group = AS_OPTION_GROUP("Evaluation", rows);
static const as_option_group *const groups[] = {&group, &as_options_held_out, &as_options_csv,
                                                &as_options_bad_rows, &as_options_record, NULL};

typedef struct evaluating {
  as_cli *cli;
  as_context *ctx;
  as_task_file file;
  as_pair_limits limits;
  as_tokenizer *tokenizer;
  as_t5 *t5;
  as_nearest_reply *nearest; /* NULL: the folder has no stored replies */
  as_reply_rows rows;
  as_pair_rows pairs;
  as_string_view *stored, *fixed; /* [rows] */
  as_reply_list replies;
  as_reply_evaluation result;
} evaluating;

/* ---- model and data --------------------------------------------------------------------------------------------- */
/* The lengths that the model was trained with. */
static as_status read_limits(evaluating *e, const char *folder) {
  as_status status = as_model_recipe_length(e->ctx, folder, "max_length", 3, DEFAULT_LENGTH, false, &e->limits.source);
  if (status != AS_OK) return status;
  return as_model_recipe_length(e->ctx, folder, "max_target_length", 2, DEFAULT_LENGTH, true, &e->limits.target);
}

static as_status open_model(evaluating *e, const char *folder) {
  as_t5_options options = {.dropout = -1};
  as_status status = as_task_file_read(e->ctx, folder, &e->file);
  if (status == AS_OK) status = as_task_file_expect(e->ctx, folder, &e->file, AS_RESPONSE_TASK);
  if (status == AS_OK) status = read_limits(e, folder);
  if (status == AS_OK) status = as_t5_open(e->ctx, folder, &options, &e->t5);
  if (status == AS_OK) status = as_tokenizer_open(e->ctx, folder, &e->tokenizer);
  if (status == AS_OK)
    status = as_t5_config_check_tokenizer(e->ctx, as_t5_get_config(e->t5), as_tokenizer_vocab_size(e->tokenizer), folder);
  if (status == AS_OK && as_nearest_reply_in(e->ctx, folder))
    status = as_nearest_reply_open(e->ctx, folder, &e->nearest);
  return status;
}

static as_status read_rows(evaluating *e) {
  as_status status = as_cli_reply_rows_read(e->cli, false, &e->rows);
  if (status != AS_OK) return status;
  e->stored = as_alloc(e->ctx, (size_t)e->rows.count, sizeof *e->stored);
  e->fixed = as_alloc(e->ctx, (size_t)e->rows.count, sizeof *e->fixed);
  return e->stored && e->fixed ? AS_OK : AS_E_NOMEM;
}

static as_status tokenize(evaluating *e) {
  const char *input_template = e->file.input_template ? e->file.input_template : AS_INPUT_TEMPLATE_DEFAULT;
  as_buffer input;
  as_encoding encoding;
  as_buffer_init(&input, e->ctx);
  as_encoding_init(&encoding, e->ctx);
  as_status status = AS_OK;
  for (int64_t i = 0; status == AS_OK && i < e->rows.count; i++) {
    int64_t cut = e->pairs.sources.truncated + e->pairs.targets.truncated;
    status =
        as_pair_add(&e->pairs, e->tokenizer, input_template, e->rows.messages, e->rows.rows[i], &e->limits, &input, &encoding);
    e->result.cut += e->pairs.sources.truncated + e->pairs.targets.truncated > cut;
  }
  as_encoding_free(&encoding);
  as_buffer_free(&input);
  return status;
}

/* ---- measuring -------------------------------------------------------------------------------------------------- */
static as_status measure_model(evaluating *e) {
  as_reply_evaluation *r = &e->result;
  as_t5_loss_options options = {0};
  double sum;
  as_status status = as_t5_loss(e->ctx, e->t5, &e->pairs, &options, &sum, &r->tokens);
  if (status == AS_OK)
    status =
        as_replies_generate(e->ctx, e->t5, e->tokenizer, &e->pairs.sources, e->limits.target, NULL, NULL, &e->replies);
  if (status == AS_OK) status = as_reply_scores_measure(e->ctx, e->replies.texts, e->rows.expected, e->rows.count, &r->model);
  if (status != AS_OK) return status;
  r->loss = sum / (double)r->tokens;
  r->perplexity = exp(r->loss);
  r->unfinished = e->replies.unfinished;
  return AS_OK;
}

static as_status measure_baselines(evaluating *e) {
  const char *commonest = NULL;
  as_status status = as_nearest_reply_commonest(e->nearest, &commonest);
  for (int64_t i = 0; status == AS_OK && i < e->rows.count; i++) {
    size_t length;
    const char *text = as_messages_text(e->rows.messages, e->rows.rows[i], &length);
    as_nearest_answer answer;
    status = as_nearest_reply_find(e->nearest, text, length, as_messages_value(e->rows.messages, AS_PAIR_INTENT, e->rows.rows[i]),
                                   &answer);
    if (status != AS_OK) return status;
    e->stored[i] = as_string_view_of(answer.reply);
    e->fixed[i] = as_string_view_of(commonest);
  }
  if (status == AS_OK) status = as_reply_scores_measure(e->ctx, e->stored, e->rows.expected, e->rows.count, &e->result.nearest);
  if (status == AS_OK) status = as_reply_scores_measure(e->ctx, e->fixed, e->rows.expected, e->rows.count, &e->result.frequent);
  e->result.has_baselines = status == AS_OK;
  return status;
}

/* ---- what comes out --------------------------------------------------------------------------------------------- */
static as_csv_field field_of(as_string_view view) {
  return (as_csv_field){.text = view.text, .length = view.length};
}

static as_status write_replies(evaluating *e, const char *path) {
  const as_csv_field header[] = {as_csv_text("line"), as_csv_text("content"), as_csv_text("expected"),
                                 as_csv_text("reply"), as_csv_text("nearest")};
  const size_t count = sizeof header / sizeof header[0] - (e->nearest ? 0 : 1);
  as_buffer out;
  as_buffer_init(&out, e->ctx);
  as_csv_append_row(&out, header, count, ',');
  for (int64_t i = 0; i < e->rows.count; i++) {
    char line[32];
    snprintf(line, sizeof line, "%llu", (unsigned long long)as_messages_line(e->rows.messages, e->rows.rows[i]));
    as_csv_field fields[] = {as_csv_text(line),
                             {0},
                             field_of(e->rows.expected[i]),
                             field_of(e->replies.texts[i]),
                             e->nearest ? field_of(e->stored[i]) : (as_csv_field){0}};
    fields[1].text = as_messages_text(e->rows.messages, e->rows.rows[i], &fields[1].length);
    as_csv_append_row(&out, fields, count, ',');
  }
  as_status status = as_buffer_status(&out);
  if (status == AS_OK) status = as_file_write(e->ctx, path, out.data, out.length);
  as_buffer_free(&out);
  return status;
}

static as_status print(evaluating *e) {
  as_buffer out;
  as_buffer_init(&out, e->ctx);
  if (as_option_flag(e->cli->arguments, "json")) {
    as_json_writer writer = as_json_writer_start(&out, 2);
    as_json_open_object(&writer, NULL);
    as_reply_evaluation_json(&writer, &e->result);
    as_json_close_object(&writer);
    as_buffer_char(&out, '\n');
  } else {
    as_reply_evaluation_table(&e->result, &out);
  }
  as_status status = as_buffer_status(&out);
  if (status == AS_OK) as_console_buffer(e->cli->console, &out);
  as_buffer_free(&out);
  return status;
}

static as_status record(evaluating *e, const char *folder) {
  as_buffer json;
  as_buffer_init(&json, e->ctx);
  as_json_writer writer = as_json_writer_start(&json, 0);
  as_json_open_object(&writer, NULL);
  as_reply_evaluation_json(&writer, &e->result);
  as_json_close_object(&writer);
  as_status status = as_buffer_status(&json);
  if (status == AS_OK) status = as_cli_record(e->cli, AS_RESPONSE_NAME, folder, &json);
  as_buffer_free(&json);
  return status;
}

static void release(evaluating *e) {
  as_reply_list_free(&e->replies);
  as_pair_rows_free(&e->pairs);
  as_cli_reply_rows_free(&e->rows);
  as_free(e->ctx, e->stored);
  as_free(e->ctx, e->fixed);
  as_nearest_reply_free(e->nearest);
  as_tokenizer_free(e->tokenizer);
  as_t5_free(e->t5);
  as_task_file_free(e->ctx, &e->file);
}

static int run(as_cli *cli) {
  evaluating e = {.cli = cli, .ctx = cli->ctx};
  const char *replies = as_option_text(cli->arguments, "replies");
  char *folder;
  as_pair_rows_init(&e.pairs, cli->ctx);
  as_status status = as_cli_model(cli, "model", AS_RESPONSE_NAME, AS_RESPONSE_FOLDER, &folder);
  if (status == AS_OK) status = open_model(&e, folder);
  if (status == AS_OK) status = read_rows(&e);
  if (status == AS_OK) status = tokenize(&e);
  if (status == AS_OK) status = measure_model(&e);
  if (status == AS_OK && e.nearest) status = measure_baselines(&e);
  if (status == AS_OK) status = print(&e);
  if (status == AS_OK && replies) status = write_replies(&e, replies);
  if (status == AS_OK) status = record(&e, folder);
  int code = status == AS_OK ? AS_EXIT_DONE : as_cli_failed(cli, status);
  release(&e);
  as_free(cli->ctx, folder);
  return code;
}

const as_command as_command_evaluate_response = {
    .name = "evaluate response",
    .summary = "measure a response model on messages whose reply is known",
    .groups = groups,
    .works_long = true,
    .run = run,
    .description =
        "Prints BLEU, chrF, ROUGE, exact matches, variety, lengths, perplexity and how many placeholders such "
        "as {{Order Number}} survive, beside two baselines: the reply of the most similar training message, "
        "and the commonest reply for everything. Where a baseline is better, it says so. Replies are made "
        "by greedy search.",
    .examples = "assistify evaluate response --data test.csv\n"
                "assistify evaluate response --data test.csv --rows 200 --json | jq .bleu"};
