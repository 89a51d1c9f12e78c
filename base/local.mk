# base/: what every other folder stands on; it knows nobody.
basedir_includedir = $(pkgincludedir)/base
basedir_include_HEADERS = base/status.h base/context.h base/memory.h base/threads.h base/buffer.h base/file.h \
  base/random.h base/utf8.h base/json.h base/machine.h base/sha256.h base/columns.h base/report.h base/base64.h base/clock.h base/text_unicode.h
libassistify_all_la_SOURCES += base/context.c base/memory.c base/threads.c base/buffer.c base/file.c base/random.c \
  base/utf8.c base/base64.c base/clock.c base/columns.c base/report.c base/json.c base/sha256.c base/processors.c base/cgroup.c base/machine.c \
  base/text_unicode.c base/internal.h

check_PROGRAMS += tests/test_base tests/test_threads tests/test_file tests/test_json tests/test_random tests/test_utf8 \
  tests/test_machine tests/test_sha256 tests/golden_utf8
tests_test_sha256_SOURCES = tests/test_sha256.c
tests_test_sha256_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_sha256_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_machine_SOURCES = tests/test_machine.c
tests_test_machine_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_machine_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_base_SOURCES = tests/test_base.c
tests_test_base_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_base_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_threads_SOURCES = tests/test_threads.c
tests_test_threads_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_threads_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_file_SOURCES = tests/test_file.c
tests_test_file_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_file_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_json_SOURCES = tests/test_json.c
tests_test_json_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_json_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_random_SOURCES = tests/test_random.c
tests_test_random_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_random_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_utf8_SOURCES = tests/test_utf8.c
tests_test_utf8_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_utf8_LDADD = libtest_harness.la $(TEST_LDADD)
tests_golden_utf8_SOURCES = tests/golden_utf8.c
tests_golden_utf8_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_utf8_LDADD = libtest_harness.la $(TEST_LDADD)
