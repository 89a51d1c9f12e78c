# data/: reading CSV, message tables, splits, checks, synthetic data.
data_includedir = $(pkgincludedir)/data
data_include_HEADERS = data/encoding.h data/report.h data/csv.h data/csv_write.h data/messages.h data/check.h data/split.h \
  data/synth.h data/interactions.h data/products.h data/text_index.h data/timestamp.h data/nearest_reply.h data/tfidf.h \
  data/interaction_split.h data/hold_out.h
libassistify_all_la_SOURCES += data/encoding.c data/report.c data/csv_source.c data/csv_source.h data/csv.c \
  data/csv_write.c data/text_index.c data/tfidf.c data/nearest_reply.c data/messages.c data/interactions.c data/products.c data/timestamp.c data/check.c data/split.c data/synth.c \
  data/synth_drift.c data/synth_drift.h data/synth_text.c data/synth_text.h data/templates.h data/templates_common.c data/templates_complaint.c \
  data/templates_inquiry.c data/templates_purchase.c data/templates_return.c data/templates_support.c \
  data/templates_tracking.c
libassistify_all_la_SOURCES += data/interaction_split.c data/hold_out.c
data_include_HEADERS += data/leaks.h data/shop_check.h data/text_faults.h
libassistify_all_la_SOURCES += data/check_private.h data/check_report.c data/leaks.c data/shop_check.c data/split_write.c data/text_faults.c
samplesdir = $(pkgdatadir)/samples
dist_samples_DATA = data/samples/messages.csv data/samples/products.csv data/samples/interactions.csv

check_PROGRAMS += tests/test_nearest_reply
tests_test_nearest_reply_SOURCES = tests/test_nearest_reply.c
tests_test_nearest_reply_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_nearest_reply_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_csv tests/test_messages tests/test_split
tests_test_csv_SOURCES = tests/test_csv.c
tests_test_csv_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_csv_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_messages_SOURCES = tests/test_messages.c
tests_test_messages_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_messages_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_split_SOURCES = tests/test_split.c
tests_test_split_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_split_LDADD = libtest_harness.la $(TEST_LDADD)

check_PROGRAMS += tests/test_check tests/test_synth tests/golden_data
tests_test_check_SOURCES = tests/test_check.c
tests_test_check_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_check_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_synth_SOURCES = tests/test_synth.c
tests_test_synth_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_synth_LDADD = libtest_harness.la $(TEST_LDADD)
tests_golden_data_SOURCES = tests/golden_data.c
tests_golden_data_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_data_LDADD = libtest_harness.la $(TEST_LDADD)

check_PROGRAMS += tests/test_shop_data
tests_test_shop_data_SOURCES = tests/test_shop_data.c
tests_test_shop_data_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_shop_data_LDADD = libtest_harness.la $(TEST_LDADD)

data_include_HEADERS += data/synth_shop.h
libassistify_all_la_SOURCES += data/shop_kinds.c data/synth_shop.c
check_PROGRAMS += tests/test_synth_shop
tests_test_synth_shop_SOURCES = tests/test_synth_shop.c
tests_test_synth_shop_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_synth_shop_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_hold_out
tests_test_hold_out_SOURCES = tests/test_hold_out.c
tests_test_hold_out_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_hold_out_LDADD = libtest_harness.la $(TEST_LDADD)
