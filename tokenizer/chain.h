/* The strings of tokens on their way through decoders, which rewrite, join and take apart. */
#ifndef AS_TOKENIZER_CHAIN_H
#define AS_TOKENIZER_CHAIN_H

#include "base/buffer.h"

typedef struct as_chain {
  as_buffer pool; /* the strings, one after the other */
  size_t *ends;   /* [count] where each one ends in the pool */
  size_t count, capacity;
} as_chain;

void as_chain_init(as_chain *chain, as_context *ctx);
void as_chain_free(as_chain *chain);
void as_chain_clear(as_chain *chain); /* keeps the memory */

/* Ends a string: what was appended to `pool` since the last one. */
AS_MUST_CHECK as_status as_chain_end(as_chain *chain);
/* A string and its length. */
const char *as_chain_text(const as_chain *chain, size_t index, size_t *length);

#endif
