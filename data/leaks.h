/* Rows that stand in two files: what is measured on a text that was learned says nothing. */
#ifndef AS_DATA_LEAKS_H
#define AS_DATA_LEAKS_H

#include "data/messages.h"

typedef struct as_data_leaks {
  const as_messages *other; /* borrowed */
  int64_t rows;             /* whose text the other table has too */
  int64_t other_labels;     /* of them, rows with another label there, in a column that both tables have */
  as_data_finding examples; /* `earlier`: the line of the other file */
} as_data_leaks;

/* Looks for the texts of `messages` among those of `other`. Texts are alike when they differ in case and white space
 * only. Both tables were read with the same columns; `other` must outlive the result. */
AS_MUST_CHECK as_status as_data_find_leaks(as_context *ctx, const as_messages *messages, const as_messages *other,
                                           as_data_leaks *out);

#endif
