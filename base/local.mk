# base/: what every other folder stands on; it knows nobody.
basedir_includedir = $(pkgincludedir)/base
basedir_include_HEADERS = base/status.h base/context.h base/memory.h base/threads.h base/buffer.h base/file.h \
  base/random.h base/utf8.h base/json.h base/machine.h
libassistify_all_la_SOURCES += base/context.c base/memory.c base/threads.c base/buffer.c base/file.c base/random.c \
  base/utf8.c base/json.c base/processors.c base/cgroup.c base/machine.c base/internal.h

check_PROGRAMS += tests/test_machine
tests_test_machine_SOURCES = tests/test_machine.c
tests_test_machine_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_machine_LDADD = libtest_harness.la $(TEST_LDADD)
