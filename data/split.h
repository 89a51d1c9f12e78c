/* Dividing a table into training, validation and test rows, by one of four rules:
 *
 *   class   every label gives its share, and all rows of the same text (byte for byte) are on one side, so that nothing
 *           is measured on what was learned
 *   time    the newest rows are for tests, those before them for validation; rows of the same second stay together
 *   group   all rows with the same value of a column are on one side: a customer's, an author's
 *   hash    a row's side depends on its content alone (data/hold_out.h): it is the same in every file the row is in
 *
 * With class and group a text's or group's place depends on the seed, itself and its label's quota only: not on the
 * order of the rows, nor on where the machine runs. Within a label its texts are ordered by a Philox draw keyed by seed
 * and text; the first of them, up to the label's quota of rows, are the test part, the next ones the validation part,
 * the rest is for training. */
#ifndef AS_DATA_SPLIT_H
#define AS_DATA_SPLIT_H

#include "data/messages.h"

typedef enum as_part { AS_PART_TRAIN, AS_PART_VALID, AS_PART_TEST } as_part;

typedef enum as_split_rule { AS_RULE_CLASS, AS_RULE_TIME, AS_RULE_GROUP, AS_RULE_HASH } as_split_rule;
/* "class|time|group|hash" */
as_split_rule as_split_rule_by_name(const char *name);

typedef struct as_split_options {
  int label_column; /* a label column of the table, by whose labels to stratify; -1: none */
  double valid;     /* share of the rows, in [0, 1); 0: no such part */
  double test;      /* the same; valid + test < 1 */
  uint64_t seed;
  as_split_rule rule;
  int column;  /* TIME: the text column with the times; GROUP: the label column with the groups */
  bool paired; /* HASH: a row's content is its text, a customer, with the text column `column`, a product */
} as_split_options;

/* Fills parts[as_messages_count]. CLASS: a label's quota is its share of rows, rounded, but at least one row when the
 * label has enough different texts to leave one for training; a label with a single text stays in training. A text
 * whose rows would overfill the quota is passed over, unless the part would then have none of the label. Texts with
 * contradicting labels count for the label of their first row. GROUP: the same with groups for texts, all of one label;
 * rows without a group are in training. AS_E_INVALID: shares out of range or a column that is not of the kind.
 * AS_E_DATA, with file and line: a time that can't be read; by the other rules than CLASS, a part that would be empty.
 */
AS_MUST_CHECK as_status as_split_messages(as_context *ctx, const as_messages *messages, const as_split_options *options,
                                          as_part *parts);

/* Splits a CSV file into DIR/train.csv, DIR/valid.csv and DIR/test.csv (those that are asked for), as UTF-8, with all
 * of its columns and its delimiter. The rows that `messages` left out appear nowhere. `parts` as as_split_messages gave
 * them; [3] row counts by as_part are written to `counts`. `csv` as for the table, which must come from a file.
 * AS_E_INVALID: one of the three would replace the file that is split, or, unless `overwrite`, any other. AS_E_DATA:
 * the file is no longer the one that was read. */
AS_MUST_CHECK as_status as_split_write(as_context *ctx, const as_messages *messages, const as_csv_options *csv,
                                       const as_part *parts, const as_split_options *options, const char *folder,
                                       bool overwrite, int64_t counts[3]);

#endif
