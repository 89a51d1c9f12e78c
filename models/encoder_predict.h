/* Class probabilities of many rows: batches packed by tokens, rows of like length together. */
#ifndef AS_MODELS_ENCODER_PREDICT_H
#define AS_MODELS_ENCODER_PREDICT_H

#include "models/encoder.h"
#include "models/token_rows.h"

/* What a prediction works with and can be used again: a graph and a batch. One thread at a time. */
typedef struct as_encoder_predictor {
  const as_encoder *encoder;
  as_graph *graph;
  as_encoder_batch batch;
} as_encoder_predictor;

AS_MUST_CHECK as_status as_encoder_predictor_init(as_encoder_predictor *predictor, as_context *ctx,
                                                  const as_encoder *encoder);
void as_encoder_predictor_free(as_encoder_predictor *predictor);

typedef struct as_encoder_predict_options {
  int64_t batch_tokens; /* at most this many tokens a batch (a longer row makes a batch of its own); 0: 2048 */
  bool (*interrupted)(void *user); /* asked between batches; may be NULL */
  void *user;
  float *logits; /* [rows, classes] room for what the softmax was taken of; may be NULL */
} as_encoder_predict_options;

/* probabilities[row * classes + c] for every row. A row's bits do not depend on what else is there. AS_E_INTERRUPTED
 * when `interrupted` said so. options may be NULL. */
AS_MUST_CHECK as_status as_encoder_predict(as_encoder_predictor *predictor, const as_token_rows *rows,
                                           const as_encoder_predict_options *options, float *probabilities);

#endif
