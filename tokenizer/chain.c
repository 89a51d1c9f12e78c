/* Strings in a pool. */
#include "tokenizer/chain.h"

#include "base/memory.h"

void as_chain_init(as_chain *chain, as_context *ctx) {
  *chain = (as_chain){0};
  as_buffer_init(&chain->pool, ctx);
}

void as_chain_free(as_chain *chain) {
  as_free(chain->pool.ctx, chain->ends);
  as_buffer_free(&chain->pool);
  as_chain_init(chain, chain->pool.ctx);
}

void as_chain_clear(as_chain *chain) {
  as_buffer_clear(&chain->pool);
  chain->count = 0;
}

as_status as_chain_end(as_chain *chain) {
  size_t *ends = as_grow(chain->pool.ctx, chain->ends, &chain->capacity, chain->count + 1, sizeof *ends);
  if (!ends) return AS_E_NOMEM;
  chain->ends = ends;
  ends[chain->count++] = chain->pool.length;
  return as_buffer_status(&chain->pool);
}

const char *as_chain_text(const as_chain *chain, size_t index, size_t *length) {
  size_t start = index ? chain->ends[index - 1] : 0;
  *length = chain->ends[index] - start;
  return as_buffer_string(&chain->pool) + start;
}
