# eval/: metrics, statistics, calibration, reports. It knows base/ only.
eval_includedir = $(pkgincludedir)/eval
eval_include_HEADERS = eval/auc.h eval/calibration.h eval/classification.h eval/metrics_json.h
libassistify_all_la_SOURCES += eval/auc.c eval/calibration.c eval/classification.c eval/json_fields.c eval/json_fields.h \
  eval/metrics_json.c eval/metrics_labels.c eval/metrics_tasks.h

check_PROGRAMS += tests/test_classification tests/golden_metrics
tests_test_classification_SOURCES = tests/test_classification.c
tests_test_classification_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_classification_LDADD = libtest_harness.la $(TEST_LDADD)
tests_golden_metrics_SOURCES = tests/golden_metrics.c
tests_golden_metrics_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_metrics_LDADD = libtest_harness.la $(TEST_LDADD)
