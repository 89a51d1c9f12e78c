# models/: the networks, their configurations and their files; knows nn/, tensor/ and base/.
modelsdir_includedir = $(pkgincludedir)/models
modelsdir_include_HEADERS = models/stored_tensor.h models/safetensors.h models/checkpoint.h models/config.h \
  models/distilbert_config.h models/encoder_batch.h models/encoder.h models/token_rows.h models/encoder_predict.h
libassistify_all_la_SOURCES += models/stored_tensor.c models/safetensors.c models/safetensors_write.c \
  models/checkpoint.c models/checkpoint_read.c models/checkpoint_expect.c models/checkpoint_internal.h \
  models/config.c models/config_labels.c models/config_write.c models/distilbert_config.c models/encoder_batch.c models/encoder.c \
  models/distilbert.c models/token_rows.c models/encoder_predict.c

check_PROGRAMS += tests/test_safetensors
tests_test_safetensors_SOURCES = tests/test_safetensors.c
tests_test_safetensors_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_safetensors_LDADD = libtest_harness.la $(TEST_LDADD)

check_PROGRAMS += tests/test_config
tests_test_config_SOURCES = tests/test_config.c
tests_test_config_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_config_LDADD = libtest_harness.la $(TEST_LDADD)

check_PROGRAMS += tests/golden_distilbert
tests_golden_distilbert_SOURCES = tests/golden_distilbert.c
tests_golden_distilbert_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_distilbert_LDADD = libtest_harness.la $(TEST_LDADD)
