/* Dividing a table into training, validation and test rows: stratified by label, seeded, and with all rows of the same
 * text (byte for byte) on one side, so that nothing is measured on what was learned.
 *
 * A text's place depends on the seed, the text and its label's quota only: not on the order of the rows, nor on where
 * the machine runs. Within a label its texts are ordered by a Philox draw keyed by seed and text; the first of them, up
 * to the label's quota of rows, are the test part, the next ones the validation part, the rest is for training. */
#ifndef AS_DATA_SPLIT_H
#define AS_DATA_SPLIT_H

#include "data/messages.h"

typedef enum as_part { AS_PART_TRAIN, AS_PART_VALID, AS_PART_TEST } as_part;

typedef struct as_split_options {
  int label_column; /* a label column of the table, by whose labels to stratify; -1: none */
  double valid;     /* share of the rows, in [0, 1); 0: no such part */
  double test;      /* the same; valid + test < 1 */
  uint64_t seed;
} as_split_options;

/* Fills parts[as_messages_count]. A label's quota is its share of rows, rounded, but at least one row when the label
 * has enough different texts to leave one for training; a label with a single text stays in training. A text whose rows
 * would overfill the quota is passed over, unless the part would then have none of the label. Texts with contradicting
 * labels count for the label of their first row. AS_E_INVALID: shares out of range or a column that is not a label
 * column. */
AS_MUST_CHECK as_status as_split_messages(as_context *ctx, const as_messages *messages, const as_split_options *options,
                                          as_part *parts);

/* Splits a CSV file into DIR/train.csv, DIR/valid.csv and DIR/test.csv (those that are asked for), as UTF-8, with all
 * of its columns and its delimiter. The rows that `messages` left out appear nowhere. `parts` as as_split_messages gave
 * them; [3] row counts by as_part are written to `counts`. `csv` as for the table, which must come from a file.
 * AS_E_INVALID: one of the three would replace the file that is split. AS_E_DATA: the file is no longer the one that
 * was read. */
AS_MUST_CHECK as_status as_split_write(as_context *ctx, const as_messages *messages, const as_csv_options *csv,
                                       const as_part *parts, const as_split_options *options, const char *folder,
                                       int64_t counts[3]);

#endif
