/* What is wrong or noteworthy in a data file of any kind, counted by kind with the first line numbers: what training
 * prints before it starts and what `data check` prints. */
#ifndef AS_DATA_REPORT_H
#define AS_DATA_REPORT_H

#include "base/buffer.h"
#include "base/json.h"

typedef enum as_data_problem {
  AS_PROBLEM_NONE,
  /* broken rows: stop the reading unless rows may be skipped */
  AS_PROBLEM_STRAY_QUOTE,        /* a quote inside an unquoted field, or text after a closing quote */
  AS_PROBLEM_UNTERMINATED_QUOTE, /* the file ends inside a quoted field */
  AS_PROBLEM_SHORT_ROW,          /* fewer fields than the header has columns */
  AS_PROBLEM_LONG_ROW,           /* more */
  AS_PROBLEM_NUL_BYTE,
  AS_PROBLEM_INVALID_UTF8,
  /* the same, of interactions and products */
  AS_PROBLEM_EMPTY_ID,
  AS_PROBLEM_DUPLICATE_ID,
  AS_PROBLEM_BAD_PRICE,
  AS_PROBLEM_UNKNOWN_TYPE,
  AS_PROBLEM_BAD_TIME,
  AS_PROBLEM_UNKNOWN_PRODUCT,
  /* empty rows: left out unless the caller wants them to stop the reading */
  AS_PROBLEM_EMPTY_ROW, /* every field is empty */
  AS_PROBLEM_EMPTY_TEXT,
  AS_PROBLEM_EMPTY_LABEL,
  /* sound rows that a person should know about: kept */
  AS_PROBLEM_DUPLICATE,     /* the same text, the same labels as an earlier row */
  AS_PROBLEM_CONTRADICTION, /* the same text as an earlier row, another label */
  /* what as_data_check looks for besides (data/text_faults.h): kept */
  AS_PROBLEM_MOJIBAKE,    /* UTF-8 that was once read as Windows-1252: "Ã¤" for "ä" */
  AS_PROBLEM_REPLACEMENT, /* U+FFFD, which stands where a character was lost */
  AS_PROBLEM_CONTROL,     /* control characters, invisible marks, a byte order mark within the text */
  AS_PROBLEM_FUTURE,      /* of interactions: a time that has not come yet */
  AS_PROBLEM_COUNT
} as_data_problem;

typedef enum as_problem_class { AS_CLASS_NONE, AS_CLASS_BROKEN, AS_CLASS_EMPTY, AS_CLASS_KEPT } as_problem_class;

typedef enum as_on_error {
  AS_ON_ERROR_DEFAULT, /* broken rows fail, empty ones are left out */
  AS_ON_ERROR_FAIL,    /* both fail */
  AS_ON_ERROR_SKIP     /* both are left out */
} as_on_error;

/* "fail" or "skip"; NULL gives DEFAULT; AS_E_INVALID otherwise. */
AS_MUST_CHECK as_status as_on_error_by_name(as_context *ctx, const char *name, as_on_error *out);

as_problem_class as_data_problem_class(as_data_problem problem);
const char *as_data_problem_key(as_data_problem problem);  /* as in JSON: "short_rows" */
const char *as_data_problem_text(as_data_problem problem); /* after a count: "rows with fewer fields than columns" */
/* Whether a row with this problem ends the reading. */
bool as_data_problem_fails(as_data_problem problem, as_on_error on_error);

enum { AS_DATA_EXAMPLES = 8 };

typedef struct as_data_finding {
  int64_t count;
  uint64_t lines[AS_DATA_EXAMPLES];   /* physical lines on which the first of these rows start */
  uint64_t earlier[AS_DATA_EXAMPLES]; /* duplicates, contradictions: the line of the first row with that text; quotes
                                         that never close: the line that opened them; else 0 */
} as_data_finding;

/* Whose kinds of problems a report shows also where there are none. */
typedef enum as_data_table { AS_TABLE_MESSAGES, AS_TABLE_INTERACTIONS, AS_TABLE_PRODUCTS } as_data_table;

typedef struct as_data_report {
  as_data_table table;
  int64_t rows;        /* read, without header and blank lines */
  int64_t kept;        /* rows - those left out */
  int64_t other_side;  /* sound rows that were not wanted: held out, or not held out (data/hold_out.h) */
  int64_t blank_lines; /* skipped without a word, as every CSV reader does */
  as_data_finding findings[AS_PROBLEM_COUNT];
} as_data_report;

/* Rows with broken structure, and the line of the first of them (0: none). */
int64_t as_data_report_broken(const as_data_report *report, uint64_t *first_line);
void as_data_report_add(as_data_report *report, as_data_problem problem, uint64_t line, uint64_t earlier);
/* One line per kind that occurred: "2 rows with an empty text, left out (lines 4, 9)\n". */
void as_data_report_print(const as_data_report *report, as_buffer *out);
/* The same lines as warnings, each with "path: " before it. */
void as_data_report_warn(as_context *ctx, const as_data_report *report, const char *path);
/* Members lines and, if wanted, earlier in an open object. */
void as_data_finding_json(const as_data_finding *finding, bool earlier, as_json_writer *writer);
/* Members rows, kept, blank_lines and problems: {key: {count, action, lines, earlier}} in an open object. */
void as_data_report_json(const as_data_report *report, as_json_writer *writer);

#endif
