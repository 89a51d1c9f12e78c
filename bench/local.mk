# bench/: measuring; part of the program, not of the library.
libassistify_cli_la_SOURCES += cli/bench_kernels.c bench/bench.h bench/kernels.c bench/measure.c

check_PROGRAMS += tests/test_bench
tests_test_bench_SOURCES = tests/test_bench.c
tests_test_bench_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_bench_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
