/* What is in a data file, summed up before anything is trained on it: rows, classes, lengths of texts, what is wrong.
 */
#ifndef AS_DATA_CHECK_H
#define AS_DATA_CHECK_H

#include "data/leaks.h"

/* A class with fewer rows than this gets a warning: fine-tuned encoders grow noticeably worse below a few hundred. */
#define AS_FEW_ROWS 500
/* The same for the largest class having this many times the rows of the smallest. */
#define AS_IMBALANCE 10.0

#define AS_LENGTH_BINS 32

/* Nearest-rank percentiles over the rows, and a histogram. */
typedef struct as_length_summary {
  int64_t minimum, p50, p90, p95, p99, maximum;
  double mean;
  int64_t bins[AS_LENGTH_BINS]; /* rows of length up to 1, 2, 4, 8 ...; the last one has all that are longer */
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

/* Sums up a table and the report of its reading, to which it adds the rows whose text is suspicious
 * (data/text_faults.h). Columns of labels that the file does not have are left out. The table and the report must
 * outlive the summary. */
AS_MUST_CHECK as_status as_data_check(as_context *ctx, const as_messages *messages, as_data_report *report,
                                      as_data_summary **out);
/* Adds what only a tokenizer knows: lengths[rows] in tokens, which are put in order, and how many rows are longer than
 * max_length (0: any length is well). */
void as_data_summary_add_tokens(as_data_summary *summary, int64_t *lengths, int64_t max_length);
/* Adds what another file has in common with this one; borrowed. */
void as_data_summary_add_leaks(as_data_summary *summary, const as_data_leaks *leaks);
void as_data_summary_free(as_data_summary *summary); /* NULL is allowed */

const as_length_summary *as_data_summary_characters(const as_data_summary *summary); /* code points */
const as_length_summary *as_data_summary_words(const as_data_summary *summary);      /* between white space */
/* NULL without tokens. */
const as_length_summary *as_data_summary_tokens(const as_data_summary *summary);
int64_t as_data_summary_truncated(const as_data_summary *summary); /* rows longer than max_length */
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
