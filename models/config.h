/* config.json of a model folder: typed reading of its fields by a table, the labels, and writing it back.
 *
 * Invariant: nothing from the file reaches a model before its type and range were checked; an error names the file and
 * the field and says what would be right. Fields that nobody here knows are kept when the file is written again. */
#ifndef AS_MODELS_CONFIG_H
#define AS_MODELS_CONFIG_H

#include <jansson.h>

#include "base/context.h"

/* A config.json in memory. */
typedef struct as_model_config {
  as_context *ctx;
  char *path;
  json_t *root; /* an object */
} as_model_config;

/* Reads folder/config.json. AS_E_MODEL when it is absent, not JSON or not an object. Caller frees with
 * as_model_config_free, which is allowed after a failure too. */
AS_MUST_CHECK as_status as_model_config_read(as_context *ctx, const char *folder, as_model_config *config);
void as_model_config_free(as_model_config *config);
/* A field that must be there and be text; borrowed from the configuration. */
AS_MUST_CHECK as_status as_model_config_text(const as_model_config *config, const char *name, const char **text);

/* ---- fields by a table ------------------------------------------------------------------------------------------- */

typedef enum as_config_kind {
  AS_CONFIG_INT,   /* int64_t */
  AS_CONFIG_FLOAT, /* double; an integer in the file is fine */
  AS_CONFIG_BOOL,  /* bool */
  AS_CONFIG_CHOICE, /* an enum, by name */
  /* The same as INT and FLOAT, but null in the file is -1 here, outside the range: there is none. */
  AS_CONFIG_INT_OR_NONE,
  AS_CONFIG_FLOAT_OR_NONE
} as_config_kind;

typedef struct as_config_choice {
  const char *name; /* NULL ends the list */
  int value;
} as_config_choice;

/* One field: how it is called in the file, where it goes in the model's own struct, what it may be. A field that is
 * absent or null becomes `fallback` (of a choice: the enum's value). */
typedef struct as_config_field {
  const char *name;
  as_config_kind kind;
  size_t offset; /* offsetof in the model's struct */
  double fallback;
  double min, max;                 /* INT and FLOAT: the range, both ends included; below 2^53 */
  const as_config_choice *choices; /* CHOICE only */
} as_config_field;

/* Sets every field of *out to its fallback. */
void as_config_defaults(const as_config_field *fields /* [count] */, size_t count, void *out);
/* Reads every field of the table into *out. AS_E_MODEL names file, field, value and range. */
AS_MUST_CHECK as_status as_config_read_fields(const as_model_config *config, const as_config_field *fields,
                                              size_t count, void *out);
/* Checks the ranges of values that did not come from a file (a caller's): AS_E_INVALID names the field. */
AS_MUST_CHECK as_status as_config_check_fields(as_context *ctx, const as_config_field *fields, size_t count,
                                               const void *values);
/* Puts every field of *values into `root`, replacing what is there. False when memory ran out. */
bool as_config_store_fields(json_t *root, const as_config_field *fields, size_t count, const void *values);

/* ---- labels ------------------------------------------------------------------------------------------------------ */

/* The classes of a classifier, by number. */
typedef struct as_labels {
  char **names; /* [count], UTF-8, all different */
  size_t count;
  bool given; /* false: the file names none, and these are the two that transformers then assumes */
} as_labels;

/* Copies `names`; AS_E_INVALID when there are none, two are equal or one is not UTF-8. Free with as_labels_free. */
AS_MUST_CHECK as_status as_labels_set(as_context *ctx, as_labels *labels, const char *const *names /* [count] */,
                                      size_t count);
void as_labels_free(as_context *ctx, as_labels *labels); /* a zeroed struct is allowed */
/* The number of a label, -1 if there is none of this name. */
int64_t as_labels_find(const as_labels *labels, const char *name);

/* Reads id2label: ids from 0 on without a gap, all labels different. Without it, num_labels (default 2) labels LABEL_0,
 * LABEL_1, ... as transformers has it. A label2id that says otherwise gets a warning, and id2label holds. */
AS_MUST_CHECK as_status as_config_read_labels(const as_model_config *config, as_labels *labels);
/* Puts id2label and label2id into `root` and removes num_labels. False when memory ran out. */
bool as_config_store_labels(json_t *root, const as_labels *labels);

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Writes `root` to folder/config.json atomically, laid out as transformers does: keys in order, two spaces. */
AS_MUST_CHECK as_status as_config_write(as_context *ctx, const char *folder, const json_t *root);

#endif
