/* Parameters from a checkpoint and into model.safetensors: what all models do alike. */
#ifndef AS_MODELS_PARAMETERS_FILE_H
#define AS_MODELS_PARAMETERS_FILE_H

#include "models/checkpoint.h"
#include "nn/parameters.h"

/* Sets expectations[i] to the name and shape of parameter i, not optional. */
void as_parameters_expect(const as_parameters *parameters, as_expectation *expectations /* [count of parameters] */);

/* Before as_parameters_allocate: borrows what the checkpoint has as floats in a mapped file, which must stay open until
 * as_parameters_settle or as_parameters_free. */
void as_parameters_borrow_found(as_parameters *parameters, const as_checkpoint *checkpoint,
                                const int64_t *found /* [count of parameters], as below */);

/* Reads each parameter from tensor found[i] of the checkpoint; where that is negative it keeps its values. One that is
 * borrowed from there is only checked. */
AS_MUST_CHECK as_status as_parameters_read(as_parameters *parameters, as_checkpoint *checkpoint,
                                           const int64_t *found /* [count of parameters] */);

/* Writes folder/model.safetensors; packed ones are unpacked for it. */
AS_MUST_CHECK as_status as_parameters_write(const as_parameters *parameters, const char *folder);

#endif
