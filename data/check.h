/* What is in a data file, summed up before anything is trained on it: rows, classes, lengths of texts, what is wrong.
 */
#ifndef AS_DATA_CHECK_H
#define AS_DATA_CHECK_H

#include "data/messages.h"

/* A class with fewer rows than this gets a warning: fine-tuned encoders grow noticeably worse below a few hundred. */
#define AS_FEW_ROWS 500
/* The same for the largest class having this many times the rows of the smallest. */
#define AS_IMBALANCE 10.0

/* Nearest-rank percentiles over the rows. */
typedef struct as_length_summary {
  int64_t minimum, p50, p90, p95, p99, maximum;
  double mean;
} as_length_summary;

typedef struct as_class_summary {
  const as_messages *messages; /* borrowed, with the names */
  size_t column;               /* of the table */
  int32_t labels;
  int64_t *counts;       /* [labels] rows, in the order of the labels */
  int32_t *by_count;     /* [labels] labels, the most frequent first, equal ones in their order */
  int64_t labelled;      /* rows that have a label */
  int32_t small;         /* labels with fewer than AS_FEW_ROWS rows */
  double imbalance;      /* rows of the largest class / of the smallest */
  double majority_share; /* of the labelled rows, the largest class: what guessing it would score */
} as_class_summary;

typedef struct as_data_summary as_data_summary;

/* Sums up a table and the report of its reading. Columns of labels that the file does not have are left out. The table
 * and the report must outlive the summary. */
AS_MUST_CHECK as_status as_data_check(as_context *ctx, const as_messages *messages, const as_data_report *report,
                                      as_data_summary **out);
void as_data_summary_free(as_data_summary *summary); /* NULL is allowed */

const as_length_summary *as_data_summary_characters(const as_data_summary *summary); /* code points */
const as_length_summary *as_data_summary_words(const as_data_summary *summary);      /* between white space */
size_t as_data_summary_columns(const as_data_summary *summary);
const as_class_summary *as_data_summary_classes(const as_data_summary *summary, size_t column);

/* Appends a heading and one line per class: name, rows, share; the most frequent first. Training prints this too. */
void as_class_summary_print(const as_class_summary *classes, as_buffer *out);
/* Appends what deserves a warning, one line each: few rows in a class, imbalance, a single class. */
void as_class_summary_warnings(const as_class_summary *classes, as_buffer *out);
/* Appends the whole summary for a person. Control characters in names are shown as '?'. */
void as_data_summary_print(const as_data_summary *summary, as_buffer *out);
/* Appends it as one JSON object. */
void as_data_summary_json(const as_data_summary *summary, as_json_writer *writer);

#endif
