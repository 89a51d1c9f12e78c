/* Domain pretraining: masked language modelling on the user's own texts (Devlin et al. 2019), for sites that cannot
 * download pretrained weights, or to carry on with those that they have. The folder that it writes is what `from` of a
 * classifier's recipe takes, and what transformers' AutoModelForMaskedLM opens.
 *
 * Invariant: as train/run.h has it; masks depend on seed, epoch and row only (train/masking.h). */
#ifndef AS_TRAIN_PRETRAINING_H
#define AS_TRAIN_PRETRAINING_H

#include "train/training.h"

/* The defaults for a fresh model of this size, or with size NULL for going on with a pretrained one. */
as_recipe as_pretraining_preset(const char *size);

/* Trains by the recipe into folder `out`: from a folder (a head that is absent is made fresh), or from nothing, an
 * architecture that is NULL being "distilbert". Data is a CSV file, of which the text column is read, or a file whose
 * name ends in ".txt" with a text a line; label_column must be NULL. What follows about `overwrite`, interruption and
 * divergence is said at as_train_classifier. */
AS_MUST_CHECK as_status as_pretrain(as_context *ctx, const as_recipe *recipe, const char *out, bool overwrite,
                                    const as_training_listener *listener, as_training_result *result);
/* As as_train_classifier_resume. */
AS_MUST_CHECK as_status as_pretrain_resume(as_context *ctx, const char *out, const as_training_listener *listener,
                                           as_training_result *result);

#endif
