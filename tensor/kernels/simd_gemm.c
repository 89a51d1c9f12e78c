/* The parts of the matrix product for one instruction set. Layouts and meaning are those of table.h.
 *
 * The tile keeps its whole C in registers: AS_TILE_ROWS x AS_TILE_VECTORS accumulators, each step reading a row of B
 * and one number of A per row. Its loops are unrolled by the number of rows, a constant in each of AS_TILE_ROWS
 * functions, so that few rows cost little.
 *
 * Invariant: an element's chain runs over k alone and in order; no vector is ever summed across. */
#include <string.h>

#include "tensor/kernels/simd_gemm.h"
#include "tensor/kernels/simd_kernels.h"

enum { LANES = AS_LANES, ROWS = AS_TILE_ROWS, VECTORS = AS_TILE_VECTORS, COLUMNS = VECTORS * LANES, LINE = 16 };
/* How far ahead memory is asked for: elements of A, rows of B. */
enum { A_AHEAD = 24 * LINE, B_AHEAD = 64, TRANSPOSE_AHEAD = 4 * LINE };

#if defined(__clang__)
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif
#define INLINE static inline __attribute__((always_inline))

/* ---- the tile -------------------------------------------------------------------------------------------------------
 */

/* Takes C for the accumulators, or adds it to them. */
INLINE void load_c(const int rows, const as_gemm_tile_f32 *t, vf sum[ROWS][VECTORS], bool add) {
  UNROLLED for (int v = 0; v < VECTORS; v++) {
    int64_t count = t->columns - v * LANES;
    if (count <= 0) break;
    size_t part = count < LANES ? (size_t)count : LANES;
    UNROLLED for (int r = 0; r < rows; r++) {
      vf c = vf_read(t->c + r * t->ldc + v * LANES, part);
      sum[r][v] = add ? vf_add(c, sum[r][v]) : c;
    }
  }
}

INLINE void store_c(const int rows, const as_gemm_tile_f32 *t, vf sum[ROWS][VECTORS]) {
  UNROLLED for (int v = 0; v < VECTORS; v++) {
    int64_t count = t->columns - v * LANES;
    if (count <= 0) break;
    size_t part = count < LANES ? (size_t)count : LANES;
    UNROLLED for (int r = 0; r < rows; r++) vf_write(t->c + r * t->ldc + v * LANES, part, sum[r][v]);
  }
}

/* What follows the chain: alpha, the bias, what C held. */
INLINE void finish(const int rows, const as_gemm_tile_f32 *t, vf sum[ROWS][VECTORS]) {
  if (t->alpha != 1) {
    vf alpha = vf_set1(t->alpha);
    UNROLLED for (int r = 0; r < rows; r++) {
      UNROLLED for (int v = 0; v < VECTORS; v++) sum[r][v] = vf_mul(sum[r][v], alpha);
    }
  }
  if (t->bias) {
    UNROLLED for (int v = 0; v < VECTORS; v++) {
      int64_t count = t->columns - v * LANES;
      if (count <= 0) break;
      vf bias = vf_read(t->bias + v * LANES, count < LANES ? (size_t)count : LANES);
      UNROLLED for (int r = 0; r < rows; r++) sum[r][v] = vf_add(sum[r][v], bias);
    }
  }
  if (t->into == AS_GEMM_ADD) load_c(rows, t, sum, true);
}

/* `count` steps of the chains. What comes in A and B is asked for some steps ahead, because the processor's own
 * prefetching stops at every page; and, when `asks`, one line of `next` in each step. */
INLINE void multiply(const int rows, const bool packed, const bool asks, const as_gemm_tile_f32 *t, int64_t k,
                     int64_t count, const float *next, vf sum[ROWS][VECTORS]) {
  const int64_t a_row = packed ? 1 : t->a_row, a_k = t->a_k, b_k = t->b_k, b_ahead = B_AHEAD * b_k;
  const float *a = t->a + k * a_k, *b = t->b + k * b_k;
  for (; count > 0; count--) {
    vf row_of_b[VECTORS];
    UNROLLED for (int v = 0; v < VECTORS; v++) row_of_b[v] = vf_load(b + v * LANES);
    UNROLLED for (int v = 0; v < COLUMNS; v += LINE) __builtin_prefetch(b + b_ahead + v);
    if (packed && rows > 1) __builtin_prefetch(a + A_AHEAD);
    if (asks) {
      __builtin_prefetch(next, 0, 2);
      next += t->next_line;
    }
    UNROLLED for (int r = 0; r < rows; r++) {
      vf x = vf_set1(a[r * a_row]);
      UNROLLED for (int v = 0; v < VECTORS; v++) sum[r][v] = vf_fma(x, row_of_b[v], sum[r][v]);
    }
    a += a_k;
    b += b_k;
  }
}

/* `packed`: the rows of A are next to each other (packed, or A lying as [k, m]). */
INLINE void tile(const int rows, const bool packed, const as_gemm_tile_f32 *t) {
  vf sum[ROWS][VECTORS];
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < VECTORS; v++) sum[r][v] = vf_zero();
  }
  if (t->into == AS_GEMM_CONTINUE) load_c(rows, t, sum, false);
  if (t->next_c) {
    UNROLLED for (int r = 0; r < rows; r++) {
      for (int v = 0; v < COLUMNS; v += LINE) __builtin_prefetch(t->next_c + r * t->ldc + v, 1, 2);
    }
  }
  int64_t k = 0;
  if (packed) {
    for (int64_t run = 0; run < t->next_runs && k + t->next_lines <= t->depth; run++, k += t->next_lines)
      multiply(rows, packed, true, t, k, t->next_lines, t->next + run * t->next_run, sum);
  }
  multiply(rows, packed, false, t, k, t->depth - k, NULL, sum);
  finish(rows, t, sum);
  store_c(rows, t, sum);
}

/* One function per number of rows, for A packed and as it lies. */
#define TILE_OF(N)                                                                                                     \
  static void tile_packed_##N(const as_gemm_tile_f32 *t) {                                                             \
    tile(N, true, t);                                                                                                  \
  }                                                                                                                    \
  static void tile_strided_##N(const as_gemm_tile_f32 *t) {                                                            \
    tile(N, false, t);                                                                                                 \
  }
#define TILE_PAIR(N) {tile_packed_##N, tile_strided_##N},
#if AS_TILE_ROWS == 14
#define EACH_ROW_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#elif AS_TILE_ROWS == 8
#define EACH_ROW_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#elif AS_TILE_ROWS == 6
#define EACH_ROW_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6)
#else
#define EACH_ROW_COUNT(X) X(1) X(2) X(3) X(4) X(5)
#endif
EACH_ROW_COUNT(TILE_OF)
static void (*const TILES[ROWS][2])(const as_gemm_tile_f32 *t) = {EACH_ROW_COUNT(TILE_PAIR)};

void AS_ISA(as_gemm_tile)(const as_gemm_tile_f32 *t) {
  TILES[t->rows - 1][t->a_row != 1](t);
}

/* ---- packing --------------------------------------------------------------------------------------------------------
 */

/* Four consecutive numbers of rows 0, 4, 8 ..., a group of four lanes each. */
INLINE vf load_fours(const float *const *row, int64_t k) {
#if AS_LANES == 16
  __m512 x = _mm512_castps128_ps512(_mm_loadu_ps(row[0] + k));
  x = _mm512_insertf32x4(x, _mm_loadu_ps(row[4] + k), 1);
  x = _mm512_insertf32x4(x, _mm_loadu_ps(row[8] + k), 2);
  return _mm512_insertf32x4(x, _mm_loadu_ps(row[12] + k), 3);
#elif AS_LANES == 8
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row[0] + k)), _mm_loadu_ps(row[4] + k), 1);
#else
  return vf_load(row[0] + k);
#endif
}

/* out[j * out_stride + i] = row[i][k + j] for i < count <= LANES and j < 4 * FOURS; `whole`: count is LANES. Each row's
 * numbers are all taken while its line is in the first cache, where rows a power of two apart displace each other. */
enum { FOURS = LANES == 16 ? 4 : 2 };
INLINE void transpose_step(const bool whole, const float *const *row, int64_t k, size_t count, float *out,
                           int64_t out_stride) {
  vi x[FOURS][4];
  UNROLLED for (int i = 0; i < 4; i++) {
    UNROLLED for (int f = 0; f < FOURS; f++) x[f][i] = vf_to_bits(load_fours(row + i, k + 4 * f));
  }
  UNROLLED for (int f = 0; f < FOURS; f++) {
    vi_transpose4(x[f]);
    UNROLLED for (int j = 0; j < 4; j++, out += out_stride) {
      if (whole)
        vf_store(out, vf_from_bits(x[f][j]));
      else
        vf_store_n(out, count, vf_from_bits(x[f][j]));
    }
  }
}

/* out[k * out_stride + i] = x[i * stride + k] for i < count and k < depth; nothing else is written. */
INLINE void transpose(const bool whole, size_t count, int64_t depth, const float *x, int64_t stride, float *out,
                      int64_t out_stride) {
  const float *row[LANES];
  for (size_t i = 0; i < LANES; i++) row[i] = x + (int64_t)(i < count ? i : count - 1) * stride;
  int64_t k = 0;
  for (; k + 4 * FOURS <= depth; k += 4 * FOURS) {
    UNROLLED for (size_t i = 0; i < LANES; i++) __builtin_prefetch(row[i] + k + TRANSPOSE_AHEAD);
    transpose_step(whole, row, k, count, out + k * out_stride, out_stride);
  }
  for (; k < depth; k++) {
    for (size_t i = 0; i < count; i++) out[k * out_stride + (int64_t)i] = row[i][k];
  }
}

/* out[k * out_stride + i] = x[k * stride + i] for i < count and k < depth. */
static void copy_rows(int64_t count, int64_t depth, const float *x, int64_t stride, float *out, int64_t out_stride) {
  for (int64_t k = 0; k < depth; k++, x += stride, out += out_stride) {
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) vf_store(out + i, vf_load(x + i));
    if (i < count) vf_store_n(out + i, (size_t)(count - i), vf_load_n(x + i, (size_t)(count - i)));
  }
}

/* `count` vectors, `depth` long, side by side. One of the strides is 1, as in every matrix. */
static void pack(int64_t count, int64_t depth, const float *x, int64_t stride, int64_t k_stride, float *out,
                 int64_t out_stride) {
  if (stride == 1) {
    copy_rows(count, depth, x, k_stride, out, out_stride);
    return;
  }
  for (int64_t i = 0; i < count; i += LANES) {
    if (i + LANES <= count)
      transpose(true, LANES, depth, x + i * stride, stride, out + i, out_stride);
    else
      transpose(false, (size_t)(count - i), depth, x + i * stride, stride, out + i, out_stride);
  }
}

void AS_ISA(as_gemm_pack_a)(int64_t rows, int64_t depth, const float *a, int64_t row_stride, int64_t k_stride,
                            float *packed) {
  pack(rows, depth, a, row_stride, k_stride, packed, rows);
}

void AS_ISA(as_gemm_pack_b)(int64_t columns, int64_t depth, const float *b, int64_t k_stride, int64_t column_stride,
                            float *packed) {
  for (int64_t column = 0; column < columns; column += COLUMNS, packed += COLUMNS * depth) {
    int64_t count = columns - column < COLUMNS ? columns - column : COLUMNS;
    if (count < COLUMNS) memset(packed, 0, (size_t)(COLUMNS * depth) * sizeof(float));
    pack(count, depth, b + column * column_stride, column_stride, k_stride, packed, COLUMNS);
  }
}
