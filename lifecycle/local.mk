# lifecycle/: the model store, with what comes and goes: versions, aliases, archives.
lifecycle_includedir = $(pkgincludedir)/lifecycle
lifecycle_include_HEADERS = lifecycle/store.h lifecycle/manifest.h lifecycle/transfer.h lifecycle/origin.h \
  lifecycle/card.h lifecycle/database.h lifecycle/metric_history.h lifecycle/prediction_log.h lifecycle/gate.h
libassistify_all_la_SOURCES += lifecycle/store.c lifecycle/store_change.c lifecycle/store_internal.h \
  lifecycle/manifest.c lifecycle/origin.c lifecycle/database.c lifecycle/database_internal.h \
  lifecycle/metric_history.c lifecycle/prediction_log.c lifecycle/gate.c lifecycle/card.c lifecycle/tar.c lifecycle/tar.h lifecycle/transfer.c
# the prediction log: reading it
lifecycle_include_HEADERS += lifecycle/predictions.h lifecycle/drift.h
libassistify_all_la_SOURCES += lifecycle/predictions.c lifecycle/prediction_export.c lifecycle/drift.c
LOG_TEST = tests/prediction_log_fixture.c tests/prediction_log_fixture.h tests/store_fixture.c tests/store_fixture.h
check_PROGRAMS += tests/test_prediction_log tests/test_predictions
tests_test_predictions_SOURCES = tests/test_predictions.c $(LOG_TEST)
tests_test_predictions_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_predictions_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_prediction_log_SOURCES = tests/test_prediction_log.c $(LOG_TEST)
tests_test_prediction_log_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_prediction_log_LDADD = libtest_harness.la $(TEST_LDADD)
dist_check_SCRIPTS += tests/test_monitor.sh
# the parts of a card that differ from model to model
libassistify_all_la_SOURCES += lifecycle/card_internal.h lifecycle/card_metrics.c
# the figure that a list shows
lifecycle_include_HEADERS += lifecycle/main_figure.h
libassistify_all_la_SOURCES += lifecycle/main_figure.c
# the history of figures as a picture
lifecycle_include_HEADERS += lifecycle/metric_plot.h
libassistify_all_la_SOURCES += lifecycle/metric_plot.c

check_PROGRAMS += tests/test_store tests/test_transfer tests/test_card tests/test_metric_history
tests_test_metric_history_SOURCES = tests/test_metric_history.c tests/store_fixture.c tests/store_fixture.h
tests_test_metric_history_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_metric_history_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_metric_plot
tests_test_metric_plot_SOURCES = tests/test_metric_plot.c tests/small_xml.c tests/small_xml.h
tests_test_metric_plot_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_metric_plot_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_card_SOURCES = tests/test_card.c tests/store_fixture.c tests/store_fixture.h
tests_test_card_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_card_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_store_SOURCES = tests/test_store.c tests/store_fixture.c tests/store_fixture.h
tests_test_store_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_store_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_transfer_SOURCES = tests/test_transfer.c tests/store_fixture.c tests/store_fixture.h
tests_test_transfer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_transfer_LDADD = libtest_harness.la $(TEST_LDADD)
dist_check_SCRIPTS += tests/test_retrain.sh tests/test_models.sh tests/test_compare.sh tests/test_disk.sh
check_PROGRAMS += tests/test_comparison
tests_test_comparison_SOURCES = tests/test_comparison.c
tests_test_comparison_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_comparison_LDADD = libtest_harness.la $(TEST_LDADD)

# What `train all` has done and has left.
lifecycle_include_HEADERS += lifecycle/training_list.h
libassistify_all_la_SOURCES += lifecycle/training_list.c
dist_check_SCRIPTS += tests/test_train_all.sh
# Retraining: what it keeps of a command, whether data is fit, what came of it.
lifecycle_include_HEADERS += lifecycle/training_words.h lifecycle/data_gate.h lifecycle/retrain_log.h
libassistify_all_la_SOURCES += lifecycle/training_words.c lifecycle/data_gate.c lifecycle/retrain_log.c
check_PROGRAMS += tests/test_retrain_parts
tests_test_retrain_parts_SOURCES = tests/test_retrain_parts.c tests/store_fixture.c tests/store_fixture.h
tests_test_retrain_parts_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_retrain_parts_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_training_list
tests_test_training_list_SOURCES = tests/test_training_list.c tests/store_fixture.c tests/store_fixture.h
tests_test_training_list_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_training_list_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_monitor_metrics
tests_test_monitor_metrics_SOURCES = tests/test_monitor_metrics.c tests/small_xml.c tests/small_xml.h $(PROGRAM_TEST)
tests_test_monitor_metrics_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_monitor_metrics_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
