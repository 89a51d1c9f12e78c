/* Copying or adding a whole array, in parallel: what backward of the shape operations comes down to. */
#include "tensor/ops/op.h"

typedef struct copy_call {
  const struct AS_REAL(as_kernels) * k;
  const real *x;
  real *y;
  int64_t count;
  bool add;
} copy_call;

static void copy_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const copy_call *c = argument;
  int64_t first, count = as_piece(c->count, AS_CHUNK_ELEMENTS, chunk, &first);
  if (c->add)
    c->k->add((size_t)count, c->y + first, c->x + first, c->y + first);
  else
    memcpy(c->y + first, c->x + first, (size_t)count * sizeof(real));
}

void AS_REAL(as_copy_or_add)(as_node *n, const real *x, real *y, int64_t count, bool add) {
  copy_call call = {as_node_kernels(n), x, y, count, add};
  as_parallel_for(as_node_context(n), as_chunks(count, AS_CHUNK_ELEMENTS), copy_chunk, &call);
}
