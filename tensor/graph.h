/* A graph records operations, is planned once, and is run: as_graph_new, recording functions (tensor/ops.h),
 * as_graph_plan, as_graph_forward, as_graph_backward.
 *
 * Recording computes nothing. Every recording function returns a tensor, or NULL after an error; the first error stays
 * in the graph with the operation's name and the operands' shapes, NULL operands are passed through, and as_graph_plan
 * is the one place to look. Planning decides how long each value lives and where it lies in one arena. Running
 * allocates nothing and cannot fail.
 *
 * Ownership: tensors belong to the graph and live until as_graph_reset or as_graph_free. Data given to as_input and
 * as_leaf is borrowed until then. A graph is used by one thread at a time; the work inside it is parallel. Results are
 * the same bits for any number of threads. */
#ifndef AS_TENSOR_GRAPH_H
#define AS_TENSOR_GRAPH_H

#include "base/context.h"

#define AS_MAX_DIMS 6

typedef enum as_dtype { AS_F32, AS_F64, AS_I32 } as_dtype;
typedef enum as_graph_mode { AS_INFER, AS_TRAIN } as_graph_mode;

typedef struct as_graph as_graph;
typedef struct as_tensor as_tensor;

/* Sequences packed one after another without padding: sequence i has the rows [cu_seqlens[i], cu_seqlens[i + 1]).
 * The array is borrowed as long as the graph that recorded it is used. */
typedef struct as_packed {
  int64_t sequences;
  const int32_t *cu_seqlens; /* [sequences + 1], starting with 0, not decreasing */
} as_packed;

/* A graph that computes in float (AS_F32, for models) or double (AS_F64, for gradient checks; always the scalar
 * reference). AS_TRAIN keeps what backward needs and applies dropout; AS_INFER does neither. NULL on failure; caller
 * frees. */
as_graph *as_graph_new(as_context *ctx, as_graph_mode mode);
as_graph *as_graph_new_typed(as_context *ctx, as_graph_mode mode, as_dtype dtype);
void as_graph_free(as_graph *g); /* NULL is allowed */

/* Forgets what was recorded and keeps the memory, so that the next batch allocates nothing if it is not larger. */
void as_graph_reset(as_graph *g);

/* 0: keep all that backward reads. 1: recompute what is cheap. 2: keep only what as_block_input marks inside blocks,
 * and recompute the rest of a block from it. The gradients are the same bits in all three. Default 0; holds for later
 * plans. */
void as_graph_set_recompute(as_graph *g, int mode);

/* Dropout of this graph draws from (seed, step); `evaluation` turns dropout off while gradients stay (default: off in
 * AS_INFER, on in AS_TRAIN). */
void as_graph_set_dropout(as_graph *g, uint64_t seed, uint32_t step);
void as_graph_set_evaluation(as_graph *g, bool evaluation);

/* When true, backward adds to the gradients of leaves instead of overwriting them (gradient accumulation). */
void as_graph_set_accumulate(as_graph *g, bool accumulate);

/* Puts red zones between the arena's blocks, fills memory with NaN before its life begins and after it ends, and checks
 * the zones after each operation; as_graph_debug_text names the operation that first wrote outside its memory ("" if
 * none did). */
void as_graph_set_debug(as_graph *g, bool debug);
const char *as_graph_debug_text(const as_graph *g);

as_context *as_graph_context(const as_graph *g);
as_dtype as_graph_dtype(const as_graph *g);
as_graph_mode as_graph_get_mode(const as_graph *g);

/* ---- leaves ----------------------------------------------------------------------------------------------------- */
/* Data in the graph's number type, shape[ndim]; no gradient. */
as_tensor *as_input(as_graph *g, int ndim, const int64_t *shape, const void *data);
/* Integers (token ids, labels). The values are looked at while recording, so they must be there by then and stay. */
as_tensor *as_input_i32(as_graph *g, int ndim, const int64_t *shape, const int32_t *data);
/* A parameter: data and gradient lie outside the graph, in its number type. gradient NULL: frozen. The same data
 * pointer gives the same tensor, so tied weights sum their gradients. The gradient of a leaf that the loss depends on
 * is overwritten by backward (or added to: as_graph_set_accumulate); that of another is not touched. */
as_tensor *as_leaf(as_graph *g, int ndim, const int64_t *shape, void *data, void *gradient);

/* A table [rows, columns] of which few rows get a gradient at a time (embeddings). touched[row] is set when a row
 * has got one since the array was zeroed; as long as it is 0, the row's gradient must be 0, and nobody spends time
 * on it. */
as_tensor *as_leaf_table(as_graph *g, int64_t rows, int64_t columns, void *data, void *gradient, uint8_t *touched);

/* A matrix [n, k] that does not change, with a copy that as_gemm_pack_b_f32 made of it (transpose_b): as the weight of
 * as_linear and as the table of as_embedding it is read packed. Both are borrowed; float graphs only. data may be NULL:
 * then it can be nothing else. */
as_tensor *as_leaf_packed(as_graph *g, int64_t n, int64_t k, float *data, const float *packed);

/* Keeps a value (and, in AS_TRAIN, its gradient) readable after the run. Returns t. */
as_tensor *as_keep(as_graph *g, as_tensor *t);
as_tensor *as_keep_gradient(as_graph *g, as_tensor *t);
/* Marks t as the input of a block that recompute mode 2 keeps. Returns t. */
as_tensor *as_block_input(as_graph *g, as_tensor *t);

/* ---- plan and run ----------------------------------------------------------------------------------------------- */
/* Plans for `loss` (one element) and its gradients, or, with loss NULL, for the forward pass; values to be read must
 * have been marked with as_keep. Values that nothing needs are not computed. Reports the first recording error, or
 * AS_E_NOMEM, or AS_E_LIMIT when more than as_graph_set_memory_limit would be needed. */
AS_MUST_CHECK as_status as_graph_plan(as_graph *g, as_tensor *loss);
/* The same without allocating the arena: for as_graph_bytes alone. */
AS_MUST_CHECK as_status as_graph_plan_only(as_graph *g, as_tensor *loss);
void as_graph_set_memory_limit(as_graph *g, size_t bytes); /* of the arena; 0: none */
/* Makes room for plans of up to `bytes`, so that none of them allocates the arena. */
AS_MUST_CHECK as_status as_graph_reserve(as_graph *g, size_t bytes);
size_t as_graph_bytes(const as_graph *g);    /* bytes of the arena that the last plan needs */
size_t as_graph_capacity(const as_graph *g); /* bytes that the arena has */
int64_t as_graph_operations(const as_graph *g);

void as_graph_forward(as_graph *g);
void as_graph_backward(as_graph *g, as_tensor *loss); /* after forward, with the loss given to as_graph_plan */

/* ---- tensors ---------------------------------------------------------------------------------------------------- */
int as_tensor_ndim(const as_tensor *t);
const int64_t *as_tensor_shape(const as_tensor *t);
int64_t as_tensor_elements(const as_tensor *t);
as_dtype as_tensor_dtype(const as_tensor *t);
/* Valid after the run for inputs, leaves and kept values. Contiguous, last dimension fastest. */
const void *as_tensor_data(const as_tensor *t);
const float *as_tensor_f32(const as_tensor *t); /* NULL if the type is another */
/* Valid after backward for leaves and tensors marked with as_keep_gradient; NULL if it has none. */
const void *as_tensor_gradient(const as_tensor *t);

#endif
