/* What data/check.c counts and data/check_report.c shows. */
#ifndef AS_DATA_CHECK_PRIVATE_H
#define AS_DATA_CHECK_PRIVATE_H

#include "data/check.h"

struct as_data_summary {
  as_context *ctx;
  const as_messages *messages;
  const as_data_report *report;
  const as_data_leaks *leaks; /* NULL: no other file was looked at */
  as_length_summary characters, words, tokens;
  bool has_tokens;
  int64_t max_length, truncated; /* tokens; rows that have more */
  as_class_summary *columns;     /* [column_count] */
  size_t column_count;
};

#endif
