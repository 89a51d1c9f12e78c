/* Private: reading the fields of one JSON line that came from outside. Each reader fails with AS_E_DATA and a text that
 * names the field and the element; the caller puts the line's number before it. */
#ifndef AS_EVAL_JSON_FIELDS_H
#define AS_EVAL_JSON_FIELDS_H

#include "base/json.h"

/* True when the line has the field and it is not null. */
bool as_line_present(const json_t *line, const char *name);

AS_MUST_CHECK as_status as_line_int(as_context *ctx, const json_t *line, const char *name, int64_t least, int64_t most,
                                    int64_t *out);
AS_MUST_CHECK as_status as_line_number(as_context *ctx, const json_t *line, const char *name, double *out);

/* The field as an array; borrowed. */
AS_MUST_CHECK as_status as_line_array(as_context *ctx, const json_t *line, const char *name, const json_t **out);

/* An array of integers in [0, below). *out is freed by the caller with as_free; an empty array gives a pointer too. */
AS_MUST_CHECK as_status as_line_labels(as_context *ctx, const json_t *line, const char *name, int64_t below,
                                       int32_t **out, int64_t *count);

/* An array of numbers, and one of equally long arrays of numbers, row after row: [rows, columns]. With no rows *columns
 * is 0. *out as above. */
AS_MUST_CHECK as_status as_line_numbers(as_context *ctx, const json_t *line, const char *name, double **out,
                                        int64_t *count);
AS_MUST_CHECK as_status as_line_matrix(as_context *ctx, const json_t *line, const char *name, double **out,
                                       int64_t *rows, int64_t *columns);

/* The values of an array that is no field of its own; `what` names it in errors. */
AS_MUST_CHECK as_status as_array_integers(as_context *ctx, const json_t *array, const char *what, int64_t least,
                                          int64_t below, int64_t **out, int64_t *count);

/* A string; borrowed. */
AS_MUST_CHECK as_status as_line_string(as_context *ctx, const json_t *line, const char *name, const char **out,
                                       size_t *length);

#endif
