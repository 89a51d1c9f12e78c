/* T5's decoder, one token at a time, over a cache of keys and values.
 *
 * Several sources are decoded together. Each has `slots` places for sequences that grow side by side (beams); all
 * sequences are of one length. A step writes the keys and values of a sequence's last token where they stay: in the
 * cache, by layer, source, head, position and slot. Which slots the tokens before lie in is a row of numbers for each
 * slot, so that sequences that part from each other share what they have in common and nothing is copied.
 *
 * The weights are read once for each step, however many rows it has; the keys and values of the source are computed
 * once. A row's bits do not depend on what else is decoded, nor on the number of threads. */
#ifndef AS_MODELS_T5_DECODER_H
#define AS_MODELS_T5_DECODER_H

#include "models/t5.h"

typedef struct as_t5_decoder as_t5_decoder;

/* A row of a step: the token that a sequence got last. */
typedef struct as_t5_decoder_row {
  int32_t source;
  int32_t slot;   /* where the sequence goes on; different in each row of a source */
  int32_t parent; /* the slot that it was in a step before; not looked at in the first step */
  int32_t token;
} as_t5_decoder_row;

/* For an opened model, best a packed one, which is borrowed and must not be trained meanwhile. Caller frees. */
AS_MUST_CHECK as_status as_t5_decoder_new(as_context *ctx, const as_t5 *t5, as_t5_decoder **out);
void as_t5_decoder_free(as_t5_decoder *decoder); /* NULL is allowed */

/* Runs the encoder on the sources and makes room for sequences of up to `max_tokens` tokens, in `slots` slots for each
 * source. Forgets what was decoded before; memory that is large enough is kept. */
AS_MUST_CHECK as_status as_t5_decoder_begin(as_t5_decoder *decoder, const as_encoder_batch *sources, int64_t slots,
                                            int64_t max_tokens);

/* Reads the rows' tokens and returns logits [count, vocab_size] for the next ones, which the caller may write to and
 * which are valid until the next step. There may be max_tokens steps, of at most sources * slots rows. Allocates
 * nothing and cannot fail. */
float *as_t5_decoder_step(as_t5_decoder *decoder, const as_t5_decoder_row *rows /* [count] */, int64_t count);

#endif
