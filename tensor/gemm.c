/* The matrix product: how it is cut into tiles, packed and spread over threads. Compiled for float and for double
 * (tensor/real.h); the arithmetic is in the tables' gemm_* kernels.
 *
 * A is packed whole, once, into groups of at most mr rows. C is cut into chunks of rows x columns, each computed by one
 * lane over all of k: the lane packs the block of B that it is about to use into memory of its own (unless B came
 * packed) and goes over its tiles. k is cut into blocks so that a panel of B stays in the first cache and the rows of A
 * in the second; between blocks the chain of an element rests in C.
 *
 * Invariant: an element of C is one chain in the order of k, then alpha, then the bias. Nothing of the cutting, which
 * depends on sizes only, can be seen in the result. */
#include <string.h>

#include "base/threads.h"
#include "tensor/gemm.h"
#include "tensor/real.h"

typedef AS_REAL(as_kernels) kernel_table;
typedef AS_REAL(as_gemm_call) gemm_call;

/* What a chunk should cost, in multiply-adds: near 80 microseconds at 75 G/s. Bringing an element of B to the lane,
 * packed or not, costs about as much as using it in this many rows. */
static const int64_t CHUNK_COST = 6000000;
static const int64_t PANEL_ROWS = 12;
/* Elements of a matrix that one chunk of a packing loop takes: some 20 microseconds. */
static const int64_t PACK_CHUNK = 1 << 16;

static int64_t divide_up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}
static int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}
static int64_t larger(int64_t a, int64_t b) {
  return a > b ? a : b;
}

/* How many parts of near equal size `count` things go into, when a part has at most `most`; and where part `i` starts.
 */
static int64_t parts_of(int64_t count, int64_t most) {
  return larger(divide_up(count, most), 1);
}
static int64_t part_start(int64_t count, int64_t parts, int64_t i) {
  return count / parts * i + smaller(i, count % parts);
}

/* ---- the plan: from the sizes alone
 * ---------------------------------------------------------------------------------- */

typedef struct gemm_plan {
  int64_t m, n, k;
  int64_t groups;        /* of rows, at most mr in each */
  int64_t row_blocks;    /* of groups */
  int64_t panels;        /* of nr columns */
  int64_t column_blocks; /* of panels */
  int64_t k_blocks;
  int64_t depth; /* of a k block but the last */
} gemm_plan;

static gemm_plan plan_of(const as_gemm_shape *shape, int64_t m, int64_t n, int64_t k) {
  gemm_plan plan = {.m = m, .n = n, .k = k};
  plan.groups = parts_of(m, shape->mr);
  plan.row_blocks = parts_of(plan.groups, larger(shape->mc / shape->mr, 1));
  plan.panels = parts_of(n, shape->nr);
  plan.k_blocks = parts_of(k, shape->kc);
  plan.depth = divide_up(k, plan.k_blocks);
  int64_t panel_cost = shape->nr * larger(k, 1) * (m / plan.row_blocks + PANEL_ROWS);
  int64_t most = smaller(larger(CHUNK_COST / panel_cost, 1), larger(shape->nc / shape->nr, 1));
  plan.column_blocks = parts_of(plan.panels, most);
  return plan;
}

static int64_t group_row(const gemm_plan *plan, int64_t group) {
  return part_start(plan->m, plan->groups, group);
}

/* Elements of packed A, and of the block of B that a lane packs for itself; each a whole number of cache lines. */
static int64_t whole_lines(int64_t elements) {
  return divide_up(elements, 64 / (int64_t)sizeof(real)) * (64 / (int64_t)sizeof(real));
}
/* A single row that lies as [1, k] is its own packed form. */
static int64_t a_elements(const gemm_plan *plan, bool transpose_a) {
  return plan->m == 1 && !transpose_a ? 0 : whole_lines(plan->m * plan->k);
}
static int64_t b_elements(const as_gemm_shape *shape, const gemm_plan *plan) {
  return whole_lines(plan->depth * shape->nr * divide_up(plan->panels, plan->column_blocks));
}

size_t AS_REAL(as_gemm_workspace)(const kernel_table *kernels, int64_t m, int64_t n, int64_t k, bool transpose_a,
                                  bool transpose_b, int threads) {
  if (m <= 0 || n <= 0 || k <= 0) return 0;
  (void)transpose_b; /* B is packed block by block, whichever way it lies */
  gemm_plan plan = plan_of(&kernels->gemm_shape, m, n, k);
  return (size_t)(a_elements(&plan, transpose_a) + threads * b_elements(&kernels->gemm_shape, &plan)) * sizeof(real);
}

/* ---- packing
 * ------------------------------------------------------------------------------------------------------------ */

typedef struct gemm_run {
  const kernel_table *kernels;
  const gemm_call *call;
  gemm_plan plan;
  int64_t a_row, a_k;    /* strides of op(A) as it lies */
  int64_t b_k, b_column; /* strides of op(B) as it lies */
  real *packed_a;        /* group after group: group g at group_row(g) * k, element (i, k) of it at k * its rows + i */
  real *lanes_b;         /* lane after lane */
  int64_t pack_chunks;
} gemm_run;

static void pack_a_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const gemm_run *run = argument;
  const gemm_plan *plan = &run->plan;
  int64_t end = part_start(plan->groups, run->pack_chunks, chunk + 1);
  for (int64_t group = part_start(plan->groups, run->pack_chunks, chunk); group < end; group++) {
    int64_t row = group_row(plan, group);
    run->kernels->gemm_pack_a(group_row(plan, group + 1) - row, plan->k, run->call->a + row * run->a_row, run->a_row,
                              run->a_k, run->packed_a + row * plan->k);
  }
}

typedef struct pack_b_run {
  const kernel_table *kernels;
  int64_t n, k, panels, chunks;
  const real *b;
  int64_t k_stride, column_stride;
  real *packed;
} pack_b_run;

static void pack_b_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const pack_b_run *run = argument;
  int64_t nr = run->kernels->gemm_shape.nr;
  int64_t column = part_start(run->panels, run->chunks, chunk) * nr;
  int64_t end = smaller(part_start(run->panels, run->chunks, chunk + 1) * nr, run->n);
  run->kernels->gemm_pack_b(end - column, run->k, run->b + column * run->column_stride, run->k_stride,
                            run->column_stride, run->packed + column * run->k);
}

size_t AS_REAL(as_gemm_packed_b_elements)(const kernel_table *kernels, int64_t n, int64_t k) {
  int64_t nr = kernels->gemm_shape.nr;
  return n <= 0 || k <= 0 ? 0 : (size_t)(divide_up(n, nr) * nr) * (size_t)k;
}

void AS_REAL(as_gemm_pack_b)(as_context *ctx, const kernel_table *kernels, int64_t n, int64_t k, bool transpose_b,
                             const real *b, int64_t ldb, real *packed) {
  if (n <= 0 || k <= 0) return;
  pack_b_run run = {.kernels = kernels,
                    .n = n,
                    .k = k,
                    .panels = divide_up(n, kernels->gemm_shape.nr),
                    .b = b,
                    .k_stride = transpose_b ? 1 : ldb,
                    .column_stride = transpose_b ? ldb : 1,
                    .packed = packed};
  run.chunks = smaller(parts_of(n * k, PACK_CHUNK), run.panels);
  as_parallel_for(ctx, run.chunks, pack_b_chunk, &run);
}

/* ---- the tiles of a chunk
 * ------------------------------------------------------------------------------------------------ */

typedef struct gemm_block {
  int64_t group, group_end;
  int64_t row, row_end;
  int64_t column, column_end;
} gemm_block;

/* The panels of B for a block's columns and k in [k0, k0 + depth), and the distance from one panel to the next. */
static const real *panels_of_b(const gemm_run *run, const gemm_block *block, int64_t k0, int64_t depth, int lane,
                               int64_t *panel_stride) {
  const gemm_plan *plan = &run->plan;
  const as_gemm_shape *shape = &run->kernels->gemm_shape;
  if (run->call->packed_b) {
    *panel_stride = plan->k * shape->nr;
    return run->call->packed_b + block->column * plan->k + k0 * shape->nr;
  }
  real *packed = run->lanes_b + lane * b_elements(shape, plan);
  run->kernels->gemm_pack_b(block->column_end - block->column, depth,
                            run->call->b + k0 * run->b_k + block->column * run->b_column, run->b_k, run->b_column,
                            packed);
  *panel_stride = depth * shape->nr;
  return packed;
}

/* One k block: every panel meets every group of rows. The panel is reused from the first cache. */
static void multiply_depth(const gemm_run *run, const gemm_block *block, int64_t k0, int64_t depth, real *c, int lane) {
  const gemm_plan *plan = &run->plan;
  const gemm_call *call = run->call;
  int64_t nr = run->kernels->gemm_shape.nr, panel_stride;
  bool last = k0 + depth == plan->k;
  as_gemm_into into = k0 > 0 || call->add ? AS_GEMM_CONTINUE : AS_GEMM_WRITE;
  const real *panel = panels_of_b(run, block, k0, depth, lane, &panel_stride);
  for (int64_t column = block->column; column < block->column_end; column += nr, panel += panel_stride) {
    int64_t columns = smaller(nr, block->column_end - column);
    const real *bias = last && call->bias ? call->bias + column : NULL;
    for (int64_t group = block->group; group < block->group_end; group++) {
      int64_t row = group_row(plan, group), rows = group_row(plan, group + 1) - row;
      const real *a = run->packed_a ? run->packed_a + row * plan->k + k0 * rows : call->a + k0;
      run->kernels->gemm_tile(rows, columns, depth, a, 1, rows, panel, nr, c + row * call->ldc + column, call->ldc,
                              into, 1, bias);
    }
  }
}

static void gemm_chunk(void *argument, int64_t chunk, int lane) {
  const gemm_run *run = argument;
  const gemm_plan *plan = &run->plan;
  const gemm_call *call = run->call;
  int64_t nr = run->kernels->gemm_shape.nr;
  int64_t row_block = chunk / plan->column_blocks, column_block = chunk % plan->column_blocks;
  gemm_block block;
  block.group = part_start(plan->groups, plan->row_blocks, row_block);
  block.group_end = part_start(plan->groups, plan->row_blocks, row_block + 1);
  block.row = group_row(plan, block.group);
  block.row_end = group_row(plan, block.group_end);
  block.column = part_start(plan->panels, plan->column_blocks, column_block) * nr;
  block.column_end = smaller(part_start(plan->panels, plan->column_blocks, column_block + 1) * nr, plan->n);

  real *c = call->pre_activation ? call->pre_activation : call->c;
  int64_t k0 = 0;
  do {
    int64_t depth = smaller(plan->depth, plan->k - k0);
    multiply_depth(run, &block, k0, depth, c, lane);
    k0 += depth;
  } while (k0 < plan->k);

  size_t columns = (size_t)(block.column_end - block.column);
  for (int64_t row = block.row; row < block.row_end; row++) {
    const real *from = c + row * call->ldc + block.column;
    real *to = call->c + row * call->ldc + block.column;
    if (call->activation != AS_UNARY_NONE)
      run->kernels->unary_forward[call->activation](columns, from, to);
    else if (from != to)
      memcpy(to, from, columns * sizeof(real));
    else
      break;
  }
}

void AS_REAL(as_gemm)(as_context *ctx, const kernel_table *kernels, const gemm_call *call, void *workspace) {
  if (call->m <= 0 || call->n <= 0) return;
  gemm_run run = {.kernels = kernels, .call = call};
  const gemm_plan *plan = &run.plan;
  run.plan = plan_of(&kernels->gemm_shape, call->m, call->n, call->k);
  run.a_row = call->transpose_a ? 1 : call->lda;
  run.a_k = call->transpose_a ? call->lda : 1;
  run.b_k = call->transpose_b ? 1 : call->ldb;
  run.b_column = call->transpose_b ? call->ldb : 1;
  run.lanes_b = (real *)workspace + a_elements(plan, call->transpose_a);
  if (a_elements(plan, call->transpose_a) > 0) {
    run.packed_a = workspace;
    run.pack_chunks = smaller(parts_of(call->m * call->k, PACK_CHUNK), plan->groups);
    as_parallel_for(ctx, run.pack_chunks, pack_a_chunk, &run);
  }
  as_parallel_for(ctx, plan->row_blocks * plan->column_blocks, gemm_chunk, &run);
}

/* ---- small products inside a chunk
 * --------------------------------------------------------------------------------------- */

size_t AS_REAL(as_gemm_block_workspace)(const kernel_table *kernels, int64_t m, int64_t n, int64_t k) {
  return m <= 0 || n <= 0 || k <= 0 ? 0 : (size_t)kernels->gemm_shape.nr * (size_t)k * sizeof(real);
}

void AS_REAL(as_gemm_block)(const kernel_table *kernels, const AS_REAL(as_gemm_block_call) * call, void *workspace) {
  const as_gemm_shape *shape = &kernels->gemm_shape;
  int64_t a_row = call->transpose_a ? 1 : call->lda, a_k = call->transpose_a ? call->lda : 1;
  int64_t b_k = call->transpose_b ? 1 : call->ldb, b_column = call->transpose_b ? call->ldb : 1;
  int64_t groups = parts_of(call->m, shape->mr);
  for (int64_t column = 0; column < call->n; column += shape->nr) {
    int64_t columns = smaller(shape->nr, call->n - column);
    /* Rows of B that are a whole panel wide are read where they lie. */
    bool in_place = !call->transpose_b && columns == shape->nr;
    const real *panel = in_place ? call->b + column : workspace;
    if (!in_place) kernels->gemm_pack_b(columns, call->k, call->b + column * b_column, b_k, b_column, workspace);
    for (int64_t group = 0; group < groups; group++) {
      int64_t row = part_start(call->m, groups, group), rows = part_start(call->m, groups, group + 1) - row;
      kernels->gemm_tile(rows, columns, call->k, call->a + row * a_row, a_row, a_k, panel,
                         in_place ? call->ldb : shape->nr, call->c + row * call->ldc + column, call->ldc,
                         call->add ? AS_GEMM_ADD : AS_GEMM_WRITE, call->alpha, NULL);
    }
  }
}
