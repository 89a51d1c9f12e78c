/* From a CSV file of messages with replies to tokenized pairs for training and validation: the source is the message in
 * the model's input template, the target is the reply; both end with </s>. */
#ifndef AS_TRAIN_PAIR_DATA_H
#define AS_TRAIN_PAIR_DATA_H

#include "models/pair_rows.h"
#include "train/text_data.h"

/* Columns of the table, beside the texts. */
enum { AS_PAIR_RESPONSE, AS_PAIR_INTENT, AS_PAIR_SENTIMENT, AS_PAIR_COLUMNS };
extern const as_column_request as_pair_columns[AS_PAIR_COLUMNS];

typedef struct as_pair_data {
  as_text_data text; /* files, reports, tokenizer; its token rows are not used */
  char *input_template;
  as_pair_rows train, valid;
  int64_t *train_rows, *valid_rows; /* the row of each pair in the table it comes from */
} as_pair_data;

/* Reads the files of the recipe. */
AS_MUST_CHECK as_status as_pair_data_read(as_pair_data *data, as_context *ctx, const as_recipe *recipe);
void as_pair_data_free(as_pair_data *data); /* zeroed memory is allowed */
/* Takes the template: the recipe's, or else that of the folder (may be NULL), or else the usual one. */
AS_MUST_CHECK as_status as_pair_data_template(as_pair_data *data, const as_recipe *recipe, const char *folder);
/* Opens the tokenizer in `folder`, or, with NULL, trains one on sources and replies; the template comes first. */
AS_MUST_CHECK as_status as_pair_data_tokenizer(as_pair_data *data, const as_recipe *recipe, const char *folder);
/* Tokenizes all rows. AS_E_MODEL when the tokenizer does not end texts with `eos_token_id`; `where` is named then. */
AS_MUST_CHECK as_status as_pair_data_tokenize(as_pair_data *data, const as_recipe *recipe, int64_t eos_token_id,
                                              const char *where);

/* The table that validation pairs come from. */
const as_messages *as_pair_data_valid_table(const as_pair_data *data);

/* Limits of length, in tokens with </s>. */
typedef struct as_pair_limits {
  int64_t source, target;
} as_pair_limits;

/* Adds a row of a table with as_pair_columns to `pairs`; `input` and `encoding` are worked with. */
AS_MUST_CHECK as_status as_pair_add(as_pair_rows *pairs, const as_tokenizer *tokenizer, const char *input_template,
                                    const as_messages *messages, int64_t row, const as_pair_limits *limits,
                                    as_buffer *input, as_encoding *encoding);

#endif
