/* What the files in tensor/ and tensor/ops/ share and nobody else sees: tensors, nodes, op rows.
 *
 * A node is one recorded operation with one output. An op row says how to check shapes, run forward and backward, which
 * values backward reads, and what memory it wants; nothing about an op stands outside its row and its file. */
#ifndef AS_TENSOR_NODE_H
#define AS_TENSOR_NODE_H

#include "base/memory.h"
#include "base/threads.h"
#include "tensor/gradcheck.h"
#include "tensor/graph.h"
#include "tensor/op_list.h"
#include "tensor/ops.h"

#define AS_MAX_INPUTS 8
#define AS_ATTRIBUTE_BYTES 160

typedef struct as_node as_node;
typedef struct as_op as_op;

/* A piece of the arena: alive from instruction `first` to `last`, both included. */
typedef struct as_block {
  size_t bytes, offset;
  int64_t first, last; /* first < 0: not needed */
} as_block;

typedef enum as_tensor_kind { AS_KIND_INPUT, AS_KIND_LEAF, AS_KIND_VALUE } as_tensor_kind;

struct as_tensor {
  as_graph *graph;
  as_node *producer; /* NULL for inputs and leaves */
  as_tensor_kind kind;
  as_dtype dtype;
  int ndim;
  int64_t shape[AS_MAX_DIMS];
  int64_t elements;
  bool needs_gradient, keep, keep_gradient, block_input;
  void *data;     /* where it lies now */
  void *gradient; /* NULL: has none */
  uint8_t *touched;   /* leaves: rows that may have a gradient other than 0; NULL: all */
  const void *packed; /* leaves: the same matrix packed for as_gemm; NULL: there is none */
  /* planning */
  bool gradient_written; /* by a backward step planned earlier */
  int life;              /* which block holds it now: 0 made by forward, 1 made again for backward */
  as_block value[2], gradient_block;
};

struct as_node {
  const as_op *op;
  as_graph *graph;
  int index;
  int inputs_count;
  as_tensor *inputs[AS_MAX_INPUTS];
  as_tensor *output;
  unsigned char *attributes; /* the op's own struct, AS_ATTRIBUTE_BYTES of room, aligned to 16 */
  unsigned saves; /* which values backward reads besides gradients and state; op->saves unless infer knows better */
  bool draws;                /* takes a number for its dropout bits; op->draws unless infer knows better */
  uint32_t dropout_op;       /* number of this node among those that draw dropout bits */
  /* planning and running */
  bool needed;               /* forward is to be computed */
  bool backward_needed;
  bool demanded;             /* to be made again before the backward step that is being planned */
  unsigned add_gradient;     /* bit i: the gradient of input i is added to, not overwritten */
  bool recompute;            /* output and state are dropped after forward and made again */
  bool rebuild;              /* the output is dropped after forward and made again from the state */
  size_t state_bytes;
  as_block state_block[2];
  int state_life;
  void *state;   /* from forward to backward: mean, rstd, log-sum-exp ... */
  void *scratch; /* of this call */
};

#define AS_SAVES_INPUT(i) (1u << (i))
#define AS_SAVES_OUTPUT (1u << 31)
#define AS_SAVES_NOTHING 0u

struct as_op {
  const char *name;
  const char *formula;
  /* Checks the operands and sets the output's ndim and shape. Says why not with as_op_refuse and returns false. */
  bool (*infer)(as_node *node);
  void (*forward)(as_node *node);
  /* Writes (or adds, as add_gradient says) the gradient of each input whose `gradient` is not NULL. The gradient of the
   * output may be overwritten unless output->keep_gradient. */
  void (*backward)(as_node *node);
  unsigned saves; /* AS_SAVES_...: which values backward reads besides gradients and state */
  bool cheap;     /* recompute mode 1 makes the output again by forward */
  /* Bytes of state, of scratch forward and of scratch backward; NULL: none. */
  size_t (*state)(const as_node *node);
  size_t (*scratch_forward)(const as_node *node);
  size_t (*scratch_backward)(const as_node *node);
  /* Makes the output again from the state and the inputs that backward reads anyway, cheaper than forward. NULL:
   * cannot; not used for nodes without state. */
  void (*rebuild)(as_node *node);
  bool sparse; /* backward keeps `touched` of the leaves that it scatters to; of others it writes all rows */
  bool draws; /* takes a number for its dropout bits */
  /* Gradient checks in double precision over odd sizes; a row without them fails the tests. */
  as_status (*check)(as_context *ctx, double *worst);
};

/* One instruction of the plan. */
typedef enum as_step_kind {
  AS_STEP_FORWARD,
  AS_STEP_SEED,      /* the gradient of the loss becomes 1 */
  AS_STEP_RECOMPUTE, /* forward again, into the second life of output and state */
  AS_STEP_REBUILD,   /* the output again, from the state */
  AS_STEP_BACKWARD
} as_step_kind;
typedef struct as_step {
  as_step_kind kind;
  as_node *node;
  as_block scratch;
} as_step;

typedef struct as_pool as_pool;

struct as_graph {
  as_context *ctx;
  as_graph_mode mode;
  as_dtype dtype;
  const as_kernels_f32 *kernels_f32;
  const as_kernels_f64 *kernels_f64;
  const as_op *const *ops;
  int recompute;
  uint64_t dropout_seed;
  uint32_t dropout_step;
  bool evaluation, accumulate, debug;
  size_t memory_limit;

  as_status status; /* first recording error */
  char error[768];

  as_tensor **tensors;
  size_t tensors_count, tensors_capacity;
  as_node **nodes;
  size_t nodes_count, nodes_capacity;
  as_pool *pool; /* memory of tensors, nodes and attributes; kept by reset */
  uint32_t dropout_ops;

  as_step *steps;
  size_t steps_count, steps_capacity, forward_steps;
  as_block **blocks; /* all pieces of the arena; the second half of the array is for placement */
  size_t blocks_count, blocks_capacity;
  as_tensor *planned_loss;
  bool planned;
  unsigned char *arena;
  size_t arena_bytes, arena_capacity;
  char debug_text[256];
};

/* ---- for op files ----------------------------------------------------------------------------------------------- */
/* Records an operation: copies `attributes`, checks, and returns the output, or NULL (also when an operand is NULL or
 * an earlier error is there). */
as_tensor *as_record(as_graph *g, as_op_id op, as_tensor *const *inputs, int count, const void *attributes,
                     size_t bytes);
/* "name: <text>; operands [2, 3], [4]". Always returns false. */
bool as_op_refuse(const as_node *node, const char *format, ...) AS_PRINTF(2, 3);
void as_set_shape(as_tensor *t, int ndim, const int64_t *shape);
bool as_same_shape(const as_tensor *a, const as_tensor *b);
int64_t as_rows(const as_tensor *t);    /* product of all dimensions but the last */
int64_t as_columns(const as_tensor *t); /* the last dimension */
size_t as_real_size(const as_graph *g); /* 4 or 8 */
static inline bool as_adds(const as_node *n, int input) { return (n->add_gradient >> input) & 1u; }
/* The dropout of this node with probability p: p 0 when the graph does not drop. */
as_dropout as_node_dropout(const as_node *node, double p);

/* Rounds up to the arena's alignment of 64 bytes. */
static inline size_t as_align(size_t bytes) { return (bytes + 63) & ~(size_t)63; }
#define AS_CHUNK_ELEMENTS 16384 /* elementwise work is cut into pieces of this many */
static inline int64_t as_chunks(int64_t count, int64_t per_chunk) { return (count + per_chunk - 1) / per_chunk; }

/* ---- inside tensor/ --------------------------------------------------------------------------------------------- */
void as_arena_place(as_graph *g); /* arena.c: sets the offsets of g->blocks, and arena_bytes */

extern const as_op *const as_op_table_f32[];
extern const as_op *const as_op_table_f64[];

#endif
