/* See pair_data.h. */
#include "train/pair_data.h"

#include <string.h>

#include "base/memory.h"
#include "models/input_template.h"
#include "models/task_file.h"
#include "tokenizer/trainer.h"

const as_column_request as_pair_columns[AS_PAIR_COLUMNS] = {
    [AS_PAIR_RESPONSE] = {.name = "response", .kind = AS_COLUMN_TEXT},
    [AS_PAIR_INTENT] = {.name = "intent", .kind = AS_COLUMN_LABEL, .may_be_absent = true, .may_be_empty = true},
    [AS_PAIR_SENTIMENT] = {.name = "sentiment", .kind = AS_COLUMN_LABEL, .may_be_absent = true, .may_be_empty = true}};

as_status as_pair_data_read(as_pair_data *d, as_context *ctx, const as_recipe *recipe) {
  *d = (as_pair_data){0};
  as_pair_rows_init(&d->train, ctx);
  as_pair_rows_init(&d->valid, ctx);
  return as_text_data_read_columns(&d->text, ctx, recipe, as_pair_columns, AS_PAIR_COLUMNS);
}

void as_pair_data_free(as_pair_data *d) {
  as_context *ctx = d->text.ctx;
  if (!ctx) return;
  as_free(ctx, d->input_template);
  as_free(ctx, d->train_rows);
  as_free(ctx, d->valid_rows);
  as_pair_rows_free(&d->train);
  as_pair_rows_free(&d->valid);
  as_text_data_free(&d->text);
}

const as_messages *as_pair_data_valid_table(const as_pair_data *d) {
  return d->text.valid ? d->text.valid : d->text.train;
}

as_status as_pair_data_template(as_pair_data *d, const as_recipe *recipe, const char *folder) {
  as_context *ctx = d->text.ctx;
  as_task_file file = {0};
  as_status status = AS_OK;
  if (folder && !recipe->input_template) status = as_task_file_read(ctx, folder, &file);
  if (status != AS_OK) return status;
  d->input_template = as_strdup(ctx, recipe->input_template ? recipe->input_template
                                     : file.input_template  ? file.input_template
                                                            : AS_INPUT_TEMPLATE_DEFAULT);
  as_task_file_free(ctx, &file);
  return d->input_template ? AS_OK : AS_E_NOMEM;
}

/* The model's input for a row. */
static as_status render(const char *input_template, const as_messages *messages, int64_t row, as_buffer *out) {
  as_input_values values = {.intent = as_messages_value(messages, AS_PAIR_INTENT, row),
                            .sentiment = as_messages_value(messages, AS_PAIR_SENTIMENT, row)};
  values.content = as_messages_text(messages, row, &values.content_length);
  as_buffer_clear(out);
  as_input_template_render(input_template, &values, out);
  return as_buffer_status(out);
}

/* ---- tokenizer -------------------------------------------------------------------------------------------------- */
/* Goes over the training file: of each row the source, then the reply. */
typedef struct pair_walk {
  const as_pair_data *data;
  int64_t row;
  bool at_reply;
  as_buffer input;
} pair_walk;

static as_status next_text(void *user, const char **text, size_t *length) {
  pair_walk *walk = user;
  const as_messages *messages = walk->data->text.train;
  *text = NULL;
  if (walk->row >= as_messages_count(messages)) return AS_OK;
  if (walk->at_reply) {
    *text = as_messages_value(messages, AS_PAIR_RESPONSE, walk->row);
    *length = strlen(*text);
    walk->row += walk->data->text.every;
  } else {
    as_status status = render(walk->data->input_template, messages, walk->row, &walk->input);
    if (status != AS_OK) return status;
    *text = as_buffer_string(&walk->input);
    *length = walk->input.length;
  }
  walk->at_reply = !walk->at_reply;
  return AS_OK;
}

as_status as_pair_data_tokenizer(as_pair_data *d, const as_recipe *recipe, const char *folder) {
  if (folder) return as_tokenizer_open(d->text.ctx, folder, &d->text.tokenizer);
  pair_walk walk = {.data = d};
  as_buffer_init(&walk.input, d->text.ctx);
  as_status status =
      as_tokenizer_train(d->text.ctx, "Unigram", (size_t)recipe->vocab_size, next_text, &walk, &d->text.tokenizer);
  as_buffer_free(&walk.input);
  return status;
}

/* ---- tokenizing ------------------------------------------------------------------------------------------------- */
static as_status encode(const as_tokenizer *tokenizer, const as_messages *messages, int64_t row, const char *text,
                        size_t length, int64_t limit, as_encoding *encoding) {
  as_encode_options options = {.max_length = (size_t)limit};
  as_status status = as_tokenizer_encode(tokenizer, text, length, NULL, 0, &options, encoding);
  if (status == AS_OK) return AS_OK;
  return as_fail_prefix(encoding->ctx, status, "%s: line %llu", as_messages_path(messages),
                        (unsigned long long)as_messages_line(messages, row));
}

as_status as_pair_add(as_pair_rows *pairs, const as_tokenizer *tokenizer, const char *input_template,
                      const as_messages *messages, int64_t row, const as_pair_limits *limits, as_buffer *input,
                      as_encoding *encoding) {
  const char *reply = as_messages_value(messages, AS_PAIR_RESPONSE, row);
  as_status status = render(input_template, messages, row, input);
  if (status == AS_OK)
    status = encode(tokenizer, messages, row, as_buffer_string(input), input->length, limits->source, encoding);
  if (status != AS_OK) return status;
  int64_t source_count = (int64_t)encoding->length;
  bool source_cut = encoding->cut > 0;
  int32_t *source = as_alloc(encoding->ctx, encoding->length, sizeof *source);
  if (!source) return AS_E_NOMEM;
  memcpy(source, encoding->ids, encoding->length * sizeof *source);
  status = encode(tokenizer, messages, row, reply, strlen(reply), limits->target, encoding);
  if (status == AS_OK)
    status = as_pair_rows_add(pairs, source, source_count, source_cut, encoding->ids, (int64_t)encoding->length,
                              encoding->cut > 0);
  as_free(encoding->ctx, source);
  return status;
}

static as_status add_table(as_pair_data *d, const as_recipe *recipe, const as_messages *messages,
                           const as_part *parts /* NULL: all for validation */) {
  as_pair_limits limits = {recipe->max_length, recipe->max_target_length};
  as_buffer input;
  as_encoding encoding;
  as_buffer_init(&input, d->text.ctx);
  as_encoding_init(&encoding, d->text.ctx);
  as_status status = AS_OK;
  for (int64_t row = 0; status == AS_OK && row < as_messages_count(messages); row += d->text.every) {
    bool trains = parts && parts[row] == AS_PART_TRAIN;
    as_pair_rows *pairs = trains ? &d->train : &d->valid;
    (trains ? d->train_rows : d->valid_rows)[pairs->sources.count] = row;
    status = as_pair_add(pairs, d->text.tokenizer, d->input_template, messages, row, &limits, &input, &encoding);
  }
  as_encoding_free(&encoding);
  as_buffer_free(&input);
  return status;
}

/* Without an end a model would not learn to stop. */
static as_status check_end(const as_pair_data *d, int64_t eos_token_id, const char *where) {
  const as_token_rows *targets = &d->train.targets;
  if (targets->ids[targets->offsets[1] - 1] == eos_token_id) return AS_OK;
  return as_fail(
      d->text.ctx, AS_E_MODEL,
      "%s: the tokenizer does not end texts with the token that config.json calls the end (eos_token_id %lld)", where,
      (long long)eos_token_id);
}

as_status as_pair_data_tokenize(as_pair_data *d, const as_recipe *recipe, int64_t eos_token_id, const char *where) {
  as_context *ctx = d->text.ctx;
  size_t count = (size_t)as_messages_count(d->text.train);
  size_t valid = d->text.valid ? (size_t)as_messages_count(d->text.valid) : count;
  int by_intent = as_messages_label_count(d->text.train, AS_PAIR_INTENT) > 0 ? AS_PAIR_INTENT : -1;
  as_part *parts = as_alloc_zero(ctx, count, sizeof *parts);
  d->train_rows = as_alloc(ctx, count, sizeof *d->train_rows);
  d->valid_rows = as_alloc(ctx, valid, sizeof *d->valid_rows);
  as_status status = parts && d->train_rows && d->valid_rows ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK) status = as_text_data_hold_out(&d->text, recipe, by_intent, parts);
  if (status == AS_OK) status = add_table(d, recipe, d->text.train, parts);
  if (status == AS_OK && d->text.valid) status = add_table(d, recipe, d->text.valid, NULL);
  if (status == AS_OK) status = check_end(d, eos_token_id, where);
  as_free(ctx, parts);
  return status;
}
