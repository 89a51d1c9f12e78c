/* A batch of token sequences, packed one after another without padding, with the index arrays that encoders read. */
#ifndef AS_MODELS_ENCODER_BATCH_H
#define AS_MODELS_ENCODER_BATCH_H

#include "models/token_rows.h"
#include "tensor/graph.h"

typedef struct as_encoder_batch {
  as_context *ctx;
  int64_t sequences, tokens;
  int32_t *ids;        /* [tokens] */
  int32_t *positions;  /* [tokens], filled by the encoder */
  int32_t *types;      /* [tokens], zeros */
  int32_t *cu_seqlens; /* [sequences + 1]; its first `sequences` entries are the rows of the first tokens */
  int32_t *counting;   /* [sequences + 1]: 0, 1, ..., the cu_seqlens of one row a sequence */
  int32_t *labels;     /* [sequences]; -100: none */
  size_t token_capacity, sequence_capacity;
} as_encoder_batch;

void as_encoder_batch_init(as_encoder_batch *batch, as_context *ctx);
void as_encoder_batch_free(as_encoder_batch *batch);
void as_encoder_batch_clear(as_encoder_batch *batch); /* no sequences; memory kept */
/* Makes room, so that adding up to these numbers allocates nothing. */
AS_MUST_CHECK as_status as_encoder_batch_reserve(as_encoder_batch *batch, int64_t sequences, int64_t tokens);
/* Adds a sequence of `count` > 0 ids with its label (-100: none). */
AS_MUST_CHECK as_status as_encoder_batch_add(as_encoder_batch *batch, const int32_t *ids, int64_t count, int32_t label);
/* Replaces what is there by these rows. */
AS_MUST_CHECK as_status as_encoder_batch_fill(as_encoder_batch *batch, const as_token_rows *rows,
                                              const int64_t *which /* [count] */, int64_t count);
as_packed as_encoder_batch_packed(const as_encoder_batch *batch);
as_packed as_encoder_batch_one_each(const as_encoder_batch *batch);

#endif
