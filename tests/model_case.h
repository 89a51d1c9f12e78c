/* A folder with a model, inputs and what a reference implementation computes from them (inputs.json, expected.json,
 * expected.safetensors): the inspect commands are run on it and compared. Tolerances are several times what the
 * reference's own single precision is away from its double precision. */
#ifndef AS_TESTS_MODEL_CASE_H
#define AS_TESTS_MODEL_CASE_H

#include "models/safetensors.h"

/* Opens a file, or fails the test. */
as_safetensors *as_test_tensors(as_context *ctx, const char *path);
/* The floats of a tensor, which must be there and be F32; borrowed from a copy that the caller frees with as_free. */
float *as_test_tensor(as_context *ctx, const as_safetensors *file, const char *name, size_t *elements);

/* inspect run: every expected tensor and scalar, and no tensor beyond. Gradients are compared if any are expected. */
void as_check_run(as_context *ctx, const char *folder);
/* inspect train: losses, norms, learning rates, and every parameter after the last step. */
void as_check_train(as_context *ctx, const char *folder, const char *variant);
/* inspect generate over generation.json: the same ids up to and with each end token, scores to 1e-4. */
void as_check_generate(as_context *ctx, const char *folder);

#endif
