/* assistify.json of a model folder: what the model was trained for, so that a folder is not used for another task. A
 * folder from elsewhere has no such file and says nothing; transformers passes over the file.
 *
 * Invariant: what was read is a plain task name and, if there is one, a template that as_input_template_check took. */
#ifndef AS_MODELS_TASK_FILE_H
#define AS_MODELS_TASK_FILE_H

#include "base/context.h"

#define AS_TASK_FILE_NAME "assistify.json"

/* What a response model reached on rows that it was not trained on, beside replies that need no model: BLEU, 0 to 100. */
typedef struct as_task_validation {
  int64_t rows; /* 0: it was not measured */
  double bleu, nearest_bleu, frequent_bleu;
} as_task_validation;

typedef struct as_task_file {
  char *task;           /* "intent", "sentiment", "response"; NULL: the folder does not say */
  char *input_template; /* of a response model: what its input is made of (models/input_template.h); else NULL */
  as_task_validation validation;
  double temperature; /* that a classifier's logits are divided by before the softmax; 0: there is none */
} as_task_file;

/* Reads folder/assistify.json; without the file both texts are NULL and there is no temperature. AS_E_MODEL names the
 * file and the field. Caller frees with as_task_file_free, which is allowed after a failure too. */
AS_MUST_CHECK as_status as_task_file_read(as_context *ctx, const char *folder, as_task_file *file);
void as_task_file_free(as_context *ctx, as_task_file *file);

/* Writes it into the folder atomically. With neither task nor temperature there is no file afterwards: one that an
 * earlier model left is removed. AS_E_INVALID when as_task_file_read would refuse it. */
AS_MUST_CHECK as_status as_task_file_write(as_context *ctx, const char *folder, const as_task_file *file);

/* AS_E_MODEL when the file says another task than `task` (NULL: any will do). */
AS_MUST_CHECK as_status as_task_file_expect(as_context *ctx, const char *folder, const as_task_file *file,
                                            const char *task);

#endif
