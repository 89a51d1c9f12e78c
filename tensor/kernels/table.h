/* The kernel table for one number type. Included twice by kernels.h, with `real`, AS_KERNELS and AS_GEMM_TILE defined;
 * no guard. */

/* One tile of a matrix product: c[i * ldc + j], for i < rows <= mr and j < columns <= nr, from the sum over k < depth
 * of a(i, k) * b(k, j). Each element is one chain of fused multiply-adds (multiply, then add in "scalar" and
 * "baseline") in the order of k, whatever rows and columns are; then times alpha, then plus the bias, then `into` c. */
typedef struct AS_GEMM_TILE {
  int64_t rows, columns, depth;
  const real *a; /* a(i, k) at i * a_row + k * a_k: packed (a_row 1, a_k rows), or as it lies */
  int64_t a_row, a_k;
  const real *b; /* b(k, j) at k * b_k + j, packed (b_k nr) or as it lies; all nr elements of a row can be read */
  int64_t b_k;
  real *c;
  int64_t ldc;
  as_gemm_into into;
  real alpha;
  const real *bias; /* [columns], or NULL */
  /* Memory that will be read after this tile and may be asked for on the way: runs of lines, line i of run r at
   * next + r * next_run + i * next_line. No runs: next is not looked at. */
  const real *next;
  int64_t next_runs, next_lines, next_run, next_line;
  const real *next_c; /* where the next tile of as many rows will write, or NULL */
} AS_GEMM_TILE;
typedef struct AS_KERNELS {
  const char *isa; /* "scalar", "baseline", "avx2", "avx512", "neon" */

  /* ---- elementwise: n elements; y may be x (in place) ------------------------------------------------------------ */
  void (*unary_forward[AS_UNARY_COUNT])(size_t n, const real *x, real *y);
  /* dx = f'(x) * dy, or dx += when `add`. x is what the forward read, y what it gave (each function reads what it
   * needs; both are given). dx may be dy. */
  void (*unary_backward[AS_UNARY_COUNT])(size_t n, const real *x, const real *y, const real *dy, real *dx, bool add);
  void (*add)(size_t n, const real *a, const real *b, real *y);             /* y = a + b */
  void (*sub)(size_t n, const real *a, const real *b, real *y);             /* y = a - b */
  void (*mul)(size_t n, const real *a, const real *b, real *y);             /* y = a * b */
  void (*div)(size_t n, const real *a, const real *b, real *y);             /* y = a / b */
  void (*mul_add)(size_t n, const real *a, const real *b, real *y);         /* y += a * b */
  void (*axpy)(size_t n, real alpha, const real *x, real *y);               /* y += alpha * x */
  void (*scale)(size_t n, real alpha, const real *x, real *y);              /* y = alpha * x */
  void (*add_scalar)(size_t n, real alpha, const real *x, real *y);         /* y = x + alpha */

  /* ---- reductions ------------------------------------------------------------------------------------------------ */
  real (*sum)(size_t n, const real *x);
  real (*max)(size_t n, const real *x);                  /* -infinity for n = 0; NaN if any is NaN */
  real (*dot)(size_t n, const real *a, const real *b);
  double (*sum_squares)(size_t n, const real *x);        /* accumulated in double */
  /* y[c] = sum over rows of x[r * ld + c], or y[c] += when `add`. */
  void (*column_sum)(size_t rows, size_t cols, const real *x, size_t ld, real *y, bool add);
  /* One vector and `count` rows of n elements, row i at rows + index[i] * stride, or i * stride when index is NULL:
   * y[i] = alpha * dot(x, row i);  y[n] = the sum over i of weights[i] * row i. */
  void (*dot_rows)(size_t count, size_t n, real alpha, const real *x, const real *rows, size_t stride,
                   const int32_t *index, real *y);
  void (*sum_rows)(size_t count, size_t n, const real *weights, const real *rows, size_t stride, const int32_t *index,
                   real *y);

  /* ---- rows: x is [rows, cols] with contiguous rows ------------------------------------------------------------- */
  /* y = softmax of each row (the row's maximum subtracted first). In place allowed. lse may be NULL, else
   * lse[r] = log sum exp of row r. A row of -infinity only gives zeros and lse -infinity. */
  void (*softmax)(size_t rows, size_t cols, const real *x, real *y, real *lse);
  /* dx = y * (dy - sum(y * dy)), or dx += when `add`. dx may be dy. */
  void (*softmax_backward)(size_t rows, size_t cols, const real *y, const real *dy, real *dx, bool add);
  /* Layer normalisation (Ba, Kiros and Hinton 2016, eq. 4): y = (x - mean) * rstd * weight + bias with
   * rstd = 1 / sqrt(variance + eps), variance over n. mean and rstd are [rows]. In place allowed. */
  void (*layer_norm)(size_t rows, size_t cols, const real *x, const real *weight, const real *bias, real eps, real *y,
                     real *mean, real *rstd);
  /* dx (or dx += when `add_dx`; dx may be dy) and, added to them, dweight and dbias [cols]. x is what the forward
   * read. */
  void (*layer_norm_backward)(size_t rows, size_t cols, const real *x, const real *weight, const real *mean,
                              const real *rstd, const real *dy, real *dx, bool add_dx, real *dweight, real *dbias);
  /* Root mean square normalisation (Zhang and Sennrich 2019): y = x * rstd * weight, rstd = 1 / sqrt(mean(x^2) +
   * eps). */
  void (*rms_norm)(size_t rows, size_t cols, const real *x, const real *weight, real eps, real *y, real *rstd);
  void (*rms_norm_backward)(size_t rows, size_t cols, const real *x, const real *weight, const real *rstd,
                            const real *dy, real *dx, bool add_dx, real *dweight);

  /* ---- dropout --------------------------------------------------------------------------------------------------- */
  /* y[j] = x[j] kept or dropped as element first + j of the operation. In place allowed. */
  void (*dropout)(const as_dropout *dropout, uint64_t first, size_t n, const real *x, real *y);
  /* y[j] = residual[j] + dropout(x[j]); y may be x or residual. */
  void (*dropout_add)(const as_dropout *dropout, uint64_t first, size_t n, const real *x, const real *residual,
                      real *y);

  /* ---- optimizer ------------------------------------------------------------------------------------------------- */
  /* Where gradient and moments are 0 the weight becomes w * (real)(1 - lr * weight_decay) and nothing else, so that
   * such elements may be left to `scale`. */
  void (*adamw)(size_t n, const as_adamw_step *step, const real *gradient, real *weight, real *m, real *v);

  /* ---- matrix product: see tensor/gemm.h for the whole; these are its parts ------------------------------------- */
  as_gemm_shape gemm_shape;
  /* Packs a group of rows <= mr of op(A), element (i, k) at a[i * row_stride + k * k_stride], for k in [0, depth):
   * packed[k * rows + i]. Exactly rows * depth elements are written. */
  void (*gemm_pack_a)(int64_t rows, int64_t depth, const real *a, int64_t row_stride, int64_t k_stride, real *packed);
  /* Packs columns of op(B), element (k, j) at b[k * k_stride + j * column_stride], in panels of nr:
   * packed[(j / nr) * nr * depth + k * nr + j % nr]; columns beyond `columns` in the last panel are zero. */
  void (*gemm_pack_b)(int64_t columns, int64_t depth, const real *b, int64_t k_stride, int64_t column_stride,
                      real *packed);
  void (*gemm_tile)(const AS_GEMM_TILE *tile);
} AS_KERNELS;
