/* What the inspect commands share: a model of any kind opened for looking inside, and tensors to save.
 *
 * A kind of model (encoders with a classification head, ...) is one as_inspect_kind, with a line in inspect.c; the
 * commands know nothing else about models. */
#ifndef AS_CLI_INSPECT_H
#define AS_CLI_INSPECT_H

#include "base/json.h"
#include "cli/inspect_inputs.h"
#include "models/config.h"
#include "models/safetensors.h"
#include "train/step.h"

/* ---- tensors to save ---------------------------------------------------------------------------------------- */

/* Tensors of floats under names. Errors stick, so that the one who saves them looks once. */
typedef struct as_inspect_tensors {
  as_context *ctx;
  as_safetensors_item *items; /* [count]; names and data are owned */
  size_t count, capacity;
  bool failed;
} as_inspect_tensors;

void as_inspect_tensors_init(as_inspect_tensors *tensors, as_context *ctx);
void as_inspect_tensors_free(as_inspect_tensors *tensors);
/* Adds a tensor of zeros and returns its floats [product of shape], NULL on failure. */
float *as_inspect_tensors_add(as_inspect_tensors *tensors, int ndim, const int64_t *shape /* [ndim] */,
                              const char *name_format, ...) AS_PRINTF(4, 5);
/* Adds packed rows of a tensor [tokens, dim] as [rows->count, rows->width, dim], zero where nothing is. */
void as_inspect_tensors_add_rows(as_inspect_tensors *tensors, const as_inspect_rows *rows, const as_tensor *packed,
                                 const char *name_format, ...) AS_PRINTF(4, 5);
/* Adds the gradient of every parameter as grad.PARAMETER. */
void as_inspect_tensors_add_gradients(as_inspect_tensors *tensors, const as_parameters *parameters);
/* Writes them as a safetensors file. Reports what failed before. */
AS_MUST_CHECK as_status as_inspect_tensors_save(const as_inspect_tensors *tensors, const char *path);

/* ---- kinds of models ---------------------------------------------------------------------------------------- */

typedef enum as_inspect_use {
  AS_INSPECT_MODEL, /* its parameters; a head may be missing */
  AS_INSPECT_RUN,   /* forward and gradients; a head may be missing */
  AS_INSPECT_TRAIN  /* gradients and updates */
} as_inspect_use;

/* A size of the model, as the field's papers call it. */
typedef struct as_inspect_size {
  const char *name;
  int64_t value;
} as_inspect_size;
#define AS_INSPECT_MAX_SIZES 16

/* One forward pass over the inputs, and where its results go. */
typedef struct as_inspect_pass {
  as_context *ctx;
  const as_inspect_object *inputs;
  bool save, gradients;        /* whether tensors are wanted at all, and gradients among them */
  as_inspect_tensors *tensors; /* hidden.<i>, logits, grad.<parameter>, ... */
  as_json_writer *scalars;     /* inside an object: loss, ... */
} as_inspect_pass;

typedef struct as_inspect_kind {
  bool (*reads)(const char *model_type);
  /* Adds the names of model_type that it reads, for an error text: "distilbert, roberta". */
  void (*list)(as_buffer *out);
  /* On failure *model is NULL. */
  as_status (*open)(as_context *ctx, const char *folder, as_inspect_use use, void **model);
  void (*close)(void *model); /* NULL is allowed */
  as_parameters *(*parameters)(void *model);
  const char *(*prefix)(const void *model);      /* of the body's tensors, which a file may leave out; NULL: none */
  const as_labels *(*labels)(const void *model); /* NULL: not a classifier */
  bool (*has_head)(const void *model);           /* false: what the head has is fresh, not from the folder */
  size_t (*sizes)(const void *model, as_inspect_size sizes[AS_INSPECT_MAX_SIZES]);
  as_status (*run)(void *model, const as_inspect_pass *pass);
  /* Training: takes in the batches one by one, then steps over `count` of them from number `first` on. */
  as_status (*add_batch)(void *model, const as_inspect_object *batch);
  as_status (*step)(void *model, const as_optimizer *optimizer, size_t first, size_t count,
                    const as_step_options *options, int64_t step, double lr, as_step_result *result);
} as_inspect_kind;

extern const as_inspect_kind as_inspect_encoder, as_inspect_t5;

/* A model, opened. */
typedef struct as_inspected {
  const as_inspect_kind *kind;
  void *model;
} as_inspected;

/* Opens the folder by its config.json's model_type. AS_E_MODEL as loading it for any other use has it. A failed one may
 * be closed too. */
AS_MUST_CHECK as_status as_inspect_open(as_context *ctx, const char *folder, as_inspect_use use, as_inspected *out);
void as_inspect_close(as_inspected *inspected);

#endif
