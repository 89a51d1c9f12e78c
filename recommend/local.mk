# recommend/: the recommender: LightFM's model and losses, recommendations of five kinds, their evaluation.
recommend_includedir = $(pkgincludedir)/recommend
recommend_include_HEADERS = recommend/lightfm.h recommend/lightfm_exact.h recommend/fit.h recommend/als.h recommend/features.h \
  recommend/recommender.h recommend/topn.h recommend/train.h recommend/estimate.h recommend/baselines.h recommend/evaluate.h recommend/compare.h recommend/ranks.h
libassistify_all_la_SOURCES += recommend/baselines.c recommend/evaluate.c recommend/evaluate_report.c recommend/ranks.c \
  recommend/train_alike.c recommend/compare.c recommend/estimate.c recommend/validate.c recommend/validate.h
libassistify_all_la_SOURCES += recommend/answer.c recommend/scores.c recommend/scores.h
libassistify_all_la_SOURCES += recommend/als.c recommend/features.c recommend/folder.c recommend/kinds.c \
  recommend/recommender.c recommend/topn.c recommend/train.c
libassistify_all_la_SOURCES += recommend/fit.c recommend/fit_state.c recommend/fit_state.h recommend/lightfm.c recommend/lightfm_exact.c
libassistify_all_la_SOURCES += recommend/pairwise.h recommend/pairwise_dispatch.c recommend/pairwise_reference.c \
  recommend/pairwise_tables.h

# The inner loops, once for each instruction set, as tensor/local.mk does it for the engine's kernels.
if HAVE_BASELINE
noinst_LTLIBRARIES += libpairwise_baseline.la
libpairwise_baseline_la_SOURCES = recommend/pairwise_simd.c
libpairwise_baseline_la_CPPFLAGS = $(AM_CPPFLAGS) -DAS_ISA_BASELINE
libassistify_all_la_LIBADD += libpairwise_baseline.la
endif
if HAVE_AVX2
noinst_LTLIBRARIES += libpairwise_avx2.la
libpairwise_avx2_la_SOURCES = recommend/pairwise_simd.c
libpairwise_avx2_la_CPPFLAGS = $(AM_CPPFLAGS) -DAS_ISA_AVX2
libpairwise_avx2_la_CFLAGS = $(AM_CFLAGS) $(AVX2_CFLAGS)
libassistify_all_la_LIBADD += libpairwise_avx2.la
endif
if HAVE_AVX512
noinst_LTLIBRARIES += libpairwise_avx512.la
libpairwise_avx512_la_SOURCES = recommend/pairwise_simd.c
libpairwise_avx512_la_CPPFLAGS = $(AM_CPPFLAGS) -DAS_ISA_AVX512
libpairwise_avx512_la_CFLAGS = $(AM_CFLAGS) $(AVX512_CFLAGS)
libassistify_all_la_LIBADD += libpairwise_avx512.la
endif
if HAVE_NEON
noinst_LTLIBRARIES += libpairwise_neon.la
libpairwise_neon_la_SOURCES = recommend/pairwise_simd.c
libpairwise_neon_la_CPPFLAGS = $(AM_CPPFLAGS) -DAS_ISA_NEON
libassistify_all_la_LIBADD += libpairwise_neon.la
endif

check_PROGRAMS += tests/test_lightfm
tests_test_lightfm_SOURCES = tests/test_lightfm.c $(PROGRAM_TEST)
tests_test_lightfm_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_lightfm_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
EXTRA_DIST += tests/golden/recommend
check_PROGRAMS += tests/test_recommender
tests_test_recommender_SOURCES = tests/test_recommender.c $(PROGRAM_TEST)
tests_test_recommender_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_recommender_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
check_PROGRAMS += tests/test_recommend_evaluate
tests_test_recommend_evaluate_SOURCES = tests/test_recommend_evaluate.c $(PROGRAM_TEST)
tests_test_recommend_evaluate_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_recommend_evaluate_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
check_PROGRAMS += tests/test_recommend_validate
tests_test_recommend_validate_SOURCES = tests/test_recommend_validate.c
tests_test_recommend_validate_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_recommend_validate_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_recommend_compare
tests_test_recommend_compare_SOURCES = tests/test_recommend_compare.c
tests_test_recommend_compare_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_recommend_compare_LDADD = libtest_harness.la $(TEST_LDADD)
