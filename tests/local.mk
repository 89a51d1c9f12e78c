# tests/: one program per subject. Programs named golden_* need ASSISTIFY_GOLDEN and skip themselves without it.
TEST_LDADD = libassistify_all.la $(COMMON_LIBS) $(CHECK_LIBS)
TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
dist_check_SCRIPTS += tests/test_layering.sh tests/test_symbols.sh
check_LTLIBRARIES = libtest_harness.la
libtest_harness_la_SOURCES = tests/harness.c tests/harness.h tests/folder_fixture.h
libtest_harness_la_CPPFLAGS = $(TEST_CPPFLAGS)

EXTRA_DIST += tests/installed.sh tests/from_outside.sh tests/training_runs.sh
installcheck-local:
	CC='$(CC)' MODE_FLAGS='$(MODE_LDFLAGS)' $(top_srcdir)/tests/installed.sh '$(prefix)' '$(includedir)' '$(libdir)'
