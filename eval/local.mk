# eval/: metrics, statistics, calibration, reports. It knows base/ only.
eval_includedir = $(pkgincludedir)/eval
eval_include_HEADERS = eval/auc.h eval/bleu.h eval/bootstrap.h eval/calibration.h eval/chrf.h eval/classification.h \
  eval/classifier_calibration.h eval/compared_figures.h eval/comparison.h eval/paired_sums.h \
  eval/replies_comparison.h eval/drift.h eval/evaluation.h eval/metrics_json.h eval/platt.h eval/porter.h \
  eval/ranking.h eval/replies.h eval/rouge.h eval/statistics.h eval/text_match.h eval/tokens.h
# labels, probabilities, statistics
libassistify_all_la_SOURCES += eval/compared_figures.c eval/comparison.c eval/comparison_report.c eval/paired_sums.c \
  eval/resampling.h
libassistify_all_la_SOURCES += eval/auc.c eval/bootstrap.c eval/calibration.c eval/classification.c \
  eval/classifier_calibration.c eval/drift.c eval/evaluation.c eval/evaluation_svg.c eval/evaluation_table.c \
  eval/platt.c eval/range_check.c eval/range_check.h eval/ranking.c eval/statistics.c eval/svg.c \
  eval/svg.h eval/temperature.c
# drift: by chance, and against what was trained on
eval_include_HEADERS += eval/drift_chance.h eval/reference.h
libassistify_all_la_SOURCES += eval/drift_chance.c eval/reference.c
check_PROGRAMS += tests/test_drift
tests_test_drift_SOURCES = tests/test_drift.c
tests_test_drift_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_drift_LDADD = libtest_harness.la $(TEST_LDADD)
# texts
libassistify_all_la_SOURCES += eval/bleu.c eval/chrf.c eval/ngrams.c eval/ngrams.h eval/porter.c eval/rouge.c \
  eval/text_match.c eval/tokens.c eval/replies.c eval/replies_comparison.c eval/replies_report.c
# all of them over JSON lines
libassistify_all_la_SOURCES += eval/json_fields.c eval/json_fields.h eval/metrics_compare.c eval/metrics_json.c \
  eval/metrics_labels.c eval/metrics_ranking.c eval/metrics_tasks.h eval/metrics_text.c

check_PROGRAMS += tests/test_classification tests/test_evaluation tests/test_metrics_json tests/test_metrics_rows \
  tests/test_ranking tests/test_replies tests/test_statistics tests/test_text_metrics tests/golden_metrics tests/golden_text_corpus
tests_test_classification_SOURCES = tests/test_classification.c
tests_test_classification_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_classification_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_statistics_SOURCES = tests/test_statistics.c
tests_test_statistics_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_statistics_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_metrics_json_SOURCES = tests/test_metrics_json.c
tests_test_metrics_json_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_metrics_json_LDADD = libtest_harness.la $(TEST_LDADD)
tests_golden_metrics_SOURCES = tests/golden_metrics.c tests/metrics_rows.c tests/metrics_rows.h
tests_golden_metrics_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_metrics_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_evaluation_SOURCES = tests/test_evaluation.c tests/small_xml.c tests/small_xml.h
tests_test_evaluation_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_evaluation_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_text_metrics_SOURCES = tests/test_text_metrics.c
tests_test_text_metrics_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_text_metrics_LDADD = libtest_harness.la $(TEST_LDADD)
tests_golden_text_corpus_SOURCES = tests/golden_text_corpus.c
tests_golden_text_corpus_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_text_corpus_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_ranking_SOURCES = tests/test_ranking.c
tests_test_ranking_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_ranking_LDADD = libtest_harness.la $(TEST_LDADD)
dist_check_SCRIPTS += tests/test_metrics.sh
tests_test_metrics_rows_SOURCES = tests/test_metrics_rows.c tests/metrics_rows.c tests/metrics_rows.h
tests_test_metrics_rows_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_metrics_rows_LDADD = libtest_harness.la $(TEST_LDADD)
EXTRA_DIST += tests/golden/metrics
tests_test_replies_SOURCES = tests/test_replies.c
tests_test_replies_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_replies_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_replies_comparison
tests_test_replies_comparison_SOURCES = tests/test_replies_comparison.c
tests_test_replies_comparison_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_replies_comparison_LDADD = libtest_harness.la $(TEST_LDADD)
EXTRA_DIST += tests/golden/paired_replies.json tests/golden/make_paired_replies.py
