/* From a CSV file to tokenized training and validation rows, with the tokenizer and the labels of the model. */
#ifndef AS_TRAIN_CLASSIFIER_DATA_H
#define AS_TRAIN_CLASSIFIER_DATA_H

#include "data/messages.h"
#include "models/config.h"
#include "models/token_rows.h"
#include "tokenizer/tokenizer.h"
#include "train/recipe.h"

typedef struct as_classifier_data {
  as_context *ctx;
  as_messages *train, *valid; /* valid is NULL when rows are held out of `train`, or without validation */
  as_data_report report, valid_report;
  as_labels labels; /* ordered by byte */
  as_tokenizer *tokenizer;
  as_token_rows train_rows, valid_rows;
  int64_t *train_lines; /* [train_rows.count] line in the file of each training row */
} as_classifier_data;

/* Reads the files of the recipe and splits off the validation rows. */
AS_MUST_CHECK as_status as_classifier_data_read(as_classifier_data *data, as_context *ctx, const as_recipe *recipe);
/* Opens the tokenizer in `folder`, or, with NULL, trains one on the training texts. */
AS_MUST_CHECK as_status as_classifier_data_tokenizer(as_classifier_data *data, const as_recipe *recipe,
                                                     const char *folder);
/* Tokenizes all rows; the labels of rows are their numbers in `labels`, which has the same names as data->labels. */
AS_MUST_CHECK as_status as_classifier_data_tokenize(as_classifier_data *data, const as_recipe *recipe,
                                                    const as_labels *labels, int64_t max_tokens);
void as_classifier_data_free(as_classifier_data *data);

#endif
