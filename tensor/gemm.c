/* The matrix product: how it is cut into tiles, packed and spread over threads. Compiled for float and for double
 * (tensor/real.h); the arithmetic is in the tables' gemm_* kernels.
 *
 * A is packed whole, once, into groups of at most mr rows. C is cut into chunks of rows x columns, each computed by one
 * lane over all of k, in steps: a step takes one panel of B over one block of k through all groups of the chunk's rows.
 * Unless B came packed the lane packs the step's panel into memory of its own. The rows of A of a block stay in the
 * second cache from step to step, and while a step computes it asks for the memory of the next step's panel. Between
 * blocks of k the chain of an element rests in C.
 *
 * Invariant: an element of C is one chain in the order of k, then alpha, then the bias. Nothing of the cutting can
 * be seen in the result. */
#include <string.h>

#include "base/threads.h"
#include "tensor/gemm.h"
#include "tensor/real.h"

typedef AS_REAL(as_kernels) kernel_table;
typedef AS_REAL(as_gemm_call) gemm_call;
typedef AS_REAL(as_gemm_tile) gemm_tile;

enum { LINE = 64 / sizeof(real) }; /* elements of a cache line */

/* What a chunk should cost, in multiply-adds: near 80 microseconds at 75 G/s. Bringing an element of B to the lane,
 * packed or not, costs about as much as using it in this many rows. */
static const int64_t CHUNK_COST = 6000000;
static const int64_t PANEL_ROWS = 12;
/* Elements of a matrix that one chunk of a packing loop takes: some 10 microseconds. */
static const int64_t PACK_CHUNK = 1 << 15;

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

/* ---- the plan: from the sizes alone ----------------------------------------------------------------------------- */

typedef struct gemm_plan {
  int64_t m, n, k;
  int64_t groups; /* of rows, at most mr in each: the first `taller` of `rows` + 1, the others of `rows` */
  int64_t rows, taller;
  int64_t row_blocks;    /* of groups */
  int64_t panels;        /* of nr columns */
  int64_t column_blocks; /* of panels */
  int64_t k_blocks;
  int64_t depth; /* of a k block but the last */
} gemm_plan;

/* Rows of A that a lane goes through with each panel of B: the table's, which are meant for 1 MiB of second cache, or
 * twice as many where that is larger. The more there are, the fewer times a panel is packed. */
static int64_t block_rows(const as_gemm_shape *shape, size_t second_cache) {
  return second_cache >= (size_t)2 << 20 ? 2 * shape->mc : shape->mc;
}

static gemm_plan plan_of(const as_gemm_shape *shape, int64_t mc, int64_t m, int64_t n, int64_t k) {
  gemm_plan plan = {.m = m, .n = n, .k = k};
  plan.groups = parts_of(m, shape->mr);
  plan.rows = m / plan.groups;
  plan.taller = m % plan.groups;
  plan.row_blocks = parts_of(plan.groups, larger(mc / shape->mr, 1));
  plan.panels = parts_of(n, shape->nr);
  plan.k_blocks = parts_of(k, shape->kc);
  plan.depth = divide_up(k, plan.k_blocks);
  int64_t panel_cost = shape->nr * larger(k, 1) * (m / plan.row_blocks + PANEL_ROWS);
  int64_t most = smaller(larger(CHUNK_COST / panel_cost, 1), larger(shape->nc / shape->nr, 1));
  plan.column_blocks = parts_of(plan.panels, most);
  return plan;
}

static int64_t group_row(const gemm_plan *plan, int64_t group) {
  return group * plan->rows + smaller(group, plan->taller);
}

/* Elements of packed A, and of the panel of B that a lane packs for itself; whole cache lines each. A single row that
 * lies as [1, k] is its own packed form. */
static int64_t whole_lines(int64_t elements) {
  return divide_up(elements, LINE) * LINE;
}
static int64_t a_elements(const gemm_plan *plan, bool transpose_a) {
  return plan->m == 1 && !transpose_a ? 0 : whole_lines(plan->m * plan->k);
}
static int64_t b_elements(const as_gemm_shape *shape, const gemm_plan *plan) {
  return whole_lines(plan->depth * shape->nr);
}

size_t AS_REAL(as_gemm_workspace)(const kernel_table *kernels, int64_t m, int64_t n, int64_t k, bool transpose_a,
                                  bool transpose_b, int threads) {
  if (m <= 0 || n <= 0 || k <= 0) return 0;
  (void)transpose_b; /* B is packed panel by panel, whichever way it lies */
  gemm_plan plan = plan_of(&kernels->gemm_shape, kernels->gemm_shape.mc, m, n, k);
  return (size_t)(a_elements(&plan, transpose_a) + threads * b_elements(&kernels->gemm_shape, &plan)) * sizeof(real);
}

/* ---- packing ---------------------------------------------------------------------------------------------------- */

typedef struct gemm_run {
  const kernel_table *kernels;
  const gemm_call *call;
  gemm_plan plan;
  int64_t a_row, a_k;    /* strides of op(A) as it lies */
  int64_t b_k, b_column; /* strides of op(B) as it lies */
  real *packed_a;        /* for each block of k its groups of rows, one after another: see a_group */
  real *lanes_b;         /* lane after lane */
  int64_t pack_chunks;
  int lanes;
} gemm_run;

/* Where the group of rows that starts at `row` lies for k in [k0, k0 + depth): element (i, k) at (k - k0) * its rows +
 * i. */
static real *a_group(const gemm_run *run, int64_t row, int64_t k0, int64_t depth) {
  return run->packed_a + k0 * run->plan.m + row * depth;
}

/* Where A lies as [k, m] a few of its rows are taken through all groups before the next, so that a page is visited
 * once. */
static void pack_a_chunk(void *argument, int64_t chunk, int lane) {
  (void)lane;
  const gemm_run *run = argument;
  const gemm_plan *plan = &run->plan;
  int64_t group = part_start(plan->groups, run->pack_chunks, chunk);
  int64_t end = part_start(plan->groups, run->pack_chunks, chunk + 1);
  for (int64_t k0 = 0; k0 < plan->k; k0 += plan->depth) {
    int64_t depth = smaller(plan->depth, plan->k - k0);
    int64_t slice = run->call->transpose_a ? 16 : depth;
    for (int64_t k = 0; k < depth; k += slice) {
      for (int64_t g = group; g < end; g++) {
        int64_t row = group_row(plan, g), rows = group_row(plan, g + 1) - row;
        run->kernels->gemm_pack_a(rows, smaller(slice, depth - k),
                                  run->call->a + row * run->a_row + (k0 + k) * run->a_k, run->a_row, run->a_k,
                                  a_group(run, row, k0, depth) + k * rows);
      }
    }
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

void AS_REAL(as_gemm_unpack_b)(const kernel_table *kernels, int64_t k, const real *packed, int64_t row, int64_t rows,
                               real *out) {
  int64_t nr = kernels->gemm_shape.nr;
  for (int64_t end = row + rows; row < end; row++) {
    const real *from = packed + row / nr * nr * k + row % nr;
    for (int64_t i = 0; i < k; i++, from += nr) *out++ = *from;
  }
}

/* ---- the steps of a chunk --------------------------------------------------------------------------------------- */

/* One step: `columns` of B, a panel, over `depth` of k. */
typedef struct gemm_step {
  int64_t column, columns, k0, depth;
} gemm_step;

static int64_t chunk_panel(const gemm_plan *plan, int64_t chunk) {
  return part_start(plan->panels, plan->column_blocks, chunk % plan->column_blocks);
}
static int64_t chunk_panels(const gemm_plan *plan, int64_t chunk) {
  int64_t block = chunk % plan->column_blocks;
  return part_start(plan->panels, plan->column_blocks, block + 1) -
         part_start(plan->panels, plan->column_blocks, block);
}

/* Step `i` of a chunk: for each block of k, all its panels. */
static gemm_step step_at(const gemm_run *run, int64_t chunk, int64_t i) {
  const gemm_plan *plan = &run->plan;
  int64_t nr = run->kernels->gemm_shape.nr, panels = chunk_panels(plan, chunk);
  gemm_step step = {.column = (chunk_panel(plan, chunk) + i % panels) * nr, .k0 = i / panels * plan->depth};
  step.columns = smaller(nr, plan->n - step.column);
  step.depth = smaller(plan->depth, plan->k - step.k0);
  return step;
}

/* The step that the lane will take after step `i` of the chunk. Which chunk it will get is a guess that others may
 * prove wrong. */
static bool step_after(const gemm_run *run, int64_t chunk, int64_t i, gemm_step *next) {
  const gemm_plan *plan = &run->plan;
  if (i + 1 < chunk_panels(plan, chunk) * plan->k_blocks) {
    *next = step_at(run, chunk, i + 1);
    return true;
  }
  if (chunk + run->lanes >= plan->row_blocks * plan->column_blocks) return false;
  *next = step_at(run, chunk + run->lanes, 0);
  return true;
}

/* The step's panel of B, packed. */
static const real *panel_of(const gemm_run *run, const gemm_step *step, int lane) {
  const as_gemm_shape *shape = &run->kernels->gemm_shape;
  if (run->call->packed_b) return run->call->packed_b + step->column * run->plan.k + step->k0 * shape->nr;
  if (step->depth == 0) return NULL; /* then there is no workspace either */
  real *packed = run->lanes_b + lane * b_elements(shape, &run->plan);
  run->kernels->gemm_pack_b(step->columns, step->depth,
                            run->call->b + step->k0 * run->b_k + step->column * run->b_column, run->b_k, run->b_column,
                            packed);
  return packed;
}

/* Lets the tile ask for its share, `part` of `parts`, of the lines that the step will read of B. They come in runs of
 * lines at equal distances: along a packed panel; down the rows that hold the panel's columns; or, where the panel's
 * rows lie as such, down these rows, once for each line in the panel's width. */
static void ask_for(const gemm_run *run, const gemm_step *step, int64_t part, int64_t parts, gemm_tile *tile) {
  int64_t nr = run->kernels->gemm_shape.nr, runs, sides = 1;
  const real *from;
  if (run->call->packed_b) {
    from = run->call->packed_b + step->column * run->plan.k + step->k0 * nr;
    tile->next_line = LINE;
    tile->next_lines = 32;
    tile->next_run = 32 * LINE;
    runs = step->depth * nr / (32 * LINE);
  } else {
    from = run->call->b + step->k0 * run->b_k + step->column * run->b_column;
    tile->next_line = run->call->ldb;
    tile->next_lines = run->call->transpose_b ? step->columns : 32;
    tile->next_run = run->call->transpose_b ? LINE : 32 * run->call->ldb;
    runs = step->depth / (run->call->transpose_b ? LINE : 32);
    if (!run->call->transpose_b) sides = larger(step->columns / LINE, 1);
  }
  int64_t each = divide_up(runs * sides, parts), first = part * each;
  int64_t side = runs > 0 ? smaller(first / runs, sides - 1) : 0;
  tile->next = from + side * LINE + (first - side * runs) * tile->next_run;
  tile->next_runs = smaller(each, runs - (first - side * runs));
}

static void compute_step(const gemm_run *run, int64_t group, int64_t group_end, const gemm_step *step,
                         const gemm_step *next, real *c, int lane) {
  const gemm_plan *plan = &run->plan;
  const gemm_call *call = run->call;
  bool last = step->k0 + step->depth == plan->k;
  gemm_tile tile = {.columns = step->columns,
                    .depth = step->depth,
                    .a_row = 1,
                    .b = panel_of(run, step, lane),
                    .b_k = run->kernels->gemm_shape.nr,
                    .ldc = call->ldc,
                    .into = step->k0 > 0 || call->add ? AS_GEMM_CONTINUE : AS_GEMM_WRITE,
                    .alpha = 1,
                    .bias = last && call->bias ? call->bias + step->column : NULL};
  int64_t groups = group_end - group;
  for (int64_t i = 0; i < groups; i++) {
    int64_t row = group_row(plan, group + i);
    tile.rows = tile.a_k = group_row(plan, group + i + 1) - row;
    tile.a = run->packed_a ? a_group(run, row, step->k0, step->depth) : call->a + step->k0;
    tile.c = c + row * call->ldc + step->column;
    tile.next_c = i + 1 < groups ? tile.c + tile.rows * call->ldc : NULL;
    if (next) ask_for(run, next, i, groups, &tile);
    run->kernels->gemm_tile(&tile);
  }
}

/* The activation of the chunk's rows, or the copy of what was wanted before it. */
static void finish_rows(const gemm_run *run, int64_t row, int64_t row_end, int64_t column, size_t columns) {
  const gemm_call *call = run->call;
  for (; row < row_end; row++) {
    real *to = call->c + row * call->ldc + column;
    const real *from = call->pre_activation ? call->pre_activation + row * call->ldc + column : to;
    if (call->activation != AS_UNARY_NONE)
      run->kernels->unary_forward[call->activation](columns, from, to);
    else if (from != to)
      memcpy(to, from, columns * sizeof(real));
  }
}

static void gemm_chunk(void *argument, int64_t chunk, int lane) {
  const gemm_run *run = argument;
  const gemm_plan *plan = &run->plan;
  const gemm_call *call = run->call;
  int64_t row_block = chunk / plan->column_blocks, steps = chunk_panels(plan, chunk) * plan->k_blocks;
  int64_t group = part_start(plan->groups, plan->row_blocks, row_block);
  int64_t group_end = part_start(plan->groups, plan->row_blocks, row_block + 1);
  real *c = call->pre_activation ? call->pre_activation : call->c;
  gemm_step step = step_at(run, chunk, 0), next = step;
  for (int64_t i = 0; i < steps; i++, step = next) {
    bool more = step_after(run, chunk, i, &next);
    compute_step(run, group, group_end, &step, more ? &next : NULL, c, lane);
  }
  int64_t column = chunk_panel(plan, chunk) * run->kernels->gemm_shape.nr;
  int64_t width = chunk_panels(plan, chunk) * run->kernels->gemm_shape.nr;
  if (call->activation != AS_UNARY_NONE || call->pre_activation)
    finish_rows(run, group_row(plan, group), group_row(plan, group_end), column,
                (size_t)smaller(width, plan->n - column));
}

void AS_REAL(as_gemm)(as_context *ctx, const kernel_table *kernels, const gemm_call *call, void *workspace) {
  if (call->m <= 0 || call->n <= 0) return;
  gemm_run run = {.kernels = kernels, .call = call, .lanes = as_context_threads(ctx)};
  const gemm_plan *plan = &run.plan;
  run.plan = plan_of(&kernels->gemm_shape, block_rows(&kernels->gemm_shape, as_context_second_cache(ctx)), call->m,
                     call->n, call->k);
  run.a_row = call->transpose_a ? 1 : call->lda;
  run.a_k = call->transpose_a ? call->lda : 1;
  run.b_k = call->transpose_b ? 1 : call->ldb;
  run.b_column = call->transpose_b ? call->ldb : 1;
  run.lanes_b = workspace;
  if (a_elements(plan, call->transpose_a) > 0) {
    run.packed_a = workspace;
    run.lanes_b += a_elements(plan, call->transpose_a);
    run.pack_chunks = smaller(parts_of(call->m * call->k, PACK_CHUNK), plan->groups);
    as_parallel_for(ctx, run.pack_chunks, pack_a_chunk, &run);
  }
  as_parallel_for(ctx, plan->row_blocks * plan->column_blocks, gemm_chunk, &run);
}

/* ---- small products inside a chunk ----------------------------------------------------------------------------------
 */

size_t AS_REAL(as_gemm_block_workspace)(const kernel_table *kernels, int64_t m, int64_t n, int64_t k) {
  return m <= 0 || n <= 0 || k <= 0 ? 0 : (size_t)kernels->gemm_shape.nr * (size_t)k * sizeof(real);
}

void AS_REAL(as_gemm_block)(const kernel_table *kernels, const AS_REAL(as_gemm_block_call) * call, void *workspace) {
  int64_t nr = kernels->gemm_shape.nr, groups = parts_of(call->m, kernels->gemm_shape.mr);
  int64_t b_k = call->transpose_b ? 1 : call->ldb, b_column = call->transpose_b ? call->ldb : 1;
  gemm_tile tile = {.depth = call->k,
                    .a_row = call->transpose_a ? 1 : call->lda,
                    .a_k = call->transpose_a ? call->lda : 1,
                    .ldc = call->ldc,
                    .into = call->add ? AS_GEMM_ADD : AS_GEMM_WRITE,
                    .alpha = call->alpha};
  for (int64_t column = 0; column < call->n; column += nr) {
    tile.columns = smaller(nr, call->n - column);
    if (!call->transpose_b && tile.columns == nr) { /* rows of B that are a whole panel wide are read where they lie */
      tile.b = call->b + column;
      tile.b_k = call->ldb;
    } else {
      if (call->k > 0)
        kernels->gemm_pack_b(tile.columns, call->k, call->b + column * b_column, b_k, b_column, workspace);
      tile.b = workspace;
      tile.b_k = nr;
    }
    for (int64_t group = 0; group < groups; group++) {
      int64_t row = part_start(call->m, groups, group);
      tile.rows = part_start(call->m, groups, group + 1) - row;
      tile.a = call->a + row * tile.a_row;
      tile.c = call->c + row * call->ldc + column;
      kernels->gemm_tile(&tile);
    }
  }
}
