# infer/: using trained models.
infer_includedir = $(pkgincludedir)/infer
infer_include_HEADERS = infer/classifier.h infer/intent_classifier.h infer/sentiment_classifier.h \
  infer/labelled_rows.h infer/changed_rows.h infer/wrong_rows.h infer/generate.h infer/stop_strings.h infer/responder.h infer/reply_stream.h
libassistify_all_la_SOURCES += infer/classifier.c infer/intent_classifier.c \
  infer/sentiment_classifier.c infer/labelled_rows.c infer/changed_rows.c infer/wrong_rows.c \
  infer/generate.c infer/generation.h infer/beam_search.c infer/token_scores.c infer/token_scores.h infer/stop_strings.c \
  infer/model_recipe.c infer/model_recipe.h infer/reply_stream.c infer/responder.c

check_PROGRAMS += tests/test_wrong_rows
tests_test_wrong_rows_SOURCES = tests/test_wrong_rows.c
tests_test_wrong_rows_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_wrong_rows_LDADD = libtest_harness.la $(TEST_LDADD)

check_PROGRAMS += tests/test_classifier
tests_test_classifier_SOURCES = tests/test_classifier.c tests/small_training.c tests/small_training.h
tests_test_classifier_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_classifier_LDADD = libtest_harness.la $(TEST_LDADD)

check_PROGRAMS += tests/test_generate
tests_test_generate_SOURCES = tests/test_generate.c
tests_test_generate_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_generate_LDADD = libtest_harness.la $(TEST_LDADD)

check_PROGRAMS += tests/test_responder
tests_test_responder_SOURCES = tests/test_responder.c tests/bpe_files.h tests/small_responder.h tests/text_source.h
tests_test_responder_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_responder_LDADD = libtest_harness.la $(TEST_LDADD)
