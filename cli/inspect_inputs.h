/* The inputs of inspect: a JSON file of token ids, labels and training options, as docs/formats.md describes it.
 *
 * Invariant: what comes out was checked against the model's sizes; an error is AS_E_DATA and names the file and the
 * field, with its place in lists ("inputs.json: batches[3].labels[0] ..."). */
#ifndef AS_CLI_INSPECT_INPUTS_H
#define AS_CLI_INSPECT_INPUTS_H

#include <jansson.h>

#include "base/context.h"

#define AS_NO_LABEL (-100) /* as in PyTorch: a row that the loss leaves out */

/* An object of the file, and how errors name its fields. */
typedef struct as_inspect_object {
  as_context *ctx;
  const char *file;     /* borrowed */
  char where[200];      /* what stands in front of a field's name: "", "batches[3]." */
  const json_t *object; /* borrowed */
} as_inspect_object;

/* Reads the file; *root is freed with json_decref and must outlive *out and what is taken from it. */
AS_MUST_CHECK as_status as_inspect_inputs_read(as_context *ctx, const char *file, json_t **root,
                                               as_inspect_object *out);

/* "FILE: WHEREname..." as AS_E_DATA; the format begins with what follows the field's name: " must be ...", "[3] is
 * ...". */
as_status as_inspect_fail(const as_inspect_object *o, const char *name, const char *format, ...) AS_PRINTF(3, 4);
/* Whether the field is there and not null. */
bool as_inspect_has(const as_inspect_object *o, const char *name);
/* Warns of fields that are not among `known`, ended by NULL: a misspelt option would change nothing in silence. */
void as_inspect_warn_unknown(const as_inspect_object *o, const char *const *known);

/* The field, an object. */
AS_MUST_CHECK as_status as_inspect_member(const as_inspect_object *o, const char *name, as_inspect_object *out);
/* The field, a list; borrowed. */
AS_MUST_CHECK as_status as_inspect_list(const as_inspect_object *o, const char *name, const json_t **out);
/* Element `index` of the field, a list of objects with more elements than that. */
AS_MUST_CHECK as_status as_inspect_element(const as_inspect_object *o, const char *name, size_t index,
                                           as_inspect_object *out);
AS_MUST_CHECK as_status as_inspect_number(const as_inspect_object *o, const char *name, double min, double max,
                                          double *out);
AS_MUST_CHECK as_status as_inspect_integer(const as_inspect_object *o, const char *name, int64_t min, int64_t max,
                                           int64_t *out);
/* A text; borrowed. */
AS_MUST_CHECK as_status as_inspect_text(const as_inspect_object *o, const char *name, const char **out);

/* Rows of token ids, padded to one width. The real tokens come first; what is behind is padding and is not checked. */
typedef struct as_inspect_rows {
  as_context *ctx;
  int64_t count, width;
  int32_t *ids;     /* [count, width] */
  int64_t *lengths; /* [count], from 1 to width */
} as_inspect_rows;

/* Which fields hold rows, and what the model takes. */
typedef struct as_inspect_row_fields {
  const char *ids;     /* "input_ids" */
  const char *mask;    /* "attention_mask": ones, then zeros; NULL: not looked for */
  const char *lengths; /* "lengths"; NULL: not looked for. With neither every id is a token */
  int64_t vocab_size;
  int64_t max_tokens; /* of a row */
  bool labels;        /* the ids are labels: AS_NO_LABEL may stand among them, and is padding at the end of rows */
} as_inspect_row_fields;

/* Reads rows; as_inspect_rows_free may be called after a failure too. */
AS_MUST_CHECK as_status as_inspect_rows_read(const as_inspect_object *o, const as_inspect_row_fields *fields,
                                             as_inspect_rows *rows);
void as_inspect_rows_free(as_inspect_rows *rows);

/* labels[count] from the field: each in [0, classes) or AS_NO_LABEL. Without the field all are AS_NO_LABEL. */
AS_MUST_CHECK as_status as_inspect_labels(const as_inspect_object *o, const char *name, int64_t classes, int64_t count,
                                          int32_t *labels);
/* weights[classes] from the field, which must be there: numbers that are not negative. */
AS_MUST_CHECK as_status as_inspect_class_weights(const as_inspect_object *o, const char *name, int64_t classes,
                                                 float *weights);
/* Checks that a field of the rows' shape, if there is one, has these values [tokens], packed, where tokens are. */
AS_MUST_CHECK as_status as_inspect_same_tokens(const as_inspect_object *o, const char *name,
                                               const as_inspect_rows *rows, const int32_t *values);

#endif
