/* The matrix product against a plain chain of multiply-adds, bit for bit, on every kernel table of this processor.
 * Compiled for float and, as test_gemm_f64, for double. All operands end at a page that may not be touched. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/random.h"
#include "base/threads.h"
#include "tensor/gemm.h"
#include "tensor/real.h"
#include "tests/harness.h"

typedef AS_REAL(as_kernels) kernel_table;
typedef AS_REAL(as_gemm_call) gemm_call;
typedef AS_REAL(as_gemm_block_call) block_call;

enum { MAX_TABLES = 8 };

/* The tables that this processor can run. */
static size_t tables(const kernel_table **out) {
  size_t count = 0;
#if defined(AS_REAL_DOUBLE)
  out[count++] = as_kernels_reference_f64();
#else
  bool supported;
  const kernel_table *table;
  for (size_t i = 0; (table = as_kernels_at(i, &supported)); i++) {
    if (supported) out[count++] = table;
  }
#endif
  ck_assert_uint_le(count, MAX_TABLES);
  return count;
}

/* ---- memory that ends where nothing may be read -------------------------------------------------------------------
 */

typedef struct guarded {
  void *map;
  size_t bytes;
  real *data;
} guarded;

static guarded guarded_bytes(size_t wanted) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), body = (wanted + page - 1) / page * page;
  guarded g = {.bytes = body + page};
  g.map = mmap(NULL, g.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ck_assert_ptr_ne(g.map, MAP_FAILED);
  ck_assert_int_eq(mprotect((char *)g.map + body, page, PROT_NONE), 0);
  g.data = (real *)(void *)((char *)g.map + body - wanted);
  return g;
}

static guarded guarded_array(int64_t count) {
  return guarded_bytes((size_t)count * sizeof(real));
}
static void release(guarded *g) {
  munmap(g->map, g->bytes);
}

static guarded random_array(as_random *random, int64_t count) {
  guarded g = guarded_array(count);
  for (int64_t i = 0; i < count; i++) g.data[i] = (real)as_random_normal(random);
  return g;
}

/* ---- the oracle ------------------------------------------------------------------------------------------------- */

static bool fused(const kernel_table *kernels) {
  return strcmp(kernels->isa, "scalar") != 0 && strcmp(kernels->isa, "baseline") != 0;
}

static real chain(bool is_fused, int64_t k, const real *a, int64_t a_k, const real *b, int64_t b_k, real sum) {
  for (int64_t i = 0; i < k; i++) {
    real x = a[i * a_k], y = b[i * b_k];
#if defined(AS_REAL_DOUBLE)
    sum = is_fused ? fma(x, y, sum) : sum + x * y;
#else
    sum = is_fused ? fmaf(x, y, sum) : sum + x * y;
#endif
  }
  return sum;
}

/* What element (i, j) of the call's C is before the activation, when C held `before`. */
static real expected_element(const kernel_table *kernels, const gemm_call *call, int64_t i, int64_t j, real before) {
  const real *a = call->a + (call->transpose_a ? i : i * call->lda);
  const real *b = call->b + (call->transpose_b ? j * call->ldb : j);
  real sum = chain(fused(kernels), call->k, a, call->transpose_a ? call->lda : 1, b, call->transpose_b ? 1 : call->ldb,
                   call->add ? before : 0);
  return call->bias ? sum + call->bias[j] : sum;
}

static void assert_bits(const kernel_table *kernels, const gemm_call *call, const char *what, int64_t i, int64_t j,
                        real actual, real expected) {
  if (memcmp(&actual, &expected, sizeof actual) != 0)
    ck_abort_msg("%s %s m %ld n %ld k %ld ta %d tb %d add %d: [%ld, %ld] is %.17g, expected %.17g", kernels->isa, what,
                 (long)call->m, (long)call->n, (long)call->k, call->transpose_a, call->transpose_b, call->add, (long)i,
                 (long)j, (double)actual, (double)expected);
}

/* ---- running a call on guarded memory ------------------------------------------------------------------------------
 */

static guarded workspace_of(const kernel_table *kernels, const gemm_call *call, int threads) {
  size_t bytes =
      AS_REAL(as_gemm_workspace)(kernels, call->m, call->n, call->k, call->transpose_a, call->transpose_b, threads);
  ck_assert_uint_eq(bytes % 64, 0);
  guarded g = guarded_bytes(bytes);
  memset(g.data, 0xff, bytes); /* NaN: nothing may come from what was there */
  return g;
}

static void run(as_context *ctx, const kernel_table *kernels, const gemm_call *call) {
  guarded workspace = workspace_of(kernels, call, as_context_threads(ctx));
  AS_REAL(as_gemm)(ctx, kernels, call, workspace.data);
  release(&workspace);
}

typedef struct operands {
  guarded a, b, c, before, bias;
} operands;

/* Random operands for a call whose m, n, k and forms are set; rows are `gap` elements further apart than they need. The
 * gap of C is NaN, and so is C when it is not added to. */
static operands make_operands(as_random *random, gemm_call *call, int64_t gap) {
  operands o;
  int64_t a_rows = call->transpose_a ? call->k : call->m, a_columns = call->transpose_a ? call->m : call->k;
  int64_t b_rows = call->transpose_b ? call->n : call->k, b_columns = call->transpose_b ? call->k : call->n;
  call->lda = a_columns + gap;
  call->ldb = b_columns + gap;
  call->ldc = call->n + gap;
  o.a = random_array(random, a_rows * call->lda - (a_rows ? gap : 0));
  o.b = random_array(random, b_rows * call->ldb - (b_rows ? gap : 0));
  o.bias = random_array(random, call->n);
  int64_t c_elements = call->m * call->ldc - (call->m ? gap : 0);
  o.before = random_array(random, c_elements);
  for (int64_t i = 0; i < c_elements; i++) {
    if (i % call->ldc >= call->n || !call->add) o.before.data[i] = (real)NAN;
  }
  o.c = guarded_array(c_elements);
  if (c_elements) memcpy(o.c.data, o.before.data, (size_t)c_elements * sizeof(real));
  call->a = o.a.data;
  call->b = o.b.data;
  call->c = o.c.data;
  return o;
}

static void free_operands(operands *o) {
  release(&o->a);
  release(&o->b);
  release(&o->c);
  release(&o->before);
  release(&o->bias);
}

/* All of C against the oracle, and the gaps between its rows untouched. */
static void assert_product(const kernel_table *kernels, const gemm_call *call, const operands *o) {
  for (int64_t i = 0; i < call->m; i++) {
    for (int64_t j = 0; j < call->ldc && i * call->ldc + j < call->m * call->ldc - (call->ldc - call->n); j++) {
      real before = o->before.data[i * call->ldc + j];
      real expected = j < call->n ? expected_element(kernels, call, i, j, before) : before;
      assert_bits(kernels, call, "C", i, j, call->c[i * call->ldc + j], expected);
    }
  }
}

static void check_product(as_context *ctx, const kernel_table *kernels, int64_t m, int64_t n, int64_t k, int form,
                          bool add) {
  as_random random = as_random_start(7, (uint64_t)(m * 1000003 + n * 1009 + k * 11 + form * 2 + add));
  gemm_call call = {.m = m,
                    .n = n,
                    .k = k,
                    .transpose_a = form & 1,
                    .transpose_b = form & 2,
                    .add = add,
                    .activation = AS_UNARY_NONE};
  operands o = make_operands(&random, &call, (m + k) % 4);
  run(ctx, kernels, &call);
  assert_product(kernels, &call, &o);
  free_operands(&o);
}

static const int64_t ODD_SIZES[] = {1, 3, 7, 17, 65, 129};
enum { ODD_COUNT = sizeof ODD_SIZES / sizeof *ODD_SIZES };

START_TEST(every_form_and_odd_size_is_one_chain_per_element) {
  const kernel_table *table[MAX_TABLES];
  size_t count = tables(table);
  as_context *ctx = as_test_context(2);
  for (size_t t = 0; t < count; t++) {
    for (int i = 0; i < ODD_COUNT; i++) {
      for (int j = 0; j < ODD_COUNT; j++) {
        for (int l = 0; l + 1 < ODD_COUNT; l++) {
          check_product(ctx, table[t], ODD_SIZES[i], ODD_SIZES[j], ODD_SIZES[l], (i + j) % 4, (i + l) % 2);
          check_product(ctx, table[t], ODD_SIZES[i], ODD_SIZES[j], ODD_SIZES[l], (i + j + 1 + l) % 4, (i + l + 1) % 2);
        }
      }
    }
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(every_number_of_rows_and_columns_up_to_two_tiles) {
  const kernel_table *table[MAX_TABLES];
  size_t count = tables(table);
  as_context *ctx = as_test_context(1);
  for (size_t t = 0; t < count; t++) {
    for (int64_t m = 1; m <= 2 * table[t]->gemm_shape.mr + 1; m++)
      check_product(ctx, table[t], m, 35, 21, (int)m % 4, m % 3);
    for (int64_t n = 1; n <= 2 * table[t]->gemm_shape.nr + 1; n++)
      check_product(ctx, table[t], 9, n, 21, (int)n % 4, n % 3);
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_chain_goes_on_over_the_blocks_of_k) {
  const kernel_table *table[MAX_TABLES];
  size_t count = tables(table);
  as_context *ctx = as_test_context(2);
  for (size_t t = 0; t < count; t++) {
    int64_t kc = table[t]->gemm_shape.kc;
    for (int form = 0; form < 4; form++) {
      check_product(ctx, table[t], 17, 37, kc - 1, form, false);
      check_product(ctx, table[t], 17, 37, kc, form, true);
      check_product(ctx, table[t], 17, 37, kc + 1, form, false);
      check_product(ctx, table[t], 17, 37, 3 * kc + 5, form, form % 2);
    }
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(more_rows_and_columns_than_a_chunk) {
  const kernel_table *table[MAX_TABLES];
  size_t count = tables(table);
  as_context *ctx = as_test_context(3);
  for (size_t t = 0; t < count; t++) {
    const as_gemm_shape *shape = &table[t]->gemm_shape;
    check_product(ctx, table[t], 2 * shape->mc + 5, 3, 5, 2, false);
    check_product(ctx, table[t], 3, 2 * shape->nc + 5, 5, 2, false);
    check_product(ctx, table[t], shape->mc + 5, shape->nc + 5, 9, 1, true);
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(nothing_to_sum_gives_zero_or_the_bias) {
  const kernel_table *table[MAX_TABLES];
  size_t count = tables(table);
  as_context *ctx = as_test_context(2);
  for (size_t t = 0; t < count; t++) {
    for (int form = 0; form < 4; form++) {
      check_product(ctx, table[t], 5, 7, 0, form, false);
      check_product(ctx, table[t], 5, 7, 0, form, true);
      check_product(ctx, table[t], 0, 7, 5, form, false);
      check_product(ctx, table[t], 5, 0, 5, form, false);
    }
    real c[6], bias[3] = {1, -2, 3};
    gemm_call call = {.m = 2, .n = 3, .k = 0, .c = c, .ldc = 3, .bias = bias, .activation = AS_UNARY_RELU};
    AS_REAL(as_gemm)(ctx, table[t], &call, NULL);
    for (int i = 0; i < 6; i++) ck_assert_double_eq((double)c[i], i % 3 == 1 ? 0 : (double)bias[i % 3]);
  }
  as_test_context_free(ctx);
}
END_TEST

/* The bias, each activation, and with it what was there before. */
static void check_epilogue(as_context *ctx, const kernel_table *kernels, int64_t m, int64_t n, int64_t k,
                           as_unary activation, bool keep) {
  as_random random = as_random_start(11, (uint64_t)activation);
  gemm_call call = {.m = m, .n = n, .k = k, .transpose_b = true, .activation = activation};
  operands o = make_operands(&random, &call, 2);
  call.bias = o.bias.data;
  guarded pre = guarded_array(m * call.ldc), row = guarded_array(n);
  if (keep) call.pre_activation = pre.data;
  run(ctx, kernels, &call);
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) {
      row.data[j] = expected_element(kernels, &call, i, j, 0);
      if (keep) assert_bits(kernels, &call, "pre-activation", i, j, pre.data[i * call.ldc + j], row.data[j]);
    }
    if (activation != AS_UNARY_NONE) kernels->unary_forward[activation]((size_t)n, row.data, row.data);
    for (int64_t j = 0; j < n; j++)
      if (!isnan(row.data[j])) assert_bits(kernels, &call, "activation", i, j, call.c[i * call.ldc + j], row.data[j]);
  }
  release(&row);
  release(&pre);
  free_operands(&o);
}

START_TEST(the_bias_and_the_activation_follow_the_chain) {
  const kernel_table *table[MAX_TABLES];
  size_t count = tables(table);
  as_context *ctx = as_test_context(2);
  for (size_t t = 0; t < count; t++) {
    for (int activation = 0; activation <= AS_UNARY_NONE; activation++) {
      check_epilogue(ctx, table[t], 19, 83, table[t]->gemm_shape.kc + 9, (as_unary)activation, activation % 2);
      check_epilogue(ctx, table[t], 5, 70, 33, (as_unary)activation, activation % 2 == 0);
    }
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(the_bits_do_not_depend_on_the_number_of_threads) {
  const kernel_table *table[MAX_TABLES];
  size_t count = tables(table);
  static const int threads[] = {1, 2, 3, 8};
  for (size_t t = 0; t < count; t++) {
    for (int form = 0; form < 4; form++) {
      as_random random = as_random_start(13, (uint64_t)form);
      gemm_call call = {
          .m = 131, .n = 517, .k = 301, .transpose_a = form & 1, .transpose_b = form & 2, .activation = AS_UNARY_GELU};
      operands o = make_operands(&random, &call, 0);
      call.bias = o.bias.data;
      guarded first = guarded_array(call.m * call.n);
      for (int i = 0; i < 4; i++) {
        as_context *ctx = as_test_context(threads[i]);
        memset(o.c.data, 0xff, (size_t)(call.m * call.n) * sizeof(real));
        run(ctx, table[t], &call);
        if (i == 0) memcpy(first.data, o.c.data, (size_t)(call.m * call.n) * sizeof(real));
        ck_assert_mem_eq(first.data, o.c.data, (size_t)(call.m * call.n) * sizeof(real));
        as_test_context_free(ctx);
      }
      release(&first);
      free_operands(&o);
    }
  }
}
END_TEST

START_TEST(a_row_alone_gives_what_it_gives_in_a_batch) {
  const kernel_table *table[MAX_TABLES];
  size_t count = tables(table);
  as_context *ctx = as_test_context(2);
  for (size_t t = 0; t < count; t++) {
    as_random random = as_random_start(17, t);
    gemm_call call = {.m = 43, .n = 100, .k = 600, .transpose_b = true, .activation = AS_UNARY_TANH};
    operands o = make_operands(&random, &call, 3);
    call.bias = o.bias.data;
    run(ctx, table[t], &call);
    for (int64_t row = 0; row < call.m; row++) {
      gemm_call alone = call;
      guarded c = guarded_array(call.n);
      alone.m = 1;
      alone.a = call.a + row * call.lda;
      alone.c = c.data;
      run(ctx, table[t], &alone);
      ck_assert_mem_eq(c.data, call.c + row * call.ldc, (size_t)call.n * sizeof(real));
      release(&c);
    }
    free_operands(&o);
  }
  as_test_context_free(ctx);
}
END_TEST

START_TEST(a_weight_packed_before_gives_the_same_bits) {
  const kernel_table *table[MAX_TABLES];
  size_t count = tables(table);
  as_context *ctx = as_test_context(2);
  for (size_t t = 0; t < count; t++) {
    for (int form = 0; form < 4; form++) {
      for (int64_t m = 1; m < 40; m = 5 * m + 2) {
        as_random random = as_random_start(19, (uint64_t)(m * 4 + form));
        gemm_call call = {
            .m = m, .n = 213, .k = 600, .transpose_a = form & 1, .transpose_b = form & 2, .activation = AS_UNARY_NONE};
        operands o = make_operands(&random, &call, 1);
        guarded packed = guarded_array((int64_t)AS_REAL(as_gemm_packed_b_elements)(table[t], call.n, call.k));
        AS_REAL(as_gemm_pack_b)(ctx, table[t], call.n, call.k, call.transpose_b, call.b, call.ldb, packed.data);
        gemm_call with = call;
        with.packed_b = packed.data;
        with.b = NULL;
        run(ctx, table[t], &with);
        assert_product(table[t], &call, &o);
        release(&packed);
        free_operands(&o);
      }
    }
  }
  as_test_context_free(ctx);
}
END_TEST

/* ---- the small product ------------------------------------------------------------------------------------------ */

static void check_block(const kernel_table *kernels, int64_t m, int64_t n, int64_t k, int form, bool add, real alpha) {
  as_random random = as_random_start(23, (uint64_t)(m * 1000003 + n * 1009 + k * 11 + form));
  gemm_call like = {.m = m, .n = n, .k = k, .transpose_a = form & 1, .transpose_b = form & 2, .add = add};
  operands o = make_operands(&random, &like, (m + n) % 3 * 8);
  block_call call = {.m = m,
                     .n = n,
                     .k = k,
                     .transpose_a = like.transpose_a,
                     .transpose_b = like.transpose_b,
                     .alpha = alpha,
                     .a = like.a,
                     .lda = like.lda,
                     .b = like.b,
                     .ldb = like.ldb,
                     .add = add,
                     .c = like.c,
                     .ldc = like.ldc};
  guarded workspace = guarded_bytes(AS_REAL(as_gemm_block_workspace)(kernels, m, n, k));
  AS_REAL(as_gemm_block)(kernels, &call, workspace.data);
  like.add = false;
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) {
      real expected = expected_element(kernels, &like, i, j, 0) * alpha;
      if (add) expected = o.before.data[i * like.ldc + j] + expected;
      assert_bits(kernels, &like, "block", i, j, call.c[i * call.ldc + j], expected);
    }
  }
  release(&workspace);
  free_operands(&o);
}

START_TEST(the_small_product_in_every_form) {
  static const int64_t sizes[] = {1, 3, 8, 17, 32, 65, 129}, depths[] = {1, 17, 32, 64, 130};
  const kernel_table *table[MAX_TABLES];
  size_t count = tables(table);
  for (size_t t = 0; t < count; t++) {
    for (int i = 0; i < 7; i++) {
      for (int j = 0; j < 7; j++) {
        for (int l = 0; l < 5; l++)
          check_block(table[t], sizes[i], sizes[j], depths[l], (i + j + l) % 4, i % 2, j % 2 ? 1 : (real)0.3);
      }
    }
    for (int form = 0; form < 4; form++) {
      check_block(table[t], 37, 64, 64, form, false, (real)0.125);
      check_block(table[t], 64, 96, 37, form, true, (real)0.3);
      check_block(table[t], 4, 4, 0, form, true, 1);
    }
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("gemm");
  TCase *tcase = tcase_create("product");
  tcase_add_test(tcase, every_form_and_odd_size_is_one_chain_per_element);
  tcase_add_test(tcase, every_number_of_rows_and_columns_up_to_two_tiles);
  tcase_add_test(tcase, a_chain_goes_on_over_the_blocks_of_k);
  tcase_add_test(tcase, more_rows_and_columns_than_a_chunk);
  tcase_add_test(tcase, nothing_to_sum_gives_zero_or_the_bias);
  tcase_add_test(tcase, the_bias_and_the_activation_follow_the_chain);
  tcase_add_test(tcase, the_bits_do_not_depend_on_the_number_of_threads);
  tcase_add_test(tcase, a_row_alone_gives_what_it_gives_in_a_batch);
  tcase_add_test(tcase, a_weight_packed_before_gives_the_same_bits);
  tcase_add_test(tcase, the_small_product_in_every_form);
  suite_add_tcase(suite, tcase);
  return suite;
}
