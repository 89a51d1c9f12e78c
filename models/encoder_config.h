/* config.json of an encoder with its head: what every architecture does with its file, told by a format
 * what the architecture's own struct is like.
 *
 * Invariant: after as_encoder_config_read every field of the struct is within its range and the fields agree with each
 * other; what the file holds besides is kept and written again. */
#ifndef AS_MODELS_ENCODER_CONFIG_H
#define AS_MODELS_ENCODER_CONFIG_H

#include "models/config.h"

/* A field that is no part of the struct because only one value of it is supported. Absent and null are fine. */
typedef struct as_encoder_config_demand {
  const char *name; /* NULL ends the list */
  const char *text; /* the value; NULL: the field must be false */
} as_encoder_config_demand;

/* A FLOAT field with the range from 0 to 1 is the probability of being dropped; 1 itself is refused. */
typedef struct as_encoder_config_format {
  const char *model_type;        /* as in config.json: "distilbert" */
  const char *class_name;        /* the model with its head in transformers: "DistilBertForSequenceClassification" */
  const char *masked_lm_name;    /* the same with the head of a masked language model */
  const as_config_field *fields; /* [field_count] */
  size_t field_count;
  const as_encoder_config_demand *demands;
  size_t size, labels, source; /* sizeof the struct, offsetof its as_labels and of its json_t *source */
  /* What the fields must be to each other: fails with `kind` and a text that begins with `where`. */
  as_status (*relate)(as_context *ctx, as_status kind, const char *where, const void *config);
} as_encoder_config_format;

/* The defaults of transformers; no labels. Allocates nothing. */
void as_encoder_config_default(const as_encoder_config_format *format, void *config);

/* Reads folder/config.json and checks it; allocates for the labels and the JSON only, whatever sizes the file gives.
 * AS_E_MODEL names the file and the field; AS_E_UNSUPPORTED for a demand that is not met. Free with
 * as_encoder_config_free, which is allowed after a failure too. */
AS_MUST_CHECK as_status as_encoder_config_read(as_context *ctx, const as_encoder_config_format *format,
                                               const char *folder, void *config);
void as_encoder_config_free(as_context *ctx, const as_encoder_config_format *format, void *config);

/* Checks a configuration that did not come from a file: AS_E_INVALID names the field. */
AS_MUST_CHECK as_status as_encoder_config_check(as_context *ctx, const as_encoder_config_format *format,
                                                const void *config);

as_labels *as_encoder_config_labels(const as_encoder_config_format *format, void *config);

/* Whether the output layer of a masked language model is the table of word embeddings: unless the file says otherwise.
 */
bool as_encoder_config_ties(const as_encoder_config_format *format, const void *config);

/* Writes folder/config.json such that transformers opens the folder as the format's class in float32 with these labels,
 * or as a masked language model without any; fields of `source` that are not in the struct are kept. */
AS_MUST_CHECK as_status as_encoder_config_write(as_context *ctx, const as_encoder_config_format *format,
                                                const void *config, bool masked_lm, const char *folder);

#endif
