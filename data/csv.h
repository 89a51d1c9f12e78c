/* Reading CSV by column name, one row at a time, from a file or a pipe (over libcsv, strict RFC 4180: a quote inside an
 * unquoted field is an error). Rows end with LF, CR LF or CR; a UTF-8 byte order mark is skipped; spaces are kept.
 *
 * Invariant: memory is bounded by one row (row_limit), not by the file; every row knows the physical line it starts on.
 */
#ifndef AS_DATA_CSV_H
#define AS_DATA_CSV_H

#include "data/encoding.h"
#include "data/report.h"

typedef struct as_csv_options {
  char delimiter;            /* 0: ',' */
  as_text_encoding encoding; /* AUTO: UTF-8, anything else refused by name */
  size_t row_limit;          /* most bytes in a row; 0: 16 MiB */
} as_csv_options;

/* "," ";" "|" or a tab, also by name: comma, semicolon, pipe, tab, \t. NULL gives ','. AS_E_INVALID otherwise. */
AS_MUST_CHECK as_status as_csv_delimiter_by_name(as_context *ctx, const char *name, char *out);

typedef struct as_csv_field {
  const char *text; /* ended by a NUL that `length` does not count */
  size_t length;
} as_csv_field;

/* A row; borrowed until the next call on its reader. */
typedef struct as_csv_row {
  const as_csv_field *fields; /* [count] */
  size_t count;               /* the number of columns, unless `problem` says otherwise */
  uint64_t line;              /* physical line of its first byte, 1-based */
  as_data_problem problem;    /* NONE, a broken row, or EMPTY_ROW */
  uint64_t problem_line;      /* where the offending quote stands; else `line` */
  size_t problem_column;      /* 0-based, where the problem lies in one field */
} as_csv_row;

typedef struct as_csv_reader as_csv_reader;

/* Opens `path` ("-": standard input) and reads the header. `options` may be NULL. AS_E_DATA: absent, unreadable, empty,
 * another encoding, a broken header. Caller closes. */
AS_MUST_CHECK as_status as_csv_open(as_context *ctx, const char *path, const as_csv_options *options,
                                    as_csv_reader **out);
/* The same on an open descriptor, read from where it stands and left open; `name` is used in messages. */
AS_MUST_CHECK as_status as_csv_open_fd(as_context *ctx, int fd, const char *name, const as_csv_options *options,
                                       as_csv_reader **out);
void as_csv_close(as_csv_reader *reader); /* NULL is allowed */

const char *as_csv_name(const as_csv_reader *reader); /* the path, or "standard input" */
char as_csv_delimiter(const as_csv_reader *reader);
size_t as_csv_column_count(const as_csv_reader *reader);
const as_csv_field *as_csv_header(const as_csv_reader *reader); /* [as_csv_column_count] */

/* Position of the column `name`. AS_E_DATA when it is absent or there twice; the text lists the columns that are there
 * and says so when another delimiter would give it. */
AS_MUST_CHECK as_status as_csv_column(as_csv_reader *reader, const char *name, size_t *index);
bool as_csv_has_column(const as_csv_reader *reader, const char *name);

/* Next row, or *row = NULL at the end. A broken row is not a failure here: the caller looks at row->problem and either
 * goes on or returns as_csv_fail_row. AS_E_DATA: reading failed, or a row is larger than the limit. */
AS_MUST_CHECK as_status as_csv_next(as_csv_reader *reader, const as_csv_row **row);
/* Records the error that row->problem stands for ("F: line 7: 2 fields, ...") and returns AS_E_DATA. */
as_status as_csv_fail_row(as_csv_reader *reader, const as_csv_row *row);

int64_t as_csv_blank_lines(const as_csv_reader *reader); /* so far */
/* SHA-256 of all bytes of the file; valid once as_csv_next has given NULL. */
void as_csv_digest(const as_csv_reader *reader, unsigned char digest[32]);

/* Whether there is nothing but white space (ASCII, no-break space) in `length` bytes. */
bool as_text_is_blank(const char *text, size_t length);

#endif
