/* A report for people, written once and read in two forms: in columns of at most 80 on a terminal, and as Markdown for
 * a file. Text from outside can steer neither: on the terminal it goes through base/columns.h, in Markdown what that or
 * HTML would take for its own is escaped. */
#ifndef AS_BASE_REPORT_H
#define AS_BASE_REPORT_H

#include "base/buffer.h"

/* A column of a table. On a terminal it takes `width` columns: text at the left, followed by a blank; with a negative
 * width numbers at the right, preceded by one. */
typedef struct as_report_column {
  const char *head;
  int width;
} as_report_column;

typedef struct as_report {
  as_buffer *out; /* its errors stick */
  bool markdown;
  const as_report_column *columns; /* [count] of the open table; borrowed */
  size_t count, next;              /* the column of the next cell */
} as_report;

as_report as_report_start(as_buffer *out, bool markdown);
/* A title, in Markdown at level 1 and followed by sections at level 2. */
void as_report_title(as_report *report, const char *text);
void as_report_section(as_report *report, const char *text);
/* A paragraph. On a terminal it is broken at blanks into lines of 80 columns. */
void as_report_paragraph(as_report *report, const char *format, ...) AS_PRINTF(2, 3);
/* A line of a list: a short word, and what is to be said about it. */
void as_report_item(as_report *report, const char *word, const char *format, ...) AS_PRINTF(3, 4);
/* Opens a table, which the next paragraph, section or table ends. Each cell is text; the last of a row ends it. */
void as_report_table(as_report *report, const as_report_column *columns, size_t count);
void as_report_cell(as_report *report, const char *format, ...) AS_PRINTF(2, 3);
/* A number with so many decimals, with its sign if `sign`; "-" for NaN. */
void as_report_number(as_report *report, double value, int decimals, bool sign);
/* "LOW to HIGH"; empty for NaN. */
void as_report_interval(as_report *report, double low, double high, int decimals, bool sign);
/* Lines that stand as they are: a command. */
void as_report_code(as_report *report, const char *text);

/* Appends text with what Markdown or HTML would take for its own escaped; line ends become blanks. */
void as_markdown_text(as_buffer *out, const char *text);
/* Appends a word as a shell takes it. */
void as_shell_word(as_buffer *out, const char *word);

#endif
