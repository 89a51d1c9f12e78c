/* From a file of texts, with labels or without, to tokenized training and validation rows, with the tokenizer and the
 * labels of the model. A recipe without a label column reads texts alone, also from a file that has one a line (its
 * name ends in ".txt"). */
#ifndef AS_TRAIN_TEXT_DATA_H
#define AS_TRAIN_TEXT_DATA_H

#include "data/messages.h"
#include "data/split.h"
#include "models/encoder.h"
#include "models/token_rows.h"
#include "tokenizer/tokenizer.h"
#include "train/run.h"

typedef struct as_text_data {
  as_context *ctx;
  as_messages *train, *valid; /* valid is NULL when rows are held out of `train`, or without validation */
  as_data_report report, valid_report;
  as_labels labels; /* ordered by byte; none without a label column */
  as_tokenizer *tokenizer;
  as_token_rows train_rows, valid_rows;
  int64_t *train_lines; /* [train_rows.count] line in the file of each training row */
  int64_t every;        /* only rows 0, every, 2 every ... of the files are looked at; 1: all, as for any run */
} as_text_data;

/* Whether texts alone are read from a file of this name as lines, not as CSV: it ends in ".txt". */
bool as_has_a_text_a_line(const char *path);
/* Reads the files of the recipe and splits off the validation rows. */
AS_MUST_CHECK as_status as_text_data_read(as_text_data *data, as_context *ctx, const as_recipe *recipe);
/* The same with these columns [count] beside the texts in place of the labels; data->labels stay empty. */
AS_MUST_CHECK as_status as_text_data_read_columns(as_text_data *data, as_context *ctx, const as_recipe *recipe,
                                                  const as_column_request *columns, size_t count);
/* Which rows of the training file are held out for validation, by the labels of a column (-1: none): fills `parts`,
 * zeroed, [rows of data->train], unless there is a file for validation or none is wanted. */
AS_MUST_CHECK as_status as_text_data_hold_out(const as_text_data *data, const as_recipe *recipe, int label_column,
                                              as_part *parts);
/* Opens the tokenizer in `folder`, or, with NULL, trains one on the training texts. */
AS_MUST_CHECK as_status as_text_data_tokenizer(as_text_data *data, const as_recipe *recipe, const char *folder);
/* Tokenizes all rows; the labels of rows are their numbers in `labels`, which has the same names as data->labels, or
 * -100 when it is NULL. */
AS_MUST_CHECK as_status as_text_data_tokenize(as_text_data *data, const as_recipe *recipe, const as_labels *labels,
                                              int64_t max_tokens);
void as_text_data_free(as_text_data *data);

/* Names the files to the run, for the record, and agrees with it on the rows to look at. */
void as_text_data_name_files(as_text_data *data, as_training_run *run);
/* as_encoder_check_tokenizer with the data's tokenizer. */
AS_MUST_CHECK as_status as_text_data_check_tokenizer(const as_text_data *data, const as_encoder *encoder,
                                                     const char *where);
/* Reports and truncated rows. */
void as_text_data_summarize(const as_text_data *data, as_training_summary *summary);

#endif
