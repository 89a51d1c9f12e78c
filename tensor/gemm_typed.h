/* The matrix product for one number type. Included twice by gemm.h, with `real` and AS_SUFFIX defined; no guard. */

/* C[m, n] = op(A)[m, k] op(B)[k, n], then + bias, then activation. */
typedef struct AS_SUFFIX(as_gemm_call) {
  int64_t m, n, k;
  bool transpose_a; /* A lies as [k, m] */
  bool transpose_b; /* B lies as [n, k], as the weight of a linear layer does */
  const real *a;
  int64_t lda;      /* elements from one row of A as it lies to the next */
  const real *b;    /* ignored when packed_b is given */
  int64_t ldb;
  const real *packed_b; /* NULL, or what as_gemm_pack_b gave for this B */
  real *c;
  int64_t ldc;
  bool add;         /* C += instead of C =; not together with bias or activation */
  const real *bias; /* [n], or NULL */
  as_unary activation; /* AS_UNARY_NONE: none */
  real *pre_activation; /* [m, n] with stride ldc: op(A) op(B) + bias before the activation; NULL: not kept */
} AS_SUFFIX(as_gemm_call);

/* Bytes of workspace that the call needs with this many threads; 0 is possible. */
size_t AS_SUFFIX(as_gemm_workspace)(const struct AS_SUFFIX(as_kernels) *kernels, int64_t m, int64_t n, int64_t k,
                                    bool transpose_a, bool transpose_b, int threads);
/* Computes it. `workspace` (aligned to 64) has as_gemm_workspace bytes. Cannot fail, allocates nothing. */
void AS_SUFFIX(as_gemm)(as_context *ctx, const struct AS_SUFFIX(as_kernels) *kernels,
                        const AS_SUFFIX(as_gemm_call) *call, void *workspace);

/* A weight matrix [n, k] (transpose_b) or [k, n], packed once for many products. Elements of the packed form: */
size_t AS_SUFFIX(as_gemm_packed_b_elements)(const struct AS_SUFFIX(as_kernels) *kernels, int64_t n, int64_t k);
void AS_SUFFIX(as_gemm_pack_b)(as_context *ctx, const struct AS_SUFFIX(as_kernels) *kernels, int64_t n, int64_t k,
                               bool transpose_b, const real *b, int64_t ldb, real *packed);
/* Rows [row, row + rows) of a weight matrix [n, k] out of its packed form -> out[rows, k]. */
void AS_SUFFIX(as_gemm_unpack_b)(const struct AS_SUFFIX(as_kernels) *kernels, int64_t k, const real *packed,
                                 int64_t row, int64_t rows, real *out);

/* C[m, n] = alpha * op(A)[m, k] op(B)[k, n], or C += that when `add`: a small product in the calling thread, for use
 * inside a chunk of a parallel loop, as attention needs one per sequence and head. Each element is one chain in the
 * order of k, times alpha, then added. */
typedef struct AS_SUFFIX(as_gemm_block_call) {
  int64_t m, n, k;
  bool transpose_a; /* A lies as [k, m] */
  bool transpose_b; /* B lies as [n, k] */
  real alpha;
  const real *a;
  int64_t lda; /* elements from one row of A as it lies to the next */
  const real *b;
  int64_t ldb;
  bool add;
  real *c;
  int64_t ldc;
} AS_SUFFIX(as_gemm_block_call);

/* Bytes of workspace for it, growing with m, n and k. */
size_t AS_SUFFIX(as_gemm_block_workspace)(const struct AS_SUFFIX(as_kernels) *kernels, int64_t m, int64_t n, int64_t k);
/* Computes it. `workspace` is the caller's lane's own. Cannot fail, allocates nothing. */
void AS_SUFFIX(as_gemm_block)(const struct AS_SUFFIX(as_kernels) *kernels, const AS_SUFFIX(as_gemm_block_call) *call,
                              void *workspace);
