# tokenizer/: text to ids and back, as Hugging Face's tokenizers do it; knows base/ only.
tokenizer_includedir = $(pkgincludedir)/tokenizer
tokenizer_include_HEADERS = tokenizer/tokenizer.h tokenizer/unigram_trainer.h tokenizer/decode_stream.h tokenizer/tokenize_json.h tokenizer/trainer.h \
  tokenizer/wordpiece_trainer.h tokenizer/byte_bpe_trainer.h
libassistify_all_la_SOURCES += tokenizer/tokenizer.c tokenizer/construct.h tokenizer/stages.h tokenizer/components.h \
  tokenizer/registry.c tokenizer/encode.c tokenizer/encode.h tokenizer/assemble.c tokenizer/assemble.h tokenizer/work.c tokenizer/work.h \
  tokenizer/span.h tokenizer/added_tokens.c tokenizer/added_tokens.h tokenizer/added_tokens_json.c \
  tokenizer/added_tokens_json.h tokenizer/trie.c tokenizer/trie.h tokenizer/vocabulary.c tokenizer/vocabulary.h \
  tokenizer/vocab_file.c tokenizer/vocab_file.h tokenizer/vocab_scan.c tokenizer/vocab_scan.h tokenizer/unicode.c tokenizer/unicode.h tokenizer/unicode_tables.c \
  tokenizer/nfd.c tokenizer/nfd.h tokenizer/bert.c tokenizer/bert_normalizer.c tokenizer/bert_normalizer.h \
  tokenizer/bert_pre_tokenizer.c tokenizer/wordpiece.c tokenizer/wordpiece_decoder.c tokenizer/template.c \
  tokenizer/template.h tokenizer/template_processing.c tokenizer/fields.c tokenizer/fields.h tokenizer/limits.h \
  tokenizer/merge_trainer.c tokenizer/merge_trainer.h tokenizer/pair_trainer.c tokenizer/pair_trainer.h tokenizer/word_counts.c tokenizer/word_counts.h \
  tokenizer/wordpiece_trainer.c tokenizer/bpe.c tokenizer/bpe.h tokenizer/bpe_word.c tokenizer/bpe_word.h \
  tokenizer/merge_table.c tokenizer/merge_table.h tokenizer/merges_file.c tokenizer/merges_file.h \
  tokenizer/byte_level.c tokenizer/byte_level.h tokenizer/gpt2_words.c tokenizer/gpt2_words.h \
  tokenizer/byte_bpe_trainer.c tokenizer/trainer.c tokenizer/roberta.c tokenizer/roberta_processing.c tokenizer/construct.c tokenizer/tokenizer_json.c tokenizer/tokenize_json.c tokenizer/tokenizer_config.c tokenizer/tokenizer_config.h
libassistify_all_la_SOURCES += tokenizer/double_array.c tokenizer/double_array.h tokenizer/charsmap.c tokenizer/charsmap.h \
  tokenizer/grapheme.c tokenizer/grapheme.h tokenizer/grapheme_tables.c tokenizer/precompiled.c tokenizer/precompiled.h \
  tokenizer/sequence.c tokenizer/sequence.h tokenizer/chain.c tokenizer/chain.h tokenizer/pattern.c tokenizer/pattern.h \
  tokenizer/replace.c tokenizer/metaspace.c tokenizer/metaspace.h tokenizer/byte_fallback.c tokenizer/byte_token.h \
  tokenizer/unigram.c tokenizer/unigram.h tokenizer/scored_vocab.c tokenizer/scored_vocab.h tokenizer/protobuf.c \
  tokenizer/protobuf.h tokenizer/sentencepiece.c tokenizer/sentencepiece.h tokenizer/piece_file.c tokenizer/piece_file.h \
  tokenizer/piece_stages.c tokenizer/piece_stages.h tokenizer/piece_save.c tokenizer/decode_stream.c \
  tokenizer/nfkc_rules.c tokenizer/nfkc_rules.h tokenizer/script.c tokenizer/script.h tokenizer/seed_pieces.c \
  tokenizer/seed_pieces.h tokenizer/piece_counts.c tokenizer/piece_counts.h tokenizer/piece_choice.c tokenizer/piece_choice.h \
  tokenizer/unigram_trainer.c
EXTRA_DIST += tokenizer/make_unicode_tables.py tokenizer/make_grapheme_tables.py

# Tests.
check_PROGRAMS += tests/golden_wordpiece tests/golden_bpe tests/golden_unigram tests/test_wordpiece tests/test_encoding \
  tests/test_tokenizer_files tests/test_tokenizer_robust tests/test_wordpiece_trainer tests/test_byte_bpe \
  tests/test_bpe_files tests/test_trainers
tests_golden_wordpiece_SOURCES = tests/golden_wordpiece.c tests/tokenizer_golden.c tests/tokenizer_golden.h
tests_golden_wordpiece_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_wordpiece_LDADD = libtest_harness.la $(TEST_LDADD)
tests_golden_unigram_SOURCES = tests/golden_unigram.c tests/tokenizer_golden.c tests/tokenizer_golden.h
tests_golden_unigram_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_unigram_LDADD = libtest_harness.la $(TEST_LDADD)
check_PROGRAMS += tests/test_unigram_trainer
tests_test_unigram_trainer_SOURCES = tests/test_unigram_trainer.c
tests_test_unigram_trainer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_unigram_trainer_LDADD = libtest_harness.la $(TEST_LDADD)
tests_golden_bpe_SOURCES = tests/golden_bpe.c tests/tokenizer_golden.c tests/tokenizer_golden.h
tests_golden_bpe_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_bpe_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_wordpiece_SOURCES = tests/test_wordpiece.c tests/tokenizer_files.h tests/tokenizer_fixture.h
tests_test_wordpiece_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_wordpiece_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_byte_bpe_SOURCES = tests/test_byte_bpe.c tests/bpe_files.h tests/tokenizer_threads.h tests/tokenizer_files.h
tests_test_byte_bpe_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_byte_bpe_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_bpe_files_SOURCES = tests/test_bpe_files.c tests/tokenizer_folder.h tests/bpe_files.h tests/tokenizer_files.h
tests_test_bpe_files_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_bpe_files_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_encoding_SOURCES = tests/test_encoding.c tests/tokenizer_threads.h tests/tokenizer_files.h tests/tokenizer_fixture.h
tests_test_encoding_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_encoding_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_tokenizer_files_SOURCES = tests/test_tokenizer_files.c tests/tokenizer_folder.h tests/tokenizer_files.h
tests_test_tokenizer_files_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_tokenizer_files_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_trainers_SOURCES = tests/test_trainers.c tests/text_source.h
tests_test_trainers_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_trainers_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_wordpiece_trainer_SOURCES = tests/test_wordpiece_trainer.c tests/text_source.h
tests_test_wordpiece_trainer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_wordpiece_trainer_LDADD = libtest_harness.la $(TEST_LDADD)
tests_test_tokenizer_robust_SOURCES = tests/test_tokenizer_robust.c tests/tokenizer_folder.h tests/bpe_files.h tests/text_source.h tests/tokenizer_files.h
tests_test_tokenizer_robust_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_tokenizer_robust_LDADD = libtest_harness.la $(TEST_LDADD)
EXTRA_DIST += tests/golden/own_sentences.txt
