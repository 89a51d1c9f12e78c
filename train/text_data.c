/* See text_data.h. */
#include "train/text_data.h"

#include <string.h>

#include "base/memory.h"
#include "tokenizer/trainer.h"

#define NO_LABEL (-100)

bool as_has_a_text_a_line(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot && strcmp(dot, ".txt") == 0;
}

static as_status read_file(as_context *ctx, const as_recipe *recipe, const char *path, const as_column_request *columns,
                           size_t count, as_data_report *report, as_messages **out) {
  as_message_options options = {
      .text_column = recipe->text_column,
      .text_column_hint = count > 0 ? NULL : "a file with a text a line is read as such when its name ends in .txt",
      .columns = columns,
      .column_count = count,
      .hold_out = {.share = recipe->hold_out},
      .lines = count == 0 && as_has_a_text_a_line(path),
      .on_error = recipe->skip_bad_rows ? AS_ON_ERROR_SKIP : AS_ON_ERROR_DEFAULT};
  as_status status = as_csv_delimiter_by_name(ctx, recipe->delimiter, &options.csv.delimiter);
  if (status == AS_OK) status = as_encoding_by_name(ctx, recipe->encoding, &options.csv.encoding);
  return status == AS_OK ? as_messages_read(ctx, path, &options, report, out) : status;
}

/* The labels of the training file; the validation file may have no other. */
static as_status take_labels(as_text_data *d) {
  int32_t count = as_messages_label_count(d->train, 0);
  const char **names = as_alloc(d->ctx, (size_t)count, sizeof *names);
  if (!names) return AS_E_NOMEM;
  for (int32_t i = 0; i < count; i++) names[i] = as_messages_label_name(d->train, 0, i);
  as_status status = as_labels_set(d->ctx, &d->labels, names, (size_t)count);
  as_free(d->ctx, names);
  if (status == AS_OK && count < 2)
    status = as_fail(d->ctx, AS_E_DATA,
                     "%s: line %llu: all rows have the label \"%s\"; a classifier needs at least two labels",
                     as_messages_path(d->train), (unsigned long long)as_messages_line(d->train, 0), d->labels.names[0]);
  for (int64_t row = 0; status == AS_OK && d->valid && row < as_messages_count(d->valid); row++) {
    const char *label = as_messages_value(d->valid, 0, row);
    if (as_labels_find(&d->labels, label) < 0)
      status = as_fail(d->ctx, AS_E_DATA, "%s: line %llu: the label \"%s\" does not occur in the training data",
                       as_messages_path(d->valid), (unsigned long long)as_messages_line(d->valid, row), label);
  }
  return status;
}

as_status as_text_data_read_columns(as_text_data *d, as_context *ctx, const as_recipe *recipe,
                                    const as_column_request *columns, size_t count) {
  *d = (as_text_data){.ctx = ctx, .every = 1};
  as_token_rows_init(&d->train_rows, ctx);
  as_token_rows_init(&d->valid_rows, ctx);
  as_status status = read_file(ctx, recipe, recipe->data, columns, count, &d->report, &d->train);
  if (status == AS_OK && recipe->valid)
    status = read_file(ctx, recipe, recipe->valid, columns, count, &d->valid_report, &d->valid);
  return status;
}

as_status as_text_data_read(as_text_data *d, as_context *ctx, const as_recipe *recipe) {
  as_column_request column = {.name = recipe->label_column, .kind = AS_COLUMN_LABEL};
  as_status status = as_text_data_read_columns(d, ctx, recipe, &column, recipe->label_column ? 1 : 0);
  return status == AS_OK && recipe->label_column ? take_labels(d) : status;
}

void as_text_data_free(as_text_data *d) {
  if (!d->ctx) return;
  as_messages_free(d->train);
  as_messages_free(d->valid);
  as_labels_free(d->ctx, &d->labels);
  as_tokenizer_free(d->tokenizer);
  as_token_rows_free(&d->train_rows);
  as_token_rows_free(&d->valid_rows);
  as_free(d->ctx, d->train_lines);
  *d = (as_text_data){0};
}

/* Goes over the training texts, each once. */
typedef struct text_walk {
  const as_messages *messages;
  int64_t row, every;
} text_walk;

static as_status next_text(void *user, const char **text, size_t *length) {
  text_walk *walk = user;
  while (walk->row < as_messages_count(walk->messages) && as_messages_first(walk->messages, walk->row) != walk->row)
    walk->row += walk->every;
  *text = NULL;
  if (walk->row >= as_messages_count(walk->messages)) return AS_OK;
  *text = as_messages_text(walk->messages, walk->row, length);
  walk->row += walk->every;
  return AS_OK;
}

as_status as_text_data_tokenizer(as_text_data *d, const as_recipe *recipe, const char *folder) {
  text_walk walk = {d->train, 0, d->every};
  if (folder) return as_tokenizer_open(d->ctx, folder, &d->tokenizer);
  const char *model = as_encoder_architecture_find(recipe->architecture)->tokenizer; /* as_recipe_check has looked */
  return as_tokenizer_train(d->ctx, model, (size_t)recipe->vocab_size, next_text, &walk, &d->tokenizer);
}

/* ---- tokenizing ------------------------------------------------------------------------------------------------- */
static as_status add_row(const as_text_data *d, const as_messages *messages, int64_t row, const as_labels *labels,
                         const as_encode_options *options, as_encoding *encoding, as_token_rows *rows) {
  size_t length;
  const char *text = as_messages_text(messages, row, &length);
  as_status status = as_tokenizer_encode(d->tokenizer, text, length, NULL, 0, options, encoding);
  if (status == AS_OK && encoding->length == 0)
    status = as_fail(d->ctx, AS_E_MODEL,
                     "the tokenizer makes no token of this text, and its post-processor adds none; a model needs one");
  if (status != AS_OK)
    return as_fail_prefix(d->ctx, status, "%s: line %llu", as_messages_path(messages),
                          (unsigned long long)as_messages_line(messages, row));
  int32_t label = labels ? (int32_t)as_labels_find(labels, as_messages_value(messages, 0, row)) : NO_LABEL;
  return as_token_rows_add(rows, encoding->ids, (int64_t)encoding->length, label, encoding->cut > 0);
}

as_status as_text_data_hold_out(const as_text_data *d, const as_recipe *recipe, int label_column, as_part *parts) {
  as_split_options options = {
      .label_column = label_column, .valid = recipe->valid_share, .seed = (uint64_t)recipe->seed};
  if (d->valid || recipe->valid_none) return AS_OK;
  return as_split_messages(d->ctx, d->train, &options, parts);
}

as_status as_text_data_tokenize(as_text_data *d, const as_recipe *recipe, const as_labels *labels, int64_t max_tokens) {
  int64_t count = as_messages_count(d->train);
  as_encode_options options = {.max_length =
                                   (size_t)(recipe->max_length < max_tokens ? recipe->max_length : max_tokens)};
  size_t added = as_tokenizer_added(d->tokenizer, false);
  if (options.max_length <= added)
    return as_fail(d->ctx, AS_E_INVALID,
                   "max_length %zu leaves nothing of a text beside the %zu special tokens that the tokenizer adds",
                   options.max_length, added);
  as_encoding encoding;
  as_encoding_init(&encoding, d->ctx);
  as_part *parts = as_alloc_zero(d->ctx, (size_t)count, sizeof *parts);
  d->train_lines = as_alloc(d->ctx, (size_t)count, sizeof *d->train_lines);
  as_status status = parts && d->train_lines ? AS_OK : AS_E_NOMEM;
  if (status == AS_OK) status = as_text_data_hold_out(d, recipe, recipe->label_column ? 0 : -1, parts);
  for (int64_t row = 0; status == AS_OK && row < count; row += d->every) {
    bool trains = parts[row] == AS_PART_TRAIN;
    if (trains) d->train_lines[d->train_rows.count] = (int64_t)as_messages_line(d->train, row);
    status = add_row(d, d->train, row, labels, &options, &encoding, trains ? &d->train_rows : &d->valid_rows);
  }
  for (int64_t row = 0; status == AS_OK && d->valid && row < as_messages_count(d->valid); row += d->every)
    status = add_row(d, d->valid, row, labels, &options, &encoding, &d->valid_rows);
  as_encoding_free(&encoding);
  as_free(d->ctx, parts);
  return status;
}

void as_text_data_name_files(as_text_data *d, as_training_run *run) {
  int64_t count = as_messages_count(d->train);
  if (run->sample > 0) run->every = (count + run->sample - 1) / run->sample;
  d->every = run->every;
  as_run_add_file(run, "data", as_messages_path(d->train), as_messages_digest(d->train));
  if (d->valid) as_run_add_file(run, "valid", as_messages_path(d->valid), as_messages_digest(d->valid));
}

as_status as_text_data_check_tokenizer(const as_text_data *d, const as_encoder *encoder, const char *where) {
  return as_encoder_check_tokenizer(encoder, as_tokenizer_vocab_size(d->tokenizer),
                                    as_tokenizer_added(d->tokenizer, false), where);
}

void as_text_data_summarize(const as_text_data *d, as_training_summary *s) {
  s->report = &d->report;
  s->valid_report = d->valid ? &d->valid_report : NULL;
  s->truncated = d->train_rows.truncated;
}
