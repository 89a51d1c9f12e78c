# tensor/: the engine; it knows base/ only.
tensor_includedir = $(pkgincludedir)/tensor
tensor_include_HEADERS = tensor/gemm.h tensor/gemm_typed.h tensor/graph.h tensor/ops.h tensor/gradcheck.h
tensorkernels_includedir = $(pkgincludedir)/tensor/kernels
tensorkernels_include_HEADERS = tensor/kernels/kernels.h tensor/kernels/table.h

libassistify_all_la_SOURCES += tensor/graph.c tensor/plan.c tensor/arena.c tensor/run.c tensor/gradcheck.c tensor/node.h \
  tensor/op_list.h
libassistify_all_la_SOURCES += tensor/kernels/dispatch.c tensor/kernels/convert.c tensor/kernels/tables.h

# What is written once with `real` (tensor/real.h) and compiled for float and for double.
REAL_SOURCES = tensor/op_table.c tensor/ops/op.h tensor/ops/copy.c tensor/ops/unary.c tensor/ops/binary.c tensor/ops/affine.c \
  tensor/ops/matmul.c tensor/ops/transpose.c tensor/ops/reshape.c tensor/ops/slice_concat.c tensor/ops/reduce.c \
  tensor/ops/softmax.c tensor/ops/dropout.c tensor/ops/embedding.c tensor/ops/layer_norm.c tensor/ops/linear.c \
  tensor/ops/residual_layer_norm.c tensor/ops/embedding_layer_norm.c tensor/ops/attention.c tensor/ops/cross_entropy.c \
  tensor/ops/residual_dropout.c tensor/ops/gated_linear_unit.c \
  tensor/ops/linear_cross_entropy.c
REAL_SOURCES += tensor/gemm.c tensor/kernels/reference.c tensor/kernels/reference_gemm.c tensor/real.h
noinst_LTLIBRARIES += libtensor_f32.la libtensor_f64.la
libtensor_f32_la_SOURCES = $(REAL_SOURCES)
libtensor_f32_la_CPPFLAGS = $(AM_CPPFLAGS)
libtensor_f64_la_SOURCES = $(REAL_SOURCES)
libtensor_f64_la_CPPFLAGS = $(AM_CPPFLAGS) -DAS_REAL_DOUBLE
libassistify_all_la_LIBADD += libtensor_f32.la libtensor_f64.la

check_PROGRAMS += tests/test_graph
tests_test_graph_SOURCES = tests/test_graph.c
tests_test_graph_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_graph_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_linear_cross_entropy
tests_test_linear_cross_entropy_SOURCES = tests/test_linear_cross_entropy.c
tests_test_linear_cross_entropy_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_linear_cross_entropy_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_gemm tests/test_gemm_f64
tests_test_gemm_SOURCES = tests/test_gemm.c
tests_test_gemm_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_gemm_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_gemm_f64_SOURCES = tests/test_gemm.c
tests_test_gemm_f64_CPPFLAGS = $(TEST_CPPFLAGS) -DAS_REAL_DOUBLE
tests_test_gemm_f64_LDADD = libtest_harness.la $(TEST_LDADD)

# The kernels over tensor/kernels/simd.h, compiled once for each instruction set that the compiler knows.
SIMD_SOURCES = tensor/kernels/simd_table.c tensor/kernels/simd_elementwise.c tensor/kernels/simd_unary.c \
  tensor/kernels/simd_reduce.c tensor/kernels/simd_rows.c tensor/kernels/simd_softmax.c tensor/kernels/simd_norm.c tensor/kernels/simd_dropout.c \
  tensor/kernels/simd_adamw.c tensor/kernels/simd_gemm.c tensor/kernels/simd_gemm.h tensor/kernels/simd_kernels.h \
  tensor/kernels/simd_math.h tensor/kernels/simd_philox.h tensor/kernels/simd.h \
  tensor/kernels/simd_sse2.h tensor/kernels/simd_avx2.h tensor/kernels/simd_avx512.h tensor/kernels/simd_neon.h
if HAVE_BASELINE
noinst_LTLIBRARIES += libkernels_baseline.la
libkernels_baseline_la_SOURCES = $(SIMD_SOURCES)
libkernels_baseline_la_CPPFLAGS = $(AM_CPPFLAGS) -DAS_ISA_BASELINE
libassistify_all_la_LIBADD += libkernels_baseline.la
endif
if HAVE_AVX2
noinst_LTLIBRARIES += libkernels_avx2.la
libkernels_avx2_la_SOURCES = $(SIMD_SOURCES)
libkernels_avx2_la_CPPFLAGS = $(AM_CPPFLAGS) -DAS_ISA_AVX2
libkernels_avx2_la_CFLAGS = $(AM_CFLAGS) $(AVX2_CFLAGS)
libassistify_all_la_LIBADD += libkernels_avx2.la
endif
if HAVE_AVX512
noinst_LTLIBRARIES += libkernels_avx512.la
libkernels_avx512_la_SOURCES = $(SIMD_SOURCES)
libkernels_avx512_la_CPPFLAGS = $(AM_CPPFLAGS) -DAS_ISA_AVX512
libkernels_avx512_la_CFLAGS = $(AM_CFLAGS) $(AVX512_CFLAGS)
libassistify_all_la_LIBADD += libkernels_avx512.la
endif
if HAVE_NEON
noinst_LTLIBRARIES += libkernels_neon.la
libkernels_neon_la_SOURCES = $(SIMD_SOURCES)
libkernels_neon_la_CPPFLAGS = $(AM_CPPFLAGS) -DAS_ISA_NEON
libassistify_all_la_LIBADD += libkernels_neon.la
endif

check_PROGRAMS += tests/test_kernels tests/test_kernels_math tests/test_convert tests/golden_ops
tests_test_kernels_SOURCES = tests/test_kernels.c
tests_test_kernels_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_kernels_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_kernels_math_SOURCES = tests/test_kernels_math.c
tests_test_kernels_math_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_kernels_math_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_convert_SOURCES = tests/test_convert.c
tests_test_convert_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_convert_LDADD = libtest_harness.la $(TEST_LDADD)
tests_golden_ops_SOURCES = tests/golden_ops.c
tests_golden_ops_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_ops_LDADD = libtest_harness.la $(TEST_LDADD)
