/* A table of messages: a text a row and any number of named columns (labels or further texts), read from CSV, or from a
 * file with a text a line, and held in memory. What classifiers and the response generator are trained, evaluated and
 * split on.
 *
 * Invariants: every text is valid UTF-8, not blank, without NUL; the labels of a column are numbered in the order of
 * their bytes; rows stand in the order of the file. Texts lie in one block with 64-bit offsets. */
#ifndef AS_DATA_MESSAGES_H
#define AS_DATA_MESSAGES_H

#include "data/csv.h"
#include "data/hold_out.h"
#include "data/report.h"

typedef enum as_column_kind {
  AS_COLUMN_LABEL, /* one of a few values; white space at both ends is dropped */
  AS_COLUMN_TEXT   /* kept as it stands */
} as_column_kind;

typedef struct as_column_request {
  const char *name;
  as_column_kind kind;
  bool may_be_absent; /* a file without the column is fine; every row's value is then empty */
  bool may_be_empty;  /* a row with an empty value is fine */
} as_column_request;

typedef struct as_message_options {
  as_csv_options csv;
  const char *text_column;          /* NULL: "content" */
  const char *text_column_hint;     /* more to say when there is no such column; NULL: nothing */
  const as_column_request *columns; /* [column_count], borrowed for the call */
  size_t column_count;
  as_on_error on_error;
  as_hold_out hold_out; /* which rows are read, by their texts; a column's labels are those of the rows that are */
  bool lines; /* not CSV but a text a line, of at most 1 MiB; without columns */
} as_message_options;

typedef struct as_messages as_messages;

/* Reads `path` ("-": standard input). *report (may be NULL) is filled as far as the reading came, also on failure.
 * AS_E_DATA: everything the CSV reader refuses, a missing column, a row that on_error does not forgive, no row left;
 * the text names file and line. Caller frees. */
AS_MUST_CHECK as_status as_messages_read(as_context *ctx, const char *path, const as_message_options *options,
                                         as_data_report *report, as_messages **out);
void as_messages_free(as_messages *messages); /* NULL is allowed */

int64_t as_messages_count(const as_messages *messages);
/* Texts end with a NUL that *length (may be NULL) does not count; borrowed. */
const char *as_messages_text(const as_messages *messages, int64_t row, size_t *length);
uint64_t as_messages_line(const as_messages *messages, int64_t row); /* physical line in the file */
/* The first row with the same text: `row` itself unless it is a duplicate. */
int64_t as_messages_first(const as_messages *messages, int64_t row);

/* Columns are numbered as in the request. */
size_t as_messages_column_count(const as_messages *messages);
const char *as_messages_column_name(const as_messages *messages, size_t column);
bool as_messages_column_present(const as_messages *messages, size_t column);
/* The value of a text or label column, "" when empty; borrowed. */
const char *as_messages_value(const as_messages *messages, size_t column, int64_t row);
/* Label columns: the number of different labels, their names in the order of their bytes, the label of a row (-1:
 * empty). */
int32_t as_messages_label_count(const as_messages *messages, size_t column);
const char *as_messages_label_name(const as_messages *messages, size_t column, int32_t label);
int32_t as_messages_label(const as_messages *messages, size_t column, int64_t row);
/* Number of a label's name, -1 if the column does not have it. */
int32_t as_messages_label_find(const as_messages *messages, size_t column, const char *name);

const char *as_messages_path(const as_messages *messages);
const unsigned char *as_messages_digest(const as_messages *messages); /* [32] SHA-256 of the file's bytes */

#endif
