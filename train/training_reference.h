/* reference.json of a classifier that was trained: the distributions that drift is measured against
 * (eval/reference.h). */
#ifndef AS_TRAIN_TRAINING_REFERENCE_H
#define AS_TRAIN_TRAINING_REFERENCE_H

#include "models/config.h"
#include "models/encoder_predict.h"
#include "models/token_rows.h"
#include "tokenizer/tokenizer.h"

typedef struct as_training_reference {
  const as_labels *labels;
  const as_tokenizer *tokenizer;
  const as_token_rows *training; /* with their labels */
  int64_t max_length;
  int64_t answers;            /* rows that the finished model was asked about for validation; 0: none */
  const int32_t *predicted;   /* [answers] */
  const float *probabilities; /* [answers, labels] */
} as_training_reference;

/* Writes folder/reference.json. Without answers the model is asked about some training rows, up to 2000 spread over
 * all: it is surer of those than of others. AS_E_INTERRUPTED as `options` say. */
AS_MUST_CHECK as_status as_training_reference_write(as_context *ctx, const as_training_reference *trained,
                                                    as_encoder_predictor *predictor,
                                                    const as_encoder_predict_options *options, const char *folder);

#endif
