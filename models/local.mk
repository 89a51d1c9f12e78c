# models/: the networks, their configurations and their files; knows nn/, tensor/ and base/.
modelsdir_includedir = $(pkgincludedir)/models
modelsdir_include_HEADERS = models/stored_tensor.h models/safetensors.h models/checkpoint.h models/config.h \
  models/encoder_config.h models/distilbert_config.h models/roberta_config.h models/encoder_batch.h models/encoder.h \
  models/t5_config.h models/t5_batch.h models/t5.h models/t5_decoder.h models/t5_greedy.h models/t5_loss.h models/pair_rows.h models/parameters_file.h \
  models/token_rows.h models/encoder_predict.h models/classification_task.h models/task_file.h models/input_template.h
libassistify_all_la_SOURCES += models/stored_tensor.c models/safetensors.c models/safetensors_write.c \
  models/checkpoint.c models/checkpoint_read.c models/checkpoint_expect.c models/checkpoint_internal.h \
  models/weight_format.h models/pickle.h models/pickle.c \
  models/config.c models/config_labels.c models/config_write.c models/encoder_config.c models/distilbert_config.c \
  models/roberta_config.c models/encoder_batch.c models/encoder.c models/distilbert.c models/roberta.c \
  models/token_rows.c models/encoder_predict.c models/classification_task.c models/task_file.c models/input_template.c \
  models/parameters_file.c models/t5_config.c models/t5_batch.c models/t5.c models/t5_decoder.c \
  models/t5_greedy.c models/t5_loss.c models/pair_rows.c
if HAVE_LIBZIP
libassistify_all_la_SOURCES += models/torch_zip.h models/torch_zip.c models/torch_file.c
else
libassistify_all_la_SOURCES += models/torch_none.c
endif

check_PROGRAMS += tests/test_safetensors
tests_test_safetensors_SOURCES = tests/test_safetensors.c
tests_test_safetensors_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_safetensors_LDADD = libtest_harness.la $(TEST_LDADD)

check_PROGRAMS += tests/test_config
tests_test_config_SOURCES = tests/test_config.c
tests_test_config_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_config_LDADD = libtest_harness.la $(TEST_LDADD)

check_PROGRAMS += tests/test_task_file
tests_test_task_file_SOURCES = tests/test_task_file.c
tests_test_task_file_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_task_file_LDADD = libtest_harness.la $(TEST_LDADD)

check_PROGRAMS += tests/test_masked_lm
tests_test_masked_lm_SOURCES = tests/test_masked_lm.c
tests_test_masked_lm_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_masked_lm_LDADD = libtest_harness.la $(TEST_LDADD)
EXTRA_DIST += tests/golden/make_masked_lm.py \
  tests/golden/masked_lm_distilbert/config.json tests/golden/masked_lm_distilbert/model.safetensors \
  tests/golden/masked_lm_distilbert/inputs.json tests/golden/masked_lm_distilbert/expected.safetensors \
  tests/golden/masked_lm_roberta/config.json tests/golden/masked_lm_roberta/model.safetensors \
  tests/golden/masked_lm_roberta/inputs.json tests/golden/masked_lm_roberta/expected.safetensors

check_PROGRAMS += tests/golden_encoders
tests_golden_encoders_SOURCES = tests/golden_encoders.c
tests_golden_encoders_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_encoders_LDADD = libtest_harness.la $(TEST_LDADD)

check_PROGRAMS += tests/golden_t5 tests/test_t5
tests_golden_t5_SOURCES = tests/golden_t5.c
tests_golden_t5_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_t5_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_t5_SOURCES = tests/test_t5.c
tests_test_t5_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_t5_LDADD = libtest_harness.la $(TEST_LDADD)

check_PROGRAMS += tests/test_pickle
tests_test_pickle_SOURCES = tests/test_pickle.c
tests_test_pickle_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_pickle_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_torch_file
tests_test_torch_file_SOURCES = tests/test_torch_file.c
tests_test_torch_file_CPPFLAGS = $(TEST_CPPFLAGS) $(LIBZIP_CFLAGS)
tests_test_torch_file_LDADD = libtest_harness.la $(TEST_LDADD)

check_PROGRAMS += tests/golden_malformed
tests_golden_malformed_SOURCES = tests/golden_malformed.c
tests_golden_malformed_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_malformed_LDADD = libtest_harness.la $(TEST_LDADD)

check_PROGRAMS += tests/golden_checkpoints
tests_golden_checkpoints_SOURCES = tests/golden_checkpoints.c
tests_golden_checkpoints_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_checkpoints_LDADD = libtest_harness.la $(TEST_LDADD)
