/* Sequences of stages: making and looking into them. */
#ifndef AS_TOKENIZER_SEQUENCE_H
#define AS_TOKENIZER_SEQUENCE_H

#include "tokenizer/stages.h"

extern const as_normalizer_type as_normalizer_sequence;
extern const as_pre_tokenizer_type as_pre_tokenizer_sequence;
extern const as_decoder_type as_decoder_sequence;

void *as_sequence_new(as_context *ctx); /* the state of an empty one; NULL on failure */
/* Appends a stage, which is taken over; for at most 64. */
void as_sequence_put(void *state, as_stage stage);
const as_stage *as_sequence_items(const void *state, size_t *count);

#endif
