# train/: optimizer, schedules, batching, the trainers and their state on disk.
traindir_includedir = $(pkgincludedir)/train
traindir_include_HEADERS = train/schedule.h train/optimizer.h train/adamw.h train/adafactor.h \
  train/step.h train/recipe.h train/training.h train/pretraining.h train/response.h train/replies.h train/classifier.h \
  train/intent_classifier.h train/sentiment_classifier.h
libassistify_all_la_SOURCES += train/schedule.c train/adamw.c train/adafactor.c train/step.c train/batches.c train/batches.h
libassistify_all_la_SOURCES += train/recipe.c train/training_state.c train/training_state.h train/run.c train/run.h \
  train/run_record.c train/run_optimizer.c train/run_plan.c train/run_estimate.c train/run_log.c train/micro_batches.c train/micro_batches.h
libassistify_all_la_SOURCES += train/classifier.c train/text_data.c train/text_data.h train/class_weights.c \
  train/class_weights.h train/pretraining.c train/masking.c train/masking.h train/response.c train/pair_data.c train/pair_data.h \
  train/pair_batches.c train/pair_batches.h train/replies.c train/intent_classifier.c train/sentiment_classifier.c
libassistify_all_la_SOURCES += train/training_reference.c train/training_reference.h

dist_check_SCRIPTS += tests/test_training_cli.sh tests/test_pretrain_cli.sh tests/test_response_cli.sh
check_PROGRAMS += tests/test_training tests/test_training_parts tests/test_training_choices
tests_test_training_SOURCES = tests/test_training.c tests/small_training.c tests/small_training.h
tests_test_training_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_training_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_calibration
tests_test_calibration_SOURCES = tests/test_calibration.c tests/small_training.c tests/small_training.h
tests_test_calibration_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_calibration_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_training_parts_SOURCES = tests/test_training_parts.c tests/small_training.c tests/small_training.h
tests_test_training_parts_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_training_parts_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_training_choices_SOURCES = tests/test_training_choices.c tests/small_training.c tests/small_training.h
tests_test_training_choices_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_training_choices_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_pretraining
tests_test_pretraining_SOURCES = tests/test_pretraining.c tests/small_training.c tests/small_training.h
tests_test_pretraining_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_pretraining_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_adafactor
tests_test_adafactor_SOURCES = tests/test_adafactor.c
tests_test_adafactor_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_adafactor_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_response_training
tests_test_response_training_SOURCES = tests/test_response_training.c tests/small_training.c tests/small_training.h
tests_test_response_training_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_response_training_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_estimate
tests_test_estimate_SOURCES = tests/test_estimate.c tests/small_training.c tests/small_training.h
tests_test_estimate_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_estimate_LDADD = libtest_harness.la $(TEST_LDADD)
