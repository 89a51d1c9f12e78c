/* Writing CSV: the one place that knows how to quote a field. */
#ifndef AS_DATA_CSV_WRITE_H
#define AS_DATA_CSV_WRITE_H

#include "data/csv.h"

/* Appends a row and a line feed. A field is put in quotes when it holds the delimiter, a quote, CR or LF, begins or
 * ends with white space, or is the row's only one and empty; quotes in it are doubled. Read back it is the same bytes.
 */
void as_csv_append_row(as_buffer *out, const as_csv_field *fields, size_t count, char delimiter);

/* A field from a C string, borrowed. */
as_csv_field as_csv_text(const char *text);
/* A field from a number, in the shortest decimal form that reads back as the same, with a point in every locale; it
 * lies in `room`. */
as_csv_field as_csv_number(as_buffer *room, double value);

#endif
