/* What every op file includes: typed access to a node's operands, kernels, and chunked loops. Op files are compiled
 * twice, for float and for double (tensor/real.h); the recording function is compiled once, in the float pass. */
#ifndef AS_TENSOR_OPS_OP_H
#define AS_TENSOR_OPS_OP_H

#include <math.h>
#include <string.h>

#include "tensor/gemm.h"
#include "tensor/node.h"
#include "tensor/real.h"

#if defined(AS_REAL_DOUBLE)
#define AS_RECORDS 0 /* this pass defines the row only */
#else
#define AS_RECORDS 1
#endif

static inline const struct AS_REAL(as_kernels) * as_node_kernels(const as_node *n) {
  return n->graph->AS_REAL(kernels);
}
static inline const real *as_in(const as_node *n, int i) { return n->inputs[i]->data; }
static inline const int32_t *as_in_i32(const as_node *n, int i) { return n->inputs[i]->data; }
static inline real *as_out(const as_node *n) { return n->output->data; }
static inline real *as_din(const as_node *n, int i) { return n->inputs[i]->gradient; } /* NULL: not wanted */
static inline real *as_dout(const as_node *n) { return n->output->gradient; }
static inline as_context *as_node_context(const as_node *n) { return n->graph->ctx; }
static inline int as_node_threads(const as_node *n) { return as_context_threads(n->graph->ctx); }

static inline int64_t as_min64(int64_t a, int64_t b) { return a < b ? a : b; }

/* Sets *first to where chunk `chunk` begins when `count` is cut into pieces of `per`; returns how many it holds. */
static inline int64_t as_piece(int64_t count, int64_t per, int64_t chunk, int64_t *first) {
  *first = chunk * per;
  return as_min64(per, count - *first);
}

/* y = x or y += x over `count` elements, in parallel. */
void AS_REAL(as_copy_or_add)(as_node *n, const real *x, real *y, int64_t count, bool add); /* copy.c */

/* For operand `input`, a table [rows, dim]: gradient[ids[i]] += dy[i] for i in order; the gradient is zeroed first
 * unless it is to be added to. Id `padding` is left out. */
void AS_REAL(as_scatter_rows)(as_node *n, int input, const int32_t *ids, int64_t count, const real *dy,
                              int64_t padding); /* embedding.c */
/* Whether all ids are in [0, rows); refuses, naming the first that is not. */
bool as_ids_in_range(const as_node *n, const as_tensor *ids, int64_t rows); /* embedding.c */

/* Backward of residual + dropout(x), for a node whose operands 0 and 1 are the residual and x: the residual takes dsum,
 * the gradient of the sum, and x what dropout lets through. `spare` has room for as many numbers, if a gradient of x is
 * to be added to; it may be dsum, which is then used up. */
void AS_REAL(as_residual_backward_run)(const as_node *n, double dropout, const real *dsum,
                                       real *spare); /* residual_dropout.c */

/* Backward of layer normalisation over [rows, cols] (layer_norm.c). dx may be dy. dweight and dbias may be NULL.
 * `scratch` has as_layer_norm_scratch bytes. The partial sums of weight and bias are over fixed pieces of rows, added
 * in order. */
typedef struct AS_REAL(as_norm_backward) {
  int64_t rows, cols;
  const real *x, *weight, *mean, *rstd, *dy; /* [rows, cols], [cols], [rows], [rows], [rows, cols] */
  real *dx;                                  /* [rows, cols], or NULL */
  bool add_dx;
  real *dweight, *dbias; /* [cols] */
  bool add_dweight, add_dbias;
  bool rms; /* root mean square normalisation: no mean, no bias */
} AS_REAL(as_norm_backward);
size_t AS_REAL(as_norm_scratch)(int64_t rows, int64_t cols);
void AS_REAL(as_norm_backward_run)(as_node *n, const AS_REAL(as_norm_backward) * call, void *scratch);

#endif
