# bench/: measuring; part of the program, not of the library.
libassistify_cli_la_SOURCES += cli/bench_kernels.c bench/bench.h bench/kernels.c bench/gemm.c bench/measure.c
libassistify_cli_la_SOURCES += cli/bench_train.c cli/bench_generate.c cli/bench_infer.c cli/bench_tokenize.c \
  cli/bench_options.c cli/bench_options.h
libassistify_cli_la_SOURCES += cli/bench_recommend.c bench/pairs.c bench/recommend.c bench/recommend.h
libassistify_cli_la_SOURCES += bench/encoder.c bench/encoder.h bench/generate.c bench/infer.c bench/spread.c \
  bench/spread.h bench/t5.h bench/train.c bench/workload.c bench/workload.h

check_PROGRAMS += tests/test_bench
tests_test_bench_SOURCES = tests/test_bench.c
tests_test_bench_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_bench_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
dist_check_SCRIPTS += tests/test_bench.sh
EXTRA_DIST += bench/workloads/distilbert.infer.sorted.b32.n1000.txt bench/workloads/distilbert.train.dynamic.b16.n512.txt \
  bench/workloads/distilbert.train.full128.b8.n16.txt bench/workloads/distilbert.train.grouped.b16.n512.txt \
  bench/workloads/distilbert.train.padmax.b16.n512.txt bench/workloads/roberta.infer.sorted.b32.n1000.txt \
  bench/workloads/roberta.train.dynamic.b16.n256.txt bench/workloads/roberta.train.padmax.b16.n256.txt \
  bench/workloads/t5-base.train.dynamic.b8.n64.txt bench/workloads/t5-small.train.dynamic.b8.n128.txt
EXTRA_DIST += bench/simulated_year.sh bench/peers/cold.py bench/peers/common.py bench/peers/folder.py bench/peers/generate.py bench/peers/infer.py bench/peers/recommend.py \
  bench/peers/tokenizing.py bench/peers/train.py
