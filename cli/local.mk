# cli/: the program. All of it but main is a library, so that the tests can call it.
noinst_LTLIBRARIES += libassistify_cli.la
libassistify_cli_la_SOURCES = cli/command.h cli/commands.c cli/completion.c cli/completion.h cli/completion_bash.c cli/completion_fish.c cli/completion_zsh.c cli/config.c cli/configuration.c cli/console.c cli/console.h \
  cli/environment.c cli/help.c cli/lines.c cli/lines.h cli/manual.c cli/options.c cli/options.h cli/progress.c cli/progress.h cli/signals.c cli/signals.h cli/subcommand.c cli/subcommand.h cli/suggest.c \
  cli/values.c cli/version.c cli/version.h
# The commands, one file each or each family, and the options that they share.
libassistify_cli_la_SOURCES += cli/csv_options.c cli/csv_options.h cli/training.h cli/training_options.c cli/training_view.c
libassistify_cli_la_SOURCES += cli/train.c cli/train_response.c cli/pretrain.c cli/evaluate.c cli/evaluate_response.c cli/predict.c cli/respond.c cli/data_check.c cli/data_split.c cli/data_synth.c cli/metrics.c cli/tokenize.c
libassistify_cli_la_SOURCES += cli/generation_options.c cli/generation_options.h cli/text_input.c cli/text_input.h
libassistify_cli_la_SOURCES += cli/model_store.c cli/model_store.h cli/models.c cli/record.c cli/record.h cli/monitor.c cli/prediction_logging.c cli/prediction_logging.h cli/time_option.c cli/time_option.h
# looking at the store
libassistify_cli_la_SOURCES += cli/models.h cli/models_show.c
# the prediction log
libassistify_cli_la_SOURCES += cli/monitor_predictions.c cli/monitor_feedback.c cli/monitor_drift.c
# compare
libassistify_cli_la_SOURCES += cli/comparison.c cli/comparison.h cli/compare.c cli/compare_response.c \
  cli/compare_recommend.c cli/reply_rows.c cli/reply_rows.h
libassistify_cli_la_SOURCES += cli/doctor.c cli/selftest.c cli/selftest.h
libassistify_cli_la_SOURCES += cli/inspect.c cli/inspect.h cli/inspect_inputs.c cli/inspect_inputs.h \
  cli/inspect_encoder.c cli/inspect_t5.c cli/inspect_losses.h cli/inspect_losses.c cli/inspect_model.c cli/inspect_run.c \
  cli/inspect_train.c cli/inspect_generate.c
libassistify_cli_la_SOURCES += cli/train_all.c cli/train_all.h cli/train_all_plan.c cli/train_all_report.c
libassistify_cli_la_SOURCES += cli/analyze.c cli/reply.c cli/reply.h
# Retraining.
libassistify_cli_la_SOURCES += cli/retrain.c cli/retrain.h cli/retrain_model.c cli/retrain_plan.c cli/retrain_prune.c
# The recommender.
libassistify_cli_la_SOURCES += cli/inspect_lightfm.c cli/inspect_lightfm.h cli/inspect_lightfm_predict.c
libassistify_cli_la_SOURCES += cli/evaluate_recommend.c cli/recommend.c cli/recommend_options.h cli/train_recommend.c

bin_PROGRAMS += assistify
assistify_SOURCES = cli/main.c
assistify_LDADD = libassistify_cli.la libassistify_all.la $(COMMON_LIBS)

# The manual pages and the completion scripts come from the program's own table, and assistify-formats(5) from
# docs/formats.md, so they are made by running a program. When that is impossible, in a cross build, those of the release
# are taken; from a checkout there are none then. Which pages there are is the table's business: no list of them here.
PAGES = cli/pages
EXTRA_DIST += docs/formats_man.awk
if HAVE_PAGES
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = cli/pages/assistify
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = cli/pages/_assistify
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_fishcompletion_DATA = cli/pages/assistify.fish

# find_pages; then $$pages is the folder with them
find_pages = pages=$(PAGES); test -f $$pages/assistify.1 || pages=$(srcdir)/$(PAGES)
install-data-local: $(dist_bashcompletion_DATA)
	$(MKDIR_P) '$(DESTDIR)$(mandir)/man1' '$(DESTDIR)$(mandir)/man5'
	$(find_pages); $(INSTALL_DATA) $$pages/*.1 '$(DESTDIR)$(mandir)/man1' && $(INSTALL_DATA) $$pages/*.5 '$(DESTDIR)$(mandir)/man5'
uninstall-local:
	$(find_pages); for page in $$pages/*.[15]; do \
	  rm -f "$(DESTDIR)$(mandir)/man1/$${page##*/}" "$(DESTDIR)$(mandir)/man5/$${page##*/}"; done
dist-hook: $(dist_bashcompletion_DATA)
	$(find_pages); $(MKDIR_P) '$(distdir)/$(PAGES)' && cp -p $$pages/*.[15] '$(distdir)/$(PAGES)'
endif
if GENERATE_PAGES
noinst_PROGRAMS += cli/write_pages
cli_write_pages_SOURCES = cli/write_pages.c
cli_write_pages_LDADD = $(assistify_LDADD)
all-local: cli/pages/stamp
cli/pages/stamp: cli/write_pages$(EXEEXT) docs/formats.md docs/formats_man.awk
	$(AM_V_GEN)rm -rf $(PAGES) && ./cli/write_pages$(EXEEXT) $(PAGES) && \
	  $(AWK) -v version='$(VERSION)' -f $(srcdir)/docs/formats_man.awk $(srcdir)/docs/formats.md > $(PAGES)/assistify-formats.5 && \
	  : > $@
cli/pages/assistify cli/pages/_assistify cli/pages/assistify.fish: cli/pages/stamp
clean-local:
	rm -rf $(PAGES)
endif

check_PROGRAMS += tests/test_options tests/test_option_sources
tests_test_option_sources_SOURCES = tests/test_option_sources.c tests/option_table.h
tests_test_option_sources_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_option_sources_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
tests_test_options_SOURCES = tests/test_options.c tests/option_table.h
tests_test_options_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_options_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
check_PROGRAMS += tests/test_subcommand
tests_test_subcommand_SOURCES = tests/test_subcommand.c
tests_test_subcommand_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_subcommand_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
check_PROGRAMS += tests/test_console
tests_test_console_SOURCES = tests/test_console.c
tests_test_console_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_console_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
dist_check_SCRIPTS += tests/test_cli.sh tests/test_isa.sh tests/test_data_commands.sh tests/test_tokenize.sh

# inspect: the program in the test's process (tests/program.h), and golden model folders (tests/model_case.h).
PROGRAM_TEST = tests/program.c tests/program.h
MODEL_CASE_TEST = $(PROGRAM_TEST) tests/model_case.c tests/model_case.h
check_PROGRAMS += tests/test_program_memory
tests_test_program_memory_SOURCES = tests/test_program_memory.c $(PROGRAM_TEST)
tests_test_program_memory_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_program_memory_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
check_PROGRAMS += tests/test_inspect
tests_test_inspect_SOURCES = tests/test_inspect.c $(MODEL_CASE_TEST)
tests_test_inspect_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_inspect_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
check_PROGRAMS += tests/test_plan
tests_test_plan_SOURCES = tests/test_plan.c tests/small_training.c tests/small_training.h $(PROGRAM_TEST)
tests_test_plan_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_plan_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
check_PROGRAMS += tests/test_respond
tests_test_respond_SOURCES = tests/test_respond.c tests/small_responder.h tests/small_training.c tests/small_training.h \
  $(PROGRAM_TEST)
tests_test_respond_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_respond_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
EXTRA_DIST += \
  tests/golden/distilbert_a/config.json tests/golden/distilbert_a/model.safetensors \
  tests/golden/distilbert_a/inputs.json tests/golden/distilbert_a/expected.json tests/golden/distilbert_a/expected.safetensors \
  tests/golden/train_distilbert/config.json tests/golden/train_distilbert/model.safetensors \
  tests/golden/train_distilbert/inputs.json tests/golden/train_distilbert/expected.json tests/golden/train_distilbert/expected.safetensors \
  tests/golden/roberta_c_pad_inside/config.json tests/golden/roberta_c_pad_inside/model.safetensors \
  tests/golden/roberta_c_pad_inside/inputs.json tests/golden/roberta_c_pad_inside/expected.json tests/golden/roberta_c_pad_inside/expected.safetensors \
  tests/golden/train_roberta/config.json tests/golden/train_roberta/model.safetensors \
  tests/golden/train_roberta/inputs.json tests/golden/train_roberta/expected.json tests/golden/train_roberta/expected.safetensors
check_PROGRAMS += tests/golden_inspect
tests_golden_inspect_SOURCES = tests/golden_inspect.c $(MODEL_CASE_TEST)
tests_golden_inspect_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_inspect_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
check_PROGRAMS += tests/golden_minilm
tests_golden_minilm_SOURCES = tests/golden_minilm.c $(MODEL_CASE_TEST)
tests_golden_minilm_CPPFLAGS = $(TEST_CPPFLAGS)
tests_golden_minilm_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
check_PROGRAMS += tests/test_compare_program
tests_test_compare_program_SOURCES = tests/test_compare_program.c tests/small_responder.h tests/small_training.c \
  tests/small_training.h $(PROGRAM_TEST)
tests_test_compare_program_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_compare_program_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
check_PROGRAMS += tests/test_retrain_program
tests_test_retrain_program_SOURCES = tests/test_retrain_program.c tests/small_training.c tests/small_training.h \
  $(PROGRAM_TEST)
tests_test_retrain_program_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_retrain_program_LDADD = libtest_harness.la libassistify_cli.la $(TEST_LDADD)
